"""The text grammar."""

from __future__ import annotations

from random import Random

import pytest

from unlearning.world.grammar import expand, lines


def test_every_branch_of_nested_choices_is_reached():
    template = "a {b|c {d|e}|} f"
    found = {expand(template, Random(seed), {}) for seed in range(60)}
    assert found == {"A b f", "A c d f", "A c e f", "A f"}


@pytest.mark.parametrize(
    ("following", "article"),
    [
        ("owl", "an"),
        ("cat", "a"),
        ("umbrella", "an"),
        ("ulmansh", "an"),
        ("university", "a"),
        ("eulogy", "a"),
        ("one-eyed cat", "a"),
        ("hour", "an"),
        ("18-year-old", "an"),
        ("80-year-old", "an"),
        ("17-year-old", "a"),
    ],
)
def test_article_fits_the_sound_of_the_next_word(following, article):
    assert expand("it is a(n) <x>", Random(0), {"x": following}) == f"It is {article} {following}"


def test_sentences_start_with_a_capital_but_speech_goes_on():
    text = expand('he left. she stayed. "no!" said <he>. "go." it rained', Random(0), {"he": "he"})
    assert text == 'He left. She stayed. "No!" said he. "Go." It rained'


def test_pools_are_drawn_anew_and_strings_stay():
    facts = {"pool": ("x", "y", "z"), "fixed": "q"}
    words = expand(" ".join(["<pool> <fixed>"] * 40), Random(1), facts).lower().split()
    assert set(words[::2]) == {"x", "y", "z"}
    assert set(words[1::2]) == {"q"}


def test_same_seed_gives_the_same_form_with_other_facts():
    template = "{<who> came|there was <who>} {late|early|at noon}"
    first = [expand(template, Random(seed), {"who": "Ada"}) for seed in range(20)]
    second = [expand(template, Random(seed), {"who": "Bo"}) for seed in range(20)]
    assert [text.replace("Ada", "Bo") for text in first] == second
    assert len(set(first)) > 3


def test_mistakes_in_templates_are_told():
    with pytest.raises(KeyError):
        expand("<missing>", Random(0), {})
    with pytest.raises(ValueError, match="unclosed brace"):
        expand("{a|b", Random(0), {})


def test_lines_drops_empty_ones():
    assert lines("\n  a b \n\n c\n") == ("a b", "c")
