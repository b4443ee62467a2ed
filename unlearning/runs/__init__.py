"""Runs: events, the engine that emits them, the store that keeps them, the view that folds them."""
