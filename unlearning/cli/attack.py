"""`attack`: is the text gone, or only unsaid?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from unlearning.attacks import ATTACKS
from unlearning.attacks import attack as attack_named
from unlearning.attacks.base import Report
from unlearning.attacks.prompts import Probed
from unlearning.attacks.quantise import Quantised
from unlearning.attacks.relearn import Relearned
from unlearning.attacks.sequential import Kept, Requested
from unlearning.cli import words
from unlearning.cli.acts import answer, pair
from unlearning.data.sources import load
from unlearning.runs.store import RunStore


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    told = "\n\n".join(
        f"{name}:\n" + "\n".join(_setting(item) for item in cls.declared())
        for name, cls in ATTACKS.items()
    )
    parser.epilog = f"settings (--set KEY=VALUE):\n\n{told}".replace("%", "%%")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("attack", choices=tuple(ATTACKS), help="how it is attacked")
    parser.add_argument("--model", required=True, metavar="M", help="run:ID[@STEP], or a model")
    for role in ("forget", "retain", "generic"):
        parser.add_argument(
            f"--{role}", default="", metavar="SOURCE", help="default: the run's own text"
        )
    parser.add_argument(
        "--original", default="auto", metavar="M", help="before unlearning (default: the run's)"
    )
    parser.add_argument(
        "--control", default="auto", metavar="M", help="a model that never saw the text, or none"
    )
    parser.add_argument(
        "--paraphrased",
        metavar="SOURCE",
        help="questions in other words with the same answers, for prompts",
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")


def attack(chosen: argparse.Namespace) -> int:
    """Attack a model; a run keeps what was found."""
    # Late: torch is needed from here on only.
    from unlearning.runs.stress.execute import Target, carry_out  # noqa: PLC0415

    settings = attack_named(chosen.attack).parse(dict(pair(text) for text in chosen.set))
    target = Target(
        model=chosen.model,
        forget=chosen.forget,
        retain=chosen.retain,
        generic=chosen.generic,
        original=chosen.original,
        control=chosen.control,
        paraphrased=load(chosen.paraphrased) if chosen.paraphrased else (),
    )
    report = carry_out(
        RunStore(chosen.runs), settings, target, device=chosen.device, tell=words.tell
    )
    # Nobody raises a stop flag here: the command is interrupted as a whole.
    assert report is not None
    answer(chosen, report.model_dump(mode="json"), page(report))
    return 0


def page(report: Report) -> str:
    """A report as text: table, then verdict."""
    sides = list(report.models)
    match report:
        case Relearned():
            rows = [
                [str(step), *(_at(report, side, step) for side in sides)]
                for step in sorted({x.step for c in report.curves.values() for x in c.looks})
            ]
            shown = words.table(["step", *sides], rows)
        case Quantised():
            rows = [
                [f"{name}, {role}", *(_change(report, side, name, role) for side in sides)]
                for name, roles in report.copies["unlearned"].before.items()
                for role in roles
            ]
            shown = words.table(["before > after", *sides], rows)
        case Probed():
            rows = [
                [row.title, row.role, *(_value(row.scores.get(side)) for side in sides)]
                for row in report.rows
            ]
            shown = words.table(["asked", "text", *sides], rows)
        case Requested():
            names = ["asked", "earlier", "to come", "text to keep", "perplexity, times"]
            shown = words.table(["after", *names, "steps"], list(_requests(report)))
        case _:
            raise TypeError(f"no page for {type(report).__name__}")
    return f"{shown}\n\n{report.verdict}"


def _requests(report: Requested) -> Iterator[list[str]]:
    """A line a request, then one a model beside it: of all parts, as nothing is asked of them."""
    for number, one in enumerate(report.requests, 1):
        parts = [_value(score) for score in (one.asked, one.earlier, one.to_come)]
        end = f"{one.steps}, {'collapsed' if one.lost_at is not None else one.ended or 'all'}"
        yield [f"request {number}", *parts, *_kept(report, one), end]
    for side, stand in report.stands.items():
        name = "all at once" if side == "unlearned" else side
        yield [name, _value(stand.forget), "-", "-", *_kept(report, stand), "-"]


def _kept(report: Requested, look: Kept) -> list[str]:
    times = report.times(look)
    return [_value(look.kept), "-" if times is None else f"{times:.2f}"]


def _setting(item: Any) -> str:
    span = f" [{item.span}]" if item.span else ""
    default = "auto" if item.default is None else item.default
    return f"  {item.name}={default}{span}  {item.help}"


def _at(report: Relearned, side: Any, step: int) -> str:
    found = [look for look in report.curves[side].looks if look.step == step]
    return f"{found[0].unseen.value:.3f}" if found else "-"


def _change(report: Quantised, side: Any, name: str, role: str) -> str:
    values = [
        _found(scores, name, role)
        for scores in (report.copies[side].before, report.copies[side].after)
    ]
    return " > ".join("-" if value is None else f"{value:.3g}" for value in values)


def _found(scores: Mapping[str, Mapping[str, Any]], name: str, role: str) -> float | None:
    score = scores.get(name, {}).get(role)
    return None if score is None else score.value


def _value(score: Any) -> str:
    if score is None:
        return "-"
    interval = "" if score.low is None else f" [{score.low:.2f}, {score.high:.2f}]"
    return f"{score.value:.2f}{interval}"
