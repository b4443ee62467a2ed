"""The settings as what one would type: a command line, and a Python program."""

from __future__ import annotations

from dashboard.language import _
from dashboard.pictures import escaped
from unlearning.config import RunConfig


def python_of(config: RunConfig) -> str:
    """A program that does the run."""
    defaults = RunConfig()
    chosen = {
        name: value
        for name, value in config.model_dump().items()
        if value != getattr(defaults, name) or name in ("model", "forget", "method")
    }
    lines = "".join(f"    {name}={value!r},\n" for name, value in chosen.items())
    return (
        "from unlearning.config import RunConfig\n"
        "from unlearning.runs.prepare import gather_texts\n"
        "from unlearning.runs.store import RunStore\n"
        "from unlearning.workers.inline import InlineWorker\n"
        "\n"
        f"config = RunConfig(\n{lines})\n"
        'store = RunStore("runs")\n'
        "texts, notices = gather_texts(config, base=store.root_model(config.model))\n"
        "run_id = store.create(config, texts)\n"
        "InlineWorker(store, config.device).submit(run_id)\n"
        "view = store.view(run_id)\n"
        'print(run_id, view.status, view.scores.get("unlearned"))\n'
    )


def code_card(config: RunConfig) -> str:
    """Both, each with a button that copies it."""
    notes = [
        _("Save the pasted text as {name} first.").format(name=name)
        for name in (config.forget, config.retain)
        if name.startswith("pasted-")
    ]
    notes += [
        _("{file} has to lie in the folder where this runs.").format(file=name.partition(":")[0])
        for name in (config.forget, config.retain)
        if not name.startswith(("pasted-", "preset:", "hub:", "auto", "none"))
    ]
    told = "".join(f'<p class="note">{escaped(line)}</p>' for line in dict.fromkeys(notes))
    return (
        f'<details open class="code-card"><summary>{_("The same run as code")}</summary>{told}'
        f"{_block(_('Command line'), config.command())}"
        f"{_block('Python', python_of(config))}</details>"
    )


def _block(title: str, code: str) -> str:
    copy = _("Copy")
    return (
        f'<p class="code-title">{title}</p><div class="command">'
        f'<button type="button" class="copy" data-copy aria-label="{copy}: {title}">{copy}</button>'
        f'<pre tabindex="0">{escaped(code)}</pre></div>'
    )
