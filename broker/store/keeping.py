"""Forgetting what is kept no longer, and telling once what is over: found outside any tick, done in the writer's own.

Every statement says its condition again, so that what is needed longer since it was read stays, and is told of nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from audit.database import Connection
from broker.consent_ports import consent_key, person_key
from broker.domain.changes import ForgetTickets
from broker.domain.households import TokenIndex
from broker.domain.keeping import ForgetRows, Kept, Over, bars
from broker.domain.notices import NoticeKind
from broker.exception_ports import worker_key
from broker.ports import StampKey
from broker.request_ports import request_key
from broker.store.consents import consent_of

_WHILE_IT_HOLDS = "SELECT 1 FROM consents c WHERE c.lapses_on IS NOT NULL AND c.id = "
"""Who received something on a consent hears of its end: what rests on it is kept while it holds."""
_LATER_ANSWER = f"""SELECT 1 FROM request_answers a WHERE a.request_id = information_requests.id
    AND (a.kind IN ('all', 'part') AND a.expires_on >= ? OR EXISTS ({_WHILE_IT_HOLDS} a.consent_id))"""  # noqa: S608 - no value in it
_REQUEST_OVER = f"""expires_on < ? AND NOT EXISTS ({_LATER_ANSWER})
    AND NOT EXISTS ({_WHILE_IT_HOLDS} information_requests.consent_id)"""
_CALL_OVER = f"""made_at < ? AND NOT EXISTS ({_WHILE_IT_HOLDS} phone_calls.consent_id)
    AND NOT EXISTS ({_WHILE_IT_HOLDS} phone_calls.answer_consent_id)"""
_OTHER_RECORD = """SELECT 1 FROM consent_tokens t JOIN consent_tokens o ON o.idx = t.idx
    JOIN consents other ON other.id = o.consent_id AND other.organisation = consents.organisation
    WHERE t.consent_id = consents.id AND other.keep_until >= ?"""
"""A no, and who was marked as a suspect, hold as long as there is anything about this person at this organisation."""
_NOTHING_ON_IT = """state IN ('withdrawn', 'ended')
    AND NOT EXISTS (SELECT 1 FROM act_handles h WHERE h.handle = signals.handle)
    AND NOT EXISTS (SELECT 1 FROM call_rings r WHERE r.signal_id = signals.id)
    AND NOT ((shielded OR EXISTS (SELECT 1 FROM signal_exclusions e WHERE e.signal_id = signals.id))
        AND EXISTS (SELECT 1 FROM signal_tokens x JOIN signal_tokens y ON y.idx = x.idx
            JOIN signals o ON o.id = y.signal_id JOIN act_handles h ON h.handle = o.handle
            JOIN acts a ON a.idx = h.idx AND a.organisation = signals.organisation WHERE x.signal_id = signals.id))"""
"""While content of an entry is found by a signal, its row says whose household that is about.

One that is hidden from somebody hides every act of its holder on that household, by whatever signal it is found.
"""
_OVER: Mapping[Kept, tuple[str, str]] = {
    Kept.LETTER_BOX: ("information_requests", "box_until < ?"),
    Kept.ANSWER_BOX: ("request_answers", "box_until < ?"),
    Kept.REQUEST: ("information_requests", _REQUEST_OVER),
    Kept.RINGS: ("calls", "rings_until < ?"),
    Kept.CALL: ("calls", "asked_until < ? AND rings_until IS NULL"),
    Kept.PHONE_CALL: ("phone_calls", _CALL_OVER),
    Kept.CONSENT: ("consents", f"keep_until < ? AND NOT EXISTS ({_OTHER_RECORD})"),
    Kept.EXCEPTION: ("exceptions", "keep_until < ?"),
    Kept.NOTICE: ("notices", "read_at < ?"),
    Kept.TEAM_TASK: ("team_tasks", "due_on < ? AND (done_on < ? OR kind = 'huisverbod')"),
    Kept.OWED_TASK: ("tasks", "done_at < ?"),
    Kept.SIGNAL: ("signals", f"ends_on < ? AND {_NOTHING_ON_IT}"),
}
"""Per kind its table, and when a row of it is needed no more."""
_ENDED: Mapping[Over, tuple[str, str]] = {
    Over.REQUEST: ("information_requests", "open_until < ?"),
    Over.CONSENT: ("consents", "lapses_on < ?"),
}
_ORDER: Mapping[str, str] = {"request_answers": "request_id"}
"""The key of a table, where it is not `id`."""


def overdue_query(kind: Kept | Over, before: str | int, *, at_most: int) -> tuple[str, tuple[object, ...]]:
    """Return the query for the keys of what is past its time, and its values."""
    table, condition = _ENDED[kind] if isinstance(kind, Over) else _OVER[kind]
    values = (before,) * condition.count("?")
    key = _ORDER.get(table, "id")
    # In the order of the index by which they are found: in that of the keys all that is not over would be read too.
    order = f"{condition.split(maxsplit=1)[0]}, {key}"
    return f"SELECT {key} FROM {table} WHERE {condition} ORDER BY {order} LIMIT ?", (*values, at_most)  # noqa: S608 - names of ours


def forget_rows(connection: Connection, change: ForgetRows) -> tuple[StampKey, ...]:
    """In the open transaction these rows are gone, with what hangs on them; returns the keys of the stamps it moves."""
    table, condition = _OVER[change.kind]
    query = f"SELECT 1 FROM {table} WHERE {_ORDER.get(table, 'id')} = ? AND {condition}"  # noqa: S608 - names of ours
    values = (change.before,) * condition.count("?")
    moved: list[StampKey] = []
    for row_id in change.ids:
        if connection.execute(query, (row_id, *values)).fetchone() is not None:
            moved += _FORGET[change.kind](connection, row_id)
    return tuple(moved)


def forget_tickets(connection: Connection, change: ForgetTickets) -> None:
    """The open transaction has these spent tickets no more."""
    query = "DELETE FROM spent_tickets WHERE custodian = ? AND ticket_id = ?"
    for ticket in change.tickets:
        connection.execute(query, ticket)


def forget_made_by(connection: Connection, *, first: int, last: int) -> tuple[StampKey, ...]:
    """In the open transaction the rows are gone that these entries made; returns the keys of the stamps it moves.

    A letter, an answer and a phone call have the id under which their own organisation asked for them. A record of
    consent stays that holds a no, or marks somebody as a suspect: a yes beside it would count then. So does an
    exception, against which what was told on it is held (ADR 34); both go with their terms.
    """
    query = "SELECT organisation, idempotency_key FROM answers WHERE entry_index BETWEEN ? AND ?"
    asked = connection.execute(query, (first, last)).fetchall()
    moved: list[StampKey] = []
    for forget, query in _ASKED.items():
        for organisation, key in asked:
            for (row_id,) in connection.execute(query, (organisation, key)).fetchall():
                moved += forget(connection, row_id)
    made = {}
    for table in ("calls", "consents"):
        query = f"SELECT id FROM {table} WHERE idx BETWEEN ? AND ?"  # noqa: S608 - as above
        made[table] = [row[0] for row in connection.execute(query, (first, last)).fetchall()]
    for call_id in made["calls"]:
        moved += _call(connection, call_id)
    for consent_id in made["consents"]:
        if not bars(consent_of(connection, consent_id)):
            moved += _consent(connection, consent_id)
    return tuple(moved)


def _letter_box(connection: Connection, request_id: str) -> Sequence[StampKey]:
    query = "UPDATE information_requests SET box = ?, box_until = NULL WHERE id = ?"
    connection.execute(query, (b"", request_id))
    return ()


def _answer_box(connection: Connection, request_id: str) -> Sequence[StampKey]:
    connection.execute("UPDATE request_answers SET box = ?, box_until = NULL WHERE request_id = ?", (b"", request_id))
    return ()


def _request(connection: Connection, request_id: str) -> Sequence[StampKey]:
    # That there is no consent any more is still to be read by who keeps what he received.
    query = "DELETE FROM notices WHERE about = ? AND kind <> ?"
    connection.execute(query, (request_id, NoticeKind.CONSENT_WITHDRAWN.value))
    _each(connection, request_id, "request_answers WHERE request_id", "information_requests WHERE id")
    return (request_key(request_id),)


def _answer(connection: Connection, request_id: str) -> Sequence[StampKey]:
    _each(connection, request_id, "request_answers WHERE request_id")
    return (request_key(request_id),)


def _rings(connection: Connection, call_id: str) -> Sequence[StampKey]:
    query = "DELETE FROM notices WHERE about IN (SELECT id FROM call_rings WHERE call_id = ?)"
    connection.execute(query, (call_id,))
    _each(connection, call_id, "call_rings WHERE call_id")
    connection.execute("UPDATE calls SET rings_until = NULL, asked_on = NULL WHERE id = ?", (call_id,))
    return ()


def _call(connection: Connection, call_id: str) -> Sequence[StampKey]:
    _rings(connection, call_id)
    _each(connection, call_id, "calls WHERE id")
    return ()


def _phone_call(connection: Connection, call_id: str) -> Sequence[StampKey]:
    _each(connection, call_id, "phone_calls WHERE id")
    return ()


def _consent(connection: Connection, consent_id: str) -> Sequence[StampKey]:
    query = "SELECT c.organisation, t.idx FROM consents c JOIN consent_tokens t ON t.consent_id = c.id WHERE c.id = ?"
    persons = connection.execute(query, (consent_id,)).fetchall()
    _each(connection, consent_id, "consent_tokens WHERE consent_id", "consent_events WHERE consent_id",
          "consents WHERE id")  # fmt: skip
    return (consent_key(consent_id), *(person_key(row[0], TokenIndex(bytes(row[1]))) for row in persons))


def _exception(connection: Connection, exception_id: str) -> Sequence[StampKey]:
    query = "SELECT organisation, worker FROM exceptions WHERE id = ?"
    of = connection.execute(query, (exception_id,)).fetchall()
    _each(connection, exception_id, "exception_tokens WHERE exception_id", "exceptions WHERE id")
    return tuple(worker_key(*row) for row in of)


def _notice(connection: Connection, notice_id: str) -> Sequence[StampKey]:
    _each(connection, notice_id, "notices WHERE id")
    return ()


def _team_task(connection: Connection, task_id: str) -> Sequence[StampKey]:
    _each(connection, task_id, "team_tasks WHERE id")
    return ()


def _owed_task(connection: Connection, number: int) -> Sequence[StampKey]:
    connection.execute("DELETE FROM tasks WHERE id = ?", (number,))
    return ()


def _signal(connection: Connection, signal_id: str) -> Sequence[StampKey]:
    tables = ("unmet_signals", "signal_tokens", "sealed_tokens", "signal_exclusions", "tasks")
    _each(connection, signal_id, *(f"{table} WHERE signal_id" for table in tables), "signals WHERE id")
    return ()


def _each(connection: Connection, row_id: str, *places: str) -> None:
    for place in places:
        connection.execute(f"DELETE FROM {place} = ?", (row_id,))  # noqa: S608 - names of ours


_FORGET: Mapping[Kept, Callable[[Connection, Any], Sequence[StampKey]]] = {
    Kept.LETTER_BOX: _letter_box,
    Kept.ANSWER_BOX: _answer_box,
    Kept.REQUEST: _request,
    Kept.RINGS: _rings,
    Kept.CALL: _call,
    Kept.PHONE_CALL: _phone_call,
    Kept.CONSENT: _consent,
    Kept.EXCEPTION: _exception,
    Kept.NOTICE: _notice,
    Kept.TEAM_TASK: _team_task,
    Kept.OWED_TASK: _owed_task,
    Kept.SIGNAL: _signal,
}
_ASKED: Mapping[Callable[[Connection, str], Sequence[StampKey]], str] = {
    _request: "SELECT id FROM information_requests WHERE sender = ? AND id = ?",
    _answer: """SELECT a.request_id FROM information_requests q JOIN request_answers a ON a.request_id = q.id
        WHERE q.receiver = ? AND a.id = ?""",
    _phone_call: "SELECT id FROM phone_calls WHERE caller = ? AND id = ?",
}
"""What an organisation made under an id that it drew itself."""
