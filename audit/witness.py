"""A witness (c2sp.org/tlog-witness): it cosigns a checkpoint only when the tree grew from the one it saw last.

The witness keeps one row per log. Comparing and storing is one transaction that is durable before the answer, so two
racing requests, or a crash, never make it forget a tree it has cosigned.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.checkpoint import Checkpoint
from audit.durability import Durability
from audit.errors import NoteError, ProofError, SignatureError, WitnessError
from audit.merkle import EMPTY_ROOT, HASH_BYTES, TreeHead, verify_consistency
from audit.note import Algorithm, Note, NoteSigningKey, VerifierKey, compose_note, parse_note, verify_note
from audit.note_text import from_base64

MAX_PROOF_HASHES = 63
MAX_REQUEST_BYTES = 65_536
TEXT = "text/plain; charset=utf-8"
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_BUSY_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAnswer:
    """An HTTP status, body and content type."""

    status: int
    body: str
    content_type: str = TEXT


class _RefusedError(Exception):
    """Carries the answer out of the checks."""

    def __init__(self, status: int, body: str, content_type: str = TEXT) -> None:
        super().__init__(status)
        self.answer = WitnessAnswer(status=status, body=body, content_type=content_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


class WitnessStore:
    """The largest tree seen of each log, in SQLite, durable on return."""

    def __init__(self, path: Path) -> None:
        """Open or make the store.

        Raises:
            WitnessError: the file is no usable store.

        """
        self._path = path
        self.durability = Durability()
        try:
            with closing(self._connect()) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS witnessed (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, "
                    "root BLOB NOT NULL CHECK (length(root) = 32), note TEXT NOT NULL) STRICT"
                )
        except sqlite3.Error as error:
            raise WitnessError("witness: the store cannot be opened") from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_TIMEOUT_S)
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """Hold the only write transaction; it is durable when the block ends well, and undone when it raises."""
        self.durability.check()
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            try:
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self.durability.judge(error)
                raise

    @staticmethod
    def head(connection: sqlite3.Connection, origin: str) -> TreeHead:
        """Return the largest tree seen of a log; the empty one when none was."""
        row = connection.execute("SELECT size, root FROM witnessed WHERE origin = ?", (origin,)).fetchone()
        return TreeHead(size=row[0], root=row[1]) if row else TreeHead(size=0, root=EMPTY_ROOT)

    @staticmethod
    def keep(connection: sqlite3.Connection, checkpoint: Checkpoint, note: str) -> None:
        """This is the largest tree seen of its log, with its cosigned note."""
        connection.execute(
            "INSERT INTO witnessed (origin, size, root, note) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note",
            (checkpoint.origin, checkpoint.head.size, checkpoint.head.root, note),
        )

    def note(self, origin: str) -> str | None:
        """Return the cosigned checkpoint of a log, None when none was seen."""
        with closing(self._connect()) as connection:
            row = connection.execute("SELECT note FROM witnessed WHERE origin = ?", (origin,)).fetchone()
            return str(row[0]) if row else None


class Witness:
    """The state machine: a request body in, an answer out, the store in between."""

    def __init__(self, *, key: NoteSigningKey, logs: Iterable[VerifierKey], store: WitnessStore) -> None:
        """Watch these logs with this key.

        Raises:
            WitnessError: the key is no cosigning key, a log's key no log key, or a log stands twice.

        """
        self._key = key
        self._store = store
        self.durability = store.durability
        self._logs: dict[str, VerifierKey] = {}
        if key.verifier.algorithm is not Algorithm.COSIGNATURE:
            raise WitnessError("witness: its key must be of type 04")
        for log in logs:
            if log.algorithm is not Algorithm.ED25519 or log.name in self._logs:
                raise WitnessError("witness: each log once, with a key of type 01")
            self._logs[log.name] = log

    def add_checkpoint(self, body: bytes, *, now: int) -> WitnessAnswer:
        """Answer `POST /add-checkpoint`; on 200 the new tree is durable before the answer exists.

        Statuses: 400 malformed or old above new; 403 no good log signature; 404 unknown log; 409 another size is
        stored (the body states it); 422 the proof or the root does not hold; 200 the cosignature line.

        Args:
            body: the request's bytes.
            now: unix seconds, stated in the cosignature.

        """
        try:
            request = _parse_request(body)
            self._check_log(request)
            with self._store.exclusive() as connection:
                _check_growth(request, self._store.head(connection, request.checkpoint.origin))
                line = self._key.sign(request.note.text, time=now)
                self._store.keep(connection, request.checkpoint, self._cosigned(request, line))
        except _RefusedError as refused:
            return refused.answer
        return WitnessAnswer(status=200, body=line)

    def _check_log(self, request: _Request) -> None:
        log = self._logs.get(request.checkpoint.origin)
        if log is None:
            raise _RefusedError(404, "unknown log\n")
        try:
            verify_note(request.note, [log])
        except SignatureError as error:
            raise _RefusedError(403, "no good signature of the log\n") from error

    def _cosigned(self, request: _Request, line: str) -> str:
        log = self._logs[request.checkpoint.origin]
        blobs = [s.blob for s in request.note.signatures if (s.name, s.key_id) == (log.name, log.key_id)]
        return compose_note(request.note.text, [log.signature_line(blobs[0]), line])

    def cosigned_checkpoint(self, origin_hash: str) -> str | None:
        """Return the cosigned checkpoint of the log with this `hex(SHA-256(origin))`, None when there is none."""
        for origin in self._logs:
            if hashlib.sha256(origin.encode("utf-8")).hexdigest() == origin_hash:
                return self._store.note(origin)
        return None


def _parse_request(body: bytes) -> _Request:
    head, separator, checkpoint = body.partition(b"\n\n")
    if len(body) > MAX_REQUEST_BYTES or not separator:
        raise _RefusedError(400, "malformed request\n")
    try:
        old_size, proof = _parse_head(head.decode("utf-8").split("\n"))
        note = parse_note(checkpoint)
        parsed = Checkpoint.parse(note.text)
    except (NoteError, UnicodeDecodeError) as error:
        raise _RefusedError(400, "malformed request\n") from error
    return _Request(old_size=old_size, proof=proof, note=note, checkpoint=parsed)


def _parse_head(lines: list[str]) -> tuple[int, tuple[bytes, ...]]:
    old = _OLD.fullmatch(lines[0])
    if old is None or len(lines) - 1 > MAX_PROOF_HASHES:
        raise NoteError("request: must start with the old size and at most 63 hashes")
    proof = tuple(from_base64(line) for line in lines[1:])
    if any(len(value) != HASH_BYTES for value in proof):
        raise NoteError("request: every hash has 32 bytes")
    return int(old[1]), proof


def _check_growth(request: _Request, seen: TreeHead) -> None:
    new = request.checkpoint.head
    # (1) A tree does not shrink.
    if request.old_size > new.size:
        raise _RefusedError(400, "the old size is above the new one\n")
    # (2) The proof starts from the very tree we saw last.
    if request.old_size != seen.size:
        raise _RefusedError(409, f"{seen.size}\n", SIZE_TYPE)
    # (3) It leads from that root to the new one; an empty tree has the empty root and one size has one root.
    try:
        verify_consistency(old=seen, new=new, proof=request.proof)
    except ProofError as error:
        raise _RefusedError(422, "the new tree does not hold the old one\n") from error
