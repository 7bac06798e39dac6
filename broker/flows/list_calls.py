"""List the oproepen that an organisation sent: the same list whoever was asked, and whatever they did."""

from broker.call_ports import CallReader
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_calls import calls_document
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.call_messages import CALLS_PER_PAGE


async def list_calls(
    *,
    requester: Requester,
    after: str | None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    calls: CallReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most `CALLS_PER_PAGE` oproepen of the organisation are read and that is recorded; outcome `sent`.

    Args:
        after: the id after which the page begins; the order is that of the ids.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_calls", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) Own calls only; no ring is read, so none can show.
        own = await calls.calls(organisation=requester.organisation, after=after or "", at_most=CALLS_PER_PAGE)
        document = calls_document("call.list", own)
        recording = Recording(outcome="sent", bundle=policy.sha256, register=register.number, document=document)
        return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )
