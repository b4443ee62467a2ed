"""Push to the Hub, log to Trackio: only when somebody presses the button.

Both happen in a process of their own, by the command line: neither library comes into the
page's process, and the token is handed on in that process's environment and kept nowhere.
"""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from dashboard.language import _
from dashboard.page import QUIET, Page, shown
from dashboard.run_rows import check_readable
from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.exports.hub import check_name

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 900.0
"""Longest that a push may take, and longest that one waits for its merged model."""
LOOK_SECONDS = 0.5


class Sharing:
    """The folded fields of both."""

    def __init__(self, public: bool) -> None:
        with gr.Accordion(_("Share: Hub and Trackio"), open=False, elem_id="share-run"):
            with gr.Row(elem_classes="run-acts"):
                self.repository = gr.Textbox(
                    label=_("Repository on the Hub"), placeholder="OWNER/NAME", max_lines=1,
                    scale=2, min_width=180, elem_id="hub-repository",
                )  # fmt: skip
                self.token = gr.Textbox(
                    label=_("Token, used once and not kept"), type="password", max_lines=1, scale=2,
                    placeholder="hf_…" if public else _("empty: your own login"),
                    min_width=180, elem_id="hub-token",
                )  # fmt: skip
                self.open = gr.Checkbox(
                    False, label=_("Public"), scale=0, min_width=90, elem_id="hub-public"
                )
            with gr.Row(elem_classes="run-acts"):
                self.push = gr.Button(
                    _("Push the adapter"), size="md", scale=0, min_width=170, elem_id="push-run"
                )
                self.push_merged = gr.Button(
                    _("Push the merged model"), size="md", scale=0, min_width=220,
                    elem_id="push-merged",
                )  # fmt: skip
            self.told = gr.HTML(apply_default_css=False, elem_id="push-told")
            # On a page for strangers it would fill somebody else's disk.
            with gr.Row(elem_classes="run-acts", visible=not public):
                self.project = gr.Textbox(
                    label=_("Trackio project"), value="lethe", max_lines=1, max_length=80, scale=2,
                    min_width=180, elem_id="trackio-project",
                )  # fmt: skip
                self.log = gr.Button(_("Log the curves"), scale=0, elem_id="log-run")

    def bind(self, page: Page, run: gr.Textbox) -> None:
        """Wire both buttons to the chosen run."""

        def push_run(run_id: str, name: str, token: str, public: bool, key: str) -> str:
            with shown():
                where = pushed(page, run_id, key, name or "", token or "", public)
            gr.Info(html.escape(where), title=_("The adapter is on the Hub"))
            return ""

        def log_run(run_id: str, project: str, key: str) -> None:
            with shown():
                told = logged(page, run_id, key, project or "")
            gr.Info(html.escape(told), title=_("Logged to Trackio"))

        def push_merged_run(
            run_id: str, name: str, token: str, public: bool, key: str
        ) -> Iterator[list[Any]]:
            # The token is kept by this call alone, however long the model takes.
            yield ["", ""]
            with shown():
                check_push(page, run_id, key, token or "")
                check_name((name or "").strip())  # before anything is merged for it
                for words in merged_first(page, run_id, key):
                    yield ["", f'<p class="note" role="status">{html.escape(words)}</p>']
                yield [
                    "",
                    f'<p class="note" role="status">{_("The merged model is being sent …")}</p>',
                ]
                where = pushed(page, run_id, key, name or "", token or "", public, merged=True)
            gr.Info(html.escape(where), title=_("The merged model is on the Hub"))
            yield ["", ""]

        given = [run, self.repository, self.token, self.open, page.key]
        sent = self.push.click(push_run, given, self.token, **QUIET)
        # A token that did not do is no reason to leave it lying there.
        sent.failure(lambda: "", None, self.token, queue=False, **QUIET)
        both = [self.token, self.told]
        sent = self.push_merged.click(push_merged_run, given, both, concurrency_limit=4, **QUIET)
        sent.failure(lambda: ["", ""], None, both, queue=False, **QUIET)
        self.log.click(log_run, [run, self.project, page.key], None, **QUIET)


def check_push(page: Page, run_id: str, key: str, token: str) -> None:
    """Whether a push may be tried.

    Raises:
        UserError: the run or the token.
    """
    check_readable(page, run_id, key)
    if page.settings.public and not token.strip():
        # Or the login of whoever serves this page would be taken.
        raise UserError("There is no token.", "Make one at huggingface.co/settings/tokens.")


def pushed(
    page: Page, run_id: str, key: str, name: str, token: str, public: bool, *, merged: bool = False
) -> str:
    """Push the adapter, or the merged model that is there; returns its address.

    Raises:
        UserError: the run, the name, the token or the network.
    """
    check_push(page, run_id, key, token)
    what = "hub_merged" if merged else "hub"
    flags = [f"--{what.replace('_', '-')}={name.strip()}", *(["--public"] if public else [])]
    return _export(page, run_id, flags, what, {"HF_TOKEN": token.strip()} if token.strip() else {})


def merged_first(page: Page, run_id: str, key: str) -> Iterator[str]:
    """Have the merged model written, where it is not there; tells how far it is.

    Raises:
        UserError: it may not be written, it failed, or it takes too long.
    """
    scheduler, latest, asked = page.scheduler, time.monotonic() + SECONDS, False
    while True:
        job = scheduler.merge_job(run_id)  # first: it may end between the two looks
        if merging.ready(scheduler.store, run_id) is not None:
            return
        if job is None or not job.live:
            if asked:
                failed = (job.failed if job else None) or merging.INTERRUPTED
                raise UserError(failed.message, failed.hint)
            scheduler.merge(run_id, key)
            asked = True
            continue
        if time.monotonic() > latest:
            raise UserError(
                "The merged model is not written yet.", "Push it again once the queue is shorter."
            )
        waits = job.state == "queued"
        yield (
            _("The merged model waits in the queue …")
            if waits
            else _("The model is being merged …")
        )
        time.sleep(LOOK_SECONDS)


def logged(page: Page, run_id: str, key: str, project: str) -> str:
    """Log the curves; returns what was logged.

    Raises:
        UserError: the run, or Trackio.
    """
    check_readable(page, run_id, key)
    if page.settings.public:
        raise UserError("Logging is switched off on this page.", "Download the curves as CSV.")
    if not project.strip():
        raise UserError("The project has no name.", "Name one.")
    return _export(page, run_id, [f"--trackio={project.strip()[:80]}"], "trackio", {})


def _export(
    page: Page, run_id: str, flags: list[str], what: str, environment: dict[str, str]
) -> str:
    command = [sys.executable, "-m", "unlearning", "export", run_id, *flags]
    command += ["--runs", str(page.scheduler.store.path), "--json"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, timeout=SECONDS,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UserError(
            "This took too long and was ended.", "Check the connection, then try again."
        ) from None
    if done.returncode == 0:
        return str(json.loads(done.stdout.splitlines()[-1])[what])
    said = next((line for line in done.stderr.splitlines() if line.startswith("error: ")), "")
    if done.returncode != 2 or not said:
        # A traceback of ours is for the server's log, without what it was called with.
        print(done.stderr, file=sys.stderr)
        raise UserError("This did not work, by a mistake of ours.", "The server's log says more.")
    raise UserError(said.removeprefix("error: "))
