"""A policy bundle comes into force with an entry of the log, or not at all."""

import json
from dataclasses import replace

import pytest

from broker.domain.changes import ActivateBundle
from broker.domain.errors import PolicyNotSuccessorError, StorageError
from broker.flows.activate_policy import Activation, Signed, activate_policy
from broker.ports import BUNDLE, Committed, StampKey, StampKind
from broker.protocol.messages import WireReceipt
from broker.protocol.signing_keys import b64url_bytes
from tests.simulators.broker_world import World, held_in, log_size
from tests.simulators.databases import DATABASES

FIRST, SECOND, OTHER = "a" * 64, "b" * 64, "c" * 64
SIGNED = Signed(
    replaces=FIRST,
    registered_on="2026-11-22",
    openings=3,
    diff="d" * 64,
    signers=(("kid-1", "partij"), ("kid-2", "privacyfunctionaris")),
)


async def _activate(world: World, activation: Activation) -> Committed | None:
    return await activate_policy(
        activation=activation, bundles=world.bundles, signals=world.signals, clock=world.clock, log=world.log
    )


async def _version(world: World) -> int:
    (stamp,) = await world.signals.stamps([StampKey(kind=StampKind.POLICY, key=BUNDLE)])
    return stamp.version


async def test_a_bundle_comes_into_force_once(world: World) -> None:
    """Starting again with the same policy changes nothing; another one makes older decisions stale."""
    for bundle, version, size in ((FIRST, 1, 1), (FIRST, 1, 1), (SECOND, 2, 2)):
        await _activate(world, Activation(bundle=bundle, mark="unsigned"))
        assert (await world.bundles.bundle_in_force(), await _version(world)) == (bundle, version)
        assert await log_size(world) == size
    assert await world.retention.newest_act_at() is None  # nobody asked for it: it vouches for no clock


async def test_the_entry_says_who_signed_and_what_it_replaces(world: World) -> None:
    """Bundle, predecessor, day of registration, openings, keys and roles stand in `meta`, and no name."""
    await _activate(world, Activation(bundle=FIRST, mark="test"))
    committed = await _activate(world, Activation(bundle=SECOND, mark="signed", signed=SIGNED))
    assert committed is not None
    opening = WireReceipt.model_validate(dict(committed.receipt)).openings["meta"]
    assert json.loads(b64url_bytes(opening.payload, field="payload")) == {
        "schema": "entry-policy/v1",
        "bundle": SECOND,
        "replaces": FIRST,
        "mark": "signed",
        "release": {
            "registered_on": "2026-11-22",
            "openings": {"count": 3, "diff": "d" * 64},
            "signed_by": [{"kid": "kid-1", "role": "partij"}, {"kid": "kid-2", "role": "privacyfunctionaris"}],
        },
    }


async def test_a_release_takes_the_place_of_the_bundle_it_was_compared_with(world: World) -> None:
    """What people signed in place of one bundle does not come into force in place of another."""
    await _activate(world, Activation(bundle=OTHER, mark="unsigned"))
    with pytest.raises(PolicyNotSuccessorError):
        await _activate(world, Activation(bundle=SECOND, mark="signed", signed=SIGNED))
    assert (await world.bundles.bundle_in_force(), await log_size(world)) == (OTHER, 1)


async def test_a_broker_without_history_takes_any_release(world: World) -> None:
    """A new broker begins with the release in force in its region, whatever that one replaced."""
    await _activate(world, Activation(bundle=SECOND, mark="signed", signed=replace(SIGNED, replaces=OTHER)))
    assert await world.bundles.bundle_in_force() == SECOND


@pytest.mark.parametrize("world", DATABASES, indirect=True)
async def test_what_the_database_refuses_leaves_no_entry(world: World) -> None:
    """Entry and change are one: when the change cannot be written there is no entry, and nothing is in force."""
    held_in(world).write("ALTER TABLE bundles RENAME COLUMN activated_at TO elsewhere")
    with pytest.raises(StorageError):
        await _activate(world, Activation(bundle=FIRST, mark="unsigned"))
    assert (await world.bundles.bundle_in_force(), await _version(world), await log_size(world)) == (None, 0, 0)


def test_a_change_names_its_bundle_and_moment() -> None:
    """What becomes durable is the hash and the time, beside the entry."""
    assert ActivateBundle(sha256=FIRST, at=1).sha256 == FIRST
