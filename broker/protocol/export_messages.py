"""Wire models of an export: entries of the own organisation with their proofs, for `audit/export` to write down."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import TextRef, WireOpening, WireReceipt
from broker.protocol.wire_types import Message, Word

EXPORTED_PER_PAGE = 200
"""Entries in one export at most; who gets as many asks on after the last, and makes another export of them."""

Format = Literal["csv", "json-ldv", "json-adl", "fhir", "pdf"]
Group = Literal["meta", "actor"]
Index = Annotated[int, Field(ge=0, le=2**53 - 1)]


class ExportedEntry(Message):
    """One entry: its leaf, the proof that it is in the log, and what opens it."""

    index: Index
    leaf: str
    proof: str
    openings: dict[Group, WireOpening]
    erased: list[Group]


class ExportResult(Message):
    """What was asked for, and the entries; `more_after` is the last index where there are more, else null."""

    schema_: Literal["entries/v1"] = Field(alias="schema")
    outcome: Literal["done"]
    text: TextRef
    format: Format
    reason: Word
    selection: dict[Word, str]
    entries: list[ExportedEntry]
    more_after: Index | None


class ExportAnswer(Message):
    """The whole body of a successful answer."""

    result: ExportResult
    receipt: WireReceipt
    padding: str
