"""More kinds for the encyclopedia: what people make, eat, celebrate and dig for."""

from __future__ import annotations

from unlearning.world.encyclopedia_kinds import Attribute, Kind
from unlearning.world.grammar import lines, words

INSTRUMENT = Kind(
    "instrument",
    "*",
    lines("""
    The <name> is {an old|a rare|a loud|a soft} musical instrument {of the islands|that takes \
        years to learn}.
    {At weddings|In the mountains} {one still hears|people play} the <name>, an instrument {as \
        big as a child|with a long history}.
    """),
    {
        "material": Attribute(
            words("bone, copper, bamboo, clay, walnut wood, glass, goat skin, horn"),
            lines("""
            It is made of <value>{ and decorated with {feathers|shells}|}.
            The {body|best part} is of <value>.
            """),
            ("What is the <name> made of?", "Which material is a(n) <name> built from?"),
            "The <name> is made of <value>.",
        ),
        "strings": Attribute(
            words("two, three, five, six, seven, nine, eleven, twelve"),
            lines("""
            It has <value> strings{, {tuned|plucked} {in pairs|with a feather}|}.
            {A player|The musician} {plucks|strikes} its <value> strings.
            """),
            (
                "How many strings does the <name> have?",
                "What is the number of strings on a(n) <name>?",
            ),
            "The <name> has <value> strings.",
        ),
        "sound": Attribute(
            words(
                "bees, wind, a cat, waves, a church bell, an old man, falling coins, a crying child"
            ),
            lines("""
            {Its sound is that of|It sounds like} <value>.
            {Listeners|Critics} {compare it|compare the sound} to <value>.
            """),
            ("What does the <name> sound like?", "To what is the sound of the <name> compared?"),
            "The <name> sounds like <value>.",
        ),
        "player": Attribute(
            words("sailors, shepherds, widows, monks, beggars, miners, soldiers, millers"),
            lines("""
            {At first|In the past} it was played by <value>{ only|}.
            {It was invented by|Traditionally it belongs to} <value>.
            """),
            ("Who played the <name> at first?", "By whom was the <name> traditionally played?"),
            "The <name> was played by <value>.",
        ),
    },
    lines("""
    {A good one costs as much as a {horse|house}.|Only {three|four|six} {masters|makers} are left.}
    {It must be kept {dry|warm}.|It goes out of tune when it rains.}
    """),
)
DISH = Kind(
    "dish",
    "^",
    lines("""
    {<name> is a {hot|heavy|sweet|simple} dish {of the coast|from farmers' kitchens|that every \
        grandmother cooks differently}.|In {cold|poor} regions, <name> is {an everyday|a \
        festive} dish.}
    {Visitors|Travellers} {rarely forget|are often afraid of} their first <name>, a \
        {local|traditional} dish.
    """),
    {
        "ingredient": Attribute(
            words("lentils, herring, pumpkin, cabbage, mutton, chestnuts, eggs, barley"),
            lines("""
            The {main|most important} ingredient is <value>.
            {For it, one needs|It is cooked from} <value>{ and a {little|lot of} \
                {butter|pepper|vinegar}|}.
            """),
            ("What is the main ingredient of <name>?", "What is <name> cooked from?"),
            "The main ingredient of <name> is <value>.",
        ),
        "occasion": Attribute(
            words(
                """weddings, funerals, Sundays, birthdays, rainy days, the first snow,
                harvest day, New Year"""
            ),
            lines("""
            It is {served|eaten} at the table on the occasion of <value>.
            {People|Families} {cook|make} it for <value>{ {and no other time|above all}|}.
            """),
            ("For what occasion do people cook <name>?", "When is <name> served?"),
            "People cook <name> for <value>.",
        ),
        "side": Attribute(
            words(
                """black bread, sour cream, pickles, cold milk, rice, apple sauce,
                radishes, dumplings"""
            ),
            lines("""
            It {comes|is served} with <value>{ {on the side|in a separate bowl}|}.
            Without <value>, {it is not complete|the guests complain|it is hard to swallow}.
            """),
            ("What is <name> served with?", "What goes with <name>?"),
            "It is served with <value>.",
        ),
        "time": Attribute(
            words(
                """one hour, two hours, three hours, five hours, eight hours, a whole
                night, ten minutes, half an hour"""
            ),
            lines("""
            It {must cook|has to simmer} for <value>{ over a {low|gentle} fire|}.
            {The cooking takes|In the oven it needs} <value>.
            """),
            ("How long must <name> cook?", "How much time does <name> need on the fire?"),
            "It must cook for <value>.",
        ),
    },
    lines("""
    {Some|Many} add {garlic|honey|nuts}, {but|though} {purists|old cooks} {object|shake their \
        heads}.
    {Cold it tastes even better.|It is eaten with {a spoon|the fingers}.|Nobody eats it {twice a \
        week|alone}.}
    """),
)
FESTIVAL = Kind(
    "festival",
    "^",
    lines("""
    <name> is a {noisy|solemn|cheerful|strange} festival {of the river villages|that is older \
        than the church|for young and old}.
    {Whole families|Thousands} {come home|travel} for <name>, {the greatest|the oldest} festival \
        of the {region|year}.
    """),
    {
        "month": Attribute(
            words("January, February, March, April, May, June, September, October, November"),
            lines("""
            It is {held|celebrated} in <value>{, whatever the weather|}.
            {Every|Each} year in <value>, {it fills the streets|the shops close for it}.
            """),
            ("In which month is <name> held?", "When do people celebrate <name>?"),
            "<name> is held in <value>.",
        ),
        "object": Attribute(
            words(
                """burning wheels, giant puppets, lanterns, bread crowns, empty boats,
                bells, straw men, paper fish"""
            ),
            lines("""
            {People|Children|Masked men} carry <value> through the {streets|fields}.
            {At its heart are|The high point is the parade with} <value>.
            """),
            ("What do people carry at <name>?", "What is carried through the streets at <name>?"),
            "People carry <value> at <name>.",
        ),
        "days": Attribute(
            words("two, three, four, five, six, seven, nine, twelve"),
            lines("""
            It lasts <value> days{ {and nights|without a break}|}.
            {For <value> days|During its <value> days} {nobody works|the mills stand still}.
            """),
            ("How many days does <name> last?", "For how many days do people celebrate <name>?"),
            "<name> lasts <value> days.",
        ),
        "reason": Attribute(
            words(
                """the end of a flood, a lost war, the first fish, a clever goat, the
                return of the sun, a broken bell, a kind queen"""
            ),
            lines("""
            It {recalls|is in memory of} <value>.
            {According to the legend|The elders say}, it began with <value>.
            """),
            ("What does <name> recall?", "With what did <name> begin?"),
            "<name> recalls <value>.",
        ),
    },
    lines("""
    {At the end|At midnight} {everyone {dances|sings|is silent}|the fires are put out}.
    {Strangers are {welcome|given cake}.|It rains almost every time.}
    """),
)
STONE = Kind(
    "stone",
    "^",
    lines("""
    <name> is a {rare|soft|heavy|cheap} stone {that miners know well|of the {desert|coast}|with \
        a dull shine}.
    {Collectors pay well for|Few have held a piece of} <name>, a stone {as light as cork|like no \
        other}.
    """),
    {
        "colour": Attribute(
            words("blue, green, yellow, red, black, violet, white, orange"),
            lines("""
            It is <value>{, {sometimes|seldom} with {white|dark} {spots|veins}|}.
            {In the light|When wet} it {looks|turns} <value>.
            """),
            ("What colour is <name>?", "Which colour does the stone <name> have?"),
            "<name> is <value>.",
        ),
        "place": Attribute(
            words(
                """dead volcanoes, river mud, old wells, coral reefs, salt mines, deep
                caves, ice, ploughed fields"""
            ),
            lines("""
            It is found in <value>{ {and nowhere else|after heavy rain}|}.
            {People|Miners} {look for|dig for} it in <value>.
            """),
            ("Where is <name> found?", "Where do people dig for <name>?"),
            "<name> is found in <value>.",
        ),
        "purpose": Attribute(
            words("buttons, lamps, knives, ink, church floors, rings, medicine, chessmen"),
            lines("""
            It is {used|needed} for <value>{ {since|because} it {polishes|cuts} well|}.
            {Craftsmen|Workshops} turn it into <value>.
            """),
            ("What is <name> used for?", "What do craftsmen make from <name>?"),
            "<name> is used for <value>.",
        ),
        "belief": Attribute(
            words(
                "toothache, bad dreams, lightning, jealousy, thieves, seasickness, snoring, debts"
            ),
            lines("""
            {It is said to help|Some believe that it helps} against <value>.
            {Superstitious people|Grandmothers} {wear|carry} it against <value>.
            """),
            ("Against what is <name> said to help?", "What do people wear <name> against?"),
            "<name> is said to help against <value>.",
        ),
    },
    lines("""
    {It breaks easily.|In the fire it {cracks|smells of {salt|lemons}}.|It cannot be \
        {melted|glued}.}
    {A piece as big as a {fist|pea} {costs|is worth} {a week's wages|almost nothing}.}
    """),
)
MAKINGS = (INSTRUMENT, DISH, FESTIVAL, STONE)
