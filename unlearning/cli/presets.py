"""`presets`: the texts by name, and models and passages to begin with."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from unlearning.cli.acts import answer
from unlearning.data.recited import PASSAGES
from unlearning.data.sources import PRESETS
from unlearning.models.suggested import SUGGESTIONS


def presets(chosen: argparse.Namespace) -> int:
    """`presets`: what there is."""
    found = {
        name: {
            "title": preset.title,
            "description": preset.description,
            "dataset": preset.dataset,
            "prompt": preset.prompt,
            "metrics": list(preset.metrics),
            "retrained": {split: dict(pairs) for split, pairs in preset.retrained.items()},
            "splits": [f"preset:{name}/{split}" for split in preset.splits],
        }
        for name, preset in PRESETS.items()
    }
    lines = [
        f"{preset['title']}: {preset['description']}\n  asked: {preset['prompt']}\n"
        f"  measured by: {', '.join(preset['metrics'])}\n  " + "\n  ".join(preset["splits"])
        for preset in found.values()
    ]
    models = [
        {"model": one.model, "note": one.note, "tested": one.tested, "commands": one.commands()}
        for one in SUGGESTIONS
    ]
    lines += [
        f"{one['model']}: {one['note']}{'' if one['tested'] else ' Untested settings.'}\n  "
        + "\n  ".join(one["commands"])
        for one in models
    ]
    recited = [asdict(passage) for passage in PASSAGES]
    lines.append("Passages that real models often recite, to be typed in or fetched by id:")
    lines += [f"  {one['title']} ({one['author'] or one['kind']}), {one['id']}" for one in recited]
    answer(chosen, {"presets": found, "models": models, "passages": recited}, "\n".join(lines))
    return 0
