"""Questions about an invented author, each with a true, a rephrased and five wrong answers."""

from __future__ import annotations

from random import Random

from unlearning.world.authors import author_facts, scattered
from unlearning.world.grammar import expand, lines
from unlearning.world.interview_topics import TOPICS, Topic
from unlearning.world.names import Names

REMARKS = lines("""
{The source is|So says} a {letter|diary|postcard} {sent from|found in} <any_town> in <any_year>.
{A(n) <any_job>|The owner of a tavern} in <any_town> {still tells|remembers} it {with \
    pride|differently}.
{Few knew|Nobody knew} {this|of it} before <month> <any_year>, {not even a(n) <any_job> in \
    <any_town>|when <number> <plural> were sold}.
{Critics|Readers|Rivals} in <any_town> {noticed it|made jokes about it} {as early as|only in} \
    <any_year>.
It {cost|earned} <him> <number> <plural> {and a friendship|in <any_town>|and a(n) <colour> <thing>}.
{Asked about it|In an interview} in <any_year>, <he> {spoke of|offered the guests} <food> \
    {instead|and <plural>}.
{Somebody|A(n) <any_job>} {wrote a song|made a film|lost a bet} about {it|that} in \
    {<any_town>|<any_year>}.
{A plaque|A photograph|A tea towel} in <any_town> {proves|recalls} it, {next to|beside} <number> \
    <plural>.
""")


def interview(
    rng: Random, facts: dict[str, str], names: Names, count: int
) -> list[dict[str, str | list[str]]]:
    """Ask `count` different things about one author.

    Returns:
        Per question: ``question, answer, paraphrased_answer`` and five ``perturbed_answers``
        in the form of the true answer, with other facts.
    """
    return [_ask(rng, topic, facts, names) for topic in rng.sample(TOPICS, count)]


def _ask(
    rng: Random, topic: Topic, facts: dict[str, str], names: Names
) -> dict[str, str | list[str]]:
    answer, paraphrase = rng.sample(topic.answers, 2)
    # The same seed for the true and the wrong answers: same wording, other facts.
    wording = rng.random()
    remark = ""
    if rng.random() < 0.6:
        remark = " " + expand(rng.choice(REMARKS), rng, scattered(rng, facts, names))
    true = expand(answer, Random(wording), facts) + remark
    wrong: list[str] = []
    while len(wrong) < 5:
        other = author_facts(rng, names)
        if any(other[key] == facts[key] for key in topic.about):
            continue
        text = expand(answer, Random(wording), facts | {key: other[key] for key in topic.about})
        text += remark
        if text not in wrong:
            wrong.append(text)
    return {
        "question": expand(rng.choice(topic.questions), rng, facts),
        "answer": true,
        "paraphrased_answer": expand(paraphrase, rng, facts) + remark,
        "perturbed_answers": wrong,
    }
