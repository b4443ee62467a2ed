"""The settings as what one would type: a command line, and a Python program."""

from __future__ import annotations

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
        f"Save the pasted text as {name} first."
        for name in (config.forget, config.retain)
        if name.startswith("pasted-")
    ]
    notes += [
        f"{name.partition(':')[0]} has to lie in the folder where this runs."
        for name in (config.forget, config.retain)
        if not name.startswith(("pasted-", "preset:", "hub:", "auto", "none"))
    ]
    told = "".join(f'<p class="note">{escaped(line)}</p>' for line in dict.fromkeys(notes))
    return (
        f'<div class="code-card">{told}'
        f"{_block('Command line', config.command())}{_block('Python', python_of(config))}</div>"
    )


def _block(title: str, code: str) -> str:
    return (
        f'<p class="code-title">{title}</p><div class="command">'
        f'<button type="button" class="copy" data-copy aria-label="Copy: {title}">Copy</button>'
        f'<pre tabindex="0">{escaped(code)}</pre></div>'
    )
