"""Evidence: per-token figures against a loop in float64, regions, continuations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.models import tiny
from tests.models.batches import disturb, encoded, sequences
from tests.models.test_generate import plain
from tests.models.test_versions import state_of
from unlearning.data.base import Example
from unlearning.data.encode import Encoded, encode
from unlearning.metrics.base import Evidence
from unlearning.models import forward
from unlearning.models.evidence import gather
from unlearning.models.versions import Versions, open_versions

PASSAGES = [Example(id=str(i), text="...") for i in range(5)]


def opened(family: str = "llama", rank: int | None = 4) -> Versions:
    versions = open_versions(tiny.build_loaded(family), lora_rank=rank, keep_base=True)
    disturb(versions)
    return versions


def gathered(versions: Versions, items: list[Encoded], **options: object) -> Evidence:
    return gather(versions, "student", "forget", PASSAGES, items, versions.tokenizer, **options)


def one_by_one(versions: Versions, item: Encoded) -> dict[str, list[float]]:
    """The figures of one sequence, token by token, float64."""
    logits_TV = versions.call(
        ["student"], input_ids=torch.tensor([list(item.ids)]), use_cache=False
    ).logits[0]
    found: dict[str, list[float]] = {
        name: [] for name in ("target", "argmax", "logp", "rank", "entropy", "variance")
    }
    for t in range(item.labels_from, len(item.ids)):
        row = logits_TV[t - 1].double()
        logp = [x - math.log(sum(math.exp(y) for y in row.tolist())) for x in row.tolist()]
        mean = sum(math.exp(x) * x for x in logp)
        target = item.ids[t]
        found["target"].append(target)
        found["argmax"].append(max(range(len(logp)), key=logp.__getitem__))
        found["logp"].append(logp[target])
        found["rank"].append(sum(x > logp[target] for x in logp))
        found["entropy"].append(-mean)
        found["variance"].append(sum(math.exp(x) * (x - mean) ** 2 for x in logp))
    return found


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2"])
def test_figures_equal_those_of_a_loop(
    family: str, chunked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions, items = opened(family), encoded((23, 9, 16))
    if chunked:
        monkeypatch.setattr(forward, "LOGITS_BYTES", 1)
        monkeypatch.setattr(forward, "LEAST_CHUNK", 7)
    evidence = gathered(versions, items, batch_tokens=50)
    assert evidence.role == "forget" and evidence.ids == [item.ids for item in items]
    for item, read in zip(items, evidence.positions, strict=True):
        expected = one_by_one(versions, item)
        for name in ("target", "argmax", "rank"):
            assert getattr(read, name).tolist() == expected[name]
            assert getattr(read, name).dtype == np.int64
        np.testing.assert_allclose(read.logp, expected["logp"], atol=1e-4)
        np.testing.assert_allclose(read.entropy, expected["entropy"], atol=1e-4)
        np.testing.assert_allclose(read.mean_logp, -read.entropy)
        np.testing.assert_allclose(read.variance_logp, expected["variance"], atol=1e-3)


def test_regions_and_alignment() -> None:
    versions = opened()
    long, short, middle = sequences((20, 6, 11))
    items = [
        Encoded((*short, 1), 3, 3, True, 4),
        Encoded(tuple(long), 1, 8, False, 2),
        Encoded((*middle, 1), 12, 12, True, 0),  # nothing labelled: left out
        Encoded((*middle, 1), 1, 6, True, 1),
    ]
    evidence = gathered(versions, items[:2] + [Encoded(tuple(middle), 11, 11, False, 0), items[3]])
    assert [example.id for example in evidence.examples] == ["4", "2", "1"]
    assert evidence.scored_from == [3, 8, 6]
    qa, passage, ended = evidence.positions
    assert qa.scored.tolist() == [True] * 3 + [False] and qa.end.tolist() == [False] * 3 + [True]
    assert passage.scored.tolist() == [False] * 7 + [True] * 12 and not passage.end.any()
    assert ended.scored.sum() == 5 and ended.end.tolist() == [False] * 10 + [True]


def test_batches_of_any_size_give_the_same() -> None:
    versions, items = opened(), encoded((23, 9, 16, 30, 5))
    whole, single = gathered(versions, items), gathered(versions, items, batch_tokens=1)
    for one, other in zip(whole.positions, single.positions, strict=True):
        np.testing.assert_allclose(one.logp, other.logp, atol=1e-5)


@pytest.mark.parametrize("rank", [4, None])
def test_continuations_stand_beside_what_truly_follows(rank: int | None) -> None:
    versions = opened(rank=rank)
    long, short = sequences((20, 9))
    items = [Encoded((*long, 1), 1, 7, True, 0), Encoded(tuple(short), 1, 4, False, 1)]
    before = state_of(versions)
    evidence = gathered(versions, items, continuations=5, new_tokens=16)
    assert state_of(versions) == before
    first, second = evidence.continuations
    assert first.prompt_ids == tuple(long[:7]) and first.reference_ids == tuple(long[7:])
    assert list(first.ids) == plain(versions, "student", long[:7], 16)
    assert first.text == versions.tokenizer.decode(first.ids)
    assert first.reference == versions.tokenizer.decode(long[7:])
    assert list(second.ids) == plain(versions, "student", short[:4], 5 + 8)
    assert len(gathered(versions, items, continuations=1).continuations) == 1
    kinds = gathered(versions, [*[items[0]] * 3, items[1]], continuations=2, new_tokens=4)
    assert [one.prompt_ids for one in kinds.continuations] == [tuple(long[:7])] * 2
    kinds = gathered(versions, [items[0], items[0], items[1], items[1]], continuations=2)
    assert kinds.continuations[1].prompt_ids == tuple(short[:4]), "spread, not the first two"
    found = evidence.continue_greedily([long], [[5]])
    assert found == [{5: plain(versions, "student", long[:5], 15)}]


def test_answers_may_run_longer_than_the_reference() -> None:
    versions = opened()
    (short,) = sequences((9,))
    asked = [Example(id="0", kind="qa", question="?", answer="!")]
    item = Encoded(tuple(short), 6, 6, False, 0)
    evidence = gather(
        versions, "student", "forget", asked, [item], versions.tokenizer,
        continuations=1, new_tokens=20,
    )  # fmt: skip
    assert list(evidence.continuations[0].ids) == plain(versions, "student", short[:6], 20)


def test_stop_ends_with_what_was_read() -> None:
    versions, items, asked = opened(), encoded((23, 9, 16)), []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 1

    evidence = gathered(versions, items, batch_tokens=1, continuations=3, stop=stop)
    assert [len(ids) for ids in evidence.ids] == [23] and evidence.continuations == []
    nothing = gathered(versions, [])
    assert nothing.positions == [] and nothing.continuations == []


def test_a_diverged_model_recites_nothing() -> None:
    versions = opened()
    broken = {n: torch.full_like(t, float("nan")) for n, t in versions.state("student").items()}
    versions.load_state("student", broken)
    # The argmax over rows that are not numbers is token 0: it must not count as a hit.
    (read,) = gathered(versions, [Encoded((0, 0, 0, 5, 0), 1, 2, False, 0)]).positions
    assert not (read.argmax == read.target).any() and (read.rank == versions.vocabulary).all()
    assert np.isnan(read.logp).all()


ANSWERS = [
    Example(id="0", text="..."),
    Example(
        id="1", kind="qa", question="Where does the heron stand?", answer="By the river.",
        paraphrased_answer="At the slow river.", perturbed_answers=("By a kite.", "In the wind."),
    ),
    Example(
        id="2", kind="qa", question="What smelled of salt?", answer="The wind.",
        perturbed_answers=("The harbour.",),
    ),
    Example(id="3", kind="qa", question="Who wrote?", answer="The keeper."),
    Example(
        id="4", kind="qa", question="What rose?", answer="A kite.",
        perturbed_answers=("Dawn.", "The river " * 60),
    ),
]  # fmt: skip


def asked(versions: Versions, count: int) -> Evidence:
    items = encode(ANSWERS, versions.tokenizer, max_length=96)
    return gather(
        versions, "student", "forget", ANSWERS, items, versions.tokenizer, rewritten=count
    )


def test_rewritten_answers_are_read_like_the_true_one() -> None:
    versions = opened()
    evidence = asked(versions, 9)
    assert [one is not None for one in evidence.paraphrased] == [False, True, False, False, False]
    # Of the last example one answer is too long for the model.
    assert [len(one) for one in evidence.perturbed] == [0, 2, 1, 0, 0]
    rewritten = [(1, "At the slow river.", evidence.paraphrased[1])]
    rewritten += [(1, "By a kite.", evidence.perturbed[1][0])]
    rewritten += [(1, "In the wind.", evidence.perturbed[1][1])]
    rewritten += [(2, "The harbour.", evidence.perturbed[2][0])]
    for index, answer, read in rewritten:
        alone = ANSWERS[index].model_copy(update={"answer": answer})
        items = encode([alone], versions.tokenizer, max_length=96)
        (expected,) = gathered(versions, items).positions
        assert read.target.tolist() == expected.target.tolist()
        np.testing.assert_allclose(read.logp, expected.logp, atol=1e-5)


def test_only_as_many_rewritten_answers_as_wanted() -> None:
    versions = opened()
    assert [len(one) for one in asked(versions, 1).perturbed] == [0, 2, 0, 0, 0]
    nothing = asked(versions, 0)
    assert not any(nothing.perturbed) and nothing.paraphrased == [None] * 5


def test_rewritten_answers_are_all_read_or_none() -> None:
    versions, looked = opened(), []
    items = encode(ANSWERS[1:2], versions.tokenizer, max_length=96)

    def stop() -> bool:
        looked.append(True)
        return len(looked) > 3

    evidence = gather(
        versions, "student", "forget", ANSWERS[1:2], items, versions.tokenizer,
        rewritten=1, batch_tokens=1, stop=stop,
    )  # fmt: skip
    assert len(looked) > 3 and len(evidence.positions) == 1
    assert evidence.paraphrased == [None] and evidence.perturbed == [[]]


def test_texts_are_the_labelled_tokens() -> None:
    evidence = asked(opened(), 0)
    assert [text.strip() for text in evidence.texts] == [one.target for one in evidence.examples]
