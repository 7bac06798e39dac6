"""Phone calls in the database: announced, verified by a belcode, answered orally; each of these once."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from audit.database import Connection
from broker.domain.errors import StaleDecisionError
from broker.domain.information_requests import LetterKind
from broker.domain.phone_calls import (
    CODE_S,
    AnswerOrally,
    CountTry,
    Oral,
    PhoneCall,
    StorePhoneCall,
    TellPhoneCalls,
    VerifyPhoneCall,
    WrongCodes,
)
from broker.store.connection import Reader
from broker.store.stated_proofs import proof_of, proof_text, rests_of, rests_text

_PLAIN = ("id", "caller", "caller_team", "worker", "controller", "receiver", "receiver_team", "purpose")
_CITED = ("role", "signal_id", "match_id", "consent_id", "exception_id")
_OF_ANSWER = ("worker", "at", "level", "signal_id", "consent_id", "exception_id", "approved")
_LISTS = ("grounds", "categories")
_MADE = (
    "kind", "approved", "rests_on", "about_signals", "level", "made_at", "clocked_at", "code_key", "proof", "statement",
)  # fmt: skip
_REST = ("told_at", "verified_at", "verified_by", "answer")
_COLUMNS = ", ".join((*_PLAIN, *_CITED, *_LISTS, *_MADE, *_REST))
_NEWEST = " ORDER BY made_at DESC, id"
_COUNTING_FIRST = " ORDER BY CASE WHEN verified_at IS NULL AND made_at >= ? THEN 0 ELSE 1 END, made_at DESC, id"
_TRIED = "SELECT count(*) FROM belcode_tries WHERE organisation = ? AND at BETWEEN ? AND ?"


class StoredPhoneCalls:
    """`PhoneCallReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def phone_calls(self, *, organisation: str, now: int, at_most: int) -> tuple[PhoneCall, ...]:
        """Return calls of this organisation. See `PhoneCallReader.phone_calls`."""
        where = f"(caller = ? OR receiver = ?){_COUNTING_FIRST} LIMIT ?"
        return await self._read(where, organisation, organisation, now - CODE_S, at_most)

    async def received(self, *, organisation: str, since: int) -> tuple[PhoneCall, ...]:
        """Return the calls to this organisation. See `PhoneCallReader.received`."""
        return await self._read("receiver = ? AND made_at >= ?" + _NEWEST, organisation, since)

    async def phone_call(self, *, organisation: str, call_id: str) -> PhoneCall | None:
        """Return a call of one of its sides. See `PhoneCallReader.phone_call`."""
        found = await self._read("(caller = ? OR receiver = ?) AND id = ?", organisation, organisation, call_id)
        return found[0] if found else None

    async def received_call(self, *, organisation: str, call_id: str) -> PhoneCall | None:
        """Return a call to this organisation. See `PhoneCallReader.received_call`."""
        found = await self._read("receiver = ? AND id = ?", organisation, call_id)
        return found[0] if found else None

    async def wrong_codes(self, *, organisation: str, worker: str, now: int) -> WrongCodes:
        """Return how many wrong codes were said. See `PhoneCallReader.wrong_codes`."""

        def counted(connection: Connection) -> WrongCodes:
            of_all = int(connection.execute(_TRIED, (organisation, *_of_late(now))).fetchone()[0])
            of_worker = connection.execute(
                _TRIED + " AND worker = ?", (organisation, *_of_late(now), worker)
            ).fetchone()[0]
            return WrongCodes(of_worker=int(of_worker), of_all=of_all)

        return await self._reader.run(counted)

    async def recorded_until(self) -> int:
        """Return the time of the newest act. See `PhoneCallReader.recorded_until`."""
        query = "SELECT at FROM acts ORDER BY idx DESC LIMIT 1"
        newest = await self._reader.run(lambda connection: connection.execute(query).fetchone())
        return 0 if newest is None else int(newest[0])

    async def _read(self, where: str, *values: object) -> tuple[PhoneCall, ...]:
        query = f"SELECT {_COLUMNS} FROM phone_calls WHERE {where}"  # noqa: S608 - column names of ours, no value
        rows = await self._reader.run(lambda connection: connection.execute(query, values).fetchall())
        return tuple(_phone_call(row) for row in rows)


def store_phone_call(connection: Connection, change: StorePhoneCall) -> None:
    """The open transaction holds this call."""
    call = change.call
    columns = (*_PLAIN, *_CITED, *_LISTS, *_MADE, "tries")
    marks = ", ".join("?" * len(columns))
    # `tries` counted per call before wrong codes were counted where they are said; nobody reads it any more.
    connection.execute(
        f"INSERT INTO phone_calls ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - column names of ours
        (
            *(getattr(call, name) for name in (*_PLAIN, *_CITED)),
            *(json.dumps(getattr(call, name)) for name in _LISTS),
            call.kind.value, int(call.approved), rests_text(call.rests_on), json.dumps(call.about_signals), call.level,
            call.made_at, call.clocked_at, call.key, proof_text(call.proof), call.statement, 0,
        ),
    )  # fmt: skip


def tell_phone_calls(connection: Connection, change: TellPhoneCalls) -> None:
    """The open transaction holds that who is called has read what these calls are about."""
    for call_id in change.ids:
        query = "UPDATE phone_calls SET told_at = ? WHERE id = ? AND told_at IS NULL"
        connection.execute(query, (change.at, call_id))


def verify_phone_call(connection: Connection, change: VerifyPhoneCall) -> None:
    """The open transaction holds that the called party knows who calls. Raises StaleDecisionError."""
    _check_tried(connection, change)
    query = "UPDATE phone_calls SET verified_at = ?, verified_by = ? WHERE id = ? AND verified_at IS NULL"
    _once(connection, query, (change.at, change.worker, change.call_id))


def count_try(connection: Connection, change: CountTry) -> None:
    """The open transaction holds one wrong code more. Raises StaleDecisionError: another was counted meanwhile."""
    _check_tried(connection, change)
    connection.execute("DELETE FROM belcode_tries WHERE at < ?", (change.at - CODE_S,))
    connection.execute(
        "INSERT INTO belcode_tries (organisation, worker, at) VALUES (?, ?, ?)",
        (change.organisation, change.worker, change.at),
    )


def answer_orally(connection: Connection, change: AnswerOrally) -> None:
    """The open transaction holds that a call was answered. Raises StaleDecisionError: it was noted meanwhile."""
    oral = change.oral
    stated = {
        **{name: getattr(oral, name) for name in (*_OF_ANSWER, *_LISTS)},
        "proof": proof_text(oral.proof),
        "rests_on": rests_text(oral.rests_on),
    }
    query = """UPDATE phone_calls SET answered_at = ?, answer = ?, answer_consent_id = ?, answer_exception_id = ?
        WHERE id = ? AND answered_at IS NULL"""
    _once(connection, query, (oral.at, json.dumps(stated), oral.consent_id, oral.exception_id, change.call_id))


def _check_tried(connection: Connection, change: VerifyPhoneCall | CountTry) -> None:
    """Hold only if no more was tried than was seen, so that guesses at once count one by one."""
    found = connection.execute(_TRIED, (change.organisation, *_of_late(change.at))).fetchone()
    if int(found[0]) != change.tried:
        raise StaleDecisionError


def _of_late(now: int) -> tuple[int, int]:
    """Return the first and the last second of wrong codes that count: a clock may have been a little ahead."""
    return now - CODE_S, now + CODE_S


def _once(connection: Connection, query: str, values: tuple[object, ...]) -> None:
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError


def _phone_call(row: Sequence[Any]) -> PhoneCall:
    stored = dict(zip((*_PLAIN, *_CITED, *_LISTS, *_MADE, *_REST), row, strict=True))
    answer = stored["answer"]
    return PhoneCall(
        **{
            name: stored[name] for name in (*_PLAIN, *_CITED, "level", "made_at", "clocked_at", "statement", *_REST[:3])
        },
        grounds=tuple(json.loads(stored["grounds"])),
        categories=tuple(json.loads(stored["categories"])),
        kind=LetterKind(stored["kind"]),
        approved=bool(stored["approved"]),
        rests_on=rests_of(stored["rests_on"]),
        about_signals=tuple(json.loads(stored["about_signals"])),
        key=bytes(stored["code_key"]),
        proof=proof_of(stored["proof"]),
        oral=None if answer is None else _oral(json.loads(answer)),
    )


def _oral(stored: Mapping[str, Any]) -> Oral:
    """Return an oral answer as it was stored; one of before it could cite anything rests on nothing."""
    plain: dict[str, Any] = {name: stored[name] for name in _OF_ANSWER if name in stored}
    return Oral(
        **plain,
        categories=tuple(stored["categories"]),
        grounds=tuple(stored["grounds"]),
        proof=proof_of(stored.get("proof")),
        rests_on=rests_of(stored.get("rests_on", "[]")),
    )
