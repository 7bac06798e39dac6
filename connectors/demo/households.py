"""The people of the demonstration and what partners write down about them. Nobody of them exists.

The numbers come from the range 9999xxxxx, which is used for tests only; the postcodes are not in use. Each partner
keeps its own case files, in its own folder; all of it is searched for afterwards on the side of the services.
"""

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.demo.leak_scan import Kind, Value

_YEAR_DAYS = 365
_SOME_DAYS = 120
_MIN_NAME = 8  # letters; a shorter part of a name is searched for as part of the full name only
DOSSIERS = "dossiers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """An address."""

    street: str
    postcode: str
    number: str

    def value(self) -> Value:
        """Return what is searched for: postcode and number in the spellings that are in use."""
        spaced = f"{self.postcode[:4]} {self.postcode[4:]}"
        joined = (
            text
            for postcode in (self.postcode, spaced)
            for text in (postcode + self.number, f"{postcode} {self.number}")
        )
        # 0x1f joins the parts of an address before it is blinded (docs/matching.md §1).
        return Value(kind=Kind.ADDRESS, spellings=(*joined, f"{self.postcode}\x1f{self.number}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person by name and number."""

    given: str
    family: str
    number: str

    def values(self) -> list[Value]:
        """Return what is searched for: the number, the full name, and each part that is long enough to be one."""
        full = (f"{self.given} {self.family}", f"{self.family}, {self.given}", f"{self.given};{self.family}")
        names = [full, *((part,) for part in (self.given, self.family) if len(part) >= _MIN_NAME)]
        found = [Value(kind=Kind.NAME, spellings=spellings) for spellings in names if self.given and self.family]
        return [*found, Value(kind=Kind.NUMBER, spellings=(self.number,))] if self.number else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A child with her or his mother and the man who lives with them."""

    slug: str
    child: Person
    mother: Person
    man: Person
    home: Home
    years: int = 5
    """How old the child is."""

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody who lives there."""
        return (self.child, self.mother, self.man)

    def case(self, *, today: datetime.date, assessed_by: str, case_ref: str) -> dict[str, Any]:
        """Return the case file of a youth professional, as `sluis-connect --source case` reads it."""
        born = today - datetime.timedelta(days=self.years * _YEAR_DAYS + _SOME_DAYS)
        return {
            "caseRef": case_ref,
            "bsn": self.child.number,
            "birthDate": born.isoformat(),
            "parents": [{"bsn": self.mother.number, "source": "brp"}],
            "members": [self.mother.number, self.man.number],
            "assessment": {"on": today.isoformat(), "by": assessed_by},
            "informing": {"informed": True},
        }

    def address_only(self, *, case_ref: str) -> dict[str, Any]:
        """Return the file of somebody who knows an address and may use no number."""
        return {"caseRef": case_ref, "address": {"postcode": self.home.postcode, "number": self.home.number}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """An adult who lives alone."""

    slug: str
    person: Person
    home: Home

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody who lives there."""
        return (self.person,)


MIEKE = Household(
    slug="mieke",
    child=Person(given="Mieke", family="Zandhuizer", number="999902611"),
    mother=Person(given="Jolijntje", family="Zandhuizer-Vrolings", number="999941975"),
    man=Person(given="Berendjan", family="Tammelinck", number="999922440"),
    home=Home(street="Sluiswachterspad", postcode="6899ZX", number="214"),
)
TIJMEN = Household(
    slug="tijmen",
    child=Person(given="Tijmen", family="Oelbroekstra", number="999956127"),
    mother=Person(given="Wendeline", family="Oelbroekstra-Kamps", number="999923018"),
    man=Person(given="Roelofjan", family="Vinkenberger", number="999932317"),
    home=Home(street="Sluiswachterspad", postcode="6899ZX", number="387"),
)
SUZAN = Household(
    slug="suzan",
    child=Person(given="Suzan", family="Grevelingk", number="999901916"),
    mother=Person(given="Trijntjelien", family="Grevelingk-Oosterdiep", number="999902374"),
    man=Person(given="Wolfertjan", family="Grevelingk", number="999927589"),
    home=Home(street="Sluiswachterspad", postcode="6899ZX", number="451"),
    years=13,
)
TRUDY = Resident(
    slug="trudy",
    person=Person(given="Trudy", family="Schuttevaersdochter", number="999904917"),
    home=Home(street="Sluiswachterspad", postcode="6899ZX", number="538"),
)
HOUSEHOLDS = (MIEKE, TIJMEN, SUZAN)
RESIDENTS: tuple[Household | Resident, ...] = (*HOUSEHOLDS, TRUDY)


def write_case(folder: Path, name: str, case: dict[str, Any]) -> Path:
    """Return the case file that was written into a partner's folder."""
    dossiers = folder / DOSSIERS
    dossiers.mkdir(mode=0o700, exist_ok=True)
    path = dossiers / f"{name}.json"
    path.write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def write_residents(folder: Path, name: str, people: Iterable[Person], homes: Sequence[Home]) -> None:
    """The partner's folder says in plain text whom its cases are about, as any case system would."""
    dossiers = folder / DOSSIERS
    dossiers.mkdir(mode=0o700, exist_ok=True)
    lines = [f"{person.given} {person.family}\t{person.number}" for person in people]
    lines += [f"{home.street} {home.number}\t{home.postcode} {home.number}" for home in homes]
    (dossiers / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def distinct_values(people: Iterable[Person], homes: Iterable[Home]) -> list[Value]:
    """Return each value of these people and homes once."""
    found = [value for person in people for value in person.values()]
    return list(dict.fromkeys([*found, *(home.value() for home in homes)]))
