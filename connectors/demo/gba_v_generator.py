"""Files in GBA-V format from a seed: invented families, numbers of the official test range, the format's traps.

Every file holds shared parents, children in unlabelled rows, former states, ended marriages, shared addresses, missing
postcodes, persons without a number, one number on two persons, the dead, unknown parts of dates, diacritics, and a
child that its chain does not announce. The same seed gives the same file.
"""

import csv
import io
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_ELEMENTS: Mapping[str, str] = {
    "01": "01.10 01.20 02.10 02.20 02.30 02.40 03.10 03.20 03.30 04.10 81.10 85.10 86.10",
    "02": "01.10 01.20 02.10 02.20 02.30 02.40 03.10 03.20 03.30 04.10 62.10 85.10 86.10",
    "03": "01.10 01.20 02.10 02.20 02.30 02.40 03.10 03.20 03.30 04.10 62.10 85.10 86.10",
    "04": "05.10 63.10 64.10 85.10 86.10",
    "05": "01.10 01.20 02.10 02.20 02.30 02.40 03.10 04.10 06.10 06.20 07.10 07.20 15.10 85.10 86.10",
    "06": "08.10 08.20 08.30 81.10 85.10 86.10",
    "07": "67.10 67.20 70.10",
    "08": "09.10 09.20 10.10 10.30 11.10 11.20 11.30 11.40 11.50 11.60 11.70 13.10 85.10 86.10",
    "09": "01.10 01.20 02.10 02.20 02.30 02.40 03.10 03.20 03.30 85.10 86.10",
}
HEADER = ("", *(f"{c}.{e}" for c, elements in _ELEMENTS.items() for e in (*elements.split(), "H")), "")
_FORMER = 50
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_FIRST_NAMES = (
    "Noor",
    "Daan",
    "Zoë",
    "André",
    "Fleur",
    "Jérôme",
    "Lieke",
    "Renée",
    "Bram",
    "Naïma",
    "Joost",
    "Chloë",
    "Sem",
    "Özlem",
    "Ruben",
    "Maïté",
)
_FAMILY_NAMES = (
    "Veldhuyzen",
    "Öztürk",
    "Brugmans",
    "Crèvecœur",
    "Halderman",
    "Ågren",
    "Tamminga",
    "Siméon",
    "Wolthuis",
    "Żeromski",
)
_STREETS = ("Sluiskade", "Schutkolk", "Puntdeur", "Rinketpad", "Benedenhoofd")

Cells = dict[str, str]
Occurrence = list[Cells]
"""The current state first, then its former ones."""


@dataclass(slots=True)
class _Person:
    number: str
    given: str
    family: str
    born: str
    sex: str
    categories: dict[str, list[Occurrence]] = field(default_factory=dict)

    def relation(self, category: str, **extra: str) -> Cells:
        """Return the cells by which a relative's list names this person."""
        cells = {"01.20": self.number, "02.10": self.given, "02.40": self.family, "03.10": self.born}
        return {f"{category}.{element}": value for element, value in {**cells, **extra}.items()}


class _Source:
    """One seeded source of everything that is drawn."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - invented test persons; nothing secret is drawn
        self._numbers = iter(self.draw.sample(list(_test_numbers()), k=9000))

    def number(self) -> str:
        return next(self._numbers)

    def chance(self, percent: int) -> bool:
        return self.draw.randrange(100) < percent

    def birth(self, first: int, last: int) -> str:
        year, month, day = self.draw.randint(first, last), self.draw.randint(1, 12), self.draw.randint(1, 28)
        if self.chance(6):
            month, day = 0, 0
        elif self.chance(4):
            day = 0
        return f"{year:04}{month:02}{day:02}"

    def person(self, *, family: str, first: int, last: int) -> _Person:
        return _Person(
            number="" if self.chance(3) else self.number(),
            given=self.draw.choice(_FIRST_NAMES),
            family=family,
            born=self.birth(first, last),
            sex=self.draw.choice("MV"),
        )

    def address(self) -> Cells:
        digits = self.draw.randint(1000, 9999)
        letters = "".join(self.draw.choices("ABCDEFGHJKLMNPRSTVWXZ", k=2))
        return {
            "08.10.10": "W",
            "08.11.10": self.draw.choice(_STREETS),
            "08.11.20": str(self.draw.randint(1, 300)),
            "08.11.30": self.draw.choice(["", "", "", "A", "b"]),
            "08.11.40": self.draw.choice(["", "", "", "hs", "II"]),
            "08.11.50": self.draw.choice(["", "", "", "", "to"]),
            "08.11.60": "" if self.chance(10) else f"{digits}{letters}",
        }


def generate(seed: int, persons: int) -> str:
    """Return the text of a file with exactly so many labelled persons (at least 50)."""
    source = _Source(seed)
    made: list[_Person] = []
    crowded = source.address() | {"08.11.60": "7311AC"}
    while len(made) < persons:
        made += _family(source, crowded if source.chance(8) else source.address())
    made = made[:persons]
    _add_traps(source, made)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    for place, person in enumerate(made):
        writer.writerows(_rows(f"Gs{seed:02}_{place + 100}", person.categories))
    return text.getvalue()


def _family(source: _Source, address: Cells) -> list[_Person]:
    """Return two parents and their children, each with what the register holds of the others."""
    name = source.draw.choice(_FAMILY_NAMES)
    mother = source.person(family=source.draw.choice(_FAMILY_NAMES), first=1965, last=1990)
    father = source.person(family=name, first=1960, last=1990)
    children = [source.person(family=name, first=2004, last=2024) for _ in range(source.draw.randint(1, 4))]
    apart = source.chance(25)
    for person in (mother, father, *children):
        home = source.address() if apart and person is father else address
        person.categories = _own(source, person, home)
    for child in children:
        child.categories["02"] = [_with_past(source, mother.relation("02"), "02")]
        child.categories["03"] = [_with_past(source, father.relation("03"), "03")]
    for one, other in ((mother, father), (father, mother)):
        ended = {"07.10": "20190315"} if apart else {"06.10": "20010609"}
        marriages = [_with_past(source, other.relation("05", **ended), "05")]
        if source.chance(20):
            former = source.person(family="Vroegindewey", first=1960, last=1980)
            marriages.append([former.relation("05", **{"07.10": "19990401"})])
        one.categories["05"] = marriages
        one.categories["09"] = [_with_past(source, child.relation("09"), "09") for child in children]
    if source.chance(12):
        father.categories["06"] = [[{"06.08.10": "20200000", "06.08.20": "0202", "06.08.30": "6030"}]]
    return source.draw.sample([mother, father, *children], k=2 + len(children))


def _own(source: _Source, person: _Person, home: Cells) -> dict[str, list[Occurrence]]:
    own = person.relation("01", **{"04.10": person.sex})
    past_homes = [source.address() for _ in range(source.draw.randint(0, 2))]
    return {"01": [[own]], "04": [[{"04.05.10": "0001"}]], "08": [[dict(home), *past_homes]]}


def _with_past(source: _Source, cells: Cells, category: str) -> Occurrence:
    """Return an occurrence, now and then with a former state that names somebody else."""
    if not source.chance(30):
        return [cells]
    return [cells, {**cells, f"{category}.01.20": source.number(), f"{category}.02.10": "Voorheen"}]


def _add_traps(source: _Source, made: list[_Person]) -> None:
    """Make sure that every file has each of the rarer traps."""
    with_number = [person for person in made if person.number]
    one, other = with_number[7], with_number[-7]
    other.categories["01"][0][0]["01.01.20"] = one.number
    made[11].categories["01"][0][0]["01.03.10"] = "00000000"
    made[13].categories["01"][0][0]["01.01.20"] = ""
    stray = source.person(family="Buitenketen", first=2005, last=2015)
    made[17].categories["stray"] = [[stray.relation("09")]]


def _rows(label: str, categories: Mapping[str, list[Occurrence]]) -> Iterator[list[str]]:
    """Yield the person's rows; the cell `NN.H` of a row says what the next row is in category NN."""
    chains = {category: list(_chain(category, categories.get(category, []))) for category in _ELEMENTS}
    height = max(len(chain) for chain in chains.values())
    # What no chain announces stands one row below the last, so that only a reader of the chain leaves it out.
    stray = [cells for occurrence in categories.get("stray", []) for cells in occurrence]
    for number in range(height):
        row = dict.fromkeys(HEADER, "")
        for chain in chains.values():
            row |= chain[number] if number < len(chain) else {}
        yield [label if number == 0 else "", *list(row.values())[1:], ""]
    for cells in stray:
        row = dict.fromkeys(HEADER, "") | cells
        yield [*row.values(), ""]


def _chain(category: str, occurrences: list[Occurrence]) -> Iterator[Cells]:
    states = [(place, cells) for occurrence in occurrences for place, cells in enumerate(occurrence)]
    for number, (_, cells) in enumerate(states):
        mark = ""
        if number + 1 < len(states):
            mark = str(int(category) + _FORMER) if states[number + 1][0] else category
        yield {**cells, f"{category}.H": mark}


def _test_numbers() -> Iterator[str]:
    """Yield the numbers 9999xxxxx that pass the elfproef: the range that no person has."""
    for tail in range(100_000):
        number = f"9999{tail:05}"
        if sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=True)) % 11 == 0:
            yield number
