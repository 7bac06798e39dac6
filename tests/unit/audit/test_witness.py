"""The witness's status table, its memory, and the race that must never make it forget a tree."""

import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import NotDurableError, WitnessError
from audit.merkle import EMPTY_TREE, TreeHead, consistency_proof
from audit.note import Algorithm, NoteSigningKey, compose_note, parse_note, verify_note
from audit.note_text import to_base64
from audit.witness import SIZE_TYPE, Witness, WitnessAnswer, WitnessStore
from tests.simulators.faulty_database import Fault, FaultyConnection, sqlite_error
from tests.unit.audit.log_simulator import NOW, ORIGIN, LogInMemory, witness_key

KEY = witness_key()


def witness_at(path: Path, log: LogInMemory) -> Witness:
    """Return a witness of this log whose memory is in a folder."""
    return Witness(key=KEY, logs=[log.key.verifier], store=WitnessStore(path / "witness.sqlite"))


def body(old: object, proof: object, note: str) -> bytes:
    """Return a request body, well formed or not."""
    lines = "".join(f"{to_base64(value)}\n" for value in proof) if isinstance(proof, tuple) else str(proof)
    return f"old {old}\n{lines}\n{note}".encode()


def growth(log: LogInMemory, old: int, new: int) -> bytes:
    """Return the honest request from one signed size to another."""
    return body(old, consistency_proof(log, old_size=old, new_size=new), log.notes[new])


def signed(log: LogInMemory, head: TreeHead, origin: str = ORIGIN) -> str:
    """Return a note that the log's key signs over any head, as a dishonest log would."""
    text = Checkpoint(origin=origin, head=head).encode()
    return compose_note(text, [log.key.sign(text)])


@pytest.fixture
def log() -> LogInMemory:
    """A log signed at 0, 3, 5 and 9."""
    return LogInMemory().grow(3).grow(5).grow(9)


@pytest.fixture
def witness(tmp_path: Path, log: LogInMemory) -> Witness:
    """A witness that has cosigned size 5."""
    made = witness_at(tmp_path, log)
    assert ask(made, growth(log, 0, 5)).status == 200
    return made


def ask(witness: Witness, request: bytes) -> WitnessAnswer:
    """Send a request to a witness."""
    return witness.add_checkpoint(request, now=NOW)


def test_a_good_request_is_cosigned_and_kept(witness: Witness, log: LogInMemory) -> None:
    """200 gives one line that holds over the checkpoint; the cosigned note is handed out afterwards."""
    answer = ask(witness, growth(log, 5, 9))
    assert answer.status == 200
    note = parse_note((log.notes[9] + answer.body).encode())
    assert [s.time for s in verify_note(note, [KEY.verifier])] == [NOW]
    kept = witness.cosigned_checkpoint(hashlib.sha256(ORIGIN.encode()).hexdigest())
    assert kept == log.notes[9] + answer.body
    assert witness.cosigned_checkpoint("00") is None


def test_the_same_size_again_and_the_empty_tree(tmp_path: Path, witness: Witness, log: LogInMemory) -> None:
    """The same head may be asked again, and an empty tree may be cosigned."""
    assert ask(witness, growth(log, 5, 5)).status == 200
    (tmp_path / "new").mkdir()
    fresh = witness_at(tmp_path / "new", log)
    assert fresh.cosigned_checkpoint(hashlib.sha256(ORIGIN.encode()).hexdigest()) is None
    assert ask(fresh, growth(log, 0, 0)).status == 200


def test_a_note_with_other_lines_is_kept_without_them(witness: Witness, log: LogInMemory) -> None:
    """Lines of unknown keys are not handed on under the witness's name."""
    request = growth(log, 5, 9) + witness_key("other").sign("x", time=1).encode()
    assert ask(witness, request).status == 200
    kept = witness.cosigned_checkpoint(hashlib.sha256(ORIGIN.encode()).hexdigest())
    assert kept is not None
    assert "other" not in kept


def table(log: LogInMemory) -> dict[str, tuple[int, bytes]]:
    """Return each wrong request with the status it must get from a witness at size 5."""
    nine, proof = log.notes[9], consistency_proof(log, old_size=5, new_size=9)
    stranger = NoteSigningKey(name=ORIGIN, algorithm=Algorithm.ED25519, seed=b"s" * 32)
    text = Checkpoint(origin=ORIGIN, head=log.head()).encode()
    line = nine.split("\n\n")[1]
    spoiled = log.key.verifier.signature_line(bytes(64))
    return {
        "unknown origin": (404, body(5, proof, signed(log, log.head(), "other.example/log"))),
        "another key under the log's name": (403, body(5, proof, compose_note(text, [stranger.sign(text)]))),
        "a bad signature of the log": (403, body(5, proof, compose_note(text, [spoiled]))),
        "old above new": (400, body(9, (), log.notes[5])),
        "another size is stored": (409, growth(log, 3, 9)),
        "nothing is stored, we say": (409, growth(log, 0, 9)),
        "size 0 without the empty root": (409, body(0, (), signed(log, TreeHead(size=0, root=bytes(32))))),
        "a wrong proof": (422, body(5, (bytes(32), *proof[1:]), nine)),
        "a proof cut short": (422, body(5, proof[1:], nine)),
        "no proof": (422, body(5, (), nine)),
        "the same size with another root": (422, body(5, (), signed(log, TreeHead(size=5, root=bytes(32))))),
        "the same size with a proof": (422, body(5, proof, log.notes[5])),
        "another tree": (422, body(5, proof, signed(log, TreeHead(size=9, root=bytes(32))))),
        "no empty line": (400, b"old 5\n" + nine.encode().replace(b"\n\n", b"\n")),
        "no old size": (400, body("", proof, nine)),
        "a leading zero": (400, body("05", proof, nine)),
        "a negative size": (400, body(-5, proof, nine)),
        "a hash that is no base64": (400, body(5, "!\n", nine)),
        "a hash of 31 bytes": (400, body(5, (bytes(31),), nine)),
        "64 hashes": (400, body(5, (bytes(32),) * 64, nine)),
        "an extension line": (400, body(5, proof, compose_note(text + "more\n", [line]))),
        "no signature": (400, body(5, proof, text + "\n")),
        "not UTF-8": (400, b"old \xff\n\n" + nine.encode()),
        "empty": (400, b""),
        "too large": (400, body(5, proof, nine) + b"x" * 70_000),
    }


@pytest.mark.parametrize("name", table(LogInMemory().grow(3).grow(5).grow(9)))
def test_the_status_table(witness: Witness, log: LogInMemory, name: str) -> None:
    """Each way to be wrong has its own status, and leaves the witness where it was."""
    status, request = table(log)[name]
    answer = ask(witness, request)
    assert answer.status == status
    if status == 409:
        assert (answer.body, answer.content_type) == ("5\n", SIZE_TYPE)
    assert ask(witness, growth(log, 5, 9)).status == 200


def test_what_a_fresh_witness_refuses(tmp_path: Path, log: LogInMemory) -> None:
    """From nothing: an empty tree with another root, and a first tree with a proof, are refused."""
    fresh = witness_at(tmp_path, log)
    assert ask(fresh, body(0, (), signed(log, TreeHead(size=0, root=bytes(32))))).status == 422
    assert ask(fresh, body(0, (bytes(32),), log.notes[9])).status == 422


def test_it_remembers_after_a_restart(tmp_path: Path, witness: Witness, log: LogInMemory) -> None:
    """What was cosigned is durable before the answer, so a new process knows it."""
    assert ask(witness, growth(log, 5, 9)).status == 200
    again = witness_at(tmp_path, log)
    assert ask(again, growth(log, 5, 9)).body == "9\n"


def test_a_failing_store_gives_no_cosignature(tmp_path: Path, log: LogInMemory) -> None:
    """Without a durable memory there is no answer at all."""

    class Failing(WitnessStore):
        """A store whose disk is full when it writes."""

        @staticmethod
        def keep(connection: object, checkpoint: Checkpoint, note: str) -> None:
            raise OSError(f"no space for {len(note)} bytes of size {checkpoint.head.size} in {type(connection)}")

    witness = Witness(key=KEY, logs=[log.key.verifier], store=Failing(tmp_path / "w.sqlite"))
    with pytest.raises(OSError, match="no space"):
        ask(witness, growth(log, 0, 5))
    with WitnessStore(tmp_path / "w.sqlite").exclusive() as connection:
        assert WitnessStore.head(connection, ORIGIN) == EMPTY_TREE


def test_two_racing_requests(tmp_path: Path) -> None:
    """Of two threads that bring forks of one size, exactly one is cosigned; the other learns the size."""
    honest = LogInMemory().grow(4)
    forked = LogInMemory().grow(4, lambda index: b"fork" + bytes([index]))
    witness = witness_at(tmp_path, honest)
    for _ in range(20):
        size = len(honest.leaves)
        requests = [growth(log, 0 if size == 4 else size - 1, size) for log in (honest, forked)]
        barrier = threading.Barrier(2)
        answers: list[WitnessAnswer] = []

        def submit(request: bytes, gate: threading.Barrier = barrier, into: list[WitnessAnswer] = answers) -> None:
            gate.wait()
            into.append(ask(witness, request))

        threads = [threading.Thread(target=submit, args=(request,)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(answer.status for answer in answers)
        assert statuses[0] == 200
        assert statuses[1] in (409, 422)
        if ask(witness, growth(forked, size, size)).status == 200:
            honest, forked = forked, honest
        forked = LogInMemory()
        forked.grow(size, lambda index, leaves=tuple(honest.leaves): leaves[index])  # type: ignore[misc]  # default binds
        honest.grow(size + 1, lambda index: b"honest" + bytes([index]))
        forked.grow(size + 1, lambda index: b"fork" + bytes([index]))


def test_what_a_witness_cannot_be_made_of(tmp_path: Path, log: LogInMemory) -> None:
    """Keys of the wrong type, a log twice, or a store that is none: it does not start."""
    store = WitnessStore(tmp_path / "w.sqlite")
    with pytest.raises(WitnessError):
        Witness(key=log.key, logs=[log.key.verifier], store=store)
    with pytest.raises(WitnessError):
        Witness(key=KEY, logs=[KEY.verifier], store=store)
    with pytest.raises(WitnessError):
        Witness(key=KEY, logs=[log.key.verifier] * 2, store=store)
    with pytest.raises(WitnessError):
        WitnessStore(tmp_path)


class _FailingStore(WitnessStore):
    """A store whose disk no longer keeps what is committed."""

    def _connect(self) -> sqlite3.Connection:
        disk = FaultyConnection(super()._connect())  # type: ignore[arg-type]  # no dialect is asked for
        disk.faults.append(Fault(fragment="COMMIT", error=sqlite_error(sqlite3.SQLITE_IOERR_FSYNC)))
        return disk  # type: ignore[return-value]  # what the store uses of a connection


def test_after_a_sync_that_failed_nothing_is_cosigned(tmp_path: Path, log: LogInMemory) -> None:
    """A tree that may be forgotten is not cosigned, and no later one by a witness that may have forgotten it."""
    witness = Witness(key=KEY, logs=[log.key.verifier], store=_FailingStore(tmp_path / "witness.sqlite"))
    with pytest.raises(sqlite3.OperationalError):
        ask(witness, growth(log, 0, 3))
    with pytest.raises(NotDurableError):
        ask(witness, growth(log, 0, 5))
    assert witness.durability.lost is not None
