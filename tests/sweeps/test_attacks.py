"""Every attack on every run of a sweep, once; and the page of it."""

from __future__ import annotations

import json

import pytest

from tests.models.tiny import write_folder
from unlearning.attacks import attack
from unlearning.cli.attacks import attacks_page
from unlearning.config import RunConfig
from unlearning.methods import METHODS
from unlearning.sweeps import attacks, figures
from unlearning.sweeps.base import changed
from unlearning.sweeps.execute import carry_out

QUICK = [
    attack("relearn")(steps=2, look_every=1, texts=3, extracted=0),
    attack("quantise")(texts=3, extracted=0),
    attack("prompts")(questions=1, passages=2, neighbours=1, samples=2, new_tokens=4),
]


@pytest.fixture
def attacked(ground: RunConfig, tmp_path) -> RunConfig:
    control = write_folder(tmp_path / "control", seed=5)
    return changed(ground, retrained=str(control))


def test_the_methods_stop_once_the_text_is_forgotten(ground, tmp_path) -> None:
    sweep = attacks.sweep(ground, [], [0], tmp_path)
    cells = [cell for chain in sweep.chains for cell in chain.cells]
    assert [cell.config.method for cell in cells] == list(attacks.METHODS)
    assert all(cell.config.stop_when_forgotten for cell in cells)


def test_every_attack_once_with_its_control(store, attacked, monkeypatch) -> None:
    told: list[str] = []
    sweep = attacks.sweep(attacked, ["undial"], [0], store.path)
    done = carry_out(store, sweep, device="cpu", tell=told.append)
    found = attacks.carry_out(store, done, QUICK, device="cpu", tell=told.append)
    assert [one["cell"] for one in found] == ["undial"]
    reports = {report["attack"]: report for report in found[0]["reports"]}
    assert set(reports) == {"relearn", "quantise", "prompts"}
    for report in reports.values():
        assert set(report["models"]) == {"unlearned", "original", "control"}
        assert report["verdict"] and "answers" not in report

    def never(*_, **__):
        raise AssertionError("carried out again")

    monkeypatch.setattr("unlearning.runs.stress.execute.carry_out", never)
    assert attacks.carry_out(store, done, QUICK, device="cpu", tell=told.append) == found
    with pytest.raises(AssertionError, match="again"):
        attacks.carry_out(store, done, [QUICK[0].model_copy(update={"seed": 1})], device="cpu")

    monkeypatch.setattr(METHODS["undial"], "artifact", "decoder")
    assert attacks.carry_out(store, done, device="cpu", tell=told.append) == []
    assert "decoder" in told[-1]

    rows = figures.as_json(figures.rows(store, done))
    page = attacks_page({"rows": json.loads(json.dumps(rows)), "attacks": found})
    assert page.count(reports["relearn"]["verdict"]) == 1
    assert page.count(reports["prompts"]["verdict"]) == 1
    for row in reports["prompts"]["rows"]:
        assert f"| {row['title']} | " in page
    last = reports["relearn"]["curves"]["control"]["looks"][-1]["unseen"]["value"]
    assert f"{last:.3f}" in page
