"""What the papers claim, in miniature: which runs show it, and a verdict fixed beforehand."""
