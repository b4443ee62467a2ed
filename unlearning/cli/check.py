"""`check`: whether the model knows the text and what the run would cost, before it is started."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from unlearning.cli import acts, words
from unlearning.errors import UserError
from unlearning.runs.check import CheckReport, CheckRequest, verdict
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore
from unlearning.workers.base import Worker


def check(chosen: argparse.Namespace) -> int:
    """`check`: with the settings of `run`."""
    config = acts.config_of(chosen)
    store = RunStore(chosen.runs)
    texts, notices = gather_texts(config, stdin=sys.stdin, base=store.root_model(config.model))
    for notice in notices:
        words.tell(notice)
    report = None
    with closing(_worker(chosen, store).generate(CheckRequest.of(config, texts))) as stream:
        for delta in stream:
            if delta.kind == "error":
                raise UserError(delta.text)
            if delta.kind == "told" and delta.text:
                words.tell(delta.text)
            report = delta.report or report
    if report is None:
        raise UserError("The check was stopped.", "Start it again.")
    found = {**report.model_dump(mode="json"), "verdict": report.verdict, "told": verdict(report)}
    acts.answer(chosen, found, page(report))
    return 0


def page(report: CheckReport) -> str:
    """The report in words."""
    fits = "fits" if report.fits else "may not fit"
    lines = [
        verdict(report),
        f"{report.tokens:,} tokens in {report.sequences:,} passages",
        f"{report.steps} steps of about {report.step_seconds:.2g} s; the whole run about "
        f"{report.seconds:.0f} s on {report.device} in {report.dtype}",
        f"{fits}: about {report.needed / 1e9:.2f} GB of {report.free / 1e9:.1f} GB free memory",
        *(f"note: {notice}" for notice in report.notices),
        *(f"  {one.recited:4.0%}  {one.begins}" for one in report.passages),
    ]
    return "\n".join(lines)


def _worker(chosen: argparse.Namespace, store: RunStore) -> Worker:
    if chosen.worker == "process":
        # Late: the process worker brings its own imports.
        from unlearning.workers.process import ProcessWorker  # noqa: PLC0415

        return ProcessWorker(store, chosen.device)
    # Late: loads torch.
    from unlearning.workers.inline import InlineWorker  # noqa: PLC0415

    return InlineWorker(store, chosen.device)
