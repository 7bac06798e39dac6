"""A receipt holds as a whole or not at all, and says honestly who cosigned it."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from audit.entry import Opening
from audit.errors import NoteError, ReceiptError
from audit.log import Appended
from audit.note import NoteSigningKey, compose_note
from audit.receipt import Receipt
from audit.verify import verify_checkpoint, verify_receipt
from tests.unit.audit.log_simulator import NOW, LogInFolder, sealed, witness_key

W1, W2 = witness_key("witness.example/w1"), witness_key("witness.example/w2")
META = {"outcome": "nothing", "purpose": "verwijsindex"}
ACTOR = {"worker": "w"}


@pytest.fixture
def appended(log: LogInFolder) -> Appended:
    """The second tick of a log: two entries, the first a check."""
    log.tick()
    return log.tick(sealed("check", meta=META, actor=ACTOR), sealed())


def cosign(appended: Appended, *keys: NoteSigningKey) -> list[str]:
    """Return the cosignature lines of these keys over the new checkpoint."""
    return [key.sign(appended.checkpoint.encode(), time=NOW) for key in keys]


def test_a_cosigned_receipt(log: LogInFolder, appended: Appended) -> None:
    """Index, leaf and opened payloads come back only when all of it holds."""
    receipt = Receipt.from_wire(appended.receipt(0, cosignatures=cosign(appended, W1)).to_wire())
    verified = verify_receipt(receipt, log.policy(W1.verifier, W2.verifier, quorum="enough"))
    assert (verified.index, verified.leaf.kind) == (1, "check")
    assert dict(verified.payloads) == {"meta": META, "actor": ACTOR}
    assert (verified.status, verified.cosigned_by, dict(verified.seen_by)) == ("cosigned", ("w1",), {"w1": NOW})
    assert verified.uncosigned_since is None
    assert verified.checkpoint == appended.checkpoint


def test_below_the_quorum_a_receipt_is_uncosigned(log: LogInFolder, appended: Appended) -> None:
    """A receipt without enough witnesses is never taken for a cosigned one."""
    policy = log.policy(W1.verifier, W2.verifier, quorum="w2")
    verified = verify_receipt(appended.receipt(0, cosignatures=cosign(appended, W1), uncosigned_since=NOW), policy)
    assert (verified.status, verified.cosigned_by, dict(verified.seen_by)) == ("uncosigned", (), {"w1": NOW})
    assert verified.uncosigned_since == NOW


def test_a_policy_without_quorum_makes_no_receipt_cosigned(log: LogInFolder, appended: Appended) -> None:
    """Where no witness signed, none is claimed."""
    verified = verify_receipt(appended.receipt(0), log.policy(quorum="none"))
    assert (verified.status, verified.cosigned_by) == ("uncosigned", ())


def test_other_openings_can_be_asked_for(log: LogInFolder, appended: Appended) -> None:
    """A reader may hold the `actor` opening only, and any group's opening is checked."""
    receipt = appended.receipt(0)
    only = replace(receipt, openings=MappingProxyType({"actor": receipt.openings["actor"]}))
    assert dict(verify_receipt(only, log.policy(), require=("actor",)).payloads) == {"actor": ACTOR}
    with pytest.raises(ReceiptError):
        verify_receipt(only, log.policy())


def mutations(receipt: Receipt, other: Receipt) -> dict[str, Receipt]:
    """Return the receipt with each of its parts changed."""
    proof, openings = receipt.proof, dict(receipt.openings)
    meta = openings["meta"]
    changed = bytes([proof.hashes[0][0] ^ 1]) + proof.hashes[0][1:]

    def opened(**groups: Opening) -> Receipt:
        return replace(receipt, openings=MappingProxyType({**openings, **groups}))

    return {
        "time": replace(receipt, leaf=replace(receipt.leaf, time=receipt.leaf.time + 1)),
        "kind": replace(receipt, leaf=replace(receipt.leaf, kind="signal")),
        "index": replace(receipt, proof=replace(proof, index=proof.index + 1)),
        "index outside": replace(receipt, proof=replace(proof, index=3)),
        "hash changed": replace(receipt, proof=replace(proof, hashes=(changed, *proof.hashes[1:]))),
        "hash dropped": replace(receipt, proof=replace(proof, hashes=proof.hashes[1:])),
        "hash added": replace(receipt, proof=replace(proof, hashes=(*proof.hashes, bytes(32)))),
        "leaf of another entry": replace(receipt, leaf=other.leaf),
        "checkpoint of another size": replace(receipt, proof=replace(proof, note=proof.note.replace("\n3\n", "\n2\n"))),
        "no signature": replace(receipt, proof=replace(proof, note=proof.note.split("—")[0])),
        "not a note": replace(receipt, proof=replace(proof, note="")),
        "payload": opened(meta=replace(meta, payload=meta.payload.replace(b"nothing", b"shown"))),
        "payload of another entry": opened(meta=other.openings["meta"]),
        "key": opened(meta=replace(meta, key=bytes(32))),
        "short key": opened(meta=replace(meta, key=b"")),
        "groups swapped": opened(meta=openings["actor"], actor=meta),
        "payload too large": opened(meta=replace(meta, payload=b"x" * 9000)),
        "opening of another group": opened(hits=meta),
        "unknown group": opened(reason=meta),
        "actor not opened": replace(receipt, openings=MappingProxyType({"meta": meta})),
    }


def test_every_mutation_of_a_receipt_is_rejected(log: LogInFolder, appended: Appended) -> None:
    """Change any part of a receipt and it does not hold."""
    receipt, other = appended.receipt(0), appended.receipt(1)
    verify_receipt(receipt, log.policy())
    for name, mutated in mutations(receipt, other).items():
        accepted = True
        try:
            verify_receipt(mutated, log.policy())
        except ReceiptError:
            accepted = False
        assert not accepted, name


def test_a_payload_that_is_not_canonical(log: LogInFolder) -> None:
    """Even a payload that the leaf commits to must read one way only."""
    entry = sealed("read")
    meta = entry.groups["meta"]
    loose = replace(meta, payload=b'{"a": 1}')
    loose = replace(loose, commitment=loose.opening().commitment("read", "meta"))
    receipt = log.tick(replace(entry, groups={**entry.groups, "meta": loose})).receipt(0)
    with pytest.raises(ReceiptError):
        verify_receipt(receipt, log.policy())


def test_another_logs_receipt(log: LogInFolder, appended: Appended) -> None:
    """A receipt of a log that the policy does not name is worth nothing, however well cosigned."""
    stranger = log.policy(W1.verifier)
    stranger = replace(stranger, log=replace(stranger.log, key=replace(stranger.log.key, name="other.example/log")))
    with pytest.raises(ReceiptError):
        verify_receipt(appended.receipt(0, cosignatures=cosign(appended, W1)), stranger)


def test_a_spoiled_cosignature_spoils_the_note(log: LogInFolder, appended: Appended) -> None:
    """A known witness's bad line is a reason to distrust the whole note."""
    line = W1.sign(appended.checkpoint.encode() + "x", time=NOW)
    with pytest.raises(NoteError):
        verify_checkpoint(appended.note + line, log.policy(W1.verifier))


def test_a_signed_text_that_is_no_checkpoint_of_this_log(log: LogInFolder, appended: Appended) -> None:
    """The log key's signature under another origin or another text is no checkpoint."""
    key = NoteSigningKey.load(log.key_path)
    for text in (appended.checkpoint.encode().replace("broker", "breker"), "hello\n"):
        with pytest.raises(NoteError):
            verify_checkpoint(compose_note(text, [key.sign(text)]), log.policy())


def test_a_proof_that_is_fetched_later(log: LogInFolder, appended: Appended) -> None:
    """An entry is proven again at a later, cosigned checkpoint; the openings stay the same."""
    later = log.tick()
    line = W1.sign(later.checkpoint.encode(), time=NOW)
    with log.transaction() as transaction:
        transaction.insert_cosignature(4, W1.verifier.encode(), line)
    receipt = replace(appended.receipt(0, uncosigned_since=NOW), proof=log.reader.proof(1, 4), uncosigned_since=None)
    verified = verify_receipt(receipt, log.policy(W1.verifier, quorum="enough"))
    assert (verified.index, verified.status, verified.checkpoint.head.size) == (1, "cosigned", 4)
