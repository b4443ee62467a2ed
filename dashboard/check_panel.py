"""Check first: ask the worker before anything is started, and teach where there is nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from dashboard.check_card import check_card, working_card
from dashboard.language import N_, _
from dashboard.model_choice import problem_card
from dashboard.page import QUIET, Page, toast
from dashboard.setup_form import SetupForm, Values
from unlearning.errors import UserError

WAITING = N_("Asking the worker …")
STOPPED = N_("The check was stopped.")


class CheckPanel:
    """Buttons and the card. Build the card first, it stands above the buttons."""

    def __init__(self) -> None:
        """Build the card where it is called."""
        self.card = gr.HTML(apply_default_css=False, elem_id="check")

    def build_buttons(self) -> None:
        """Build the buttons where it is called."""
        self.go = gr.Button(_("Check first"), elem_id="check-first", scale=0)
        self.stop = gr.Button(
            _("Stop the check"), variant="stop", visible=False, elem_id="stop-check", scale=0
        )
        self.teach = gr.Button(_("Teach it first"), visible=False, elem_id="teach-first", scale=0)

    def wire(self, page: Page, form: SetupForm) -> None:
        """Connect the buttons with worker and form."""
        stopping: dict[str | None, threading.Event] = {}
        switch = form.teaching.by_name["teach_first"]

        def check(values: Values, visitor: gr.Request) -> Iterator[Values]:
            stopped = stopping[visitor.session_hash] = threading.Event()
            try:
                yield self._busy(working_card(_(WAITING)))
                yield from self._ask(page, form, values, stopped)
            except UserError as error:
                yield self._idle(problem_card(error))
                raise toast(error) from None
            finally:
                stopping.pop(visitor.session_hash, None)

        def stop(visitor: gr.Request) -> None:
            if visitor.session_hash in stopping:
                stopping[visitor.session_hash].set()

        form.gathered.on(
            [self.go.click],
            check,
            [self.card, self.go, self.stop, self.teach],
            {page.key},
            concurrency_limit=None,
            **QUIET,
        )
        self.stop.click(stop, None, None, queue=False, **QUIET)
        self.teach.click(
            lambda: [True, gr.update(visible=False), working_card(_(TAUGHT))],
            None,
            [switch, self.teach, self.card],
            queue=False,
            **QUIET,
        )
        # What was found speaks of another model or text now.
        for changed in (form.models.model, form.forget.way, form.forget.example,
                        form.forget.benchmark, form.forget.pasted, form.forget.file):  # fmt: skip
            changed.change(
                lambda: ["", gr.update(visible=False)],
                None,
                [self.card, self.teach],
                queue=False,
                **QUIET,
            )

    def _ask(
        self, page: Page, form: SetupForm, values: Values, stopped: threading.Event
    ) -> Iterator[Values]:
        config, texts, _notices = form.run(values)
        card = f'<p class="note" role="status">{_(STOPPED)}</p>'
        with closing(page.scheduler.check(config, texts, values[page.key])) as stream:
            for delta in stream:
                if stopped.is_set():
                    break
                if delta.kind == "error":
                    raise UserError(delta.text)
                if delta.kind == "checked" and delta.report is not None:
                    card = check_card(delta.report, config.teach_first)
                    unknown = delta.report.verdict in ("partly", "unknown")
                    yield self._idle(card, teach=unknown and not config.teach_first)
                    return
                # Each empty delta is a chance to notice that the browser has gone.
                yield {self.card: working_card(delta.text) if delta.text else gr.skip()}
        yield self._idle(card)

    def _busy(self, card: str) -> dict[gr.blocks.Block, Any]:
        return {
            self.card: card,
            self.go: gr.update(interactive=False),
            self.stop: gr.update(visible=True),
            self.teach: gr.update(visible=False),
        }

    def _idle(self, card: str, *, teach: bool = False) -> dict[gr.blocks.Block, Any]:
        return {
            self.card: card,
            self.go: gr.update(interactive=True),
            self.stop: gr.update(visible=False),
            self.teach: gr.update(visible=teach),
        }


TAUGHT = N_(
    "It will be taught the text before it forgets it. Check again to see how long that takes."
)
