"""What attacks on a run found, as escaped HTML: verdict, control, figures, answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from dashboard import tables
from dashboard.attack_chart import SIDES, curves
from dashboard.language import N_, _, amid, spoken
from dashboard.notes import nothing
from dashboard.pictures import duration, escaped, notices
from dashboard.requests_chart import requests
from unlearning.attacks import ATTACKS
from unlearning.attacks.base import NO_CONTROL, Report, Side
from unlearning.attacks.prompts import Answered, Probed, Row, through
from unlearning.attacks.quantise import FORGETTING, Copy, Quantised, forgetting
from unlearning.attacks.relearn import Relearned
from unlearning.attacks.sequential import Requested
from unlearning.metrics import METRICS
from unlearning.runs.events import ScoreValue
from unlearning.runs.store import RunStore

TITLES = {
    "relearn": N_("Relearn"),
    "quantise": N_("4-bit copy"),
    "prompts": N_("Ask differently"),
    "sequential": N_("Requests in a row"),
}
SAME_CODE = N_(
    "{share:.0%} of the rounded weights are the same number in the unlearned copy and in the "
    "original's."
)
KNOWN = N_("How much of the text to forget each model knows, as it is and as a copy")
REVEALING = 4
"""Answers that are shown of an attack by prompts."""
WITHOUT_CONTROL = N_(
    "No verdict: no model is known here that never saw the text, so nothing tells what comes back "
    "from what is learned anew. Runs on the built-in text, runs that teach the text first and "
    "runs that name a retrained model have one."
)


def results(store: RunStore, run_id: str) -> str:
    """All that is kept of a run, newest first; one sentence where there is nothing."""
    folder = store.folder(run_id) / "attacks"
    try:
        changed = folder.stat().st_mtime_ns
    except FileNotFoundError:
        changed = 0
    return _drawn(store, run_id, changed)


@lru_cache(maxsize=32)
def _drawn(store: RunStore, run_id: str, changed: int) -> str:
    """Drawn once, and again when a report came: every viewer asks for it each tick."""
    found = store.attacks(run_id) if changed else []
    if not found:
        return f'<p class="empty">{_("Nobody has attacked this run yet.")}</p>'
    return "".join(_result(one, newest=place == 0) for place, one in enumerate(found))


def title(attack: str) -> str:
    """The attack in the words of the page."""
    return _(TITLES.get(attack) or (ATTACKS[attack].title if attack in ATTACKS else attack))


def _result(kept: Mapping[str, Any], *, newest: bool) -> str:
    name = str(kept.get("attack", ""))
    known = READ.get(name)
    if known is None:
        body, verdict, about = "", str(kept.get("verdict", "")), ""
    else:
        try:
            report: Report = known[0].model_validate(kept)
        except ValidationError:
            words = _("Another version of Lethe wrote this result; run the attack again.")
            return f'<p class="note">{escaped(title(name))}: {words}</p>'
        body, verdict, about = known[1](report) + _foot(report), report.verdict, _about(report)
    words = _(WITHOUT_CONTROL) if verdict == NO_CONTROL else spoken(verdict)
    return (
        f'<details class="attack-result"{" open" if newest else ""}><summary>'
        f'<span class="attack-head"><b>{escaped(_title(kept))}</b> {escaped(about)}</span>'
        f'<span class="attack-verdict">{escaped(words)}</span></summary>{body}</details>'
    )


def _title(kept: Mapping[str, Any]) -> str:
    """The attack; a copy is called by the bits that it really had."""
    settings = kept.get("settings")
    if isinstance(settings, Mapping) and settings.get("format") == "int8":
        return _("8-bit copy")
    return title(str(kept.get("attack", "")))


def _about(report: Report) -> str:
    """Of which step, with which settings."""
    step = report.models["unlearned"].partition("@")[2]
    cls = ATTACKS[report.attack]
    changed = [
        f"{amid(item.label)} {report.settings[item.name]}"
        for item in cls.declared()
        if item.name in report.settings and report.settings[item.name] != item.default
    ]
    parts = [
        _("step {step}").format(step=step) if step else "",
        ", ".join(changed) or _("usual settings"),
    ]
    return "· " + " · ".join([*filter(None, parts), duration(report.seconds)])


def _foot(report: Report) -> str:
    """What it was compared with, the rule, and what the reader should know."""
    beside = []
    if "original" in report.models:
        name = report.models["original"]
        what = _("what the run set out from") if name.startswith("original:") else name
        beside.append(_("the original ({what})").format(what=what))
    if "control" in report.models:
        beside.append(
            _("a model that never saw the text ({value})").format(value=report.models["control"])
        )
    compared = (
        _("Compared with {names}.").format(names=_(" and ").join(beside))
        if beside
        else _("Compared with nothing.")
    )
    return (
        f'<p class="note">{escaped(compared)}</p>'
        f"{notices(report.notices)}"
        '<details class="rule"><summary>'
        f"{_('How the verdict is reached')}</summary>"
        f"<p>{escaped(_(ATTACKS[report.attack].rule))}</p></details>"
    )


def _relearned(report: Relearned) -> str:
    return curves(report.curves)


def _quantised(report: Quantised) -> str:
    bars = "".join(_bars(side, report.copies[side]) for side in SIDES if side in report.copies)
    rows = "".join(
        _metric_row(report, metric, role)
        for metric, roles in report.copies["unlearned"].before.items()
        for role in roles
        if (metric, role) != (FORGETTING, "forget")
    )
    code = (
        ""
        if report.same_code is None
        else f'<p class="note">{_(SAME_CODE).format(share=report.same_code)}</p>'
    )
    return (
        f'<div class="before-after"><p><b>{_(KNOWN)}</b></p>{bars}</div>'
        f"{code}{_table(report.copies, rows)}"
    )


def _bars(side: Side, copy: Copy) -> str:
    told = [(_("as it is"), forgetting(copy.before)), (_("copy"), forgetting(copy.after))]
    bars = "".join(
        f'<span class="when">{when}</span><span class="track {side}"><i style="width:'
        f'{min(max(value, 0.0), 1.0):.1%}"></i></span><b>{value:.0%}</b>'
        for when, value in told
        if value is not None
    )
    return f'<div class="pair"><span class="who">{_(SIDES[side])}</span>{bars}</div>'


def _table(sides: Mapping[Side, object], rows: str, first: str = _("As it is → copy")) -> str:
    if not rows:
        return ""
    heads = "".join(
        f'<th scope="col" class="number {side}">{_(SIDES[side])}</th>'
        for side in SIDES
        if side in sides
    )
    return (
        f'<div class="scores-frame"><table class="attacked"><thead><tr><th scope="col">{first}'
        f"</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _metric_row(report: Quantised, metric: str, role: str) -> str:
    cells = ""
    for side in SIDES:
        if side in report.copies:
            copy = report.copies[side]
            pair = [scores.get(metric, {}).get(role) for scores in (copy.before, copy.after)]
            shown = " → ".join(tables.number(score.value if score else None) for score in pair)
            cells += f'<td class="number">{shown}</td>'
    words = METRICS[metric].title if metric in METRICS else metric
    return (
        f'<tr><th scope="row">{escaped(words)}, {escaped(_(tables.ROLES.get(role, role)))}</th>'
        f"{cells}</tr>"
    )


def _probed(report: Probed) -> str:
    rows = "".join(_probe_row(report, row) for row in report.rows)
    table = _table(report.models, rows, _("Share of the expected words that come"))
    titles = {row.probe: row.title for row in report.rows}
    return table + _answers(revealing(report), titles)


def _probe_row(report: Probed, row: Row) -> str:
    cells = "".join(
        f'<td class="number">{_score(row.scores.get(side))}</td>'
        for side in SIDES
        if side in report.models
    )
    mark = f' <span class="looped">{_("gets through")}</span>' if through(row) else ""
    chance = (
        _(" (guessing: {chance:.2f})").format(chance=row.chance) if row.chance is not None else ""
    )
    return f'<tr><th scope="row">{escaped(spoken(row.title))}{chance}{mark}</th>{cells}</tr>'


def _score(score: ScoreValue | None) -> str:
    return tables.number(score.value if score else None)


def revealing(report: Probed) -> list[Answered]:
    """The answers that give away most beyond the control, one for each text."""
    forget = {row.probe for row in report.rows if row.role == "forget" and row.scored == "recall"}
    asked = [one for one in report.answers if one.probe in forget and _gain(one) > 0]
    best: dict[str, Answered] = {}
    for one in sorted(asked, key=_gain, reverse=True):
        best.setdefault(one.example, one)
    return list(best.values())[:REVEALING]


def _gain(one: Answered) -> float:
    return (one.scores.get("unlearned") or 0.0) - (one.scores.get("control") or 0.0)


def _answers(found: Sequence[Answered], titles: Mapping[str, str]) -> str:
    if not found:
        nothing = _("No answer gives away more than the control's does.")
        return f'<p class="note">{nothing}</p>'
    rows = "".join(
        f'<tr><th scope="row"><span class="note">'
        f"{escaped(spoken(titles.get(one.probe, one.probe)))}</span>"
        f"{escaped(' '.join((one.prompt, one.opening)).strip())}</th>"
        f'<td class="original" data-label="{_("Expected")}">{escaped(one.reference)}</td>'
        f'<td class="unlearned" data-label="{_("Unlearned")}">'
        f"{shared(one.reference, one.answers.get('unlearned', ''))}</td></tr>"
        for one in found
    )
    return (
        '<table class="answers"><thead><tr>'
        f'<th scope="col">{_("The most revealing answers")}</th>'
        f'<th scope="col" class="original">{_("Expected")}</th><th scope="col" class="unlearned">'
        f"{_('Unlearned, expected words marked')}</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def shared(reference: str, text: str) -> str:
    """`text`, escaped, with the stretches of words that `reference` has too marked."""
    old, new = reference.split(), text.split()[: tables.COMPARED]
    plain = [[word.strip(".,;:!?\"'").casefold() for word in words] for words in (old, new)]
    parts = []
    matcher = SequenceMatcher(None, *plain, autojunk=False)
    for what, *_there, start, end in matcher.get_opcodes():
        words = escaped(" ".join(new[start:end]))
        if words:
            parts.append(f"<mark>{words}</mark>" if what == "equal" else words)
    return " ".join(parts) or nothing()


READ: dict[str, tuple[type[Report], Callable[[Any], str]]] = {
    "relearn": (Relearned, _relearned),
    "quantise": (Quantised, _quantised),
    "prompts": (Probed, _probed),
    "sequential": (Requested, requests),
}
"""How a kept report is read and drawn, by attack; of others the verdict alone is shown."""
