"""Somebody calls and says a belcode: is it a call that was announced to us, and who is it?

Nobody has to know which call it is: the code is held against every call to the own organisation. A wrong one counts
against who typed it, and loosely against his organisation: whoever telephones and guesses ends nobody else's codes.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from broker.call_ports import PhoneCallReader
from broker.consent_ports import ConsentReader
from broker.domain.changes import Change
from broker.domain.phone_calls import MAX_TRIES, OVER, WRONG, CodeTime, CountTry, PhoneCall, VerifyPhoneCall
from broker.domain.requests import Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.calling import time_for_codes
from broker.flows.entry_payloads import Recording
from broker.flows.held_calls import Judging
from broker.flows.household_question import asked_stamps
from broker.flows.kept_letters import open_calls
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_phone_calls import is_active, phone_calls_document
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import (
    REGISTER,
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    RegisterReader,
    RosterReader,
    SignalStore,
    Stamp,
)
from broker.protocol.phone_messages import VerifyCaller
from broker.protocol.problems import problem
from broker.protocol.register import Register

LOOKED_BACK_S = 24 * 3600
"""How long a code that counts no more is still told apart from one that never was."""
SUSPENDED = "caller-suspended"
CALL_WITHHELD = "phone-call-withheld"
SCHEMA = "entry-phone/v1"


async def verify_caller(
    *, command: VerifyCaller, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, matches: MatchReader, consents: ConsentReader,
    exceptions: ExceptionReader, phone: PhoneCallReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Who calls is told, and the code is used up; outcome `done`.

    Raises:
        RefusedError: the code is wrong, used or expired, who calls takes no part any more, or this worker said wrong
            codes too often; with the receipt of its entry.
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("verify_caller", "request", command, requester)

    async def decide() -> Outcome:
        # (1) Who asks. Nobody has watched the log for too long: nobody is known on its word.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, now = policies.at(base), await time_for_codes(clock, phone)
        newest = await signals.stamps([REGISTER])
        register = await registers.register()
        organisation = check_organisation(register, act)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        of = _Verifying(act=act, bundle=policy.sha256, register=register.number)
        # (2) Who guessed too often is not told whether this one is right.
        tried = await phone.wrong_codes(
            organisation=requester.organisation, worker=requester.worker, now=now.clock
        )  # fmt: skip
        if tried.over:
            return of.refused(OVER, base)
        # (3) The newest call of the last day with this code that he may know of, counting ones first; else wrong.
        calls = await phone.received(organisation=requester.organisation, since=now.recorded - LOOKED_BACK_S)
        theirs, seen = await open_calls(calls, requester, signals=signals, matches=matches)
        base, call = (*base, *seen), _named(theirs, command.code, now=now)
        who = {"organisation": requester.organisation, "worker": requester.worker}
        if call is None:
            return of.refused(WRONG, base, changes=(CountTry(**who, at=now.clock, tried=tried.of_all),))
        # (4) It counts no more, who calls takes no part any more, what the call rests on has changed since, or it would
        # be refused now: then it proves nothing, and who calls is not told.
        judging = Judging(
            act=act, organisation=organisation, policy=policy, register=register, clock=clock, signals=signals,
            matches=matches, consents=consents, exceptions=exceptions,
        )  # fmt: skip
        holds, read = await judging.of(call)
        relied = (*base, *newest, *read)
        if (hindered := _hindered(call, register, now=now, holds=holds)) is not None:
            return of.refused(hindered, relied, call=call)
        # (5) It does: used up, and who calls is told.
        known = replace(call, verified_at=now.clock, verified_by=requester.worker)
        document = await phone_calls_document(
            "phone.verified", [known], to=requester.organisation, now=now, register=register, rosters=rosters
        )
        used = VerifyPhoneCall(**who, call_id=call.id, at=now.clock, tried=tried.of_all)
        return of.done(document, call, Effects(relies_on=relied, changes=(used,), rests_on=read))

    # (6) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _hindered(call: PhoneCall, register: Register, *, now: CodeTime, holds: bool) -> str | None:
    """Return why a code proves nothing, as the id of a problem; None where it does."""
    if (late := call.hinders(now)) is not None:
        return late
    if not is_active(call.caller, register):
        return SUSPENDED
    return None if holds else CALL_WITHHELD


def _named(calls: Sequence[PhoneCall], code: str, *, now: CodeTime) -> PhoneCall | None:
    """Return the call that a code names: of two by chance, the one whose code counts; else the newest."""
    named = [call for call in calls if hmac.compare_digest(call.code(), code)]
    counting = [call for call in named if call.hinders(now) is None]
    return next(iter((*counting, *named)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verifying:
    """What every outcome of this records."""

    act: Act
    bundle: str
    register: int

    def refused(
        self, problem_id: str, relies_on: tuple[Stamp, ...], *, call: PhoneCall | None = None,
        changes: tuple[Change, ...] = (),
    ) -> Outcome:  # fmt: skip
        """Return that this code proves nothing, told as its own problem."""
        recording = Recording(
            outcome="refused", reason=problem_id, bundle=self.bundle, register=self.register,
            document=problem(problem_id).document(), subject=_subject(call),
        )  # fmt: skip
        return outcome_of(
            self.act, recording, Effects(relies_on=relies_on, changes=changes), status=AnswerStatus.REFUSED
        )  # fmt: skip

    def done(self, document: Mapping[str, object], call: PhoneCall, effects: Effects) -> Outcome:
        """Return that who calls is known."""
        recording = Recording(
            outcome="done", bundle=self.bundle, register=self.register, document=document, subject=_subject(call)
        )
        return outcome_of(self.act, recording, effects, status=AnswerStatus.DONE)


def _subject(call: PhoneCall | None) -> dict[str, object]:
    return {"schema": SCHEMA, "request": None if call is None else call.id, "most_tries": MAX_TRIES}
