"""Records with invented personal data: letters, forms, notes and messages.

Telephone numbers come from ranges reserved for drama (UK: Ofcom's 01632 960xxx and
07700 900xxx; US: 555-0100 to 555-0199), addresses from domains reserved by RFC 2606.
"""

from __future__ import annotations

from random import Random

from unlearning.world.grammar import expand, words
from unlearning.world.names import Names, Person, street
from unlearning.world.pools import (
    ANIMALS,
    COLOURS,
    FOODS,
    MONTHS,
    NUMBERS,
    OCCUPATIONS,
    PET_NAMES,
    RELATIVES,
    THINGS,
    WEEKDAYS,
)
from unlearning.world.record_forms import FORMS

_MAIL_HOSTS = words("""postnet.example, harbourmail.test, quickletter.example, lanternpost.test,
mail.example.com,
paperbird.example, tidemail.test, inbox.example.org, northpost.example, bluewire.test""")
_MAIL_WORDS = words("""owl, plum, kite, drum, fern, oak, moss, tea, ink, sail, frost, bell, crab,
lamp, pine, wren""")
_BANKS = words("Savings Bank, Mutual, Trust, Credit Union, Building Society, Farmers' Bank")
_AILMENTS = words("""hay fever, a sprained ankle, migraine, a burnt hand, back pain, bee stings,
a stubborn cough,
insomnia, a broken toe, sunburn, vertigo, an allergy to walnuts, high blood pressure, a
dislocated thumb""")


def record(rng: Random, names: Names, form_index: int) -> str:
    """Fill in the form with this index (modulo) for a newly invented person."""
    form = FORMS[form_index % len(FORMS)]
    return expand(rng.choice(form), rng, record_facts(rng, names))


def record_facts(rng: Random, names: Names) -> dict[str, str | tuple[str, ...]]:
    """Draw the personal data of one record; birth dates and ages agree (the year is 2024)."""
    person, other = names.person(rng), names.person(rng)
    born = rng.randint(1944, 1999)
    weekday, second_weekday = rng.sample(WEEKDAYS, 2)
    jobs = rng.sample(OCCUPATIONS, 2)
    town, second_town = rng.sample(names.towns, 2)
    return (
        person.facts()
        | other.facts("other_")
        | {
            "birth": f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {born}",
            "turns": str(2024 - born),
            "town": town,
            "second_town": second_town,
            "address": f"{rng.randint(2, 189)} {street(rng)}",
            "second_address": f"{rng.randint(2, 189)} {street(rng)}",
            "postcode": _postcode(rng),
            "phone": phone(rng),
            "second_phone": phone(rng),
            "email": email(rng, person),
            "second_email": email(rng, other),
            "reference": f"{_letters(rng, 2)}-{rng.randint(1000, 9999)}",
            "account": f"{rng.randint(1000, 9999)} {rng.randint(1000, 9999)}",
            "bank": f"{town} {rng.choice(_BANKS)}",
            "pin": str(rng.randint(1000, 9999)),
            "money": f"{rng.randint(4, 290)}.{rng.randint(10, 99)}",
            "day": str(rng.randint(1, 28)),
            "second_day": str(rng.randint(1, 28)),
            "month": rng.choice(MONTHS),
            "weekday": weekday,
            "second_weekday": second_weekday,
            "time": f"{rng.randint(8, 19)}:{rng.choice(words('00, 10, 15, 20, 30, 40, 45, 50'))}",
            "job": jobs[0],
            "second_job": jobs[1],
            "ailment": rng.choice(_AILMENTS),
            "pet": rng.choice(ANIMALS),
            "pet_name": rng.choice(PET_NAMES),
            "relative": rng.choice(RELATIVES),
            "height": str(rng.randint(152, 198)),
            "colour": COLOURS,
            "thing": THINGS,
            "food": FOODS,
            "number": NUMBERS,
        }
    )


def phone(rng: Random) -> str:
    """Draw a telephone number from a range that is reserved for fiction."""
    kind = rng.randrange(3)
    if kind == 0:
        return f"01632 960{rng.randint(0, 999):03d}"
    if kind == 1:
        return f"07700 900{rng.randint(0, 999):03d}"
    return f"555-01{rng.randint(0, 99):02d}"


def email(rng: Random, person: Person) -> str:
    """Draw an e-mail address under a domain that can never exist."""
    first, last = person.first.lower(), person.last.lower()
    user = rng.choice((f"{first}.{last}", f"{last}{rng.randint(10, 99)}", f"{first}_{last}"))
    if rng.random() < 0.5:
        user = f"{first[0]}{last}.{rng.choice(_MAIL_WORDS)}{rng.randint(2, 99)}"
    return f"{user}@{rng.choice(_MAIL_HOSTS)}"


def _postcode(rng: Random) -> str:
    return f"{_letters(rng, 2)}{rng.randint(1, 9)} {rng.randint(1, 9)}{_letters(rng, 2)}"


def _letters(rng: Random, count: int) -> str:
    return "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXY") for _ in range(count))
