"""Kept answers: sealed, with a receipt from the log as it is now, under the checkpoint that most have seen."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from audit.entry import pad
from audit.key_ring import KeyRing
from audit.note import Algorithm, NoteSigningKey
from audit.policy_file import Policy, parse_policy
from audit.receipt import Receipt
from audit.seal import seal_beside, seal_entry
from audit.signer import LocalSigner
from audit.stored_log import StoredLog
from audit.verify import verify_receipt
from broker.domain.errors import StorageError
from broker.store.answers import StoredAnswers
from broker.store.connection import SingleWriter, open_reader
from broker.store.ledger import StoredLedger
from broker.store.log_writer import Cosignature, SealedProposal
from tests.simulators.broker_world import LOG_NAME
from tests.simulators.clock import NOON, SeededRandomness
from tests.simulators.databases import Database
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.proposals import storing

WITNESS = NoteSigningKey(name="witness.example/w1", algorithm=Algorithm.COSIGNATURE, seed=bytes(32))


class Kept:
    """A log with a quorum of one witness, and the answers kept in it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        LocalSigner.create(folder / "log.key", LOG_NAME)
        self.signer = LocalSigner.open(folder / "log.key")
        text = f"log {self.signer.vkey}\nwitness w1 {WITNESS.verifier.encode()}\nquorum w1\n"
        self.policy: Policy = parse_policy(text)
        self.keys = KeyRing.create(folder / "kek")
        self.writer = SingleWriter(database.address)
        self.ledger = StoredLedger(
            writer=self.writer,
            signer=self.signer,
            keys=self.keys,
            policy=self.policy,
            randomness=SeededRandomness(),
        )
        self.reader = open_reader(database.address)
        self.answers = StoredAnswers(self.reader, keys=self.keys, policy=self.policy)

    def close(self) -> None:
        """Close everything."""
        self.reader.close()
        self.writer.close()
        self.signer.close()

    async def write(self, name: str, *, at: int = NOON, cosigned: bool = False, **changed: Any) -> None:  # noqa: ANN401 - the fields of a proposal
        """Write one entry, and store its cosignature when a witness gave one."""
        proposal = storing(name, **changed)
        sealed = SealedProposal(proposal=proposal, entry=seal_entry(proposal.kind, proposal.payloads))
        written = await self.ledger.write([sealed], at=at)
        assert written.appended is not None
        if cosigned:
            line = WITNESS.sign(written.appended.checkpoint.encode(), time=at)
            size = written.appended.checkpoint.head.size
            await self.ledger.store_cosignatures(size, [Cosignature(witness=WITNESS.verifier.encode(), line=line)])

    async def receipt(self, name: str) -> Receipt:
        """Return the receipt that is given again for an entry; it verifies."""
        proposal = storing(name)
        assert proposal.answer is not None
        stored = await self.answers.find(organisation=GI, idempotency_key=proposal.answer.key.idempotency_key)
        assert stored is not None
        receipt = Receipt.from_wire(dict(stored.receipt))
        verified = verify_receipt(receipt, self.policy)
        assert bool(verified.cosigned_by) is (receipt.uncosigned_since is None)
        return receipt


@pytest.fixture
async def kept(tmp_path: Path, database: Database) -> AsyncIterator[Kept]:
    """A founded log."""
    made = Kept(tmp_path, database)
    await made.ledger.open()
    yield made
    made.close()


async def test_an_answer_comes_back_as_it_was_kept(kept: Kept) -> None:
    """Document, key and status survive sealing; another organisation finds nothing."""
    await kept.write("first", document={"result": "ë" * 20_000})
    answer = storing("first", document={"result": "ë" * 20_000}).answer
    assert answer is not None
    stored = await kept.answers.find(organisation=GI, idempotency_key=answer.key.idempotency_key)
    assert stored is not None
    assert stored.answer == answer
    assert await kept.answers.find(organisation=WIJKTEAM, idempotency_key=answer.key.idempotency_key) is None


async def test_a_receipt_is_made_under_a_checkpoint_that_a_quorum_saw(kept: Kept) -> None:
    """Uncosigned since the first entry nobody saw; once a later checkpoint is cosigned, proven under that one."""
    await kept.write("first", cosigned=True)
    await kept.write("second", at=NOON + 10)
    await kept.write("third", at=NOON + 20)
    assert (await kept.receipt("first")).uncosigned_since is None
    for name in ("second", "third"):
        assert (await kept.receipt(name)).uncosigned_since == NOON + 10
    assert await kept.ledger.uncosigned_since(heard=True) == NOON + 10
    await kept.write("fourth", at=NOON + 30, cosigned=True)
    assert (await kept.receipt("second")).uncosigned_since is None
    assert await kept.ledger.uncosigned_since(heard=True) is None


async def test_a_cosignature_that_the_policy_does_not_know_covers_nothing(kept: Kept) -> None:
    """A line of somebody who is no witness of the policy is no quorum."""
    await kept.write("first")
    await kept.ledger.store_cosignatures(1, [Cosignature(witness="nobody", line="— nobody aGVsbG8=\n")])
    assert (await kept.receipt("first")).uncosigned_since == NOON


async def test_an_answer_that_was_kept_by_a_former_version_is_still_given(kept: Kept) -> None:
    """Before, all but the document stood in clear beside it; such a row says the same as one of today."""
    await kept.write("first")
    answer = storing("first").answer
    assert answer is not None
    with kept.database.session() as connection:
        row = StoredLog(connection).sealed_row(0, "meta")
        assert row is not None
        key = kept.keys.unwrap(row.wrapped_key, epoch=row.epoch, index=0, group="meta")
        sealed = seal_beside(key, "answer", pad(rfc8785.dumps(dict(answer.document)), 16_384))  # type: ignore[arg-type]  # rfc8785 itself checks every value
        connection.execute(
            "UPDATE answers SET worker = ?, target = ?, body_sha256 = ?, status = ?, rests_on = ?, sealed = ?",
            (answer.key.worker, answer.key.target, answer.key.body_sha256, answer.status.value, "[]", sealed),
        )
    stored = await kept.answers.find(organisation=GI, idempotency_key=answer.key.idempotency_key)
    assert stored is not None
    assert stored.answer == replace(answer, rests_on=(), valid_until=None, signal_id=None)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM log_payloads",
        "UPDATE answers SET sealed = wrapped FROM log_payload_keys",
        "UPDATE answers SET sealed = substr(sealed, 1, 0)",
        "DROP TABLE log_cosignatures",
    ],
)
async def test_an_answer_that_cannot_be_read_is_an_outage(kept: Kept, damage: str) -> None:
    """Erased payloads, an altered row or a broken database: not given again, and never as an empty answer."""
    await kept.write("first")
    kept.database.write(damage)
    answer = storing("first").answer
    assert answer is not None
    with pytest.raises(StorageError):
        await kept.answers.find(organisation=GI, idempotency_key=answer.key.idempotency_key)
