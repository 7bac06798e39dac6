"""List the tasks of the own team, a page at a time; what is about a match is judged anew, and reading is recorded."""

from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.changing_match import in_team
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.own_match import decisions_of
from broker.flows.own_task import OwnTask, seen_task, tasks_document
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.roster import Roster
from broker.protocol.task_messages import TASKS_PER_PAGE
from broker.task_ports import TaskReader

BATCH = 2 * TASKS_PER_PAGE
"""Tasks read at once, of which some are another team's, or may be seen no more."""


async def list_tasks(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    matches: MatchReader,
    tasks: TaskReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most a page of the tasks of the worker's teams is told, and that is recorded; outcome `done`.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_tasks", requester)

    async def decide() -> Outcome:
        # (1) Who, of which teams, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register = policies.at(base), await registers.register()
        check_organisation(register, act)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        roster = await rosters.roster(requester.organisation)
        # (2) The tasks of his teams; those about a match that may be seen no more are as if they were not there.
        found = await _page(
            requester, after or "", roster=roster, policy=policy, register=register, clock=clock, matches=matches,
            tasks=tasks,
        )  # fmt: skip
        page = found[:TASKS_PER_PAGE]
        more = page[-1].task.id if len(found) > len(page) else None
        document = tasks_document(
            "task.list" if page else "task.none", [one.task for one in page], day=clock.today(), more_after=more
        )  # fmt: skip
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, document=document,
            hits=decisions_of(tuple(one.match for one in page if one.match is not None)),
        )  # fmt: skip
        stamps = dict.fromkeys(stamp for one in found for stamp in one.stamps)
        return outcome_of(act, recording, Effects(relies_on=(*base, *stamps)), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def _page(
    requester: Requester, after: str, *, roster: Roster | None, policy: PolicyInForce, register: Register,
    clock: Clock, matches: MatchReader, tasks: TaskReader,
) -> list[OwnTask]:  # fmt: skip
    """Return the next tasks that are seen, one more than a page where there are."""
    shown: list[OwnTask] = []
    while len(shown) <= TASKS_PER_PAGE:
        found = await tasks.of_organisation(organisation=requester.organisation, after=after, at_most=BATCH)
        for task in found:
            own = await seen_task(
                task, requester, matches=matches, policy=policy, register=register, clock=clock
            )  # fmt: skip
            shown += [own] if own is not None and in_team(task.team, requester, roster) else []
        if len(found) < BATCH:
            break
        after = found[-1].id
    return shown[: TASKS_PER_PAGE + 1]
