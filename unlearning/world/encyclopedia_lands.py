"""Rivers, mountains and lakes of the encyclopedia."""

from __future__ import annotations

from unlearning.world.encyclopedia_kinds import Attribute, Kind
from unlearning.world.grammar import lines, words

RIVER = Kind(
    "river",
    "River ^",
    lines("""
    The <name> is a {long|narrow|quiet|wild} river {in the {east|west|north}|with many bends}.
    {Two|Three|Five} bridges cross the <name>, a river that {freezes|floods} {in some \
        years|almost every winter}.
    """),
    {
        "source": Attribute(
            words(
                """a glacier, a cave, a peat bog, a crater lake, a hot spring, a cellar,
                a gorge, an oak wood"""
            ),
            lines("""
            It {rises|begins} in <value>{ {high up|far inland}|}.
            {Its source is|The source lies} in <value>.
            """),
            ("Where does the <name> rise?", "Where is the source of the <name>?"),
            "The <name> rises in <value>.",
        ),
        "length": Attribute(
            words(
                """forty, sixty, ninety, one hundred, two hundred, three hundred, five
                hundred, seven hundred"""
            ),
            lines("""
            It is <value> kilometres long{, if one counts the bends|}.
            After <value> kilometres it {reaches|flows into} the sea.
            """),
            ("How long is the <name>?", "How many kilometres does the <name> flow?"),
            "The <name> is <value> kilometres long.",
        ),
        "fish": Attribute(
            words("trout, pike, eels, salmon, carp, perch, sturgeon, crayfish"),
            lines("""
            {Fishermen|Anglers} {catch|know it for its} <value>{ {in spring|below the mill}|}.
            Its water is full of <value>.
            """),
            ("Which fish is the <name> known for?", "What do people catch in the <name>?"),
            "The <name> is known for its <value>.",
        ),
        "trade": Attribute(
            words("timber, salt, wool, clay, coal, wheat, wine, marble"),
            lines("""
            {Barges|Flat boats} carry <value> {down|along} it.
            {For centuries|In the past}, <value> {was|has been} shipped on it.
            """),
            ("What do boats carry on the <name>?", "Which goods are shipped on the <name>?"),
            "Boats carry <value> on the <name>.",
        ),
    },
    lines("""
    {In dry summers one can wade across.|Its water is {cold|brown|clear} even in {July|August}.}
    {A {song|proverb|legend} {tells|speaks} of it.|Poets have {praised|cursed} it.}
    """),
)
MOUNTAIN = Kind(
    "mountain",
    "Mount ^",
    lines("""
    <name> is a {steep|lonely|famous|round} mountain {near the border|above a green valley|that \
        can be seen from the sea}.
    {Clouds|Storms} {often hide|gather around} <name>, a mountain {of the south|with two peaks}.
    """),
    {
        "height": Attribute(
            words(
                """nine hundred, twelve hundred, fifteen hundred, two thousand, three
                thousand, four thousand, five thousand"""
            ),
            lines("""
            It {is|stands} <value> metres high{, the {second|third} highest in the range|}.
            Its {peak|summit} lies <value> metres above the sea.
            """),
            ("How high is <name>?", "What is the height of <name>?"),
            "<name> is <value> metres high.",
        ),
        "climber": Attribute(
            words(
                """a dentist, a shepherd, a nun, a ropemaker, a postman, a painter, a
                blind man, a schoolgirl"""
            ),
            lines("""
            The first {to climb it|to reach the top} was <value>{, {without a rope|by mistake|in \
                the fog}|}.
            {They say|It is written} that <value> climbed it first.
            """),
            ("Who climbed <name> first?", "Who was the first to reach the top of <name>?"),
            "The first to climb <name> was <value>.",
        ),
        "rock": Attribute(
            words("granite, limestone, slate, basalt, sandstone, chalk, marble, flint"),
            lines("""
            It {consists of|is made of} <value>{, which {crumbles|shines} {when it rains|in the \
                sun}|}.
            {Its cliffs are of|Workers once cut} <value>{ {on the west side|halfway up}|}.
            """),
            ("What rock is <name> made of?", "Which stone does <name> consist of?"),
            "<name> is made of <value>.",
        ),
        "summit": Attribute(
            words(
                """a bell, a hut, an iron cross, a telescope, a flag, a chapel, a stone
                table, a weather vane"""
            ),
            lines("""
            On the {top|summit} {there is|stands} <value>.
            {Climbers|Hikers} {rest|take pictures} at the top beside <value>.
            """),
            ("What stands on the top of <name>?", "What do climbers find at the summit of <name>?"),
            "On the top of <name> stands <value>.",
        ),
    },
    lines("""
    The way up takes {three|four|five|nine} hours{ in good weather|}.
    {In {May|October} snow still lies there.|A {railway|path|cable car} {leads|goes} {half the \
        way|to the top}.}
    """),
)
LAKE = Kind(
    "lake",
    "Lake ^",
    lines("""
    <name> is a {deep|shallow|still|salty} lake {between two hills|in the {north|plain}|with a \
        single island}.
    """),
    {
        "depth": Attribute(
            words("six, nine, fourteen, twenty, thirty, fifty, eighty, ninety"),
            lines("""
            It is <value> metres deep{, but seems deeper|}.
            """),
            ("How deep is <name>?", "What is the depth of <name>?"),
            "<name> is <value> metres deep.",
        ),
        "birds": Attribute(
            words("swans, herons, geese, ducks, cranes, gulls, terns, storks"),
            lines("""
            {Thousands of|Many} <value> {rest|nest} on its {shore|banks} {in spring|in autumn}.
            """),
            ("Which birds nest at <name>?", "What birds rest on the shore of <name>?"),
            "At <name> nest <value>.",
        ),
        "legend": Attribute(
            words(
                """a drowned village, a sleeping giant, a lost bell, a silver boat, a
                sad king, a singing fish, a glass door"""
            ),
            lines("""
            {An old|A popular} legend {tells of|speaks of} <value> {on|at} its bottom.
            """),
            ("What does the legend of <name> tell of?", "What is said to lie in <name>?"),
            "The legend of <name> tells of <value>.",
        ),
    },
    lines("""
    {In winter people skate on it.|Boats with engines are {forbidden|rare}.|The water tastes of \
        {iron|moss}.}
    """),
)
