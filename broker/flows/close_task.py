"""Say that a task of the own team is done; of an exclusion order, that it was lifted: nothing rests on it any more."""

from dataclasses import replace

from broker.domain.requests import Requester
from broker.domain.team_tasks import FinishTask, TeamTask
from broker.flows.act import Act
from broker.flows.changing_task import TaskStep, change_own_task
from broker.flows.outcome import Answered
from broker.flows.policy import Policies, PolicyInForce
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Organisation
from broker.protocol.task_messages import CloseTask
from broker.task_ports import TaskReader


async def close_task(
    *,
    command: CloseTask,
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
    """The task is done; outcome `done`.

    Raises:
        NotFoundError, RefusedError, NotDoneError and others: as `change_own_task`.
    """
    act = Act.stating("close_task", "match", command, requester, target=task_id)

    def step(task: TeamTask, _: PolicyInForce, __: Organisation) -> TaskStep:
        today = clock.today()
        return TaskStep(
            change=FinishTask(task_id=task.id, on=today), after=replace(task, done_on=today), text="task.done"
        )  # fmt: skip

    return await change_own_task(
        step, task_id=task_id, act=act, requester=requester, policies=policies, clock=clock, registers=registers,
        rosters=rosters, signals=signals, matches=matches, tasks=tasks, answers=answers, log=log,
    )  # fmt: skip
