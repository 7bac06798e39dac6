"""Persons from a GBA-V file: semicolons, UTF-8, columns named category.group.element.

A row whose first cell holds a label starts a person; the rows without a label that follow are his too. The cell `NN.H`
of a row says what the next row is in category NN: `NN` another current occurrence, `NN`+50 a former state of this
occurrence, empty: nothing more. Only what this chain calls current is used; other filled cells are reported by label.
`docs/matching.md` defines the household of a person.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from broker.protocol.errors import MalformedError
from broker.protocol.identifiers import Address, Bsn
from connectors.cases import Case, Parent, distinct
from connectors.dates import PartialDate
from connectors.errors import CaseError, SourceError
from connectors.sources.caseload import Caseload, Remark, read_table

SELF_BSN, BIRTH_DATE = "01.01.20", "01.03.10"
PARENT_BSNS = {"02": "02.01.20", "03": "03.01.20"}
PARTNER_BSN, MARRIAGE_ENDED = "05.01.20", "05.07.10"
DEATH_DATE = "06.08.10"
POSTCODE, NUMBER, LETTER, ADDITION, DESIGNATION = "08.11.60", "08.11.20", "08.11.30", "08.11.40", "08.11.50"
CHILD_BSN = "09.01.20"
CATEGORIES = ("01", "02", "03", "05", "06", "08", "09")
SINGLE = ("01", "02", "03", "06", "08")
"""Categories with one current occurrence: what stands in the person's first row."""

_FORMER = 50
_COLUMNS = (
    SELF_BSN, BIRTH_DATE, *PARENT_BSNS.values(), PARTNER_BSN, MARRIAGE_ENDED, DEATH_DATE,
    POSTCODE, NUMBER, LETTER, ADDITION, DESIGNATION, CHILD_BSN, *(f"{category}.H" for category in CATEGORIES),
)  # fmt: skip

Cells = Mapping[str, str]


@dataclass(slots=True)
class _Person:
    """The rows of one label and what was found wrong with them."""

    label: str
    rows: list[list[str]]
    reported: list[Remark] = field(default_factory=list)

    def __repr__(self) -> str:
        """Return nothing of the rows."""
        return "_Person(redacted)"

    def report(self, column: str, rule: str) -> None:
        self.reported.append(Remark(row=self.label, field=column, rule=rule))


class _Columns:
    """Where each used column stands, and which cells make up a category."""

    def __init__(self, header: Sequence[str]) -> None:
        self.at = {column: header.index(column) for column in _COLUMNS}
        self.cells = {
            category: [
                at for at, name in enumerate(header) if name.startswith(f"{category}.") and not name.endswith(".H")
            ]
            for category in CATEGORIES
        }

    def filled(self, row: Sequence[str], category: str) -> bool:
        return any(row[at] for at in self.cells[category])

    def of(self, row: Sequence[str]) -> Cells:
        return {column: row[at].strip() for column, at in self.at.items()}


def read_gba_v(path: Path, *, today: datetime.date, limit: int | None = None) -> Caseload:
    """Return the persons of a GBA-V file as cases, the first `limit` labels only where that is given.

    Rejected are persons without a BSN or with a malformed one, who have died, or whose birth date is malformed or in
    the future. A BSN of a relative that breaks a rule, and occurrences outside the chain, are left out and reported.

    Raises:
        SourceError: the file as a whole is no such file.
    """
    header, rows = read_table(path, delimiter=";", columns=_COLUMNS)
    columns = _Columns(header)
    cases: list[Case] = []
    rejected: list[Remark] = []
    reported: list[Remark] = []
    for person in _persons(rows)[:limit]:
        try:
            cases.append(_case(person, columns, today))
        except (CaseError, MalformedError) as error:
            rejected.append(Remark(row=person.label, field=error.field, rule=error.rule))
        reported.extend(person.reported)
    return Caseload(cases=tuple(cases), rejected=tuple(rejected), reported=tuple(reported))


def _persons(rows: Sequence[list[str]]) -> list[_Person]:
    persons: list[_Person] = []
    for row in rows:
        if row[0]:
            persons.append(_Person(label=row[0], rows=[row]))
        elif persons:
            persons[-1].rows.append(row)
        else:
            raise SourceError("must begin with a labelled row")
    if len({person.label for person in persons}) != len(persons):
        raise SourceError("must not use a label twice")
    return persons


def _case(person: _Person, columns: _Columns, today: datetime.date) -> Case:
    current = {category: _current(person, columns, category) for category in CATEGORIES}
    own = current["01"][0] if current["01"] else {}
    # (1) The dead are not registered, and an unreadable date of death is no sign of life.
    if any(cells[DEATH_DATE] for cells in current["06"]):
        raise CaseError(DEATH_DATE, "must be empty: the dead are not registered")
    # (2) A number that can be one, or no person at all.
    if not own.get(SELF_BSN):
        raise CaseError(SELF_BSN, "must not be empty")
    subject = Bsn.parse(own[SELF_BSN], field=SELF_BSN)
    birth_date = _birth_date(own, today)
    # (3) Parents by the register itself; partner, children and parents are members as persons too.
    parents = distinct(
        [bsn for category, column in PARENT_BSNS.items() for bsn in _bsns(person, current[category], column)],
        without=subject,
    )
    partners = [cells for cells in current["05"] if not cells[MARRIAGE_ENDED]]
    members = [
        *_bsns(person, partners, PARTNER_BSN),
        *_bsns(person, current["09"], CHILD_BSN),
        *parents,
    ]
    return Case(
        row=person.label,
        case_ref=person.label,
        subject=subject,
        birth_date=birth_date,
        parents=tuple(Parent(bsn=bsn, source="brp") for bsn in parents),
        members=distinct(members, without=subject),
        address=_address(person, current["08"]),
    )


def _current(person: _Person, columns: _Columns, category: str) -> list[Cells]:
    """Return the current occurrences of a category by its chain; report every other filled row."""
    current: list[Cells] = []
    state = "current"
    for number, row in enumerate(person.rows):
        mark, filled = row[columns.at[f"{category}.H"]], columns.filled(row, category)
        if state == "ended":
            if filled or mark:
                person.report(category, "must be in the chain of its category")
            continue
        if filled and state == "current":
            if category in SINGLE and current:
                person.report(category, "must have one current occurrence")
            else:
                current.append(columns.of(row))
        elif number and not filled:
            person.report(category, "must have what the row before announces")
        state = _next_state(person, category, mark)
    if state != "ended":
        person.report(category, "must have the row that the last one announces")
    return current


def _next_state(person: _Person, category: str, mark: str) -> str:
    if mark == category:
        return "current"
    if mark == str(int(category) + _FORMER):
        return "former"
    if mark:
        person.report(f"{category}.H", "must be the category, the category plus 50, or empty")
    return "ended"


def _bsns(person: _Person, occurrences: Sequence[Cells], column: str) -> list[Bsn]:
    found = []
    for cells in occurrences:
        if not cells[column]:
            continue
        try:
            found.append(Bsn.parse(cells[column], field=column))
        except MalformedError as error:
            person.report(column, error.rule)
    return found


def _birth_date(own: Cells, today: datetime.date) -> PartialDate | None:
    if not own[BIRTH_DATE]:
        return None
    birth_date = PartialDate.parse(own[BIRTH_DATE], field=BIRTH_DATE)
    earliest = birth_date.earliest()
    if earliest is not None and earliest > today:
        raise CaseError(BIRTH_DATE, "must not be in the future")
    return birth_date


def _address(person: _Person, occurrences: Sequence[Cells]) -> Address | None:
    if not occurrences or not occurrences[0][POSTCODE]:
        return None
    cells = occurrences[0]
    try:
        return Address(
            postcode=cells[POSTCODE],
            number=cells[NUMBER],
            letter=cells[LETTER],
            addition=cells[ADDITION],
            designation=cells[DESIGNATION],
        )
    except MalformedError as error:
        person.report("08", f"{error.field}: {error.rule}")
        return None
