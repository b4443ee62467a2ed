"""What a check found, in words and a bar. Pure functions to HTML."""

from __future__ import annotations

from dashboard.language import N_, _, spoken
from dashboard.notes import counted
from dashboard.pictures import duration, escaped
from unlearning.runs.check import CheckReport, verdict

LOOKS = {"known": "good", "partly": "fair", "unknown": "bad", "unmeasured": "plain"}
EXTRACTED = N_(
    "From its shortest sufficient beginning, {share:.0%} of a text follows word for word "
    "(extraction strength)."
)
MARKS = {"known": "✓", "partly": "~", "unknown": "✕", "unmeasured": "–"}


def working_card(told: str) -> str:
    """While the worker is at it."""
    return f'<p class="check-line" role="status">{escaped(spoken(told))}</p>'


def check_card(report: CheckReport, taught: bool) -> str:
    """The verdict, the bar, the price, and folded the passages; `taught` if teaching is asked."""
    words = verdict(report)
    if taught and report.verdict in ("partly", "unknown"):
        words = words.replace("Teach it first", "It will be taught first")
    words = spoken(words)
    return (
        f'<div class="check {LOOKS[report.verdict]}">'
        f'<p class="check-verdict" role="status"><b aria-hidden="true">{MARKS[report.verdict]}</b> '
        f"{escaped(words)}</p>{_bar(report)}"
        f'<p class="check-price">{_price(report)}</p>{_passages(report)}</div>'
    )


def _bar(report: CheckReport) -> str:
    if report.recited is None:
        return ""
    own, level = f"{report.recited:.0%}", f"{report.level:.0%}"
    words = _("{own} of the tokens recited; unseen text {level}").format(own=own, level=level)
    return (
        f'<div class="check-bar" role="img" aria-label="{words}">'
        f'<i style="width:{report.recited:.1%}"></i>'
        f'<s style="left:{min(report.level, 1.0):.1%}"></s></div>'
    )


def _price(report: CheckReport) -> str:
    amount = _("{tokens:,} tokens in {counted}").format(
        tokens=report.tokens, counted=counted(report.sequences, "passage", "passages")
    )
    steps = _("{steps} steps take about {duration}").format(
        steps=report.steps, duration=duration(report.seconds)
    )
    if report.teach_seconds:
        steps += _(", and teaching before them at most {duration}").format(
            duration=duration(report.teach_seconds)
        )
    fits = _("✓ fits") if report.fits else _("✕ may not fit")
    memory = _("{fits}: about {needed} of {free} free memory").format(
        fits=fits, needed=_bytes(report.needed), free=_bytes(report.free)
    )
    where = _("on {device} in {dtype}").format(device=report.device, dtype=report.dtype)
    return escaped(f"{amount} · {steps} {where} · {memory}")


def _passages(report: CheckReport) -> str:
    rows = "".join(
        f"<li><b>{one.recited:.0%}</b> {escaped(one.begins)}</li>" for one in report.passages
    )
    notices = "".join(f'<p class="note">{escaped(spoken(notice))}</p>' for notice in report.notices)
    if not rows and not notices:
        return ""
    extracted = ""
    if report.extracted is not None:
        extracted = f'<p class="note">{_(EXTRACTED).format(share=report.extracted)}</p>'
    return (
        f"<details><summary>{_('Passage by passage')}</summary>{extracted}"
        f'<ul class="check-passages">{rows}</ul>{notices}</details>'
    )


def _bytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"
