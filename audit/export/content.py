"""What an export is made of: its entries as records, where they stand, and what its maker states about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from audit.checkpoint import Checkpoint
from audit.export.records import Record

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the maker of an export states: proven by nothing, or, but for `names`, by an entry of kind `export`.

    Attributes:
        made_at: unix seconds.
        organisation: OIN of whoever had the entries opened.
        worker: his pairwise id at the broker.
        reader: one of `opened.READERS`.
        reason: a code, why it was made.
        selection: the filters that chose the entries, by name.
        more_after: the last entry of this export where more of the selection come after it, None where none does.
        names: names of workers from the maker's own list, by pairwise id; the broker knows none.
    """

    made_at: int
    organisation: str
    worker: str
    reader: str
    reason: str
    selection: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    more_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that a format writes down."""

    stated: Stated
    checkpoint: Checkpoint
    records: tuple[Record, ...]

    def name_of(self, worker: str | None) -> str:
        """Return the worker's name in the maker's own list, nothing where he is not in it."""
        return self.stated.names.get(worker or "", "")


def instant(unix_seconds: int) -> str:
    """Return a moment as ISO 8601 in UTC, such as `2026-11-25T12:00:00Z`."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
