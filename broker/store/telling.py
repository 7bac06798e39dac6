"""Telling that something is over to who is concerned by it: found and told in the writer's own transaction.

Whoever comes to rely on a consent in the same tick is therefore told of its end, or relies on it no more.
"""

from collections.abc import Iterable
from typing import Any

from audit.database import Connection
from broker.domain.acts import ReviewNote
from broker.domain.consents import Consent
from broker.domain.flags import local
from broker.domain.keeping import Over, TellOver, TellRelying, ended_before
from broker.domain.notices import NoticeKind, Notify, notice_id
from broker.domain.review import NOT_IN_ORDER, VERDICT
from broker.exception_ports import worker_key
from broker.ports import StampKey
from broker.store.consents import consent_of
from broker.store.notices import insert_notice

_EXPIRED = """UPDATE information_requests SET open_until = NULL WHERE id = ? AND open_until < ?
    RETURNING sender, sender_team"""
_LAPSED = "UPDATE consents SET lapses_on = NULL WHERE id = ? AND lapses_on < ? RETURNING id"
_TOLD_ON = (
    """SELECT receiver, receiver_team, id FROM information_requests WHERE {on} = ? AND delivery <> 'waiting'""",
    """SELECT q.sender, q.sender_team, q.id FROM request_answers a
        JOIN information_requests q ON q.id = a.request_id WHERE a.{on} = ? AND a.delivery <> 'waiting'""",
    """SELECT receiver, receiver_team, id FROM phone_calls
        WHERE {on} = ? AND (told_at IS NOT NULL OR verified_at IS NOT NULL OR answered_at IS NOT NULL)""",
    "SELECT caller, caller_team, id FROM phone_calls WHERE answer_{on} = ?",
)
"""Who was handed something, or read, verified or noted what a call is about; who calls heard what was noted.

Of what was never told before its end nothing is told after it (red line 6).
"""
_REJECTED = "SELECT 1 FROM notices WHERE kind = ? AND organisation = ? AND about = ?"
_RUNG = """SELECT r.organisation, r.team, r.id FROM consent_tokens t
    JOIN signal_tokens s ON s.idx = t.idx AND s.role = 'subject'
    JOIN call_rings r ON r.signal_id = s.signal_id JOIN calls c ON c.id = r.call_id
    WHERE t.consent_id = ? AND c.organisation = ? AND c.purpose = ? AND c.asked_until >= ? AND r.state <> 'declined'
    AND (r.state = 'accepted' OR EXISTS (SELECT 1 FROM notices n
        WHERE n.about = r.id AND (n.told_at IS NOT NULL OR n.read_at IS NOT NULL)))"""
"""Whom an oproep of its organisation reached about this very person, who knows of it, and may still call."""


def tell_concerned(connection: Connection, change: TellOver | TellRelying, *, now: int, index: int) -> None:
    """In the open transaction who is concerned has a notice of each that is over, and never a second one."""
    if isinstance(change, TellRelying):
        consent = consent_of(connection, change.consent_id)
        _tell_relying(connection, consent, change.parties, now=now, index=index)
        return
    for one in change.ids:
        if change.kind is Over.REQUEST:
            for organisation, team in connection.execute(_EXPIRED, (one, change.before)).fetchall():
                _tell(connection, NoticeKind.REQUEST_EXPIRED, [(organisation, team, one)], now=now, index=index)
        elif connection.execute(_LAPSED, (one, change.before)).fetchall():
            consent = consent_of(connection, one)
            _tell_relying(connection, consent, consent.parties - ended_before(consent), now=now, index=index)


def tell_rejected(connection: Connection, note: ReviewNote, *, now: int, index: int) -> tuple[StampKey, ...]:
    """In the open transaction who was told something on an exception that is found not in order has a notice of it.

    Returns the keys of the stamps that the verdict moves. Found so once more it is told once more to nobody.
    """
    if note.kind != VERDICT or note.body["verdict"] != NOT_IN_ORDER:
        return ()
    query = "SELECT id, organisation, worker FROM exceptions WHERE organisation = ? AND idx = ?"
    moved: list[StampKey] = []
    found = connection.execute(query, (note.organisation, int(note.about))).fetchall()
    for exception_id, organisation, worker in found:
        known = (NoticeKind.EXCEPTION_REJECTED.value,)
        told = {
            (row[0], row[1], row[2])
            for row in _told_on(connection, "exception_id", exception_id)
            if connection.execute(_REJECTED, (*known, row[0], row[2])).fetchone() is None
        }
        _tell(connection, NoticeKind.EXCEPTION_REJECTED, sorted(told), now=now, index=index)
        moved.append(worker_key(organisation, worker))
    return tuple(moved)


def _tell_relying(
    connection: Connection, consent: Consent, parties: frozenset[str], *, now: int, index: int
) -> None:  # fmt: skip
    values = (consent.id, consent.organisation, consent.purpose, local(now).date().isoformat())
    relying = [
        *_told_on(connection, "consent_id", consent.id),
        *connection.execute(_RUNG, values).fetchall(),
    ]
    found = {(row[0], row[1], row[2]) for row in relying if row[0] in parties}
    _tell(connection, NoticeKind.CONSENT_WITHDRAWN, sorted(found), now=now, index=index)


def _told_on(connection: Connection, on: str, key: str) -> list[Any]:
    """Return to whom, team included, which letters and calls told something on this consent or exception."""
    queries = (query.format(on=on) for query in _TOLD_ON)
    return [row for query in queries for row in connection.execute(query, (key,)).fetchall()]


def _tell(
    connection: Connection, kind: NoticeKind, to: Iterable[tuple[str, str, str]], *, now: int, index: int
) -> None:  # fmt: skip
    for organisation, team, about in to:
        notice = notice_id(kind.value, organisation, about, str(index))
        # One no may end two records about the same person, and both of them asked the same team: it is told once.
        if connection.execute("SELECT 1 FROM notices WHERE id = ?", (notice,)).fetchone() is None:
            insert_notice(
                connection, Notify(id=notice, organisation=organisation, team=team, kind=kind, about=about), now=now
            )
