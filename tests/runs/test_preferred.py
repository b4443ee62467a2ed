"""Other answers: from where, how many, never the true text; repeatable, and kept for a resume."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from tests.runs.conftest import TEXTS
from tests.runs.test_engine import carry_out, is_step, losses
from unlearning.data.base import Example
from unlearning.data.encode import encode
from unlearning.data.refusals import REFUSALS
from unlearning.errors import UserError
from unlearning.methods.altpo import AltPO
from unlearning.methods.dpo import DPO
from unlearning.methods.idk import IDK
from unlearning.models.generate import generate
from unlearning.models.load import load
from unlearning.models.versions import BASE, open_versions
from unlearning.runs import preferred
from unlearning.runs.measure import TextSet
from unlearning.runs.preferred import Barred, find
from unlearning.runs.training import Loop

ASKED = Example(
    id="wrong",
    kind="qa",
    question="Where is the kite?",
    answer="In the harbour.",
    perturbed_answers=("At dawn.", "In the river."),
)
FORGET = [*TEXTS["forget"], ASKED]


@pytest.fixture(scope="module")
def versions(tiny_model):
    return open_versions(load(str(tiny_model)), lora_rank=4)


def forget_set(versions, examples=FORGET, length=48):
    encoded = encode(examples, versions.tokenizer, max_length=length)
    return TextSet("forget", examples, encoded)


def found(versions, method, examples=FORGET, *, seed=0, length=48, stop=lambda: False):
    forget = forget_set(versions, examples, length)
    return forget, find(method, versions, BASE, forget, seed=seed, length=length, stop=stop)


def blocks(forget, one):
    each = len(one.encoded) // len(forget.encoded)
    return [one.encoded[i * each : (i + 1) * each] for i in range(len(forget.encoded))]


def answer(versions, item):
    ids = item.ids[item.scored_from : len(item.ids) - item.ends]
    return versions.tokenizer.decode(ids).strip()


def assert_behind_the_same_prompts(forget, one, length):
    for item, block in zip(forget.encoded, blocks(forget, one), strict=True):
        for other in block:
            assert other.ids[: other.labels_from] == item.ids[: item.scored_from]
            assert other.labels_from < len(other.ids) <= length
            assert other.example == item.example


def test_refusals_are_drawn_by_the_seed_and_differ_within_a_prompt(versions):
    forget, one = found(versions, IDK(), length=90)
    assert_behind_the_same_prompts(forget, one, 90)
    said = [[answer(versions, other) for other in block] for block in blocks(forget, one)]
    assert all(len(set(block)) == 5 and set(block) <= set(REFUSALS) for block in said)
    assert found(versions, IDK(), length=90)[1] == one
    assert found(versions, IDK(), seed=1, length=90)[1] != one
    assert one.notices == ["Other answers: refusals, 5 each, for 7 of 7 forget sequence(s)."]


def test_where_hardly_a_refusal_fits_those_that_do_are_repeated(versions):
    examples = [ASKED]
    forget = forget_set(versions, examples, 64)
    prompt = forget.encoded[0].scored_from
    sizes = [len(versions.tokenizer(f" {text}")["input_ids"]) for text in REFUSALS]
    length = max(prompt + min(sizes) + 1, len(forget.encoded[0].ids))
    _, one = found(versions, IDK(), examples, length=length)
    fitting = {text for text, size in zip(REFUSALS, sizes, strict=True) if prompt + size < length}
    assert len(fitting) < len(REFUSALS)
    assert {answer(versions, other) for other in one.encoded} <= fitting
    assert len(one.encoded) == 5


def test_no_room_for_any_answer_is_said_clearly(versions):
    short = ASKED.model_copy(update={"answer": "a"})
    forget = forget_set(versions, [short], 64)
    length = len(forget.encoded[0].ids)
    with pytest.raises(UserError, match="'wrong' leaves no room") as error:
        found(versions, IDK(), [short], length=length)
    assert "max_length" in error.value.hint


def test_given_answers_come_first_and_the_model_fills_in(versions):
    forget, one = found(versions, DPO())
    assert_behind_the_same_prompts(forget, one, 48)
    said = [answer(versions, other) for other in blocks(forget, one)[-1]]
    assert said == ["At dawn.", "In the river.", "At dawn.", "In the river.", "At dawn."]
    assert one.notices[0].startswith("Other answers: 1 of 12 forget sequence(s) bring wrong")
    assert "the original model wrote up to 5 each for 11 of 12" in one.notices[1]


def runs_of(ids, size):
    return {tuple(ids[at : at + size]) for at in range(len(ids) - size + 1)}


def test_the_model_writes_anything_but_the_true_text(versions):
    forget, one = found(versions, AltPO(alternates=3), length=64)
    assert len(one.encoded) == 3 * len(forget.encoded)
    assert_behind_the_same_prompts(forget, one, 64)
    for item, block in zip(forget.encoded, blocks(forget, one), strict=True):
        true = item.ids[item.scored_from : len(item.ids) - item.ends]
        size = min(preferred.BARRED, len(true))
        for other in block:
            written = other.ids[other.scored_from : len(other.ids) - other.ends]
            assert not runs_of(written, size) & runs_of(true, size)
            assert len(written) <= len(true) + preferred.SLACK
    assert found(versions, AltPO(alternates=3), length=64)[1] == one
    assert found(versions, AltPO(alternates=3), seed=1, length=64)[1] != one


def test_a_model_that_knows_the_text_by_heart_is_kept_from_it(versions, monkeypatch):
    """Greedy choice: without the bar every sample would be the model's one continuation."""
    monkeypatch.setattr(preferred, "generate", greedy)
    (first,) = forget_set(versions, TEXTS["forget"][:1], 96).encoded
    said = list(greedy_ids(versions, first.ids[: first.scored_from], 12))
    text = Example(id="own", text="x")
    known = TextSet(
        "forget",
        [text],
        [type(first)((*first.ids[: first.scored_from], *said), 1, first.scored_from, False, 0)],
    )
    one = find(AltPO(), versions, BASE, known, seed=0, length=60, stop=lambda: False)
    written = one.encoded[0].ids[first.scored_from :]
    assert written[:3] == tuple(said[:3])
    assert written[3] != said[3]


def greedy(versions, prompts, sides, **settings):
    return generate(versions, prompts, sides, **{**settings, "temperature": 0.0})


def greedy_ids(versions, prompt, count):
    for pieces in greedy(versions, [prompt], [BASE], max_new_tokens=count):
        yield pieces[0].token


@over(
    true=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    choices=st.lists(st.integers(0, 10**6), min_size=20, max_size=20),
)
def test_whoever_keeps_to_the_bar_writes_no_run_of_the_text(true, choices):
    bar, written = Barred(true), []
    for choice in choices:
        allowed = [token for token in range(5) if token not in bar.after(written)]
        assert 4 in allowed, "a token that is not in the text is never barred"
        written.append(allowed[choice % len(allowed)])
    size = min(preferred.BARRED, len(true))
    assert not runs_of(written, size) & runs_of(true, size)


def test_the_bar_lets_everything_else_through():
    bar = Barred([1, 2, 3, 4, 5])
    assert not bar.after([1, 2]) and not bar.after([9, 2, 3])
    assert set(bar.after([1, 2, 3])) == {4} and set(bar.after([7, 2, 3, 4])) == {5}
    assert set(Barred([6]).after([])) == set(Barred([6]).after([1, 2])) == {6}


def test_where_the_model_writes_nothing_refusals_stand_in(versions, monkeypatch):
    monkeypatch.setattr(preferred, "generate", lambda *_, **__: iter(()))
    forget, one = found(versions, AltPO(), length=90)
    assert {answer(versions, other) for other in one.encoded} <= set(REFUSALS)
    assert "for 0 of 7" in one.notices[0] and "refusals, 5 each, for 7 of 7" in one.notices[1]


def test_what_is_kept_comes_back(versions, tmp_path):
    _, one = found(versions, AltPO())
    one.save(tmp_path / "preferred.json")
    assert preferred.Found.load(tmp_path / "preferred.json").encoded == one.encoded


@pytest.mark.parametrize("accumulation", [1, 2, 3])
def test_a_text_meets_its_own_other_answers_in_turn(versions, accumulation):
    forget, one = found(versions, IDK(), length=90)
    loop = Loop(
        IDK(retain_weight=0.0),
        versions,
        {"forget": forget, "preferred": TextSet("preferred", FORGET, one.encoded)},
        learning_rate=1e-3,
        batch_size=len(FORGET),
        retain_batch_size=4,
        accumulation=accumulation,
        seed=0,
        pad_id=0,
    )
    own = {
        item.ids: [other.ids for other in block]
        for item, block in zip(forget.encoded, blocks(forget, one), strict=True)
    }
    met = {ids: Counter() for ids in own}
    for step in range(10):
        loop.step = step
        for part in loop._draw():
            for text, other in zip(
                *(rows(part[r][0]) for r in ("forget", "preferred")), strict=True
            ):
                met[text][own[text].index(other)] += 1
    assert all(counts == dict.fromkeys(range(5), 2) for counts in met.values())


def rows(tokens):
    pairs = zip(tokens.ids_BT, tokens.attention_BT, strict=True)
    return [tuple(ids[mask.bool()].tolist()) for ids, mask in pairs]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("name", "rank"), [("altpo", 4), ("altpo", 0), ("idk_dpo", 4)])
def test_a_killed_run_goes_on_with_the_same_losses(store, short, name, rank, monkeypatch):
    config = short(method=name, lora_rank=rank, learning_rate=1e-3)
    whole, _ = carry_out(store, config)
    broken, _ = carry_out(store, config, until=is_step(5))
    with monkeypatch.context() as patch:
        patch.setattr("unlearning.runs.engine.find", None)  # what was kept is used
        carry_out(store, config, resume=broken)
    assert losses(store, broken) == losses(store, whole)


@pytest.mark.usefixtures("quick")
def test_lost_answers_are_found_again(store, short):
    config = short(method="altpo", steps=3)
    whole, _ = carry_out(store, config)
    broken, _ = carry_out(store, config, until=is_step(2))
    kept = store.folder(broken) / "preferred.json"
    before = kept.read_text()
    kept.unlink()
    carry_out(store, config, resume=broken)
    assert kept.read_text() == before
    assert losses(store, broken) == losses(store, whole)


@pytest.mark.usefixtures("quick")
def test_a_run_says_where_its_other_answers_are_from(store, short):
    run_id, engine = carry_out(store, short(method="dpo", steps=2), {**TEXTS, "forget": FORGET})
    view = store.view(run_id)
    assert sum(notice.startswith("Other answers: ") for notice in view.notices) == 2
    assert "preferred" not in view.scores["original"]["perplexity"]
    assert len(engine.ground.sets["preferred"].encoded) == 5 * len(
        engine.ground.sets["forget"].encoded
    )


@pytest.mark.usefixtures("quick")
def test_a_taught_run_asks_the_taught_model(store, short, monkeypatch):
    asked = []

    def listening(method, versions, version, *rest, **settings):
        asked.append((version, versions.has("reference"), set(versions.versions())))
        return find(method, versions, version, *rest, **settings)

    monkeypatch.setattr("unlearning.runs.engine.find", listening)
    config = short(method="altpo", teach_first=True, teach_steps=2, steps=2)
    carry_out(store, config)
    ((version, _, there),) = asked
    assert version == "reference" and "reference" in there


def test_stop_is_looked_at_while_answers_are_written(store, short):
    begun = []

    def stop():
        return bool(begun)

    def between(engine, event):
        if event.kind == "entered" and event.phase == "answering":
            begun.append(event)

    run_id, _ = carry_out(store, short(method="altpo"), between=between, stop=stop)
    view = store.view(run_id)
    assert (view.status, view.step) == ("stopped", 0)
    assert not (store.folder(run_id) / "preferred.json").exists()
