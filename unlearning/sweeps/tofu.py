"""The TOFU sweep: methods on a model that was taught the authors, and the benchmark's table.

Maini et al. 2024 (arXiv:2401.06121), section 2.2; every text of the four evaluation sets is read,
as OpenUnlearning does.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role, digest
from unlearning.data.preset import parts
from unlearning.data.sources import load
from unlearning.data.tofu import TOFU
from unlearning.data.world import MODELS
from unlearning.errors import UserError
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.forget_quality import ForgetQuality
from unlearning.metrics.model_utility import OTHERS, ModelUtility
from unlearning.metrics.probability import Probability
from unlearning.metrics.probability_among_options import ProbabilityAmongOptions
from unlearning.metrics.rouge_l import RougeL
from unlearning.metrics.truth_ratio import TruthRatio
from unlearning.runs.events import Started
from unlearning.runs.prepare import kept_step
from unlearning.runs.store import RunStore, write_atomically
from unlearning.sweeps.base import Sweep, changed, single
from unlearning.sweeps.execute import Done
from unlearning.sweeps.figures import how_it_ended

METHODS = (
    *("gradient_ascent", "grad_diff", "npo", "simnpo"),
    *("undial", "ngdiff", "mean_teacher", "idk_dpo"),
)
"""Methods of the sweep, unless others are named."""
UTILITY = ("retain", *OTHERS)
"""Sets that model utility is made of."""
NINE = tuple(f"{role}/{part}" for role in UTILITY for part in ("probability", "rouge", "truth"))
"""What model utility is the harmonic mean of."""
NEW_TOKENS = 200
"""Tokens of an answer at most, as in TOFU; a longer true answer is compared that far."""
NOTHING = 0.0005
"""Below this a share is 0 in print."""
SETTINGS = (
    *("forget", "steps", "learning_rate", "batch_size", "retain_batch_size", "lora_rank"),
    *("max_length", "probe_every", "snapshot_every"),
)
"""Settings of the runs that the command names where they are not the usual ones."""
KEPT = "tofu"
"""Folder beside the runs for what was measured."""


def sweep(config: RunConfig, names: Sequence[str], seeds: Sequence[int], folder: Path) -> Sweep:
    """Each method for as many steps as asked, whatever comes of it.

    Raises:
        UserError: no model that was taught TOFU, or none that was taught all but the forget text.
    """
    if config.model in MODELS:
        raise UserError(
            f"The model {config.model} knows nothing of TOFU.",
            "Teach one with finetune --data preset:tofu/full, and name it with --model.",
        )
    if config.retrained in ("auto", "none", ""):
        raise UserError(
            "Forget quality compares with a model that was never taught the forget text.",
            "Teach one with finetune --data preset:tofu/retain90, and name it with --retrained.",
        )
    onwards = {"stop_on_collapse": False, "stop_when_forgotten": False}
    ground = changed(config, forget=forget_of(config), **onwards)
    chains = tuple(single(name, changed(ground, method=name)) for name in names or METHODS)
    return Sweep("tofu", chains, tuple(seeds))


def forget_of(config: RunConfig) -> str:
    """The chosen forget split with its alternative answers; forget10 where none is chosen."""
    name, split, _ = parts(config.forget)
    if not config.forget.startswith("preset:") or name != TOFU.name:
        split = TOFU.default
    return f"preset:{TOFU.name}/{(split or TOFU.default).removesuffix('_perturbed')}_perturbed"


def table(
    store: RunStore,
    config: RunConfig,
    done: Sequence[Done],
    *,
    device: str = "auto",
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """The benchmark's figures of the taught model, the retrained one, and every finished run.

    What was measured of a model is kept beside the runs and not measured again.
    """
    bench = _Bench(store, changed(config, forget=forget_of(config), device=device), tell)
    rows = [bench.row("taught everything", [config.model])]
    rows.append(bench.row("never taught it", [config.retrained]))
    cells: dict[str, list[Done]] = {}
    done = [one for one in done if store.view(one.run_id).failed is None]
    for one in done:
        cells.setdefault(one.cell, []).append(one)
    for cell, runs in cells.items():
        rows.append(bench.row(cell, [f"run:{one.run_id}" for one in runs]) | _story(store, runs))
    return {
        "command": _command(config, done),
        "parameters": next((_started(store, one).parameters for one in done), None),
        "forget": parts(bench.config.forget)[1],
        "taught": [_recipe(model) for model in (config.model, config.retrained)],
        "counts": {role: len(examples) for role, examples in bench.texts.items()},
        "rows": rows,
    }


def scores_of(
    own: Mapping[str, Evidence], retrained: Mapping[str, Evidence]
) -> dict[str, Score | None]:
    """Every figure of the benchmark from the evidence on its four sets, by ROLE/PART; None where
    it cannot be told, as of a model whose probabilities are no numbers."""
    # Late: loads torch.
    from unlearning.runs.measure import with_others  # noqa: PLC0415

    linked = with_others(own, retrained)
    found: dict[str, Score | None] = {}
    for role in ("forget", *UTILITY):
        likely = ProbabilityAmongOptions() if role in OTHERS else Probability()
        found[f"{role}/probability"] = likely.score(linked[role])
        found[f"{role}/rouge"] = RougeL().score(linked[role])
        found[f"{role}/truth"] = TruthRatio().score(linked[role])
    found["utility"] = ModelUtility().score(linked["retain"])
    found["quality"] = ForgetQuality().score(linked["forget"])
    return found


def zeros(scores: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """Which of the nine make model utility 0, where it is 0 in print."""
    utility = scores["utility"]
    if utility is None or utility["value"] >= NOTHING:
        return []
    return [name for name in NINE if scores[name] and scores[name]["value"] < NOTHING]


class _Bench:
    """The four sets, and every model on them."""

    def __init__(self, store: RunStore, config: RunConfig, tell: Callable[[str], None]) -> None:
        self.store, self.config, self._tell = store, config, tell
        sources: dict[Role, str] = {
            "forget": config.forget,
            "retain": "preset:tofu/retain_perturbed",
            **{role: f"preset:tofu/{role}_perturbed" for role in OTHERS},
        }
        self.texts: dict[Role, list[Example]] = {r: load(source) for r, source in sources.items()}
        self._metrics: dict[str, Metric] = {
            "model_utility": ModelUtility(),
            "forget_quality": ForgetQuality(),
        }
        self._retrained: Mapping[str, Evidence] | None = None

    def row(self, name: str, models: Sequence[str]) -> dict[str, Any]:
        """The figures of one line, a model for each seed."""
        return {"name": name, "scores": [self._scores(name, model) for model in models]}

    def _scores(self, name: str, model: str) -> dict[str, Any]:
        path = self.store.path / KEPT / f"{self._key(model)}.json"
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
        self._tell(f"measuring {name}")
        found = scores_of(self._read(model), self._of_retrained())
        shown = {key: None if score is None else _shown(score) for key, score in found.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(shown))
        return shown

    def _of_retrained(self) -> Mapping[str, Evidence]:
        if self._retrained is None:
            self._retrained = self._read(self.config.retrained)
        return self._retrained

    def _read(self, model: str) -> Mapping[str, Evidence]:
        # Late: loads torch.
        from unlearning.runs.evaluation import read_model  # noqa: PLC0415
        from unlearning.runs.measure import Extent  # noqa: PLC0415

        most = max(map(len, self.texts.values()))
        extent = Extent(texts=most, continued=most, rewritten=most, new_tokens=NEW_TOKENS)
        return read_model(self.store, self.config, model, self.texts, self._metrics, extent)

    def _key(self, model: str) -> str:
        """A hash of all that the figures rest on, the metrics' code included."""
        metrics = (ModelUtility, ForgetQuality, TruthRatio, RougeL, Probability)
        rests_on = [
            *(_weights(self.store, name) for name in (model, self.config.retrained)),
            *(digest(examples) for examples in self.texts.values()),
            *(inspect.getsource(inspect.getmodule(cls)) for cls in metrics),
            *(self.config.max_length, self.config.dtype, NEW_TOKENS),
        ]
        return sha256(json.dumps(rests_on).encode()).hexdigest()[:32]


def _weights(store: RunStore, model: str) -> list[Any]:
    """What tells these weights from others without reading them."""
    if model.startswith("run:"):
        run_id, _, step = model.removeprefix("run:").partition("@")
        return [run_id, kept_step(store, run_id, step)]
    files = sorted(Path(model).expanduser().glob("*.safetensors"))
    return [model, *([f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files)]


def _shown(score: Score) -> dict[str, Any]:
    return {name: getattr(score, name) for name in ("value", "low", "high", "n", "variant")}


def _story(store: RunStore, runs: Sequence[Done]) -> dict[str, Any]:
    """How the runs of a cell were set and how they went."""
    views, started = [store.view(one.run_id) for one in runs], _started(store, runs[0])
    return {
        "seeds": [one.seed for one in runs],
        "ended": [how_it_ended(view) for view in views],
        "steps": [view.step for view in views],
        "learning_rate": started.learning_rate,
        "batch_size": started.settings["batch_size"],
    }


def _started(store: RunStore, one: Done) -> Started:
    """What a run set out with; a run that ended well has always said so."""
    started = store.view(one.run_id).started
    assert started is not None
    return started


def _command(config: RunConfig, done: Sequence[Done]) -> str:
    """The command that makes the table, models by the names of their folders."""
    words = ["python -m unlearning sweep --preset tofu"]
    words += [f"--model {Path(config.model).name} --retrained {Path(config.retrained).name}"]
    cells = tuple(dict.fromkeys(one.cell for one in done))
    words += [f"--methods {','.join(cells)}"] if cells != METHODS else []
    usual = RunConfig()
    words += [
        f"--{name.replace('_', '-')} {getattr(config, name)}"
        for name in SETTINGS
        if getattr(config, name) != getattr(usual, name)
    ]
    seeds = ",".join(str(seed) for seed in dict.fromkeys(one.seed for one in done))
    return " ".join([*words, f"--seeds {seeds} --out docs/tofu.json"])


def _recipe(model: str) -> dict[str, Any] | None:
    """How a model was taught, where `finetune` left its note; names of folders alone."""
    path = Path(model).expanduser() / "finetune.json"
    if not path.is_file():
        return None
    noted = json.loads(path.read_text(encoding="utf-8"))
    kept = ("data", "epochs", "steps", "learning_rate", "batch_size", "first_loss", "loss")
    own = {name: noted[name] for name in (*kept, "memorization_accuracy", "seed")}
    return own | {"model": Path(noted["model"]).name, "name": Path(model).name}
