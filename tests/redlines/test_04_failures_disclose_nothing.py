"""Red line 4: unknown subject, empty policy, exception, unknown version: no disclosure, one leaf "error" or "refused".

An error never depends on whether a signal exists. What breaks the request's own rules is no accepted request (D7).
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from audit.receipt import Receipt
from broker.domain.errors import EpochUnknownError, NotDoneError, PurposeUnknownError, RecordedError, RefusedError
from broker.flows.policy import PolicyInForce
from policies import ConvenantError, load_bundle
from tests.simulators.asking import household
from tests.simulators.broker_world import STORES, a_world, log_size
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.unit.broker.flows.conftest import policy
from tests.unit.broker.flows.deciders import erring, raising

__all__ = ["policy"]

QUESTIONS = ("may_ask", "may_see")
CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


def outcome_of(refused: RecordedError) -> str:
    """Return what the entry says of itself."""
    return str(json.loads(Receipt.from_wire(dict(refused.receipt)).openings["meta"].payload)["outcome"])


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("involved", [False, True])
@pytest.mark.parametrize("broken", [partial(how, question=asked) for how in (raising, erring) for asked in QUESTIONS])
async def test_a_failure_is_one_leaf_and_no_disclosure_whether_or_not_a_signal_exists(
    store: str, involved: bool, broken: Any, tmp_path: Path, policy: PolicyInForce  # noqa: ANN401, FBT001 - parameters of the table and the fixture
) -> None:  # fmt: skip
    """With and without somebody involved, the same error, the same document, one leaf."""
    async with a_world(store, tmp_path, policy=policy) as world:
        asker = world.asker(WIJKTEAM)
        await world.register(asker, CHILD)
        await world.register(world.asker(GI), CHILD if involved else household(subject="other", parents=("father",)))
        before = await log_size(world)
        world.policy = broken(policy)
        with pytest.raises(NotDoneError) as failed:
            await world.check(asker, LOOK)
        assert outcome_of(failed.value) == "error"
        assert failed.value.document["type"] == "urn:sluis:problem:not-done"
        assert await log_size(world) == before + 1


@pytest.mark.parametrize("store", STORES)
async def test_who_may_not_ask_gets_one_leaf_and_the_same_words_whether_or_not_a_signal_exists(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:  # fmt: skip
    """A refusal is made before anything is looked up, and is recorded."""
    documents = []
    async with a_world(store, tmp_path, policy=policy) as world:
        asker = world.asker(WIJKTEAM)
        for _ in range(2):
            before = await log_size(world)
            with pytest.raises(RefusedError) as refused:
                await world.check(asker, LOOK)
            assert outcome_of(refused.value) == "refused"
            assert await log_size(world) == before + 1
            documents.append(refused.value.document)
            if before == 0:
                await world.register(world.asker(GI), CHILD)
    assert documents[0] == documents[1]


@pytest.mark.parametrize("store", STORES)
async def test_an_unknown_purpose_or_epoch_is_no_question(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """What no rule knows is refused before anything is decided, and discloses nothing."""
    async with a_world(store, tmp_path, policy=policy) as world:
        await world.register(world.asker(GI), CHILD)
        before = await log_size(world)
        with pytest.raises(PurposeUnknownError):
            await world.register(world.asker(WIJKTEAM, purpose="onbekend"), CHILD)
        with pytest.raises(EpochUnknownError):
            await world.register(world.asker(WIJKTEAM), CHILD, epoch=9)
        assert await log_size(world) == before


@pytest.mark.parametrize("store", STORES)
async def test_an_unknown_subject_is_nothing_to_show_and_one_leaf(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:  # fmt: skip
    """Nobody involved is carried out, recorded, and shows nothing."""
    async with a_world(store, tmp_path, policy=policy) as world:
        answer = await world.register(world.asker(WIJKTEAM), household(subject="unknown"))
        assert (answer.result["outcome"], answer.result["matches"]) == ("nothing", [])
        assert await log_size(world) == 1


def test_an_empty_policy_does_not_start(tmp_path: Path) -> None:
    """Without documents there is nothing to decide with, and nothing is served."""
    with pytest.raises(ConvenantError):
        load_bundle(tmp_path)
