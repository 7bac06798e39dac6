"""Answers that are kept to be given again: everything of them sealed beside their entry's `meta`, and erased with it.

In clear stand the organisation, the random key it chose, the entry's index and the time, and nothing of who asked what:
a copy of the row, in a backup or a write-ahead log, opens no more than the entry does.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import rfc8785

from audit.database import Connection
from audit.entry import pad, unpad
from audit.seal import open_beside, seal_beside
from broker.domain.errors import AlreadyAnsweredError
from broker.ports import AnswerKey, AnswerStatus, AnswerToStore, Stamp, StampKey, StampKind
from broker.store.signal_rows import day, iso

ANSWER_BLOCK = 16_384
"""Bytes a kept answer is padded to a multiple of, so that its row does not tell what it holds."""
LABEL = "kept answer"
"""How it is sealed beside its entry's `meta`."""
FORMER_LABEL = "answer"
"""How the document alone was sealed, when the rest of the row stood in clear."""
_INSERT = """INSERT INTO answers (organisation, idempotency_key, worker, target, body_sha256, status, entry_index,
    sealed, rests_on, valid_until, signal_id, created_at) VALUES (?, ?, '', '', '', '', ?, ?, '', NULL, NULL, ?)"""


def keep_answer(
    connection: Connection, answer: AnswerToStore, *, key: bytes, random: Callable[[int], bytes], index: int, at: int
) -> None:
    """The open transaction holds this answer of this entry, sealed with the key of its `meta`."""
    whole = {
        "worker": answer.key.worker,
        "target": answer.key.target,
        "body_sha256": answer.key.body_sha256,
        "status": answer.status.value,
        "rests_on": _stamps_row(answer.rests_on),
        "valid_until": iso(answer.valid_until),
        "signal_id": answer.signal_id,
        "document": dict(answer.document),
    }
    text = rfc8785.dumps(whole)  # type: ignore[arg-type]  # rfc8785 itself checks every value
    padded = pad(text, (len(text) // ANSWER_BLOCK + 1) * ANSWER_BLOCK)
    sealed = seal_beside(key, LABEL, padded, random)
    connection.execute(_INSERT, (answer.key.organisation, answer.key.idempotency_key, index, sealed, at))


def forget_answers(connection: Connection, *, first: int, last: int, keys_too: bool) -> None:
    """The open transaction holds of these entries' answers that they were given, and nothing else.

    So a request that is sent again under its key has no second effect. With `keys_too` it does not hold that either:
    after five years nobody sends a request again.
    """
    # Put anew, and not changed: the role that serves may delete rows of this table, and change none.
    query = (
        "SELECT organisation, idempotency_key, entry_index, created_at FROM answers WHERE entry_index BETWEEN ? AND ?"
    )
    given = connection.execute(query, (first, last)).fetchall()
    connection.execute("DELETE FROM answers WHERE entry_index BETWEEN ? AND ?", (first, last))
    for organisation, key, index, at in () if keys_too else given:
        connection.execute(_INSERT, (organisation, key, index, b"", at))


def opened_answer(row: Mapping[str, Any], key: bytes) -> AnswerToStore:
    """Return the answer in a row, opened with the key of its entry's `meta`. Raises SealError."""
    former = bool(row["status"])
    opened: dict[str, Any] = json.loads(unpad(open_beside(key, FORMER_LABEL if former else LABEL, row["sealed"])))
    whole = {**row, "document": opened, "rests_on": json.loads(row["rests_on"])} if former else opened
    return AnswerToStore(
        key=AnswerKey(
            organisation=row["organisation"],
            idempotency_key=row["idempotency_key"],
            worker=whole["worker"],
            target=whole["target"],
            body_sha256=whole["body_sha256"],
        ),
        status=AnswerStatus(whole["status"]),
        document=whole["document"],
        rests_on=tuple(
            Stamp(of=StampKey(kind=StampKind(kind), key=bytes.fromhex(of)), version=version)
            for kind, of, version in whole["rests_on"]
        ),
        valid_until=day(whole["valid_until"]),
        signal_id=whole["signal_id"],
    )


def _stamps_row(stamps: tuple[Stamp, ...]) -> list[list[object]]:
    return [[stamp.of.kind.value, stamp.of.key.hex(), stamp.version] for stamp in stamps]


def check_key(connection: Connection, key: AnswerKey) -> None:
    """Hold only for a key without an answer, to whatever request. Raises AlreadyAnsweredError."""
    query = "SELECT 1 FROM answers WHERE organisation = ? AND idempotency_key = ?"
    if connection.execute(query, (key.organisation, key.idempotency_key)).fetchone() is not None:
        raise AlreadyAnsweredError
