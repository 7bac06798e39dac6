"""List the phone calls that an organisation announced or gets, with the belcodes that count."""

from collections.abc import Iterable, Mapping

from broker.call_ports import PhoneCallReader
from broker.consent_ports import ConsentReader
from broker.domain.phone_calls import CodeTime, PhoneCall, TellPhoneCalls
from broker.domain.requests import Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.calling import time_for_codes
from broker.flows.entry_payloads import Recording
from broker.flows.held_calls import Judging, withheld_of
from broker.flows.household_question import asked_stamps
from broker.flows.kept_letters import open_calls
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_phone_calls import phone_calls_document
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import REGISTER, AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.phone_messages import PHONE_CALLS_PER_PAGE

_LOOKED_AT = 2 * PHONE_CALLS_PER_PAGE
"""So many are read, that those kept from a worker leave him a page of others."""


async def list_phone_calls(
    *, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader, rosters: RosterReader,
    signals: SignalStore, matches: MatchReader, consents: ConsentReader, exceptions: ExceptionReader,
    phone: PhoneCallReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """At most `PHONE_CALLS_PER_PAGE` calls of the organisation are read and that is recorded; outcome `done`.

    Those whose code counts come first, so that none of them is beyond the page on a busy day.

    Raises:
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_phone_calls", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps((*asked_stamps(requester.organisation), REGISTER))
        policy = policies.at(base)
        register = await registers.register()
        organisation = check_organisation(register, act)
        # (2) Nobody has watched the log for too long: nobody is told on its word who calls, and about what.
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (3) Calls of either side, but for those kept from him; what they rest on may have changed since.
        now = await time_for_codes(clock, phone)
        found = await phone.phone_calls(organisation=organisation.oin, now=now.recorded, at_most=_LOOKED_AT)
        theirs, seen = await open_calls(found, requester, signals=signals, matches=matches)
        own = theirs[:PHONE_CALLS_PER_PAGE]
        judging = Judging(
            act=act, organisation=organisation, policy=policy, register=register, clock=clock, signals=signals,
            matches=matches, consents=consents, exceptions=exceptions,
        )  # fmt: skip
        withheld, read = await withheld_of(own, judging)
        document = await phone_calls_document(
            "phone.list", own, to=organisation.oin, now=now, register=register, rosters=rosters, withheld=withheld
        )
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        first = _first_told(own, withheld, to=organisation.oin, now=now)
        effects = Effects(relies_on=(*base, *seen, *read), changes=first)
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (4) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _first_told(
    calls: Iterable[PhoneCall], withheld: Mapping[str, bool], *, to: str, now: CodeTime
) -> tuple[TellPhoneCalls, ...]:
    """Return that this organisation has read now for the first time what these calls to it are about."""
    told = [call.id for call in calls if call.receiver == to and call.told_at is None and not withheld.get(call.id)]
    return (TellPhoneCalls(ids=tuple(told), at=now.clock),) if told else ()
