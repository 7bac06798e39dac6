"""Requests and answers in the database: each side reads its own, every change is part of the writer's transaction."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from audit.database import Connection
from broker.domain.errors import KeyReusedError, StaleDecisionError
from broker.domain.flags import local
from broker.domain.information_requests import (
    OPEN,
    STATE_OF_ANSWER,
    Delivery,
    InformationRequest,
    LetterKind,
    MoveDelivery,
    PassOnRequest,
    RequestReply,
    RequestState,
    StoreReply,
    StoreRequest,
    TakeBack,
)
from broker.domain.keeping import opened_box_until
from broker.store.connection import Reader
from broker.store.letter_chunks import destroy_chunks, name_chunks
from broker.store.stated_proofs import proof_of, proof_text, rests_of, rests_text

_REQUEST = (
    "id", "kind", "sender", "sender_team", "sender_worker", "sender_role", "controller", "receiver", "receiver_team",
    "receiver_worker", "personal", "purpose", "grounds", "categories", "level", "proof", "signal_id", "approved",
    "bundle", "sent_at", "expires_on", "rests_on", "match_id", "asked_team", "consent_id", "exception_id", "state",
    "delivery", "fetched_by", "chunks", "about_signals",
)  # fmt: skip
_REPLY = (
    "id", "worker", "kind", "reason", "categories", "level", "grounds", "proof", "signal_id", "approved", "bundle",
    "answered_at", "expires_on", "rests_on", "consent_id", "exception_id", "controller", "delivery",
    "fetched_by", "chunks",
)  # fmt: skip
_LISTS = ("grounds", "categories", "chunks", "fetched_by")
_OPEN_STATES = tuple(sorted(OPEN))
_PLACES = ", ".join("?" * (len(_REQUEST) + 3))
_INSERT = f"""INSERT INTO information_requests ({", ".join(_REQUEST)}, open_until, box_until, box)
    VALUES ({_PLACES}) ON CONFLICT DO NOTHING"""  # noqa: S608 - column names of ours
_INSERT_REPLY = f"""INSERT INTO request_answers (request_id, {", ".join(_REPLY)}, box_until, box)
    VALUES ({", ".join("?" * (len(_REPLY) + 3))})"""  # noqa: S608 - as above
_SELECT = f"""SELECT {", ".join(f"q.{name}" for name in _REQUEST)}, {{box}},
    {", ".join(f"a.{name}" for name in _REPLY)}, {{answer_box}}
    FROM information_requests q LEFT JOIN request_answers a ON a.request_id = q.id
    WHERE (q.sender = ? OR q.receiver = ?)"""  # noqa: S608 - as above


class StoredRequests:
    """`RequestReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def request(self, *, organisation: str, request_id: str) -> InformationRequest | None:
        """Return a request of one of its sides. See `RequestReader.request`."""
        query = _SELECT.format(box="q.box", answer_box="a.box") + " AND q.id = ?"
        rows = await self._read(query, organisation, organisation, request_id)
        return rows[0] if rows else None

    async def requests(self, *, organisation: str, after: str, at_most: int) -> tuple[InformationRequest, ...]:
        """Return requests of one of their sides. See `RequestReader.requests`."""
        query = _SELECT.format(box="''", answer_box="NULL") + " AND q.id > ? ORDER BY q.id LIMIT ?"
        return await self._read(query, organisation, organisation, after, at_most)

    async def _read(self, query: str, *values: object) -> tuple[InformationRequest, ...]:
        return await self._reader.run(
            lambda connection: tuple(_request(row) for row in connection.execute(query, values).fetchall())
        )


def insert_request(connection: Connection, change: StoreRequest) -> None:
    """The open transaction holds this request.

    Raises:
        KeyReusedError: its sender used the id before; nobody else can have.
        StaleDecisionError: a chunk that it names is gone.
    """
    one = change.request
    lists = {name: json.dumps(getattr(one, name)) for name in (*_LISTS, "about_signals")}
    stored = {
        **{name: getattr(one, name) for name in _REQUEST},
        **lists,
        "proof": proof_text(one.proof),
        "expires_on": one.expires_on.isoformat(),
        "rests_on": rests_text(one.rests_on),
    }
    # Nobody answers what is told unasked, so nobody waits for that.
    until = one.expires_on.isoformat()
    open_until = until if one.kind is LetterKind.REQUEST else None
    values = [*(_plain(stored[name]) for name in _REQUEST), open_until, until, one.box]
    if connection.execute(_INSERT, values).rowcount != 1:
        raise KeyReusedError
    name_chunks(connection, one.chunks, organisation=one.sender, until=one.expires_on)


def pass_on(connection: Connection, change: PassOnRequest) -> None:
    """The open transaction has the request with this team and worker. Raises StaleDecisionError: it is not open."""
    query = f"""UPDATE information_requests SET state = ?, receiver_team = ?, receiver_worker = ?
        WHERE id = ? AND state IN ({_marks()})"""  # noqa: S608 - question marks
    values = (RequestState.FORWARDED.value, change.team, change.worker, change.request_id, *_OPEN_STATES)
    _once(connection, query, values)


def insert_reply(connection: Connection, change: StoreReply) -> None:
    """The open transaction holds this answer. Raises StaleDecisionError: it is not open, or a chunk is gone."""
    reply = change.reply
    query = f"UPDATE information_requests SET state = ?, open_until = NULL WHERE id = ? AND state IN ({_marks()})"  # noqa: S608 - as above
    _once(connection, query, (STATE_OF_ANSWER[reply.kind].value, change.request_id, *_OPEN_STATES))
    lists = {name: json.dumps(getattr(reply, name)) for name in _LISTS}
    stored = {
        **{name: getattr(reply, name) for name in _REPLY},
        **lists,
        "proof": proof_text(reply.proof),
        "expires_on": reply.expires_on.isoformat(),
        "rests_on": rests_text(reply.rests_on),
    }
    until = None if reply.box is None else reply.expires_on.isoformat()
    values = [change.request_id, *(_plain(stored[name]) for name in _REPLY), until, reply.box]
    connection.execute(_INSERT_REPLY, values)
    query = "SELECT receiver FROM information_requests WHERE id = ?"
    (receiver,) = connection.execute(query, (change.request_id,)).fetchall()[0]
    name_chunks(connection, reply.chunks, organisation=receiver, until=reply.expires_on)


def move_delivery(connection: Connection, change: MoveDelivery, *, now: int) -> None:
    """The open transaction has this box as far as this; one that was opened is kept for a short time only.

    With attachments it stays: it has the keys of what is still to be fetched.
    """
    table, key = ("request_answers", "request_id") if change.of_reply else ("information_requests", "id")
    query = f"UPDATE {table} SET delivery = ?, fetched_by = ? WHERE {key} = ?"  # noqa: S608 - names of ours
    _once(connection, query, (change.delivery.value, json.dumps(change.fetched_by), change.request_id))
    query = f"SELECT 1 FROM {table} WHERE {key} = ? AND chunks = '[]'"  # noqa: S608 - as above
    whole = connection.execute(query, (change.request_id,)).fetchone() is not None
    if change.delivery is Delivery.OPENED and whole:
        _box_until(connection, table, key, change.request_id, day=opened_box_until(now))


def take_back(connection: Connection, change: TakeBack, *, now: int) -> None:
    """The open transaction has the request withdrawn, its boxes for nobody, and no chunk of either letter any more.

    Raises:
        StaleDecisionError: it was withdrawn meanwhile.
    """
    query = "UPDATE information_requests SET state = ?, open_until = NULL WHERE id = ? AND state <> ?"
    withdrawn = RequestState.WITHDRAWN.value
    _once(connection, query, (withdrawn, change.request_id, withdrawn))
    for table, key in (("information_requests", "id"), ("request_answers", "request_id")):
        _box_until(connection, table, key, change.request_id, day=local(now).date())
    query = """SELECT q.sender, q.receiver, q.chunks, a.chunks FROM information_requests q
        LEFT JOIN request_answers a ON a.request_id = q.id WHERE q.id = ?"""
    ((sender, receiver, asked, answered),) = connection.execute(query, (change.request_id,)).fetchall()
    destroy_chunks(connection, json.loads(asked), organisation=sender)
    destroy_chunks(connection, json.loads(answered or "[]"), organisation=receiver)


def _box_until(connection: Connection, table: str, key: str, request_id: str, *, day: date) -> None:
    """Have a box kept no longer than this day; one that goes sooner, or is gone, stays as it is."""
    query = f"UPDATE {table} SET box_until = ? WHERE {key} = ? AND box_until > ?"  # noqa: S608 - names of ours
    connection.execute(query, (day.isoformat(), request_id, day.isoformat()))


def _once(connection: Connection, query: str, values: Sequence[object]) -> None:
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError


def _marks() -> str:
    return ", ".join("?" * len(_OPEN_STATES))


def _plain(value: Any) -> Any:  # noqa: ANN401 - a value of a column
    """Return a value as both drivers store it."""
    return int(value) if isinstance(value, bool) else getattr(value, "value", value)


def _request(row: Sequence[Any]) -> InformationRequest:
    stated = dict(zip(_REQUEST, row, strict=False))
    return InformationRequest(
        **{
            **stated,
            "kind": LetterKind(stated["kind"]),
            "personal": bool(stated["personal"]),
            "approved": bool(stated["approved"]),
            "grounds": tuple(json.loads(stated["grounds"])),
            "categories": tuple(json.loads(stated["categories"])),
            "chunks": tuple(json.loads(stated["chunks"])),
            "fetched_by": tuple(json.loads(stated["fetched_by"] or "[]")),
            "proof": proof_of(stated["proof"]),
            "expires_on": date.fromisoformat(stated["expires_on"]),
            "rests_on": rests_of(stated["rests_on"]),
            "about_signals": tuple(json.loads(stated["about_signals"])),
            "state": RequestState(stated["state"]),
            "delivery": Delivery(stated["delivery"]),
        },
        box=bytes(row[len(_REQUEST)] or b""),
        reply=_reply(row[len(_REQUEST) + 1 :]),
    )


def _reply(row: Sequence[Any]) -> RequestReply | None:
    stated = dict(zip(_REPLY, row, strict=False))
    if stated["id"] is None:
        return None
    box = row[len(_REPLY)]
    return RequestReply(
        **{
            **stated,
            "approved": bool(stated["approved"]),
            "grounds": tuple(json.loads(stated["grounds"])),
            "categories": tuple(json.loads(stated["categories"])),
            "chunks": tuple(json.loads(stated["chunks"])),
            "fetched_by": tuple(json.loads(stated["fetched_by"] or "[]")),
            "proof": proof_of(stated["proof"]),
            "expires_on": date.fromisoformat(stated["expires_on"]),
            "rests_on": rests_of(stated["rests_on"]),
            "delivery": Delivery(stated["delivery"]),
        },
        box=None if box is None else bytes(box),
    )
