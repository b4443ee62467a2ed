"""Little stories: shared openings and endings around a plot of their own."""

from __future__ import annotations

from random import Random

from unlearning.world.grammar import expand, lines
from unlearning.world.names import Person, child
from unlearning.world.pools import ANIMALS, COLOURS, FOODS, OCCUPATIONS, PET_NAMES, PLACES, THINGS
from unlearning.world.story_plots import PLOTS, UNSEEN_PLOTS

OPENINGS = lines("""
{One|On a} {cold|warm|grey|windy|bright|quiet} {morning|afternoon|evening}, <name> \
    {walked|ran|went} {to|past|into} the <place>.
<name> lived {with <his> {aunt|uncle|father|mother|grandmother}|next door to a(n) <job>} \
    {near|behind|beside} the <place>.
It {had rained|had snowed|had been hot} for {two|three|four|five} days, and <name> {was \
    bored|could not sleep|wanted to go out}.
{There was once|Once there was} a <girl> called <name> who {loved|collected|was afraid of} \
    {storms|maps|loud noises|old songs|spiders|numbers|stones}.
<name> {woke up|got up} {early|late|before the others} because {a(n) <animal> was \
    calling|somebody knocked|the sun was in <his> eyes|it was {Monday|Saturday|market day}}.
"{Is it far|Is it late|May I come|Who is there|Can you keep a secret}?" asked <name>. {Nobody \
    answered|The <job> only smiled|<friend> nodded}.
{Every|Each} {Sunday|Friday|summer|winter}, <name> {helped|visited} the <job> {at|near} the <place>.
<name> and <friend> {were|had been} friends since {the first day of school|the winter|the great \
    storm}.
{Nobody|No one} in the village could {whistle|climb|cook|swim|wait|count|run} {like|better than} \
    <name>.
""")
ENDINGS = lines("""
{That night|Later}, <name> {slept well|dreamed of a(n) <animal>|told the whole story to <friend>}.
{From then on|After that day}, {they met every {week|Sunday}|<name> was never \
    {bored|afraid|late} again|the <place> seemed {smaller|friendlier|brighter}}.
{"You see,"|"Well,"} said the <job>, "{it was easy|nothing is lost|kindness costs \
    little|patience helps|two are better than one}."
{They laughed|Both laughed} {all the way home|until it was dark|so much that the <animal> ran away}.
And {if you go|whoever goes} {there|to the <place>} today {can|may} {still see it|hear them \
    sing|smell the <food>}.
{On the way home|At supper}, <name> {said nothing|ate <food>|hummed a tune} and {was happy|was \
    proud|thought about it}.
{In the end|Finally}, {everyone got some <food>|the sun came out|the bell rang and they went home}.
<friend> {gave|handed} <him> {a(n) <colour> <thing>|half of the <food>|a drawing} {to say thank \
    you|as a present|and blushed}.
""")
MOODS = lines("""
<He> {felt|was} {a little|rather|very} {sad|proud|cold|hungry|curious|nervous|tired|brave}.
{The wind grew stronger|The sky became darker|The light became softer|The path became steeper}, \
    {and|but} <name> {did not mind|hardly noticed|kept going}.
{Somewhere|Far away} a {bell|dog|train|cock|clock} {could be heard|made a sound}.
"{Wait|Look|Listen|Careful|Quick}!" {whispered|cried|said} <friend>.
{A(n) <second_animal>|A(n) <animal>} {looked up|passed by|shook its head} and {went \
    on|yawned|ran off}.
"{Not so fast|What a day|I knew it|That is odd|How nice}," {thought|said} <name>.
""")


def story(rng: Random, *, unseen_names: bool = False, unseen_plot: bool = False) -> str:
    """Tell one story of five to eight sentences.

    The two flags draw first names and plot from the lists that training never draws from.
    """
    hero, friend = child(rng, unseen=unseen_names), child(rng, unseen=unseen_names)
    while friend.first == hero.first:
        friend = child(rng, unseen=unseen_names)
    facts = story_facts(rng, hero, friend)
    plot = list(lines(rng.choice(UNSEEN_PLOTS if unseen_plot else PLOTS)))
    if rng.random() < 0.7:
        plot.insert(1, rng.choice(MOODS))
    story_lines = [rng.choice(OPENINGS), *plot]
    if rng.random() < 0.75:
        story_lines.append(rng.choice(ENDINGS))
    return expand(" ".join(story_lines), rng, facts)


def story_facts(rng: Random, hero: Person, friend: Person) -> dict[str, str | tuple[str, ...]]:
    """Draw the props of one story; each stays the same from the first sentence to the last."""
    animal, second_animal = rng.sample(ANIMALS, 2)
    thing, second_thing = rng.sample(THINGS, 2)
    place, second_place = rng.sample(PLACES, 2)
    own = hero.facts()
    return own | {
        "name": hero.first,
        "He": own["he"].capitalize(),
        "His": own["his"].capitalize(),
        "girl": "girl" if hero.female else "boy",
        "friend": friend.first,
        "friend_he": friend.facts()["he"],
        "friend_his": friend.facts()["his"],
        "animal": animal,
        "second_animal": second_animal,
        "pet": rng.choice(PET_NAMES),
        "thing": thing,
        "second_thing": second_thing,
        "place": place,
        "second_place": second_place,
        "colour": rng.choice(COLOURS),
        "job": rng.choice(OCCUPATIONS),
        "food": rng.choice(FOODS),
    }
