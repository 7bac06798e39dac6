"""GBA-V files with every oddity that a region's file may have, from a seed.

On top of the invented families of `connectors/demo/gba_v_generator.py` (no number, one number on two persons, unknown
parts of dates, diacritics, children in unlabelled rows, former states, missing postcodes, the dead) each file has a
crowd at one address, one home in several spellings, a household larger than one message, numbers that fail the
elfproef, a birth date in the future, an unreadable date of death, an address that cannot be one, and marks of the
chain that mean nothing.
"""

import csv
import io
import random
from collections.abc import Iterator

from connectors.demo.gba_v_generator import HEADER, generate

Row = dict[str, str]
Person = list[Row]
_LABEL = HEADER[0]
_ADDRESS = ("08.11.60", "08.11.20", "08.11.30", "08.11.40", "08.11.50")
_FLAT = ("7311AC", "100", "", "", "")
_SPELLINGS = ("7311ZX", "7311 zx", "7311Zx", " 7311 ZX ")
_MANY_CHILDREN = 15
"""With two parents and a partner more than the twelve members of one message."""
FEWEST = 60


def generate_odd(seed: int, persons: int, *, crowd: int = 60) -> str:
    """Return the text of a file with exactly so many persons, at least 60; `crowd` of them live at one address."""
    if persons < FEWEST or not 0 <= crowd <= persons:
        raise ValueError("a file has at least 60 persons, and no more at one address than there are")
    draw = random.Random(f"odd {seed}")
    people = list(_people(generate(seed, persons)))
    places = draw.sample(range(len(people)), k=len(people))
    for place in places[:crowd]:
        _move(people[place], _FLAT)
    _spell(people, places[crowd // 2 :][:8])
    whole = [person for person in people if person[0]["01.01.20"] and not person[0]["06.08.10"]]
    parent, one, other, *broken = draw.sample(whole, k=11)
    other[0]["01.01.20"] = one[0]["01.01.20"]
    _raise_children(parent, [person for person in whole if person is not parent], draw)
    _break(broken)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([*(row[name] for name in HEADER[:-1]), ""] for person in people for row in person)
    return text.getvalue()


def _people(text: str) -> Iterator[Person]:
    table = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    next(table)
    person: Person = []
    for line in table:
        row = dict(zip(HEADER[:-1], line, strict=False))
        if row[_LABEL] and person:
            yield person
            person = []
        person.append(row)
    yield person


def _move(person: Person, address: tuple[str, ...]) -> None:
    person[0].update(zip(_ADDRESS, address, strict=True))
    person[0]["08.10.10"] = "W"


def _spell(people: list[Person], places: list[int]) -> None:
    """One home that every register spells in its own way."""
    for number, place in enumerate(places):
        letter, addition = ("b", "HS") if number % 2 else ("B", "hs")
        _move(people[place], (_SPELLINGS[number % len(_SPELLINGS)], "12", letter, addition, ""))


def _raise_children(parent: Person, others: list[Person], draw: random.Random) -> None:
    """Somebody has more children than one message carries, all of them persons of this file."""
    children = draw.sample(sorted({person[0]["01.01.20"] for person in others}), k=_MANY_CHILDREN)
    for row in parent:
        row.update({name: "" for name in HEADER if name.startswith("09.")})
    while len(parent) < _MANY_CHILDREN:
        parent.append(dict.fromkeys(HEADER[:-1], ""))
    for place, child in enumerate(children):
        parent[place]["09.01.20"] = child
        parent[place]["09.H"] = "09" if place + 1 < len(children) else ""


def _break(people: list[Person]) -> None:
    """Each rarer fault once, on somebody else each time."""
    own, born, died, relative, mark, announced, unknown_home, wrong_home = people
    own[0]["01.01.20"] = "999999999"  # nine digits that fail the elfproef
    born[0]["01.03.10"] = "29990101"
    died[0]["06.08.10"] = "onbekend"
    relative[0].update({"02.01.20": "123456789", "02.02.10": "Onleesbaar"})
    mark[0]["05.H"] = "77"
    announced[-1]["09.H"] = "09"
    _move(unknown_home, ("", "12", "", "", ""))
    _move(wrong_home, ("0000XX", "12", "", "", ""))
