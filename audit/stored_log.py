"""The log in a database: reading it, and writing it inside a transaction that somebody else opened."""

import sqlite3
from collections.abc import Mapping, Sequence

from audit.database import Connection
from audit.entry import Leaf
from audit.erasure import ErasedRange
from audit.errors import LogStoreError
from audit.log import SealedRow
from audit.merkle import Node, TreeHead, inclusion_proof, root_at
from audit.proof import TlogProof


class StoredLog:
    """Reads the log over a connection; what it sees is what that connection's transaction sees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def size(self) -> int:
        """Return the number of entries."""
        return int(self._connection.execute("SELECT coalesce(max(idx) + 1, 0) FROM log_entries").fetchone()[0])

    def next_time(self, now: int) -> int:
        """Return the time that the next entries state: now, or the newest entry's, which they never go back before.

        Raises:
            LogStoreError, EntryError: the newest entry is not there, or is none.

        """
        size = self.size()
        return max(now, Leaf.parse(bytes(self.entries(size - 1, size)[0])).time) if size else now

    def head(self) -> TreeHead:
        """Return the size and the root over the stored nodes.

        Raises:
            LogStoreError: a node is missing.

        """
        size = self.size()
        return TreeHead(size=size, root=root_at(self, size))

    def node(self, level: int, index: int) -> bytes:
        """Return the stored hash of one perfect subtree.

        Raises:
            LogStoreError: it is not stored.

        """
        query = "SELECT hash FROM log_nodes WHERE level = ? AND idx = ?"
        row = self._connection.execute(query, (level, index)).fetchone()
        if row is None:
            raise LogStoreError("log: a node is missing")
        return bytes(row[0])

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the hashes from the entry's sibling up to the child of the root, read from the database at once.

        Raises:
            LogStoreError: a node is missing.
            ProofError: the entry stands outside that tree.

        """
        # (1) Which nodes it takes: the proof is built once over a reader that only notes what it is asked.
        places = _Places()
        inclusion_proof(places, index=index, size=size)
        # (2) One statement for all of them; (3) the proof.
        return inclusion_proof(self._nodes_at(places.asked), index=index, size=size)

    def _nodes_at(self, places: Sequence[tuple[int, int]]) -> "_Nodes":
        if not places:
            return _Nodes({})
        query = f"""WITH wanted (level, idx) AS (VALUES {", ".join(["(?, ?)"] * len(places))})
            SELECT node.level, node.idx, node.hash FROM wanted
            JOIN log_nodes AS node ON node.level = wanted.level AND node.idx = wanted.idx"""  # noqa: S608 - question marks
        rows = self._connection.execute(query, [part for place in places for part in place]).fetchall()
        return _Nodes({(level, index): bytes(value) for level, index, value in rows})

    def nodes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the hashes of the perfect subtrees `start` up to `end` of a level.

        Raises:
            LogStoreError: one is not stored.

        """
        query = "SELECT hash FROM log_nodes WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx"
        return self._complete(self._connection.execute(query, (level, start, end)).fetchall(), end - start)

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return the leaf texts of the entries `start` up to `end`.

        Raises:
            LogStoreError: one is not stored.

        """
        query = "SELECT leaf FROM log_entries WHERE idx >= ? AND idx < ? ORDER BY idx"
        return self._complete(self._connection.execute(query, (start, end)).fetchall(), end - start)

    @staticmethod
    def _complete(rows: list[tuple[bytes]], count: int) -> list[bytes]:
        if len(rows) != count:
            raise LogStoreError("log: an entry or node is missing")
        return [row[0] for row in rows]

    def checkpoint_sizes(self, start: int, end: int) -> list[int]:
        """Return the sizes from `start` up to and with `end` that have a checkpoint, ascending."""
        query = "SELECT size FROM log_checkpoints WHERE size >= ? AND size <= ? ORDER BY size"
        return [row[0] for row in self._connection.execute(query, (start, end))]

    def latest_note(self) -> str:
        """Return the newest checkpoint with every cosignature there is.

        Raises:
            LogStoreError: the log has no checkpoint.

        """
        row = self._connection.execute("SELECT max(size) FROM log_checkpoints").fetchone()
        if row[0] is None:
            raise LogStoreError("log: there is no checkpoint")
        return self.note(row[0])

    def note(self, size: int) -> str:
        """Return the checkpoint of this size with every cosignature there is, in the order of the witnesses' keys.

        Raises:
            LogStoreError: this size has no checkpoint.

        """
        row = self._connection.execute("SELECT note FROM log_checkpoints WHERE size = ?", (size,)).fetchone()
        if row is None:
            raise LogStoreError("log: there is no checkpoint")
        query = "SELECT line FROM log_cosignatures WHERE size = ? ORDER BY witness"
        return str(row[0]) + "".join(line for (line,) in self._connection.execute(query, (size,)))

    def proof(self, index: int, size: int) -> TlogProof:
        """Return the proof of an entry at a later checkpoint, with every cosignature that has come in since.

        Raises:
            LogStoreError: this size has no checkpoint, or a node is missing.
            ProofError: the entry stands outside that tree.

        """
        return TlogProof(index=index, hashes=self.inclusion_proof(index, size), note=self.note(size))

    def cosigned_size(self, witness: str) -> int:
        """Return the largest size that the witness with this vkey has cosigned, 0 for none."""
        # From the newest back, which is nearly always the first row; `max` would read every one there ever was.
        query = "SELECT size FROM log_cosignatures WHERE witness = ? ORDER BY size DESC LIMIT 1"
        row = self._connection.execute(query, (witness,)).fetchone()
        return 0 if row is None else int(row[0])

    def cosigned_sizes(self, below: int, at_most: int) -> list[int]:
        """Return sizes under this one that some witness cosigned, the largest first."""
        query = "SELECT DISTINCT size FROM log_cosignatures WHERE size < ? ORDER BY size DESC LIMIT ?"
        return [int(size) for (size,) in self._connection.execute(query, (below, at_most)).fetchall()]

    def noted_erasures(self) -> frozenset[tuple[str, int, int, int]]:
        """Return group, first, last and erasing entry of each range that is noted beside the entries as erased."""
        rows = self._connection.execute("SELECT grp, first_idx, last_idx, erased_by FROM log_erased").fetchall()
        return frozenset((str(group), int(first), int(last), int(by)) for group, first, last, by in rows)

    def sealed_row(self, index: int, group: str) -> SealedRow | None:
        """Return what is stored of one group of one entry, None when payload or key is not there (any more)."""
        query = (
            "SELECT nonce, ciphertext, wrapped, epoch FROM log_payloads JOIN log_payload_keys USING (idx, grp) "
            "WHERE idx = ? AND grp = ?"
        )
        row = self._connection.execute(query, (index, group)).fetchone()
        if row is None:
            return None
        return SealedRow(
            index=index, group=group, nonce=row[0], ciphertext=row[1], wrapped_key=row[2], epoch=row[3]
        )  # fmt: skip

    def erased_by(self, index: int, group: str) -> int | None:
        """Return the entry by which this group of this entry was erased, None where none says so."""
        query = """SELECT last_idx, erased_by FROM log_erased
            WHERE grp = ? AND first_idx <= ? ORDER BY first_idx DESC LIMIT 1"""
        row = self._connection.execute(query, (group, index)).fetchone()
        return None if row is None or row[0] < index else int(row[1])


class _Places:
    """A reader that notes which nodes it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def node(self, level: int, index: int) -> bytes:
        self.asked.append((level, index))
        return b""


class _Nodes:
    """A reader of nodes that were read before."""

    def __init__(self, known: Mapping[tuple[int, int], bytes]) -> None:
        self._known = known

    def node(self, level: int, index: int) -> bytes:
        found = self._known.get((level, index))
        if found is None:
            raise LogStoreError("log: a node is missing")
        return found


class StoredLogTransaction(StoredLog):
    """The log's side of one open write transaction; it neither begins, commits nor rolls back."""

    def __init__(self, connection: Connection) -> None:
        """Work on this connection.

        Raises:
            LogStoreError: the connection is in no transaction, so that entry and state could come apart.

        """
        if not connection.in_transaction:
            raise LogStoreError("log: the connection is in no transaction")
        super().__init__(connection)

    def insert_entries(self, first_index: int, leaves: Sequence[bytes]) -> None:
        """These leaf texts are the entries from `first_index` on."""
        self._insert("INSERT INTO log_entries (idx, leaf) VALUES (?, ?)", list(enumerate(leaves, start=first_index)))

    def insert_nodes(self, nodes: Sequence[Node]) -> None:
        """These perfect subtrees are stored, each once."""
        rows = sorted((node.level, node.index, node.hash) for node in nodes)
        self._insert("INSERT INTO log_nodes (level, idx, hash) VALUES (?, ?, ?)", rows)

    def insert_payloads(self, rows: Sequence[SealedRow]) -> None:
        """These sealed groups and their wrapped keys are stored."""
        payloads = [(row.index, row.group, row.nonce, row.ciphertext) for row in rows]
        keys = [(row.index, row.group, row.epoch, row.wrapped_key) for row in rows]
        self._insert("INSERT INTO log_payloads (idx, grp, nonce, ciphertext) VALUES (?, ?, ?, ?)", payloads)
        self._insert("INSERT INTO log_payload_keys (idx, grp, epoch, wrapped) VALUES (?, ?, ?, ?)", keys)

    def insert_checkpoint(self, size: int, note: str) -> None:
        """This signed note is the checkpoint of this size, larger than all before."""
        self._insert("INSERT INTO log_checkpoints (size, note) VALUES (?, ?)", [(size, note)])

    def erase(self, ranges: Sequence[ErasedRange], *, erased_by: int) -> frozenset[int] | None:
        """Payloads and keys of these ranges are gone; returned are the epochs whose key-encryption keys opened them.

        What was copied before stays openable until those keys are destroyed. None when something in a range is not
        there (any more): the caller undoes it.

        """
        epochs: set[int] = set()
        for one in ranges:
            place = (one.group, one.first, one.last)
            count = one.last - one.first + 1
            query = "SELECT DISTINCT epoch FROM log_payload_keys WHERE grp = ? AND idx BETWEEN ? AND ?"
            epochs.update(row[0] for row in self._connection.execute(query, place))
            for table in ("log_payload_keys", "log_payloads"):
                statement = f"DELETE FROM {table} WHERE grp = ? AND idx BETWEEN ? AND ?"  # noqa: S608 - table names of ours
                if self._connection.execute(statement, place).rowcount != count:
                    return None
        rows = [(one.group, one.first, one.last, erased_by) for one in ranges]
        self._insert("INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES (?, ?, ?, ?)", rows)
        return frozenset(epochs)

    def insert_cosignature(self, size: int, witness: str, line: str) -> None:
        """This verified line of the witness with this vkey belongs to the checkpoint of this size."""
        self._insert("INSERT INTO log_cosignatures (size, witness, line) VALUES (?, ?, ?)", [(size, witness, line)])

    def _insert(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise LogStoreError("log: the database refused the insert") from error
