"""What every act on an own task has in common: found, of the own team and not closed; else openly refused."""

from collections.abc import Callable
from dataclasses import dataclass

from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.domain.team_tasks import TaskChange, TaskState, TeamTask
from broker.flows.act import Act
from broker.flows.changing_match import in_team
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.own_match import decisions_of, few
from broker.flows.own_task import OwnTask, seen_task, tasks_document
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.problems import problem
from broker.protocol.register import Organisation
from broker.protocol.roster import Roster
from broker.task_ports import TaskReader

OF_ANOTHER_TEAM = "task-of-another-team"
CLOSED = "task-closed"
NOT_EXTENDABLE = "task-not-extendable"
TOO_LONG = "task-too-long"
TASK_PROBLEMS = (OF_ANOTHER_TEAM, CLOSED, NOT_EXTENDABLE, TOO_LONG)
"""Ids of the problems with which an act on a task is refused; each refusal is an entry of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStep:
    """What an act on a task comes to: the change and the task after it, or the problem it meets."""

    change: TaskChange | None = None
    after: TeamTask | None = None
    text: str = ""
    refused: str | None = None


async def change_own_task(
    step: Callable[[TeamTask, PolicyInForce, Organisation], TaskStep], *, task_id: str, act: Act,
    requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader, rosters: RosterReader,
    signals: SignalStore, matches: MatchReader, tasks: TaskReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The task of the own team has taken this step, recorded; outcome `done`.

    Args:
        step: says what changes, from the task as it stands; called anew for each decision.

    Raises:
        NotFoundError: no such task, another organisation's, or about a match that may not be seen (any more).
        RefusedError: another team's task, a closed one, or what `step` refused. NotDoneError: it failed.
            Both with the receipt of their entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register = policies.at(base), await registers.register()
        organisation = check_organisation(register, act)
        # (2) An own task that may be seen now, of the own team, and not closed.
        task = await tasks.one(task_id)
        if task is None or task.organisation != requester.organisation:
            raise NotFoundError
        own = await seen_task(task, requester, matches=matches, policy=policy, register=register, clock=clock)
        if own is None:
            raise NotFoundError
        refused = _refused(own, requester, await rosters.roster(requester.organisation), clock)
        taken = TaskStep(refused=refused) if refused else step(task, policy, organisation)
        # (3) What is told, or why not; recorded either way.
        document = (
            problem(taken.refused).document()
            if taken.refused
            else tasks_document(taken.text, [taken.after or task], day=clock.today())
        )
        recording = Recording(
            outcome="refused" if taken.refused else "done", reason=taken.refused, bundle=policy.sha256,
            register=register.number, document=document,
            hits={} if own.match is None else decisions_of((own.match,)),
            handles=frozenset() if own.match is None else few(own.match.handles()),
        )  # fmt: skip
        changes = () if taken.change is None else (taken.change,)
        effects = Effects(relies_on=(*base, *own.stamps), changes=changes)
        return outcome_of(
            act, recording, effects, status=AnswerStatus.REFUSED if taken.refused else AnswerStatus.DONE
        )  # fmt: skip

    # (4) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _refused(own: OwnTask, requester: Requester, roster: Roster | None, clock: Clock) -> str | None:
    """Return why this worker may not act on a task of his organisation, None where he may."""
    if not in_team(own.task.team, requester, roster):
        return OF_ANOTHER_TEAM
    return CLOSED if own.task.state_on(clock.today()) in {TaskState.DONE, TaskState.OVER} else None
