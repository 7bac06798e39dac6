"""List an organisation's own records of consent, a page at a time; reading is recorded too."""

from broker.consent_ports import ConsentReader, OwnConsent
from broker.domain.consents import Consent
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.consenting import needed_if_any, shown_of
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.kept_consents import KeptFrom, kept_from
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.consent_messages import CONSENTS_PER_PAGE, consent_document
from broker.protocol.messages import TextRef


async def list_consents(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most `CONSENTS_PER_PAGE` own records are read, each as it stands today, and that is recorded; outcome `done`.

    Args:
        after: the id after which the page begins; the order is that of the ids.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_consents", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, today = policies.at(base), clock.today()
        register = await registers.register()
        check_organisation(register, act)
        # (2) Own records only, whatever their state.
        organisation, worker = requester.organisation, requester.worker
        own = await consents.list_own(
            organisation=organisation, worker=worker, after=after, at_most=CONSENTS_PER_PAGE
        )  # fmt: skip
        kept = await kept_from(requester, None, consents)
        hidden = await consents.hidden(
            organisation=organisation, worker=worker, among=[one.consent.id for one in own]
        )  # fmt: skip
        shown = [
            shown_of(
                one.consent, needed=needed_if_any(policy, one.consent.purpose), day=today, about=_about(one, kept),
                reader=worker, hidden=one.consent.id in hidden,
            )
            for one in own
        ]  # fmt: skip
        document = consent_document(
            {"outcome": "done", "text": TextRef(id="consent.list", params={}), "consents": shown}
        )  # fmt: skip
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _about(own: OwnConsent, kept: KeptFrom) -> tuple[Consent, ...]:
    """Return all own records about this person that the worker may know of."""
    return () if own.about is None else kept.seen(own.about.consents, own.subject)
