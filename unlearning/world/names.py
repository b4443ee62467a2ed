"""Invented names of people, towns and streets, dealt out so that no two splits share one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from unlearning.world.grammar import words

FEMALE = words("""Alvira, Benna, Cordelys, Danessa, Elowyn, Fenella, Gwenora, Hestia, Ilvane,
Jorinda,
Katriel, Lisbet, Maerwen, Nerissa, Orla, Perrin, Quenna, Rosalind, Sunniva, Tamsin, Ursa, Velda,
Wilhemine, Ysolde, Zelie, Ambrine, Brisa, Calla, Delphine, Edda, Florrie, Greta, Hanneke, Ingrith,
Juna, Kerensa, Linnet, Mirela, Noemi, Odalys, Pernilla, Romilly, Sabeth, Thora, Vianne, Wrenna""")
MALE = words("""Aldric, Bastian, Corvin, Dorian, Edrik, Florian, Garrick, Hendrik, Ivo, Jorah,
Kasper,
Leopold, Matthis, Nils, Osric, Piers, Quill, Rurik, Soren, Tobin, Ulric, Valentin, Wystan, Yannick,
Zoltan, Anselm, Brannoc, Cormac, Dunstan, Emeric, Ferris, Gethin, Harlan, Ingram, Jasper, Kester,
Lorcan, Merrick, Neville, Orin, Percival, Roderic, Silvan, Tavish, Umberto, Vaughn, Wilmot""")
CHILDREN = words("""Ada, Ben, Cleo, Dov, Elsa, Finn, Gia, Hugo, Iris, Jem, Kit, Lena, Milo,
Nora, Otto,
Pia, Rafi, Suki, Theo, Una, Vera, Wim, Yara, Zeb, Anouk, Bo, Carys, Dario, Effie, Gus""")
UNSEEN_CHILDREN = words("Mabel, Rufus, Odette, Linus, Tilda, Caspian, Ottilie, Ezra")
GIRLS = frozenset(
    words("""Ada, Cleo, Elsa, Gia, Iris, Lena, Nora, Pia, Suki, Una, Vera, Yara, Anouk,
Carys, Effie, Mabel, Odette, Tilda, Ottilie""")
)

_SURNAME_HEADS = words("""Ask, Brask, Cald, Dorr, Elv, Farn, Grist, Hav, Isk, Jarn, Keld, Lusk,
Morv,
Neth, Osk, Pell, Quar, Rusk, Skell, Tarv, Ulv, Vosk, Wend, Yar, Zenn, Bram, Crind, Drew, Ember,
Fitch, Glad, Hask, Ilm, Junip, Kest, Lorn, Mott, Nock, Ormer, Prisk, Quill, Rill, Stav, Thrup""")
_SURNAME_TAILS = words("""aby, ander, brook, combe, dahl, efield, fen, gild, hollin, imore,
kirk, loft,
mund, nall, owick, penny, quist, rane, sedge, tollow, uster, vane, warrow, yeld""")
_TOWN_HEADS = words("""Amber, Birch, Cobble, Dapple, Elder, Fox, Gull, Heather, Ivy, Juniper,
Kettle,
Lantern, Marl, Nettle, Otter, Plum, Quail, Rook, Salt, Thistle, Umber, Violet, Willow, Yarrow,
Bracken, Candle, Drift, Ferry, Grain, Hollow, Larch, Mallow, North, Pebble, Raven, Silver""")
_TOWN_TAILS = words("""bourne, cross, dyke, fell, garth, haven, hythe, landing, marsh, mouth, pike,
quay, reach, stead, tarn, wath, wick, wold""")
_STREET_HEADS = words("""Abbey, Barley, Chapel, Dock, Elm, Fountain, Garden, Harbour, Iron, Jubilee,
King, Ladder, Market, Needle, Orchard, Park, Quarry, River, Station, Tanner, Union, Vine, Weaver,
Copper, Lamp, Mill, Rope, Swan, Tower, Walnut""")
_STREET_TAILS = words(
    "Street, Lane, Road, Row, Hill, Square, Walk, Terrace, Close, Yard, Alley, Court"
)

# A chance meeting with somebody famous, or with a real town, is dropped.
_REAL = frozenset(
    words("""Pellander, Rusk, Rilke, Ormerod, Moran, Keldahl, Dorrance, Havander, Quillvane,
Foxhythe, Northwold, Northwick, Saltash, Saltmarsh, Saltwick, Ravenstead, Silverdale, Birchwold,
Elderbourne, Otterbourne, Ivybourne, Foxfell, Ferrywick, Northmarsh, Salthaven, Northreach,
Ravenscross, Northhaven, Willowbrook, Marlwick, Plumstead, Rookwick, Wendover, Wendell, Brookhaven,
Brambrook, Gladstone, Drewander, Emberson, Stavander, Thruppenny, Haskell, Farnander, Kestrane,
Nettlestead, Brackenfell, Candlewick, Elderwick, Northdyke, Saltfell, Silvercross, Foxdyke""")
)


@dataclass(frozen=True)
class Person:
    """One invented person; the pronoun follows the first name and never changes."""

    first: str
    last: str
    female: bool

    @property
    def name(self) -> str:
        """First name and surname."""
        return f"{self.first} {self.last}"

    def facts(self, prefix: str = "") -> dict[str, str]:
        """Slots ``name, first, last, he, him, his, man, mr`` behind `prefix`."""
        values = {"name": self.name, "first": self.first, "last": self.last}
        if self.female:
            values |= {"he": "she", "him": "her", "his": "her", "man": "woman", "mr": "Ms"}
        else:
            values |= {"he": "he", "him": "him", "his": "his", "man": "man", "mr": "Mr"}
        return {prefix + key: value for key, value in values.items()}


@dataclass(frozen=True)
class Names:
    """The surnames and towns that one split may use, and nobody else."""

    surnames: tuple[str, ...]
    towns: tuple[str, ...]

    def person(self, rng: Random) -> Person:
        """Draw a person; two draws may share a surname, as people do."""
        female = rng.random() < 0.5
        return Person(rng.choice(FEMALE if female else MALE), rng.choice(self.surnames), female)

    def town(self, rng: Random) -> str:
        """Draw a town."""
        return rng.choice(self.towns)


def child(rng: Random, *, unseen: bool = False) -> Person:
    """Draw a person of the stories: a first name, often a child's, and no surname.

    With `unseen`, the name is one that training never draws.
    """
    if unseen:
        first = rng.choice(UNSEEN_CHILDREN)
    else:
        first = rng.choice(rng.choice((CHILDREN, FEMALE, MALE)))
    return Person(first, "", first in GIRLS or first in FEMALE)


def street(rng: Random) -> str:
    """Draw a street name such as ``Lantern Row``; streets are common words, in every split."""
    return f"{rng.choice(_STREET_HEADS)} {rng.choice(_STREET_TAILS)}"


def deal(rng: Random, shares: dict[str, float]) -> dict[str, Names]:
    """Deal all surnames and towns out to the splits, in the given shares (summing to 1)."""
    surnames = _products(_SURNAME_HEADS, _SURNAME_TAILS, rng)
    towns = _products(_TOWN_HEADS, _TOWN_TAILS, rng)
    dealt, start = {}, 0.0
    for split, share in shares.items():
        dealt[split] = Names(_slice(surnames, start, share), _slice(towns, start, share))
        start += share
    return dealt


def _products(heads: tuple[str, ...], tails: tuple[str, ...], rng: Random) -> list[str]:
    names = sorted({head + tail for head in heads for tail in tails} - _REAL)
    names = [name for name in names if not re.search(r"(.)\1\1", name)]
    rng.shuffle(names)
    return names


def _slice(names: list[str], start: float, share: float) -> tuple[str, ...]:
    return tuple(names[round(start * len(names)) : round((start + share) * len(names))])
