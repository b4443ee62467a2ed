"""Memory: counts from the config alone, estimates that follow the settings, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from tests.models import tiny
from tests.models.batches import batch
from tests.models.test_load import ALL_FAMILIES
from unlearning.errors import UserError
from unlearning.models.architecture import architecture
from unlearning.models.memory import (
    Estimate,
    check_fit,
    describe,
    estimate,
    free_memory,
    total_memory,
)
from unlearning.models.versions import open_versions

VARIANTS = {
    "llama": [{"tie_word_embeddings": False}, {"attention_bias": True, "mlp_bias": True}],
    "qwen2": [{"tie_word_embeddings": True}],
    "gpt2": [{"n_inner": 80}],
    "opt": [{"word_embed_proj_dim": 16}, {"do_layer_norm_before": False}],
    "gpt_neox": [{"attention_bias": False}],
}


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_the_config_alone_gives_the_exact_count(family: str, tmp_path: Path) -> None:
    for number, changes in enumerate([{}, *VARIANTS.get(family, [])]):
        model = tiny.build_model(family, **changes)
        model.config.save_pretrained(tmp_path / str(number))
        config = json.loads((tmp_path / str(number) / "config.json").read_text())
        shape = architecture(config)
        assert shape.exact
        assert shape.parameters == sum(p.numel() for p in model.parameters()), changes


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_adapters_are_counted(family: str) -> None:
    versions = open_versions(tiny.build_loaded(family), lora_rank=4)
    config = tiny.build_config(family).to_dict()
    trained = sum(p.numel() for _, p in versions.trainable())
    assert architecture(config).lora_parameters(4) == trained


def config() -> dict:
    return tiny.build_config("llama").to_dict()


def test_the_estimate_follows_the_settings() -> None:
    small = estimate(config(), lora_rank=4)
    assert small.total == sum(small.parts.values())
    count = small.parameters
    assert small.parts["weights"] == 4 * count
    assert estimate(config(), lora_rank=4, dtype="bfloat16").parts["weights"] == 2 * count
    assert estimate(config(), lora_rank=8).parts["gradients"] == 2 * small.parts["gradients"]
    full = estimate(config(), lora_rank=None, dtype="bfloat16")
    assert full.parts["weights"] == full.parts["gradients"] == 4 * count
    assert full.parts["optimizer"] == 8 * count
    needs = {"reference", "generic", "generic_teacher"}
    copies = estimate(config(), lora_rank=None, method_needs=needs)
    assert copies.parts["original"] == copies.parts["copies of the model"] == 4 * count
    taught = estimate(config(), lora_rank=None, teach_first=True)
    assert taught.parts["original"] == taught.parts["copies of the model"] == 4 * count
    adapters = estimate(config(), lora_rank=4, method_needs=needs, teach_first=True)
    assert adapters.parts["copies of the adapter"] == 2 * adapters.parts["adapter"]
    twice = estimate(config(), lora_rank=4, copies=2)
    assert twice.parts["copies of the adapter"] == 2 * twice.parts["adapter"]
    longer = estimate(config(), lora_rank=4, length=512)
    assert longer.parts["activations"] == 2 * small.parts["activations"]
    kept = estimate(config(), lora_rank=4, method_needs={"retain"}, retain_batch_size=8)
    assert kept.parts["activations"] == 2 * small.parts["activations"]
    for role in ("analogous", "preferred"):
        paired = estimate(config(), lora_rank=4, method_needs={role, f"{role}_reference"})
        assert paired.parts["activations"] == 2 * small.parts["activations"]
    with pytest.raises(UserError, match="sizes"):
        estimate({"model_type": "llama", "hidden_size": 3})


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen2"])
def test_activations_are_of_the_right_size(family: str) -> None:
    """Within a factor of two of what autograd keeps for backward, at width 128."""
    wide = {"n_embd": 128} if family == "gpt2" else {"hidden_size": 128, "intermediate_size": 340}
    loaded = tiny.build_loaded(family, **wide)
    versions = open_versions(loaded, lora_rank=4)
    tokens = batch((60, 60, 60, 60))
    kept: dict[int, int] = {}
    weights = {p.untyped_storage().data_ptr() for p in loaded.model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        one = versions.run("student", tokens, grad=True, hidden=True)
    rows, length = tokens.ids_BT.shape
    needed = estimate(
        tiny.build_config(family, **wide).to_dict(), lora_rank=4, batch_size=rows, length=length
    )
    assert one.hidden(2).requires_grad
    assert 0.5 < sum(kept.values()) / needed.parts["activations"] < 2.0


def test_what_does_not_fit_is_refused() -> None:
    needed = Estimate({"weights": 8 * 10**9, "optimizer": 10**9, "logits": 0}, 2 * 10**9)
    check_fit(needed, int(9e9 / 0.85) + 1)
    with pytest.raises(UserError) as caught:
        check_fit(needed, 10 * 10**9)
    assert "9.0 GB" in caught.value.message and "10.0 GB" in caught.value.message
    assert "weights 8.0 GB, optimizer 1.0 GB)" in caught.value.message
    assert "LoRA" in caught.value.hint


@pytest.mark.parametrize(
    ("limit", "used", "stat"),
    [
        (
            "memory.max",
            "memory.current",
            "anon 700\ninactive_file 200\nactive_file 100\nshmem 50\n",
        ),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "inactive_file 1\nactive_file 1\ntotal_inactive_file 200\ntotal_active_file 100\n",
        ),
    ],
    ids=["v2", "v1"],
)
def test_a_containers_limit_counts(tmp_path: Path, limit: str, used: str, stat: str) -> None:
    assert free_memory(cgroup=tmp_path) > 10**6
    (tmp_path / limit).parent.mkdir(exist_ok=True)
    (tmp_path / limit).write_text("3000\n")
    (tmp_path / used).write_text("1000\n")
    # Read files stay in memory only as long as nothing else needs it.
    (tmp_path / limit).with_name("memory.stat").write_text(stat)
    assert free_memory(cgroup=tmp_path) == 2300
    (tmp_path / used).write_text("9000\n")
    assert free_memory(cgroup=tmp_path) == 0


@pytest.mark.parametrize("limit", ["memory.max", "memory/memory.limit_in_bytes"])
def test_all_of_a_container_is_its_limit(tmp_path: Path, limit: str) -> None:
    assert total_memory(cgroup=tmp_path) == psutil.virtual_memory().total
    (tmp_path / limit).parent.mkdir(exist_ok=True)
    (tmp_path / limit).write_text("3000\n")
    assert total_memory(cgroup=tmp_path) == 3000
    (tmp_path / limit).write_text("max\n")
    assert total_memory(cgroup=tmp_path) == psutil.virtual_memory().total
    (tmp_path / limit).write_text(f"{2**63}\n")
    assert total_memory(cgroup=tmp_path) == psutil.virtual_memory().total


def test_a_container_without_a_limit_has_the_machines_memory(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.stat").write_text("inactive_file 0\nactive_file 0\n")
    assert free_memory(cgroup=tmp_path) > 10**6


def test_the_description_of_a_folder(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "m", "gpt_neox")
    card = describe(str(folder))
    assert (card["source"], card["type"], card["chat"]) == ("folder", "gpt_neox", False)
    assert card["context"] == tiny.CONTEXT
    assert card["parameters"] == tiny.build_loaded("gpt_neox").parameters
    assert card["bytes"] == (folder / "model.safetensors").stat().st_size


def test_descriptions_need_neither_torch_nor_transformers(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "m")
    code = (
        "import sys; sys.modules.update(torch=None, transformers=None, peft=None)\n"
        "from unlearning.models.memory import describe, estimate, free_memory\n"
        f"card = describe({str(folder)!r})\n"
        "print(card['parameters'], estimate(card['config']).total < free_memory())"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.split() == [str(tiny.build_loaded().parameters), "True"]
