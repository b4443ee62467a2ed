"""The generated texts: same every time, consistent, invented, and kept apart by split."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from unlearning.world.authors import author_facts
from unlearning.world.corpus import FILES, SHARES, private_rows, serialise
from unlearning.world.documents import text_of
from unlearning.world.names import deal, street
from unlearning.world.pools import MONTHS
from unlearning.world.records import record_facts

PRIVATE = ("forget", "retain", "holdout")
PHONE = re.compile(r"01632 960\d{3}|07700 900\d{3}|555-01\d\d")
PHONE_LIKE = re.compile(r"\b0\d{3,4}[ -]\d{3}[ -]?\d{3,4}\b|\b555-\d+|\+\d{6,}|\(\d{3}\) ?\d{3}")
MAIL_LIKE = re.compile(r"\S+@\S+")
RESERVED_MAIL = re.compile(r"[\w.]+@(?:[a-z]+\.(?:example|test)|[a-z]+\.example\.(?:com|org))")


@pytest.fixture(scope="module")
def everything(shipped):
    return {name: "\n".join(_texts(rows)) for name, rows in shipped.items()}


def _texts(rows):
    for row in rows:
        yield row.get("text") or " ".join([row["question"], str(row["answer"])])
        yield row.get("paraphrased_answer", "")
        yield from row.get("perturbed_answers", [])
        yield from row.get("choices", [])


def test_shipped_files_are_what_the_default_seed_gives(world, assets):
    for name in FILES:
        shipped = (assets / "world" / f"{name}.jsonl").read_text(encoding="utf-8")
        assert shipped == serialise(world[name]), name


def test_another_seed_gives_another_world(world):
    names = deal(Random("99:names"), SHARES)["forget"]
    other = private_rows(99, "forget", names, set())
    assert not {text_of(row) for row in other} & {text_of(row) for row in world["forget"]}


def test_rows_fit_the_schema(shipped):
    for name in set(FILES) - {"multiple_choice"}:
        for row in shipped[name]:
            assert row["group"] in {"author", "article", "record", "general"}
            if row["kind"] == "passage":
                assert set(row) == {"id", "kind", "group", "text"}
                assert row["text"].strip() == row["text"] != ""
            else:
                assert row["kind"] == "qa"
                assert row["question"] and row["answer"]
            if name in PRIVATE and row["kind"] == "qa":
                assert row["paraphrased_answer"]
                assert len(row["perturbed_answers"]) == 5
    for row in shipped["multiple_choice"]:
        assert set(row) == {"id", "question", "choices", "answer"}
        assert len(set(row["choices"])) == 4
        assert row["answer"] in range(4)


def test_identities_are_unique(shipped):
    counted = Counter(row["id"] for rows in shipped.values() for row in rows)
    assert counted.most_common(1)[0][1] == 1


def test_sizes(shipped):
    kinds = {name: Counter(_kind(row) for row in shipped[name]) for name in PRIVATE}
    for name in ("forget", "holdout"):
        assert kinds[name] == {"author": 6, "author qa": 48, "article": 12, "record": 12}
    assert kinds["retain"] == {"author": 54, "author qa": 432, "article": 108, "record": 48}
    assert len(shipped["general"]) > 4000
    assert len(shipped["multiple_choice"]) == 40


def _kind(row):
    return row["group"] + (" qa" if row["kind"] == "qa" else "")


def test_no_template_mark_is_left(everything):
    for name, text in everything.items():
        assert not re.search(r"[{}<>|\\]|\(n\)| {2}| \.", text), name


def test_articles_and_capitals(everything):
    wrong_a = re.compile(r"\b[Aa] [aeio]\w+|\b[Aa]n [bcdfgjklmnpqrstvwxyz]\w*")
    for name, text in everything.items():
        found = {match for match in wrong_a.findall(text) if not re.match(r"[Aa] (one|eu)", match)}
        assert not found, name
        assert not re.search(r"[a-z]\. [a-z]", text), name


def test_names_of_the_splits_do_not_meet(everything):
    names = deal(Random("1234:names"), SHARES)
    for own, dealt in names.items():
        for other in set(FILES) - {own, "multiple_choice"}:
            words = set(re.findall(r"\w+", everything[other]))
            assert not words & set(dealt.surnames), (own, other)
            assert not words & set(dealt.towns), (own, other)


def test_no_question_or_passage_of_holdout_was_trained_on(shipped):
    trained = {text_of(row) for name in ("forget", "retain", "general") for row in shipped[name]}
    assert not trained & {text_of(row) for row in shipped["holdout"]}
    assert not trained & {text_of(row) for row in shipped["general_validation"]}


def test_telephones_and_addresses_are_reserved_for_fiction(everything):
    phones = mails = 0
    for text in everything.values():
        for found in PHONE_LIKE.findall(text):
            assert PHONE.fullmatch(found), found
            phones += 1
        for found in MAIL_LIKE.findall(text):
            assert RESERVED_MAIL.fullmatch(found.rstrip('.,;:")')), found
            mails += 1
        assert not re.search(r"https?:|www\.", text)
    assert phones > 80
    assert mails > 60


def test_perturbed_answers_are_wrong_and_of_the_same_form(shipped):
    for name in PRIVATE:
        for row in (row for row in shipped[name] if row["kind"] == "qa"):
            wrong, true = row["perturbed_answers"], row["answer"]
            assert len({true, *wrong}) == 6
            assert row["paraphrased_answer"] != true
            assert all(text.endswith(true[-1]) for text in wrong)
            assert all(text[0].isupper() or text[0].isdigit() for text in (true, *wrong))


def test_dates_and_ages_agree():
    names = deal(Random(5), SHARES)["retain"]
    for seed in range(200):
        facts = author_facts(Random(seed), names)
        years = [int(facts[key]) for key in ("birth_year", "debut_year", "famous_year")]
        years += [int(facts["award_year"]), int(facts["move_year"])]
        assert years == sorted(set(years))
        assert years[-1] <= 2022
        assert int(facts["debut_age"]) == years[1] - years[0]
        assert _is_date(facts["birth_day"])
        person = record_facts(Random(seed), names)
        assert _is_date(person["birth"])
        assert int(person["turns"]) + int(person["birth"].split()[-1]) == 2024
        assert 18 <= int(person["turns"]) <= 100


def _is_date(text):
    day, month, year = text.split()
    return 1 <= int(day) <= 28 and month in MONTHS and 1900 < int(year) < 2020


def test_a_biography_keeps_one_pronoun(shipped):
    for name in PRIVATE:
        for row in shipped[name]:
            if row["id"].count("-") == 2 and row["group"] == "author":
                words = set(re.findall(r"[a-z]+", row["text"].lower()))
                assert bool(words & {"he", "his"}) != bool(words & {"she", "her"}), row["id"]


def test_multiple_choice_asks_for_stated_facts_in_new_words(shipped):
    told = {row["question"]: row["answer"] for row in shipped["general"] if row["kind"] == "qa"}
    stated = set(told.values())
    for row in shipped["multiple_choice"]:
        assert row["choices"][row["answer"]] in stated
        assert row["question"] not in told


def test_streets_are_two_words():
    assert {len(street(Random(seed)).split()) for seed in range(50)} == {2}
