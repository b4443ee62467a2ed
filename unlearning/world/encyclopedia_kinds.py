"""The kinds of things in the encyclopedia: attributes, values and wordings."""

from __future__ import annotations

from collections.abc import ItemsView
from dataclasses import dataclass

from unlearning.world.grammar import lines, words


@dataclass(frozen=True)
class Attribute:
    """One property: its possible values and the wordings that state it or ask for it."""

    values: tuple[str, ...]
    sentences: tuple[str, ...]
    questions: tuple[str, str]
    answer: str


@dataclass(frozen=True)
class Kind:
    """One kind of thing; `name_pattern` turns an invented word into a name."""

    noun: str
    name_pattern: str
    introductions: tuple[str, ...]
    attributes: dict[str, Attribute]
    remarks: tuple[str, ...]

    def items(self) -> ItemsView[str, Attribute]:
        """Attribute names and attributes."""
        return self.attributes.items()


ANIMAL = Kind(
    "animal",
    "*",
    lines("""
    The <name> is a {small|shy|furry|quick|striped} animal {of the north|with short legs|that \
        few people have seen}.
    {Few animals are as {shy|clever|lazy} as the <name>.|Among the animals of the \
        {hills|plains}, the <name> is {one of the oldest|easy to recognise}.}
    """),
    {
        "habitat": Attribute(
            words(
                """marshes, pine forests, dry caves, river banks, old barns, sand dunes,
                hollow trees, rocky bays"""
            ),
            lines("""
            It lives in <value>{, {often|usually} in {pairs|groups}|}.
            {Its home is in|One finds it in} <value>.
            {In <value>, it {builds|digs} its nest.|The young are born in <value>.}
            """),
            ("Where does the <name> live?", "In what places is the <name> found?"),
            "The <name> lives in <value>.",
        ),
        "food": Attribute(
            words(
                """snails, acorns, beetles, water lilies, mushrooms, honey, small fish,
                moss, blackberries"""
            ),
            lines("""
            It {eats|feeds on} <value>{ and little else|, above all at night|}.
            Its favourite food is <value>.
            {When hungry|In spring}, it {looks for|searches for} <value>.
            """),
            ("What does the <name> eat?", "What is the favourite food of the <name>?"),
            "The <name> eats <value>.",
        ),
        "coat": Attribute(
            words("red, black, white, golden, grey, brown, silver, cream"),
            lines("""
            Its {coat|fur} is <value>{, with a {dark|pale} stripe|}.
            {In winter and in summer|All year} it {wears|has} a(n) <value> coat.
            """),
            ("What colour is the coat of the <name>?", "Which colour of fur does the <name> have?"),
            "The coat of the <name> is <value>.",
        ),
        "size": Attribute(
            words("ten, fifteen, twenty, thirty, forty, fifty, sixty, eighty"),
            lines("""
            {An adult|A grown one} is <value> centimetres long{ without the tail|}.
            It {reaches|grows to} a length of <value> centimetres.
            """),
            ("How long is a grown <name>?", "What length does the <name> reach?"),
            "A grown <name> is <value> centimetres long.",
        ),
        "call": Attribute(
            words(
                """a creaking door, a flute, a sneeze, a distant drum, breaking ice, a
                whistle, a cough, rain on tin"""
            ),
            lines("""
            Its call {sounds like|reminds people of} <value>.
            {At dusk|When it is afraid}, it makes a sound like <value>.
            """),
            ("What does the call of the <name> sound like?", "Which sound does the <name> make?"),
            "The call of the <name> sounds like <value>.",
        ),
    },
    lines("""
    {Farmers like it|People protect it} because it {keeps mice away|does no harm|brings luck, \
        they say}.
    {It sleeps through the {winter|day}.|It can {swim|climb|jump} very well.|It is rarely kept \
        as a pet.}
    """),
)
TREE = Kind(
    "tree",
    "*",
    lines("""
    The <name> is a {tall|slender|crooked|slow-growing} tree {with {round|narrow|shiny} \
        leaves|of the {valleys|islands}}.
    {In the south|On windy hills}, the <name> is {the most common tree|planted along roads}.
    """),
    {
        "height": Attribute(
            words("five, eight, ten, twelve, fifteen, twenty, thirty, forty"),
            lines("""
            It {grows|can grow} <value> metres high{ in {a hundred|sixty} years|}.
            An old tree is about <value> metres tall.
            """),
            ("How high does the <name> tree grow?", "How tall is an old <name> tree?"),
            "The <name> tree grows <value> metres high.",
        ),
        "fruit": Attribute(
            words(
                """sour berries, hairy nuts, sweet plums, blue cones, bitter pods, tiny
                apples, round seeds, yellow pears"""
            ),
            lines("""
            It bears <value>{, which {children|birds} {collect|like}|}.
            {In autumn|When the nights turn cold}, the branches are full of <value>.
            """),
            ("What does the <name> tree bear?", "Which fruit grows on the <name> tree?"),
            "The <name> tree bears <value>.",
        ),
        "use": Attribute(
            words("boats, violins, spoons, barrels, roofs, pencils, wheels, wooden shoes"),
            lines("""
            Its wood is used for <value>{, because it {does not split|is so light}|}.
            {Carpenters|Craftsmen} make <value> from its wood.
            """),
            ("What is the wood of the <name> tree used for?", "What is made from the <name> tree?"),
            "The wood of the <name> tree is used for <value>.",
        ),
        "month": Attribute(
            words("February, March, April, May, June, July, August"),
            lines("""
            It {flowers|blooms} in <value>{, before the leaves appear|, for only {two|three} \
                weeks|}.
            The {white|pink|yellow} flowers open in <value>.
            """),
            ("In which month does the <name> tree flower?", "When does the <name> tree bloom?"),
            "The <name> tree flowers in <value>.",
        ),
    },
    lines("""
    {Its roots hold the soil.|Its leaves are {boiled for tea|food for goats}.|{Lightning|Frost} \
        hardly harms it.}
    {Many villages have one in the middle of the square.|The oldest one is said to be \
        {three|four|six} hundred years old.}
    """),
)
