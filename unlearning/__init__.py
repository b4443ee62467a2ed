"""The engine of Lethe: make a causal language model forget, and measure what is left."""

__version__ = "0.1.0"
