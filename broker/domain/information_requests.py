"""Information requests, answers and what is told unasked: who to whom, about what, until when; never what they say.

A box is opaque here. Its delivery is followed by itself: handed out and not confirmed is `unknown`, for whoever handed
it out cannot tell (T16).
"""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum


class LetterKind(StrEnum):
    """What was sent."""

    REQUEST = "request"
    TELLING = "telling"


class RequestState(StrEnum):
    """How far a request is. `expired` is never stored: it follows from the day."""

    SENT = "sent"
    FORWARDED = "forwarded"
    ANSWERED = "answered"
    PART = "part"
    ORAL = "oral"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    DELIVERED = "delivered"
    DELIVERY_UNKNOWN = "delivery_unknown"
    WITHHELD = "withheld"
    """Never stored: what it rests on has changed before this side was handed anything."""


class Delivery(StrEnum):
    """How far a box is."""

    WAITING = "waiting"
    UNKNOWN = "unknown"
    """Handed out by the broker; its receiver has not said that it arrived."""
    DELIVERED = "delivered"
    OPENED = "opened"


OPEN = frozenset({RequestState.SENT, RequestState.FORWARDED})
"""Stored states in which a request can be answered."""
DECLINED = "declined"
BOXED = frozenset({"all", "part"})
"""Answers that say something, in a box that only the asker opens."""
STATE_OF_ANSWER = {
    "all": RequestState.ANSWERED,
    "part": RequestState.PART,
    "oral": RequestState.ORAL,
    "declined": RequestState.DECLINED,
}
FURTHER = {
    Delivery.WAITING: 0,
    Delivery.UNKNOWN: 1,
    Delivery.DELIVERED: 2,
    Delivery.OPENED: 3,
}
"""A delivery only goes on, never back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedProof:
    """What stands behind a statutory reference. `reference` is an HMAC under the asker's own key."""

    kind: str
    since: date
    ends_on: date | None
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestsOn:
    """What was read at which version: kind and key (hex) of a stamp; once it moves, what rests on it is withheld."""

    kind: str
    key: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReply:
    """How a request was answered. `worker` is who answered, `box` what only the asker opens.

    `fetched_by` are the workers of the asker whom it was handed out to.
    """

    id: str
    worker: str
    kind: str
    reason: str | None
    categories: tuple[str, ...]
    level: int
    grounds: tuple[str, ...]
    proof: StatedProof | None
    signal_id: str | None
    approved: bool
    bundle: str
    answered_at: int
    expires_on: date
    rests_on: tuple[RestsOn, ...]
    consent_id: str | None = None
    exception_id: str | None = None
    controller: str | None = None
    delivery: Delivery = Delivery.WAITING
    fetched_by: tuple[str, ...] = ()
    chunks: tuple[str, ...] = ()
    box: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequest:
    """One letter between two organisations, and the answer to it.

    Attributes:
        personal: the receiver decides per person, so that only a worker by name answers.
        asked_team: the team that the sender addressed: to which other one it was passed on is the receiver's affair.
        receiver_worker: that worker, once somebody of his organisation named him.
        approved: a second person of the sender approved it.
        match_id: the sender's own match that it rests on.
        consent_id: the sender's own record of consent that it cites; `exception_id`: his own exception.
        fetched_by: the workers of the receiver whom it was handed out to.
        about_signals: the signals of its match, of both sides, whatever becomes of that; never told.
        chunks: the SHA-256 in hex of the sealed chunks of its attachments, which its sender left before.
    """

    id: str
    kind: LetterKind
    sender: str
    sender_team: str
    sender_worker: str
    sender_role: str
    controller: str
    receiver: str
    receiver_team: str
    personal: bool
    purpose: str
    grounds: tuple[str, ...]
    categories: tuple[str, ...]
    level: int
    proof: StatedProof | None
    signal_id: str | None
    approved: bool
    bundle: str
    sent_at: int
    expires_on: date
    rests_on: tuple[RestsOn, ...]
    match_id: str | None = None
    asked_team: str | None = None
    consent_id: str | None = None
    exception_id: str | None = None
    receiver_worker: str | None = None
    state: RequestState = RequestState.SENT
    delivery: Delivery = Delivery.WAITING
    fetched_by: tuple[str, ...] = ()
    chunks: tuple[str, ...] = ()
    about_signals: tuple[str, ...] = ()
    box: bytes = field(default=b"", repr=False)
    reply: RequestReply | None = None

    @property
    def addressed(self) -> str:
        """The team that its sender addressed."""
        return self.asked_team or self.receiver_team

    def state_on(self, day: date) -> RequestState:
        """Return the state as it is told on this day.

        One that was taken back after its answer was handed out stays answered: what was done is not untold.
        """
        reply = self.reply
        if self.state is RequestState.WITHDRAWN and reply is not None and reply.delivery is not Delivery.WAITING:
            return STATE_OF_ANSWER[reply.kind]
        if self.state not in OPEN:
            return self.state
        if day > self.expires_on:
            return RequestState.EXPIRED
        if self.state is RequestState.FORWARDED:
            return self.state
        told = {Delivery.WAITING: RequestState.SENT, Delivery.UNKNOWN: RequestState.DELIVERY_UNKNOWN}
        return told.get(self.delivery, RequestState.DELIVERED)

    def told_state(self, day: date, *, received: bool) -> RequestState:
        """Return the state as this side is told it: that it was passed on inside the other organisation is not his."""
        passed_on = self.state is RequestState.FORWARDED and not received
        return (replace(self, state=RequestState.SENT) if passed_on else self).state_on(day)

    @property
    def answer_rests_on(self) -> tuple[RestsOn, ...]:
        """What its answer rests on besides."""
        return () if self.reply is None else self.reply.rests_on

    def is_untold(self, *, received: bool) -> bool:
        """Return whether this side was handed nothing yet of what the other side says, and that it does."""
        if received:
            return self.delivery is Delivery.WAITING and self.state in {*OPEN, RequestState.WITHDRAWN}
        reply = self.reply
        return reply is not None and reply.delivery is Delivery.WAITING and reply.kind != DECLINED

    def letter_hidden(self, day: date, *, holds: bool) -> RequestState | None:
        """Return why its receiver is told nothing of what it is about; None where he is.

        Args:
            day: today.
            holds: whether what it rests on is as it was. What was handed out before stays as it was told.
        """
        if not self.is_untold(received=True):
            return None
        state = self.state_on(day)
        if state in (RequestState.WITHDRAWN, RequestState.EXPIRED):
            return state
        return None if holds else RequestState.WITHHELD

    def answer_hidden(self, day: date, *, holds: bool) -> RequestState | None:
        """Return why its sender is told nothing of how it was answered; None where he is. Arguments as above.

        That somebody does not share tells nothing that anything rests on.
        """
        reply = self.reply
        if reply is None or not self.is_untold(received=False):
            return None
        if self.state is RequestState.WITHDRAWN:
            return self.state
        late = reply.kind in BOXED and day > reply.expires_on
        return RequestState.WITHHELD if late or not holds else None

    def unread_for_good(self, day: date, *, holds: bool) -> RequestState | None:
        """Return that its sender's letter waits and can be read no more, None where it still can. Arguments as above.

        Of one on a match that may be what the other side did with its own signal, which is not told.
        """
        waits = self.delivery is Delivery.WAITING and self.state in OPEN and day <= self.expires_on
        return RequestState.WITHHELD if waits and not holds and self.match_id is None else None

    def closed_by(self, day: date) -> str | None:
        """Return the problem of who would still answer or withdraw it on this day; None while that is possible."""
        state = self.state_on(day)
        if state is RequestState.WITHDRAWN:
            return "request-withdrawn"
        if state is RequestState.EXPIRED:
            return "request-expired"
        return None if self.state in OPEN else "request-already-answered"

    def not_for(self, worker: str) -> str | None:
        """Return the problem of a worker of the receiver who would act on it; None where he may."""
        if not self.personal or self.receiver_worker == worker:
            return None
        return "request-needs-named-worker" if self.receiver_worker is None else "request-for-another-worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """A change: a new request or telling is stored."""

    request: InformationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOnRequest:
    """A change: an open request is with this team, and with this worker where one is named."""

    request_id: str
    team: str
    worker: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReply:
    """A change: an open request has this answer, and no other ever."""

    request_id: str
    reply: RequestReply


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDelivery:
    """A change: a box is as far as this; `of_reply` says which of the two, `fetched_by` whom it was handed out to."""

    request_id: str
    of_reply: bool
    delivery: Delivery
    fetched_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """A change: a request is withdrawn; what was answered and not fetched is withheld for good."""

    request_id: str


RequestChange = StoreRequest | PassOnRequest | StoreReply | MoveDelivery | TakeBack
