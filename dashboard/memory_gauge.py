"""The gauge of memory: what a run uses of what its device has."""

from __future__ import annotations

from dashboard.language import _
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
    name = _("GPU memory") if device.startswith("cuda") else _("Memory")
    most = max(view.memory_peak, view.memory)
    if total < most:  # logs of old do not say what the device has
        words = (
            _("{used} GB in use").format(used=gigabytes(view.memory))
            if live
            else _("at most {most} GB").format(most=gigabytes(most))
        )
        return f'<p class="memory-head memory"><span>{name}</span><span>{words}</span></p>'
    used, peak = view.memory / total, most / total
    look = "fair" if peak >= TIGHT else "good"
    tight = _(", tight") if peak >= TIGHT else ""
    told = _("{used} of {total} GB") if live else _("at most {most} of {total} GB")
    said = _("{used} of {total} gigabytes in use, at most {most} so far")
    sizes = {
        "used": gigabytes(view.memory),
        "most": gigabytes(most),
        "total": gigabytes(total),
    }
    share = used if live else peak
    title = _("The most in use at a time was {most} GB").format(**sizes)
    told, said = (words.format(**sizes) + tight for words in (told, said))
    return (
        f'<div class="memory {look}" title="{escaped(title)}">'
        f'<p class="memory-head"><span>{name}</span><span>{escaped(told)}</span></p>'
        f'<div class="bar" role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="1" '
        f'aria-valuenow="{share:.3f}" aria-valuetext="{escaped(said)}">'
        f'<i style="width:{share:.1%}"></i><s style="left:{peak:.1%}"></s></div></div>'
    )


def gigabytes(size: int) -> str:
    """Two digits or three: '0.9', '12.4', '79'."""
    value = size / 1e9
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
