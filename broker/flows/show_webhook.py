"""Show an organisation where its events go, and which of them nobody took."""

from broker.call_ports import WebhookReader
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.messages import TextRef
from broker.protocol.webhook_messages import DEAD_LETTERS_SHOWN, SCHEMA_WEBHOOK, DeadLetter, WebhookResult


async def show_webhook(
    *, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader, signals: SignalStore,
    webhooks: WebhookReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The own address is read, with the newest events that were given up, and that is recorded; outcome `done`.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("show_webhook", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) The own address and what it did not take; events say nothing, so there is nothing else to show.
        own = await webhooks.webhook_of(organisation=requester.organisation, at_most=DEAD_LETTERS_SHOWN)
        dead = [DeadLetter(event_id=one.id, made_at=one.made_at, tries=one.tries) for one in own.dead]
        result = WebhookResult.model_validate(
            {
                "schema": SCHEMA_WEBHOOK,
                "outcome": "done",
                "text": TextRef(id="webhook.none" if own.url is None else "webhook.shown", params={}),
                "url": own.url,
                "dead": dead,
            }
        )
        document = result.model_dump(mode="json", by_alias=True)
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )
