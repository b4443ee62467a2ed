"""TOFU's figures of one model: what it reads, what is measured, what of it is kept."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role, digest
from unlearning.data.sources import load
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.forget_quality import ForgetQuality
from unlearning.metrics.model_utility import OTHERS, ModelUtility
from unlearning.metrics.probability import Probability
from unlearning.metrics.probability_among_options import ProbabilityAmongOptions
from unlearning.metrics.rouge_l import RougeL
from unlearning.metrics.truth_ratio import TruthRatio
from unlearning.runs.prepare import kept_step
from unlearning.runs.store import RunStore, write_atomically

UTILITY = ("retain", *OTHERS)
"""Sets that model utility is made of."""
NINE = tuple(f"{role}/{part}" for role in UTILITY for part in ("probability", "rouge", "truth"))
"""What model utility is the harmonic mean of."""
NEW_TOKENS = 128
"""Tokens of an answer at most; a longer true answer is compared that far. TOFU allows 200 for
question and answer together."""
NOTHING = 0.0005
"""Below this a share is 0 in print."""
KEPT = "tofu"
"""Folder beside the runs for what was measured."""


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


class Bench:
    """The four sets, and every model on them."""

    def __init__(
        self,
        store: RunStore,
        config: RunConfig,
        count: int | None = None,
        tell: Callable[[str], None] = print,
    ) -> None:
        self.store, self.config, self._tell = store, config, tell
        sources: dict[Role, str] = {
            "forget": config.forget,
            "retain": "preset:tofu/retain_perturbed",
            **{role: f"preset:tofu/{role}_perturbed" for role in OTHERS},
        }
        self.texts: dict[Role, list[Example]] = {r: load(source) for r, source in sources.items()}
        self.count = count or max(map(len, self.texts.values()))
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

        extent = Extent(self.count, self.count, self.count, NEW_TOKENS)
        return read_model(self.store, self.config, model, self.texts, self._metrics, extent)

    def _key(self, model: str) -> str:
        """A hash of all that the figures rest on, the metrics' code included."""
        metrics = (ModelUtility, ForgetQuality, TruthRatio, RougeL, Probability)
        rests_on = [
            *(_weights(self.store, name) for name in (model, self.config.retrained)),
            *(digest(examples) for examples in self.texts.values()),
            *(inspect.getsource(inspect.getmodule(cls)) for cls in metrics),
            *(self.config.max_length, self.config.dtype, NEW_TOKENS, self.count),
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
