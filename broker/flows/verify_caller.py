"""Somebody calls and says a belcode: is it a call that was announced to us, and who is it?

Nobody has to know which call it is: the code is held against every call to the own organisation. A wrong one counts
against each call whose code still counts, so that three guesses are all there are.
"""

import hmac
from collections.abc import Sequence
from dataclasses import replace

from broker.call_ports import PhoneCallReader
from broker.domain.phone_calls import MAX_TRIES, WRONG, CountTry, PhoneCall, VerifyPhoneCall
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_phone_calls import phone_calls_document
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.phone_messages import VerifyCaller
from broker.protocol.problems import problem

LOOKED_BACK_S = 24 * 3600
"""How long a code that counts no more is still told apart from one that never was."""
SCHEMA = "entry-phone/v1"


async def verify_caller(
    *, command: VerifyCaller, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, phone: PhoneCallReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Who calls is told, and the code is used up; outcome `done`.

    Raises:
        RefusedError: the code is wrong, used, expired, or was guessed at too often; with the receipt of its entry.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("verify_caller", "request", command, requester)

    async def decide() -> Outcome:
        # (1) Who asks, and every call to his organisation of the last day.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, now = policies.at(base), clock.now()
        register = await registers.register()
        check_organisation(register, act)
        calls = await phone.received(organisation=requester.organisation, since=now - LOOKED_BACK_S)
        # (2) The newest call with this code, one whose code counts before others. None: a try against each that does.
        call = _named(calls, command.code, now=now)
        counting = [one for one in calls if one.hinders(now) is None]
        if call is None:
            tried = tuple(CountTry(call_id=one.id, tries=one.tries) for one in counting)
            recording = _refusal(WRONG, bundle=policy.sha256, register=register.number)
            return outcome_of(act, recording, Effects(relies_on=base, changes=tried), status=AnswerStatus.REFUSED)
        # (3) It counts no more.
        hindered = call.hinders(now)
        if hindered is not None:
            recording = _refusal(hindered, bundle=policy.sha256, register=register.number, call=call)
            return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.REFUSED)
        # (4) It does: used up, and who calls is told.
        document = await phone_calls_document(
            "phone.verified", [replace(call, verified_at=now)], to=requester.organisation, now=now, register=register,
            rosters=rosters,
        )  # fmt: skip
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, document=document, subject=_subject(call)
        )
        used = VerifyPhoneCall(call_id=call.id, tries=call.tries, worker=requester.worker, at=now)
        return outcome_of(act, recording, Effects(relies_on=base, changes=(used,)), status=AnswerStatus.DONE)

    # (5) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _named(calls: Sequence[PhoneCall], code: str, *, now: int) -> PhoneCall | None:
    """Return the call that a code names: of two by chance, the one whose code counts; else the newest."""
    named = [call for call in calls if hmac.compare_digest(call.code(), code)]
    counting = [call for call in named if call.hinders(now) is None]
    return next(iter((*counting, *named)), None)


def _refusal(problem_id: str, *, bundle: str, register: int, call: PhoneCall | None = None) -> Recording:
    return Recording(
        outcome="refused",
        reason=problem_id,
        bundle=bundle,
        register=register,
        document=problem(problem_id).document(),
        subject=_subject(call),
    )


def _subject(call: PhoneCall | None) -> dict[str, object]:
    return {"schema": SCHEMA, "request": None if call is None else call.id, "most_tries": MAX_TRIES}
