"""Start what runs since a report or an exclusion order, for who weighs it before he looks or asks."""

from dataclasses import replace

from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.errors import DecisionFailedError
from broker.flows.household_question import asked_stamps
from broker.flows.judging import ERROR
from broker.flows.meeting import SEED_BYTES, Ids
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of, refused
from broker.flows.own_task import tasks_document
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_purpose, check_team, check_worker
from broker.flows.standing import with_standing
from broker.flows.terms import counted_proof, order_keys, terms_of_proof
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, Randomness, RegisterReader, RosterReader, SignalStore
from broker.protocol.messages import StatutoryProof
from broker.protocol.register import Organisation
from broker.protocol.task_messages import StartTerms
from broker.task_ports import TaskReader
from policies import AskFacts, Permit, Purpose, Refusal


async def start_terms(
    *,
    command: StartTerms,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    randomness: Randomness,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    tasks: TaskReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """What the documents state for this proof runs for this team, and is told; outcome `done`, also where it ran.

    Raises:
        RefusedError: this organisation may not act on such a proof. NotDoneError: a decision failed.
            Both with the receipt of their entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = replace(
        Act.stating("start_terms", "match", command, requester, purpose=command.purpose,
                    grounds=tuple(command.grounds), team=command.team),
        proof_reference=command.proof.reference,
    )  # fmt: skip

    async def decide() -> Outcome:
        # (1) Who, for which team and purpose.
        check_worker(requester)
        keys = (*asked_stamps(requester.organisation), *order_keys(command.proof, requester.organisation))
        base = await signals.stamps(keys)
        policy, register, today = policies.at(base), await registers.register(), clock.today()
        organisation = check_organisation(register, act)
        check_team(await rosters.roster(requester.organisation), act)
        purpose = check_purpose(policy.purposes, act)
        policy.check_holds(today)
        # (2) Only who may act on such a proof has its terms: as a look that rests on it is decided.
        proof = await counted_proof(command.proof, of=organisation, policy=policy, tasks=tasks, today=today)
        asked = _may_ask(act, organisation, purpose, proof, policy=policy, clock=clock)
        if isinstance(asked, Refusal):
            return refused(act, asked, register=register.number, relies_on=base, tickets=())
        # (3) Each of its terms runs once; what runs already is told as it is.
        known = await tasks.of_reference(organisation=organisation.oin, reference=command.proof.reference)
        started = terms_of_proof(
            proof, of=organisation, team=command.team, purpose=purpose.id, policy=policy,
            ids=Ids(seed=randomness.bytes(SEED_BYTES)), today=today,
        )  # fmt: skip
        new = [one.task for one in started if one.task.kind not in {task.kind for task in known}]
        text = "task.started" if new else "task.running" if known else "task.none_started"
        recording = Recording(
            outcome="done", bundle=asked.bundle, register=register.number, decision=asked.record(),
            document=tasks_document(text, new or known, day=today),
        )  # fmt: skip
        changes = tuple(replace(one, must_be_new=True) for one in started if one.task in new)
        return outcome_of(act, recording, Effects(relies_on=base, changes=changes), status=AnswerStatus.DONE)

    # (4) Recorded with the tasks in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _may_ask(
    act: Act, organisation: Organisation, purpose: Purpose, proof: StatutoryProof | None, *, policy: PolicyInForce,
    clock: Clock,
) -> Permit | Refusal:  # fmt: skip
    """Return the decision on acting on this proof. Raises DecisionFailedError: there is none."""
    facts = AskFacts(
        day=clock.today(),
        operation="check",
        organisation=organisation.oin,
        org_class=organisation.org_class,
        role=act.requester.role,
        purpose=purpose.id,
        grounds=act.grounds,
        standing="none",
        approval="none",
        families=frozenset(purpose.families) & frozenset(organisation.families),
        simulated_bsn_right=organisation.simulated_bsn_right,
    )
    decision = policy.decision_point.may_ask(with_standing(facts, own=(), proof=proof))
    if isinstance(decision, Refusal) and decision.reason == ERROR:
        raise DecisionFailedError
    return decision
