"""Exceptions in the database: written with their entry and review task, completed once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from audit.database import Connection
from broker.domain.changes import FinishException, StoreException
from broker.domain.errors import StaleDecisionError
from broker.domain.exceptions import Documented, ExceptionRecord, ExceptionType
from broker.domain.keeping import exception_kept_until
from broker.domain.review import NOT_IN_ORDER, VERDICT, KeptNote, is_closed
from broker.exception_ports import OpenAcute, OwnException, worker_key
from broker.ports import StampKey
from broker.store.connection import Reader
from broker.store.review_notes import kept_note
from broker.store.signals import read_stamps

_ROW = "e.id, e.organisation, e.worker, e.type, e.at, e.idx, e.body, e.rest, e.rest_at"
_PERSONS = "(SELECT count(*) FROM exception_tokens p WHERE p.exception_id = e.id)"
_OF_SIGNAL = """INSERT INTO exception_tokens (idx, exception_id, sealed) SELECT t.idx, ?, s.sealed FROM signal_tokens t
    JOIN sealed_tokens s ON s.idx = t.idx AND s.signal_id = t.signal_id
    WHERE t.signal_id = ? AND t.role = 'subject' ON CONFLICT DO NOTHING"""
_SIGNALS = """SELECT DISTINCT t.signal_id FROM exception_tokens p
    JOIN signal_tokens t ON t.idx = p.idx AND t.role = 'subject' JOIN signals s ON s.id = t.signal_id
    WHERE p.exception_id = ? AND s.organisation = ?"""
"""Own signals about whom it names: what another organisation holds is not asked, so that it tells nothing (D8)."""
_TOLD = """SELECT receiver FROM information_requests WHERE exception_id = ? AND sender = ?
    UNION SELECT q.sender FROM request_answers a JOIN information_requests q ON q.id = a.request_id
        WHERE a.exception_id = ? AND q.receiver = ?
    UNION SELECT receiver FROM phone_calls WHERE exception_id = ? AND caller = ?
    UNION SELECT caller FROM phone_calls WHERE answer_exception_id = ? AND receiver = ?"""
"""Whom a letter, an answer, a call or an oral answer told on it."""


class StoredExceptions:
    """`ExceptionReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def own(self, *, organisation: str, exception_id: str) -> OwnException | None:
        """Return this organisation's own exception. See `ExceptionReader.own`."""
        return await self._reader.run(lambda connection: read_own_exception(connection, organisation, exception_id))

    async def open_acute(self, *, organisation: str, worker: str) -> OpenAcute:
        """Return whether this worker has an acute exception open. See `ExceptionReader.open_acute`."""
        return await self._reader.run(lambda connection: _open_acute(connection, organisation, worker))

    async def list_own(self, *, organisation: str, after: str | None, at_most: int) -> tuple[ExceptionRecord, ...]:
        """Return own exceptions in the order of their ids. See `ExceptionReader.list_own`."""
        query = (
            f"SELECT {_ROW}, {_PERSONS} FROM exceptions e WHERE e.organisation = ? AND e.id > ? ORDER BY e.id LIMIT ?"  # noqa: S608 - column names of ours
        )
        rows = await self._reader.run(
            lambda connection: connection.execute(query, (organisation, after or "", at_most)).fetchall()
        )
        return tuple(_record(row) for row in rows)


def store_exception(connection: Connection, change: StoreException, *, index: int) -> tuple[StampKey, ...]:
    """The open transaction holds this exception; returns the keys of the stamps it moves."""
    record = change.record
    connection.execute(
        "INSERT INTO exceptions (id, organisation, worker, type, at, idx, body, keep_until) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.id, record.organisation, record.worker, record.type.value, record.at, index,
            json.dumps(_body(record)), exception_kept_until(record).isoformat(),
        ),
    )  # fmt: skip
    for token in change.tokens:
        connection.execute(
            "INSERT INTO exception_tokens (idx, exception_id, sealed) VALUES (?, ?, ?)",
            (token.index.reveal(), record.id, token.sealed.reveal()),
        )
    if change.signal_id is not None:
        connection.execute(_OF_SIGNAL, (record.id, change.signal_id))
    return (worker_key(record.organisation, record.worker),)


def finish_exception(connection: Connection, change: FinishException) -> tuple[StampKey, ...]:
    """The open transaction holds the rest of this exception; returns the keys of the stamps it moves.

    Raises:
        StaleDecisionError: there is none that waits for it.
    """
    record = change.record
    query = "UPDATE exceptions SET rest = ?, rest_at = ? WHERE id = ? AND organisation = ? AND rest IS NULL"
    rest = json.dumps(_documented_body(record.rest))
    if connection.execute(query, (rest, record.rest_at, record.id, record.organisation)).rowcount != 1:
        raise StaleDecisionError
    return (worker_key(record.organisation, record.worker),)


def read_own_exception(connection: Connection, organisation: str, exception_id: str) -> OwnException | None:
    """Return this organisation's own exception, in the connection's transaction."""
    query = f"SELECT {_ROW}, {_PERSONS} FROM exceptions e WHERE e.id = ? AND e.organisation = ?"  # noqa: S608 - column names of ours
    row = connection.execute(query, (exception_id, organisation)).fetchone()
    if row is None:
        return None
    record = _record(row)
    (stamp,) = read_stamps(connection, [worker_key(organisation, record.worker)])
    told = frozenset(row[0] for row in connection.execute(_TOLD, (exception_id, organisation) * 4).fetchall())
    verdicts = [] if record.index is None else _verdicts(connection, organisation, record.index)
    rejected = bool(verdicts) and verdicts[-1].note.body["verdict"] == NOT_IN_ORDER
    rows = connection.execute(_SIGNALS, (exception_id, organisation)).fetchall()
    signals = frozenset(row[0] for row in rows)
    return OwnException(record=record, stamp=stamp, told=told, rejected=rejected, signals=signals)


def _open_acute(connection: Connection, organisation: str, worker: str) -> OpenAcute:
    query = "SELECT idx, rest FROM exceptions WHERE organisation = ? AND worker = ? AND type = ?"
    acute = connection.execute(query, (organisation, worker, ExceptionType.ACUTE.value)).fetchall()
    (stamp,) = read_stamps(connection, [worker_key(organisation, worker)])
    is_open = any(rest is None or not _reviewed(connection, organisation, index) for index, rest in acute)
    return OpenAcute(is_open=is_open, stamp=stamp)


def _reviewed(connection: Connection, organisation: str, index: int) -> bool:
    """Return whether nobody waits for a verdict on this entry any more: of a high risk two found it in order."""
    return is_closed(_verdicts(connection, organisation, index), high=True)


def _verdicts(connection: Connection, organisation: str, index: int) -> list[KeptNote]:
    """Return the verdicts of the own reviewers on this entry, oldest first."""
    query = """SELECT idx, organisation, worker, kind, about, body, at FROM review_notes
        WHERE organisation = ? AND kind = ? AND about = ? ORDER BY idx"""
    return [kept_note(row) for row in connection.execute(query, (organisation, VERDICT, str(index))).fetchall()]


_TEXTS = (
    "controller", "team", "recipient", "recipient_organisation", "purpose", "ground", "category", "reason",
    "approved_by", "case_ref",
)  # fmt: skip


def _body(record: ExceptionRecord) -> dict[str, object]:
    return {
        **{name: getattr(record, name) for name in _TEXTS},
        "approval_asked": record.approval_asked,
        "level": record.level,
        "documented": _documented_body(record.documented),
    }


def _documented_body(documented: Documented | None) -> dict[str, object] | None:
    if documented is None:
        return None
    return {
        "commitment": documented.commitment,
        "answered": sorted(documented.answered),
        "consulted": documented.consulted,
        "with_veilig_thuis": documented.with_veilig_thuis,
        "tell_on": None if documented.tell_on is None else documented.tell_on.isoformat(),
        "deferral": documented.deferral,
        "meldcode_step": documented.meldcode_step,
    }


def _documented(body: Mapping[str, Any] | None) -> Documented | None:
    if body is None:
        return None
    tell_on = None if body["tell_on"] is None else date.fromisoformat(body["tell_on"])
    return Documented(**{**body, "answered": frozenset(body["answered"]), "tell_on": tell_on})


def _record(row: Sequence[Any]) -> ExceptionRecord:
    exception_id, organisation, worker, kind, at, index, text, rest, rest_at, persons = row
    body = json.loads(text)
    record = ExceptionRecord(
        id=exception_id,
        organisation=organisation,
        worker=worker,
        type=ExceptionType(kind),
        at=at,
        index=index,
        documented=_documented(body["documented"]),
        # What was stored before rosters could say so was asked.
        approval_asked=body.get("approval_asked", True),
        level=body.get("level", 3),
        persons=persons,
        **{name: body[name] for name in _TEXTS},
    )
    if rest is None:
        return record
    return replace(record, rest=_documented(json.loads(rest)), rest_at=rest_at)
