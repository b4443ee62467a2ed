"""Versions: what is trained, what never changes, and what is put back after a look elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tests.models import tiny
from tests.models.batches import batch, disturb, step
from unlearning.data.encode import Tokens
from unlearning.errors import UserError
from unlearning.models import forward
from unlearning.models.fingerprint import hash_weights
from unlearning.models.load import load
from unlearning.models.versions import Versions, open_versions


def opened(family: str = "llama", rank: int | None = 4, **options: object) -> Versions:
    return open_versions(tiny.build_loaded(family), lora_rank=rank, seed=3, **options)


def logits(versions: Versions, version: str) -> torch.Tensor:
    tokens = batch()
    return versions.call(
        [version] * len(tokens.ids_BT), input_ids=tokens.ids_BT, attention_mask=tokens.attention_BT
    ).logits


@pytest.mark.parametrize("rank", [4, None])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_student_starts_as_the_model_that_was_loaded(family: str, rank: int | None) -> None:
    tokens = batch()
    expected = tiny.build_model(family)(
        input_ids=tokens.ids_BT, attention_mask=tokens.attention_BT
    ).logits
    versions = opened(family, rank)
    torch.testing.assert_close(logits(versions, "student"), expected)
    torch.testing.assert_close(logits(versions, "reference"), expected)


@pytest.mark.parametrize("rank", [4, None])
@pytest.mark.parametrize("family", [*tiny.FAMILIES, "gemma3_text", "gpt_neo"])
def test_large_vocabularies_give_the_same_losses_in_chunks(
    family: str, rank: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions, tokens = opened(family, rank), batch()
    disturb(versions)
    assert versions.separable

    def measured() -> tuple[torch.Tensor, list[torch.Tensor]]:
        loss = versions.run("student", tokens, grad=True).nll
        parameters = [p for _, p in versions.trainable()]
        return loss.detach(), list(torch.autograd.grad(loss, parameters, allow_unused=True))

    whole, gradients = measured()
    monkeypatch.setattr(forward, "LOGITS_BYTES", 1)
    monkeypatch.setattr(forward, "LEAST_CHUNK", 5)
    assert versions.outputs("student", tokens).logits_BTV is None
    chunked, chunked_gradients = measured()
    torch.testing.assert_close(chunked, whole)
    for one, other in zip(gradients, chunked_gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_model_that_scales_its_logits_is_never_split(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = tiny.build_loaded("llama")
    whole = type(loaded.model).forward

    def scaled(self: object, *args: object, **kwargs: object) -> object:
        out = whole(self, *args, **kwargs)
        out.logits = out.logits * 0.5
        return out

    monkeypatch.setattr(type(loaded.model), "forward", scaled)
    versions = open_versions(loaded, lora_rank=2)
    monkeypatch.setattr(forward, "LOGITS_BYTES", 1)
    assert not versions.separable
    assert versions.outputs("student", batch()).logits_BTV is not None


def test_training_several_adapters_never_changes_the_base() -> None:
    versions, tokens = opened(), batch()
    before, base = versions.base_hash(), logits(versions, "base")
    assert before == versions.loaded.sha256
    first = step(versions, tokens)
    versions.copy("student", "reference")
    for _ in range(5):
        last = step(versions, tokens)
    versions.copy("student", "teacher")
    assert last < first
    assert versions.base_hash() == before
    assert torch.equal(logits(versions, "base"), base)
    kept = [logits(versions, name) for name in ("base", "reference", "teacher")]
    assert not torch.allclose(kept[0], kept[1]) and not torch.allclose(kept[1], kept[2])


@pytest.mark.parametrize("rank", [4, None])
def test_copies_are_frozen_and_do_not_follow(rank: int | None) -> None:
    versions, tokens = opened(rank=rank, keep_base=True), batch()
    versions.copy("student", "teacher")
    before = logits(versions, "teacher")
    names = [name for name, _ in versions.trainable()]
    assert names == [name for name, _ in versions.trainable("teacher")]
    assert all(p.requires_grad for _, p in versions.trainable())
    assert not any(p.requires_grad for _, p in versions.trainable("teacher"))
    step(versions, tokens)
    assert torch.equal(logits(versions, "teacher"), before)
    assert not torch.equal(logits(versions, "student"), before)
    versions.copy("student", "teacher")
    assert torch.equal(logits(versions, "student"), logits(versions, "teacher"))
    versions.drop("teacher")
    assert not versions.has("teacher")
    with pytest.raises(ValueError, match="no version 'teacher'"):
        versions.run("teacher", tokens, grad=False)


@pytest.mark.parametrize("rank", [4, None])
def test_only_what_the_method_chooses_is_trained(rank: int | None) -> None:
    def second_layer(name: str) -> bool:
        return "layers.1." in name and "lora_A" not in name

    versions, tokens = opened(rank=rank, trainable=second_layer), batch()
    before = versions.state("student")
    for _ in range(2):
        step(versions, tokens)
        logits(versions, "student")  # a look without gradients must not open the others
    moved = {n for n, t in versions.state("student").items() if not torch.equal(t, before[n])}
    assert moved and moved == {name for name, _ in versions.trainable()}
    if rank:
        assert "model.layers.1.self_attn.q_proj.lora_B" in moved


@pytest.mark.parametrize("rank", [4, None])
def test_nothing_left_to_train_is_said(rank: int | None) -> None:
    with pytest.raises(UserError, match="method trains"):
        opened(rank=rank, trainable=lambda name: False)


def state_of(versions: Versions) -> list[object]:
    """Everything that a look elsewhere could disturb."""
    model = versions.loaded.model
    return [
        [(name, p.requires_grad) for name, p in model.named_parameters()],
        [(name, m.training) for name, m in model.named_modules()],
        [
            (name, list(m.active_adapters), m.disable_adapters)
            for name, m in model.named_modules()
            if hasattr(m, "active_adapters") and hasattr(m, "lora_A")
        ],
        torch.random.get_rng_state().tolist(),
    ]


@pytest.mark.parametrize("rank", [4, None])
def test_use_puts_everything_back(rank: int | None) -> None:
    versions = opened(rank=rank, keep_base=True)
    versions.copy("student", "teacher")
    versions.loaded.model.train()
    versions.loaded.model.get_input_embeddings().eval()
    before = state_of(versions)
    with versions.use("teacher") as model:
        assert not any(module.training for module in model.modules())
        assert not any(p.requires_grad for p in model.parameters())
        inside = state_of(versions)
        with versions.use("base"), versions.use("student"):
            pass
        assert state_of(versions) == inside
    assert state_of(versions) == before
    with pytest.raises(RuntimeError, match="on purpose"), versions.use("base"):
        raise RuntimeError("on purpose")
    assert state_of(versions) == before
    versions.copy("student", "another")
    versions.drop("another")
    assert state_of(versions) == before


def test_a_failed_mixed_pass_leaves_nothing_behind() -> None:
    versions, tokens = opened(), batch()
    disturb(versions)
    before, student = state_of(versions), logits(versions, "student")
    with pytest.raises(ValueError, match="adapter_names"):
        versions.call(["base", "student"], input_ids=tokens.ids_BT)  # two names, three rows
    assert state_of(versions) == before
    assert torch.equal(logits(versions, "student"), student)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_one_batch_serves_several_versions(family: str) -> None:
    versions, tokens = opened(family), batch()
    disturb(versions)
    versions.copy("student", "teacher")
    disturb(versions, seed=2)
    names = ["teacher", "base", "student"]
    mixed = versions.call(names, input_ids=tokens.ids_BT, attention_mask=tokens.attention_BT).logits
    for row, name in enumerate(names):
        torch.testing.assert_close(mixed[row], logits(versions, name)[row], atol=2e-5, rtol=1e-4)


def test_a_reference_pass_between_forward_and_backward_changes_no_gradient() -> None:
    gradients = []
    for looking in (False, True):
        versions, tokens = opened(), batch()
        disturb(versions)
        student = versions.run("student", tokens, grad=True)
        if looking:
            reference = versions.run("reference", tokens, grad=False)
            assert not reference.nll.requires_grad
            logits(versions, "student")
        student.nll.backward()
        gradients.append([p.grad for _, p in versions.trainable()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert all(p.abs().sum() > 0 for p in gradients[0])


def test_a_look_without_gradients_under_autocast_does_not_swallow_later_gradients() -> None:
    versions, tokens = opened(rank=None), batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        versions.run("student", tokens, grad=False)
        loss = versions.run("student", tokens, grad=True).nll
    loss.backward()
    assert all(p.grad is not None for _, p in versions.trainable())


def test_opening_and_copying_draw_nothing_from_the_global_generators() -> None:
    before = torch.random.get_rng_state()
    versions = opened()
    versions.copy("student", "teacher")
    assert torch.equal(torch.random.get_rng_state(), before)
    again, other = opened(), open_versions(tiny.build_loaded(), lora_rank=4, seed=4)
    first, second, third = (v.state("student") for v in (versions, again, other))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], third[name]) for name in first)


@pytest.mark.parametrize("rank", [4, None])
@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2"])
def test_saved_versions_come_back(family: str, rank: int | None, tmp_path: Path) -> None:
    versions = opened(family, rank)
    disturb(versions)
    expected = logits(versions, "student")
    versions.save("student", tmp_path / "a" / "student")
    versions.save("student", tmp_path / "a" / "student")
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["student"]
    assert all(p.requires_grad for _, p in versions.trainable())
    fresh = opened(family, rank)
    fresh.load_saved(tmp_path / "a" / "student", "student")
    assert torch.equal(logits(fresh, "student"), expected)
    fresh.load_saved(tmp_path / "a" / "student", "step-5")
    assert torch.equal(logits(fresh, "step-5"), expected)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_peft_loads_a_saved_adapter(family: str, tmp_path: Path) -> None:
    versions = opened(family)
    disturb(versions)
    versions.save("student", tmp_path / "adapter")
    model = PeftModel.from_pretrained(tiny.build_model(family), tmp_path / "adapter").eval()
    tokens = batch()
    with torch.no_grad():
        found = model(input_ids=tokens.ids_BT, attention_mask=tokens.attention_BT).logits
    torch.testing.assert_close(found, logits(versions, "student"))


def test_saving_opens_no_frozen_weight(tmp_path: Path) -> None:
    versions = opened(rank=None, trainable=lambda name: "layers.1." in name)
    before = state_of(versions)
    versions.save("student", tmp_path / "saved")
    versions.merged(tmp_path / "merged", "student")
    assert state_of(versions) == before


def test_a_failed_save_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = opened()
    versions.save("student", tmp_path / "kept")
    before = (tmp_path / "kept" / "adapter_model.safetensors").read_bytes()
    disturb(versions)

    def fail(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("unlearning.models.lora.write_settings", fail)
    with pytest.raises(OSError, match="disk full"):
        versions.save("student", tmp_path / "kept")
    assert (tmp_path / "kept" / "adapter_model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    opened().save("student", tmp_path / "adapter")
    with pytest.raises(UserError, match="rank 4"):
        opened(rank=2).load_saved(tmp_path / "adapter", "student")
    with pytest.raises(UserError, match="do not belong"):
        opened("opt").load_saved(tmp_path / "adapter", "other")
    with pytest.raises(UserError, match="no saved weights"):
        opened().load_saved(tmp_path, "student")
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"broken")
    with pytest.raises(UserError, match="damaged"):
        opened().load_saved(tmp_path / "adapter", "student")


@pytest.mark.parametrize("rank", [4, None])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_merged_model_is_an_ordinary_one(family: str, rank: int | None, tmp_path: Path) -> None:
    versions = opened(family, rank)
    disturb(versions)
    before = state_of(versions)
    weights = hash_weights(versions.loaded.model.named_parameters())
    versions.merged(tmp_path / "merged", "student")
    assert state_of(versions) == before
    assert hash_weights(versions.loaded.model.named_parameters()) == weights
    loaded = load(str(tmp_path / "merged"))
    assert loaded.parameters == versions.loaded.parameters
    tokens = batch()
    found = loaded.model(input_ids=tokens.ids_BT, attention_mask=tokens.attention_BT).logits
    torch.testing.assert_close(found, logits(versions, "student"), atol=2e-5, rtol=1e-4)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    tied = tiny.build_config(family).tie_word_embeddings
    assert (plain.get_input_embeddings().weight is plain.get_output_embeddings().weight) == tied


def test_adapters_are_float32_on_half_precision_weights() -> None:
    versions = open_versions(tiny.build_loaded(dtype=torch.bfloat16), lora_rank=4)
    versions.copy("student", "teacher")
    for version in ("student", "teacher"):
        assert {p.dtype for _, p in versions.trainable(version)} == {torch.float32}
    step(versions, batch())
    assert versions.base_hash() == versions.loaded.sha256


def test_without_a_second_copy_the_base_is_gone_once_the_student_moves() -> None:
    versions, tokens = opened(rank=None), batch()
    assert versions.has("base") and versions.has("reference")
    before = logits(versions, "reference")
    step(versions, tokens)
    assert not versions.has("base") and not versions.has("reference")
    with pytest.raises(ValueError, match="no version"):
        versions.run("reference", tokens, grad=False)
    kept = opened(rank=None, keep_base=True)
    step(kept, tokens)
    assert torch.equal(logits(kept, "reference"), before)
    assert kept.base_hash() == kept.loaded.sha256


def test_the_reference_is_the_base_until_there_is_a_copy_of_that_name() -> None:
    versions = opened()
    disturb(versions)
    assert torch.equal(logits(versions, "reference"), logits(versions, "base"))
    versions.copy("student", "reference")
    assert torch.equal(logits(versions, "reference"), logits(versions, "student"))
    versions.copy("base", "blank")
    torch.testing.assert_close(logits(versions, "blank"), logits(versions, "base"))


def test_only_the_student_keeps_a_graph_and_hidden_states_come_where_asked() -> None:
    versions, tokens = opened(), batch()
    with pytest.raises(ValueError, match="only the student"):
        versions.run("base", tokens, grad=True)
    one = versions.run("student", tokens, grad=True, hidden=True)
    assert one.hidden(0).shape == (*tokens.ids_BT.shape, 32)
    assert one.hidden(2).requires_grad
    with pytest.raises(ValueError, match="hidden"):
        versions.run("student", tokens, grad=False).hidden(1)


def test_padding_changes_no_loss() -> None:
    versions, wide = opened(), batch((40, 9))
    others = wide.labels_BT.clone()
    others[0] = -100
    padded = versions.run("student", Tokens(wide.ids_BT, wide.attention_BT, others), grad=False)
    alone = Tokens(wide.ids_BT[1:, :9], wide.attention_BT[1:, :9], wide.labels_BT[1:, :9])
    torch.testing.assert_close(padded.nll, versions.run("student", alone, grad=False).nll)


@pytest.mark.parametrize("rank", [4, None])
def test_reading_two_versions_weight_by_weight_leaves_gradients_on(rank: int | None) -> None:
    versions = opened(rank=rank)
    for _ in zip(versions.weights("student"), versions.weights("reference"), strict=True):
        assert torch.is_grad_enabled()
    assert torch.is_grad_enabled()
