"""Logs for tests: a real one in a folder, driven tick by tick, and one in memory that grows to any size fast.

Both speak the formats of `audit`; neither is a mock. `LogInFolder` plays the broker's writer: one transaction, append,
commit, settle. `LogInMemory` is the twin of the reader, for tiles and proofs at sizes that sealing would make slow.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from audit.checkpoint import Checkpoint
from audit.entry import GROUPS, Leaf
from audit.log import Appended, append, found_log
from audit.merkle import TreeHead, leaf_hash, node_hash, root_at
from audit.note import Algorithm, NoteSigningKey, VerifierKey, compose_note
from audit.policy_file import Policy, parse_policy
from audit.schema import create_tables
from audit.seal import KeyEncryptionKey, SealedEntry, seal_entry
from audit.signer import LocalSigner
from audit.sqlite import SqliteConnection, open_database
from audit.stored_log import StoredLog, StoredLogTransaction

ORIGIN = "broker.example/log"
NOW = 1_795_305_600


def sealed(kind: str = "read", **payloads: Mapping[str, object]) -> SealedEntry:
    """Return a sealed entry with these payloads."""
    return seal_entry(kind, payloads)


def witness_key(name: str = "witness.example/w1") -> NoteSigningKey:
    """Return the same cosigning key for the same name."""
    return NoteSigningKey(name=name, algorithm=Algorithm.COSIGNATURE, seed=hashlib.sha256(name.encode()).digest())


def policy_text(log: VerifierKey, *witnesses: VerifierKey, quorum: str = "none") -> str:
    """Return a policy in which the witnesses are called w1, w2, ..., with a group `enough` of any one of them."""
    lines = [f"log {log.encode()}"]
    lines += [f"witness w{number} {key.encode()}" for number, key in enumerate(witnesses, start=1)]
    if witnesses:
        lines.append("group enough any " + " ".join(f"w{n}" for n in range(1, len(witnesses) + 1)))
    return "\n".join([*lines, f"quorum {quorum}"]) + "\n"


class LogInFolder:
    """A whole log in one folder: key, signer's state, key-encryption key and database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key_path = folder / "log.key"
        self.verifier = LocalSigner.create(self.key_path, ORIGIN)
        self.signer = LocalSigner.open(self.key_path)
        self.kek = KeyEncryptionKey.create(folder / "kek")
        self.database = folder / "broker.sqlite"
        self.connection = open_database(self.database)
        create_tables(self.connection)
        with self.transaction() as transaction:
            found_log(transaction, signer=self.signer)

    def close(self) -> None:
        """Let go of the database and the signer."""
        self.connection.close()
        self.signer.close()

    @property
    def reader(self) -> StoredLog:
        """A reader over the log's own connection."""
        return StoredLog(self.connection)

    def transaction(self) -> "OpenTransaction":
        """Return a transaction that commits at the end of its `with` block and rolls back when it raises."""
        return OpenTransaction(self.connection)

    def append_in(self, transaction: StoredLogTransaction, *entries: SealedEntry) -> Appended:
        """Append inside a transaction that the caller ends."""
        return append(transaction, entries, at=NOW, signer=self.signer, key_encryption_key=self.kek)

    def tick(self, *entries: SealedEntry) -> Appended:
        """Append, commit and settle."""
        with self.transaction() as transaction:
            appended = self.append_in(transaction, *(entries or (sealed(),)))
        self.signer.settle(appended.checkpoint.head)
        return appended

    def policy(self, *witnesses: VerifierKey, quorum: str = "none") -> Policy:
        """Return a policy for this log."""
        return parse_policy(policy_text(self.verifier, *witnesses, quorum=quorum))


class OpenTransaction:
    """`with` gives the log's side of one write transaction."""

    def __init__(self, connection: SqliteConnection) -> None:
        self.connection = connection

    def __enter__(self) -> StoredLogTransaction:
        self.connection.execute("BEGIN IMMEDIATE")
        return StoredLogTransaction(self.connection)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.connection.execute("ROLLBACK" if kind else "COMMIT")


class LogInMemory:
    """A log that only grows: leaves, all perfect subtrees and a note for each size it was signed at."""

    def __init__(self, key: NoteSigningKey | None = None) -> None:
        seed = hashlib.sha256(b"log in memory").digest()
        self.key = key or NoteSigningKey(name=ORIGIN, algorithm=Algorithm.ED25519, seed=seed)
        self.leaves: list[bytes] = []
        self.levels: list[list[bytes]] = [[]]
        self.notes: dict[int, str] = {}
        self.sign()

    def grow(self, size: int, leaf_at: Callable[[int], bytes] | None = None) -> "LogInMemory":
        """Add leaves up to this size and sign it."""
        for index in range(len(self.leaves), size):
            leaf = (leaf_at or plain_leaf)(index)
            self.leaves.append(leaf)
            level, value = 0, leaf_hash(leaf)
            self.levels[0].append(value)
            while len(self.levels[level]) % 2 == 0:
                value = node_hash(self.levels[level][-2], value)
                level += 1
                if level == len(self.levels):
                    self.levels.append([])
                self.levels[level].append(value)
        self.sign()
        return self

    def sign(self) -> None:
        """Sign the present size."""
        text = Checkpoint(origin=self.key.verifier.name, head=self.head()).encode()
        self.notes[len(self.leaves)] = compose_note(text, [self.key.sign(text)])

    def head(self) -> TreeHead:
        """Return the present head."""
        return TreeHead(size=len(self.leaves), root=root_at(self, len(self.leaves)))

    def node(self, level: int, index: int) -> bytes:
        """Return one perfect subtree."""
        return self.levels[level][index]

    def nodes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return a run of perfect subtrees."""
        return self.levels[level][start:end]

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return a run of leaves."""
        return self.leaves[start:end]

    def checkpoint_sizes(self, start: int, end: int) -> list[int]:
        """Return the signed sizes in this range."""
        return sorted(size for size in self.notes if start <= size <= end)

    def latest_note(self) -> str:
        """Return the note of the largest signed size."""
        return self.notes[max(self.notes)]

    def policy(self, *witnesses: VerifierKey, quorum: str = "none") -> Policy:
        """Return a policy for this log."""
        return parse_policy(policy_text(self.key.verifier, *witnesses, quorum=quorum))


def plain_leaf(index: int) -> bytes:
    """Return a leaf with made-up commitments, different for each index."""
    digest = hashlib.sha256(str(index).encode()).digest()
    return Leaf(time=NOW, kind="read", commitments=(digest,) * len(GROUPS)).encode()
