"""A policy bundle comes into force with an entry of the log, or not at all; and decides from there on."""

import asyncio
import json
from dataclasses import replace
from datetime import date
from typing import Any, Self, cast

import pytest

from audit.receipt import Receipt
from broker.domain.changes import ActivateBundle
from broker.domain.errors import LogUnavailableError, NotDoneError, PolicyNotSuccessorError, StorageError
from broker.flows.activate_policy import Activation, Signed, activate_policy
from broker.flows.errors import PolicyNotHeldError
from broker.flows.policy import PoliciesByVersion, PolicyInForce
from broker.ports import BUNDLE, Committed, Proposal, StampKey, StampKind
from broker.protocol.messages import WireReceipt
from broker.protocol.signing_keys import b64url_bytes
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, held_in, log_size
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI
from tests.simulators.proposals import committed
from tests.unit.broker.flows.deciders import watched

OTHER = "c" * 64
SIGNED_ON = date(2026, 11, 22)
UNSIGNED = Activation(mark="unsigned")


@pytest.fixture
def first(policy: PolicyInForce) -> PolicyInForce:
    """The policy of most tests."""
    return policy


@pytest.fixture(scope="session")
def second(policy: PolicyInForce) -> PolicyInForce:
    """The same policy under another name: one document of it has another version of its text."""
    documents = {**policy.bundle.documents, "lex/teksten.yaml": {}}
    return PolicyInForce.of(replace(policy.bundle, documents=documents))


@pytest.fixture
async def world(world: World) -> World:
    """A core that decides with what its log says is in force."""
    world.by_version = PoliciesByVersion()
    return world


def _signed(replaces: PolicyInForce | str, *, statement: str = "e" * 64, on: date = SIGNED_ON) -> Activation:
    named = replaces if isinstance(replaces, str) else replaces.sha256
    signed = Signed(
        statement=statement,
        replaces=named,
        registered_on=on,
        openings=3,
        diff="d" * 64,
        signers=(("kid-1", "partij"), ("kid-2", "privacyfunctionaris")),
    )
    return Activation(mark="signed", signed=signed)


async def _activate(world: World, policy: PolicyInForce, activation: Activation = UNSIGNED) -> Committed | None:
    assert world.by_version is not None
    return await activate_policy(
        policy=policy, activation=activation, policies=world.by_version, bundles=world.bundles, signals=world.signals,
        clock=world.clock, log=world.log,
    )  # fmt: skip


async def _in_force(world: World) -> str:
    return (await world.bundles.activations())[-1].sha256


async def _version(world: World) -> int:
    (stamp,) = await world.signals.stamps([StampKey(kind=StampKind.POLICY, key=BUNDLE)])
    return stamp.version


def _meta(receipt: object) -> dict[str, Any]:
    opening = WireReceipt.model_validate(receipt).openings["meta"]
    return cast("dict[str, Any]", json.loads(b64url_bytes(opening.payload, field="payload")))


async def test_a_bundle_comes_into_force_once(world: World, first: PolicyInForce, second: PolicyInForce) -> None:
    """Starting again with the same policy changes nothing; another one makes older decisions stale."""
    for policy, version, size in ((first, 1, 1), (first, 1, 1), (second, 2, 2)):
        await _activate(world, policy)
        assert (await _in_force(world), await _version(world)) == (policy.sha256, version)
        assert (await log_size(world), world.policies.current) == (size, policy)
    assert await world.retention.newest_act_at() is None  # nobody asked for it: it vouches for no clock


async def test_the_entry_says_who_signed_and_what_it_replaces(
    world: World, first: PolicyInForce, second: PolicyInForce
) -> None:
    """Bundle, predecessor, day of registration, openings, keys and roles stand in `meta`, and no name."""
    await _activate(world, first, Activation(mark="test"))
    recorded = await _activate(world, second, _signed(first))
    assert recorded is not None
    assert _meta(recorded.receipt) == {
        "schema": "entry-policy/v1",
        "bundle": second.sha256,
        "replaces": first.sha256,
        "mark": "signed",
        "release": {
            "statement": "e" * 64,
            "registered_on": "2026-11-22",
            "openings": {"count": 3, "diff": "d" * 64},
            "signed_by": [{"kid": "kid-1", "role": "partij"}, {"kid": "kid-2", "role": "privacyfunctionaris"}],
        },
    }


async def test_a_release_takes_the_place_of_the_bundle_it_was_compared_with(
    world: World, first: PolicyInForce, second: PolicyInForce
) -> None:
    """What people signed in place of one bundle does not come into force in place of another."""
    await _activate(world, first)
    with pytest.raises(PolicyNotSuccessorError):
        await _activate(world, second, _signed(OTHER))
    assert (await _in_force(world), await log_size(world)) == (first.sha256, 1)
    assert world.policies.current is first


async def test_an_old_release_is_not_taken_again(world: World, first: PolicyInForce, second: PolicyInForce) -> None:
    """After people went back to what was before, the file of what they left brings it back no more, however signed."""
    one, two, back = (_signed(at, statement=name * 64) for at, name in ((OTHER, "1"), (first, "2"), (second, "3")))
    for policy, activation in ((first, one), (second, two), (first, back)):
        await _activate(world, policy, activation)
    for again in (two, _signed(first, statement="4" * 64, on=date(2026, 11, 21))):
        with pytest.raises(PolicyNotSuccessorError):
            await _activate(world, second, again)
    assert (world.policies.current, await log_size(world)) == (first, 3)
    await _activate(world, second, _signed(first, statement="5" * 64))
    assert world.policies.current is second


async def test_what_nobody_signed_follows_nothing_that_was_signed(
    world: World, first: PolicyInForce, second: PolicyInForce
) -> None:
    """A switch in a file undoes no signatures: a broker that decided by a signed release never decides without."""
    await _activate(world, first, Activation(mark="test"))
    await _activate(world, first, _signed(OTHER))
    for policy in (first, second):
        with pytest.raises(PolicyNotSuccessorError):
            await _activate(world, policy)
    assert (world.policies.current, await log_size(world)) == (first, 2)


async def test_the_same_bundle_signed_later_has_its_own_entry(world: World, first: PolicyInForce) -> None:
    """The log does not go on saying that nobody signed what people have signed since."""
    await _activate(world, first)
    recorded = await _activate(world, first, _signed(OTHER))
    assert recorded is not None
    assert (_meta(recorded.receipt)["mark"], _meta(recorded.receipt)["replaces"]) == ("signed", first.sha256)
    assert await _activate(world, first, _signed(OTHER)) is None


async def test_a_broker_without_history_takes_any_release(world: World, second: PolicyInForce) -> None:
    """A new broker begins with the release in force in its region, whatever that one replaced."""
    await _activate(world, second, _signed(OTHER))
    assert await _in_force(world) == second.sha256


@pytest.mark.parametrize("world", DATABASES, indirect=True)
async def test_what_the_database_refuses_leaves_no_entry(
    world: World, first: PolicyInForce, second: PolicyInForce
) -> None:
    """Entry and change are one: when the change cannot be written there is no entry, and what was in force decides."""
    await _activate(world, first)
    held_in(world).write("CREATE UNIQUE INDEX one_bundle ON bundles ((number * 0))")
    with pytest.raises(StorageError):
        await _activate(world, second)
    assert (await _in_force(world), await _version(world), await log_size(world)) == (first.sha256, 1, 1)
    answer = await world.register(world.asker(GI), household(subject="child"))
    assert _meta(answer.receipt)["decision"]["bundle"] == first.sha256


async def test_nothing_is_decided_before_a_policy_came_into_force(world: World) -> None:
    """A process that holds no policy, or not the one the log has, decides nothing."""
    asker = world.asker(GI)
    with pytest.raises(PolicyNotHeldError):
        await world.register(asker, household(subject="child"))
    assert await log_size(world) == 0


async def test_a_policy_of_another_process_is_not_decided_past(world: World, first: PolicyInForce) -> None:
    """When the log has a bundle in force that this process has not, nothing is done, and that is recorded."""
    await _activate(world, first)
    change = ActivateBundle(sha256=OTHER, at=world.clock.now())
    await committed(world.log, Proposal(kind="policy", payloads={}, changes=(change,)))
    with pytest.raises(NotDoneError) as failed:
        await world.register(world.asker(GI), household(subject="child"))
    meta = _meta(failed.value.receipt)
    assert (meta["outcome"], meta["reason"], meta["decision"]) == ("error", "policy-not-held", None)


async def test_requests_of_the_very_tick_are_decided_by_the_policy_of_their_entry(
    world: World, first: PolicyInForce, second: PolicyInForce
) -> None:
    """Whoever asks in the tick of an activation is decided on by what is in force at his place in the log, and told."""
    await _activate(world, first)
    asked = [world.register(world.asker(GI, seed=f"{at}"), household(subject=f"child {at}")) for at in range(4)]
    answers, _ = await asyncio.gather(asyncio.gather(*asked), _activate(world, second))
    assert await log_size(world) == 6
    for answer in answers:
        meta = _meta(answer.receipt)
        assert meta["bundle"] == meta["decision"]["bundle"]
        in_force = first if _index(answer.receipt) < await _index_of_second(world) else second
        assert meta["bundle"] == in_force.sha256


def _index(receipt: object) -> int:
    return Receipt.from_wire(receipt).proof.index


async def _index_of_second(world: World) -> int:
    """Return where the entry of the second policy stands."""
    if isinstance(world.ledger, MemoryBroker):
        return max(at for at, leaf in enumerate(world.ledger.log.leaves) if b"policy" in leaf.splitlines()[2])
    rows = held_in(world).rows("SELECT idx, leaf FROM log_entries ORDER BY idx")
    return max(int(at) for at, leaf in rows if b"policy" in bytes(leaf).splitlines()[2])


async def test_a_decision_made_before_an_activation_is_made_again_after_it(
    world: World, first: PolicyInForce, second: PolicyInForce
) -> None:
    """What was decided with the old bundle and not committed is stale: the new one decides, before anything is told."""
    noted, point = watched(first)
    again, later = watched(second)
    await _activate(world, noted)
    point.before = lambda question, _: _swap(world, again) if question == "may_ask" else None
    answer = await world.register(world.asker(GI), household(subject="child"))
    assert (len(point.asked), len(later.asked)) == (1, 1)
    assert _meta(answer.receipt)["decision"]["bundle"] == second.sha256


def _swap(world: World, policy: PolicyInForce) -> None:
    """Another policy comes into force while a decision is being made, as by another turn of the tick."""
    assert world.by_version is not None
    world.by_version.hold(2, policy)
    if isinstance(world.ledger, MemoryBroker):
        world.ledger.state.bump(StampKind.POLICY, BUNDLE)
        return
    held_in(world).write("UPDATE version_stamps SET version = 2 WHERE kind = 'policy'")


@pytest.mark.parametrize("written", [False, True])
async def test_when_nobody_knows_whether_it_was_written_the_log_decides(
    world: World,
    first: PolicyInForce,
    second: PolicyInForce,
    written: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """After a commit of which the outcome is unknown, each decision goes by what the log then has in force."""
    await _activate(world, first)
    real = world.log

    class Lost:
        """A turn whose answer never came."""

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            """Nothing was begun."""

        async def commit(self, proposal: Proposal) -> Committed:
            if written:
                await committed(real, proposal)
            raise LogUnavailableError

    class LostLog:
        """A log that gives such turns."""

        def turn(self) -> Lost:
            return Lost()

    world.log = LostLog()  # type: ignore[assignment]  # a twin of the Log port
    with pytest.raises(LogUnavailableError):
        await _activate(world, second)
    world.log = real
    answer = await world.register(world.asker(GI), household(subject="child"))
    in_force = second if written else first
    assert _meta(answer.receipt)["decision"]["bundle"] == in_force.sha256
    assert await _in_force(world) == in_force.sha256
    await _activate(world, second)
    assert (world.policies.current, await _version(world)) == (second, 2)
