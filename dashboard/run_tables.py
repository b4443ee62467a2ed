"""Tables of several runs as escaped HTML: figures over seeds, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.language import N_, _
from dashboard.pictures import STATES, escaped
from dashboard.run_figures import Drawn, Point
from dashboard.run_styles import sample
from unlearning.methods import METHODS
from unlearning.runs.groups import Member, differences
from unlearning.runs.store import RunStore
from unlearning.sweeps.execute import Done
from unlearning.sweeps.figures import Row, in_words, rows

COLUMNS = {
    "recited": N_("Recites, to forget"),
    "extraction": N_("Extraction likelihood, to forget"),
    "kept": N_("Recites, to keep"),
    "perplexity": N_("Perplexity, times the original's"),
}
NAMES = {"text.forget": N_("Text to forget"), "text.retain": N_("Text to keep")}


def figures_table(store: RunStore, drawn: Sequence[Drawn], points: Sequence[Point]) -> str:
    """One row a line of the figures: mean and deviation over its seeds, and its place."""
    done = [
        Done(one.style.letter, member.seed, member.run_id, member.run_id)
        for one in drawn
        for member in one.members
    ]
    by_letter = {row.cell: row for row in rows(store, done)}
    place = {point.drawn.style.letter: point.better for point in points}
    body = "".join(_figures_row(one, by_letter[one.style.letter], place) for one in drawn)
    heads = "".join(f'<th scope="col" class="number">{_(title)}</th>' for title in COLUMNS.values())
    seeds = any(len(one.members) > 1 for one in drawn)
    caption = _("± is the sample standard deviation over the seeds.") if seeds else ""
    return _framed(
        f'<thead><tr><th scope="col">{_("Run")}</th><th scope="col">{_("Method")}</th>{heads}'
        f'<th scope="col">{_("Ended")}</th>'
        f'<th scope="col">{_("Forgetting against utility")}</th></tr></thead>'
        f"<tbody>{body}</tbody>{f'<caption>{caption}</caption>' if caption else ''}",
        _("Figures of the compared runs"),
    )


def _figures_row(one: Drawn, row: Row, place: Mapping[str, str]) -> str:
    ids = ", ".join(member.run_id for member in one.members)
    if len(one.members) > 1:
        ids = _("{count} seeds: {ids}").format(count=len(one.members), ids=ids)
    label = next((str(m.config["label"]) for m in one.members if m.config.get("label")), "")
    cells = "".join(
        f'<td class="number">{escaped(in_words(row.mean(name), row.deviation(name)))}</td>'
        for name in COLUMNS
    )
    ends = ", ".join(dict.fromkeys(_(STATES.get(end, (end,))[0]) for end in row.ends))
    better = place.get(one.style.letter)
    where = (
        _("not measured")
        if better is None
        else _("{better} is better").format(better=better)
        if better
        else _("on the front")
    )
    return (
        f'<tr><th scope="row">{sample(one.style)} <small>{escaped(ids)}'
        f"{f' · {escaped(label)}' if label else ''}</small></th>"
        f"<td>{escaped(_method(one.members[0]))}</td>{cells}<td>{escaped(ends)}</td>"
        f"<td>{escaped(where)}</td></tr>"
    )


def _method(member: Member) -> str:
    name = str(member.config.get("method", ""))
    return METHODS[name].title if name in METHODS else name


def differences_table(drawn: Sequence[Drawn]) -> str:
    """Settings that are not the same in all runs; a sentence where there are none."""
    members = [(one, member) for one in drawn for member in one.members]
    found = differences([member for _, member in members])
    if len(members) < 2:
        return ""
    if not found:
        words = _("These runs have the same settings and texts.")
        return f'<p class="note">{words}</p>'
    heads = "".join(
        f'<th scope="col">{sample(one.style)}'
        f"{_seed(member.seed) if len(one.members) > 1 else ''}</th>"
        for one, member in members
    )
    body = "".join(
        f'<tr><th scope="row">{escaped(_name(name))}</th>'
        f"{''.join(f'<td>{escaped(_value(value))}</td>' for value in values)}</tr>"
        for name, values in found
    )
    return _framed(
        f'<thead><tr><th scope="col">{_("What differs")}</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody>",
        _("Settings that differ"),
    )


def _seed(seed: int) -> str:
    return f" <small>{_('seed {seed}').format(seed=seed)}</small>"


def _name(key: str) -> str:
    if key in NAMES:
        return _(NAMES[key])
    words = key.replace("hyperparameters.", "method: ").replace("text.", "text: ")
    words = words.replace("_", " ")
    return words[:1].upper() + words[1:]


def _value(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    words = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return words if len(words) <= 80 else f"{words[:79]}…"


def _framed(inner: str, label: str) -> str:
    # Wide tables scroll by themselves, and by keyboard.
    return (
        f'<div class="wide-table" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="runs-table">{inner}</table></div>'
    )
