"""Say how far one's own side of a match is; one click says that the two work together already."""

from broker.domain.changes import Change
from broker.domain.matches import CONTACTED, ChangeMatch, MatchState
from broker.domain.requests import Requester
from broker.domain.team_tasks import MONITORS, FinishTask, TaskKind
from broker.flows.act import Act
from broker.flows.changing_match import NO_CONTACT, Step, change_own_match
from broker.flows.leading import Plan
from broker.flows.meeting import SEED_BYTES, Ids
from broker.flows.outcome import Answered
from broker.flows.own_match import OwnMatch
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.terms import terms_of_match
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, Randomness, RegisterReader, RosterReader, SignalStore
from broker.protocol.match_messages import ChangeMatchState
from broker.protocol.register import Register
from broker.task_ports import TaskReader

_TEXTS = {MatchState.TOGETHER: "match.together", MatchState.AGREED: "match.agreed"}


async def follow_up_match(
    *,
    command: ChangeMatchState,
    match_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    randomness: Randomness,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    matches: MatchReader,
    tasks: TaskReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The own side of the match is so far; outcome `done`. What the other side says of itself does not change.

    A side is done only after it said itself that there was contact: how far the other is, it is not told. Once there
    are agreements, its team has a task to evaluate them; whoever says how far he is has answered to a new report.

    Raises:
        RefusedError: done before any contact, and what `change_own_match` refuses.
        NotFoundError, NotDoneError and others: as `change_own_match`.
    """
    act = Act.stating("follow_up_match", "match", command, requester, target=match_id)
    state = MatchState(command.state)

    def step(own: OwnMatch, _: Plan, policy: PolicyInForce, register: Register) -> Step:
        if state is MatchState.DONE and own.side.state not in CONTACTED:
            return Step(refused=NO_CONTACT)
        change = ChangeMatch(
            match_id=own.match.id,
            organisation=own.side.of.organisation,
            was=own.side.state,
            state=state,
            on=clock.today(),
        )
        ids = Ids(seed=randomness.bytes(SEED_BYTES))
        evaluated = _evaluated(own, state, policy=policy, register=register, clock=clock, ids=ids)
        changes = (change, *_answered(own, clock), *evaluated)
        return Step(changes=changes, state=state, text=_TEXTS.get(state, "match.changed"))

    return await change_own_match(
        step, match_id=match_id, act=act, requester=requester, policies=policies, clock=clock, registers=registers,
        rosters=rosters, signals=signals, matches=matches, tasks=tasks, answers=answers, log=log,
    )  # fmt: skip


def _evaluated(
    own: OwnMatch, state: MatchState, *, policy: PolicyInForce, register: Register, clock: Clock, ids: Ids
) -> tuple[Change, ...]:
    """Return the tasks to evaluate what was agreed; saying again that there are agreements makes nothing later."""
    if state is not MatchState.AGREED or own.side.state is MatchState.AGREED:
        return ()
    return terms_of_match(
        MONITORS, match=own.match, to=own.side.of, purpose=own.match.newer.purpose, policy=policy, register=register,
        ids=ids, today=clock.today(),
    )  # fmt: skip


def _answered(own: OwnMatch, clock: Clock) -> tuple[Change, ...]:
    """Return that the own side answered to a new report, where it was asked to."""
    return tuple(
        FinishTask(task_id=task.id, on=clock.today())
        for task in own.tasks
        if task.kind is TaskKind.REACTION and task.organisation == own.side.of.organisation
    )
