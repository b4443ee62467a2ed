"""Blind voting in Compare: the switch, the questions below the answers, the reveal, the count."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from dashboard.answer_panel import empty
from dashboard.ballot import Ballot, by_lot, called, closed_name, resolved, run_voted_on
from dashboard.compare_form import CompareForm
from dashboard.identity import is_key
from dashboard.language import N_, _, spoken
from dashboard.page import QUIET, Page, shown
from dashboard.side_by_side import Writing
from dashboard.side_choices import strength_slider
from dashboard.vote_table import tally_table, truth
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.votes import tallies, votes_of

ANSWERS = [("A", "a"), ("B", "b"), (N_("Both"), "both"), (N_("Neither"), "neither")]
BETWEEN = N_("Between {one} and {other}. Generate answers; the lot decides which one is A.")
KEPT = N_("Your vote is kept with run {run}.")
NO_RUN = N_("No run stands on a side, so the vote is not kept.")
NOT_MINE = N_("The run belongs to somebody else, so your vote will not be kept.")
STOPPED = N_("What was stopped half way cannot be voted on: generate again.")
FOCUS = '() => document.getElementById("vote-told")?.focus()'
"""The buttons have gone from under the keyboard."""

Values = dict[gr.blocks.Block, Any]


class Voting:
    """What is added to the two sides. Made in the place where it is to stand."""

    def __init__(self) -> None:
        self.ballot = gr.State(None)
        answers = [(_(words), value) for words, value in ANSWERS]
        with gr.Column(visible=False, elem_id="vote", elem_classes="vote") as self.box:
            self.truth = gr.HTML(apply_default_css=False)
            with gr.Row(elem_classes="vote-questions"):
                self.knows = gr.Radio(
                    answers, label=_("Which one knows the text to forget?"), elem_id="vote-knows"
                )
                self.writes = gr.Radio(
                    answers, label=_("Which one writes well?"), elem_id="vote-writes"
                )
                self.cast = gr.Button(
                    _("Vote and see"),
                    variant="primary",
                    scale=0,
                    min_width=140,
                    elem_id="vote-cast",
                )
        self.told = gr.HTML(visible=False, apply_default_css=False, elem_id="votes")

    def bind(self, page: Page, form: CompareForm, neighbours: gr.Column, reopened: Any) -> None:
        """Wire the switch and the vote; what would tell the sides apart goes away meanwhile.

        `reopened` is the event after which the sides are those of another run.
        """
        self._page, self._form = page, form

        def turn(values: Values) -> Values:
            on = bool(values[form.blind])
            store = page.scheduler.store
            updates: Values = {self.ballot: None, self.box: gr.update(visible=False)}
            updates[neighbours] = gr.update(visible=not on)
            for i, side in enumerate(form.sides):
                updates[side] = gr.update(visible=not on)
                updates[form.strengths[i]] = (
                    gr.update(visible=False) if on else strength_slider(store, values[side])
                )
                updates[form.names[i]] = gr.update(visible=on, value=closed_name(i))
                updates[form.panels[i]] = empty()
            words = self._about(values) if on else ""
            updates[self.told] = gr.update(visible=on, value=words)
            return updates

        def turn_again(values: Values) -> Values:
            return turn(values) if values[form.blind] else {self.told: gr.skip()}

        def cast(values: Values) -> Values:
            ballot = values[self.ballot]
            with shown():
                if not isinstance(ballot, Ballot):
                    raise UserError("There is nothing to vote on.", "Generate two answers first.")
                key = values[page.key] if is_key(values[page.key]) else ""
                vote = ballot.vote(values[self.knows], values[self.writes], key)
            words = self._kept(ballot, vote, key)
            updates: Values = {self.ballot: None, self.box: gr.update(visible=False)}
            for i, box in enumerate(form.panels):
                updates[box] = ballot.open_panel(i)
                updates[form.names[i]] = ballot.name(i)
            updates[self.told] = self._count(ballot.run_id, words)
            return updates

        chosen = {page.run, page.key, form.blind, *form.sides, *form.strengths}
        turned = [self.ballot, self.box, self.told, neighbours, *form.sides, *form.strengths]
        turned += [*form.names, *form.panels]
        form.blind.input(turn, chosen, turned, queue=False, **QUIET)
        reopened.then(turn_again, chosen, turned, queue=False, **QUIET)
        given = {self.ballot, self.knows, self.writes, page.key}
        outputs = [self.ballot, self.box, self.told, *form.panels, *form.names]
        # Through the queue: without it an error is a fault of the server, and no message.
        voted = self.cast.click(cast, given, outputs, **QUIET)
        voted.success(None, None, None, js=FOCUS, **QUIET)

    @property
    def outputs(self) -> list[gr.blocks.Block]:
        """What asking fills."""
        return [self.ballot, self.box, self.truth, self.knows, self.writes, self.told,
                *self._form.names]  # fmt: skip

    def ask(self, request: GenerateRequest, values: Values) -> Ballot:
        """Draw the lot.

        Raises:
            UserError: both sides are the same.
        """
        page = self._page
        drawn = by_lot(request, page.settings.secret, str(values[page.key] or ""))
        return Ballot(drawn, run_voted_on(request.sides, str(values[page.run] or "")))

    def draw(self, ballot: Ballot, answers: list[Writing]) -> Values:
        """The texts as they grow."""
        ballot.written(self._page.scheduler.store, answers)
        updates: Values = {self.box: gr.update(visible=False), self.ballot: None, self.told: ""}
        for i, box in enumerate(self._form.panels):
            updates[box] = ballot.closed_panel(i)
            updates[self._form.names[i]] = closed_name(i)
        return updates

    def ended(self, ballot: Ballot, values: Values) -> Values:
        """The questions, once both answers are there."""
        if not ballot.complete:
            return {self.told: _said(_(STOPPED))}
        page, request = self._page, ballot.request
        follows = ""
        if ballot.run_id and page.scheduler.owned(ballot.run_id, str(values[page.key] or "")):
            forget = page.scheduler.store.texts(ballot.run_id).get("forget", [])
            follows = truth(request.prompts[0], forget)
        told = _("The text goes on: “{text}”").format(text=html.escape(follows)) if follows else ""
        return {
            self.ballot: ballot,
            self.box: gr.update(visible=True),
            self.truth: f'<p class="vote-truth">{told}</p>' if told else "",
            self.knows: None,
            self.writes: None,
            self.told: "",
        }

    def _kept(self, ballot: Ballot, vote: Any, key: str) -> str:
        """Keep the vote; in words, whether it was."""
        if not ballot.run_id:
            return _(NO_RUN)
        try:
            self._page.scheduler.vote(ballot.run_id, vote, key)
        except UserError as error:
            return _("The vote is not kept. {why}").format(why=spoken(error.message))
        return _(KEPT).format(run=ballot.run_id)

    def _about(self, values: Values) -> str:
        """Between whom, in an order that says nothing."""
        form, opened = self._form, str(values[self._page.run] or "")
        sides = [str(values[side] or "") for side in form.sides]
        run_id = run_voted_on(sides, opened)
        try:
            names = sorted(
                called(resolved(self._page.scheduler.store, side), strength, run_id)
                for side, strength in zip(sides, form.strength(values), strict=True)
            )
        except UserError as error:
            return _said(spoken(error.message))
        words = _(BETWEEN).format(one=names[0], other=names[1])
        if run_id and not self._page.scheduler.owned(run_id, str(values[self._page.key] or "")):
            words += f" {_(NOT_MINE)}"
        return self._count(run_id, words if run_id else f"{words} {_(NO_RUN)}")

    def _count(self, run_id: str, words: str) -> str:
        try:
            found = tallies(votes_of(self._page.scheduler.store, run_id)) if run_id else []
        except UserError:  # deleted meanwhile
            found, run_id = [], ""
        return _said(words) + (tally_table(found, run_id) if run_id else "")


def _said(words: str) -> str:
    return f'<p id="vote-told" role="status" tabindex="-1">{html.escape(words)}</p>'
