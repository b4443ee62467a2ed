"""Where a run executes: one small protocol of commands in, events out."""
