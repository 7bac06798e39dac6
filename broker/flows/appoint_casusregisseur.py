"""Name the team that leads the one plan for the household of a match."""

from broker.domain.changes import Change
from broker.domain.matches import NameCasusregisseur, TeamOf
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.changing_match import CASUSREGISSEUR_CHANGED, NOT_INVOLVED, Step, change_own_match
from broker.flows.leading import Plan, led_notice
from broker.flows.meeting import SEED_BYTES, Ids
from broker.flows.outcome import Answered
from broker.flows.own_match import OwnMatch
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.seeing_match import knows
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, Randomness, RegisterReader, RosterReader, SignalStore
from broker.protocol.match_messages import AppointCasusregisseur, TeamRef
from broker.protocol.register import Register
from broker.task_ports import TaskReader


async def appoint_casusregisseur(
    *,
    command: AppointCasusregisseur,
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
    """This team of the match leads the plan; outcome `done`. The other team has a notice, and so has the one replaced.

    Raises:
        RefusedError: not one of the two teams of the match, another leads the plan than the command says it replaces,
            and what `change_own_match` refuses.
        NotFoundError, NotDoneError and others: as `change_own_match`.
    """
    act = Act.stating("appoint_casusregisseur", "match", command, requester, target=match_id)
    named = _team(command)

    def step(own: OwnMatch, plan: Plan, policy: PolicyInForce, register: Register) -> Step:
        # (a) A team of this match, in the place of the one that leads as far as this side may know.
        if named not in {side.of for side in own.match.sides}:
            return Step(refused=NOT_INVOLVED)
        was = plan.led_by
        if was != (None if command.was is None else _team(command.was)):
            return Step(refused=CASUSREGISSEUR_CHANGED)
        # (b) It leads in the place of every name that this side may know of. The other side is told, and who led until
        # now, as far as that team knows of the match; whoever says it needs no notice of it.
        beside = tuple((one.id, one.casusregisseur) for one in plan.known if one.id != own.match.id)
        change = NameCasusregisseur(
            match_id=own.match.id, was=own.match.casusregisseur, now=named, beside=beside, over=plan.names
        )  # fmt: skip
        ids = Ids(seed=randomness.bytes(SEED_BYTES))
        told = _told(own, named, plan, ids, policy=policy, register=register, clock=clock)
        replaced = plan.with_team(was)
        if was is not None and was not in {side.of for side in own.match.sides} and replaced is not None:
            told += _told_beside(own, replaced, plan, ids)
        return Step(changes=(change, *told), text="match.casusregisseur", also=replaced)

    return await change_own_match(
        step, match_id=match_id, act=act, requester=requester, policies=policies, clock=clock, registers=registers,
        rosters=rosters, signals=signals, matches=matches, tasks=tasks, answers=answers, log=log,
    )  # fmt: skip


def _team(stated: AppointCasusregisseur | TeamRef) -> TeamOf:
    return TeamOf(organisation=stated.organisation, team=stated.team)


def _told(
    own: OwnMatch, named: TeamOf, plan: Plan, ids: Ids, *, policy: PolicyInForce, register: Register, clock: Clock
) -> tuple[Change, ...]:
    """Return a notice for the other team of the match, if it sees it now: that it leads, or that another does.

    None, where that is who leads as that team knows already.
    """
    other = own.match.other_of(own.side)
    if plan.led_by_for(own) == named or not knows(
        own.match, other, policy=policy, register=register, day=clock.today()
    ):
        return ()
    return (led_notice(own.match, other.of, ids.of("leads", other.of.organisation), leads=other.of == named),)


def _told_beside(own: OwnMatch, replaced: OwnMatch, plan: Plan, ids: Ids) -> tuple[Change, ...]:
    """Return a notice for a team of another match that leads no more, where it may know who leads now."""
    if not plan.would_know(replaced, named=own.match):
        return ()
    return (led_notice(replaced.match, replaced.other, ids.of("leads", replaced.other.organisation), leads=False),)
