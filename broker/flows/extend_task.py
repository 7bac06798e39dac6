"""Record that an exclusion order was extended, to at most what the documents allow (Wet tijdelijk huisverbod 9)."""

from dataclasses import replace

from broker.domain.requests import Requester
from broker.domain.team_tasks import MoveTask, TaskKind, TeamTask
from broker.flows.act import Act
from broker.flows.changing_task import NOT_EXTENDABLE, TOO_LONG, TaskStep, change_own_task
from broker.flows.outcome import Answered
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.terms import EXTENDED, ORDER_PURPOSE
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Organisation
from broker.protocol.task_messages import ExtendTask
from broker.task_ports import TaskReader


async def extend_task(
    *,
    command: ExtendTask,
    task_id: str,
    requester: Requester,
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
    """The order lasts until that day; outcome `done`. Once its last day has passed it is extended no more.

    Raises:
        RefusedError: no exclusion order, or not a day it can be extended to; and what `change_own_task` refuses.
        NotFoundError, NotDoneError and others: as `change_own_task`.
    """
    act = Act.stating("extend_task", "match", command, requester, target=task_id)

    def step(task: TeamTask, policy: PolicyInForce, organisation: Organisation) -> TaskStep:
        if task.kind is not TaskKind.ORDER:
            return TaskStep(refused=NOT_EXTENDABLE)
        regions = policy.own_regions(ORDER_PURPOSE, (organisation.oin, organisation.org_class), day=clock.today())
        longest = policy.stated_term(EXTENDED, purpose=ORDER_PURPOSE, regions=regions).last_day(task.started_on)
        if longest is None or not task.due_on < command.ends_on <= longest:
            return TaskStep(refused=TOO_LONG)
        moved = MoveTask(task_id=task.id, was=task.due_on, due_on=command.ends_on)
        return TaskStep(change=moved, after=replace(task, due_on=command.ends_on), text="task.extended")

    return await change_own_task(
        step, task_id=task_id, act=act, requester=requester, policies=policies, clock=clock, registers=registers,
        rosters=rosters, signals=signals, matches=matches, tasks=tasks, answers=answers, log=log,
    )  # fmt: skip
