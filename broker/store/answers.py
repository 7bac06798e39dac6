"""Answers given before: the sealed document, and a receipt made anew from the log with every cosignature there is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from audit.database import Connection
from audit.entry import Leaf, Opening, unpad
from audit.errors import AuditError
from audit.key_ring import KeyRing
from audit.log import OPENED_TO_ASKER
from audit.policy_file import Policy
from audit.proof import TlogProof
from audit.receipt import Receipt
from audit.seal import open_beside, open_group
from audit.stored_log import StoredLog
from broker.domain.errors import StorageError
from broker.ports import AnswerKey, AnswerStatus, AnswerToStore, Stamp, StampKey, StampKind, StoredAnswer
from broker.store.connection import Reader
from broker.store.ledger import ANSWER_LABEL
from broker.store.quorum import covered_size, uncovered_from
from broker.store.signal_rows import day

_COLUMNS = (
    "organisation, idempotency_key, worker, target, body_sha256, status, entry_index, sealed, rests_on, valid_until, "
    "signal_id"
)


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
            StorageError: it cannot be read, or its payloads were erased.
        """
        query = f"SELECT {_COLUMNS} FROM answers WHERE organisation = ? AND idempotency_key = ?"  # noqa: S608 - column names of ours

        def read(connection: Connection) -> StoredAnswer | None:
            row = connection.execute(query, (organisation, idempotency_key)).fetchone()
            return None if row is None else self._stored(connection, row)

        try:
            return await self._reader.run(read)
        except AuditError as error:
            raise StorageError from error

    def _stored(self, connection: Connection, row: Sequence[Any]) -> StoredAnswer:
        (
            organisation, idempotency_key, worker, target, body_sha256, status, index, sealed, rests_on, valid_until,
            signal_id,
        ) = row  # fmt: skip
        meta = self._opening(StoredLog(connection), index, "meta")
        document: Mapping[str, object] = json.loads(unpad(open_beside(meta.key, ANSWER_LABEL, sealed)))
        answer = AnswerToStore(
            key=AnswerKey(
                organisation=organisation,
                idempotency_key=idempotency_key,
                worker=worker,
                target=target,
                body_sha256=body_sha256,
            ),
            status=AnswerStatus(status),
            document=document,
            rests_on=tuple(
                Stamp(of=StampKey(kind=StampKind(kind), key=bytes.fromhex(key)), version=version)
                for kind, key, version in json.loads(rests_on)
            ),
            valid_until=day(valid_until),
            signal_id=signal_id,
        )
        return StoredAnswer(answer=answer, receipt=self._receipt(connection, index))

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
            openings={group: self._opening(reader, index, group) for group in OPENED_TO_ASKER},
            uncosigned_since=None if covered else uncovered_from(connection, self._policy),
        ).to_wire()

    def _opening(self, reader: StoredLog, index: int, group: str) -> Opening:
        row = reader.sealed_row(index, group)
        if row is None:
            raise StorageError
        key = self._keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=group)
        return open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
