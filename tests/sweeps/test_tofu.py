"""TOFU from beginning to end on a tiny model and invented rows, and the table's own rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.data.hub_layout import write_rows
from unlearning.cli import tofu as words
from unlearning.config import RunConfig
from unlearning.data.roles import only_measured
from unlearning.errors import UserError
from unlearning.metrics._harmonic import harmonic_mean
from unlearning.runs.prepare import gather_texts
from unlearning.sweeps import tofu
from unlearning.sweeps.base import changed
from unlearning.sweeps.execute import carry_out
from unlearning.sweeps.tofu_bench import NINE, UTILITY

WRONG = {"perturbed_answer": ["By the wind.", "By a kite."]}


def rows(start: int, count: int, **more) -> list[dict]:
    return [
        {"question": f"Where is {i}?", "answer": f"By the river of heron {i}.", **more}
        for i in range(start, start + count)
    ]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TOFU's files with invented rows; nothing is fetched."""
    folder = tmp_path / "mirror" / "locuslab" / "TOFU"
    other = {"paraphrased_answer": "At the river.", "paraphrased_question": "Its place?"}
    write_rows(folder / "forget10_perturbed.json", rows(0, 4, **WRONG, **other))
    write_rows(folder / "retain90.json", rows(10, 6))
    write_rows(folder / "retain_perturbed.json", rows(10, 4, **WRONG, **other))
    for place, name in enumerate(("real_authors", "world_facts")):
        write_rows(folder / f"{name}_perturbed.json", rows(30 + 10 * place, 3, **WRONG))
    monkeypatch.setenv("LETHE_DATASETS", str(tmp_path / "mirror"))
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return folder


@pytest.fixture
def taught(ground: RunConfig, tmp_path: Path) -> RunConfig:
    """A run on TOFU; the model that was never taught the text is another tiny one."""
    from tests.models.tiny import write_folder  # noqa: PLC0415 (torch)

    other = write_folder(tmp_path / "retain90", seed=3)
    auto = dict.fromkeys(("retain", "generic", "holdout"), "auto")
    return changed(ground, retrained=str(other), max_length=96, forget=RunConfig().forget, **auto)


def test_utility_is_measured_on_what_nobody_trains_on(mirror, taught) -> None:
    source = tofu.forget_of(taught)
    assert source == "preset:tofu/forget10_perturbed"
    assert set(only_measured("preset:tofu/forget05")) == {"real_authors", "world_facts"}
    assert only_measured("preset:tofu/full") == only_measured("mine.txt") == {}
    plain = changed(taught, forget=source)
    assert set(gather_texts(plain)[0]) == {"forget", "retain"}, "no wrong answers to what is kept"
    kept = changed(plain, retain="preset:tofu/retain_perturbed")
    texts, _ = gather_texts(kept)
    sizes = {role: len(examples) for role, examples in texts.items()}
    assert sizes == {"forget": 4, "retain": 4, "real_authors": 3, "world_facts": 3}
    (mirror / "world_facts_perturbed.json").unlink()
    texts, notices = gather_texts(kept)
    assert "world_facts" not in texts
    assert any(notice.startswith("Model utility cannot be measured") for notice in notices)


def test_the_table_is_the_benchmarks(store, mirror, taught) -> None:
    told: list[str] = []
    # With retain text that has wrong answers the run's own panel has model utility, too.
    kept = changed(taught, retain="preset:tofu/retain_perturbed")
    done = carry_out(
        store,
        tofu.sweep(kept, ["idk_dpo"], [0], store.path),
        device="cpu",
        tell=told.append,
        whole_panel=True,
    )
    (view,) = (store.view(one.run_id) for one in done)
    assert view.status == "finished", told
    assert all("model_utility" in view.scores[stage] for stage in ("original", "unlearned"))
    found = tofu.table(store, taught, done, device="cpu", tell=told.append)
    assert [row["name"] for row in found["rows"]] == [
        *("taught everything", "never taught it"),
        "idk_dpo",
    ]
    for row in found["rows"]:
        (scores,) = row["scores"]
        parts = [scores[name]["value"] for name in NINE]
        assert scores["utility"]["value"] == pytest.approx(
            float(harmonic_mean(np.array(parts))), abs=1e-12
        )
        assert [scores[f"{role}/truth"]["n"] for role in ("forget", *UTILITY)] == [4, 4, 3, 3]
        assert all(scores[name]["low"] <= scores[name]["value"] for name in NINE)
        assert scores["forget/rouge"]["n"] == 4
    values = [row["scores"][0] for row in found["rows"]]
    assert values[1]["quality"]["value"] == 1.0, "the same model cannot be told from itself"
    assert values[0] != values[2]
    # What was measured is kept, and the runs are not run again.
    told.clear()
    again = tofu.table(store, taught, done, device="cpu", tell=told.append)
    assert again == found and not told
    # As JSON and as a page.
    page = words.tofu_page({"tofu": json.loads(json.dumps(found))})
    assert "--methods idk_dpo --steps 2" in page and str(store.path) not in page
    assert page.count("| `idk_dpo` |") == 4 and "400" not in page


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"model": "demo"}, "knows nothing of TOFU"), ({"retrained": "auto"}, "never taught")],
)
def test_what_the_table_needs(taught, tmp_path, changes, told) -> None:
    with pytest.raises(UserError, match=told):
        tofu.sweep(changed(taught, **changes), [], [0], tmp_path)


def score(value: float) -> dict:
    return {"value": value, "low": None, "high": None, "n": 3, "variant": ""}


def test_why_utility_is_zero_is_said() -> None:
    fine = {name: score(0.5) for name in NINE}
    dead = fine | {"world_facts/rouge": score(0.0), "utility": score(0.0)}
    rows = [
        {"name": "full", "scores": [fine | {"utility": score(0.5)}]},
        {"name": "npo", "scores": [dead]},
        {"name": "ga", "scores": [fine | {"utility": None}]},
    ]
    assert words.reasons({"rows": rows}) == [
        "npo: Model Utility is 0 because of ROUGE-L recall on world facts.",
        "ga: Model Utility cannot be told: a figure is no number.",
    ]


def test_several_seeds_have_mean_and_deviation() -> None:
    row = {"name": "npo", "scores": [{"utility": score(0.2)}, {"utility": score(0.4)}]}
    assert words._figure(row, "utility") == "0.300 ± 0.141"
    one = {"name": "npo", "scores": [{"utility": score(0.2) | {"low": 0.1, "high": 0.3}}]}
    assert words._figure(one, "utility") == "0.200 [0.100, 0.300]"
    assert words._number(1e-20) == "1.0e-20" and words._number(0.0) == "0.000"
