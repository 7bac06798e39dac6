"""The logs that `ONLY=audit` measures: grown by the product's own functions, and the same leaves in a peer's tree."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pymerkle import SqliteTree

from audit.entry import GROUPS, Leaf
from audit.log import Grown, extend, found_log
from audit.policy_file import Policy, parse_policy
from audit.schema import create_tables
from audit.signer import LocalSigner
from audit.sqlite import open_database
from audit.stored_log import StoredLog, StoredLogTransaction
from audit.tiles import publish

ORIGIN = "bench.example/log"
STARTS_AT = 1_795_305_600
TICK = 32
_BULK = 20_000


def leaves_from(first: int, count: int) -> list[Leaf]:
    """Return so many leaves, each with commitments of its own."""
    return [_leaf(index) for index in range(first, first + count)]


def _leaf(index: int) -> Leaf:
    digest = hashlib.sha256(index.to_bytes(8, "big")).digest()
    return Leaf(time=STARTS_AT + index // TICK, kind="read", commitments=(digest,) * len(GROUPS))


class GrownLog:
    """A log of a given size in a folder of its own, without payloads: entries, nodes and checkpoints."""

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir()
        self._folder = folder
        self.verifier = LocalSigner.create(folder / "log.key", ORIGIN)
        self.signer = LocalSigner.open(folder / "log.key")
        self.connection = open_database(folder / "log.sqlite")
        create_tables(self.connection)
        self.connection.execute("BEGIN IMMEDIATE")
        found_log(StoredLogTransaction(self.connection), signer=self.signer)
        self.connection.execute("COMMIT")
        self.size = 0
        while self.size < size:
            self.tick(min(_BULK, size - self.size))

    @property
    def reader(self) -> StoredLog:
        """The log as its readers see it."""
        return StoredLog(self.connection)

    def tick(self, count: int) -> Grown:
        """So many leaves are durable under one released checkpoint."""
        leaves = leaves_from(self.size, count)
        self.connection.execute("BEGIN IMMEDIATE")
        grown = extend(StoredLogTransaction(self.connection), leaves, at_size=self.size, signer=self.signer)
        self.connection.execute("COMMIT")
        self.signer.settle(grown.checkpoint.head)
        self.size += count
        return grown

    def published(self) -> tuple[Path, Policy]:
        """Return the folder into which the log is published, and the policy that a reader holds."""
        text = f"log {self.verifier.encode()}\nquorum none\n"
        publish(self.reader, self._folder / "tiles", text)
        return self._folder / "tiles", parse_policy(text)

    def close(self) -> None:
        """Database and signer are let go."""
        self.connection.close()
        self.signer.close()


def peer_tree(path: Path, size: int) -> SqliteTree:
    """Return pymerkle's durable tree over the same leaves."""
    tree = SqliteTree(str(path))
    tree.append_entries(_encoded(size))
    return tree


def _encoded(size: int) -> Iterator[bytes]:
    for index in range(size):
        yield _leaf(index).encode()
