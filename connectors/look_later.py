"""Households that were imported and not looked at yet: a durable list, worked off with ordinary checks (D2).

An import tells nothing about others. Each signal it stored waits here, sealed, until an ordinary check was carried out;
what the check told stays until it was shown to a person, so that a process that dies in between loses nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broker.protocol.identifiers import Address, Bsn
from connectors.casebook import Casebook
from connectors.cases import Case, Parent
from connectors.conclusions import Conclusion, conclusion_of, members_of
from connectors.sealing import OutboxKey

_ADDRESS = ("postcode", "number", "letter", "addition", "designation")
_SEPARATOR = "\x1f"  # of the canonical form of an address


@dataclass(frozen=True, slots=True, kw_only=True)
class ToLook:
    """A household to look at, by the signal that was imported for it. It holds identifiers."""

    signal_id: str
    case: Case
    purpose: str
    grounds: tuple[str, ...]
    team: str
    families: tuple[str, ...]

    def __repr__(self) -> str:
        """Return the row only."""
        return f"ToLook(row={self.case.row!r}, redacted)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at an imported household ended in, until a person has read it."""

    signal_id: str
    row: str
    conclusion: Conclusion


class LookLater:
    """The list in an open casebook, sealed under the folder's outbox key."""

    def __init__(self, book: Casebook, key: OutboxKey) -> None:
        self._book = book
        self._key = key

    def waiting(self) -> list[ToLook]:
        """Return the households to look at whose signal is still active, oldest first. Raises FolderError."""
        return [_entry(signal_id, self._opened(sealed)) for signal_id, sealed in self._book.looks_waiting()]

    def count(self) -> int:
        """Return how many households wait."""
        return self._book.count_looks_waiting()

    def conclude(self, signal_id: str, row: str, conclusion: Conclusion) -> None:
        """The household waits no more; what was told of it waits to be shown."""
        self._book.conclude_look(signal_id, self._sealed({"row": row, **members_of(conclusion)}))

    def untold(self) -> list[Looked]:
        """Return what was not shown to a person yet, oldest first. Raises FolderError."""
        opened = ((signal_id, self._opened(sealed)) for signal_id, sealed in self._book.looks_untold())
        return [
            Looked(signal_id=signal_id, row=members["row"], conclusion=conclusion_of(members))
            for signal_id, members in opened
        ]

    def told(self, *signal_ids: str) -> None:
        """These were shown, and are forgotten."""
        self._book.forget_looks(signal_ids)

    def _sealed(self, members: dict[str, Any]) -> bytes:
        return self._key.seal(json.dumps(members).encode())

    def _opened(self, sealed: bytes) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(self._key.unseal(sealed))
        return members


def note_to_look(case: Case, *, purpose: str, grounds: Sequence[str], team: str, families: Sequence[str]) -> str:
    """Return what `sealed_note` puts on the list for this case, as text. It holds identifiers."""
    address = case.address
    return json.dumps(
        {
            "row": case.row,
            "case_ref": case.case_ref,
            "bsn": None if case.subject is None else _digits(case.subject),
            "parents": [[_digits(parent.bsn), parent.source] for parent in case.parents],
            "members": [_digits(member) for member in case.members],
            "address": None if address is None else address.reveal().decode().split(_SEPARATOR),
            "purpose": purpose,
            "grounds": list(grounds),
            "team": team,
            "families": list(families),
        }
    )


def sealed_note(note: str, key: OutboxKey) -> bytes:
    """Return the note of `note_to_look` as it stands in the casebook."""
    return key.seal(note.encode())


def _digits(bsn: Bsn) -> str:
    return bsn.reveal().decode("ascii")


def _entry(signal_id: str, members: dict[str, Any]) -> ToLook:
    address = members["address"]
    return ToLook(
        signal_id=signal_id,
        case=Case(
            row=members["row"],
            case_ref=members["case_ref"],
            subject=Bsn.parse(members["bsn"]),
            parents=tuple(Parent(bsn=Bsn.parse(bsn), source=source) for bsn, source in members["parents"]),
            members=tuple(Bsn.parse(member) for member in members["members"]),
            address=None if address is None else Address(**dict(zip(_ADDRESS, address, strict=True))),
            team=members["team"],
        ),
        purpose=members["purpose"],
        grounds=tuple(members["grounds"]),
        team=members["team"],
        families=tuple(members["families"]),
    )
