"""Save, load and share the settings, and show them as code."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from dashboard.as_code import code_card
from dashboard.language import N_, _, spoken
from dashboard.notes import note
from dashboard.page import QUIET, Page, shown
from dashboard.settings_file import Saved, from_file, from_link, to_file, to_link
from dashboard.setup_form import SetupForm, Values
from unlearning.errors import UserError

PARAMETER = "settings"
"""Name in the address."""
DOWNLOAD = """(content) => {
  if (!content) return "";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  link.download = "lethe-settings.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  return "";
}"""
"""Made in the browser, so that the pasted text lies in no file of the server; then forgotten."""
ADDRESS = f"""(token) => {{
  if (!token) return "";
  const url = new URL(window.location.href);
  url.search = "?{PARAMETER}=" + token;
  url.hash = "";
  return url.toString();
}}"""
SAID_OF_LINK = N_(
    "Fills this form for others. Pasted text, files and pinned prompts are not in it."
)


class SettingsBar:
    """Four small buttons, and what they show below."""

    def __init__(self) -> None:
        """Build the widgets where it is called."""
        with gr.Column(elem_classes="settings-head"):
            self._build()

    def _build(self) -> None:
        small = {"size": "sm", "scale": 0, "min_width": 120}
        with gr.Row(elem_classes="settings-bar"):
            self.save = gr.Button(_("Save settings"), elem_id="save-settings", **small)
            self.load = gr.UploadButton(
                _("Load settings"),
                file_types=[".json"],
                type="binary",
                elem_id="load-settings",
                **small,
            )
            self.share = gr.Button(_("Share a link"), elem_id="share-settings", **small)
            self.code = gr.Button(_("Show as code"), elem_id="show-code", **small)
        self.bag = gr.Textbox(visible="hidden", elem_id="settings-bag")
        self.link = gr.Textbox(
            label=_("Link with these settings"),
            info=_(SAID_OF_LINK),
            interactive=False,
            buttons=["copy"],
            visible=False,
            max_lines=2,
            elem_id="settings-link",
        )
        self.told = gr.HTML(apply_default_css=False, elem_id="settings-told")
        self.card = gr.HTML(apply_default_css=False, elem_id="code")


def wire(page: Page, bar: SettingsBar, form: SetupForm) -> None:
    """Connect the buttons with the form."""

    def save(values: Values) -> str:
        with shown():
            return to_file(form.saved(values))

    form.gathered.on([bar.save.click], save, bar.bag, **QUIET).success(
        None, bar.bag, bar.bag, js=DOWNLOAD, **QUIET
    )

    def share(values: Values) -> list[Any]:
        with shown():
            return [to_link(form.saved(values).config), gr.update(visible=True)]

    form.gathered.on([bar.share.click], share, [bar.bag, bar.link], **QUIET).success(
        None, bar.bag, bar.link, js=ADDRESS, **QUIET
    ).success(lambda: "", None, bar.bag, **QUIET)

    def show_code(values: Values) -> str:
        with shown():
            return code_card(form.saved(values).config)

    form.gathered.on([bar.code.click], show_code, bar.card, **QUIET)

    def fill(saved: Saved) -> Values:
        changes, notices = form.fill(saved)
        words = " ".join([_("The form is filled with the settings."), *map(spoken, notices)])
        return {**changes, bar.told: note(words), bar.card: "", bar.link: gr.update(visible=False)}

    def load(content: bytes | None) -> Values:
        with shown():
            return fill(from_file(content or b""))

    def arrive(request: gr.Request) -> Values:
        token = str(request.query_params.get(PARAMETER, ""))
        if not token:
            return {bar.told: ""}
        try:
            return fill(from_link(token))
        except UserError as error:
            gr.Warning(
                html.escape(spoken(error.message)),
                title=_("The link's settings were not taken over"),
            )
            return {bar.told: note(spoken(f"{error.message} {error.hint}"), bad=True)}

    changed = [*form.outputs, bar.told, bar.card, bar.link]
    bar.load.upload(load, bar.load, changed, **QUIET)
    page.opened(fn=arrive, inputs=None, outputs=changed, queue=False)
