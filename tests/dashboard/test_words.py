"""Tokens shown as whole words and characters, repeats found, figures in words."""

from __future__ import annotations

import json
import math
import re
from html import unescape

import pytest

from dashboard.answer_panel import panel, percent, times
from dashboard.side_by_side import Writing
from dashboard.words import again, words
from unlearning.runs.requests import Candidate, Judged

HOSTILE = "<img src=x onerror=alert(1)>"


def tokens(*texts: str, p: float = 0.5) -> list[Judged]:
    return [Judged(text=text, logp=math.log(p)) for text in texts]


def texts(*judges: list[Judged]) -> list[str]:
    return [word.text for word in words(judges)]


class TestWords:
    def test_parts_of_a_word_are_one_word_and_its_probability_their_product(self) -> None:
        found = words([tokens(" clock", "ma", "ker", ".", " She")])
        assert [word.text for word in found] == [" clockmaker", ".", " She"]
        assert found[0].logp(0) == pytest.approx(math.log(0.5**3))

    def test_bytes_of_a_character_belong_to_it(self) -> None:
        found = words([tokens(" a", "", "", "🦊", " b")])
        assert [word.text for word in found] == [" a", "🦊", " b"]
        assert [len(word.pieces[0]) for word in found] == [1, 3, 1]

    def test_what_never_became_a_character_is_lost_nowhere(self) -> None:
        found = words([tokens(" a", "", "")])
        assert [len(word.pieces[0]) for word in found] == [3]
        assert words([tokens()]) == [] and words([tokens("", "")]) == []

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("It's 12 €.", ["It's", " 12", " €", "."]),
            ("東京へ go", ["東", "京", "へ", " go"]),
            ("नमस्ते जी", ["नमस्ते", " जी"]),
            ("👩‍🚀👍🏽🇬🇷🇫🇮!", ["👩‍🚀", "👍🏽", "🇬🇷🇫🇮", "!"]),
            ("one\n\n two", ["one", "\n\n two"]),
            ("e\u0301te\u0301 x", ["e\u0301te\u0301", " x"]),
        ],
    )
    def test_characters_stay_whole_in_every_script(self, text: str, expected: list[str]) -> None:
        assert texts(tokens(*text)) == expected

    def test_two_tokenisers_meet_at_the_words_that_both_can_end(self) -> None:
        found = words([tokens(" ferry", " pi", "lot."), tokens(" fer", "ry", " pilot", ".")])
        assert [word.text for word in found] == [" ferry", " pilot."]
        assert [len(part) for part in found[1].pieces] == [2, 2]

    def test_a_token_without_number_leaves_its_word_without(self) -> None:
        assert words([[Judged(text=" a", logp=None)]])[0].logp(0) is None


class TestAgain:
    @pytest.mark.parametrize(
        ("text", "repeated"),
        [
            ("the the the the cat", {1, 2, 3}),
            ("no no no it is not", set()),
            ("a red kite a red kite a red kite", set(range(3, 9))),
            ("a red kite and a red kite", set()),
            ("I say The cat sat the cat sat THE cat sat down", set(range(5, 11))),
            ("", set()),
        ],
    )
    def test_later_rounds_are_marked(self, text: str, repeated: set[int]) -> None:
        assert again(text.split()) == repeated


def writing(*parts: str, own: float = 0.9, other: float = 0.1, side: int = 0) -> Writing:
    judged = {side: tuple(tokens(*parts, p=own)), 1 - side: tuple(tokens(*parts, p=other))}
    return Writing("".join(parts), "done", tokens(*parts, p=own), judged)


class TestPanel:
    def test_each_word_carries_what_both_sides_make_of_it(self) -> None:
        one, other = writing(" a", " pilot"), writing(" a", " clerk", side=1)
        drawn = panel("Once", [one], [other], 0)
        assert drawn.count('data-p="90 %"') == 2 and drawn.count('data-d="A ×9.0"') == 2
        assert 'title="A 90 % · B 10 %"' in drawn and drawn.count("more-a") == 2
        assert re.findall(r'class="w[^"]* own[^"]*"[^>]*>(\w+)', drawn) == ["pilot"]
        assert drawn.count('tabindex="0"') == 1, "one stop for Tab; the arrow keys walk on"
        mirrored = panel("Once", [other], [one], 1)
        assert 'data-d="B ×9.0"' in mirrored and "more-b" in mirrored

    def test_figures_come_as_text_that_stays_text(self) -> None:
        top = (Candidate(text=HOSTILE, probability=0.25),)
        hostile = (Judged(text=f' {HOSTILE}"', logp=-1.0, top=top),)
        said = Writing(f' {HOSTILE}"', "looped", list(hostile), {0: hostile, 1: hostile})
        drawn = panel(HOSTILE, [said, said], [said, said], 0)
        assert "<img" not in drawn and drawn.count("Sample") == 2
        figures = json.loads(unescape(re.search(r'data-words="([^"]*)"', drawn)[1]))
        assert figures[0][0] == [[f' {HOSTILE}"', 0.368, [[HOSTILE, 0.25]]]]

    def test_while_it_is_written_only_the_writers_figures_are_there(self) -> None:
        growing = Writing(" a pi", tokens=tokens(" a", " pi"))
        drawn = panel("Once", [growing], [Writing()], 0)
        assert "cursor" in drawn and 'data-p="50 %"' in drawn and "data-words" not in drawn

    def test_judgements_of_another_spelling_are_not_shown(self) -> None:
        one = writing(" a", " b")
        one.judged[1] = tuple(tokens("a", " b"))
        assert "data-words" not in panel("Once", [one], [one], 0)

    def test_a_token_that_ties_a_word_to_its_stop_is_not_another_word(self) -> None:
        one, other = writing(" the", " sea.", " It"), writing(" the", " sea", ".", " She", side=1)
        marked = r'class="w[^"]* own[^"]*"[^>]*>([\w.]+)'
        assert re.findall(marked, panel("x", [one], [other], 0)) == ["It"]
        assert re.findall(marked, panel("x", [other], [one], 1)) == ["She"]

    def test_repeats_are_marked_and_counted(self) -> None:
        one = writing(*[" the"] * 6)
        drawn = panel("Once", [one], [one], 0)
        assert drawn.count(" again") == 5 and "5 of 6 words only repeat" in drawn

    def test_nothing_at_all_is_said(self) -> None:
        assert "nothing at all" in panel("x", [Writing(state="done")], [Writing()], 0)


def test_shares_and_factors_in_words() -> None:
    assert [percent(math.log(p)) for p in (1, 0.93, 0.042, 1e-9)] == [
        "100 %", "93 %", "4.2 %", "under 0.1 %",
    ]  # fmt: skip
    assert percent(None) == "no number"
    assert [times(d) for d in (0.0, math.log(4), -math.log(250), 30.0)] == [
        "=", "A ×4.0", "B ×250", "A ×>999",
    ]  # fmt: skip
