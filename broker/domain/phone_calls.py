"""Phone mode: a call that is announced before it is made, and a belcode by which the called party knows who calls.

The code is six digits of an HMAC over the call's id under a key of this one call, so both sides read the same and
nobody makes one. It counts for half an hour and once. Who said a wrong code three times in that time verifies none for
the rest of it: that is counted where the guesser is heard, so that nobody ends the codes of everybody by guessing.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date

from broker.domain.information_requests import InformationRequest, LetterKind, RequestReply, RestsOn, StatedProof

CODE_S = 30 * 60
"""Seconds that a belcode counts."""
MAX_TRIES = 3
"""Wrong codes in `CODE_S` after which one worker verifies none."""
MAX_TRIES_OF_ALL = 30
"""The same for all workers of an organisation together: ordinary slips of a busy day stay below it."""
KEY_BYTES = 32
_DIGITS = 6
_LABEL = b"sluis belcode/v1\x00"
USED, EXPIRED, OVER, WRONG = "belcode-used", "belcode-expired", "belcode-tries-over", "belcode-wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oral:
    """That it was answered orally: by whom, when, in which categories, on which ground and what that rests on."""

    worker: str
    at: int
    categories: tuple[str, ...]
    level: int
    grounds: tuple[str, ...]
    proof: StatedProof | None = None
    approved: bool = False
    signal_id: str | None = None
    consent_id: str | None = None
    exception_id: str | None = None
    rests_on: tuple[RestsOn, ...] = ()

    def as_reply(self, call_id: str) -> RequestReply:
        """Return the answer to the letter that the call stands for."""
        return RequestReply(
            id=call_id,
            worker=self.worker,
            kind="oral",
            reason=None,
            categories=self.categories,
            level=self.level,
            grounds=self.grounds,
            proof=self.proof,
            signal_id=self.signal_id,
            consent_id=self.consent_id,
            exception_id=self.exception_id,
            approved=self.approved,
            bundle="",
            answered_at=self.at,
            expires_on=date.max,
            rests_on=self.rests_on,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCall:
    """A call of one team to another, about named categories for a purpose: to ask, or to tell.

    `rests_on` is what it rests on, as it was when it was announced; `role` and `approved` are who called, and whether a
    second person agreed. `told_at` is when who is called first read in his list what it is about.
    """

    id: str
    caller: str
    caller_team: str
    worker: str
    controller: str
    receiver: str
    receiver_team: str
    purpose: str
    grounds: tuple[str, ...]
    categories: tuple[str, ...]
    level: int
    made_at: int
    clocked_at: int | None = None
    key: bytes = field(repr=False)
    kind: LetterKind = LetterKind.REQUEST
    role: str = "worker"
    approved: bool = False
    signal_id: str | None = None
    match_id: str | None = None
    consent_id: str | None = None
    exception_id: str | None = None
    about_signals: tuple[str, ...] = ()
    rests_on: tuple[RestsOn, ...] = ()
    proof: StatedProof | None = None
    statement: str | None = None
    told_at: int | None = None
    verified_at: int | None = None
    verified_by: str | None = None
    oral: Oral | None = None

    def code(self) -> str:
        """Return the belcode of this call."""
        digest = hmac.digest(self.key, _LABEL + self.id.encode("ascii"), hashlib.sha256)
        return f"{int.from_bytes(digest) % 10**_DIGITS:0{_DIGITS}d}"

    @property
    def code_until(self) -> int:
        """The last second on which its code counts, by the clock of when it was made."""
        return (self.made_at if self.clocked_at is None else self.clocked_at) + CODE_S

    def hinders(self, now: "CodeTime") -> str | None:
        """Return why the code counts no more, as the id of a problem; None while it counts, by both times."""
        if self.verified_at is not None:
            return USED
        by_record = self.made_at <= now.recorded <= self.made_at + CODE_S
        by_clock = self.clocked_at is None or abs(now.clock - self.clocked_at) <= CODE_S
        return None if by_record and by_clock else EXPIRED

    @property
    def answer_rests_on(self) -> tuple[RestsOn, ...]:
        """What its oral answer rests on besides."""
        return () if self.oral is None else self.oral.rests_on

    def as_letter(self) -> InformationRequest:
        """Return the letter that this call stands for: it is decided on as that is, and so is its oral answer."""
        return InformationRequest(
            id=self.id,
            kind=self.kind,
            sender=self.caller,
            sender_team=self.caller_team,
            sender_worker=self.worker,
            sender_role=self.role,
            controller=self.controller,
            receiver=self.receiver,
            receiver_team=self.receiver_team,
            purpose=self.purpose,
            grounds=self.grounds,
            categories=self.categories,
            level=self.level,
            proof=self.proof,
            signal_id=self.signal_id,
            match_id=self.match_id,
            consent_id=self.consent_id,
            exception_id=self.exception_id,
            approved=self.approved,
            personal=False,
            bundle="",
            sent_at=self.made_at,
            expires_on=date.max,
            rests_on=self.rests_on,
            about_signals=self.about_signals,
            box=b"",
            reply=None if self.oral is None else self.oral.as_reply(self.id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTime:
    """The time by which belcodes are judged, twice, in unix seconds.

    Attributes:
        recorded: never before what is recorded already: after a clock was set back no code counts again.
        clock: what the clock says: after one that was ahead was set right codes run out, and wrong ones are forgotten.
    """

    recorded: int
    clock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCodes:
    """How many wrong codes were said of late: by one worker, and in his whole organisation."""

    of_worker: int
    of_all: int

    @property
    def over(self) -> bool:
        """Whether this worker verifies none for now."""
        return self.of_worker >= MAX_TRIES or self.of_all >= MAX_TRIES_OF_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePhoneCall:
    """A change: this call is announced."""

    call: PhoneCall


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPhoneCall:
    """A change: the called party knows who calls. Once, and only as long as no more was tried than was seen."""

    call_id: str
    organisation: str
    worker: str
    at: int
    tried: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TellPhoneCalls:
    """A change: who is called has read what these calls are about, so that he is told when that holds no more."""

    ids: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTry:
    """A change: somebody of this organisation said a wrong code, `tried` before it of late."""

    organisation: str
    worker: str
    at: int
    tried: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOrally:
    """A change: a call was answered orally, and once."""

    call_id: str
    oral: Oral


PhoneChange = StorePhoneCall | TellPhoneCalls | VerifyPhoneCall | CountTry | AnswerOrally
