"""What the flows need of the world, as Protocols with values of their own (architecture section 3, D15).

A flow awaits nothing else. Read methods see committed state only; every write is part of a `Proposal`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from broker.domain.acts import ReviewNote, SearchTerms
from broker.domain.changes import ActivateBundle, Change, Task, TicketId
from broker.domain.households import FoundToken, SealedToken, TokenIndex
from broker.domain.signals import Signal
from broker.protocol.epochs import EpochDocument
from broker.protocol.families import Family
from broker.protocol.register import Register
from broker.protocol.roster import Roster


class StampKind(StrEnum):
    """Of what a version stamp counts the changes."""

    CONSENT = "consent"
    SHIELD = "shield"
    """What may be seen of one signal: withdrawn, ended, shielded, excluded. The key is the signal's id."""
    LAST_DAY = "last_day"  # that one signal ends sooner than it did, which moves SHIELD too; the key is its id
    POLICY = "policy"  # the bundle in force; the key is `BUNDLE`
    ORGANISATION = "organisation"
    """An organisation's line in the register, or its roster. The key is its OIN."""
    EXCEPTION = "exception"  # what one worker invoked; the key is worker_key()
    REQUEST = "request"  # what two organisations ask and answer; the key is its id
    CALL = "call"  # the oproepen of one organisation for one purpose; the key is calls_key()
    ORDER = "order"  # an exclusion order that its own organisation lifted; the key is order_key()
    TOKEN = "token"  # noqa: S105 - the name of a kind of stamp, no secret
    """The signals under one token index. The key is the index; a lookup that found nothing relies on it too."""


BUNDLE = b"bundle"
_REGISTER = b"register"


@dataclass(frozen=True, slots=True, kw_only=True)
class StampKey:
    """What a version stamp is about; `key` is bytes and never printed, for it can be a token index."""

    kind: StampKind
    key: bytes = field(repr=False)


REGISTER = StampKey(kind=StampKind.ORGANISATION, key=_REGISTER)
"""The register as a whole, moved by each that comes into force: read before the register, by who judges others by it.

Which other organisation that is follows from a row; its own stamp, read after the register, would not say that the
register in hand is the one of before it was suspended.
"""
ANY_SHIELD = StampKey(kind=StampKind.SHIELD, key=b"any")
"""What reviewers may be told of others' acts: moved by every shield, every exclusion and every erasure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The version at which a decision read something; 0 when it never changed."""

    of: StampKey
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Everything stored under the indexes asked, of every organisation, and the stamps of one consistent reading.

    The stamps cover each index asked, found or not, each signal found and each organisation that holds one.
    """

    found: tuple[FoundToken, ...]
    stamps: tuple[Stamp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSignal:
    """An organisation's own signal with the stamp of its visibility; `subject` is about whom it is."""

    signal: Signal
    stamps: tuple[Stamp, ...]
    subject: TokenIndex = field(repr=False)


class SignalStore(Protocol):
    """The signals, their tokens and the version stamps, as committed."""

    async def look_up(self, indexes: Collection[TokenIndex]) -> LookUp:
        """Return the tokens of active signals under these indexes, whoever holds them."""

    async def own_on(self, *, organisation: str, purpose: str | None, indexes: Collection[TokenIndex]) -> LookUp:
        """Return the tokens under these indexes of this organisation's own active signals for a purpose, or for any.

        The stamps cover those signals only: who may not ask must not notice that others' signals come or go.
        """

    async def own(self, *, organisation: str, signal_id: str) -> OwnSignal | None:
        """Return this organisation's own signal; None for another's and for none at all."""

    async def list_own(
        self, *, organisation: str, after: str | None = None, at_most: int | None = None
    ) -> tuple[Signal, ...]:
        """Return this organisation's own signals in the order of their ids, those after an id, so many at most."""

    async def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """Return the present version of each key, in the order asked."""


class RegisterReader(Protocol):
    """The register of organisations and the epoch in use, each verified by this broker itself."""

    async def register(self) -> Register:
        """Return the register with the highest number. Raises StorageError: there is none, or it is unreadable."""

    async def epoch(self) -> EpochDocument:
        """Return the descriptors of the highest epoch. Raises StorageError: there are none."""


class RosterReader(Protocol):
    """The organisations' rosters for this broker, each verified against the register in force."""

    async def roster(self, organisation: str) -> Roster | None:
        """Return the organisation's newest roster; None when it has none that its present keys signed."""


class BundleHistory(Protocol):
    """Which policy bundles were in force, as committed."""

    async def activations(self) -> tuple[ActivateBundle, ...]:
        """Return how each bundle came into force, the present one last."""


class Clock(Protocol):
    """The time: one source for the whole process."""

    def now(self) -> int:
        """Return unix seconds."""

    def today(self) -> date:
        """Return the calendar day in the Netherlands."""

    def monotonic(self) -> float:
        """Return seconds that never step, from an arbitrary start."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, at once for none or less."""


class Randomness(Protocol):
    """Unpredictable bytes: one source for the whole process."""

    def bytes(self, count: int) -> bytes:
        """Return so many unpredictable bytes."""


class TokenIndexer(Protocol):
    """Turns tokens into what may be stored of them. Pure; holds K_idx and a public key only."""

    def index(self, epoch: int, family: Family, token: bytes) -> TokenIndex:
        """Return the index of a token (D1). Raises InvalidPointError: it is no point of the group."""

    def seal(self, token: bytes) -> SealedToken:
        """Return the token sealed to the offline key: nothing online can open it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKey:
    """What makes two requests the same: the first two name it, the rest must be equal too.

    `worker` is the asker's id at the broker: what one was shown is not given to a colleague, who may be excluded.
    """

    organisation: str
    idempotency_key: str
    worker: str
    target: str
    body_sha256: str


class AnswerStatus(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"
    REVIEW = "review"
    """Refused because a reviewer looks first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerToStore:
    """What is kept to answer the same request again: only what was shown decides whether it may be shown again.

    `rests_on` are stamps of what is in the document, never of a hit that is not shown: a replay must not tell when
    hidden signals come or go. After `valid_until` the document is withheld.
    """

    key: AnswerKey
    status: AnswerStatus
    document: Mapping[str, object] = field(repr=False)
    rests_on: tuple[Stamp, ...]
    valid_until: date | None
    signal_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer that was given, with its receipt in wire form as it is now."""

    answer: AnswerToStore
    receipt: Mapping[str, object] = field(repr=False)


class AnswerStore(Protocol):
    """The answers that were given, for asking again."""

    async def find(self, *, organisation: str, idempotency_key: str) -> StoredAnswer | None:
        """Return what was answered under this key; None for another organisation's and for none at all.

        Raises:
            AnswerWithheldError: an answer was given, and erased since.
            StorageError: it cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One log entry (docs/formats.md section 7) and all that is durable with it, or not at all (D7)."""

    kind: str
    payloads: Mapping[str, Mapping[str, object]] = field(repr=False)
    relies_on: tuple[Stamp, ...] = ()
    tickets: tuple[TicketId, ...] = ()
    changes: tuple[Change, ...] = ()
    tasks: tuple[Task, ...] = ()
    answer: AnswerToStore | None = None
    search: SearchTerms | None = None
    note: ReviewNote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A durable entry; `receipt` is its wire form (docs/formats.md section 6)."""

    index: int
    receipt: Mapping[str, object] = field(repr=False)


class Turn(Protocol):
    """One request's part in one tick, as an asynchronous context: it begins when the tick does."""

    async def __aenter__(self) -> Self:
        """Return at the boundary at which everything of the tick is decided. Raises LogUnavailableError."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The tick waits for this request no more."""

    async def commit(self, proposal: Proposal) -> Committed:
        """Return when entry, state, tickets and answer are durable under one signed checkpoint and the tick has ended.

        Raises:
            StaleDecisionError: something in `relies_on` has changed; nothing was written. Raised at once, so that it
                is decided again within the tick.
            AlreadyAnsweredError: the same request has an answer; nothing was written.
            KeyReusedError: the key has an answer to another request; nothing was written.
            TicketSpentError: a ticket was spent; nothing was written.
            StorageError: the database did not take it; nothing was written.
            LogUnavailableError: the log does not work. Whether it was written is unknown to the caller, who asks
                again under the same idempotency key.
        """


class Log(Protocol):
    """The one writer of log and state."""

    def turn(self) -> Turn:
        """Return a turn of the next tick, to be entered before anything is decided."""

    def disclosures_stopped(self) -> bool:
        """Return whether witnesses have been away for so long that nothing may be disclosed (ADR 24)."""


class RequestSpending(Protocol):
    """Request ids (`jti`), each used once per issuer; for the edge, before a flow starts."""

    async def spend(self, *, issuer: str, jti: str, expires_at: int) -> bool:
        """Return whether this was the first use, durably noted. Raises StorageError."""

    async def works(self) -> bool:
        """Return whether a use could be noted now; never raises."""
