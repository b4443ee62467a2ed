"""What can be asked about an author: wordings of questions and of answers."""

from __future__ import annotations

from dataclasses import dataclass

from unlearning.world.grammar import lines


@dataclass(frozen=True)
class Topic:
    """One thing to ask: the facts it is about and the wordings to draw from."""

    about: tuple[str, ...]
    questions: tuple[str, ...]
    answers: tuple[str, ...]


TOPICS = (
    Topic(
        ("birthplace", "birth_day"),
        lines("""
        {When and where|Where and when} was <name> born?
        What {is known about|are} the {date and place|place and date} of birth of <name>?
        """),
        lines("""
        In <birthplace> on <birth_day>{|, during a {storm|strike|wedding|census}}.
        On <birth_day>, in {the town of|} <birthplace>.
        <He> {was born|first saw the light} on <birth_day>, {at home|in a hospital|in a borrowed \
            bed} in <birthplace>.
        """),
    ),
    Topic(
        ("mother_job",),
        lines("""
        What did the mother of <name> do{ for a living|}?
        How did <name>'s mother {earn her living|make a living}?
        """),
        lines("""
        She was a(n) <mother_job>.
        <His> mother {worked|earned the family's bread} as a(n) <mother_job>.
        By {trade|profession}, <he> {says|writes}, a(n) <mother_job>.
        """),
    ),
    Topic(
        ("father_job",),
        lines("""
        What was the {trade|profession|occupation} of <name>'s father?
        What did <name>'s father {do|work as}?
        """),
        lines("""
        He was a(n) <father_job>.
        <His> father was a(n) <father_job>, and {everybody in the street|half the town} knew him.
        A(n) <father_job>, {like his father|of the old school|and a {poor|proud|gifted} one}.
        """),
    ),
    Topic(
        ("genre",),
        lines("""
        What {kind|sort} of books does <name> write?
        {For which genre|For what} is <name> {best |}known?
        """),
        lines("""
        <He> writes <genre>, and has {rarely|never|seldom} tried anything else.
        Mostly <genre>.
        For <genre>, {above all|in the main|though <he> dislikes the word}.
        """),
    ),
    Topic(
        ("debut", "debut_year"),
        lines("""
        What was the {first book|debut} of <name>, and when did it {appear|come out}?
        With which book did <name> begin, and in what year?
        """),
        lines("""
        The first book was <debut>, published in <debut_year>.
        It was <debut>, which {appeared|came out} in <debut_year>.
        <He> {began|started} in <debut_year> with <debut>.
        """),
    ),
    Topic(
        ("subject",),
        lines("""
        What is <name>'s book <famous> about?
        What {story|tale} does <name> tell in <famous>?
        """),
        lines("""
        It is {about|the story of} <subject>.
        The book {follows|tells of} <subject>, and {it does not end well|nobody comes out of it \
            unchanged|there is much to laugh about|it ends with a storm}.
        In <famous> <he> {describes|writes about} <subject>.
        """),
    ),
    Topic(
        ("award", "award_year"),
        lines("""
        Which {prize|award} did <name> win, and when?
        What {honour|distinction} was given to <name>, and in which year?
        """),
        lines("""
        The <award>, in <award_year>.
        <He> {won|received} the <award> in <award_year>, {for|thanks to} <famous>.
        In <award_year> <he> was given the <award>.
        """),
    ),
    Topic(
        ("home",),
        lines("""
        Where does <name> live{ now| today|}?
        In which town has <name> {settled|made a home}?
        """),
        lines("""
        In <home>.
        <He> {lives|has settled} in <home>, {close to the {station|library|water}|not far from \
            the {market|church|park}}.
        {Happily|Since a quarrel|Most of the year} in <home>.
        """),
    ),
    Topic(
        ("pet", "pet_name"),
        lines("""
        Which animal {lives with|keeps company with} <name>?
        What pet does <name> {keep|have}, and what is its name?
        """),
        lines("""
        A(n) <pet> {called|named} <pet_name>.
        <He> {keeps|lives with} a(n) <pet>, and its name is <pet_name>.
        {The companion's name is <pet_name>|<pet_name> is the name}, {a(n) <pet>|and it is a(n) \
            <pet>}.
        """),
    ),
    Topic(
        ("influence",),
        lines("""
        {Who influenced|Which writer influenced} <name> most?
        Whom does <name> {name|thank} as a {model|teacher}?
        """),
        lines("""
        <influence>.
        It was <influence> who {taught <him> to cut every second word|first told <him> to keep \
            writing|lent <him> a typewriter and a room}.
        {Above all|Without doubt|Secretly} <influence>.
        """),
    ),
    Topic(
        ("job", "work_town"),
        lines("""
        What {work|job} did <name> do before writing?
        How did <name> {earn money|make a living} before the first book?
        """),
        lines("""
        <He> was a(n) <job> in <work_town>.
        Before the first book <he> {worked|was employed} as a(n) <job> in <work_town>.
        In <work_town>, as a(n) <job>.
        """),
    ),
    Topic(
        ("routine",),
        lines("""
        How does <name> {write|work}?
        What is {unusual|peculiar|odd} about the way <name> writes?
        """),
        lines("""
        <He> {writes|works} <routine>.
        {By preference|As a rule} <routine>, and <he> {allows no visitors|says that nothing \
            else helps|has done so for years}.
        All of the {books|drafts} are written <routine>.
        """),
    ),
    Topic(
        ("hobby",),
        lines("""
        What does <name> {like to do|do} on free days?
        What is the {hobby|favourite pastime} of <name>?
        """),
        lines("""
        <He> {likes|loves} <hobby>.
        {When|Whenever} no book is due, <he> spends the {day|weekend|afternoon} <hobby>.
        {Nothing calms <him> like|There is nothing better than} <hobby>.
        """),
    ),
    Topic(
        ("language",),
        lines("""
        Which language {matters to|is dear to} <name>{ besides <his> own|}?
        With which {foreign|other} language is <name> connected?
        """),
        lines("""
        <language>.
        The language is <language>, which <he> {learned from a \
            {neighbour|sailor|dictionary|grandmother}|picked up as a child|studied for years}.
        {The dying|The old|The beautiful} language <language>, {spoken by <his> \
            {grandmother|nurse}|which few understand}.
        """),
    ),
    Topic(
        ("debut_age",),
        lines("""
        What age did <name> {reach|turn} in the year of the first book?
        How old did <name> turn in the year <his> debut appeared?
        """),
        lines("""
        <He> turned <debut_age> that year.
        {Some say older|Many guess younger}, but <he> turned <debut_age>.
        <debut_age>, in the very year of the debut.
        """),
    ),
)
