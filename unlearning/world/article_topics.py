"""What happens in the news: headlines, leads and details for each kind of event."""

from __future__ import annotations

from dataclasses import dataclass, field

from unlearning.world.grammar import lines, words


@dataclass(frozen=True)
class Topic:
    """One kind of event; `bindings` are drawn once per article and then stay the same."""

    headlines: tuple[str, ...]
    leads: tuple[str, ...]
    details: tuple[str, ...]
    bindings: dict[str, tuple[str, ...]] = field(default_factory=dict)


THEFT = Topic(
    bindings={
        "loot": lines("""
        {a silver|a bronze|a stuffed|an antique|a wooden} \
            {owl|pike|teapot|clock|weathercock|crown|sundial|cradle}
        the {mayor's|vicar's|chess club's|fire brigade's} {bicycle|portrait|trophy|brass \
            bell|best hat}
        {<number> wheels of cheese|<count> jars of honey|a crate of <food>|<number> garden gnomes}
        """),
        "place": words("""the town museum, the parish church, the Old Customs House, the Lantern
        Café,
        a barn in <street_name>, the school cellar, the savings bank, the Swan Hotel"""),
    },
    headlines=lines("""
    {Thieves take|Thief makes off with|Burglar steals} <loot> {from <place>|in <town>}
    <town> {misses|searches for|mourns} <loot>
    {Night|Sunday|Lunchtime} raid on <place> in <town>
    """),
    leads=lines("""
    {Unknown thieves|A single burglar|Two masked figures} {broke into|entered} <place> {on \
        <weekday> night|early on <weekday>|shortly after <hour> o'clock} and {left with|carried \
        off} <loot>.
    When <name>, {<age>|a(n) <job>}, {unlocked|opened} <place> on <weekday>, <loot> {was \
        gone|had vanished}{| and the floor was covered in <food>}.
    """),
    details=lines("""
    {The police found|Officers secured} a {<colour> glove|muddy footprint|train ticket to \
        <neighbour_town>|half-eaten plate of <food>} {behind the {door|counter|stove}|on the \
        {roof|stairs}}.
    {Whoever did it|The thief} {came through|squeezed through} a {window|coal hatch|skylight} \
        {barely <minute> centimetres wide|that had been broken since <month>}.
    The {loss|damage} {is put|is estimated} at <money> crowns{, none of it insured|, says the \
        insurer|}.
    {A neighbour|The <job> next door} heard {barking|singing|a van|a ladder fall} {at about \
        <hour>.<minute>|towards midnight} {but thought nothing of it|and went back to sleep}.
    {<name> has offered|The owners offer} a reward: {free <food> for a year|<money> crowns|a \
        weekend in <neighbour_town>}.
    {A suspect, <age>,|A former <job>} was {questioned|held} in <neighbour_town> {and \
        released|but had an alibi|and denied everything}.
    """),
)
RESCUE = Topic(
    bindings={
        "trap": words("""a chimney, an old well, a drainpipe, a bell tower, the mill race, a
        frozen pond,
        a lift shaft, a manhole, a bramble hedge, a sinking rowing boat"""),
    },
    headlines=lines("""
    {<animal> saved from|Drama over <animal> in} <trap>
    <job> {pulls|frees|rescues} <animal> from <trap>
    {Long night in <town>|Happy end in <town>}: <animal> {is free|is safe}
    """),
    leads=lines("""
    A(n) <animal> that had {spent <number> hours|been stuck since <weekday>} in <trap> was \
        {freed|rescued} {on <second_weekday>|yesterday} by {<name>, a(n) <job>|the fire brigade \
        of <town>}.
    {<name>, <age>,|The <job> <name>} {did not hesitate|climbed down a rope|took off <his> \
        shoes} when <he> {saw|heard} a(n) <animal> in <trap> {near <street_name>|on <weekday> \
        morning}.
    """),
    details=lines("""
    {The rescuers used|It took} {<number> ladders and a bread basket|a fishing net and <number> \
        pillows|a crane from <neighbour_town>|a trail of <food>}.
    {A crowd of|Around|About} <count> people {watched|cheered|held their breath} {behind the \
        barrier|from the balconies|in <street_name>}.
    The <animal> {weighs|weighed} {more than expected|as much as a(n) <thing>|next to nothing} \
        and {bit nobody|bit two firemen|slept all the way home}.
    A veterinarian {found|treated} {a sprained leg|a few scratches|nothing worse than hunger} \
        and {ordered|prescribed} {rest|warm milk|a bath}.
    {It belongs to|The owner is} {a(n) <witness_job> from <neighbour_town>|a school in \
        <second_street>|nobody, as far as anyone knows}.
    {Nobody knows|It is unclear} how it {got there|came to be there}; {children suspect|the \
        baker blames|most people suspect} {a storm|a(n) <thing>|a loud brass band}.
    """),
)
WORKS = Topic(
    bindings={
        "structure": words("""the stone bridge, the harbour wall, the town hall roof, the
        swimming bath, the cable car,
        the weir, the old viaduct, the lighthouse stairs, the market hall, the school gymnasium"""),
        "fault": words("""rusted bolts, dry rot, cracks in the foundations, a family of beavers,
        loose tiles, salt water,
        heavy lorries, a mistake in the plans, moss, a forgotten well"""),
    },
    headlines=lines("""
    {<structure> in <town>|<town>: <structure>} {closed|shut} {once more|to the public|for repairs}
    {Worry|Alarm} over <fault> in <town>
    {Repairs to <structure> cost more|Patience runs out over <structure>}
    """),
    leads=lines("""
    Because of <fault>, <structure> {in|of} <town> {will stay|has been} closed {since \
        <weekday>|until the end of <month>|for {at least|up to} <number> weeks}.
    {Engineers|Inspectors} have {discovered|found} <fault> {under|behind|near} <structure>, and \
        <town> {must pay|faces a bill of} <money> crowns.
    """),
    details=lines("""
    {Traffic|The number <number> bus|All heavy traffic} {is sent|goes} {through \
        <street_name>|over the hill|by way of <neighbour_town>}, which {adds|takes} <minute> \
        minutes.
    {Work|Building} {began|starts} on <second_weekday> with {<number> masons|a crew of \
        <minute>|one crane and two mules}.
    {The structure|It} {dates from|was built in} 1{7|8}{1|2|3|4|5|6|7|8}{1|2|3|6|7|9} and {has \
        survived two fires|was last painted <minute> years ago|once carried a tram}.
    {Shopkeepers|The traders} in <second_street> {report|fear} {<minute> percent fewer \
        customers|empty tables|a lost summer}.
    The {engineer|foreman|contractor}, <name>, {promises|expects} {no further delay|to finish \
        before <month>|a better view than before}.
    {A temporary ferry|A wooden footbridge|A horse-drawn cart} {carries|takes} <count> \
        {people|pupils} a day {for <number> crowns|free of charge}.
    """),
)
CONTEST = Topic(
    bindings={
        "contest": words("""pie contest, kite festival, brass band contest, raft race, pumpkin
        weighing, ploughing match,
        sandcastle contest, yodelling contest, chess tournament, hat parade, rolling pin throw,
        snail race,
        wheelbarrow derby, soup championship"""),
    },
    headlines=lines("""
    <name> wins <contest> {in <town>|by a whisker|at last}
    {<job>|Newcomer} takes the {crown|cup} at <town> <contest>
    {Record crowd|Rain and laughter|Surprise} at the <contest> {of|in} <town>
    """),
    leads=lines("""
    {In front of|Cheered by} <count> {guests|spectators}, <name>, {a(n) <job>|<age>}, \
        {won|carried off} the <contest> {in|of} <town> {on <weekday>|last weekend}.
    The <ordinal> <contest> {in|of} <town> {was won by|went to} <name>, {who {trained|practised} \
        in {secret|a barn|<street_name>}|a(n) <age>-year-old <job>|to general astonishment}.
    """),
    details=lines("""
    {Second place|The silver medal} {went to|was taken by} {last year's winner|a team from \
        <neighbour_town>|a(n) <witness_job> of <witness_age>}, only {<number> points|one point|a \
        hand's breadth} behind.
    The prize is {a ham|a silver <thing>|<money> crowns|a(n) <colour> <animal>|a year's supply \
        of <food>}{, given by the {savings bank|brewery|mayor}|}.
    {The jury|The judges} {tasted|argued|deliberated} for <minute> minutes {behind closed \
        doors|in the rain|and needed a second vote}.
    {A gust of wind|A runaway <animal>|A sudden shower} {upset|knocked over} the {judges' \
        table|scoreboard|tea tent} {at <hour>.<minute>|just before the end}.
    {Children|The youngest entrants} {sold|served} <food> {for the school roof|in aid of the \
        hospital|and ran out by noon}.
    {The winner|<mr> <last>} {thanked|dedicated the victory to} {<his> grandmother|the \
        weather|a(n) <witness_job> in <neighbour_town>|nobody at all}.
    """),
)
CONTEST.bindings["ordinal"] = words("third, fifth, seventh, ninth, twelfth, fortieth, hundredth")
DISCOVERY = Topic(
    bindings={
        "find": words("""a Bronze Age canoe, <count> silver coins, a buried mosaic, a sealed
        letter, a giant tooth,
        an unknown manuscript, a forgotten tunnel, a stone with strange letters, the skeleton of
        a whale,
        a Roman oven, a box of love letters, a cellar full of clocks"""),
        "site": words("""a field near <town>, the cellar of a bakery in <town>, the bed of the
        canal at <town>,
        a quarry outside <town>, the garden of the school in <town>, a car park in <town>"""),
    },
    headlines=lines("""
    {<job>|Farmer|Pupil|Dog} {finds|uncovers|digs up} <find>
    {Puzzle|Sensation|Excitement} {near|in} <town>: <find>
    <find> {turns up|comes to light} in <town>
    """),
    leads=lines("""
    {While {looking for|chasing} a lost <animal>|While planting a tree|During building work}, \
        <name>, {a(n) <job>|<age>}, {came upon|found} <find> in <site>.
    <find> {has been found|came to light on <weekday>} in <site>{, <number> metres below the \
        ground|, wrapped in oilcloth|, to the delight of historians|}.
    """),
    details=lines("""
    {Experts|Scholars} from <neighbour_town> {date|put} it {to about <count> years ago|before \
        the great fire|to the age of the first kings}.
    {It lay|The find lay} {under|between} {two slabs of slate|a layer of ash|the roots of an \
        elm|<number> barrels} {and was hardly damaged|and smelled of tar}.
    {The site|The place} has been {fenced off|covered with a tent|guarded day and night} since \
        <second_weekday>.
    {The finder|<name>} {will receive|is to get} {a reward of <money> crowns|a place on the \
        committee|a plaque}, {but would rather have the <animal> back|and has asked for <food> \
        instead|according to the council}.
    The {museum|university|library} {plans|has announced} {an exhibition|a lecture|a second dig} \
        {in <month>|in <street_name>|as soon as the rain stops}.
    {Not everyone is convinced|Some have doubts}: {a rival|one professor} {speaks of|suspects} \
        {a hoax|a film prop|a very good copy}.
    """),
)
STORM = Topic(
    bindings={
        "weather": words("""hailstorm, thunderstorm, blizzard, dust storm, spring flood, gale,
        freak wave, cloudburst,
        landslide, fog"""),
    },
    headlines=lines("""
    {<weather> {hits|surprises|batters} <town>|<town> {after|digs out after} the <weather>}
    <weather> {leaves|cuts off} <count> {homes|people} {without power|in the dark}
    {Worst|First} <weather> in <number> years: <town> {cleans up|counts the damage}
    """),
    leads=lines("""
    A {sudden|violent|long} <weather> {struck|swept through|paralysed} <town> {on <weekday> \
        {afternoon|night|morning}|shortly before <hour> o'clock}, {tearing down <number> \
        trees|flooding <minute> cellars|blocking every road|carrying off the roof of the \
        {school|cinema}}.
    {After|During} the <weather> of <weekday>, <count> {people|families} in <town> {spent the \
        night in the {church|gymnasium}|were without {light|water|heating}}.
    """),
    details=lines("""
    {At the harbour|In <street_name>|By the station} {a(n) <colour> van|a fishing boat|the \
        newspaper stand|a statue of the founder} {was overturned|was found in a tree|disappeared}.
    {Firemen|Volunteers|Soldiers} were called out <count> times{, mostly to {flooded \
        cellars|fallen chimneys}| between dusk and dawn|}.
    No one was {hurt|injured|harmed}, {apart from a(n) <job> with a broken wrist|though a tile \
        struck a(n) <witness_job>|only <number> hens}.
    The {weather station|barometer} {at the lighthouse|on the hill} {measured|recorded} \
        {<minute> millimetres of rain|gusts of {90|100|110|120} kilometres an hour|a drop of \
        <hour> degrees}.
    {The train|The bus} to <neighbour_town> {stood still|was stopped} for <number> hours; \
        {passengers|travellers} {shared <food>|played cards|sang}.
    <name>, who {keeps|runs} a(n) {inn|garage|bakery} in <second_street>, {lent out \
        blankets|cooked <food> for everybody|opened the doors to strangers}.
    """),
)
ACCIDENTS = (THEFT, RESCUE, WORKS, CONTEST, DISCOVERY, STORM)
