"""Word pools that several kinds of text draw from."""

from __future__ import annotations

from unlearning.world.grammar import words

OCCUPATIONS = words("""baker, beekeeper, bookbinder, botanist, bricklayer, bus driver, butcher,
cartographer,
carpenter, chemist, clockmaker, cobbler, cook, dentist, diver, dressmaker, electrician, engraver,
farmer, ferry pilot, fisherman, florist, gardener, geologist, glassblower, goldsmith, grocer,
hairdresser, harpist, innkeeper, judge, locksmith, lighthouse keeper, mechanic, midwife, miller,
miner, notary, nurse, optician, organist, painter, pharmacist, piano tuner, plumber, potter,
printer,
postman, saddler, sailor, schoolteacher, sculptor, shepherd, surveyor, tailor, tanner, tram
conductor,
translator, umbrella maker, veterinarian, violin maker, watchmaker, weaver, welder""")
GENRES = words("""detective novels, sea stories, ghost stories, historical novels, love stories,
travel books,
family sagas, science fiction, comic novels, fairy tales, spy thrillers, nature writing, short
stories,
radio plays, courtroom dramas, cookery novels, war memoirs, poems about work, village chronicles,
children's adventures, mountain stories, philosophical dialogues, letters in verse, railway
mysteries""")
BOOK_ADJECTIVES = words("""Amber, Bitter, Borrowed, Broken, Careful, Distant, Empty, Faithful,
Forgotten, Frozen,
Gentle, Hidden, Hollow, Hungry, Last, Little, Lonely, Lost, Narrow, Patient, Paper, Quiet, Restless,
Salted, Second, Secret, Silent, Sleeping, Slow, Stolen, Third, Unfinished, Wandering, Winter""")
BOOK_NOUNS = words("""Almanac, Anchor, Apple, Arithmetic, Atlas, Bell, Bridge, Candle, Chair,
Clock, Compass,
Cup, Door, Ferry, Garden, Glove, Harbour, Harvest, House, Island, Key, Ladder, Lamp, Letter, Map,
Mirror, Needle, Oar, Orchard, Owl, Passenger, Pear, Piano, Quarry, River, Rope, Salt, Shadow, Ship,
Spoon, Staircase, Station, Stone, Summer, Thread, Tide, Tower, Umbrella, Violin, Well, Window""")
AWARDS = words("""Silver Quill, Golden Lantern, Harbour Medal, Blue Inkwell, Northern Laurel,
Glass Feather,
Readers' Crown, Iron Pen, Three Rivers Prize, Old Library Prize, Amber Page, Copper Bookmark,
Midwinter Prize, Seven Bridges Award, White Lighthouse Prize, Paper Boat Award, Orchard Medal,
Open Window Prize, Long Table Award, Winter Reading Cup""")
PETS = words("""grey cat, one-eyed cat, black poodle, lame terrier, tortoise, white goat, tame
crow, parrot,
hedgehog, white ferret, brown donkey, old sheepdog, ginger kitten, spotted pig, blind greyhound,
tabby cat, cockatoo, dormouse, lop-eared rabbit, red setter""")
PET_NAMES = words("""Biscuit, Admiral, Pepper, Duchess, Button, Thimble, Professor, Mustard,
Captain, Pickle,
Comma, Sultan, Marble, Turnip, Waffle, Domino, Figaro, Nutmeg, Pudding, Tinder, Velvet, Bramble,
Cricket, Dumpling, Magpie, Rhubarb, Sixpence, Tuppence""")
HOBBIES = words("""repairing old clocks, keeping bees, growing pumpkins, playing chess by post,
collecting sea shells,
painting small boats, singing in a choir, walking in the hills, carving wooden spoons, baking
rye bread,
watching the stars, fishing for trout, restoring bicycles, pressing flowers, playing the accordion,
flying kites, drawing maps of places that do not exist, making plum jam, ringing church bells,
sailing a small red dinghy, breeding pigeons, learning dead languages, photographing doors,
building model trains, skating on the canal, collecting buttons, knitting enormous scarves,
juggling lemons, swimming in cold lakes, mending nets, playing the bassoon, pruning roses""")
ROUTINES = words("""in pencil on the backs of bills, at a kitchen table before sunrise, standing
up at a tall desk,
in a bath without water, on the first tram of the morning, only when it rained, in the attic
under a skylight,
with both windows open, at night by a single candle, in green ink and never in blue, on a
typewriter without the letter q,
in an empty railway carriage, between two and four in the afternoon, in a shed at the end of the
garden,
aloud while walking along the river, with a stopwatch beside the paper, in the waiting room of a
dentist,
on long rolls of wallpaper, in bed with gloves on, in a corner of the fish market, facing a bare
white wall,
after a cold swim, on the top deck of a ferry, with a metronome ticking, in a rented room over a
bakery""")
LANGUAGES = words("""Old Vessic, Marrish, High Tolvan, Quennish, Lower Brask, Ondrian, Sea
Halvic, Upper Zenn,
Karolian, Isk, Western Pell, Dorrish""")
FOODS = words("""barley soup, apple dumplings, smoked trout, onion tart, rye bread, plum cake,
pea stew, cheese rolls,
ginger biscuits, fish pie, roast chestnuts, pumpkin soup, honey buns, bean salad, potato pancakes,
cherry jam, mushroom pie, lentil cakes, pickled herring, blackberry crumble, carrot soup, oat bread,
walnut cake, leek broth, almond rings, fried eel, turnip stew, poppy seed rolls, pear tart,
noodle soup""")
ANIMALS = words("""badger, calf, cat, crow, deer, dog, donkey, duck, ferret, fox, goat, goose,
hare, hedgehog,
heron, horse, kitten, lamb, mole, mouse, otter, owl, pig, pigeon, pony, rabbit, raven, robin, seal,
sheep, snail, sparrow, squirrel, swan, toad, tortoise, turkey, weasel""")
COLOURS = words("""red, blue, green, yellow, white, black, grey, brown, orange, purple, silver,
golden, pink,
turquoise, crimson, cream""")
THINGS = words("""basket, bell, bicycle, blanket, book, boot, bottle, bowl, box, brush, bucket,
button, cake, candle,
cap, chair, clock, coat, coin, cup, drum, feather, flag, flute, glove, hammer, hat, jar, kettle,
key, kite,
ladder, lamp, lantern, letter, map, marble, mirror, mug, necklace, needle, paintbrush, pencil,
plate,
pot, purse, ribbon, ring, rope, saddle, scarf, shell, shoe, spoon, stool, suitcase, teapot, ticket,
tin, torch, toy boat, trumpet, umbrella, violin, wagon, watch, whistle, wheelbarrow""")
PLACES = words("""attic, bakery, barn, beach, boathouse, bridge, canal, castle, cellar, church,
cliff, corner shop,
farm, ferry, field, forest, garden, greenhouse, harbour, hill, island, kitchen, lake, library,
lighthouse,
market, meadow, mill, museum, orchard, park, playground, pond, post office, quarry, river, school,
stable, station, swamp, theatre, tower, tunnel, valley, village hall, well, windmill, workshop""")
MONTHS = words("""January, February, March, April, May, June, July, August, September, October,
November,
December""")
WEEKDAYS = words("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
NUMBERS = words("""two, three, four, five, six, seven, eight, nine, ten, eleven, twelve,
thirteen, fourteen, fifteen,
sixteen, seventeen, eighteen, nineteen, twenty""")
RELATIVES = words("""aunt, brother, cousin, daughter, father, grandfather, grandmother, mother,
nephew, niece,
sister, son, uncle, neighbour, landlady, old teacher""")
