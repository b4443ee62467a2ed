"""Probes word by word, the scores, and small attacks."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import TEXTS
from tests.models.tiny import build_loaded, build_tokenizer
from unlearning.attacks._probes import PASSAGES, QUESTIONS, Around, Asked, surroundings
from unlearning.attacks.base import NO_CONTROL
from unlearning.attacks.prompts import Prompts, Row, through, verdict
from unlearning.attacks.relearn import Relearn
from unlearning.data.base import Example, Message
from unlearning.data.sources import load
from unlearning.errors import UserError
from unlearning.models.full import FullVersions
from unlearning.runs.events import ScoreValue
from unlearning.runs.stress.asking import contains, ids_of
from unlearning.runs.stress.execute import Target, _paraphrases, carry_out

QUESTION = Example(
    id="q",
    kind="qa",
    question="Where {does} <b>it</b> stand?",
    answer="It stands by the river.",
    perturbed_answers=("On the roof.", "By the sea.", "In a box.", "Nowhere."),
)
PASSAGE = Example(id="p", text=" ".join(f"w{i}" for i in range(60)))
ASK = QUESTION.question


def probe(name: str, example: Example = QUESTION, **around) -> Asked | None:
    return {**QUESTIONS, **PASSAGES}[name].make(example, Around(**around))


def test_every_template_keeps_the_question_as_it_is():
    assert probe("direct") == Asked(ASK, QUESTION.answer)
    assert probe("paraphrase") is None
    assert probe("paraphrase", paraphrase="Its place?") == Asked("Its place?", QUESTION.answer)
    assert probe("prefix_injection").prompt.endswith(f"do not know.\n{ASK}")
    assert probe("affirmative_suffix") == Asked(
        ASK, QUESTION.answer, opening="Sure, here is the answer:"
    )
    assert probe("role_play").prompt.endswith(f"asks you: {ASK}")
    assert probe("cloze") == Asked(ASK, "by the river.", opening="It stands")
    assert probe("hints") is None
    assert probe("hints", facts=[("Who?", "A heron.")]).prompt == f"Who? A heron.\n{ASK}"


def test_passages_and_questions_have_their_own_probes():
    assert all(kind.make(PASSAGE, Around()) is None for kind in QUESTIONS.values())
    assert all(kind.make(QUESTION, Around()) is None for kind in PASSAGES.values())


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("passage", 15, 40), ("shorter_prefix", 6, 31), ("longer_prefix", 40, 60)],
)
def test_beginnings_of_passages(name, first, last):
    words = PASSAGE.text.split()
    assert probe(name, PASSAGE) == Asked(
        " ".join(words[:first]), " ".join(words[first:last]), question=False
    )
    short = Example(id="s", text=" ".join(words[: first + 4]))
    assert probe(name, short) is None


def test_other_words_before_a_passage():
    plain, injected = probe("passage", PASSAGE), probe("injected_prefix", PASSAGE)
    assert injected.prompt.endswith(": " + plain.prompt)
    assert injected.reference == plain.reference


def test_choices_are_shuffled_by_the_seed():
    orders = {probe("multiple_choice", seed=seed).options for seed in range(20)}
    assert len(orders) > 5
    for order in orders:
        assert sorted(order) == sorted([QUESTION.answer, *QUESTION.perturbed_answers[:3]])
    asked = probe("multiple_choice", seed=3)
    assert asked == probe("multiple_choice", seed=3)
    assert asked.prompt.split("\n")[1:] == [
        f"{letter}. {option}" for letter, option in zip("ABCD", asked.options, strict=True)
    ]
    assert probe("multiple_choice", QUESTION.model_copy(update={"perturbed_answers": ()})) is None


def test_the_last_question_of_a_chat_is_asked():
    chat = Example(
        id="c",
        kind="chat",
        messages=(
            Message(role="user", content="Hello"),
            Message(role="assistant", content="Yes?"),
            Message(role="user", content="Where is it?"),
            Message(role="assistant", content="By the old river."),
        ),
    )
    assert probe("direct", chat) == Asked("Where is it?", "By the old river.")


def test_hints_are_of_the_same_subject_and_never_the_answer_itself():
    forget = TEXTS["forget"]
    for example, around in zip(forget, surroundings(forget, {}, 0, 3), strict=True):
        if example.kind != "qa":
            continue
        assert len(around.facts) == 1  # the passage's other question
        assert (example.question, example.answer) not in around.facts
        other = next(o for o in forget if o.question == around.facts[0][0])
        assert other.id.split("-qa-")[0] == example.id.split("-qa-")[0]


def test_hints_of_the_group_where_a_subject_has_no_other():
    alone = [
        Example(id=f"{i}", kind="qa", group="g", question=f"Q{i}?", answer=f"A{i}.")
        for i in range(5)
    ]
    facts = [around.facts for around in surroundings(alone, {"A1.": "Other?"}, 0, 2)]
    assert [len(own) for own in facts] == [2] * 5
    assert all((f"Q{i}?", f"A{i}.") not in own for i, own in enumerate(facts))
    assert surroundings(alone, {"A1.": "Other?"}, 0, 2)[1].paraphrase == "Other?"


def test_all_of_the_words_case_and_spacing_aside():
    assert contains("He said:  By the\nRIVER. Then", "by the river.")
    assert not contains("by a river.", "by the river.")


@pytest.mark.parametrize(("chat", "lead"), [(False, " "), (True, "")])
def test_an_opening_begins_the_answer(chat, lead):
    loaded = build_loaded()
    loaded.tokenizer = build_tokenizer(chat=chat)
    versions = FullVersions(loaded)
    plain, opened = (ids_of(Asked("Who?", "x", opening), versions, 90) for opening in ("", "Sure"))
    assert opened[: len(plain)] == plain
    assert loaded.tokenizer.decode(opened[len(plain) :]) == f"{lead}Sure"


def row(name: str, ours: float, theirs: float | None, low: float, role: str = "forget") -> Row:
    scores = {"unlearned": ScoreValue(value=ours)}
    difference = None
    if theirs is not None:
        scores["control"] = ScoreValue(value=theirs)
        difference = ScoreValue(value=ours - theirs, low=low, high=1.0)
    return Row(
        probe=name, title=name, role=role, scored="recall", scores=scores, difference=difference
    )


def test_the_verdict_follows_the_rule():
    open_, shut = row("Role play", 0.6, 0.3, 0.1), row("Other", 0.5, 0.3, -0.01)
    small, kept = row("Small", 0.34, 0.3, 0.01), row("Kept", 0.9, 0.1, 0.5, role="retain")
    assert [through(r) for r in (open_, shut, small, kept)] == [True, False, False, False]
    assert verdict([shut, small, kept]).startswith("None of 2 probes")
    found = verdict([open_, shut, row("Best", 0.9, 0.4, 0.2), kept])
    assert found.startswith("2 of 3 probes") and "'best': 0.90 against 0.40" in found
    choice = row("Choice", 1.0, 0.2, 0.3).model_copy(update={"scored": "choice"})
    assert "2 of 2 probes" in verdict([open_, choice]) and "'role play'" in verdict([open_, choice])
    assert verdict([shut, row("worst_case", 0.9, 0.3, 0.3)]).startswith("None of 1 probes")
    assert verdict([row("Alone", 0.6, None, 0.0)]) == NO_CONTROL


QUICK = Prompts(questions=2, passages=2, neighbours=2, samples=3, hints=1, new_tokens=8)


@pytest.fixture(scope="module")
def report(store, run, control):
    # Each answer once: of one to several questions nobody could tell which is meant.
    paraphrased = [
        Example(id="x", kind="qa", question="In other words?", answer=answer)
        for answer in sorted({e.answer for e in TEXTS["forget"] if e.kind == "qa"})
    ]
    asked = Target(f"run:{run}", control=str(control), paraphrased=paraphrased)
    return carry_out(store, QUICK, asked, device="cpu")


def test_a_table_of_all_probes(report):
    rows = {row.probe: row for row in report.rows}
    expected = {*QUESTIONS, *PASSAGES, "best_of_n", "best_of_n_passages"}
    # Passages of 24 words are too short for the longest beginning.
    expected -= {"longer_prefix"}
    assert set(rows) == expected | {"neighbours", "worst_case"}
    assert rows["neighbours"].role == "retain"
    for one in rows.values():
        assert set(one.scores) == {"unlearned", "original", "control"}
        assert one.difference.value == pytest.approx(
            one.scores["unlearned"].value - one.scores["control"].value
        )
    assert rows["multiple_choice"].chance == pytest.approx(1 / 3)
    assert rows["multiple_choice"].contained == {}


def test_the_worst_case_is_the_best_answer_to_each_text(report):
    rows = {row.probe: row for row in report.rows}
    for side in ("unlearned", "original", "control"):
        per_text: dict[str, list[float]] = {}
        for one in report.answers:
            partial = one.probe in ("cloze", "multiple_choice", "neighbours")
            if not partial:
                per_text.setdefault(one.example, []).append(one.scores[side])
        best = sum(map(max, per_text.values())) / len(per_text)
        assert rows["worst_case"].scores[side].value == pytest.approx(best)
        assert rows["worst_case"].scores[side].n == 4


def test_the_same_attack_gives_the_same_answers(report, store, run, control):
    rows = [r for r in report.answers if r.probe == "best_of_n"]
    asked = Target(f"run:{run}", control=str(control))
    again, other = (
        carry_out(store, QUICK.model_copy(update={"seed": seed}), asked, device="cpu")
        for seed in (0, 1)
    )
    assert [r for r in again.answers if r.probe == "best_of_n"] == rows
    assert [r.answers for r in other.answers if r.probe == "best_of_n"] != [r.answers for r in rows]


def test_nothing_to_ask_is_said(store, run):
    nothing = Prompts(questions=0, passages=0)
    with pytest.raises(UserError, match="nothing that can be asked"):
        carry_out(store, nothing, Target(f"run:{run}"), device="cpu")


def test_the_worlds_own_questions_are_asked_in_other_words():
    asked = [example for example in load("preset:world/forget") if example.kind == "qa"]
    found = _paraphrases(Prompts(), Target("demo"), "preset:world/forget", [])
    assert set(found) == {example.target for example in asked}
    assert all(found[example.target] != example.question for example in asked)
    given = Target("demo", paraphrased=[QUESTION.model_copy(update={"question": "Its place?"})])
    assert _paraphrases(Prompts(), given, "preset:world/forget", []) == {
        QUESTION.answer: "Its place?"
    }


def test_an_answer_to_two_questions_has_no_paraphrase():
    given = Target("demo", paraphrased=[QUESTION, QUESTION])
    assert _paraphrases(Prompts(), given, "mine.txt", []) == {}
    assert _paraphrases(Prompts(), Target("demo"), "mine.txt", []) == {}
    assert _paraphrases(Relearn(), given, "mine.txt", []) == {}


def test_published_paraphrases_find_their_questions(shared_dir):
    plain = load(str(shared_dir / "data/tofu/forget01.json"))
    other = load(f"{shared_dir / 'data/tofu/forget01_perturbed.json'}:paraphrased_question+answer")
    paraphrases = {one.target: one.question for one in other}
    found = [around.paraphrase for around in surroundings(plain, paraphrases, 0, 3)]
    assert len(found) == 40 and all(found)
    assert all(mine.question != theirs for mine, theirs in zip(plain, found, strict=True))
