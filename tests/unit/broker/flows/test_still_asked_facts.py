"""An oproep is decided on anew on the very facts it was sent on, with its proof and own signals as they are today."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.call_ports import order_key
from broker.domain.calls import AskedOn, Call, FoundAs
from broker.domain.information_requests import StatedProof
from broker.domain.signals import Exclusion, Signal, SignalState
from broker.domain.team_tasks import TaskKind, TeamTask
from broker.flows.errors import DecisionFailedError
from broker.flows.household_question import Question
from broker.flows.policy import PolicyInForce
from broker.flows.still_asked import asked_on, facts_today, last_permitted, still_rings
from broker.ports import Stamp
from broker.protocol.messages import StatutoryProof
from policies import AskFacts, HitFacts, Permit, Refusal
from tests.property.broker.test_consents import DAY
from tests.simulators.enrolled import GI, VEILIG_THUIS
from tests.simulators.kept_signals import KeptSignals, shield_stamp
from tests.simulators.proposals import a_signal
from tests.unit.broker.flows.deciders import Watched, erring, permissive, permit
from tests.unit.broker.flows.test_seeing_facts import REGISTER

MELDING = StatedProof(kind="melding", since=DAY - timedelta(days=3), ends_on=None, reference="f" * 64)
ORDER = StatedProof(
    kind="huisverbod", since=DAY - timedelta(days=2), ends_on=DAY + timedelta(days=20), reference="e" * 64
)
ON = AskedOn(
    role="approver", grounds=("WMO-5.1.6",), families=frozenset({"nlbsn", "fam"}), approval="approved",
    standing="statutory_reference", own=(), proof=MELDING, consent="refused", consent_by=frozenset({"guardian"}),
    age="12to15", custody="contested",
)  # fmt: skip
CALL = Call(
    id="c" * 32, organisation=VEILIG_THUIS, controller=VEILIG_THUIS, team="team-1", worker="w", purpose="vt-melding",
    case_ref=None, sent_at=0, asked_until=DAY + timedelta(days=5), asked_on=ON,
)  # fmt: skip
ASKER = replace(REGISTER.organisations[VEILIG_THUIS], simulated_bsn_right=True)
EXPECTED = AskFacts(
    day=DAY, operation="call", organisation=VEILIG_THUIS, org_class="veilig_thuis", role="approver",
    purpose="vt-melding", grounds=("WMO-5.1.6",), standing="statutory_reference", approval="approved",
    families=frozenset({"nlbsn", "fam"}), simulated_bsn_right=True, consent="refused",
    consent_by=frozenset({"guardian"}), age="12to15", custody="contested",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A `ReferenceReader`: what an organisation recorded about a report or order."""

    tasks: tuple[TeamTask, ...] = ()

    async def of_reference(self, *, organisation: str, reference: str) -> tuple[TeamTask, ...]:
        """Return the tasks of this organisation about this reference."""
        return tuple(one for one in self.tasks if (one.organisation, one.about) == (organisation, reference))


async def today(
    policy: PolicyInForce,
    on: AskedOn,
    *signals: Signal,
    recorded: tuple[TeamTask, ...] = (),
    kept: KeptSignals | None = None,
) -> tuple[AskFacts, tuple[Stamp, ...]]:
    """Return the facts of today of who asked on these, with these own signals and recorded orders."""
    store = kept or KeptSignals(signals=signals)
    return await facts_today(
        CALL, on, asker=ASKER, said=None, policy=policy, day=DAY, signals=store, references=Recorded(tasks=recorded)
    )


def question(facts: AskFacts, *, own: frozenset[str], proof: StatedProof | None) -> Question:
    """Return a question that has these facts, stands on these signals and states this proof."""
    stated = proof and StatutoryProof.model_construct(
        kind=proof.kind, since=proof.since, ends_on=proof.ends_on, reference=proof.reference
    )
    asked = SimpleNamespace(facts=lambda: facts, prepared=SimpleNamespace(proof=stated), standing=own, consented=None)
    return cast("Question", asked)


def test_what_an_oproep_was_sent_on_is_kept_whole() -> None:
    """Everything that decides but the day and who asks; own signals only where it stood on those, in one order."""
    assert asked_on(question(EXPECTED, own=frozenset({"b", "a"}), proof=MELDING)) == ON
    on_order = asked_on(question(EXPECTED, own=frozenset(), proof=ORDER))
    assert on_order == replace(ON, proof=ORDER)
    on_signals = asked_on(question(replace(EXPECTED, standing="own_signal"), own=frozenset({"b", "a"}), proof=None))
    assert on_signals == replace(ON, standing="own_signal", own=("a", "b"), proof=None)


async def test_the_facts_of_today_are_those_it_was_sent_on(policy: PolicyInForce) -> None:
    """Its proof with its own days; nothing was read for a melding, so nothing is relied on."""
    facts, stamps = await today(policy, ON)
    assert facts == replace(EXPECTED, proof="melding", proof_since=MELDING.since)
    assert stamps == ()
    assert await today(policy, replace(ON, proof=None)) == (EXPECTED, ())


async def test_an_order_counts_as_its_organisation_recorded_it(policy: PolicyInForce) -> None:
    """Its stamp is read before it, so that one lifted in between makes stale what is decided by this reading."""
    task = TeamTask(
        id="t", organisation=VEILIG_THUIS, team="team-1", kind=TaskKind.ORDER, about=ORDER.reference,
        started_on=DAY - timedelta(days=1), due_on=DAY + timedelta(days=9), statutory_on=None, regional_on=None,
    )  # fmt: skip
    store = KeptSignals()
    facts, stamps = await today(policy, replace(ON, proof=ORDER), recorded=(task,), kept=store)
    assert (facts.proof, facts.proof_since, facts.proof_ends_on) == ("huisverbod", task.started_on, task.due_on)
    assert [stamp.of for stamp in stamps] == store.asked == [order_key(VEILIG_THUIS, ORDER.reference)]
    unrecorded, _ = await today(policy, replace(ON, proof=replace(ORDER, ends_on=DAY + timedelta(days=200))))
    assert unrecorded.proof_ends_on == ORDER.since + timedelta(days=10)
    lifted = replace(task, done_on=DAY)
    facts, _ = await today(policy, replace(ON, proof=ORDER), recorded=(lifted,))
    assert facts.proof_ends_on == DAY - timedelta(days=1)


OWN = replace(a_signal("own", organisation=VEILIG_THUIS), registered_on=DAY)
ALSO = replace(a_signal("also", organisation=VEILIG_THUIS), registered_on=DAY)
STOOD = replace(ON, standing="own_signal", own=(OWN.id, ALSO.id), proof=None)
OVER: dict[str, dict[str, Any]] = {
    "withdrawn": {"state": SignalState.WITHDRAWN},
    "ended": {"ends_on": DAY - timedelta(days=1)},
    "for no purpose any more": {"purpose": "no-such-purpose"},
    "kept from its worker": {"exclusions": frozenset({Exclusion(organisation=VEILIG_THUIS, worker="w")})},
    "another's": {"organisation": GI},
}


async def test_one_own_signal_that_holds_is_enough(policy: PolicyInForce) -> None:
    """Every one that is there is relied on, whether it holds or not; one that is gone leaves nothing to rely on."""
    stands = replace(EXPECTED, standing="own_signal")
    assert await today(policy, STOOD, OWN, ALSO) == (stands, (shield_stamp(OWN), shield_stamp(ALSO)))
    both_orders = replace(STOOD, own=(ALSO.id, OWN.id))
    ended = replace(OWN, state=SignalState.WITHDRAWN)
    assert (await today(policy, both_orders, ended, ALSO))[0] == stands
    assert await today(policy, STOOD, ALSO) == (stands, (shield_stamp(ALSO),))
    assert await today(policy, STOOD, ended, ALSO) == (stands, (shield_stamp(OWN), shield_stamp(ALSO)))
    assert await today(policy, STOOD, replace(OWN, ends_on=DAY)) == (stands, (shield_stamp(OWN),))
    assert await today(policy, STOOD) == (replace(EXPECTED, standing="none"), ())


@pytest.mark.parametrize("how", OVER)
async def test_who_stood_on_what_is_over_stands_on_nothing(policy: PolicyInForce, how: str) -> None:
    """Withdrawn, ended, of a purpose that is no more, kept from who asked, or not his: then nobody is asked for it."""
    facts, _ = await today(policy, STOOD, replace(OWN, **OVER[how]))
    assert facts.standing == "none"
    other = replace(OWN, exclusions=frozenset({Exclusion(organisation=VEILIG_THUIS, worker="another")}))
    assert (await today(policy, STOOD, other))[0].standing == "own_signal"


def until(policy: PolicyInForce, last: date) -> tuple[PolicyInForce, list[date]]:
    """Return a policy that permits up to this day, and the days that it was asked about."""
    asked: list[date] = []

    def judge(put: str, facts: AskFacts) -> Permit | Refusal:
        asked.append(facts.day)
        if facts.day <= last:
            return permit(put, facts)
        return replace(cast("Refusal", policy.decision_point.may_ask(replace(facts, role="?"))), reason="no-standing")

    return replace(policy, decision_point=Watched(inner=policy.decision_point, before=judge)), asked


def test_an_oproep_lasts_while_every_day_permits_it(policy: PolicyInForce) -> None:
    """Up to the first day that does not, and never past its own end; the day itself is not asked about again."""
    three = DAY + timedelta(days=3)
    point, asked = until(policy, three)
    assert last_permitted(point, EXPECTED, at_most=DAY + timedelta(days=9)) == three
    assert asked == [DAY + timedelta(days=n) for n in (1, 2, 3, 4)]
    point, asked = until(policy, three)
    assert last_permitted(point, EXPECTED, at_most=DAY + timedelta(days=2)) == DAY + timedelta(days=2)
    assert len(asked) == 2
    assert last_permitted(point, EXPECTED, at_most=DAY) == DAY
    assert last_permitted(point, EXPECTED, at_most=DAY - timedelta(days=1)) == DAY
    with pytest.raises(DecisionFailedError):
        last_permitted(erring(policy, "may_ask"), EXPECTED, at_most=three)


THEIRS = replace(a_signal("theirs", organisation=GI), purpose="vt-melding", ground="WMO-5.1.6")
FOUND = FoundAs(kinds=("person", "family"), consent="refused")


def rings(
    policy: PolicyInForce, *, signal: Signal = THEIRS, found: FoundAs = FOUND, facts: AskFacts = EXPECTED
) -> bool:
    """Return whether an oproep on these facts would ring this signal."""
    return still_rings(found, signal, facts, worker="w", policy=policy, register=REGISTER)


def test_a_shield_takes_no_ring_away(policy: PolicyInForce) -> None:
    """Its holder is asked as if it were open: found in the same kinds, with what its person said of him then."""
    point = Watched(inner=policy.decision_point, before=permit)
    watching = replace(policy, decision_point=point)
    assert rings(watching, signal=replace(THEIRS, shielded=True))
    expected = HitFacts(
        holder=GI, holder_class="gi", kind="person", purpose="vt-melding", ground="WMO-5.1.6", shielded=False,
        excluded=False, consent="refused",
    )  # fmt: skip
    assert [one for one in point.seen if one.holder == GI] == [expected, replace(expected, kind="family")]


def test_a_ring_knows_from_which_worker_it_is_kept(policy: PolicyInForce) -> None:
    """What the holder keeps from the very worker who asks is judged as kept from him, and from nobody else."""
    for worker, excluded in (("w", True), ("another", False)):
        point = Watched(inner=policy.decision_point, before=permit)
        kept = replace(THEIRS, exclusions=frozenset({Exclusion(organisation=VEILIG_THUIS, worker=worker)}))
        rings(replace(policy, decision_point=point), signal=kept)
        assert {one.excluded for one in point.seen if one.holder == GI} == {excluded}


def test_nobody_is_rung_who_would_not_be_today(policy: PolicyInForce) -> None:
    """No such purpose, none of its kinds, nothing permitted to ask or to see, or rules that hold no more: no ring."""
    point = permissive(policy)
    assert rings(point)
    assert rings(point, found=replace(FOUND, kinds=("address", "person")))
    assert not rings(point, found=replace(FOUND, kinds=("address",)))
    assert not rings(point, found=replace(FOUND, kinds=()))
    assert not rings(point, facts=replace(EXPECTED, purpose="no-such-purpose"))
    assert not rings(point, facts=replace(EXPECTED, day=date(1990, 1, 1)))
    may_not_ask, _ = until(policy, DAY - timedelta(days=1))
    assert not rings(may_not_ask)
    for question_that_fails in ("may_ask", "may_see"):
        with pytest.raises(DecisionFailedError):
            rings(erring(point, question_that_fails))


def test_one_kind_that_is_permitted_rings(policy: PolicyInForce) -> None:
    """A holder found in two kinds is asked where either of them permits it; of a ring without one nothing is left."""
    seen: list[str] = []

    def only_family(put: str, facts: AskFacts) -> Permit | Refusal | None:
        return permit(put, facts) if put == "may_ask" else None

    class Judging(Watched):
        def may_see(self, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
            seen.append(hit.kind)
            return permit("may_see", facts) if hit.kind == "family" else self.inner.may_see(facts, hit)

    point = Judging(inner=policy.decision_point, before=only_family)
    refused = replace(EXPECTED, standing="none")
    assert rings(replace(policy, decision_point=point), facts=refused)
    assert not rings(replace(policy, decision_point=point), facts=refused, found=replace(FOUND, kinds=("person",)))
    assert "family" in seen
