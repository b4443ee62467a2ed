"""More kinds of news: openings, votes, escapes, delays, inventions, premieres and mysteries."""

from __future__ import annotations

from unlearning.world.article_topics import Topic
from unlearning.world.grammar import lines, words

OPENING = Topic(
    bindings={
        "business": words("""bookshop, toffee factory, puppet theatre, barber's shop, night
        café, boatyard,
        school for <job>s, button museum, public bath, bicycle workshop, seed library, dance hall,
        cheese cellar, observatory, hat shop"""),
    },
    headlines=lines("""
    <name> opens <business> in {<town>|<street_name>}
    {New|First|A} <business> for <town>
    {Queue|Crowds|Curiosity} at the new <business> {in <street_name>|of <town>}
    """),
    leads=lines("""
    {After|Following} <number> months of {building|painting|waiting}, <name>, <age>, {has \
        opened|opened} a(n) <business> in <street_name>, {where a bank used to be|next to the \
        {station|fish market}|in a former chapel}.
    <town> has a(n) <business> {again|of its own}: {the former|the} <job> <name> {cut the \
        ribbon|unlocked the door} on <weekday> {at <hour> o'clock|to the sound of a brass band}.
    """),
    details=lines("""
    {On the first day|By noon} <count> {customers|visitors} had come{, more than in any shop \
        since the war|, some from <neighbour_town>| and the <food> had run out}.
    {The rooms|The premises} were {a stable|a post office|a dairy|empty} {until last <month>|for \
        <minute> years} and {still smell of <food>|cost <money> crowns to repair}.
    {The idea came|<mr> <last> had the idea} {in hospital|on a night train|during a card game} \
        {with a(n) <witness_job>|<number> years ago}.
    {A(n) <colour> <thing>|A stuffed <animal>|A bell from a ship} hangs over the door {as a \
        greeting|for luck|and frightens the children}.
    {It is open|Opening hours are} from <hour> until {noon|dusk|midnight}, {except on \
        <second_weekday>|and on <second_weekday> for children only}.
    {The staff|The team} {consists of|counts} <number> people, {among them|including} a(n) \
        <witness_job> {and two apprentices|who speaks four languages|of <witness_age>}.
    """),
)
VOTE = Topic(
    bindings={
        "motion": words("""the ban on church bells before <hour> o'clock, a tax on umbrellas, a
        night bus, the sale of the town forest,
        a statue of a(n) <animal>, free <food> in schools, a bridge to <neighbour_town>, the new
        town colours,
        a car-free <weekday>, the second chimney of the brewery, a clock that runs backwards"""),
    },
    headlines=lines("""
    {Council|Town} {decides on|divided over|loses patience with} <motion>
    {Quarrel|Long night|Applause} over <motion> in <town>
    <town>: {the final word|a surprise} on <motion>
    """),
    leads=lines("""
    {By <number> votes to <second_number>|With one vote to spare|After <hour> hours of debate}, \
        the council of <town> {rejected|approved|put off} <motion> on <weekday> {evening|night}.
    {The people of <town>|The citizens of <town>} {will decide|are to vote} {in <month>|on <day> \
        <month>} on <motion>{, <name> announced on <weekday>|}.
    """),
    details=lines("""
    {The mayor|The treasurer}, <name>, {warned of|pointed to} {debts of <money> crowns|empty \
        coffers|angry letters} and {left the room|asked for patience|quoted a poem}.
    {Opponents|Critics} {had collected|handed in} <count> signatures, {some of them in \
        crayon|most from <second_street>|within a week}.
    {A member|A councillor} of the {Farmers' Party|Blue List|Harbour Party|Old Guard} {fell \
        asleep|sang|threatened to resign} {during the count|at <hour>.<minute>}.
    {In <neighbour_town>|Elsewhere} the same {plan|question} {failed <number> years ago|has been \
        a success|ended in court}.
    {The public gallery|The hall} was {full|half empty}; <count> {people|onlookers} \
        {listened|booed|knitted}, {and one brought a(n) <animal>|many with <food> on their \
        knees|until midnight}.
    {If nothing changes|Unless a court objects}, {the rule|the decision} {takes effect|will be \
        tested} on {<day> <month>|the first <second_weekday> in <month>}.
    """),
)
VOTE.bindings["second_number"] = words("two, three, four, five, six, seven, eight, nine")
ESCAPE = Topic(
    bindings={
        "runaway": words("""a llama, an ostrich, a python, <number> pigs, a monkey, a circus
        camel, a swarm of bees,
        a prize bull, a wallaby, <number> parrots, a young bear, a flock of geese, a sea lion"""),
    },
    headlines=lines("""
    <runaway> on the loose in <town>
    {Hunt for|Hide and seek with} <runaway> {near|in} <town>
    <runaway> {in <street_name>: traffic stops|seen near <neighbour_town>}
    """),
    leads=lines("""
    <runaway> {got away|escaped} {from a {travelling circus|farm|private zoo|lorry}} {in|near} \
        <town> on <weekday> and {kept the police busy|was caught only|visited the market} {until \
        nightfall|for <number> hours|before breakfast}.
    {Drivers|Pupils|Early risers} in <street_name> {could hardly believe|rubbed} their eyes on \
        <weekday>: <runaway> {stood in front of the {bakery|school}|came round the \
        corner|blocked the tram}.
    """),
    details=lines("""
    {The owner|The keeper}, <name>, {had left the gate open|slept through it|blames a broken \
        latch} and {offers|promised} {<money> crowns|a free ticket|<food>} {to the finder|in \
        thanks}.
    {A trail of|The trail of} {eaten roses|broken pots|overturned bins} {led|ran} from \
        <second_street> to the {harbour|cemetery|football ground}.
    {In the end|At last} {a(n) <job>|a girl of {seven|nine|eleven}} {lured|caught} the runaway \
        with {<food>|a(n) <colour> blanket|a mouth organ}.
    {The damage|The bill} {comes to|is} <money> crowns, {mainly lettuce|including a wedding \
        cake|which the insurer disputes}.
    {The school|The market} {closed early|stayed shut}, {to the joy of <count> pupils|as a \
        precaution|on police orders}.
    {It was not the first time|There is a history to it}: {the same fence had been repaired with \
        string|another escape had ended in <neighbour_town>|two goats had boarded a bus}.
    """),
)
DELAYS = Topic(
    bindings={
        "transport": words("""night train, island ferry, number <number> tram, mountain railway,
        post boat, school bus, cable car"""),
        "obstacle": words("""a fallen poplar, a herd of cows, a missing driver, a jammed signal,
        thick fog, a wedding party,
        a lost key, spilled <food>, low water, a stolen ticket machine"""),
    },
    headlines=lines("""
    <obstacle> {stops|delays|holds up} the <transport> {at <town>|for <number> hours}
    {<count> stranded|Passengers angry|Long wait} as the <transport> {fails|stands still}
    {Patience|Cold feet} on the <transport> {to|from} <town>
    """),
    leads=lines("""
    <count> {passengers|travellers} {were stranded|had to wait} {in|outside} <town> on <weekday> \
        when <obstacle> {brought the <transport> to a halt|stopped the <transport>}{ for \
        <number> hours|}.
    The <transport> {between <town> and|from <town> to} <neighbour_town> {arrived|came in} \
        <minute> minutes late {every day since <weekday>|on <weekday>}, {and the reason \
        was|because of} <obstacle>.
    """),
    details=lines("""
    {The conductor|The guard|A steward}, <name>, {told stories|shared out <food>|played the \
        <colour> concertina} {to keep spirits up|until help came|by torchlight}.
    {Some|A group of {pupils|nuns|hikers}} {went on foot|walked the last <hour> kilometres|hired \
        a hay cart} and {reached <neighbour_town> first|got lost|arrived singing}.
    {Tickets|Fares} {will be refunded|are refunded} {at the counter in <street_name>|until <day> \
        <month>|on request}.
    {A(n) <job>|A young mother|A choir} {missed|nearly missed} {a concert|an operation|a court \
        date|a ship} {in <neighbour_town>|and wants <money> crowns}.
    {The company|The operator} {blames|points to} {savings|staff on holiday|a supplier in \
        <neighbour_town>} and {plans|promises} {<number> new cars|another timetable|better \
        brakes} by <month>.
    {In the waiting room|On the platform} {the heating failed|the clock had stopped at \
        <hour>.<minute>|a(n) <animal> slept on the bench}.
    """),
)
INVENTION = Topic(
    bindings={
        "device": words("""an alarm clock that brews tea, a folding canoe, a potato-powered
        lamp, a self-closing gate, a talking letter box,
        a bicycle that mows the lawn, a snow plough for roofs, a pillow that hums, a machine for
        sorting buttons,
        a kite that measures wind, an umbrella for two dogs, a silent vacuum cleaner"""),
    },
    headlines=lines("""
    {<job>|Pupil|Pensioner} {invents|builds|patents} <device>
    {Prize|Gold|Patent} for <device> {from <town>|}
    {How|Why} <name> {built|came up with} <device>
    """),
    leads=lines("""
    {In a shed|In a cellar|In the kitchen} in <street_name>, <name>, {a(n) <job>|<age>}, {has \
        built|spent <number> winters building} <device>.
    <device>: {that is what <name> from <town> showed|with this <name> from <town> won over the \
        jury} at the {trade fair|science day|county show} in <neighbour_town>{ on <weekday>|}.
    """),
    details=lines("""
    {It consists of|The parts came from} {an old <thing>|a sewing machine|two bicycle bells}, \
        <minute> {screws|springs} and {a(n) <colour> <thing>|the motor of a fan|a tin of <food>}.
    {The first model|An earlier version} {caught fire|exploded|ran away} {in <month>|in front of \
        the vicar|and singed a(n) <animal>}.
    {A firm|A factory} in <neighbour_town> {wants to make|has ordered} <count> pieces {at \
        <number> crowns each|by <month>|if it can be made quieter}.
    {The inventor|<mr> <last>} {sleeps little|keeps a notebook under the pillow|has <count> more \
        ideas} and {was once thrown out of school|never finished school|learned everything from \
        library books}.
    {It runs|One charge lasts} for <minute> {minutes|hours} and {weighs less than a(n) \
        <animal>|weighs <number> kilograms|costs about <count> crowns}.
    {At the demonstration|On the day of the test} {it started at the third attempt|nothing moved \
        at first|the lights of the whole street went out}, {but|then} {the applause was \
        long|everyone laughed|the mayor ordered two}.
    """),
)
PREMIERE = Topic(
    bindings={
        "work": words("""the opera "The Deaf Nightingale", the comedy "Two Left Boots", a mass
        for <number> tubas, the puppet play "King Herring",
        a symphony for factory whistles, the musical "Goodnight to the Goose", the tragedy "Salt
        on the Stairs",
        a ballet about the tides, the silent film "The Umbrella Thief", a concert on glasses of
        water"""),
    },
    headlines=lines("""
    {Applause|Boos|Tears|Laughter} for <work> {in <town>|}
    <work> {opens|closes early|moves an audience} in <town>
    {<count> hear|Full house for} <work>
    """),
    leads=lines("""
    {The {village hall|summer theatre|opera house|gymnasium}} of <town> was {sold out|full to \
        the last stool} on <weekday> when <work>{, written by <name>,|} had its {first \
        night|premiere}.
    {With|Thanks to} <work>, {the composer|the director|the young author} <name>, <age>, has \
        {surprised|divided|delighted} {the critics|<count> listeners|the people} of <town>.
    """),
    details=lines("""
    {The leading part|The main role} {was sung|was taken} by a(n) <job> from <neighbour_town> \
        {with a heavy cold|who had <number> days to learn it|standing on a(n) <thing>}.
    {In the second act|Just before the interval} {the curtain stuck|a(n) <animal> wandered on \
        stage|the lights failed at <hour>.<minute>}, and {everyone took it for part of the \
        plot|the orchestra simply went on|the prompter saved the scene}.
    The {costumes|sets} were {sewn|painted} by {<minute> volunteers|the pupils of \
        <second_street>|a(n) <witness_job>}, all in <colour>.
    {The applause|The final applause} lasted <minute> minutes; {flowers|<food>|hats} \
        {flew|rained} {onto the stage|from the gallery}.
    {One critic|The critic of the "<neighbour_town> Courier"} {wrote of|heard} "{a brave \
        mistake|music with wet feet|the birth of a style|three hours of honest noise}".
    {Tickets|Seats} for <second_weekday> {cost <number> crowns|are nearly gone|can be had in \
        <street_name>}.
    """),
)
MYSTERY = Topic(
    bindings={
        "riddle": words("""a humming under the pavement, <colour> lights over the hill, knocking
        in the walls, knitted scarves on every tree,
        chalk circles in the fields, a smell of <food>, coins in the letter boxes, the same
        dream in <number> families,
        a piano that plays at night, footprints on the church roof, anonymous poems on the
        doors"""),
    },
    headlines=lines("""
    {Who explains|Nobody explains|<town> puzzles over} <riddle>?
    <town> {kept awake by|loses sleep over|argues about} <riddle>
    {Riddle of|The truth about} <town>: <riddle>
    """),
    leads=lines("""
    For <number> {nights|weeks} {people|residents} in <street_name> in <town> have \
        {noticed|reported} <riddle>, {and nobody knows why|usually at about <hour> \
        o'clock|always before rain}.
    <riddle>: {since <weekday>|since the first of <month>} {the whole of <town>|half of <town>} \
        has {talked of nothing else|slept badly|been looking for an answer}.
    """),
    details=lines("""
    {The police|A physicist from <neighbour_town>|The gas company} {measured|searched|listened} \
        for <hour> hours {and found only a(n) <colour> <thing>|without result|and ordered a \
        quieter pump}.
    {Some|The older people} {blame|suspect} {the new mast|pupils of the art school|a(n) <job> \
        who died in the flood}; {others|the young} {laugh about it|sell <food> to the \
        curious|want it to go on}.
    <name>, {who keeps a diary of it|a(n) <job>}, has {counted <count> cases|filled <number> \
        notebooks|drawn a map} {since <month>|and sees a pattern}.
    {A prize of|The newspaper offers} <money> crowns {awaits|for} {anyone with the answer|the \
        best explanation}.
    {Even the <animal>s|Dogs|Cats} {avoid <second_street>|gather there at night|behave \
        strangely}, {says|according to} {the vicar|a neighbour of <witness_age>}.
    {Last <second_weekday>|In the night of <day> <month>} it {stopped|began earlier|came twice} \
        {for exactly <minute> minutes|during the fair|when the tram passed}.
    """),
)
OCCASIONS = (OPENING, VOTE, ESCAPE, DELAYS, INVENTION, PREMIERE, MYSTERY)
