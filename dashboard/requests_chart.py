"""Requests in a row: what is known after each one, as two figures and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard import tables
from dashboard.attack_chart import band, figure, level, row
from dashboard.language import N_, _
from dashboard.pictures import escaped
from unlearning.attacks.base import Side
from unlearning.attacks.sequential import Kept, Request, Requested
from unlearning.runs.events import ScoreValue

KEEP = N_("How much it knows of the text to keep")
FORGET = N_("How much it knows of the text to forget")
STANDS: dict[Side, str] = {
    "original": N_("Before: the original"),
    "unlearned": N_("All at once"),
    "control": N_("Never saw the text"),
}
"""Models beside the requests, in the words of the table."""
ENDS = {
    "forgotten": N_("forgotten"),
    "rule": N_("its own rule"),
    "collapsed": N_("collapsed"),
}
"""Why a request ended."""
MOST = 8
"""Requests that the figures have room for."""
Point = tuple[float, ScoreValue]


@dataclass(frozen=True)
class Line:
    """One line of a figure: a row of points, or a level."""

    kind: str
    """Its class: colour and dashes."""
    words: str
    points: Sequence[Point]
    """Place from 0 (before) to the number of requests, and the score there."""
    level: bool = False
    banded: bool = False
    """With its intervals; not every line, or none could be told from the others."""

    @property
    def values(self) -> str:
        """Its first value and its last."""
        first, last = self.points[0][1].value, self.points[-1][1].value
        return f"{first:.0%}" if len(self.points) == 1 else f"{first:.0%} → {last:.0%}"


def requests(report: Requested) -> str:
    """Both figures, then the table."""
    return (
        f'<div class="requests-figures">{_kept(report)}{_forgotten(report)}</div>{_table(report)}'
    )


def _kept(report: Requested) -> str:
    original, once = report.stands.get("original"), report.stands["unlearned"]
    points = [(0.0, original.kept)] if original is not None else []
    points += [(float(k), one.kept) for k, one in enumerate(report.requests, 1)]
    lines = [
        Line("kept", N_("in several requests"), _known(points), banded=True),
        Line("kept-once", N_("all at once"), _known([(0.0, once.kept)]), level=True),
    ]
    return _figure(report, KEEP, lines)


def _forgotten(report: Requested) -> str:
    rows, original = list(enumerate(report.requests, 1)), report.stands.get("original")
    before = [(0, original.forget)] if original is not None else []
    asked, to_come = [(k, one.asked) for k, one in rows], [(k, one.to_come) for k, one in rows]
    lines = [
        Line("asked", N_("part just asked for"), _known(asked), banded=True),
        Line("earlier", N_("parts before it"), _known([(k, one.earlier) for k, one in rows])),
        Line("to-come", N_("parts to come"), _known([*before, *to_come])),
        Line("once", N_("all at once"), [(0.0, report.stands["unlearned"].forget)], level=True),
    ]
    return _figure(report, FORGET, lines)


def _known(points: Sequence[tuple[float, ScoreValue | None]]) -> list[Point]:
    return [(float(place), score) for place, score in points if score is not None]


def _figure(report: Requested, heading: str, lines: Sequence[Line]) -> str:
    last, asked_for = len(report.requests), report.settings.get("requests")
    if isinstance(asked_for, int) and last < asked_for <= MOST:
        last = asked_for  # a collapse ended it before
    shown = [line for line in lines if line.points]
    return figure(
        heading,
        "".join(_drawn(line, last) for line in shown),
        "".join(
            f'<span class="entry {line.kind}"><i aria-hidden="true"></i>{escaped(_(line.words))} '
            f"<b>{line.values}</b></span>"
            for line in shown
        ),
        ". ".join(f"{_(line.words)}: {line.values}" for line in shown),
        (_("before"), *map(str, range(1, last)), _("request {last}").format(last=last)),
        kind="requests",
    )


def _drawn(line: Line, last: int) -> str:
    if line.level:
        return level(line.kind, line.points[0][1])
    points = [(100 * place / last, score) for place, score in line.points]
    return (band(line.kind, points) if line.banded else "") + row(line.kind, points)


def _table(report: Requested) -> str:
    heads = (
        _("part just asked for"),
        _("parts before it"),
        _("parts to come"),
        _("text to keep"),
        _("surprise at general text"),
    )
    cells = "".join(f'<th scope="col" class="number">{escaped(words)}</th>' for words in heads)
    body = "".join(_rows(report))
    return (
        '<div class="scores-frame"><table class="attacked requests"><thead><tr>'
        f'<th scope="col">{_("Known after")}</th>{cells}</tr></thead><tbody>{body}</tbody></table>'
        f'</div><p class="note">{_(ABOUT)}</p>'
    )


ABOUT = N_(
    "Known: share of the next tokens that it guesses right. Surprise: perplexity as a multiple of "
    "the original's. All at once is the attacked run: the same text forgotten in one request."
)


def _rows(report: Requested) -> Iterator[str]:
    if "original" in report.stands:
        yield _stand_row(report, "original")
    for number, one in enumerate(report.requests, 1):
        parts = [_share(score) for score in (one.asked, one.earlier, one.to_come)]
        cells = "".join(
            f'<td class="number">{text}</td>' for text in (*parts, *_keeps(report, one))
        )
        name = _("Request {number}").format(number=number)
        yield (
            f'<tr class="{"lost" if one.lost_at is not None else ""}"><th scope="row">{name} '
            f"<small>{_end(one)}</small></th>{cells}</tr>"
        )
    for side in ("unlearned", "control"):
        if side in report.stands:
            yield _stand_row(report, side)


def _stand_row(report: Requested, side: Side) -> str:
    stand = report.stands[side]
    known = f"{_share(stand.forget)} <small>{_('all parts')}</small>"
    together = f'<td class="together" colspan="3">{known}</td>'
    cells = "".join(f'<td class="number">{text}</td>' for text in _keeps(report, stand))
    return f'<tr class="stand"><th scope="row">{_(STANDS[side])}</th>{together}{cells}</tr>'


def _share(score: ScoreValue | None) -> str:
    return tables.number(None) if score is None else f"{score.value:.0%}"


def _keeps(report: Requested, look: Kept) -> tuple[str, str]:
    times = report.times(look)
    return _share(look.kept), tables.number(None) if times is None else f"×{times:.2f}"


def _end(one: Request) -> str:
    """Steps, and why it ended; after a collapse the weights before it are kept."""
    why = "collapsed" if one.lost_at is not None else one.ended
    steps = _("{steps} steps").format(steps=one.steps)
    return f"{steps}, {escaped(_(ENDS.get(why, why)))}" if why else steps
