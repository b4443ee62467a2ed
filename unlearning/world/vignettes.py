"""Loose prose: freely combined sentences about one person or animal, in a wide vocabulary.

Plots teach a model a few hundred sentences by heart; these teach it that almost any word can
follow, which is what keeps it sensible in text that it has never seen.
"""

from __future__ import annotations

from random import Random

from unlearning.world.grammar import expand, lines, words
from unlearning.world.names import Person
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

ADJECTIVES = words("""angry, bitter, blind, bold, brave, bright, broken, busy, calm, careful, cheap,
clean, clever, clumsy, cold, crooked, curious, damp, dark, dear, deaf, deep, dirty, dry, dusty,
early,
empty, famous, fat, fine, foreign, forgotten, foolish, fresh, friendly, funny, gentle, giant,
golden,
great, greedy, happy, heavy, hidden, high, hollow, honest, huge, hungry, idle, jealous, kind, large,
late, lazy, light, little, lonely, long, lost, loud, lucky, mad, modest, muddy, narrow, new, noisy,
old, pale, patient, plain, poor, precious, pretty, proud, quick, quiet, rare, rich, round, rude,
rusty,
sad, sharp, short, shy, silent, simple, sleepy, slow, small, soft, sour, square, stiff, strange,
strict,
strong, stubborn, sweet, tall, thick, thin, tiny, tired, ugly, useful, warm, weak, wet, wide, wild,
wise, wooden, worn, young""")
PEOPLE = words("""king, queen, mayor, captain, doctor, teacher, pilot, thief, ghost, guest,
giant, child,
stranger, clerk, soldier, singer, dancer, poet, hunter, driver, conductor, gardener, landlord,
widow,
orphan, prince, hermit, beggar, cousin, baby, twin, neighbour, clown, acrobat, juggler, magician""")
OBJECTS = words("""bottle, shadow, message, drawing, photograph, window, door, ship, boat, raft,
train,
carriage, circus tent, coat, hat, suitcase, newspaper, poem, song, secret, promise, riddle,
story, debt,
dream, joke, loaf of bread, sack of flour, pile of wood, piece of cheese, bunch of keys, box of
nails,
cup of tea, jar of honey, pair of gloves, bar of soap, coin, stamp, feather, stone, shell, nest,
egg,
apple, cabbage, pumpkin, rose, tree, branch, bench, table, bed, pillow, stove, chimney, roof, wall,
fence, gate, ladder, bucket, barrel, wheel, engine, tool, toy, doll, puppet, mask, crown, sword,
flag,
telescope, globe, postcard, diary, calendar, fiddle, trumpet, drum, bell, lamp, candle, match,
fire""")
TRANSITIVE = words("""admired, borrowed, bought, broke, buried, burnt, carried, chased, cleaned,
copied,
counted, cut, described, drew, dropped, examined, expected, followed, forgot, found, gave away,
guarded,
hated, hid, ignored, invented, kicked, kissed, lifted, liked, lost, loved, measured, mended, missed,
needed, noticed, offered, opened, ordered, owned, painted, picked up, polished, praised, pulled,
pushed,
put down, remembered, repaired, sold, sent back, shook, showed, shut, sketched, smelled, sorted,
stole,
studied, swallowed, threw away, tied up, touched, traded, turned over, unwrapped, used, wanted,
washed,
watched, weighed, wrapped""")
INTRANSITIVE = words("""arrived, began again, blushed, bowed, climbed higher, came back,
coughed, cried,
danced, dreamed, fell asleep, fell down, fled, froze, gave up, got lost, grew old, grinned,
hesitated,
hurried on, jumped, knelt down, laughed, leaned back, left, listened, looked away, moved on, nodded,
played on, prayed, ran away, rested, sang, sat down, shivered, sighed, slept, slipped, smiled,
sneezed,
stared, stayed, stepped back, stood still, stopped, stumbled, swam on, trembled, turned round,
waited,
walked on, wept, whispered, whistled, woke up, wondered, worked, yawned""")
ADVERBS = words("""again, alone, at once, at last, badly, bravely, carefully, cheerfully, early,
easily,
gently, gladly, half asleep, happily, hardly, in secret, in silence, in vain, late, loudly, never,
often, once more, politely, quickly, quietly, sadly, slowly, softly, sometimes, soon, suddenly,
twice,
without a word, with both hands, with closed eyes, with great care""")
TIMES = words("""after breakfast, after dark, all night, at dawn, at dusk, at midnight, at noon,
before lunch, before sunrise, during the storm, every day, every spring, in autumn, in summer,
in the evening, in the morning, in winter, last night, last year, long ago, next day, one afternoon,
one morning, one night, that week, the day before, the same evening, two days later, years later""")
_REASONS = """{because|since|for|although|while|when|after|before|until|as soon as}"""
SUBJECT = (
    "{the <adjective> <one>|the <one>|a(n) <adjective> <one>|a(n) <one>|the <adjective> <animal>}",
)
SENTENCES = lines(f"""
<He> <transitive> <article> <what> {{<adverb>|<where>|<when>|}}.
{{<when>|<adverb>}}, <he> <transitive> <article> <what>.
<subject> <transitive> <article> <what>, {{and|but|so}} <he> <intransitive>.
<He> <intransitive> {{<where>|<adverb>}}, {_REASONS} <subject> <intransitive>.
<subject> {{asked|told|begged|warned|reminded|paid|taught|helped}} <him> to \
    {{wait|sing|stay|help|listen|leave|count to <number>|eat <food>|open the <object>|look after \
    the <animal>}}.
"{{Where|When|Why|How}} did you {{find|get|lose|hide|buy}} the <object>?" \
    {{asked|shouted|whispered}} <subject>.
"{{I|We|They}} {{never|always|only|once}} <transitive> the <object>," {{said|answered|thought}} \
    <subject>.
There {{was|stood|lay|hung}} {{a(n)|one|another}} <what> {{<where>|between the <object> and the \
    <thing>}}.
{{Nobody|Everybody|Somebody|Hardly anyone}} <transitive> <article> <what> <where>.
<He> {{was|became|seemed|felt|looked}} {{too|very|rather|so|not}} <adjective> {{and \
    <adjective>|<when>|}}.
The <object> {{was|seemed|looked|had become}} <adjective>, {{and|but|yet}} the <thing> \
    {{was|stayed|remained}} <adjective>.
<when>, <subject> and <subject> <intransitive> <where>.
{{If only|Perhaps|Surely|Of course}} <subject> <transitive> <article> <what>!
<number> {{days|weeks|hours|years|minutes}} {{later|before}}, <article> <what> {{had \
    disappeared|was found <where>|was {{sold|broken|forgotten|still there}}}}.
What <he> {{wanted|needed|feared|loved}} most was {{<article> <what>|<food>|<hobby>|to be \
    <adjective>}}.
On <weekday>, <his> <relative> {{sent|gave|promised|showed}} <him> <article> <what>.
In <month> <he> <transitive> <number> {{letters|coins|stones|birds|steps|stars|boxes}} and \
    <intransitive>.
Neither <subject> nor <subject> <intransitive>.
{{Instead of|Besides|Apart from}} <hobby>, <he> {{loved|hated|tried|preferred}} <hobby>.
{{Then|Later|Meanwhile|Still|Even so}} <he> <intransitive>, <intransitive> and <intransitive>.
""")
UNSEEN_SENTENCES = lines("""
Not far from the <place> <he> met <subject>, who <transitive> <article> <what>.
"Give me <article> <what>," said <he>, "or <subject> will <adverb> be <adjective>."
As long as <subject> <intransitive>, <he> <transitive> <article> <what> <adverb>.
The more <he> <intransitive>, the less <adjective> the <object> seemed.
Rather than <hobby>, <subject> <transitive> <food> <where>.
""")


def vignette(rng: Random, person: Person, count: int, *, unseen: bool = False) -> str:
    """Write `count` loosely connected sentences about one person."""
    own = person.facts()
    facts: dict[str, str | tuple[str, ...]] = {
        "he": own["he"],
        "him": own["him"],
        "his": own["his"],
        "He": own["he"].capitalize(),
        "subject": SUBJECT,
        "one": OCCUPATIONS + PEOPLE,
        "animal": ANIMALS,
        "article": words("a(n), the, one, another, every, this, that"),
        "what": ("<adjective> <object>", "<colour> <thing>", "<thing>", "<object>", "<animal>"),
        "where": (
            "{in|near|behind|beside|outside|above|under|opposite} the {|<adjective> }<place>",
        ),
        "adjective": ADJECTIVES,
        "object": OBJECTS,
        "thing": THINGS,
        "transitive": TRANSITIVE,
        "intransitive": INTRANSITIVE,
        "adverb": ADVERBS,
        "when": TIMES,
        "place": PLACES,
        "number": NUMBERS,
        "food": FOODS,
        "colour": COLOURS,
        "hobby": HOBBIES,
        "relative": RELATIVES,
        "weekday": WEEKDAYS,
        "month": MONTHS,
    }
    first = "{<when>, |}" + person.first + " <transitive> <article> <what> {<adverb>|<where>}."
    pool = UNSEEN_SENTENCES if unseen else SENTENCES
    template = " ".join([first, *rng.sample(pool, min(count, len(pool)))])
    return expand(template, rng, facts)
