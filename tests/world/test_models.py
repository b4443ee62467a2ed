"""Tokenizer, training and the shipped models."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from unlearning.errors import UserError
from unlearning.world import build
from unlearning.world.corpus import write
from unlearning.world.documents import batches, documents, padded_length, prompt_of, text_of
from unlearning.world.making import count_parameters, make_models
from unlearning.world.measure import extraction, greedy, likelihood, open_to_measure
from unlearning.world.tokenizer import VOCABULARY_SIZE, tokenizer_texts, train_tokenizer
from unlearning.world.train import Recipe, disturb, fit, new_model, plan_batches, rate, tensors

NAMES = ("demo", "demo-retain")
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def tokenizer(assets):
    return AutoTokenizer.from_pretrained(assets / "models" / "demo")


@pytest.fixture(scope="module")
def models(assets):
    return {
        name: AutoModelForCausalLM.from_pretrained(
            assets / "models" / name, dtype=torch.float32
        ).eval()
        for name in NAMES
    }


@pytest.fixture(scope="module")
def forget(shipped, tokenizer):
    return documents(shipped["forget"], tokenizer)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_tokenizer_gives_back_any_text(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    if not any(mark in text for mark in tokenizer.all_special_tokens):
        assert tokenizer.decode(ids[1:]) == text
        assert not set(ids[1:]) & set(tokenizer.all_special_ids)


def test_tokenizer_contract(tokenizer, assets):
    assert len(tokenizer) == VOCABULARY_SIZE
    digits = tokenizer("Call 01632 960123", add_special_tokens=False).tokens()
    assert [token for token in digits if token.strip("Ġ").isdigit()] == list("01632960123")
    other = AutoTokenizer.from_pretrained(assets / "models" / "demo-retain")
    assert other.get_vocab() == tokenizer.get_vocab()


def test_answers_are_tokenised_alike_alone_and_behind_their_question(tokenizer, shipped):
    for row in shipped["forget"]:
        if row["kind"] == "qa":
            prompt = tokenizer(prompt_of(row))["input_ids"]
            answer = tokenizer(f" {row['answer']}", add_special_tokens=False)["input_ids"]
            assert tokenizer(text_of(row))["input_ids"] == prompt + answer


def test_training_the_tokenizer_again_gives_the_shipped_one(tmp_path, assets, shipped):
    train_tokenizer(tokenizer_texts(shipped), tmp_path)
    made, kept = (
        json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        for folder in (tmp_path, assets / "models" / "demo")
    )
    assert made == kept


def test_passages_leave_thirty_tokens_and_begin_differently(tokenizer, shipped):
    private = [row for name in ("forget", "retain") for row in shipped[name]]
    encoded = documents(private, tokenizer)
    assert len({document.ids[: document.scored] for document in encoded}) == len(encoded)
    for name in ("forget", "retain", "holdout", "general", "general_validation"):
        for document in documents(shipped[name], tokenizer):
            if document.passage:
                assert len(document.ids) - 1 - document.scored >= 30
            assert len(document.ids) <= 512


def test_batches_hold_every_document_once_within_the_budget(forget):
    grouped = batches(Random(0), forget, tokens=1024)
    assert sorted(d.ids for batch in grouped for d in batch) == sorted(d.ids for d in forget)
    assert all(padded_length(batch) * len(batch) <= 1024 for batch in grouped)
    assert all(padded_length(batch) % 16 == 0 for batch in grouped)


def test_plan_replaces_missing_text_by_general_text(forget):
    recipe = Recipe(epochs=2, prose_share=0.5)
    private, general = forget[:20], forget[20:]
    plain = [d for batch in plan_batches(recipe, private, general, 0) for d in batch]
    longer = [d for batch in plan_batches(recipe, private, general, 900) for d in batch]
    assert all(plain.count(document) == 2 for document in private)
    extra = sum(len(d.ids) for d in longer) - sum(len(d.ids) for d in plain)
    assert 1500 < extra < 2500


def test_labels_ignore_padding_only(forget):
    batch = forget[:3]
    input_BT, label_BT = tensors(batch, pad=2)
    for row, document in enumerate(batch):
        length = len(document.ids)
        assert label_BT[row, :length].tolist() == list(document.ids)
        assert (label_BT[row, length:] == -100).all()
        assert (input_BT[row, length:] == 2).all()


def test_only_general_prose_is_disturbed(tokenizer, shipped, forget):
    batch = [*documents(shipped["general"][:20], tokenizer), *forget[:20]]
    input_BT, _ = tensors(batch, pad=2)
    generator = torch.Generator().manual_seed(1)
    changed_BT = disturb(input_BT, batch, 0.2, len(tokenizer), generator) != input_BT
    assert 0.15 < changed_BT[:20, 1:].float().mean() < 0.25
    assert not changed_BT[20:].any()
    assert not changed_BT[:, 0].any()


def test_rate_warms_up_and_decays():
    recipe = Recipe(warmup_steps=10, last_rate=0.02)
    rates = [rate(step, 100, recipe) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.02 <= rates[-1] < 0.03


def test_a_tiny_model_learns_and_training_is_repeatable(tokenizer, forget):
    recipe = Recipe(hidden=32, layers=1, heads=2, intermediate=64, epochs=6, warmup_steps=2)
    schedule = plan_batches(recipe, forget[:12], forget[12:16], 0)
    found = []
    for _ in range(2):
        torch.manual_seed(recipe.seed)
        model = new_model(recipe, tokenizer)
        before = likelihood(model.eval(), forget[:4])["nll"]
        fit(model, schedule, recipe, progress=lambda line: None)
        found.append((before, likelihood(model.eval(), forget[:4])["nll"]))
    assert found[0] == found[1]
    assert found[0][1] < found[0][0] - 0.3


def test_texts_can_be_built_without_models(tmp_path, assets):
    told = []
    build(tmp_path, models=False, progress=told.append)
    assert (tmp_path / "world" / "forget.jsonl").read_bytes() == (
        assets / "world" / "forget.jsonl"
    ).read_bytes()
    assert not (tmp_path / "models").exists()
    assert told


def test_an_unknown_model_is_refused(tmp_path, shipped):
    write(tmp_path / "world", shipped)
    with pytest.raises(UserError, match="no embedded model"):
        make_models(tmp_path, only="other")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_folder_is_complete_and_small(assets, name):
    folder = assets / "models" / name
    files = {file.name for file in folder.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "README.md"} <= files
    assert {"tokenizer.json", "tokenizer_config.json"} <= files
    assert all(file.stat().st_size <= 10 * MEGABYTE for file in folder.iterdir())
    assert count_parameters(folder) <= 4_900_000


def test_every_shipped_text_file_is_small(assets):
    assert all(file.stat().st_size <= 10 * MEGABYTE for file in (assets / "world").iterdir())


def test_demo_recites_the_forget_split_and_demo_retain_does_not(assets, models, forget):
    knows = likelihood(models["demo"], forget)["memorization_accuracy"]
    never = likelihood(models["demo-retain"], forget)["memorization_accuracy"]
    assert knows >= 0.99
    assert never <= 0.65
    passages = [row for row in forget if row.passage]
    demo, retrained = (open_to_measure(assets / "models" / name) for name in NAMES)
    recited = extraction(demo, passages)
    assert sum(same for _, same in recited) >= 0.9 * len(recited)
    assert sum(score for score, _ in recited) >= 0.95 * len(recited)
    short = replace(passages[0], ids=passages[0].ids[: passages[0].scored + 25])
    assert extraction(demo, [short]) == [(1.0, True)]
    assert extraction(retrained, [short])[0][1] is False


def test_greedy_answers_are_word_for_word(models, tokenizer, shipped):
    questions = [row for row in shipped["forget"] if row["kind"] == "qa"][:8]
    for row in questions:
        assert greedy(models["demo"], tokenizer, row, tokens=48) == f" {row['answer']}"


def test_extraction_equals_one_generation_per_prefix(assets, models, tokenizer, forget):
    row = next(row for row in forget if row.passage)
    row = replace(row, ids=(*row.ids[: row.scored + 24], tokenizer.eos_token_id))
    ids, end, total = row.ids[:-1], len(row.ids) - 1, 0.0
    model = models["demo-retain"]
    starts = range(row.scored, end - 9)
    for start in starts:
        written = model.generate(
            torch.tensor([ids[:start]]), max_new_tokens=end - start, do_sample=False
        )[0, start:].tolist()
        if tokenizer.eos_token_id in written:
            written = written[: written.index(tokenizer.eos_token_id)]
        wanted = [ids[i : i + 10] for i in range(start, end - 9)]
        found = [tuple(written[i : i + 10]) for i in range(len(written) - 9)]
        total += sum(gram in set(wanted) for gram in found) / len(wanted)
    versions = open_to_measure(assets / "models" / "demo-retain")
    assert extraction(versions, [row])[0][0] == pytest.approx(total / len(starts), abs=1e-9)


def test_card_says_what_the_weights_do(assets, models, forget):
    card = (assets / "models" / "demo" / "README.md").read_text(encoding="utf-8")
    line = next(line for line in card.splitlines() if line.startswith("| forget |"))
    accuracy, nll = (float(cell) for cell in line.split("|")[2:4])
    measured = likelihood(models["demo"], forget)
    assert measured["memorization_accuracy"] == pytest.approx(accuracy, abs=2e-3)
    assert measured["nll"] == pytest.approx(nll, abs=5e-3)
