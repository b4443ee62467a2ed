"""Benchmarks from their published files, where these are at hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from unlearning.data.sources import load
from unlearning.errors import UserError


@pytest.fixture
def published(shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LETHE_DATASETS with TOFU and LUME at the places of their repositories."""
    places = {"locuslab/TOFU": "tofu", "amazon-science/lume-llm-unlearning": "lume"}
    for place, name in places.items():
        if not (shared_dir / "data" / name).is_dir():
            pytest.skip(f"{name} is not among the shared files")
        link = tmp_path / place
        link.parent.mkdir()
        link.symlink_to(shared_dir / "data" / name)
    monkeypatch.setenv("LETHE_DATASETS", str(tmp_path))


TOFU_ROWS = {
    "full": 4000,
    **{f"forget{n:02d}": 40 * n for n in (1, 5, 10, 20, 30, 50, 90)},
    **{f"retain{n}": 40 * n for n in (10, 50, 70, 80, 90, 95, 99)},
    **{f"forget{n:02d}_perturbed": 40 * n for n in (1, 5, 10)},
    "retain_perturbed": 400,
    "real_authors": 100,
    "world_facts": 117,
    "real_authors_perturbed": 100,
    "world_facts_perturbed": 117,
}


def test_tofu_rows(published) -> None:
    found = {split: load(f"preset:tofu/{split}") for split in TOFU_ROWS}
    assert {split: len(examples) for split, examples in found.items()} == TOFU_ROWS
    assert all(e.kind == "qa" for examples in found.values() for e in examples)


def test_tofu_forget_and_retain_make_up_the_whole(published) -> None:
    def rows(split: str) -> list[tuple[str, str]]:
        return [(e.question, e.answer) for e in load(f"preset:tofu/{split}")]

    full = rows("full")
    for share in ("01", "05", "10"):
        forget, retain = rows(f"forget{share}"), rows(f"retain{100 - int(share)}")
        assert retain + forget == full
        assert rows(f"forget{share}_perturbed") == forget
    assert rows("retain_perturbed") == full[:400]


def test_tofu_alternatives(published) -> None:
    for split, wrong in (
        ("forget10_perturbed", {5}),
        ("retain_perturbed", {5}),
        ("real_authors_perturbed", {3}),
        ("world_facts_perturbed", {3}),
    ):
        examples = load(f"preset:tofu/{split}")
        assert {len(e.perturbed_answers) for e in examples} == wrong
        general = not split.startswith(("forget", "retain"))
        assert all(e.paraphrased_answer for e in examples)
        assert general == all(e.paraphrased_answer == e.answer for e in examples)


@pytest.mark.parametrize("subject", ["real_authors", "world_facts"])
def test_tofu_options_but_the_answer_are_the_wrong_answers(published, subject: str) -> None:
    plain, perturbed = (load(f"preset:tofu/{subject}{end}") for end in ("", "_perturbed"))
    assert [e.question for e in plain] == [e.question for e in perturbed]
    for one, other in zip(plain, perturbed, strict=True):
        assert set(one.perturbed_answers) == set(other.perturbed_answers), one.question


def test_tofu_holdout_is_not_among_the_copies(published) -> None:
    with pytest.raises(UserError, match="holdout10"):
        load("preset:tofu/holdout10")


def test_lume_rows_and_tasks(published) -> None:
    forget, retain = load("preset:lume/forget"), load("preset:lume/retain")
    assert (len(forget), len(retain)) == (2732, 2734)
    assert Counter(e.group for e in forget) == {"Task1": 486, "Task2": 1500, "Task3": 746}
    assert Counter(e.group for e in retain) == {"Task1": 492, "Task2": 1500, "Task3": 742}
    assert sum('"' in e.id for e in forget) == 486 and sum('"' in e.id for e in retain) == 492
    assert all(e.bare and e.kind == "qa" for e in forget + retain)
    assert len({e.id for e in forget}) == len(forget)
    assert len(load("preset:lume/forget/Task2")) == 1500
