"""Is what an oproep asked still asked? Decided anew with the policy in force, at every look of who is asked (D7, D8).

An oproep waits for days. Meanwhile rules change, an order is lifted, a signal that the asker stood on ends, a holder
keeps his from the asker: then nobody is asked any more, and the asker reads nothing of that.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, cast

from broker.consent_ports import ConsentReader
from broker.domain.calls import AskedOn, Call, FoundAs, Ring
from broker.domain.households import Hit, MatchKind, TokenIndex
from broker.domain.information_requests import StatedProof
from broker.domain.signals import Signal
from broker.flows.consent_facts import Consented, claimed_consents
from broker.flows.household_question import Question, decided_to_ask
from broker.flows.judging import ConsentWord, judge_hits
from broker.flows.policy import PolicyInForce
from broker.flows.standing import with_standing
from broker.flows.terms import counted_proof, order_keys
from broker.ports import SignalStore, Stamp
from broker.protocol.messages import StatutoryProof
from broker.protocol.register import Organisation, Register
from broker.task_ports import ReferenceReader
from policies import AskFacts, Permit

OWN_SIGNAL, CONSENT = "own_signal", "consent"
_DAY = timedelta(days=1)


def asked_on(question: Question) -> AskedOn:
    """Return the asker's facts as they are kept with an oproep."""
    facts, proof, consented = question.facts(), question.prepared.proof, question.consented
    return AskedOn(
        role=facts.role,
        grounds=facts.grounds,
        families=facts.families,
        approval=facts.approval,
        standing=facts.standing,
        own=tuple(sorted(question.standing)) if facts.standing == OWN_SIGNAL else (),
        proof=None if proof is None else _stated(proof),
        consent=facts.consent,
        consent_by=facts.consent_by,
        age=facts.age,
        custody=facts.custody,
        persons=() if consented is None else tuple(sorted(one.reveal().hex() for one in consented.persons)),
    )


async def said_today(
    ring: Ring, on: AskedOn, subject: TokenIndex, *, policy: PolicyInForce, day: date, consents: ConsentReader
) -> Consented | None:
    """Return what asker and holder recorded by now of who was asked about and of whom it rings; None of before.

    A longer yes, or what was said of something else, takes nothing away; a no that counts does, and so does its end.
    """
    if not on.persons:
        return None
    asker = ring.call.organisation
    persons = tuple(TokenIndex(bytes.fromhex(one)) for one in on.persons)
    of = {*((asker, one) for one in (*persons, subject)), (ring.organisation, subject)}
    return await claimed_consents(
        on.grounds, asker=asker, persons=persons, purpose=ring.call.purpose, of=of, policy=policy, day=day,
        consents=consents,
    )  # fmt: skip


async def facts_today(
    call: Call, on: AskedOn, *, asker: Organisation, said: Consented | None, policy: PolicyInForce, day: date,
    signals: SignalStore, references: ReferenceReader,
) -> tuple[AskFacts, tuple[Stamp, ...]]:  # fmt: skip
    """Return the asker's facts as they are on this day, and the stamps of what was read for them.

    Its proof as that counts now, own signals that hold now, and what people say now: `said`, where who they are was
    kept. Of an oproep of before, what they said goes by its stamps, which who judges a ring compares.
    """
    proof = None if on.proof is None else _statutory(on.proof)
    # The stamp before the order: whoever lifts it in between makes stale what is decided by this reading.
    stamps = await signals.stamps(order_keys(proof, asker.oin))
    counted = await counted_proof(proof, of=asker, policy=policy, tasks=references, today=day)
    held = 0
    for signal_id in on.own:
        own = await signals.own(organisation=asker.oin, signal_id=signal_id)
        if own is not None:
            stamps += own.stamps
            hidden = own.signal.hidden_from(call.worker)
            held += own.signal.active_on(day) and policy.counts(own.signal, day=day) and not hidden
    word = "none" if on.standing == OWN_SIGNAL and not held else on.standing
    facts = _agreed(_facts(call, on, word, asker=asker, day=day), said)
    if counted is None:
        return facts, stamps
    return replace(facts, proof=counted.kind, proof_since=counted.since, proof_ends_on=counted.ends_on), stamps


def last_permitted(policy: PolicyInForce, facts: AskFacts, *, at_most: date) -> date:
    """Return the last day, from the one of these facts on, on which who has them may ask this by the rules of today.

    Raises:
        DecisionFailedError: a decision failed.
    """
    day = facts.day
    while day < at_most and isinstance(decided_to_ask(policy, replace(facts, day=day + _DAY)), Permit):
        day += _DAY
    return day


def still_rings(
    found: FoundAs, signal: Signal, facts: AskFacts, *, worker: str, policy: PolicyInForce, register: Register
) -> bool:
    """Return whether an oproep on these facts would ring this signal, which was found so: `may_ask`, then `may_see`.

    A shield keeps others out and not its holder, who decides himself whether he calls: it takes no ring away.

    Raises:
        DecisionFailedError: a decision failed.
    """
    purpose = policy.purposes.get(facts.purpose)
    if purpose is None or not policy.holds(facts.day) or not isinstance(decided_to_ask(policy, facts), Permit):
        return False
    unshielded = replace(signal, shielded=False)
    hits = [Hit(kind=MatchKind(kind), signal=unshielded) for kind in found.kinds if kind in purpose.match_kinds]
    said = {signal.id: cast("ConsentWord", found.consent)}
    judged = judge_hits(policy, facts, hits, register=register, worker=worker, consents=said)
    return any(one.permitted for one in judged)


def _agreed(facts: AskFacts, said: Consented | None) -> AskFacts:
    """Return the facts with what the persons asked about say now; who stood on a yes stands on one that still is."""
    if said is None:
        return facts
    stood = facts.standing == CONSENT
    agreed = with_standing(replace(facts, standing="none") if stood else facts, own=(), proof=None, consented=said)
    return agreed if stood else replace(agreed, standing=facts.standing)


def _facts(call: Call, on: AskedOn, standing: str, *, asker: Organisation, day: date) -> AskFacts:
    return AskFacts(
        day=day,
        operation="call",
        organisation=asker.oin,
        org_class=asker.org_class,
        role=on.role,
        purpose=call.purpose,
        grounds=on.grounds,
        standing=cast("Literal['none', 'own_signal', 'statutory_reference', 'consent']", standing),
        approval=cast("Literal['none', 'approved']", on.approval),
        families=on.families,
        simulated_bsn_right=asker.simulated_bsn_right,
        consent=cast("ConsentWord", on.consent),
        consent_by=on.consent_by,
        age=on.age,
        custody=cast("Literal['unknown', 'clear', 'contested']", on.custody),
    )


def _stated(proof: StatutoryProof) -> StatedProof:
    return StatedProof(kind=proof.kind, since=proof.since, ends_on=proof.ends_on, reference=proof.reference)


def _statutory(proof: StatedProof) -> StatutoryProof:
    return StatutoryProof(kind=proof.kind, since=proof.since, ends_on=proof.ends_on, reference=proof.reference)
