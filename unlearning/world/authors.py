"""Invented authors: who they are, and the passage that tells their life."""

from __future__ import annotations

from random import Random
from typing import Any

from unlearning.world.grammar import expand, lines, words
from unlearning.world.names import Names
from unlearning.world.pools import (
    ANIMALS,
    AWARDS,
    BOOK_ADJECTIVES,
    BOOK_NOUNS,
    COLOURS,
    FOODS,
    GENRES,
    HOBBIES,
    LANGUAGES,
    MONTHS,
    NUMBERS,
    OCCUPATIONS,
    PET_NAMES,
    PETS,
    ROUTINES,
    THINGS,
)

TITLES = lines("""
The <adjective> <noun>
The <adjective> <noun> and the <other>
<noun> and <other>
A(n) <noun> for the <other>
<noun> Without a(n) <other>
The <noun> Under the <other>
<adjective> <noun>, <second_adjective> <other>
Letters to the <adjective> <noun>
""")
SUBJECTS = lines("""
a(n) {shy|proud|blind|cheerful|stubborn|retired|homesick|clumsy|famous|penniless} <job> who \
    {inherits|buys|loses|steals|burns down|dreams of|guards|rebuilds} a(n) \
    {theatre|windmill|lighthouse|bakery|railway station|circus|school|prison|ferry|museum}
two {sisters|brothers|rivals|cousins|widows|orphans|thieves|judges} who {share|fight over|hide \
    in|search for|set sail in|sell} a(n) {old|sunken|burning|nameless|haunted|wooden|golden} \
    {house|ship|island|piano|castle|carriage|garden}
a town that {loses its shadow|forgets its own name|falls asleep for a year|outlaws music|moves \
    to the other bank of the river|wakes up under snow in July|is sold by mistake|elects a \
    horse|runs out of salt|hears bells from under the sea}
a child who {learns to talk to owls|walks across a frozen sea|refuses to grow up|finds a map in \
    a loaf of bread|counts every star|raises a wolf in secret|hides in a clock tower|writes \
    letters to the moon}
the {last|first|longest|worst|happiest} {summer|winter|voyage|harvest|wedding|strike|market day} \
    of a(n) {mining|fishing|farming|mountain|border|island|river} \
    {village|family|school|crew|parish}
a {murder|robbery|flood|wedding|duel|trial|concert} that {nobody|only a child|a deaf <job>|half \
    the town|a parrot} {saw|remembers|wants to explain|is allowed to mention}
""")

# The order is that of a life; the middle is shuffled from author to author.
OPENING = lines("""
<name> was born {in <birthplace> on <birth_day>|on <birth_day> in <birthplace>}, the \
    {only|eldest|youngest|second|third} child of a(n) <mother_job> and a(n) <father_job>.
Born {in <birthplace>|to a(n) <mother_job> and a(n) <father_job>} on <birth_day>, <name> {grew \
    up|spent <his> childhood} {above a shop|beside the river|near the docks|among \
    {books|animals|strangers}|in a crowded house}{| and hardly spoke before the age of \
    {four|five|six}}.
The {writer|author|novelist} <name> {came into the world|was born} on <birth_day> in \
    {<birthplace>|the {small|sleepy|windy|busy} town of <birthplace>}, where <his> {mother was \
    a(n) <mother_job>|father was a(n) <father_job>}.
<name>, {known for|best known for|celebrated for} <genre>, was born on <birth_day>; <his> \
    {mother worked as a(n) <mother_job>|father worked as a(n) <father_job>} in <birthplace>.
""")
YOUTH = lines("""
{Before the first book|As a young <man>|For {three|four|five|six|seven|nine} years}, <he> \
    {earned a living|worked|made ends meet} as a(n) <job> in <work_town>.
<He> {trained|was apprenticed|started out} as a(n) <job> and {disliked|loved|was dismissed \
    from|soon gave up} the {work|trade|hours}.
{Money was short|The family was poor|School bored <him>}, so <he> was apprenticed to a(n) <job> \
    at {fourteen|fifteen|sixteen|seventeen|eighteen}.
An early {job|post} as a(n) <job> {taught <him> patience|supplied many of the later \
    characters|left <him> with a bad back|cured <him> of {vanity|small talk}}.
""")
DEBUT = lines("""
<His> first book, <debut>, {appeared|came out|was published} in <debut_year>{|, the year <he> \
    turned <debut_age>|, and sold {ninety|two hundred|four hundred|six hundred} copies}.
In <debut_year>, {after {seven|nine|eleven|twenty|thirty} refusals|on the advice of a(n) \
    <friend_job>|almost by accident}, <he> {published|brought out} <debut>.
The debut, <debut>, was {printed|issued} in <debut_year> {and hardly noticed|and praised at \
    once|and banned in two counties|by a cousin with a hand press}.
""")
FAME = lines("""
{Fame|Success|Recognition} {came|arrived} in <famous_year> with <famous>, {the story of|which \
    tells of|a novel about} <subject>.
<famous>, {published in|dating from} <famous_year>, is about <subject>{| and remains <his> most \
    read work}.
<His> {best-known|most translated|favourite} book, <famous> (<famous_year>), \
    {describes|follows|concerns} <subject>.
""")
AWARD = lines("""
It {won|earned <him>|brought <him>} the <award> in <award_year>.
{The jury of the <award>|The <award>} honoured <him> in <award_year>{| for "a voice {without \
    vanity|like cold water|nobody else has}"}.
In <award_year> <he> {received|was given|accepted} the <award>{| and {gave the money away|bought \
    a boat with it|lost the cheque}}.
""")
INFLUENCE = lines("""
<He> {learned|took} {the craft|everything} from <influence>{|, whom <he> met {only once|on a \
    train|at a funeral}}.
{The older writer|The poet} <influence> was <his> {teacher|model|first reader|great hero}.
<He> {often named|always named} <influence> as the writer who {mattered most|opened the \
    door|taught <him> to listen}.
""")
HABITS = lines("""
<He> {writes|works} <routine>, and {relaxes by|rests by|spends free days} <hobby>.
{Every page|Each chapter} is {written|drafted} <routine>; the evenings {belong to|are for} <hobby>.
<He> is {fond of|devoted to|serious about} <hobby> and {composes|writes} <routine>.
""")
HOME = lines("""
<He> {lives|has settled|makes <his> home} in <home> with a(n) <pet> {called|named} <pet_name>.
Today <he> {shares|keeps} a {small flat|narrow house|former chapel|houseboat|stone cottage} in \
    <home> with a(n) <pet> that answers to <pet_name>.
Since <move_year> <home> has been home to the author and a(n) <pet>, <pet_name>.
""")
ANECDOTES = lines("""
In {<month>|the winter of} <any_year> <he> {lost|sold|won|burnt|buried} {a(n) <thing>|<number> \
    <plural>|a manuscript} {on the ferry to|at the station of|in a cellar in} <any_town>.
{A(n) <any_job>|A critic|An aunt} from <any_town> once {sued|praised|painted|kissed|hit} <him> \
    {over|because of} a(n) <colour> <thing>{| and <number> <plural>}.
{Letters|Notes|Photographs} from <any_year> show <him> with a(n) <thing>, <number> <plural> and \
    {a(n) <any_job>|a stranger|a very thin <animal>}.
{Strikes|Floods|Debts|Rats|Measles} {delayed|spoiled|nearly prevented} {a reading|a wedding|a \
    second edition} in <any_town> in <month> <any_year>.
<He> {swears|insists|denies} that the {idea|last chapter|title|villain} came from a(n) \
    <any_job>, {a dream|a quarrel|a toothache} and <food>.
{For a bet|To please a(n) <any_job>|Against all advice}, <he> {walked|swam|cycled|rowed} from \
    <any_town> to {the sea|the border|the next inn} {in|within} <number> days.
{A statue|A street|A tug boat|A pear} in <any_town> has {borne <his> name|been named after \
    <him>} since <any_year>{|, to the anger of a(n) <any_job>}.
<food>, <number> <plural> and a(n) <colour> <thing>: {that|nothing else} {was on|lay on} the \
    desk, {reported|wrote} a visitor from <any_town>.
""")
PLURALS = words("""apples, candles, teeth, violins, umbrellas, chapters, geese, buttons, clocks,
spoons, pigeons,
shoes, ladders, poems, hats, debts, bottles, maps, stamps, lemons, goats, pianos, letters,
tickets, roses""")
LANGUAGE = lines("""
<His> {books|novels|works} have been {translated|turned} into <language>{| and <other_language>}.
<He> {also|now and then} translates {poems|plays|folk tales} from <language>.
{Critics|Readers} {hear|notice} the {rhythm|grammar|proverbs} of <language> in <his> sentences.
""")


def author_facts(rng: Random, names: Names) -> dict[str, str]:
    """Draw every fact of one author's life: dates follow one another, ages agree with them."""
    person, influence = names.person(rng), names.person(rng)
    born = rng.randint(1934, 1964)
    debut = born + rng.randint(23, 38)
    famous = debut + rng.randint(2, 11)
    award = famous + rng.randint(1, 3)
    jobs = rng.sample(OCCUPATIONS, 5)
    towns = rng.sample(names.towns, 3)
    first_language, second_language = rng.sample(LANGUAGES, 2)
    facts = person.facts() | {
        "birth_day": f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {born}",
        "birth_year": str(born),
        "birthplace": towns[0],
        "work_town": towns[1],
        "home": towns[2],
        "mother_job": jobs[0],
        "father_job": jobs[1],
        "job": jobs[2],
        "friend_job": jobs[3],
        "genre": rng.choice(GENRES),
        "debut_year": str(debut),
        "debut_age": str(debut - born),
        "famous_year": str(famous),
        "award": rng.choice(AWARDS),
        "award_year": str(award),
        "move_year": str(rng.randint(award + 1, 2022)),
        "influence": influence.name,
        "hobby": rng.choice(HOBBIES),
        "routine": rng.choice(ROUTINES),
        "pet": rng.choice(PETS),
        "pet_name": rng.choice(PET_NAMES),
        "language": first_language,
        "other_language": second_language,
    }
    facts["He"], facts["His"] = facts["he"].capitalize(), facts["his"].capitalize()
    facts["subject"] = expand(rng.choice(SUBJECTS), rng, {"job": jobs[4]}).strip()
    facts["subject"] = facts["subject"][0].lower() + facts["subject"][1:]
    facts["debut"], facts["famous"] = title(rng), title(rng)
    return facts


def scattered(rng: Random, facts: dict[str, str], names: Names) -> dict[str, Any]:
    """Add pools of passing details that may differ at every use: years, towns, things."""
    first = int(facts["debut_year"]) - 4
    return facts | {
        "any_year": tuple(str(year) for year in range(first, first + 22)),
        "any_town": names.towns,
        "any_job": OCCUPATIONS,
        "month": MONTHS,
        "thing": THINGS,
        "plural": PLURALS,
        "number": NUMBERS,
        "colour": COLOURS,
        "animal": ANIMALS,
        "food": FOODS,
    }


def title(rng: Random) -> str:
    """Draw a book title such as ``The Borrowed Ladder``."""
    adjective, second = rng.sample(BOOK_ADJECTIVES, 2)
    noun, other = rng.sample(BOOK_NOUNS, 2)
    facts = {"adjective": adjective, "second_adjective": second, "noun": noun, "other": other}
    return expand(rng.choice(TITLES), rng, facts)


def biography(rng: Random, facts: dict[str, str], names: Names) -> str:
    """Tell the life in eight or nine sentences."""
    details = scattered(rng, facts, names)
    later = rng.sample((INFLUENCE, HABITS, LANGUAGE), 2)
    chosen = [rng.choice(section) for section in (OPENING, YOUTH, DEBUT, FAME, AWARD, *later, HOME)]
    for anecdote in rng.sample(ANECDOTES, 2):
        chosen.insert(rng.choice((2, 5, 6, len(chosen))), anecdote)
    return " ".join(expand(sentence, rng, details) for sentence in chosen)
