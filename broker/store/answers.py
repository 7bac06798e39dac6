"""Answers given before: the sealed document, and a receipt made anew from the log with every cosignature there is."""

from collections.abc import Mapping
from typing import Any

from audit.database import Connection
from audit.entry import Leaf, Opening
from audit.errors import AuditError
from audit.key_ring import KeyRing
from audit.log import OPENED_TO_ASKER
from audit.policy_file import Policy
from audit.proof import TlogProof
from audit.receipt import Receipt
from audit.seal import open_group
from audit.stored_log import StoredLog
from broker.domain.errors import AnswerWithheldError, StorageError
from broker.ports import StoredAnswer
from broker.store.connection import Reader
from broker.store.kept_answers import opened_answer
from broker.store.quorum import covered_size, uncovered_from

_COLUMNS = (
    "organisation", "idempotency_key", "worker", "target", "body_sha256", "status", "entry_index", "sealed", "rests_on",
    "valid_until", "signal_id",
)  # fmt: skip


class StoredAnswers:
    """`AnswerStore` over a database."""

    def __init__(self, reader: Reader, *, keys: KeyRing, policy: Policy) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader
        self._keys = keys
        self._policy = policy

    async def find(self, *, organisation: str, idempotency_key: str) -> StoredAnswer | None:
        """Return what was answered under this key; None for another organisation's and for none at all.

        Raises:
            AnswerWithheldError: its entry's payloads were erased, and what was kept with them.
            StorageError: it cannot be read.
        """
        query = f"SELECT {', '.join(_COLUMNS)} FROM answers WHERE organisation = ? AND idempotency_key = ?"  # noqa: S608 - column names of ours

        def read(connection: Connection) -> StoredAnswer | None:
            row = connection.execute(query, (organisation, idempotency_key)).fetchone()
            return None if row is None else self._stored(connection, dict(zip(_COLUMNS, row, strict=True)))

        try:
            return await self._reader.run(read)
        except AuditError as error:
            raise StorageError from error

    def _stored(self, connection: Connection, row: Mapping[str, Any]) -> StoredAnswer:
        log, index = StoredLog(connection), int(row["entry_index"])
        if not row["sealed"] and any(log.erased_by(index, group) is not None for group in OPENED_TO_ASKER):
            raise AnswerWithheldError(receipt=self._receipt(connection, index), signal_id=None)
        meta = self._opening(log, index, "meta")
        if meta is None:
            raise StorageError
        return StoredAnswer(answer=opened_answer(row, meta.key), receipt=self._receipt(connection, index))

    def _receipt(self, connection: Connection, index: int) -> Mapping[str, object]:
        """Return the receipt of an entry: under the newest checkpoint with a quorum, else under its first one."""
        reader = StoredLog(connection)
        leaf = Leaf.parse(reader.entries(index, index + 1)[0])
        covered = covered_size(connection, self._policy, above=index)
        query = "SELECT min(size) FROM log_checkpoints WHERE size > ?"
        size = covered or int(connection.execute(query, (index,)).fetchone()[0])
        proof = reader.inclusion_proof(index, size)
        return Receipt(
            leaf=leaf,
            proof=TlogProof(index=index, hashes=proof, note=reader.note(size)),
            openings={
                group: opening
                for group in OPENED_TO_ASKER
                if (opening := self._opening(reader, index, group)) is not None
            },
            uncosigned_since=None if covered else uncovered_from(connection, self._policy),
        ).to_wire()

    def _opening(self, reader: StoredLog, index: int, group: str) -> Opening | None:
        row = reader.sealed_row(index, group)
        if row is None:
            return None
        key = self._keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=group)
        return open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
