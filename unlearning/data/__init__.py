"""Texts: where they come from, how they are cut, how they become tokens."""
