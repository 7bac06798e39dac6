"""What every act on an own match has in common: found, judged, of the own team and not closed; else openly refused."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from broker.domain.changes import Change
from broker.domain.matches import CONTACTED, MatchState
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.leading import Plan, plans_of
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.outcome import refused as refused_openly
from broker.flows.own_match import OwnMatch, decisions_of, few, own_match
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.match_messages import MatchChanged
from broker.protocol.messages import TextRef
from broker.protocol.problems import problem
from broker.protocol.register import Register
from broker.protocol.roster import Roster
from broker.task_ports import TaskReader
from policies import Permit, Refusal

OF_ANOTHER_TEAM = "match-of-another-team"
CLOSED = "match-closed"
NOT_INVOLVED = "casusregisseur-not-involved"
NO_CASUSREGISSEUR = "casusregisseur-missing"
CASUSREGISSEUR_CHANGED = "casusregisseur-changed"
NO_CONTACT = "match-no-contact"
MATCH_PROBLEMS = (OF_ANOTHER_TEAM, CLOSED, NO_CONTACT, NOT_INVOLVED, NO_CASUSREGISSEUR, CASUSREGISSEUR_CHANGED)
"""Ids of the problems with which an act on a match is refused; each refusal is an entry of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an act on a match comes to: changes and the state of the own side after it, or the problem it meets.

    `decision` is that of `may_ask` where the act is also a telling, `also` another own match that it concerns.
    """

    changes: tuple[Change, ...] = ()
    state: MatchState | None = None
    text: str = "match.changed"
    refused: str | None = None
    decision: Permit | Refusal | None = None
    also: OwnMatch | None = None


async def change_own_match(
    step: Callable[[OwnMatch, Plan, PolicyInForce, Register], Step], *, match_id: str, act: Act, requester: Requester,
    policies: Policies, clock: Clock, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    matches: MatchReader, tasks: TaskReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The own side of a match has taken this step, recorded; outcome `done`.

    Args:
        step: says what changes, from the match as it is seen now, who leads the plan, under this policy and register;
            called anew for each decision.

    Raises:
        NotFoundError: no such match, another organisation's, or one that may not be seen (any more).
        RefusedError: another team's match, a closed one, or what `step` refused. NotDoneError: it failed.
            Both with the receipt of their entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) An own match that may be seen now, of the own team, and not closed.
        own = await own_match(
            match_id, requester, matches=matches, policy=policy, register=register, clock=clock
        )  # fmt: skip
        plans = await plans_of((own,), requester, matches=matches, policy=policy, register=register, clock=clock)
        plan, own = await with_tasks(plans.of(own), own, tasks=tasks)
        relied = (*base, *own.stamps, *plans.stamps)
        refused = hindrance(own, requester, await rosters.roster(requester.organisation))
        taken = Step(refused=refused) if refused else step(own, plan, policy, register)
        if isinstance(taken.decision, Refusal):
            return refused_openly(act, taken.decision, register=register.number, relies_on=relied, tickets=())
        # (3) What is told, or why not; recorded either way.
        state = taken.state or own.side.state
        document = problem(taken.refused).document() if taken.refused else _document(own, state, taken.text)
        concerned = tuple({one.match.id: one for one in (taken.also, own) if one is not None}.values())
        handles = few(frozenset().union(*(one.handles() for one in concerned)))
        recording = Recording(
            outcome="refused" if taken.refused else "done", reason=taken.refused, bundle=policy.sha256,
            register=register.number, document=document, hits=decisions_of(concerned), handles=handles,
            decision=None if taken.decision is None else taken.decision.record(),
            more={"match": {"first_contact": _is_first_contact(own, state)}},
        )  # fmt: skip
        effects = Effects(relies_on=relied, changes=() if taken.refused else taken.changes)
        status = AnswerStatus.REFUSED if taken.refused else AnswerStatus.DONE
        return outcome_of(act, recording, effects, status=status)

    # (4) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def with_tasks(plan: Plan, own: OwnMatch, *, tasks: TaskReader) -> tuple[Plan, OwnMatch]:
    """Return both with what runs about the match, and about the own one with the team that leads: two readings."""
    leading = own if plan.leading is None else plan.leading
    running = {leading.match.id: await tasks.on_match(leading.match.id)}
    running |= {own.match.id: await tasks.on_match(own.match.id)}
    beside = tuple(replace(one, tasks=running.get(one.match.id, ())) for one in plan.beside)
    return replace(plan, beside=beside), replace(own, tasks=running[own.match.id])


def in_team(team: str, requester: Requester, roster: Roster | None) -> bool:
    """Return whether this worker acts for this team of his organisation.

    Who is in no team by the roster acts for all of them: then the organisation does not say who works where.
    """
    worker = None if roster is None else roster.workers.get(requester.worker)
    return worker is None or not worker.teams or team in worker.teams


def hindrance(own: OwnMatch, requester: Requester, roster: Roster | None) -> str | None:
    """Return why this worker may not act on a match that he sees, None where he may."""
    if not in_team(own.side.of.team, requester, roster):
        return OF_ANOTHER_TEAM
    return CLOSED if own.side.state is MatchState.DONE else None


def _document(own: OwnMatch, state: MatchState, text: str) -> dict[str, object]:
    result = MatchChanged.model_validate(
        {
            "schema": "match-changed/v1",
            "outcome": "done",
            "text": TextRef(id=text, params={}),
            "match_id": own.match.id,
            "state": state.value,
        }
    )
    return result.model_dump(mode="json", by_alias=True)


def _is_first_contact(own: OwnMatch, state: MatchState) -> bool:
    """Return whether this very act says that the own side had contact, which the report of the month counts."""
    return state in CONTACTED and own.side.state not in CONTACTED
