"""Red line 2: every disclosure that left had a leaf in a tree whose checkpoint was signed before its first byte.

Read with D7 and D12: signed, and cosigned or marked uncosigned and later proven consistent.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.merkle import verify_inclusion
from audit.note import VerifierKey, parse_note, verify_note
from audit.receipt import Receipt
from broker.domain.errors import LogUnavailableError, NotRecordedError, StorageError
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from broker.store.log_writer import Cosignature
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import STORES, World, a_world, log_size
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.unit.broker.flows.conftest import policy

__all__ = ["policy"]

CHILD = household(subject="child", parents=("mother",))


def vkey_of(world: World) -> VerifierKey:
    """Return the log's public key."""
    signer = world.ledger.signer if isinstance(world.ledger, MemoryBroker) else world.ledger._signer  # type: ignore[attr-defined]  # the ledger's own signer
    return VerifierKey.parse(signer.vkey)


def check_receipt(answer: Answered, log_key: VerifierKey) -> None:
    """Hold only when the answer's leaf is in the tree of a checkpoint that the log signed."""
    receipt = Receipt.from_wire(dict(answer.receipt))
    note = parse_note(receipt.proof.note.encode())
    verify_note(note, [log_key])
    head = Checkpoint.parse(note.text).head
    verify_inclusion(
        leaf=receipt.leaf.leaf_hash,
        index=receipt.proof.index,
        size=head.size,
        proof=receipt.proof.hashes,
        root=head.root,
    )


@pytest.mark.parametrize("store", STORES)
async def test_every_disclosure_comes_with_its_signed_leaf(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """What an asker is shown is in the log already, under a checkpoint signed by the log's key."""
    async with a_world(store, tmp_path, policy=policy) as world:
        await world.register(world.asker(GI), CHILD)
        shown = await world.register(world.asker(WIJKTEAM), CHILD)
        assert shown.result["outcome"] == "shown"
        check_receipt(shown, vkey_of(world))


class Uncertain:
    """Witnesses during whose answer a test looks at who has been told what."""

    heard = True

    def __init__(self) -> None:
        self.waiting: asyncio.Task[Answered] | None = None
        self.told_early = False

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Look whether the asker was told before the end of the tick."""
        del note, deadline_s
        for _ in range(20):
            await asyncio.sleep(0)
        self.told_early = self.waiting is not None and self.waiting.done()
        return ()

    def quorum_met(self, cosignatures: Sequence[Cosignature]) -> bool:
        """Nobody cosigned, which is not enough."""
        return bool(cosignatures)


@pytest.mark.parametrize("store", STORES)
async def test_nothing_is_told_before_the_commit_and_what_is_uncosigned_says_so(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:  # fmt: skip
    """While the tick is open nobody has an answer; without cosignatures the receipt says since when."""
    witnesses = Uncertain()
    async with a_world(store, tmp_path, policy=policy, witnesses=witnesses, tick_ms=200) as world:
        await world.register(world.asker(GI), CHILD)
        witnesses.waiting = asyncio.create_task(world.register(world.asker(WIJKTEAM), CHILD))
        answer = await witnesses.waiting
    assert not witnesses.told_early
    assert answer.receipt["uncosignedSince"] is not None


@pytest.mark.parametrize("failure", [StorageError, LogUnavailableError])
async def test_without_a_log_nothing_is_disclosed_and_nothing_is_done(
    failure: type[NotRecordedError], tmp_path: Path, policy: PolicyInForce
) -> None:  # fmt: skip
    """No log, no data: the asker gets an error and the store is as it was."""
    async with a_world("memory", tmp_path, policy=policy) as world:
        await world.register(world.asker(GI), CHILD)
        memory = world.ledger
        assert isinstance(memory, MemoryBroker)
        memory.fails_with = failure
        with pytest.raises(failure):
            await world.register(world.asker(WIJKTEAM), CHILD)
        memory.fails_with = None
        assert await log_size(world) == 1
        assert len(memory.state.signals) == 1
