"""Tell the casusregisseur that a new police report came in: a button of Veilig Thuis, and nothing by itself."""

from broker.domain.changes import Change
from broker.domain.matches import TeamOf
from broker.domain.notices import NoticeKind, Notify
from broker.domain.requests import Requester
from broker.domain.team_tasks import MoveTask, TaskKind
from broker.flows.act import Act
from broker.flows.changing_match import NO_CASUSREGISSEUR, Step, change_own_match
from broker.flows.errors import DecisionFailedError
from broker.flows.judging import ERROR
from broker.flows.leading import Plan
from broker.flows.meeting import SEED_BYTES, Ids
from broker.flows.outcome import Answered
from broker.flows.own_match import OwnMatch
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.seeing_match import knows
from broker.flows.standing import with_standing
from broker.flows.terms import REPORT_PURPOSE, term_of_match, terms_of_match, terms_of_proof
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, Randomness, RegisterReader, RosterReader, SignalStore
from broker.protocol.match_messages import TellNewReport
from broker.protocol.messages import StatutoryProof
from broker.protocol.register import Register
from broker.task_ports import TaskReader
from policies import AskFacts, Permit, Refusal

PURPOSE, GROUND = REPORT_PURPOSE, "WMO-4.1.1-2"
CATEGORY, LEVEL = "veiligheid", 1
"""That there is a new report, and nothing of what it says."""


async def tell_new_report(
    *,
    command: TellNewReport,
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
    """The casusregisseur's team has a notice, and until when it answers; the report is weighed anew; outcome `done`.

    Raises:
        RefusedError: may not be told by this organisation to that one, no other team leads the plan, and what
            `change_own_match` refuses.
        NotFoundError, NotDoneError and others: as `change_own_match`.
    """
    act = Act.stating(
        "tell_new_report", "match", command, requester, target=match_id, purpose=PURPOSE, grounds=(GROUND,)
    )  # fmt: skip

    def step(own: OwnMatch, plan: Plan, policy: PolicyInForce, register: Register) -> Step:
        # (a) Somebody else leads the plan, named in whatever match on the household, and knows of the one with us.
        leading = plan.leading
        if leading is None:
            return Step(refused=NO_CASUSREGISSEUR)
        other = leading.match.other_of(leading.side)
        if not knows(leading.match, other, policy=policy, register=register, day=clock.today()):
            return Step(refused=NO_CASUSREGISSEUR)
        # (b) This organisation may tell that one so, on the report it names.
        decision = _may_tell(command.proof, requester, other.of, policy=policy, register=register, clock=clock)
        if isinstance(decision, Refusal):
            return Step(decision=decision)
        # (c) Its team is told, and what runs because of the report: weighing it, answering, a later last evaluation.
        ids = Ids(seed=randomness.bytes(SEED_BYTES))
        notice = Notify(
            id=ids.of("notice"),
            organisation=other.of.organisation,
            team=other.of.team,
            kind=NoticeKind.NEW_REPORT,
            about=leading.match.id,
        )
        running = _running(own, leading, command.proof, policy=policy, register=register, clock=clock, ids=ids)
        return Step(changes=(notice, *running), text="match.new_report", decision=decision, also=leading)

    return await change_own_match(
        step, match_id=match_id, act=act, requester=requester, policies=policies, clock=clock, registers=registers,
        rosters=rosters, signals=signals, matches=matches, tasks=tasks, answers=answers, log=log,
    )  # fmt: skip


def _running(
    own: OwnMatch, leading: OwnMatch, proof: StatutoryProof, *, policy: PolicyInForce, register: Register,
    clock: Clock, ids: Ids,
) -> tuple[Change, ...]:  # fmt: skip
    """Return the terms that a new report starts, and those evaluations that it makes later.

    Evaluating stops a year after the last incident, so what runs until then runs a year from today: about the match by
    which it is told, and about the one with the team that leads.
    """
    today, match = clock.today(), leading.match
    weighed = terms_of_proof(
        proof, of=register.organisations[own.side.of.organisation], team=own.side.of.team, purpose=PURPOSE,
        policy=policy, ids=ids, today=today,
    )  # fmt: skip
    answered = terms_of_match(
        (TaskKind.REACTION,), match=match, to=leading.other, purpose=PURPOSE, policy=policy, register=register, ids=ids,
        today=today,
    )  # fmt: skip
    year = term_of_match(TaskKind.SECOND_MONITOR, match, match.newer.purpose, policy=policy, register=register)
    last = year.last_day(today)
    later = [
        MoveTask(task_id=task.id, was=task.due_on, due_on=last)
        for task in {one.id: one for one in (*own.tasks, *leading.tasks)}.values()
        if last is not None and task.kind is TaskKind.SECOND_MONITOR and task.due_on < last
    ]
    return (*weighed, *answered, *later)


def _may_tell(
    proof: StatutoryProof, requester: Requester, to: TeamOf, *, policy: PolicyInForce, register: Register, clock: Clock
) -> Permit | Refusal:
    """Return the decision on telling. Raises DecisionFailedError: there is none."""
    own, told = register.organisations[requester.organisation], register.organisations[to.organisation]
    facts = AskFacts(
        day=clock.today(),
        operation="share",
        organisation=own.oin,
        org_class=own.org_class,
        role=requester.role,
        purpose=PURPOSE,
        grounds=(GROUND,),
        standing="none",
        approval="none",
        families=frozenset(),
        simulated_bsn_right=own.simulated_bsn_right,
        recipient=told.org_class,
        recipient_organisation=told.oin,
        category=CATEGORY,
        level=LEVEL,
    )
    decision = policy.decision_point.may_ask(with_standing(facts, own=(), proof=proof))
    if isinstance(decision, Refusal) and decision.reason == ERROR:
        raise DecisionFailedError
    return decision
