"""Attacks carried out: one file for each file of `unlearning/attacks/`."""
