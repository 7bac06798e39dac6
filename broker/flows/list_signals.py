"""List an organisation's own signals, a page at a time; reading is recorded too."""

from broker.domain.requests import Requester
from broker.domain.signals import Signal, SignalState
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, result_document
from broker.flows.owners import known_page
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.messages import OwnSignal


async def list_signals(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most `SIGNALS_PER_PAGE` of the organisation's own signals are read and that is recorded; outcome `done`.

    Args:
        after: the id after which the page begins; the order is that of the ids.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.listing(requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) Own signals only, whatever their state.
        own = await known_page(requester, after=after, signals=signals)
        today = clock.today()
        listed = [_listed(signal, policy.state_on(signal, today)) for signal in own]
        document = result_document(outcome="done", text="signal.list", signals=listed)
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _listed(signal: Signal, state: SignalState) -> OwnSignal:
    """Return a signal as its holder sees it, in the state it is in today."""
    return OwnSignal(
        signal_id=signal.id,
        purpose=signal.purpose,
        team=signal.team,
        state=state.value,
        ends_on=signal.last_day,
        case_ref=signal.case_ref,
    )
