"""Who an entry is about, in handles that name nobody: never a citizen number, never a pseudonym that recurs.

Where the reader has the search handles, they are used. Else each person that the request itself named gets a handle of
that entry and place: it says that there was a person, and links to no other entry. It counts what was asked, never
what was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.export.records import Record

SEARCH_HANDLE = "urn:sluis:search-handle"
OF_ENTRY = "urn:sluis:person-of-entry"
NOBODY = frozenset({"policy", "register", "admin", "key"})
"""Kinds that are about rules, machines and keys, and about no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One person, by a handle of this type."""

    id: str
    type: str


def subjects_of(origin: str, record: Record) -> Sequence[Subject]:
    """Return whom the entry is about, at least one for every kind that concerns persons."""
    if record.kind in NOBODY:
        return ()
    if record.handles:
        return [Subject(id=f"{SEARCH_HANDLE}:{handle}", type=SEARCH_HANDLE) for handle in record.handles]
    return [
        Subject(id=f"{OF_ENTRY}:{origin}:{record.index}:{number}", type=OF_ENTRY)
        for number in range(1, max(record.persons, 1) + 1)
    ]
