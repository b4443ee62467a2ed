"""Who takes part in an attack, which weights they have, and what is kept."""

from __future__ import annotations

import pytest
import torch

from tests.attacks.conftest import TEXTS, make, settings
from unlearning.attacks import ATTACKS, attack
from unlearning.attacks.quantise import Quantise
from unlearning.data.encode import collate, encode
from unlearning.errors import UserError
from unlearning.models.base import BASE, REFERENCE, STUDENT
from unlearning.models.versions import open_versions
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore
from unlearning.runs.stress.execute import Target, carry_out, sides
from unlearning.runs.stress.ground import Ground, as_it_is

WORLD = "preset:world/forget"


def test_every_attack_explains_itself():
    assert list(ATTACKS) == ["prompts", "quantise", "relearn", "sequential"]
    for cls in ATTACKS.values():
        assert cls.title and cls.idea and cls.rule and cls.paper.startswith("https://")
        assert all(item.help for item in cls.declared())
    with pytest.raises(UserError, match="no attack named 'guess'.*relearn"):
        attack("guess")


def logits(versions, version: str, tokenizer) -> torch.Tensor:
    tokens = collate(encode(TEXTS["forget"][:2], tokenizer, max_length=90), 2)
    return versions.run(version, tokens, grad=False).logp_BS


def test_the_merged_adapter_is_the_run(store, run):
    state = torch.get_rng_state()
    loaded = Ground(store, {"unlearned": f"run:{run}"}, TEXTS, device="cpu").open("unlearned")
    assert torch.equal(torch.get_rng_state(), state)
    merged = logits(as_it_is(loaded), STUDENT, loaded.tokenizer)
    own, versions = open_model(
        origin(store, f"run:{run}"), lora_rank=1, device="cpu", dtype="auto", seed=0
    )
    assert torch.allclose(merged, logits(versions, REFERENCE, own.tokenizer), atol=1e-4)
    assert not torch.allclose(merged, logits(versions, BASE, own.tokenizer), atol=1e-2)
    # A fresh adapter goes on top of it, and starts as nothing.
    again = Ground(store, {"unlearned": f"run:{run}"}, TEXTS, device="cpu").open("unlearned")
    fresh = open_versions(again, lora_rank=2, seed=0)
    assert torch.allclose(merged, logits(fresh, STUDENT, again.tokenizer), atol=1e-5)


def test_sides_of_a_run(store, run, tiny):
    assert sides(store, Target(f"run:{run}@2"), "text.txt") == {
        "unlearned": f"run:{run}@2",
        "original": f"original:{run}",
    }
    named = sides(store, Target(f"run:{run}", original="none", control="x"), "text.txt")
    assert named == {"unlearned": f"run:{run}", "control": "x"}


def test_controls_that_are_known(tmp_path, tiny, control):
    store = RunStore(tmp_path / "runs")

    def of(text: str | None = None, **changes) -> str | None:
        run_id = store.create(settings(changes.pop("model", tiny), **changes), TEXTS)
        forget = store.config(run_id).forget if text is None else text
        return sides(store, Target(f"run:{run_id}"), forget).get("control")

    assert of(forget="own.txt") is None
    # Another text than the run's: nothing is known about it.
    assert of("other.txt", teach_first=True) is None
    assert of(teach_first=True) == str(tiny)
    assert of(retrained=str(control)) == str(control)
    assert of(model="demo", forget=WORLD) == "demo-retain"
    assert of(model="demo", forget="other.txt") is None
    assert sides(store, Target("demo"), WORLD)["control"] == "demo-retain"


@pytest.fixture(scope="module")
def taught(store, tiny) -> str:
    return make(store, settings(tiny, teach_first=True, teach_steps=10))


def test_the_original_of_a_taught_run_is_the_taught_model(store, taught, tiny):
    names = {"original": f"original:{taught}", "control": str(tiny)}
    ground = Ground(store, names, TEXTS, device="cpu")
    original, base = (ground.open(side) for side in names)
    values = [logits(as_it_is(one), STUDENT, one.tokenizer) for one in (original, base)]
    assert values[0].nan_to_num().sum() > values[1].nan_to_num().sum() + 10


def test_a_run_of_all_parameters(store, tiny):
    run_id = make(store, settings(tiny, lora_rank=0, learning_rate=1e-3))
    found = carry_out(store, Quantise(texts=4, extracted=0), Target(f"run:{run_id}"), device="cpu")
    known = {side: one.before["perplexity"]["forget"].value for side, one in found.copies.items()}
    assert known["unlearned"] > known["original"]


def test_reports_are_kept_newest_first_and_erased_with_the_run(store, tiny):
    run_id = make(store, settings(tiny))
    assert store.attacks(run_id) == []
    target = Target(f"run:{run_id}")
    for format in ("int4", "int8", "int4"):
        carry_out(store, Quantise(texts=2, extracted=0, format=format), target, device="cpu")
    kept = store.attacks(run_id)
    assert [one["settings"]["format"] for one in kept] == ["int4", "int8"]
    assert list(kept[0]["texts"]) == ["forget", "retain", "generic"]
    store.delete(run_id)
    with pytest.raises(UserError):
        store.attacks(run_id)


def test_models_and_runs_that_are_not_there(store, run):
    for target in (Target("run:00000000"), Target(f"run:{run}@7")):
        with pytest.raises(UserError):
            carry_out(store, Quantise(), target, device="cpu")
