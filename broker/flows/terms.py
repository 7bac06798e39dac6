"""Which terms run from an act on, and until when: the earlier of what the law's document and the region's say (D5)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from broker.call_ports import order_key
from broker.domain.matches import KeptMatch, TeamOf
from broker.domain.team_tasks import StartTask, TaskKind, TeamTask
from broker.flows.coordinating import region_of
from broker.flows.household_question import Prepared, Question
from broker.flows.meeting import Ids
from broker.flows.policy import PolicyInForce
from broker.ports import StampKey
from broker.protocol.messages import StatutoryProof
from broker.protocol.register import Organisation, Register
from broker.task_ports import ReferenceReader, TaskReader
from policies import StatedTerm

_OF_PROOF: Mapping[str, tuple[TaskKind, ...]] = {
    "melding": (TaskKind.WEIGHING, TaskKind.INVESTIGATION),
    "huisverbod": (TaskKind.ORDER,),
}
"""What starts with a report or an order. One that is still to be written down (`melding_volgt`) starts nothing yet."""
EXTENDED = "huisverbod_verlengd"
REPORT_PURPOSE = "vt-melding"
"""The purpose under whose name the documents state what follows a report."""
ORDER_PURPOSE = "huisverbod"
_DAY = timedelta(days=1)


def terms_of_proof(
    proof: StatutoryProof | None, *, of: Organisation, team: str, purpose: str, policy: PolicyInForce, ids: Ids,
    today: date,
) -> tuple[StartTask, ...]:  # fmt: skip
    """Return the terms that run for this team from the first day of the proof on; none where no document has one."""
    if proof is None:
        return ()
    regions = policy.own_regions(purpose, (of.oin, of.org_class), day=today)
    kinds = _OF_PROOF.get(proof.kind, ())
    terms = {kind: policy.stated_term(kind.value, purpose=purpose, regions=regions) for kind in kinds}
    started = started_tasks(terms, to=TeamOf(organisation=of.oin, team=team), about=proof.reference,
                            start=proof.since, ids=ids, at_most=proof.ends_on)  # fmt: skip
    return tuple(started)


def terms_of_match(
    kinds: Iterable[TaskKind], *, match: KeptMatch, to: TeamOf, purpose: str, policy: PolicyInForce,
    register: Register, ids: Ids, today: date,
) -> tuple[StartTask, ...]:  # fmt: skip
    """Return the terms that run for a team of this match from today on; none where no document has one."""
    terms = {kind: term_of_match(kind, match, purpose, policy=policy, register=register) for kind in kinds}
    return tuple(started_tasks(terms, to=to, about=match.id, start=today, ids=ids))


def term_of_match(
    kind: TaskKind, match: KeptMatch, purpose: str, *, policy: PolicyInForce, register: Register
) -> StatedTerm:  # fmt: skip
    """Return a term as the law and the region of both teams of a match state it."""
    region = region_of(
        match.newer, match.older_side.of, match.links, policy=policy, register=register, day=match.made_on
    )
    return policy.stated_term(kind.value, purpose=purpose, regions=() if region is None else (region,))


def started_tasks(
    terms: Mapping[TaskKind, StatedTerm], *, to: TeamOf, about: str, start: date, ids: Ids, at_most: date | None = None
) -> Iterable[StartTask]:
    """Give a task for every term that somebody states."""
    for kind, term in terms.items():
        statutory_on, regional_on = term.last_days(start)
        due_on = term.last_day(start)
        if due_on is not None:
            task = TeamTask(
                id=ids.of("task", kind.value, to.organisation, about),
                organisation=to.organisation,
                team=to.team,
                kind=kind,
                about=about,
                started_on=start,
                due_on=due_on if at_most is None else min(due_on, at_most),
                statutory_on=statutory_on,
                regional_on=regional_on,
            )
            yield StartTask(task=task)


async def counted_proof(
    proof: StatutoryProof | None, *, of: Organisation, policy: PolicyInForce, tasks: ReferenceReader, today: date
) -> StatutoryProof | None:
    """Return the proof with the days on which it counts here; None for none.

    An exclusion order counts for as long as its own organisation recorded, whatever is stated now: from the first day
    that was stated, and no longer than its first term until its extension is recorded (Wet tijdelijk huisverbod 2, 9).
    """
    if proof is None or proof.kind != TaskKind.ORDER.value or proof.ends_on is None or proof.since > today:
        return proof
    known = await recorded_order(of.oin, proof.reference, tasks=tasks)
    if known is not None:
        lifted = known.due_on if known.done_on is None else known.done_on - _DAY
        return proof.model_copy(update={"since": known.started_on, "ends_on": min(known.due_on, lifted)})
    regions = policy.own_regions(ORDER_PURPOSE, (of.oin, of.org_class), day=today)
    last = policy.stated_term(TaskKind.ORDER.value, purpose=ORDER_PURPOSE, regions=regions).last_day(proof.since)
    return proof if last is None else proof.model_copy(update={"ends_on": min(proof.ends_on, last)})


def order_keys(proof: StatutoryProof | None, organisation: str) -> tuple[StampKey, ...]:
    """Return the stamps by which it is noticed that an order on which something rests is lifted; none of another proof.

    They are read before the order is, and moved by lifting it alone: that it lasts longer takes nothing back.
    """
    if proof is None or proof.kind != TaskKind.ORDER.value:
        return ()
    return (order_key(organisation, proof.reference),)


async def recorded_order(organisation: str, reference: str, *, tasks: ReferenceReader) -> TeamTask | None:
    """Return the exclusion order that this organisation recorded under this reference."""
    found = await tasks.of_reference(organisation=organisation, reference=reference)
    return next((task for task in found if task.kind is TaskKind.ORDER), None)


async def as_counted(prepared: Prepared, *, policy: PolicyInForce, tasks: TaskReader, today: date) -> Prepared:
    """Return a request with its proof as that counts here. See `counted_proof`."""
    proof = await counted_proof(prepared.proof, of=prepared.organisation, policy=policy, tasks=tasks, today=today)
    return replace(prepared, proof=proof)


def terms_of_question(question: Question, policy: PolicyInForce, ids: Ids) -> tuple[StartTask, ...]:
    """Return the terms that run since the report or order that a question rests on; they are the asker's own alone."""
    prepared = question.prepared
    return terms_of_proof(
        prepared.proof, of=prepared.organisation, team=prepared.act.team or "", purpose=prepared.purpose.id,
        policy=policy, ids=ids, today=question.today,
    )  # fmt: skip


def last_day_of(proof: StatutoryProof | None) -> date | None:
    """Return the last day of a proof that has one."""
    return None if proof is None else proof.ends_on


def earlier(one: date | None, other: date | None) -> date | None:
    """Return the earlier of two last days, of which either may be none."""
    return min((day for day in (one, other) if day is not None), default=None)
