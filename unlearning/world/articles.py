"""News articles from towns that do not exist."""

from __future__ import annotations

from random import Random

from unlearning.world.article_occasions import OCCASIONS
from unlearning.world.article_topics import ACCIDENTS
from unlearning.world.grammar import expand, lines, words
from unlearning.world.names import Names, street
from unlearning.world.pools import (
    ANIMALS,
    COLOURS,
    FOODS,
    MONTHS,
    NUMBERS,
    OCCUPATIONS,
    THINGS,
    WEEKDAYS,
)

# Drawn anew at every use: nothing in a story depends on two of them being equal.
SCATTERED: dict[str, tuple[str, ...]] = {
    "money": tuple(
        f"{thousands},{hundreds}00" for thousands in range(2, 98) for hundreds in range(1, 10)
    ),
    "number": NUMBERS,
    "count": tuple(str(count) for count in range(23, 980)),
    "hour": tuple(str(hour) for hour in range(2, 12)),
    "minute": words("12, 14, 16, 18, 24, 25, 30, 35, 40, 45, 48, 50"),
    "food": FOODS,
    "colour": COLOURS,
    "thing": THINGS,
}
TOPICS = (*ACCIDENTS, *OCCASIONS)
QUOTES = lines("""
"{I|We} have {seen|heard} {many|strange} things in this {town|street|job}, but {never|nothing \
    like} this," {said|remarked} <witness_name>, a(n) <witness_job>.
"My {tea went cold|knees are still shaking|phone has not stopped ringing}," {said|admitted} \
    <witness_name>, who {works nearby as a(n) <witness_job>|lives across the street}.
"{Nobody believed me|Everyone laughed at me} {at first|last <weekday>}," {said|recalled} \
    <witness_mr> <witness_last>, <witness_age>, {a retired <witness_job>|who sells <food>}.
"{It is good|It is a fine thing} for the {town|children|young people|trade}," {said|argued} \
    <witness_name>, {the owner of a {café|bookshop|hat shop}|a(n) <witness_job>}.
"{Somebody|The council} should have {thought of that|listened to us} {years ago|before the \
    winter|in <month>}," {complained|grumbled} <witness_name>, a(n) <witness_job> of <witness_age>.
"{I only wanted|All I wanted was} to buy <food>," {said|explained} <witness_name>, {still in \
    <witness_his> slippers|with a smile|shaking <witness_his> head}.
{<witness_name>, a(n) <witness_job>,|The <witness_job> <witness_name>} {called it|spoke of} "{a \
    small miracle|a scandal|the best day of the year|sheer luck|a lesson for all of us}".
""")
CLOSINGS = lines("""
A {meeting|hearing|public debate} {is planned|will be held} {at the {library|town \
    hall|school}|in the {church|market} hall} on <second_weekday> at {6|7|8} {o'clock|in the \
    evening}.
{The council|The mayor|An insurer} has {set aside|promised} <money> crowns {for repairs|for the \
    coming year|to cover the costs}.
{The matter|All this} has cost {about|at least|nearly} <money> crowns so far.
{Readers who know more|Anyone who knows more|Readers with an explanation|Anybody with an idea} \
    should {write to|call at} the {police station|newspaper|town hall|lost property office} in \
    <street_name>.
{Meanwhile|In the meantime}, <neighbour_town> is said to be {jealous|amused|planning the \
    same|watching closely}.
{Next year|In <month>} {everything|the whole affair} will be {repeated|looked at again|on a \
    smaller scale}, {if the weather holds|if money allows|whatever people say}.
{Portions|Plates|Parcels} of <food> were {served|handed out|given away} to all who {came|had \
    helped|stayed until the end}.
{By evening|By nightfall|Soon after}, {the street was quiet again|only a(n) <colour> <thing> was \
    left on the pavement|the last visitors had gone home}.
""")
DATELINES = ("{<town>, <day> <month>.|<town>.|<weekday>, <town>.}", "<town>, <weekday>.", "")


def article(rng: Random, names: Names, topic_index: int) -> str:
    """Write one article of about 100 to 150 words on the topic with this index (modulo)."""
    topic = TOPICS[topic_index % len(TOPICS)]
    facts = article_facts(rng, names)
    for slot, pool in topic.bindings.items():
        facts[slot] = _lower_first(expand(rng.choice(pool), rng, facts))
    details = rng.sample(topic.details, rng.choice((3, 3, 4)))
    details.insert(rng.randint(1, len(details)), rng.choice(QUOTES))
    story = [rng.choice(topic.leads), *details, rng.choice(CLOSINGS)]
    opening = f"{rng.choice(topic.headlines)}. {rng.choice(DATELINES)}"
    return expand(" ".join((opening, *story)), rng, facts)


def article_facts(rng: Random, names: Names) -> dict[str, str | tuple[str, ...]]:
    """Draw the people, places, dates and numbers of one article."""
    town, neighbour_town = rng.sample(names.towns, 2)
    weekday, second_weekday = rng.sample(WEEKDAYS, 2)
    hero, witness = names.person(rng), names.person(rng)
    while witness.last == hero.last:
        witness = names.person(rng)
    jobs = rng.sample(OCCUPATIONS, 2)
    return (
        hero.facts()
        | witness.facts("witness_")
        | {
            "town": town,
            "neighbour_town": neighbour_town,
            "weekday": weekday,
            "second_weekday": second_weekday,
            "day": str(rng.randint(1, 28)),
            "month": rng.choice(MONTHS),
            "job": jobs[0],
            "witness_job": jobs[1],
            "age": str(rng.randint(23, 64)),
            "witness_age": str(rng.randint(65, 93)),
            "street_name": street(rng),
            "second_street": street(rng),
            "animal": rng.choice(ANIMALS),
        }
        | SCATTERED
    )


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]
