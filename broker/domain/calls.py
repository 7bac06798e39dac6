"""The oproep: somebody asks, holders decide whether they call, and nothing of that ever changes what the asker reads.

A call is the asker's, a ring the holder's; only the broker knows that the one belongs to the other.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from broker.domain.information_requests import RestsOn, StatedProof


class RingState(StrEnum):
    """What a holder did with an oproep; doing nothing leaves it waiting until its last day."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOn:
    """The asker's facts when an oproep was sent, by which it is decided on anew while it waits.

    Attributes:
        own: ids of the asker's own signals, where it stood on those.
        proof: with the days on which it counted.
        consent, consent_by, age, custody: what the persons asked about had said.
        persons: the indexes (hex) of the persons asked about, where consent was claimed: what they say is read anew.
    """

    role: str
    grounds: tuple[str, ...]
    families: frozenset[str]
    approval: str
    standing: str
    own: tuple[str, ...]
    proof: StatedProof | None
    consent: str
    consent_by: frozenset[str]
    age: str
    custody: str
    persons: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAs:
    """How a ring came about: in which kinds the signal matched, and what its person said of its holder being shown."""

    kinds: tuple[str, ...]
    consent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An oproep as it was sent. `asked_until` is the last day on which holders are asked.

    `asked_on` is None for an oproep of before it was kept.
    """

    id: str
    organisation: str
    controller: str
    team: str
    worker: str
    purpose: str
    case_ref: str | None
    sent_at: int
    asked_until: date
    asked_on: AskedOn | None = None

    @property
    def reference(self) -> str | None:
        """That of the report or order it was sent on, where it was sent on one."""
        proof = None if self.asked_on is None else self.asked_on.proof
        return None if proof is None else proof.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """An oproep at one holder: the team that is asked, about one of its organisation's own signals.

    `rests_on` are the stamps of what people said, where it rings on consent: what they say now is read anew at each
    look. Of a ring of before its persons were kept it counts that none of them moved, and `valid_until`.
    """

    id: str
    call: Call
    organisation: str
    team: str
    signal_id: str
    state: RingState = RingState.WAITING
    rests_on: tuple[RestsOn, ...] = ()
    valid_until: date | None = None
    found_as: FoundAs | None = None

    def asks_what(self, other: "Ring") -> bool:
        """Return whether it asks what another oproep of the same organisation for the same purpose asks.

        About the same signal, on the same report or order, and on the same agreement: who declined is asked anew once
        something more was said of it.
        """
        mine, others = ((one.signal_id, one.call.reference, one.rests_on) for one in (self, other))
        return mine == others

    def may_go_on_as(self, other: "Ring") -> bool:
        """Return whether nobody loses anything where this ring goes on under another oproep instead of that one's own.

        For whoever calls back calls one team, and the ring is judged by the facts of its oproep alone from then on: the
        same worker asks, on the very same basis, what found this signal in the same way, for at least as long. What the
        same persons said more since is read anew at each look, and makes no second ring.
        """
        mine, others = (
            (
                one.signal_id, one.call.reference, one.call.team, one.call.worker, one.call.asked_on, one.found_as,
                {said.key for said in one.rests_on},
            )
            for one in (self, other)
        )  # fmt: skip
        return (
            mine == others and self.state is not RingState.DECLINED and self.call.asked_until <= other.call.asked_until
        )

    def is_agreed_on(self, day: date) -> bool:
        """Return whether what people agreed to still lasts on this day."""
        return self.valid_until is None or day <= self.valid_until

    def is_over(self, day: date) -> bool:
        """Return whether nobody is asked any more on this day."""
        return day > self.call.asked_until


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCall:
    """An oproep is sent, and these holders are asked; there may be none of them.

    `again` are ids of rings that ask the very same already: they are this oproep's from now on, with its last day.
    """

    call: Call
    rings: tuple[Ring, ...]
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRing:
    """A holder's worker has decided: only a ring that waits can be answered, and once."""

    ring_id: str
    state: RingState
    worker: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardRing:
    """Another team of the same organisation is asked instead of this one, while the ring waits."""

    ring_id: str
    from_team: str
    team: str
