"""Notices: that something waits for a team, and never what; read in its organisation's inbox, on a fixed clock (D8)."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class NoticeKind(StrEnum):
    """Of what a notice tells; `about` is then the id of such a thing."""

    MATCH = "match"
    """Somebody else is involved too. About a match."""
    NEW_REPORT = "new_report"
    """Veilig Thuis tells the casusregisseur that a new police report came in. About a match."""
    CASUSREGISSEUR = "casusregisseur"
    """Somebody named this team as the one that leads the plan. About a match of its own."""
    OTHER_LEADS = "casusregisseur_other"
    """Another team leads the plan: it was named, or was before this team knew of it. About a match of its own."""
    COORDINATED = "coordinated"
    """For the matchcoordinator: two teams are to contact each other. About a match."""
    MATCH_OVERDUE = "match_overdue"
    """For the matchcoordinator: they did not in time. About a match."""
    TASK_OVERDUE = "task_overdue"
    """A term of the own team has passed. About a task on a report or order."""
    FOLLOW_UP_OVERDUE = "follow_up_overdue"
    """The same, of a task on a match. About that match."""
    SHIELD_ALERT = "shield_alert"
    """Somebody looked at a household with a shielded signal. About that own signal."""
    REQUEST = "request"
    """Another organisation asks something. About a request."""
    ANSWER = "answer"
    """A request was answered, in whatever way. About that request."""
    DELIVERY = "delivery"
    """Another organisation tells something unasked. About what was told, by its id."""
    CALL = "call"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    """A yes was taken back or has ended. About a request that rested on it, or about an own ring."""
    TAKEN_BACK = "taken_back"
    """A colleague took back what another of the team had sent. About that request."""
    REQUEST_EXPIRED = "request_expired"
    """Nobody answered in time. About that request."""
    WRONGLY_MADE = "wrongly_made"
    """What another team said of its involvement was wrong. About the own signal by which it was told."""
    CONSENT_REFUSED = "consent_refused"
    """Somebody who is kept from it recorded a no of the person it is about, so that it did not end. An own signal."""
    EXCEPTION_TOLD = "exception_told"
    EXCEPTION_REJECTED = "exception_rejected"
    """The exception on which something was told was found not in order. About that letter or call."""


ABOUT_A_MATCH = frozenset(
    {
        NoticeKind.MATCH, NoticeKind.NEW_REPORT, NoticeKind.COORDINATED, NoticeKind.MATCH_OVERDUE,
        NoticeKind.FOLLOW_UP_OVERDUE, NoticeKind.CASUSREGISSEUR, NoticeKind.OTHER_LEADS,
    }
)  # fmt: skip
ABOUT_A_LETTER = frozenset(
    {
        NoticeKind.REQUEST, NoticeKind.ANSWER, NoticeKind.DELIVERY, NoticeKind.REQUEST_EXPIRED,
        NoticeKind.EXCEPTION_REJECTED, NoticeKind.TAKEN_BACK,
    }
)  # fmt: skip
"""About a letter, or a call, by its id."""
FOR_COORDINATORS = frozenset({NoticeKind.COORDINATED, NoticeKind.MATCH_OVERDUE})
"""Told to who has the role of coordinator, and to nobody else of his organisation."""


_ID_CHARACTERS = 32


def notice_id(*names: str) -> str:
    """Return the id of a notice that these names have, of which one is known to who has it alone, or to nobody."""
    return hashlib.sha256("\x00".join(("notice", *names)).encode()).hexdigest()[:_ID_CHARACTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A change: a notice waits for this team. `id` is 16 random bytes in hex, `about` the id of what it concerns.

    A team is told, never a person (D6). A notice is part of the entry whose change it is: it is no entry of its own.
    """

    id: str
    organisation: str
    team: str
    kind: NoticeKind
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNotices:
    """A change: the organisation has these notices safely, so they wait no more; another's are left as they are.

    `told` are notices that it is told of now, and `shown` things that notices are about, which it reads now. `aside`
    are notices that may not be told now, while more wait than are judged at once: others come first the next time.
    """

    organisation: str
    ids: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """A notice that waits; `at` is the unix second of its entry."""

    id: str
    team: str
    kind: NoticeKind
    about: str
    at: int
