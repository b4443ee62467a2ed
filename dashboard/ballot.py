"""A blind vote from the lot to the reveal: who stands where, what is shown, what was said.

Until the vote nothing that is drawn depends on which model is which: plain texts, no figures.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.answer_panel import SIDES, panel
from dashboard.language import _
from dashboard.pictures import escaped
from dashboard.side_by_side import Writing
from dashboard.side_choices import EMBEDDED
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.store import RunStore
from unlearning.runs.votes import Shown, Vote, voter

DONE = ("done", "looped")


@dataclass
class Ballot:
    """Two answers that wait to be voted on. Stays on the server."""

    request: GenerateRequest
    """Sides in the order in which they are shown."""
    run_id: str
    """The run that the vote is kept with; empty where no side is of a run."""
    models: tuple[str, ...] = ()
    """The sides with the step that a run had when it answered; empty before the first word."""
    answers: list[Writing] = field(default_factory=list)
    """Side after side, each with its answers in the order of the prompts."""

    def written(self, store: RunStore, answers: Sequence[Writing]) -> None:
        """Take over what has come so far."""
        self.answers = list(answers)
        if not self.models and any(answer.text for answer in answers):
            self.models = tuple(resolved(store, side) for side in self.request.sides)

    @property
    def complete(self) -> bool:
        """Whether there is something to vote on."""
        return bool(self.models) and all(answer.state in DONE for answer in self.answers)

    def of_side(self, side: int) -> list[Writing]:
        """The answers of one side."""
        each = len(self.request.prompts)
        return self.answers[side * each : (side + 1) * each]

    def closed_panel(self, side: int) -> str:
        """The bare text of one side."""
        bare = [[_bare(answer) for answer in self.of_side(i)] for i in (side, 1 - side)]
        return panel(self.request.prompts[0], *bare, side)

    def open_panel(self, side: int) -> str:
        """The same with every figure, once the vote is cast."""
        return panel(self.request.prompts[0], self.of_side(side), self.of_side(1 - side), side)

    def name(self, side: int) -> str:
        """What the side turns out to be, as a heading."""
        model = self.models[side]
        kind = {"original": "original", "run": "unlearned"}.get(model.partition(":")[0], "other")
        words = called(model, self.request.strength(side), self.run_id)
        return f'<h3 class="blind-name {kind}">{SIDES[side]}: {escaped(words)}</h3>'

    def vote(self, knows: Any, writes: Any, key: str) -> Vote:
        """What was said of it.

        Raises:
            UserError: a question is open.
        """
        choices = ("a", "b", "both", "neither")
        if knows not in choices or writes not in choices:
            raise UserError("A question is not answered yet.", "Choose an answer to both.")
        a, b = (
            Shown(
                model=self.models[side],
                strength=self.request.strength(side),
                texts=tuple(answer.text for answer in self.of_side(side)),
            )
            for side in (0, 1)
        )
        return Vote(
            time=time.time(),
            voter=voter(self.run_id, key),
            request=self.request,
            a=a,
            b=b,
            knows=knows,
            writes=writes,
        )


def closed_name(side: int) -> str:
    """The heading of a side before the vote."""
    words = _("Answer {side}").format(side=SIDES[side])
    return f'<h3 class="blind-name closed">{words}</h3>'


def by_lot(request: GenerateRequest, secret: str, key: str) -> GenerateRequest:
    """The request with its sides in an order drawn by lot.

    The same browser draws the same lot for the same request, so asking again shifts nothing; in
    which order the models were chosen plays no part.

    Raises:
        UserError: both sides are the same.
    """
    sides = sorted((side, request.strength(i)) for i, side in enumerate(request.sides))
    if sides[0] == sides[1]:
        raise UserError(
            "Both sides are the same model.",
            "Turn blind voting off, choose two different ones, and turn it on again.",
        )
    if hmac.digest(secret.encode(), f"{key}\0{_ordered(request, sides)}".encode(), "sha256")[0] % 2:
        sides.reverse()
    return _ordered(request, sides)


def _ordered(request: GenerateRequest, sides: Sequence[tuple[str, float]]) -> GenerateRequest:
    names, strengths = zip(*sides, strict=True)
    return request.model_copy(update={"sides": names, "strengths": strengths})


def run_voted_on(sides: Sequence[str], opened: str) -> str:
    """The run that votes on these sides are kept with: the open one if it is among them."""
    parts = (side.partition(":") for side in sides)
    runs = [rest.partition("@")[0] for kind, _, rest in parts if kind in ("run", "original")]
    return opened if opened in runs else next(iter(runs), "")


def resolved(store: RunStore, side: str) -> str:
    """A side with the step of its run as it is now.

    Raises:
        UserError: no such run.
    """
    if not side.startswith("run:") or "@" in side:
        return side
    view = store.view(side.removeprefix("run:"))
    return f"{side}@{view.ended.step if view.ended else view.step}"


def called(model: str, strength: float, run_id: str) -> str:
    """A model in words; `run_id` is the run that is spoken of anyway."""
    kind, rest = model.partition(":")[::2]
    of, step = rest.partition("@")[::2]
    if kind == "original":
        words = _("Original") if of == run_id else _("Original of run {run}").format(run=of)
    elif kind == "run":
        words = _("Unlearned") if of == run_id else _("Run {run_id}").format(run_id=of)
        words += _(", step {step}").format(step=step) if step else ""
    else:
        words = next((_(told) for told, name in EMBEDDED if name == model), model)
    return at_strength(words, strength)


def at_strength(words: str, strength: float) -> str:
    """A model's name with the strength of its adapter, where that is turned."""
    if strength == 1:
        return words
    return _("{model}, strength {strength:g}").format(model=words, strength=strength)


def _bare(answer: Writing) -> Writing:
    """Text alone: how sure a model was may tell which one it is."""
    return Writing(text=answer.text, state="done" if answer.state in DONE else answer.state)
