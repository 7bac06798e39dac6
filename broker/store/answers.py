"""Answers given before: the sealed document, and a receipt made anew from the log with every cosignature there is."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from audit.entry import Leaf, Opening, unpad
from audit.errors import AuditError
from audit.log import OPENED_TO_ASKER
from audit.merkle import inclusion_proof
from audit.policy_file import Policy
from audit.proof import TlogProof
from audit.receipt import Receipt
from audit.seal import KeyEncryptionKey, open_group
from audit.sqlite import SqliteLogReader
from broker.domain.errors import StorageError
from broker.ports import AnswerKey, AnswerStatus, AnswerToStore, Stamp, StampKey, StampKind, StoredAnswer
from broker.store.connection import open_connection, snapshot
from broker.store.ledger import ANSWER_GROUP
from broker.store.quorum import covered_size, uncovered_from
from broker.store.signal_rows import day


class SqliteAnswers:
    """`AnswerStore` over a database."""

    def __init__(self, path: Path, *, key_encryption_key: KeyEncryptionKey, policy: Policy) -> None:
        """Open the reading connection. Raises SchemaNotMigratedError."""
        self._connection = open_connection(path)
        self._connection.execute("PRAGMA query_only=ON")
        self._connection.row_factory = sqlite3.Row
        self._key = key_encryption_key
        self._policy = policy

    def close(self) -> None:
        """The connection is closed."""
        self._connection.close()

    async def find(self, *, organisation: str, idempotency_key: str) -> StoredAnswer | None:
        """Return what was answered under this key; None for another organisation's and for none at all.

        Raises:
            StorageError: it cannot be read, or its payloads were erased.
        """
        query = "SELECT * FROM answers WHERE organisation = ? AND idempotency_key = ?"
        try:
            with snapshot(self._connection) as connection:
                row = connection.execute(query, (organisation, idempotency_key)).fetchone()
                if row is None:
                    return None
                return StoredAnswer(answer=self._answer(row), receipt=self._receipt(connection, row["entry_index"]))
        except (sqlite3.Error, AuditError) as error:
            raise StorageError from error

    def _answer(self, row: sqlite3.Row) -> AnswerToStore:
        padded = self._key.unwrap(row["sealed"], index=row["entry_index"], group=ANSWER_GROUP)
        document: Mapping[str, object] = json.loads(unpad(padded))
        return AnswerToStore(
            key=AnswerKey(
                organisation=row["organisation"],
                idempotency_key=row["idempotency_key"],
                worker=row["worker"],
                target=row["target"],
                body_sha256=row["body_sha256"],
            ),
            status=AnswerStatus(row["status"]),
            document=document,
            rests_on=tuple(
                Stamp(of=StampKey(kind=StampKind(kind), key=bytes.fromhex(key)), version=version)
                for kind, key, version in json.loads(row["rests_on"])
            ),
            valid_until=day(row["valid_until"]),
            signal_id=row["signal_id"],
        )

    def _receipt(self, connection: sqlite3.Connection, index: int) -> Mapping[str, object]:
        """Return the receipt of an entry: under the newest checkpoint with a quorum, else under its first one."""
        reader = SqliteLogReader(connection)
        leaf = Leaf.parse(reader.entries(index, index + 1)[0])
        covered = covered_size(connection, self._policy, above=index)
        query = "SELECT min(size) FROM log_checkpoints WHERE size > ?"
        size = covered or int(connection.execute(query, (index,)).fetchone()[0])
        proof = inclusion_proof(reader, index=index, size=size)
        return Receipt(
            leaf=leaf,
            proof=TlogProof(index=index, hashes=proof, note=reader.note(size)),
            openings={group: self._opening(reader, index, group) for group in OPENED_TO_ASKER},
            uncosigned_since=None if covered else uncovered_from(connection, self._policy),
        ).to_wire()

    def _opening(self, reader: SqliteLogReader, index: int, group: str) -> Opening:
        row = reader.sealed_row(index, group)
        if row is None:
            raise StorageError
        key = self._key.unwrap(row.wrapped_key, index=index, group=group)
        return open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
