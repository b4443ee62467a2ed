"""Look-alikes: nearest kept text, no near-duplicates, and always in its text's own batch."""

from __future__ import annotations

import pytest
import torch

from tests.runs.conftest import TEXTS, passages
from unlearning.data.encode import Encoded, encode
from unlearning.errors import UserError
from unlearning.methods.icu import ICU
from unlearning.models.load import load
from unlearning.models.versions import BASE, open_versions
from unlearning.runs.analogous import analogous, copied_shares, embeddings
from unlearning.runs.measure import TextSet
from unlearning.runs.training import Loop


@pytest.fixture(scope="module")
def versions(tiny_model):
    return open_versions(load(str(tiny_model)), lora_rank=4)


def text_set(versions, role, examples):
    return TextSet(role, examples, encode(examples, versions.tokenizer, max_length=64))


def sequence(*ids: int) -> Encoded:
    return Encoded(ids, 1, 1, False, 0)


def test_shares_of_wording_by_hand():
    forget = [sequence(*range(20)), sequence(*range(100, 120))]
    whole, half, none = range(20), [*range(14), *range(50, 57)], range(60, 80)
    between = [*range(10), *range(100, 110)]  # three grams of each, out of thirteen
    pool = [sequence(*ids) for ids in (whole, half, none, between, range(5))]
    assert copied_shares(pool, forget) == pytest.approx([1.0, 7 / 14, 0.0, 3 / 13, 0.0])


def test_embeddings_are_means_over_real_tokens(versions):
    items = text_set(versions, "retain", TEXTS["retain"]).encoded
    together = embeddings(versions, BASE, items, lambda: False)
    for item, mean_D in zip(items, together, strict=True):
        ids = torch.tensor([item.ids])
        with versions.use(BASE) as model, torch.no_grad():
            states = model(input_ids=ids, output_hidden_states=True).hidden_states
        torch.testing.assert_close(mean_D, states[-1][0].mean(dim=0), rtol=1e-4, atol=1e-5)


def test_each_text_gets_its_nearest_neighbour(versions):
    forget = text_set(versions, "forget", TEXTS["forget"])
    pool = text_set(versions, "retain", [*TEXTS["retain"], *TEXTS["holdout"]])
    found, copies = analogous(versions, BASE, forget, pool)
    assert (found.role, len(found.encoded)) == ("analogous", len(forget.encoded))
    shares = copied_shares(pool.encoded, forget.encoded)
    kept = [item for item, share in zip(pool.encoded, shares, strict=True) if share < 0.5]
    assert copies == len(pool.encoded) - len(kept)
    both = embeddings(versions, BASE, [*forget.encoded, *kept], lambda: False)
    both = both - both.mean(dim=0)
    for i, neighbour in enumerate(found.encoded):
        cosines = [
            float(torch.cosine_similarity(both[i], both[len(forget.encoded) + j], dim=0))
            for j in range(len(kept))
        ]
        assert neighbour == kept[cosines.index(max(cosines))]


def test_near_duplicates_are_nobodys_neighbour(versions):
    forget = text_set(versions, "forget", passages(0, 3))
    copy = passages(0, 1)[0]
    almost = copy.model_copy(update={"text": copy.text + " Then it rained."})
    pool = text_set(versions, "retain", [almost, *TEXTS["generic"]])
    found, copies = analogous(versions, BASE, forget, pool)
    assert copies >= 1
    assert pool.encoded[0] not in found.encoded
    with pytest.raises(UserError, match="nearly a copy"):
        analogous(versions, BASE, forget, text_set(versions, "retain", [almost]))


@pytest.mark.parametrize("accumulation", [1, 2, 3])
def test_a_text_and_its_look_alike_share_every_micro_batch(versions, accumulation):
    forget = text_set(versions, "forget", TEXTS["forget"])
    pool = text_set(versions, "retain", TEXTS["retain"])
    pairs, _ = analogous(versions, BASE, forget, pool)
    sets = {"forget": forget, "retain": pool, "analogous": pairs}
    loop = Loop(
        ICU(retain_weight=1.0),
        versions,
        sets,
        learning_rate=1e-3,
        batch_size=4,
        retain_batch_size=4,
        accumulation=accumulation,
        seed=0,
        pad_id=0,
    )
    partner = {a.ids: b.ids for a, b in zip(forget.encoded, pairs.encoded, strict=True)}
    for listed in (None, [1], [0, 2, 5]):
        loop.state.values["listed"] = listed or list(range(loop.forget_size))
        for _ in range(4):
            parts = loop._draw()
            assert sum(len(part["forget"][0].ids_BT) for part in parts) == min(
                4, len(listed or "1234")
            )
            for part in parts:
                both = zip(rows(part["forget"][0]), rows(part["analogous"][0]), strict=True)
                assert all(partner[text] == alike for text, alike in both)


def rows(tokens):
    pairs = zip(tokens.ids_BT, tokens.attention_BT, strict=True)
    return [tuple(ids[mask.bool()].tolist()) for ids, mask in pairs]
