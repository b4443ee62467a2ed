"""The page without the page: the same scheduler for scripts (gradio_client) and agents (MCP).

Endpoints are functions with types and docstrings, from which Gradio makes their schema. Whoever
starts a run brings a key of their own; the same key stops it. To look, an id is enough.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from dashboard.identity import is_key
from dashboard.page import Page
from dashboard.side_by_side import frames
from dashboard.story import tell
from dashboard.text_cards import MOST_CHARACTERS
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.data.pasted import split
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.prepare import gather_texts
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.view import LIVE

NAMES = ("start_run", "get_run", "watch_run", "stop_run", "generate", "list_runs", "list_methods")
SETTINGS = frozenset(RunConfig.model_fields) - {
    "model", "forget", "retain", "generic", "holdout", "retrained", "method", "hyperparameters",
}  # fmt: skip
"""What `settings` may name: nothing that reads a file of the server."""
LOOK_SECONDS = 0.5
LONGEST_WATCH = 600.0
MOST_LISTED = 200


@contextmanager
def told() -> Iterator[None]:
    """What the caller can put right becomes the error that the client raises."""
    try:
        yield
    except UserError as error:
        text = f"{error.message} {error.hint}".strip()
        raise gr.Error(text, print_exception=False) from None


class Api:
    """The endpoints; one object for a page. Docstrings of its methods are the documentation."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def start_run(
        self,
        key: str,
        method: str = "undial",
        text: str = "",
        example: str = "preset:world/forget",
        keep: str = "",
        model: str = "demo",
        hyperparameters: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make a language model forget a text: put a run into the queue and return its id.

        Args:
            key: Your own secret, 16 to 64 characters. The same key stops the run.
            method: Name of the unlearning method; list_methods tells them.
            text: The text to forget, passages separated by empty lines; empty takes the example.
            example: A text that comes with Lethe, such as preset:world/forget.
            keep: Text of the same kind that must stay; empty chooses by itself.
            model: demo, demo-retain, a hub id, or run:ID to go on from an earlier run.
            hyperparameters: Settings of the method by name; those left out keep their defaults.
            settings: Settings of the run by name: steps, learning_rate, seed, teach_first, label.

        Returns:
            run_id, place in the queue, and notices about the texts.
        """
        with told():
            _check_key(key)
            config, given = _asked(
                method, text, example, keep, model, hyperparameters or {}, settings or {}
            )
            scheduler = self._page.scheduler
            scheduler.limits.check_run(config, given)
            texts, notices = gather_texts(config, given)
            run_id = scheduler.submit(config, texts, key)
            return {"run_id": run_id, "place": scheduler.place(run_id), "notices": notices}

    def get_run(self, run_id: str) -> dict[str, Any]:
        """Tell how a run stands: status, step, what happened in a sentence, scores, answers.

        Args:
            run_id: Id of the run.

        Returns:
            The run as it is now.
        """
        with told():
            return self._state(run_id)

    def watch_run(self, run_id: str, seconds: float = 60.0) -> Iterator[dict[str, Any]]:
        """Follow a run: its state whenever it changed, until it ends or the time is up.

        Args:
            run_id: Id of the run.
            seconds: How long to follow at most, up to 600.

        Returns:
            The run as it is; the last one when it ended or time was up.
        """
        until = time.monotonic() + min(max(float(seconds), 0.0), LONGEST_WATCH)
        last: dict[str, Any] | None = None
        while True:
            with told():
                now = self._state(run_id)
            if now != last:
                last = now
                yield now
            if now["status"] not in LIVE or time.monotonic() >= until:
                return
            time.sleep(LOOK_SECONDS)

    def stop_run(self, run_id: str, key: str) -> dict[str, Any]:
        """Stop a run of yours and keep what it has done; a waiting one leaves the queue.

        Args:
            run_id: Id of the run.
            key: The key that started it.

        Returns:
            The run as it is now; it ends within a step.
        """
        with told():
            _check_key(key)
            self._page.scheduler.stop(run_id, key)
            return self._state(run_id)

    def generate(
        self,
        key: str,
        prompt: str,
        sides: list[str],
        as_question: bool = False,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
        strengths: list[float] | None = None,
    ) -> Iterator[list[dict[str, Any]]]:
        """Let up to four models continue the same prompt side by side, under one seed.

        Args:
            key: Your own secret, 16 to 64 characters.
            prompt: The beginning of a text, or a question.
            sides: Who answers: original:ID, run:ID, run:ID@STEP, or the name of a model.
            as_question: Ask the prompt as a question instead of continuing it.
            max_new_tokens: Longest answer in tokens, 1 to 512.
            temperature: 0 takes the likeliest word; higher is more random.
            seed: Same seed, same answer.
            strengths: For each side how much of its adapter a run has: 0 its original, 1 as
                trained, up to 1.5 beyond; empty leaves all at 1.

        Returns:
            For each side its name, text so far, and state: writing, done or looped.
        """
        with told():
            _check_key(key)
            if not prompt.strip():
                raise UserError("The prompt is empty.", "Write the beginning of a text.")
            request = GenerateRequest.parse(
                {
                    "sides": tuple(sides),
                    "strengths": tuple(strengths or ()),
                    "prompts": (prompt,),
                    "as_question": as_question,
                    "max_new_tokens": max_new_tokens,
                    "temperature": temperature,
                    "seed": seed,
                }
            )
            last = None
            for answers in frames(self._page.scheduler, request, key, threading.Event()):
                now = [
                    {"side": side, "text": answer.text, "state": answer.state}
                    for side, answer in zip(request.sides, answers, strict=True)
                ]
                if now != last:
                    last = now
                    yield now

    def list_runs(self, key: str = "", most: int = 20) -> list[dict[str, Any]]:
        """List the newest runs; on a public page only those of the key.

        Args:
            key: Your key; empty lists without owning any.
            most: How many at most, up to 200.

        Returns:
            For each run its id, label, status, method, model, steps, and whether it is yours.
        """
        with told():
            if key:
                _check_key(key)
            found = [
                run
                for run in self._page.scheduler.summaries(key)
                if not self._page.settings.public or (key and run.mine)
            ]
        names = ("run_id", "label", "status", "method", "model", "step", "steps", "mine")
        listed = found[: min(max(int(most), 0), MOST_LISTED)]
        return [{name: getattr(run, name) for name in names} for run in listed]

    def list_methods(self) -> list[dict[str, Any]]:
        """List the unlearning methods with their hyperparameters and how they are known to fail.

        Returns:
            For each method its name, title, one sentence, known failure and hyperparameters.
        """
        return [
            {
                "name": name,
                "title": cls.title,
                "summary": cls.summary(),
                "failure": cls.failure,
                "hyperparameters": {item.name: item.default for item in cls.declared()},
            }
            for name, cls in METHODS.items()
        ]

    def _state(self, run_id: str) -> dict[str, Any]:
        scheduler = self._page.scheduler
        view = scheduler.view(run_id)
        looks = [step for step in view.answers if step <= view.step]
        problem = view.failed
        return {
            "run_id": run_id,
            "status": view.status,
            "phase": view.phase,
            "place": scheduler.place(run_id),
            "method": view.method,
            "model": view.model,
            "step": view.step,
            "steps": view.steps,
            "story": tell(view),
            "collapse_meter": _plain(view.health.meter),
            "forgotten_at": view.forgotten_at,
            "collapsed_at": view.collapse.step if view.collapse else None,
            "problem": f"{problem.message} {problem.hint}".strip() if problem else "",
            "scores": {
                stage: {
                    metric: {role: _plain(score.value) for role, score in by_role.items()}
                    for metric, by_role in metrics.items()
                }
                for stage, metrics in view.scores.items()
            },
            "answers": [a.model_dump() for a in view.answers[max(looks)]] if looks else [],
        }


def build(page: Page) -> None:
    """Register the endpoints, within the page's blocks."""
    api = Api(page)
    for name in NAMES:
        gr.api(getattr(api, name), api_name=name)


def _asked(
    method: str,
    text: str,
    example: str,
    keep: str,
    model: str,
    hyperparameters: dict[str, Any],
    settings: dict[str, Any],
) -> tuple[RunConfig, dict[Role, list[Example]]]:
    """Configuration and the texts brought along.

    Raises:
        UserError: a name or value that is not allowed.
    """
    unknown = sorted(set(settings) - SETTINGS)
    if unknown:
        raise UserError(
            f"There is no setting {str(unknown[0])[:40]!r}.",
            f"There are: {', '.join(sorted(SETTINGS))}.",
        )
    # A path would be one of the server's.
    if not text and not example.startswith("preset:"):
        raise UserError(
            f"{example[:60]!r} is no example.", "Name one as preset:NAME, or give the text itself."
        )
    given: dict[Role, list[Example]] = {}
    for role, passage in (("forget", text), ("retain", keep)):
        if len(passage) > MOST_CHARACTERS:
            raise UserError(f"The {role} text has more than {MOST_CHARACTERS:,} characters.")
        if passage:
            given[role] = split(passage, f"{role} text")
    config = RunConfig.parse(
        {
            **settings,
            "model": model,
            "method": method,
            "hyperparameters": hyperparameters,
            "forget": "pasted-forget.txt" if text else example,
            "retain": "pasted-retain.txt" if keep else "auto",
        }
    )
    return config, given


def _check_key(key: Any) -> None:
    if not is_key(key):
        raise UserError(
            "A key of 16 to 64 characters is needed; it owns what you start.",
            "Make one up that nobody guesses, and keep it.",
        )


def _plain(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    return value if value - value == 0 else str(value)
