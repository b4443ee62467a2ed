"""The tabs in reading order; each is a module with NAME, TITLE and build(page)."""

from __future__ import annotations

from dashboard.tabs import compare, learn, live, runs, setup, stress

TABS = (setup, live, compare, stress, runs, learn)
