"""Phone calls in the database: announced, verified by a belcode, answered orally; each of these once."""

import json
from collections.abc import Sequence
from typing import Any

from audit.database import Connection
from broker.domain.errors import StaleDecisionError
from broker.domain.phone_calls import AnswerOrally, CountTry, Oral, PhoneCall, StorePhoneCall, VerifyPhoneCall
from broker.store.connection import Reader

_PLAIN = ("id", "caller", "caller_team", "worker", "controller", "receiver", "receiver_team", "purpose")
_LISTS = ("grounds", "categories")
_REST = ("level", "made_at", "code_key", "tries", "verified_at", "answer")
_COLUMNS = ", ".join((*_PLAIN, *_LISTS, *_REST))
_NEWEST = " ORDER BY made_at DESC, id"


class StoredPhoneCalls:
    """`PhoneCallReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def phone_calls(self, *, organisation: str, at_most: int) -> tuple[PhoneCall, ...]:
        """Return the newest calls of this organisation. See `PhoneCallReader.phone_calls`."""
        return await self._read(
            "caller = ? OR receiver = ?" + _NEWEST + " LIMIT ?", organisation, organisation, at_most
        )

    async def received(self, *, organisation: str, since: int) -> tuple[PhoneCall, ...]:
        """Return the calls to this organisation. See `PhoneCallReader.received`."""
        return await self._read("receiver = ? AND made_at >= ?" + _NEWEST, organisation, since)

    async def received_call(self, *, organisation: str, call_id: str) -> PhoneCall | None:
        """Return a call to this organisation. See `PhoneCallReader.received_call`."""
        found = await self._read("receiver = ? AND id = ?", organisation, call_id)
        return found[0] if found else None

    async def _read(self, where: str, *values: object) -> tuple[PhoneCall, ...]:
        query = f"SELECT {_COLUMNS} FROM phone_calls WHERE {where}"  # noqa: S608 - column names of ours, no value
        rows = await self._reader.run(lambda connection: connection.execute(query, values).fetchall())
        return tuple(_phone_call(row) for row in rows)


def store_phone_call(connection: Connection, change: StorePhoneCall) -> None:
    """The open transaction holds this call."""
    call = change.call
    marks = ", ".join("?" * 14)
    connection.execute(
        f"INSERT INTO phone_calls ({', '.join((*_PLAIN, *_LISTS, *_REST[:4]))}) VALUES ({marks})",  # noqa: S608 - as above
        (
            *(getattr(call, name) for name in _PLAIN), *(json.dumps(getattr(call, name)) for name in _LISTS),
            call.level, call.made_at, call.key, call.tries,
        ),
    )  # fmt: skip


def verify_phone_call(connection: Connection, change: VerifyPhoneCall) -> None:
    """The open transaction holds that the called party knows who calls. Raises StaleDecisionError."""
    query = """UPDATE phone_calls SET verified_at = ?, verified_by = ?
        WHERE id = ? AND tries = ? AND verified_at IS NULL"""
    _once(connection, query, (change.at, change.worker, change.call_id, change.tries))


def count_try(connection: Connection, change: CountTry) -> None:
    """The open transaction holds one wrong code more. Raises StaleDecisionError: another was counted meanwhile."""
    query = "UPDATE phone_calls SET tries = tries + 1 WHERE id = ? AND tries = ? AND verified_at IS NULL"
    _once(connection, query, (change.call_id, change.tries))


def answer_orally(connection: Connection, change: AnswerOrally) -> None:
    """The open transaction holds that a call was answered. Raises StaleDecisionError: it was noted meanwhile."""
    oral = change.oral
    stated = {
        "worker": oral.worker, "categories": oral.categories, "level": oral.level, "grounds": oral.grounds,
        "at": oral.at,
    }  # fmt: skip
    query = "UPDATE phone_calls SET answered_at = ?, answer = ? WHERE id = ? AND answered_at IS NULL"
    _once(connection, query, (oral.at, json.dumps(stated), change.call_id))


def _once(connection: Connection, query: str, values: tuple[object, ...]) -> None:
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError


def _phone_call(row: Sequence[Any]) -> PhoneCall:
    plain = dict(zip(_PLAIN, row, strict=False))
    grounds, categories, level, made_at, key, tries, verified_at, answer = row[len(_PLAIN) :]
    oral = None if answer is None else json.loads(answer)
    return PhoneCall(
        **plain,
        grounds=tuple(json.loads(grounds)),
        categories=tuple(json.loads(categories)),
        level=level,
        made_at=made_at,
        key=bytes(key),
        tries=tries,
        verified_at=verified_at,
        oral=None
        if oral is None
        else Oral(
            worker=oral["worker"],
            at=oral["at"],
            categories=tuple(oral["categories"]),
            level=oral["level"],
            grounds=tuple(oral["grounds"]),
        ),
    )
