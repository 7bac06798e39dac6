"""Say that what followed from an act is done: by who may see it, and once."""

from broker.domain.acts import OWN_APPROVAL_REASON
from broker.domain.changes import FinishOwed
from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.owing import check_owing, owed_document, seen_owed
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.refusing import refused_as
from broker.flows.request_rules import check_organisation
from broker.owed_ports import OwedReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.owed_messages import FinishOwedTask

OWN_ACT = "review.own_act"
"""The text that says why: he did it, approved it, or was consulted about it."""
BY_VERDICT = "review.by_verdict"
"""The text that says that it ends by itself, once somebody judged the act."""


async def finish_owed(
    *,
    command: FinishOwedTask,
    task_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    owed: OwedReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The task is done, and on nobody's list any more; outcome `done`.

    Raises:
        RefusedError: somebody else has to look, for it is about an act of his own, or its act is to be judged; with the
            receipt of its entry.
        NotFoundError: no such task, another organisation's, one that is done, or one that this person does not see.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("finish_owed", "admin", command, requester, target=task_id)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_owing(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register = policies.at(base), await registers.register()
        check_organisation(register, act)
        # (2) One that is not done, and that he sees now.
        found = await owed.one(organisation=requester.organisation, task_id=task_id)
        if found is None:
            raise NotFoundError
        roster = await rosters.roster(requester.organisation)
        seen = await seen_owed(found, requester, roster=roster, signals=signals)
        if seen is None:
            raise NotFoundError
        relies_on = (*base, *seen.stamps)
        # (3) Nobody says of his own act that it was looked at: refused, and recorded, for a reviewer sees it then.
        if found.is_for_another(requester.worker):
            return refused_as(
                act, OWN_APPROVAL_REASON, text=OWN_ACT, bundle=policy.sha256, register=register.number,
                relies_on=relies_on, more={"task": task_id},
            )  # fmt: skip
        # (4) What is to be judged ends with the verdict: nobody's word that he looked takes its place.
        if found.by_verdict:
            return refused_as(
                act, "refused", text=BY_VERDICT, reason="by-verdict", bundle=policy.sha256, register=register.number,
                relies_on=relies_on, more={"task": task_id},
            )  # fmt: skip
        # (5) What is told. The entry stands under no signal: it would be a newer act on one whose review it may end.
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, more={"task": task_id},
            document=owed_document("owed.done", [found], worker=requester.worker, day=clock.today()),
        )  # fmt: skip
        effects = Effects(relies_on=relies_on, changes=(FinishOwed(number=found.number),))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (6) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )
