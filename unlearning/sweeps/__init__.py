"""Many runs at once: chains of runs over several seeds, one table at the end."""
