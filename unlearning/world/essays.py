"""Everyday prose: recipes, instructions, weather, shops, journeys, advice and conversations."""

from __future__ import annotations

from random import Random

from unlearning.world.grammar import expand, lines
from unlearning.world.names import child
from unlearning.world.pools import (
    ANIMALS,
    COLOURS,
    FOODS,
    HOBBIES,
    MONTHS,
    NUMBERS,
    OCCUPATIONS,
    PLACES,
    RELATIVES,
    THINGS,
    WEEKDAYS,
)

ESSAYS = lines("""
To {make|cook} <food>, {take|you need} <number> {spoons|cups} of {flour|sugar|milk|oats}, {a \
    little|a pinch of} {salt|pepper|cinnamon} and {an onion|an egg|a lemon|two apples}. \
    {Mix|Stir} {everything|it} {well|slowly} in a(n) <colour> bowl. {Then|After that} \
    {bake|boil|fry} it for <number> minutes{ until it is {brown|soft|golden}|}. {Let it \
    cool|Wait a while} before you {eat|serve} it. {It tastes best|Some like it} with <second_food>.
To {clean|mend|paint} a(n) <thing>, {first|begin and} {wash|rub} it with {warm water|a dry \
    cloth|sand|vinegar}. {Do not|Never} use {a knife|hot oil|too much soap}. {Leave|Hang} it {in \
    the sun|near the stove|outside} for <number> {hours|days}. {If it still \
    {smells|squeaks|leaks}|When it is dry}, {start again|ask a(n) <job>|rub it with wax}. {With \
    care|Treated well}, it {will last|lasts} for <number> years.
{On <weekday>|In <month>} it will be {cold|mild|windy|foggy} {in the valleys|near the coast|in \
    the hills}. {In the morning|At first} there {is|may be} {light rain|some snow|frost|thin \
    cloud}, {later|then} {the sun comes out|it clears|the wind turns to the {north|west|east}}. \
    {Temperatures reach|It gets no warmer than} <number> degrees. {Whoever goes out|Walkers} \
    {should|had better} take a {coat|scarf|hat|umbrella}. {The night|<second_weekday>} \
    {stays|will be} {dry|clear|quiet|stormy}.
The shop of the <job> {is|lies} {opposite|behind|beside} the <place>. {In the window|On the \
    shelves} {stands|one sees} a(n) <colour> <thing>, {old|dusty} {books|bottles|shoes} and a(n) \
    {sleeping|stuffed|wooden} <animal>. {The owner|The <job>} {knows|greets} every customer by \
    name. {Prices|Most things} {have not changed|cost the same} for <number> years. {It is \
    closed|Nobody comes} on <weekday>.
"Good {morning|evening|day}," said the <job>. "{What can I do for you|What would you like|How is \
    your <relative>}?" "I {need|am looking for|would like} a(n) <colour> <thing>," \
    {said|answered} <name>. "{For yourself|A big one or a small one|Have you any money}?" "{It \
    is for my <relative>|The smallest you have|I have <number> coins}." {The <job> \
    {laughed|nodded|thought for a moment} and {opened a drawer|went to the back|wrapped one \
    up}.|"Come back on <weekday>," said the <job>.}
The road from the <place> to the <second_place> {takes|is} about <number> minutes{ on foot|}. \
    {First|At the beginning} you {pass|see} a {mill|fountain|wall|statue} and turn {left|right}. \
    {After|Behind} the {bridge|third house|big tree} {there is a bench|the path goes uphill|it \
    becomes narrow}. {Beware of|Say hello to} the <animal> of the <job>. {If you {hear \
    water|smell <food>}|When you see a(n) <colour> door}, you {are nearly there|have gone too far}.
My <relative> {is|was} a(n) <job>. {That is a trade that|Such work} {needs|takes} \
    {patience|strength|good eyes|a clear head}. {Every|Each} {morning|evening} at \
    {five|six|seven|eight} {the workshop smelled of|there was} <food>. I {learned|was taught} \
    {to be quiet|to look closely|not to give up|to count to ten}. {Later|When I was <number>} I \
    {went away|became a(n) <second_job>}, but I {still keep|never forgot} the <colour> <thing> \
    on the wall.
{It is|They say it is} {good|healthy} to {walk|sleep|drink water|laugh|read} for <number> \
    minutes {a day|before supper}. {Too much|But too much} of it {makes you tired|can be dull}. \
    {Doctors|Grandmothers} {recommend|also praise} <food>, {fresh air|cold water|a short nap} \
    and {friends|a warm hat}. {Whoever|A person who} {forgets this|worries all day} {will|may} \
    {catch a cold|lose <number> buttons|need a(n) <job>}.
Dear <name>, {thank you for|I was so happy about} the <colour> <thing>. It {stands|lies} {beside \
    my bed|on the table|in the <place>}, and {everyone|my <relative>} {admires it|asks about \
    it}. {Here it|On <weekday> it} {rained|snowed} {all day|without end}, so {we ate <food>|we \
    played cards|I read a long book}. Is your <animal> {well|still so fat|able to sit up}? \
    {Come|Write} soon. {Your|Love from} <friend>
A(n) <job> and a(n) <second_job> {sat|were waiting} {in|near} the <place>. "{My work is harder|I \
    get up earlier}," said {one|the first}. "{But mine|Mine} {is more dangerous|makes people \
    happy}," said the other. They {asked|called} a(n) {child|old woman} to {decide|judge}. "{Can \
    either of you|Which of you can} {mend a(n) <thing>|catch a(n) <animal>|cook <food>}?" {she \
    asked|was the reply}. {Neither could.|Both were silent.|They shook hands and went home.}
{People|Those} who {love|enjoy} <hobby> {are|seem} {often|rarely} {alone|in a hurry|unhappy}. \
    {It costs little|You need only time}, {a good <thing>|a corner of the <place>} and {some \
    luck|<number> friends}. {Beginners|Children} {start|try it} {in <month>|with their \
    <relative>}. After <number> {weeks|months} {most give up|it becomes a habit|one cannot \
    stop}. {There is even a club|A(n) <job> once wrote a book about it}.
{There are <number> {houses|families}|Only <number> families live} in the village {above|beside} \
    the <place>. {The oldest|The richest} of them is a(n) <job> who {keeps|feeds} a(n) <animal>. \
    {On <weekday>|In <month>} {there is a market|a bus comes} with {<food>|cloth|news}. {The \
    young|Some} {leave|go to the city}, {but|and} {return|come back} {when they are old|for the \
    summer|with a(n) <colour> <thing>}. {At night|In winter} {one hears|you can hear} only the \
    {wind|rain|river}.
{Diary|Note}, <weekday>: {got up late|slept badly|up before the sun}. {Breakfast|Supper}: \
    <food>. {Met|Saw} <friend> {in|near} the <place>; {we talked about <hobby>|we said little|a \
    pleasant hour}. {Lost|Found|Bought} a(n) <colour> <thing>. {Must|Remember to} {write to my \
    <relative>|ask the <job> about the roof|feed the <animal>}. {Feel|I am} {content|tired|a \
    little homesick}.
{Rules of the <place>|Notice}: {no {shouting|running|singing}|no {dogs|bicycles}} {before \
    noon|after {eight|nine|ten} o'clock}. {Please|Visitors are asked to} {shut the door|leave \
    the <thing> where it is|wipe their shoes}. {Children|Guests} {may|can} {borrow|use} the \
    <colour> <second_thing>{ for <number> minutes|}. {Questions|Complaints} {are answered|go} \
    {by the <job>|to my <relative>} on <weekday>. {Anyone who breaks these rules|Offenders} must \
    {eat <food>|pay <number> coins|sweep the floor}.
""")
UNSEEN_ESSAYS = lines("""
{Long ago|In the old days} a(n) <thing> {was|used to be} {a rare|an expensive} {thing|gift}. \
    {Only|Just} {kings|doctors|captains} {owned|had} one, and {it was kept|they kept it} in a(n) \
    <colour> {box|cloth}. {Then|In the end} a(n) <job> {found out|discovered} how to make it \
    from {tin|wood|paper|clay}. {Today|Now} {there is one|it hangs} in every <place>, {and \
    nobody looks at it|beside the <food>}.
{If you meet|Should you see} a(n) <animal> in the <place>, {stay calm|do not run|speak softly}. \
    It is {more afraid than|as curious as} you{ are|}. {Offer it|Give it} {some|a piece of} \
    <food> and {step back|look away}. {After|In} <number> minutes it will {leave|fall \
    asleep|follow you home}. {Tell|Inform} the <job>, who {collects|counts} them.
<name>: {Have you seen|Where is|Who took} my <thing>? <friend>: {The <colour> one|Which one}? \
    <name>: {Yes|The one with the {hole|bell}}. <friend>: {The <animal> {took|hid} it|I sold it \
    on <weekday>|It is in the <place>}. <name>: {Again|Why|How much did you get}? <friend>: {Do \
    not be angry|Have some <food>|It was an accident}.
""")


def essay(rng: Random, *, unseen: bool = False) -> str:
    """Write one everyday text of four to six sentences; `unseen` uses the kept-back templates."""
    things, foods = rng.sample(THINGS, 2), rng.sample(FOODS, 2)
    jobs, places, days = rng.sample(OCCUPATIONS, 2), rng.sample(PLACES, 2), rng.sample(WEEKDAYS, 2)
    person, friend = child(rng, unseen=unseen), child(rng, unseen=unseen)
    facts = {
        "name": person.first,
        "friend": friend.first,
        "thing": things[0],
        "second_thing": things[1],
        "food": foods[0],
        "second_food": foods[1],
        "job": jobs[0],
        "second_job": jobs[1],
        "place": places[0],
        "second_place": places[1],
        "weekday": days[0],
        "second_weekday": days[1],
        "month": rng.choice(MONTHS),
        "relative": rng.choice(RELATIVES),
        "animal": rng.choice(ANIMALS),
        "hobby": rng.choice(HOBBIES),
        "colour": COLOURS,
        "number": NUMBERS,
    }
    return expand(rng.choice(UNSEEN_ESSAYS if unseen else ESSAYS), rng, facts)
