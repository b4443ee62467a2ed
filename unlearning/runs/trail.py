"""What the probes said of each step: which snapshot is healthy, which is best."""

from __future__ import annotations

import math
from typing import Any

from unlearning.runs.events import Probed
from unlearning.runs.probing import Prober, distance

HEALTHY = 0.5
"""Meter below which a snapshot can be rolled back to."""


class Trail:
    """Meters and distances by step, and the snapshots there are."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober
        self._meters: dict[int, float] = {0: 0.0}
        self._distances: dict[int, float] = {}
        self.snapshots: list[int] = []
        self.collapsed = False

    def see(self, probed: Probed) -> None:
        """Take a probe in."""
        self._meters[probed.step] = probed.health.meter
        far = distance(probed, self._prober.level, self._prober.first)
        if far is not None and math.isfinite(far):
            self._distances[probed.step] = far

    def is_healthy(self, step: int) -> bool:
        """Whether the probes on both sides of the step, as far as there are any, were healthy."""
        before = max((s for s in self._meters if s <= step), default=None)
        after = min((s for s in self._meters if s >= step), default=None)
        around = [self._meters[s] for s in (before, after) if s is not None]
        return all(meter < HEALTHY for meter in around)

    def healthy(self) -> int:
        """The latest snapshot that was healthy; 0 is the original."""
        return max((step for step in self.snapshots if self.is_healthy(step)), default=0)

    def best(self) -> int | None:
        """The snapshot nearest to the never-saw-it level with utility kept."""
        there = [step for step in self._distances if step in self.snapshots]
        return min(there, key=self._distances.__getitem__, default=None)

    def saved(self) -> dict[str, Any]:
        """All but the list of snapshots, as JSON."""
        return {
            "meters": {str(k): v for k, v in self._meters.items()},
            "distances": {str(k): v for k, v in self._distances.items()},
            "collapsed": self.collapsed,
        }

    def restore(self, saved: dict[str, Any], steps: list[int]) -> None:
        """Take up what `saved` gave."""
        self._meters = {int(k): v for k, v in saved["meters"].items()}
        self._distances = {int(k): v for k, v in saved["distances"].items()}
        self.collapsed, self.snapshots = saved["collapsed"], steps
