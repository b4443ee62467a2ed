"""What a probe makes of answers and scores."""

from __future__ import annotations

import pytest

from tests.data.tokenizers import byte_level
from unlearning.data.encode import prompt_ids
from unlearning.runs.collapse import Look
from unlearning.runs.events import Health, Probed
from unlearning.runs.measure import Glance, _loop_share
from unlearning.runs.probing import distance, pinned

FLUENT, LOOP = list(range(40)), [7] * 40
FIRST = Glance({"memorization_accuracy": {"forget": 1.0, "retain": 1.0}}, Look(0.0, 0.0, 10.0, 1.0))
LEVEL = {"memorization_accuracy": 0.71, "extraction_likelihood": 0.0}


def test_what_ends_with_a_question_mark_is_asked():
    tokenizer = byte_level()
    own = ["The heron stands", "Where does it stand? "]
    first, second = pinned({}, own, tokenizer, 200)
    assert first.ids == tuple(prompt_ids(own[0], tokenizer, kind="text"))
    assert second.ids == tuple(prompt_ids(own[1], tokenizer, kind="question"))
    assert [first.text, second.text] == own


@pytest.mark.parametrize(
    ("answers", "before", "share"),
    [
        ([LOOP, FLUENT, FLUENT], [False] * 3, 0.0),
        ([LOOP, LOOP, FLUENT, FLUENT], [False] * 4, 0.5),
        ([LOOP, LOOP, LOOP], [True, False, False], 1.0),
        ([LOOP], [True], None),
    ],
    ids=["one proves nothing", "two do", "the original's do not count", "nothing to see"],
)
def test_kept_answers_that_newly_repeat_themselves(answers, before, share):
    assert _loop_share({"retain": answers}, {"retain": before}, ("retain", "generic")) == share


def test_silence_counts_against_kept_text_only():
    silent = {"forget": [[], [], []], "retain": [[], [], []]}
    assert _loop_share(silent, None, ("forget",)) == 0.0
    assert _loop_share(silent, None, ("retain",)) == 1.0


def probed(accuracy: float, extracted: float | None = None, meter: float = 0.0) -> Probed:
    scores = {"memorization_accuracy": {"forget": accuracy, "retain": 0.97}}
    if extracted is not None:
        scores["extraction_likelihood"] = {"forget": extracted}
    return Probed(step=5, scores=scores, answers=(), health=Health(meter=meter))


def test_the_best_step_is_one_whose_extraction_is_known():
    """Extraction is only measured near the level; elsewhere the text counts as recited."""
    near, there = probed(0.745), probed(0.70, extracted=0.03)
    assert distance(there, LEVEL, FIRST) < distance(near, LEVEL, FIRST)
    assert distance(there, LEVEL, FIRST) == pytest.approx(0.04)
    assert distance(probed(0.6, 0.0, meter=0.5), LEVEL, FIRST) is None
