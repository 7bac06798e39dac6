"""Wire models of erasing the content of own entries: two people sign the same list (docs/formats.md section 6)."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command
from broker.protocol.wire_types import Id, Message, Oin, Sha256, Word

MAX_RANGES = 24
MAX_INDEX = 2**53 - 1
ERASURES_PER_PAGE = 100
"""Erasures in one answer, and those proposed in the same second as the last; who gets as many asks on after it."""

Index = Annotated[int, Field(ge=0, le=MAX_INDEX)]
Group = Literal["meta", "actor", "subject"]
Ground = Literal["AVG-17.1.a", "AVG-17.1.b", "AVG-17.1.c", "AVG-17.1.d", "AVG-17.1.e"]


class EntryRange(Message):
    """Groups of the entries from `first` up to and with `last`."""

    first: Index
    last: Index
    groups: Annotated[list[Group], Field(min_length=1, max_length=3)]


class EraseEntries(Command):
    """What is to be erased, and why. Whoever confirms signs the very same list."""

    ground: Ground
    decision_ref: Sha256
    ranges: Annotated[list[EntryRange], Field(min_length=1, max_length=MAX_RANGES)]


class ProposeErasure(EraseEntries):
    """The first of two people; its `idempotencyKey` is from then on the id of the erasure."""


class ConfirmErasure(EraseEntries):
    """The second of two people, with an `idempotencyKey` of his own."""


class ErasureShown(Message):
    """One erasure, as reviewers read it. `entry` is the one that erased; with `decided_by` it is null until then."""

    id: Id
    state: Literal["proposed", "erased", "lapsed"]
    controller: Oin
    ground: Ground
    decision_ref: Sha256
    ranges: list[EntryRange]
    proposed_by: Word
    proposed_at: Annotated[int, Field(ge=0, le=2**40)]
    decided_by: Word | None
    entry: Index | None
