"""Appending: entry and state change stand or fall together, and the signer never forks."""

import errno
import json
import os
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.durable_file import replace_durably
from audit.entry import GROUPS
from audit.errors import ForkError, LogStoreError, NotDurableError, NoteError, SealError, SignerError
from audit.log import Appended, append, found_log, settle_on
from audit.merkle import EMPTY_TREE, TreeHead, consistency_proof
from audit.note import Algorithm, NoteSigningKey, compose_note
from audit.seal import SealedEntry, open_group
from audit.signer import LocalSigner, Successor
from audit.sqlite import open_database
from audit.stored_log import StoredLog, StoredLogTransaction
from audit.two_slots import SLOT_BYTES, TwoSlots
from audit.verify import verify_receipt
from tests.unit.audit.log_simulator import NOW, ORIGIN, LogInFolder, sealed


def crash_before_commit(log: LogInFolder, *entries: SealedEntry) -> Appended:
    """Append, then roll back as a crash would; return what was signed."""
    log.connection.execute("BEGIN IMMEDIATE")
    signed = log.append_in(StoredLogTransaction(log.connection), *entries)
    log.connection.execute("ROLLBACK")
    return signed


def restart(log: LogInFolder) -> None:
    """The signer's process starts anew from its files."""
    log.signer.close()
    log.signer = LocalSigner.open(log.key_path)


def test_indexes_proofs_and_receipts(log: LogInFolder) -> None:
    """Entries get consecutive indexes, and each receipt holds at the tick's own checkpoint."""
    log.tick()
    appended = log.tick(sealed("check", meta={"outcome": "nothing"}), sealed("signal"), sealed())
    assert [entry.index for entry in appended.entries] == [1, 2, 3]
    assert appended.checkpoint.head == log.reader.head() == log.signer.released
    for position in range(3):
        verified = verify_receipt(appended.receipt(position), log.policy())
        assert verified.index == position + 1
        assert verified.leaf.time == NOW


def test_sealed_payloads_are_stored_with_their_wrapped_keys(log: LogInFolder) -> None:
    """What the leaf commits to can be opened from the store with the key-encryption key."""
    log.tick(sealed("check", hits={"decisions": [1]}))
    for group in GROUPS:
        row = log.reader.sealed_row(0, group)
        assert row is not None
        key = log.kek.unwrap(row.wrapped_key, index=0, group=group)
        opening = open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
        assert opening.payload == (b'{"decisions":[1]}' if group == "hits" else b"{}")
    assert log.reader.sealed_row(1, "meta") is None


def test_an_append_without_entries(log: LogInFolder) -> None:
    """There is no checkpoint without a reason."""
    with pytest.raises(LogStoreError), log.transaction() as transaction:
        log.append_in(transaction)


def test_an_entry_without_all_groups(log: LogInFolder) -> None:
    """All five groups are stored, or none."""
    whole = sealed()
    shuffled = SealedEntry(kind="read", groups={group: whole.groups[group] for group in reversed(GROUPS)})
    with pytest.raises(LogStoreError), log.transaction() as transaction:
        log.append_in(transaction, shuffled)


def test_a_log_is_founded_once(log: LogInFolder) -> None:
    """Founding makes the checkpoint of the empty tree, and only of that."""
    assert "\n0\n" in log.reader.note(0)
    with pytest.raises(LogStoreError), log.transaction() as transaction:
        found_log(transaction, signer=log.signer)
    log.tick()
    with pytest.raises(ForkError), log.transaction() as transaction:
        found_log(transaction, signer=log.signer)


def test_outside_a_transaction_there_is_no_append(log: LogInFolder) -> None:
    """Entry and state change could come apart, so it is refused."""
    with pytest.raises(LogStoreError):
        StoredLogTransaction(log.connection)


def test_a_failed_commit_leaves_no_trace_and_no_lock(log: LogInFolder) -> None:
    """After a crash between signing and commit the log goes on, with other entries at the same size."""
    log.tick()
    before = log.reader.head()
    lost = crash_before_commit(log, sealed("check"))
    assert log.reader.head() == before
    log.signer.settle(log.reader.head())
    other = log.tick(sealed("consent"))
    assert other.checkpoint.head.size == lost.checkpoint.head.size
    assert other.checkpoint.head.root != lost.checkpoint.head.root


def test_the_same_after_a_restart(log: LogInFolder) -> None:
    """What was signed and never committed left no trace: the log goes on from what it holds."""
    log.tick()
    crash_before_commit(log, sealed("check"))
    restart(log)
    settle_on(log.reader, log.signer)
    assert log.tick().checkpoint.head == log.signer.released


def test_an_unsettled_intent_blocks_another_head(log: LogInFolder) -> None:
    """Until the caller says what became of a signed head, no other is signed."""
    crash_before_commit(log, sealed("check"))
    for _ in range(2):
        with pytest.raises(ForkError), log.transaction() as transaction:
            log.append_in(transaction, sealed("consent"))


def test_an_intent_that_an_earlier_version_made_durable_still_counts(log: LogInFolder) -> None:
    """After an update in the middle of a tick no other head is signed either, until it is settled."""
    lost = crash_before_commit(log, sealed("check")).checkpoint.head
    log.signer.close()
    slots = TwoSlots.open(log.key_path.with_name("log.key.state"))
    record = {**json.loads(slots.record), "intent": {"size": lost.size, "root": lost.root.hex()}}
    slots.write(json.dumps(record, sort_keys=True).encode())
    slots.close()
    log.signer = LocalSigner.open(log.key_path)
    with pytest.raises(ForkError), log.transaction() as transaction:
        log.append_in(transaction, sealed("consent"))
    settle_on(log.reader, log.signer)
    log.tick(sealed("consent"))


def test_the_very_same_head_may_be_signed_again(log: LogInFolder) -> None:
    """A retried transaction with the same entries gets the same note."""
    entry = sealed("check")
    lost = crash_before_commit(log, entry)
    again = log.tick(entry)
    assert again.note == lost.note


def test_a_crash_between_commit_and_settling(log: LogInFolder) -> None:
    """What was committed is released at start, and never signed otherwise."""
    with log.transaction() as transaction:
        appended = log.append_in(transaction, sealed("check"))
    with pytest.raises(ForkError), log.transaction() as transaction:
        log.append_in(transaction, sealed("consent"))
    restart(log)
    with pytest.raises(ForkError):  # a head alone proves nothing
        log.signer.settle(log.reader.head())
    assert settle_on(log.reader, log.signer) == log.signer.released == appended.checkpoint.head
    restart(log)
    assert log.signer.released == appended.checkpoint.head


def _committed_and_not_released(log: LogInFolder) -> Successor:
    """Return what a start finds after a crash between commit and release."""
    log.tick(sealed(), sealed())
    with log.transaction() as transaction:
        log.append_in(transaction, sealed("check"))
    restart(log)
    proof = consistency_proof(log.reader, old_size=2, new_size=3)
    return Successor(note=log.reader.note(3), proof=proof)


def test_only_the_signed_and_proven_next_checkpoint_is_released_at_start(log: LogInFolder) -> None:
    """Nobody who writes to the database can make the signer release a tree that it did not sign itself."""
    good = _committed_and_not_released(log)
    head, old = log.reader.head(), log.signer.released
    text = Checkpoint(origin=ORIGIN, head=head).encode()
    stranger = NoteSigningKey.generate(ORIGIN, Algorithm.ED25519)
    forged = Checkpoint(origin=ORIGIN, head=TreeHead(size=3, root=bytes(32))).encode()
    signature = good.note.partition("\n\n")[2]
    for note, proof in (
        (compose_note(text, [stranger.sign(text)]), good.proof),
        (compose_note(forged, [signature]), good.proof),
        (log.reader.note(2), good.proof),
        ("no note", good.proof),
        (good.note, ()),
        (good.note, (bytes(32), *good.proof[1:])),
    ):
        with pytest.raises(ForkError):
            log.signer.settle(head, Successor(note=note, proof=proof))
    with pytest.raises(ForkError):
        log.signer.settle(TreeHead(size=3, root=bytes(32)), good)
    assert log.signer.released == old
    log.signer.settle(head, good)
    assert log.signer.released == head


def test_a_database_more_than_one_tick_ahead_of_its_signer_is_refused(log: LogInFolder) -> None:
    """A signer's file that was put back is older than what left by more than a crash can explain."""
    log.tick()
    state = log.key_path.with_name("log.key.state")
    older = state.read_bytes()
    log.tick()
    log.tick()
    log.signer.close()
    replace_durably(state, older)
    log.signer = LocalSigner.open(log.key_path)
    with pytest.raises(ForkError):
        settle_on(log.reader, log.signer)


def test_a_successor_of_another_process_is_refused_once_settled(log: LogInFolder) -> None:
    """A head that appears while this process serves was written by somebody else, whatever signature it bears."""
    good = _committed_and_not_released(log)
    head, old = log.reader.head(), log.signer.released
    log.signer.settle(old)
    with pytest.raises(ForkError):
        log.signer.settle(head, good)


def test_a_restored_backup_is_refused(log: LogInFolder, tmp_path: Path) -> None:
    """A database older than what left the process neither settles nor gets a signature."""
    log.tick()
    backup = open_database(tmp_path / "backup.sqlite")
    log.connection.backup(backup)
    log.tick()
    old = StoredLog(backup).head()
    with pytest.raises(ForkError):
        log.signer.settle(old)
    backup.execute("BEGIN IMMEDIATE")
    with pytest.raises(ForkError):
        append(StoredLogTransaction(backup), [sealed()], at=NOW, signer=log.signer, key_encryption_key=log.kek)
    backup.close()


def test_a_rewritten_database_is_refused(log: LogInFolder, tmp_path: Path) -> None:
    """Another tree of the same size is a fork."""
    log.tick()
    folder = tmp_path / "other"
    folder.mkdir()
    other = LogInFolder(folder)
    other.tick()
    with pytest.raises(ForkError):
        log.signer.settle(other.reader.head())
    other.close()


def checkpoint_of(log: LogInFolder, head: TreeHead, origin: str = ORIGIN) -> str:
    """Return the text of a checkpoint of this log, or of another origin."""
    assert log.verifier.name == ORIGIN
    return Checkpoint(origin=origin, head=head).encode()


def test_what_the_signer_refuses_by_itself(log: LogInFolder) -> None:
    """The signer trusts no caller: origin, size, root and consistency are its own checks."""
    log.tick()
    log.tick(sealed(), sealed())
    released = log.signer.released
    smaller = TreeHead(size=1, root=log.reader.node(0, 0))
    forked = TreeHead(size=4, root=bytes(32))
    proof = consistency_proof(log.reader, old_size=1, new_size=3)
    for text, given in (
        (checkpoint_of(log, released, "other.example/log"), ()),
        (checkpoint_of(log, smaller), ()),
        (checkpoint_of(log, smaller), proof),
        (checkpoint_of(log, TreeHead(size=3, root=bytes(32))), ()),
        (checkpoint_of(log, forked), proof),
        (checkpoint_of(log, forked), ()),
    ):
        with pytest.raises(ForkError):
            log.signer.sign(text, given)
    with pytest.raises(NoteError):
        log.signer.sign("no checkpoint", ())
    line = log.signer.sign(checkpoint_of(log, released), ())
    assert line in log.reader.note(3)
    assert log.signer.released == released


def test_one_process_holds_the_signer(log: LogInFolder) -> None:
    """Two signers with one key could fork each other."""
    with pytest.raises(SignerError):
        LocalSigner.open(log.key_path)
    log.signer.close()
    with LocalSigner.open(log.key_path) as signer:
        assert (signer.name, signer.vkey) == (ORIGIN, log.verifier.encode())
        assert repr(signer) == f"LocalSigner({ORIGIN}, redacted)"
    log.signer = LocalSigner.open(log.key_path)


def test_state_that_is_lost_or_damaged_is_never_made_anew(log: LogInFolder) -> None:
    """Without its memory the signer does not start; nor with one that reads two ways."""
    log.tick()
    log.signer.close()
    state = log.key_path.with_name("log.key.state")
    good = state.read_bytes()
    slots = TwoSlots.open(state)
    wire = json.loads(slots.record)
    slots.close()
    damaged = (
        b"[]",
        b"{}",
        slots.record + b" ",
        json.dumps({**wire, "intent": 1}, sort_keys=True).encode(),
        json.dumps({**wire, "released": {"size": 1, "root": "00"}}, sort_keys=True).encode(),
        json.dumps({**wire, "released": None}, sort_keys=True).encode(),
    )
    for record in damaged:
        state.unlink()
        TwoSlots.create(state, record)
        with pytest.raises(SignerError):
            LocalSigner.open(log.key_path)
    for content in (b"", bytes(len(good)), good[1:], good[:SLOT_BYTES][::-1] * 2):
        replace_durably(state, content)
        with pytest.raises(SignerError):
            LocalSigner.open(log.key_path)
    state.unlink()
    with pytest.raises(SealError):
        LocalSigner.open(log.key_path)
    replace_durably(state, good)
    log.signer = LocalSigner.open(log.key_path)


def test_a_write_that_was_cut_short_leaves_the_record_before_it(log: LogInFolder) -> None:
    """Whatever a crash leaves of the slot it was writing, the signer opens with what was durable before it."""
    log.tick()
    log.signer.close()
    path = log.key_path.with_name("log.key.state")
    slots = TwoSlots.open(path)
    before, durable = slots.record, path.read_bytes()
    slots.write(b"the next")
    slots.close()
    whole = path.read_bytes()
    (place,) = [at for at in (0, SLOT_BYTES) if whole[at : at + SLOT_BYTES] != durable[at : at + SLOT_BYTES]]
    for reached in (1, 7, 9, 20, 41, 49):
        cut = whole[place : place + reached] + durable[place + reached : place + SLOT_BYTES]
        replace_durably(path, durable[:place] + cut + durable[place + SLOT_BYTES :])
        again = TwoSlots.open(path)
        assert again.record == before
        again.close()
    replace_durably(path, durable)
    log.signer = LocalSigner.open(log.key_path)
    log.tick()


def test_a_cosigning_key_signs_no_log(tmp_path: Path) -> None:
    """A log's key is of type 01."""
    path = tmp_path / "key"
    LocalSigner.create(path, ORIGIN)
    path.unlink()
    NoteSigningKey.generate(ORIGIN, Algorithm.COSIGNATURE).save(path)
    with pytest.raises(NoteError):
        LocalSigner.open(path)


def test_inception_happens_once(tmp_path: Path) -> None:
    """A key or state that exists is never overwritten."""
    path = tmp_path / "key"
    LocalSigner.create(path, ORIGIN)
    with LocalSigner.open(path) as signer:
        assert signer.released == EMPTY_TREE
    with pytest.raises(SealError):
        LocalSigner.create(path, ORIGIN)


def test_a_signer_that_cannot_remember_does_not_sign(log: LogInFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the release cannot be written or made durable nothing leaves, and no later head is signed."""
    with log.transaction() as transaction:
        appended = log.append_in(transaction, sealed())
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda *_: SLOT_BYTES - 1)  # the disk took a part of it
        with pytest.raises(SignerError):
            log.signer.settle(appended.checkpoint.head)
    assert log.signer.released == EMPTY_TREE
    with pytest.raises(ForkError), log.transaction() as transaction:
        log.append_in(transaction, sealed())
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", _input_output_error)
        with pytest.raises(NotDurableError):
            log.signer.settle(appended.checkpoint.head)
    with pytest.raises(NotDurableError):  # a sync after a failed one says nothing
        log.signer.settle(appended.checkpoint.head)
    restart(log)
    settle_on(log.reader, log.signer)
    assert log.signer.released == appended.checkpoint.head


def _input_output_error(_: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_settling_twice_writes_once(log: LogInFolder) -> None:
    """Settling at the released head changes nothing on disk."""
    log.tick()
    state = log.key_path.with_name("log.key.state")
    before = state.read_bytes()
    log.signer.settle(log.signer.released)
    assert state.read_bytes() == before
    restart(log)  # but at a start it is written anew: a failed sync may have left it in memory only
    log.signer.settle(log.signer.released)
    assert state.read_bytes() != before
