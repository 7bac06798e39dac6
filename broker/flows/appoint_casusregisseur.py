"""Name the team that leads the one plan for the household of a match."""

from broker.domain.matches import NameCasusregisseur, TeamOf
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.changing_match import NOT_INVOLVED, Step, change_own_match
from broker.flows.outcome import Answered
from broker.flows.own_match import OwnMatch
from broker.flows.policy import Policies, PolicyInForce
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.match_messages import AppointCasusregisseur
from broker.protocol.register import Register
from broker.task_ports import TaskReader


async def appoint_casusregisseur(
    *,
    command: AppointCasusregisseur,
    match_id: str,
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
    """This team of the match leads the plan; outcome `done`. Whoever looks at the match sees it from then on.

    Raises:
        RefusedError: not one of the two teams of the match, and what `change_own_match` refuses.
        NotFoundError, NotDoneError and others: as `change_own_match`.
    """
    act = Act.stating("appoint_casusregisseur", "match", command, requester, target=match_id)
    named = TeamOf(organisation=command.organisation, team=command.team)

    def step(own: OwnMatch, _: PolicyInForce, __: Register) -> Step:
        if named not in {side.of for side in own.match.sides}:
            return Step(refused=NOT_INVOLVED)
        change = NameCasusregisseur(match_id=own.match.id, was=own.match.casusregisseur, now=named)
        return Step(changes=(change,), text="match.casusregisseur")

    return await change_own_match(
        step, match_id=match_id, act=act, requester=requester, policies=policies, clock=clock, registers=registers,
        rosters=rosters, signals=signals, matches=matches, tasks=tasks, answers=answers, log=log,
    )  # fmt: skip
