"""What each command does. torch is loaded only by those that need a model."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from unlearning.cli import pages, words
from unlearning.cli.docs import write as write_docs
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.metrics import METRICS
from unlearning.runs import turning
from unlearning.runs.events import AnyEvent
from unlearning.runs.prepare import check_left, gather_texts, kept_step
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.standing import Standing
from unlearning.runs.store import RunStore
from unlearning.workers.presence import claim

COLLAPSED = 3


def run(chosen: argparse.Namespace) -> int:
    """`run`: one unlearning run from start to end."""
    config = config_of(chosen)
    store = RunStore(chosen.runs)
    texts, notices = gather_texts(config, stdin=sys.stdin, base=store.root_model(config.model))
    for notice in notices:
        words.tell(notice)
    return _execute(chosen, store, store.create(config, texts), resume=False)


def resume(chosen: argparse.Namespace) -> int:
    """`continue`: from the last snapshot, or from an earlier one."""
    store = RunStore(chosen.runs)
    with claim(store.folder(chosen.id)):
        # Nobody executes it: no stop of theirs is lost, no settings change under them.
        turning.ask(store, chosen.id, _turn(store, chosen))
        store.clear_stop(chosen.id)
        if chosen.steps is not None:
            store.change_config(chosen.id, steps=chosen.steps)
    return _execute(chosen, store, chosen.id, resume=True)


def _turn(store: RunStore, chosen: argparse.Namespace) -> turning.Turn | None:
    """The earlier step to go on from or to keep, if one is named."""
    if chosen.keep:
        if chosen.from_step is None:
            raise UserError("--keep needs a step.", "Name one with --from-step N.")
        return turning.Turn(step=kept_step(store, chosen.id, str(chosen.from_step)), keep=True)
    check_left(store, chosen.id, chosen.steps, chosen.from_step)
    return None if chosen.from_step is None else turning.Turn(step=chosen.from_step)


def generate(chosen: argparse.Namespace) -> int:
    """`generate`: prompts continued by one or two models."""
    # Late: torch is needed from here on only.
    from unlearning.runs.shelf import ModelShelf  # noqa: PLC0415
    from unlearning.runs.sides import Sides  # noqa: PLC0415

    sides = tuple(side for side in (chosen.model, chosen.against) if side)
    request = GenerateRequest.parse(
        {
            "sides": sides,
            "strengths": tuple(chosen.strength or ()),
            "prompts": tuple(chosen.prompt),
            "as_question": chosen.question,
            "max_new_tokens": chosen.tokens,
            "temperature": chosen.temperature,
            "top_p": chosen.top_p,
            "seed": chosen.seed,
        }
    )
    texts = [["" for _ in sides] for _ in chosen.prompt]
    for delta in Sides(RunStore(chosen.runs), ModelShelf(), device=chosen.device).stream(request):
        texts[delta.prompt][delta.side] += delta.text
    names = [
        side if request.strength(i) == 1 else f"{side} at strength {request.strength(i):g}"
        for i, side in enumerate(sides)
    ]
    answers = [
        {"prompt": prompt, "answers": dict(zip(names, answer, strict=True))}
        for prompt, answer in zip(chosen.prompt, texts, strict=True)
    ]
    answer(chosen, {"answers": answers}, words.answers_table(answers))
    return 0


def runs(chosen: argparse.Namespace) -> int:
    """`runs`: newest first."""
    store = RunStore(chosen.runs)
    standing = _standing(store)
    rows = []
    for run_id in store.ids():
        try:
            rows.append(words.run_row(store, run_id, standing.status(run_id)))
        except UserError as error:
            words.tell(f"run {run_id} cannot be read: {error}")
    answer(chosen, {"runs": rows}, words.runs_table(rows))
    return 0


def show(chosen: argparse.Namespace) -> int:
    """`show`: one run's settings, state and figures."""
    store = RunStore(chosen.runs)
    found = words.run_row(store, chosen.id, _standing(store).status(chosen.id)) | {
        "command": store.command(chosen.id, str(chosen.runs)),
        "config": store.config(chosen.id).model_dump(mode="json"),
        "snapshots": store.snapshots(chosen.id),
        "metrics": words.metrics_of(store.view(chosen.id)),
        "notices": store.view(chosen.id).notices,
    }
    answer(chosen, found, words.run_page(found))
    return 0


def delete(chosen: argparse.Namespace) -> int:
    """`delete`: with its texts and weights."""
    store = RunStore(chosen.runs)
    with claim(store.folder(chosen.id)):
        # Nobody executes it, so nobody loses it.
        pass
    store.delete(chosen.id)
    answer(chosen, {"deleted": chosen.id}, f"run {chosen.id} is erased")
    return 0


def methods(chosen: argparse.Namespace) -> int:
    """`methods`: what there is."""
    answer(chosen, {"methods": words.declared(METHODS)}, words.declared_page(METHODS))
    return 0


def metrics(chosen: argparse.Namespace) -> int:
    """`metrics`: what there is."""
    answer(chosen, {"metrics": words.declared(METRICS)}, words.declared_page(METRICS))
    return 0


def docs(chosen: argparse.Namespace) -> int:
    """`docs`: tables from the declarations."""
    made = [write_docs(), *pages.write()]
    answer(
        chosen,
        {"written": [str(path) for path in made]},
        "\n".join(f"{path} is up to date" for path in made),
    )
    return 0


def world(chosen: argparse.Namespace) -> int:
    """`world`: texts, tokenizer and both models, from the seed."""
    # Late: training needs torch, the rest of the command line does not.
    from unlearning import world as fictional  # noqa: PLC0415

    settings = {} if chosen.seed is None else {"seed": chosen.seed}
    fictional.build(Path(chosen.out), models=not chosen.texts_only, progress=words.tell, **settings)
    answer(chosen, {"folder": chosen.out}, f"written to {chosen.out}")
    return 0


def config_of(chosen: argparse.Namespace) -> RunConfig:
    """The configuration that the arguments of a run choose.

    Raises:
        UserError: a setting that does not exist or is out of range.
    """
    values: dict[str, Any] = {
        name: getattr(chosen, name) for name in RunConfig.model_fields if hasattr(chosen, name)
    }
    values["prompts"] = tuple(chosen.prompt or ())
    values["hyperparameters"] = dict(pair(text) for text in getattr(chosen, "set", ()))
    if chosen.full:
        values["lora_rank"] = 0
    return RunConfig.parse(values)


def pair(text: str) -> tuple[str, bool | int | float | str]:
    """`name=value` of --set.

    Raises:
        UserError: there is no value.
    """
    name, found, value = text.partition("=")
    if not found:
        raise UserError(f"--set {text!r} has no value.", "Write --set name=value.")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    return name, parsed if isinstance(parsed, bool | int | float) else value


def _standing(store: RunStore) -> Standing:
    # Late: the process worker brings its own imports.
    from unlearning.workers.process import ProcessWorker  # noqa: PLC0415

    return Standing(store, ProcessWorker(store))


def _execute(chosen: argparse.Namespace, store: RunStore, run_id: str, resume: bool) -> int:
    words.tell(f"run {run_id} in {store.path}")
    if chosen.worker == "process":
        # Late: the process worker brings its own imports.
        from unlearning.workers.process import ProcessWorker  # noqa: PLC0415

        worker = ProcessWorker(store, chosen.device)
        worker.start()
        worker.submit(run_id, resume)
        _follow(store, run_id, worker)
    else:
        # Late: loads torch.
        from unlearning.workers.inline import InlineWorker  # noqa: PLC0415

        InlineWorker(store, chosen.device, on_event=words.progress).submit(run_id, resume)
    view = store.view(run_id)
    if view.failed is not None:
        if view.failed.traceback:
            print(view.failed.traceback, file=sys.stderr)
        print(f"error: {view.failed.message} {view.failed.hint}".rstrip(), file=sys.stderr)
        return 1 if view.failed.traceback else 2
    found = words.run_result(store, run_id)
    store.write_results(run_id, found)
    answer(chosen, found, words.run_summary(found))
    return COLLAPSED if view.status == "collapsed" else 0


def _follow(store: RunStore, run_id: str, worker: Any) -> None:
    """Tell the events of a run that another process writes, until its end."""

    _, offset = store.read(run_id)
    done = False
    while not done:
        worker.state()
        events, offset = store.read(run_id, offset)
        done = _tell_all(events)
        time.sleep(0.1)


def _tell_all(events: Iterable[AnyEvent]) -> bool:
    ended = False
    for event in events:
        words.progress(event)
        ended = ended or event.kind in ("ended", "failed")
    return ended


def answer(chosen: argparse.Namespace, found: dict[str, Any], text: str) -> None:
    """The result, as one object or as text, to standard output."""
    print(json.dumps(found, allow_nan=False) if chosen.json else text)
