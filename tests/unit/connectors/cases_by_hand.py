"""Two invented families from the official test range: a child with both parents, and its half brother."""

from typing import TypedDict

from audit.note import Algorithm, NoteSigningKey
from broker.protocol.identifiers import Address, Bsn
from connectors.cases import Case, Parent
from connectors.dates import PartialDate
from tests.simulators.gba_v import official_number

CHILD, BROTHER, MOTHER, FATHER, OTHER = (Bsn.parse(official_number(place)) for place in (3, 14, 159, 265, 358))
HOME = Address(postcode="6811 AC", number="12", letter="a")
PURPOSE, GROUNDS, TEAM = "proefregio", ["PROEF"], "team-1"


class Asked(TypedDict):
    """What every question states besides the case."""

    purpose: str
    grounds: list[str]
    team: str


ASKED: Asked = {"purpose": PURPOSE, "grounds": GROUNDS, "team": TEAM}
OTHER_LOG = NoteSigningKey(name="broker.example/log", algorithm=Algorithm.ED25519, seed=b"\x07" * 32).verifier
"""The public key of a log that nobody here pinned, with the same name."""


def child(row: str = "1", *, case_ref: str | None = "zaak-1") -> Case:
    """Return the case of the child with its household."""
    return Case(
        row=row,
        subject=CHILD,
        case_ref=case_ref,
        birth_date=PartialDate.parse("2014-05-00", field="birth_date"),
        parents=(Parent(bsn=MOTHER, source="brp"), Parent(bsn=FATHER, source="stated")),
        members=(MOTHER, FATHER),
        address=HOME,
    )


def brother() -> Case:
    """Return the case of the half brother: the same mother, another address."""
    return Case(row="2", subject=BROTHER, case_ref="zaak-2", parents=(Parent(bsn=MOTHER, source="own"),))


def mother() -> Case:
    """Return a case about the mother herself."""
    return Case(row="3", subject=MOTHER, case_ref="zaak-3")


def neighbour() -> Case:
    """Return a case about somebody else at the child's address."""
    return Case(row="4", subject=OTHER, case_ref="zaak-4", address=HOME)
