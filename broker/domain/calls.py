"""The oproep: somebody asks, holders decide whether they call, and nothing of that ever changes what the asker reads.

A call is the asker's, a ring the holder's; only the broker knows that the one belongs to the other.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from broker.domain.information_requests import RestsOn


class RingState(StrEnum):
    """What a holder did with an oproep; doing nothing leaves it waiting until its last day."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An oproep as it was sent. `asked_until` is the last day on which holders are asked."""

    id: str
    organisation: str
    controller: str
    team: str
    worker: str
    purpose: str
    case_ref: str | None
    sent_at: int
    asked_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """An oproep at one holder: the team that is asked, about one of its organisation's own signals.

    `rests_on` are the stamps of what people agreed to, where it rings on consent: once one of them moved nobody is
    asked any more, nor after `valid_until`, the last day of what they agreed to.
    """

    id: str
    call: Call
    organisation: str
    team: str
    signal_id: str
    state: RingState = RingState.WAITING
    rests_on: tuple[RestsOn, ...] = ()
    valid_until: date | None = None

    def is_agreed_on(self, day: date) -> bool:
        """Return whether what people agreed to still lasts on this day."""
        return self.valid_until is None or day <= self.valid_until

    def is_over(self, day: date) -> bool:
        """Return whether nobody is asked any more on this day."""
        return day > self.call.asked_until


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCall:
    """An oproep is sent, and these holders are asked; there may be none of them."""

    call: Call
    rings: tuple[Ring, ...]


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
