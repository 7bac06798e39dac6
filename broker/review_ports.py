"""What the flows of the review need of the world, as Protocols (architecture section 3, D15).

Everything here is read on a thread of its own, so that no tick waits for a reviewer; each has a memory twin in
`tests/simulators/`.
"""

from dataclasses import dataclass
from typing import Protocol

from broker.domain.acts import Recipient, ReviewedAct
from broker.domain.review import KeptNote


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdActs:
    """What concerns one own signal: the own organisation's acts, and others' acts in which they were told of it.

    `told` are who was told of it by a match that an own act brought about. Not among them are acts of who hides a
    signal on the household from this organisation: shielded (D17), or excluded.
    """

    own: tuple[ReviewedAct, ...]
    others: tuple[ReviewedAct, ...]
    told: tuple[Recipient, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedWithdrawal:
    """A withdrawal that waits for a reviewer, after which its household was not looked at any more.

    `newest` is the newest entry of the organisation that concerns the signal: it itself, or a renewal after it.
    """

    act: ReviewedAct
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCounts:
    """How many active signals an organisation has, and what is noted of informing the family (D10)."""

    active: int
    informed: int
    deferred: int
    overdue: int
    """Deferred, and the day on which it would be looked at again has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A checkpoint with its cosignatures, as one note."""

    size: int
    note: str


class ActReader(Protocol):
    """The acts that may be reviewed, opened from the log. Raises StorageError: unreadable."""

    async def acts(self, *, organisation: str, since: int, until: int) -> tuple[ReviewedAct, ...]:
        """Return the acts of an organisation, or for which it is the controller, in the order of their indexes.

        Acts of somebody else that concern a signal which he hides from this organisation are not among them (D17).
        """

    async def act(self, *, organisation: str, index: int) -> ReviewedAct | None:
        """Return one of these acts; None for another's and for none at all."""

    async def household(self, *, handle: str, organisation: str) -> HouseholdActs:
        """Return what concerns an own signal."""

    async def refused_withdrawal(self, *, organisation: str, handle: str) -> RefusedWithdrawal | None:
        """Return the last withdrawal of an own signal that was refused until somebody looks at it.

        None where there is none, and where anything but a renewal was done with the signal after it, or nobody can
        tell what.
        """

    async def signal_ids(self, *, organisation: str, shielded: bool) -> dict[str, str]:
        """Return the ids of an organisation's own signals by their search handles; shielded ones only if asked."""

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[str]:
        """Return the search handles of an organisation's own signals that this worker of it must not know of."""

    async def signal_counts(self, *, organisation: str, today: str) -> SignalCounts:
        """Return how an organisation's active signals stand on this day (`YYYY-MM-DD`)."""

    async def registered_by(self, *, organisation: str) -> tuple[str | None, ...]:
        """Return, for each active own signal, the worker who registered it; None where that was erased."""

    async def acts_by_organisation(self, *, since: int, until: int) -> dict[str, int]:
        """Return how many looks each organisation made, without those on a household it shields."""

    async def signals_by_organisation(self) -> dict[str, int]:
        """Return how many active signals each organisation has, shielded ones left out."""


class NoteReader(Protocol):
    """What reviewers stated. Raises StorageError: unreadable."""

    async def notes(self, *, organisation: str, kind: str, about: str | None = None) -> tuple[KeptNote, ...]:
        """Return the notes of an organisation's reviewers of this kind, oldest first."""


class CheckpointReader(Protocol):
    """The checkpoints of the log. Raises StorageError: unreadable."""

    async def first_cosigned(self, *, since: int, until: int) -> Seed | None:
        """Return the first checkpoint of this time that a quorum cosigned; None where there is none yet."""

    async def has_head(self, *, size: int, root: str) -> bool:
        """Return whether the log had this root, in hex, at this size."""
