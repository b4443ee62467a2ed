"""Why a metric has no score: what it needs that is not there."""

from __future__ import annotations

from collections.abc import Mapping

from unlearning.metrics.base import NEEDS, Evidence, Metric


def why_not(metric: Metric, found: Mapping[str, Evidence]) -> str:
    """One sentence about a metric that none of these sets, by role, gave a score."""
    lacking = [NEEDS[need] for need in sorted(metric.needs) if not _there(need, found)]
    if lacking:
        return f"It needs {', and '.join(lacking)}; that is not here."
    if not any(role in found for role in metric.direction):
        return f"It is measured on {' and '.join(metric.direction)} text; none was given."
    return "None of these texts leaves anything that it can be measured on."


def _there(need: str, found: Mapping[str, Evidence]) -> bool:
    sets = found.values()
    match need:
        case "rewritten":
            return any(any(e.perturbed) or any(e.paraphrased) for e in sets)
        case "retrained":
            return any(e.retrained is not None for e in sets)
        case "original":
            return any(p.drift is not None for e in sets for p in e.positions)
        case "weights":
            return any(e.weight_changes is not None for e in sets)
        case "gradients":
            return any(e.gradient_norms is not None for e in sets)
        case "classifier":
            return any(e.clean_probabilities is not None for e in sets)
        case "questions":
            return any(_asked(e) for e in sets)
        case "lume":
            return False
    return need in found


def _asked(evidence: Evidence) -> bool:
    return any(c.example is not None and c.example.kind == "qa" for c in evidence.continuations)
