"""A ring is decided on anew at every look, as the oproep was: by the rules and the facts of that moment (ADR 48)."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.call_ports import order_key
from broker.domain.errors import AnswerWithheldError, NotDoneError, NotFoundError
from broker.flows.policy import PolicyInForce
from policies import AskFacts, Permit, Refusal
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, a_world, documents, held_in
from tests.simulators.calling import (
    MELDING,
    call,
    calls_in,
    decide,
    list_own_calls,
    list_own_rings,
    rings_in,
    send_decision,
)
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled, worker_id
from tests.simulators.following_up import notices_of, who
from tests.simulators.team_tasks import ORDER, closed, tasks_of
from tests.unit.broker.flows.deciders import Watched, erring, permissive, permit, raising
from tests.unit.broker.flows.noted_log import recorded
from tests.unit.broker.flows.test_calling import ASKED, involved, veilig_thuis

DAY = 86_400


@pytest.fixture
async def world(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on SQLite: what is judged does not depend on the database."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield running


def school(world: World) -> Asker:
    """Return the holder's worker."""
    return world.asker(SCHOOL, seed="school")


async def rung(world: World) -> list[dict[str, Any]]:
    """Return what asks the school's teams now."""
    return rings_in(await list_own_rings(world, school(world)))


async def is_no_ring(world: World, ring_id: str) -> None:
    """Hold only where this ring is none: not listed, not decided on, and no notice of it is told."""
    assert await rung(world) == []
    for choice in ("accept", "decline"):
        with pytest.raises(NotFoundError):
            await decide(world, world.asker(SCHOOL, seed=choice), ring_id, choice)
    assert [kind for kind, _ in await notices_of(world, SCHOOL) if kind != "match"] == []


async def asked(world: World) -> str:
    """Veilig Thuis sends an oproep on a melding that rings the school; return the ring's id."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    (ring,) = await rung(world)
    return str(ring["ringId"])


def refusing(policy: PolicyInForce, question: str) -> PolicyInForce:
    """Return a policy whose newer rules refuse this question."""

    def refuse(put: str, facts: AskFacts) -> Refusal | None:
        if put != question:
            return None
        return replace(_refusal(policy, facts), question="may_see" if put == "may_see" else "may_ask")

    return replace(policy, decision_point=Watched(inner=policy.decision_point, before=refuse))


def _refusal(policy: PolicyInForce, facts: AskFacts) -> Refusal:
    refused = policy.decision_point.may_ask(replace(facts, org_class="woningcorporatie", proof="none"))
    assert isinstance(refused, Refusal)
    return refused


def without_purpose(policy: PolicyInForce) -> PolicyInForce:
    """Return a policy that knows the purpose no more."""
    purposes = {name: one for name, one in policy.purposes.items() if name != "vt-melding"}
    return replace(policy, bundle=replace(policy.bundle, purposes=purposes))


def without_the_kind(policy: PolicyInForce) -> PolicyInForce:
    """Return a policy in which this purpose finds nobody by the person herself."""
    narrow = replace(policy.purposes["vt-melding"], match_kinds=frozenset({"address"}))
    return replace(policy, bundle=replace(policy.bundle, purposes={**policy.purposes, "vt-melding": narrow}))


NEWER: dict[str, Callable[[PolicyInForce], PolicyInForce]] = {
    "may_ask": lambda policy: refusing(policy, "may_ask"),
    "may_see": lambda policy: refusing(policy, "may_see"),
    "purpose": without_purpose,
    "kind": without_the_kind,
}


@pytest.mark.parametrize("newer", NEWER)
async def test_rules_that_changed_while_it_waits_count(world: World, newer: str) -> None:
    """What would not ring under the newer rules asks nobody; under the old ones it does again, and nothing was lost."""
    ring, before = await asked(world), world.policy
    world.policy = NEWER[newer](before)
    await is_no_ring(world, ring)
    world.policy = before
    assert [one["ringId"] for one in await rung(world)] == [ring]


@pytest.mark.parametrize("happens", [erring, raising])
@pytest.mark.parametrize("question", ["may_ask", "may_see"])
async def test_a_decision_that_fails_is_not_done(
    world: World, question: str, happens: Callable[[PolicyInForce, str], PolicyInForce]
) -> None:
    """Neither listed nor decided on: a failure never means that nobody asks."""
    ring = await asked(world)
    world.policy = happens(world.policy, question)
    with pytest.raises(NotDoneError):
        await rung(world)
    with pytest.raises(NotDoneError):
        await decide(world, school(world), ring, "accept")


async def _another_class(world: World, _ring: str) -> None:
    names = {**Enrolled().names, VEILIG_THUIS: ("Veilig Thuis Gelderland-Midden", "woningcorporatie")}
    world.documents = documents(Enrolled(names=names))


async def _fewer_families(world: World, _ring: str) -> None:
    register = await world.documents.register()
    narrow = replace(register.organisations[VEILIG_THUIS], families=frozenset())
    world.documents.in_force = replace(register, organisations={**register.organisations, VEILIG_THUIS: narrow})


async def _excluded_by_the_holder(world: World, _ring: str) -> None:
    with held_in(world).session() as connection:
        query = "INSERT INTO signal_exclusions (signal_id, organisation, worker) SELECT id, ?, '' FROM signals"
        connection.execute(query, (VEILIG_THUIS,))


@pytest.mark.parametrize("happens", [_another_class, _fewer_families, _excluded_by_the_holder])
async def test_who_might_not_ask_any_more_asks_nobody(world: World, happens: Any) -> None:  # noqa: ANN401 - as above
    """Another class, no right to a family, kept from the signal by its holder: judged as they are now."""
    ring = await asked(world)
    await happens(world, ring)
    await is_no_ring(world, ring)


def on_own_signals(policy: PolicyInForce) -> PolicyInForce:
    """Return a policy that lets who has an own signal send an oproep, and nobody else: no shipped document does so."""
    permitting = Watched(inner=policy.decision_point, before=permit)

    def decide_on(question: str, facts: AskFacts) -> Permit | Refusal | None:
        if facts.operation != "call":
            return None
        return permitting.before(question, facts) if facts.standing == "own_signal" else _refusal(policy, facts)

    return replace(policy, decision_point=Watched(inner=policy.decision_point, before=decide_on))


async def by_own_signals(world: World, *subjects: str) -> str:
    """The wijkteam sends an oproep on own signals on these persons; return the ring's id."""
    world.policy = on_own_signals(world.policy)
    await involved(world)
    for subject in subjects:
        await world.register(world.asker(WIJKTEAM, seed=subject), household(subject=subject, parents=("mother",)))
    asker = world.asker(WIJKTEAM, seed="calls")
    await call(world, asker, household(subject="child", parents=("mother",), members=()))
    (ring,) = await rung(world)
    return str(ring["ringId"])


def ended(world: World, *, but: int) -> None:
    """The wijkteam's own signals ended yesterday, but for so many of them."""
    day = (world.clock.today() - timedelta(days=1)).isoformat()
    query = "SELECT id FROM signals WHERE organisation = ? ORDER BY id"
    own = [row[0] for row in held_in(world).rows(query, WIJKTEAM)]
    for signal in own[but:]:
        held_in(world).write("UPDATE signals SET ends_on = ? WHERE id = ?", day, signal)


async def test_an_oproep_stands_for_as_long_as_an_own_signal_does(world: World) -> None:
    """Of two own signals one is enough; once both have ended nobody is asked on them, and the asker reads no change."""
    ring = await by_own_signals(world, "child", "brother")
    asker = world.asker(WIJKTEAM, seed="reads")
    before = (await list_own_calls(world, asker)).result
    ended(world, but=1)
    assert [one["ringId"] for one in await rung(world)] == [ring]
    ended(world, but=0)
    assert await rung(world) == []
    with pytest.raises(NotFoundError):
        await decide(world, school(world), ring, "accept")
    assert (await list_own_calls(world, asker)).result == before


async def test_a_worker_who_is_kept_from_his_own_signal_stands_on_nothing(world: World) -> None:
    """What his organisation keeps from him gives his oproep nothing any more."""
    await by_own_signals(world, "child")
    query = "INSERT INTO signal_exclusions (signal_id, organisation, worker) SELECT id, ?, ? FROM signals"
    held_in(world).write(query + " WHERE organisation = ?", WIJKTEAM, worker_id(WIJKTEAM, "worker"), WIJKTEAM)
    assert await rung(world) == []


async def test_own_signals_that_are_gone_give_no_standing(world: World) -> None:
    """An id that names no signal of the asker's is none."""
    await by_own_signals(world, "child")
    query = "UPDATE calls SET asked_on = replace(asked_on, (SELECT id FROM signals WHERE organisation = ?), ?)"
    held_in(world).write(query, WIJKTEAM, "0" * 32)
    assert await rung(world) == []


def on_an_order(world: World, seed: str = "order") -> Asker:
    """Return a worker of Veilig Thuis who works on an exclusion order."""
    return world.asker(VEILIG_THUIS, purpose="huisverbod", ground="WTH", seed=seed)


async def lifted(world: World) -> None:
    """Veilig Thuis records that the order was lifted."""
    task = (await tasks_of(world, VEILIG_THUIS))["huisverbod"]
    await closed(world, who(world, VEILIG_THUIS), task["taskId"])


async def test_a_lifted_order_asks_nobody(world: World) -> None:
    """Nothing rests on it from that moment: no ring, nor a card that was shown, nor what a check had shown."""
    await involved(world)
    look = world.asker(VEILIG_THUIS, seed="looks", purpose="huisverbod", ground="WTH")
    body, rules = look.check(ASKED, proof=ORDER), world.policy
    world.policy = permissive(rules)
    shown = await world.send_check(look, body)
    assert shown.result["outcome"] == "shown"
    world.policy = rules
    await call(world, on_an_order(world), ASKED, proof=ORDER)
    (ring,) = await rung(world)
    accept = school(world).command(answer="accept", team=None)
    assert rings_in(await send_decision(world, school(world), ring["ringId"], accept))[0]["state"] == "accepted"
    before = (await list_own_calls(world, who(world, VEILIG_THUIS))).result
    await lifted(world)
    await is_no_ring(world, ring["ringId"])
    with pytest.raises(AnswerWithheldError):
        await send_decision(world, school(world), ring["ringId"], accept)
    with pytest.raises(AnswerWithheldError):
        await world.send_check(look, body)
    assert (await list_own_calls(world, who(world, VEILIG_THUIS))).result == before


async def test_who_decides_on_an_order_notices_that_it_is_lifted_meanwhile(world: World) -> None:
    """Check, oproep, listing and accepting rely on the stamp that lifting moves, and nothing but lifting moves it."""
    await involved(world)
    proposals = recorded(world)
    key = order_key(VEILIG_THUIS, ORDER["reference"])
    await world.check(world.asker(VEILIG_THUIS, seed="c", purpose="huisverbod", ground="WTH"), ASKED, proof=ORDER)
    await call(world, on_an_order(world), ASKED, proof=ORDER)
    (ring,) = await rung(world)
    await decide(world, school(world), ring["ringId"], "accept")
    relied = [key in {stamp.of for stamp in one.relies_on} for one in proposals]
    assert relied == [True] * 4
    versions = [(await world.signals.stamps([key]))[0].version]
    await lifted(world)
    versions.append((await world.signals.stamps([key]))[0].version)
    assert versions == [0, 1]


async def test_nobody_is_asked_for_longer_than_the_proof_counts(world: World) -> None:
    """A report that is still to be written down counts for one working day, and the asker reads so."""
    await involved(world)
    day = world.clock.today()
    proof = {**MELDING, "kind": "melding_volgt", "since": day.isoformat()}
    told = await call(world, veilig_thuis(world), ASKED, proof=proof)
    last = day + timedelta(days=1)
    assert calls_in(told)[0]["askedUntil"] == last.isoformat()
    world.clock.move(DAY)
    assert [ring["askedUntil"] for ring in await rung(world)] == [last.isoformat()]
    world.clock.move(DAY)
    assert await rung(world) == []


async def test_an_oproep_of_before_is_judged_by_what_was_kept_of_it(world: World) -> None:
    """One that was sent before its facts were kept asks until its last day, as it did."""
    ring = await asked(world)
    held_in(world).write("UPDATE calls SET asked_on = NULL")
    held_in(world).write("UPDATE call_rings SET found_as = NULL")
    world.policy = refusing(world.policy, "may_ask")
    assert [one["ringId"] for one in await rung(world)] == [ring]
