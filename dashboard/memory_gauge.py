"""The gauge of memory: what a run uses of what its device has."""

from __future__ import annotations

from dashboard.pictures import escaped
from unlearning.runs.view import View

TIGHT = 0.85
"""Share of the device from which on it is said to be tight: what a run may plan with."""


def gauge(view: View, live: bool) -> str:
    """Bar and line; empty until a step has measured something.

    The bar is what was in use after the latest step, the mark the most so far.
    """
    if not view.memory:
        return ""
    device = view.started.device if view.started else ""
    total = view.started.memory_total if view.started else 0
    name = "GPU memory" if device.startswith("cuda") else "Memory"
    most = max(view.memory_peak, view.memory)
    if total < most:  # logs of old do not say what the device has
        words = f"{gigabytes(view.memory)} GB in use" if live else f"at most {gigabytes(most)} GB"
        return f'<p class="memory-head memory"><span>{name}</span><span>{words}</span></p>'
    used, peak = view.memory / total, most / total
    look = "fair" if peak >= TIGHT else "good"
    tight = ", tight" if peak >= TIGHT else ""
    told = (
        f"{gigabytes(view.memory)} of {gigabytes(total)} GB"
        if live
        else f"at most {gigabytes(most)} of {gigabytes(total)} GB"
    )
    said = (
        f"{gigabytes(view.memory)} of {gigabytes(total)} gigabytes in use, "
        f"at most {gigabytes(most)} so far{tight}"
    )
    share = used if live else peak
    title = f"The most in use at a time was {gigabytes(most)} GB"
    return (
        f'<div class="memory {look}" title="{escaped(title)}">'
        f'<p class="memory-head"><span>{name}</span><span>{escaped(told + tight)}</span></p>'
        f'<div class="bar" role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="1" '
        f'aria-valuenow="{share:.3f}" aria-valuetext="{escaped(said)}">'
        f'<i style="width:{share:.1%}"></i><s style="left:{peak:.1%}"></s></div></div>'
    )


def gigabytes(size: int) -> str:
    """Two digits or three: '0.9', '12.4', '79'."""
    value = size / 1e9
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
