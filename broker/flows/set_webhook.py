"""Note where an organisation hears that it is time to fetch its inbox; an address that may not be asked is refused."""

import hashlib

from broker.domain.requests import Approval, Requester
from broker.domain.webhooks import SetWebhook as WebhookChange
from broker.domain.webhooks import parse_webhook_url
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, result_document
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_approval, check_organisation, check_worker
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.problems import problem
from broker.protocol.webhook_messages import SetWebhook

REFUSED, NEEDS_APPROVAL = "webhook-address", "webhook-needs-approval"


async def set_webhook(
    *, command: SetWebhook, requester: Requester, approval: Approval | None, insecure_loopback: bool,
    policies: Policies, clock: Clock, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Events go to this address from now on, or nowhere; outcome `done`.

    Raises:
        RefusedError: nobody else of the organisation agreed, or no event may go to that address; with the receipt of
            its entry.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError, ApprovalError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("set_webhook", "admin", command, requester, approval=approval)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        organisation = check_organisation(register, act)
        roster = await rosters.roster(organisation.oin)
        approved = roster is not None and check_approval(roster, requester, approval)
        # (2) Nobody alone says where his organisation hears that it is time, nor that it hears so nowhere.
        # An address that may be asked. The name is judged again, with what it then stands for, at each event.
        to = None if command.url is None else parse_webhook_url(command.url, insecure_loopback=insecure_loopback)
        refused = None if approved else NEEDS_APPROVAL
        if command.url is not None and to is None:
            refused = REFUSED
        text = "webhook.off" if command.url is None else "webhook.on"
        recording = Recording(
            outcome="refused" if refused else "done",
            reason=refused,
            bundle=policy.sha256,
            register=register.number,
            document=problem(refused).document() if refused else result_document(outcome="done", text=text),
            subject=_subject(command.url),
        )
        if refused:
            return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.REFUSED)
        change = WebhookChange(
            organisation=requester.organisation, url=None if to is None else to.url, at=clock.now()
        )  # fmt: skip
        return outcome_of(act, recording, Effects(relies_on=base, changes=(change,)), status=AnswerStatus.DONE)

    # (3) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _subject(url: str | None) -> dict[str, object]:
    digest = None if url is None else hashlib.sha256(url.encode()).hexdigest()
    return {"schema": "entry-webhook/v1", "url_sha256": digest}
