"""Consents in the database: records and answers that are only ever added, read in one snapshot."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from audit.database import Connection
from broker.consent_ports import AboutPerson, OwnConsent, Pair, consent_key, person_key
from broker.domain.changes import AddAnswers, StoreConsent
from broker.domain.consents import PARENTS, Answer, Capacity, Consent, ConsentEvent, ConsentProof
from broker.domain.errors import StaleDecisionError
from broker.domain.households import TokenIndex
from broker.domain.keeping import consent_kept_until, lapses_on
from broker.letter_ports import OwnId
from broker.ports import StampKey
from broker.store.connection import Reader
from broker.store.kept_persons import persons_kept_from, records_kept_from
from broker.store.signals import read_stamps

_ROW = "c.number, c.id, c.organisation, c.signal_id, c.body"

_HIDDEN = """SELECT c.id FROM consents c WHERE c.organisation = ? AND {} AND EXISTS (SELECT 1 FROM consent_tokens p
    JOIN signal_tokens t ON t.idx = p.idx AND t.role = 'subject' JOIN signals s ON s.id = t.signal_id
    WHERE p.consent_id = c.id AND s.organisation = c.organisation AND s.shielded AND s.state = 'active'
    AND s.owner = ?)"""


class StoredConsents:
    """`ConsentReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def about(self, pairs: Collection[Pair]) -> Mapping[Pair, AboutPerson]:
        """Return what each organisation recorded about each person. See `ConsentReader.about`."""
        listed = sorted(set(pairs), key=lambda pair: (pair[0], pair[1].reveal()))
        return await self._reader.run(lambda connection: read_about(connection, listed))

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """Return this organisation's own record. See `ConsentReader.own`."""
        own_id = (organisation, consent_id)
        return (await self._reader.run(lambda connection: read_own_consents(connection, {own_id}))).get(own_id)

    async def hidden(self, *, organisation: str, worker: str, among: Collection[str]) -> frozenset[str]:
        """Return the own records about whom this worker shields. See `ConsentReader.hidden`."""

        def read(connection: Connection) -> frozenset[str]:
            chosen, values = connection.dialect.among("c.id", sorted(among))
            rows = connection.execute(_HIDDEN.format(chosen), (organisation, *values, worker)).fetchall()
            return frozenset(row[0] for row in rows)

        return await self._reader.run(read)

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[TokenIndex]:
        """Return about whom a signal is kept from this worker. See `ConsentReader.kept_from`."""
        return await self._reader.run(lambda connection: persons_kept_from(connection, organisation, worker))

    async def list_own(
        self, *, organisation: str, worker: str, after: str | None, at_most: int
    ) -> tuple[OwnConsent, ...]:
        """Return own records in the order of their ids. See `ConsentReader.list_own`."""
        query = "SELECT c.id FROM consents c WHERE c.organisation = ? AND c.id > ? AND NOT {} ORDER BY c.id LIMIT ?"

        def read(connection: Connection) -> tuple[OwnConsent, ...]:
            among, hidden = connection.dialect.among("c.id", records_kept_from(connection, organisation, worker))
            values = (organisation, after or "", *hidden, at_most)
            ids = [(organisation, str(row[0])) for row in connection.execute(query.format(among), values).fetchall()]
            found = read_own_consents(connection, set(ids))
            return tuple(found[own_id] for own_id in ids)

        return await self._reader.run(read)


def store_consent(connection: Connection, change: StoreConsent, *, index: int) -> tuple[StampKey, ...]:
    """The open transaction holds this record; returns the keys of the stamps it moves."""
    consent = change.consent
    connection.execute(
        "INSERT INTO consents (id, organisation, signal_id, body, idx) VALUES (?, ?, ?, ?, ?)",
        (consent.id, consent.organisation, consent.signal_id, json.dumps(_body(consent)), index),
    )
    if change.token is not None:
        connection.execute(
            "INSERT INTO consent_tokens (idx, consent_id, sealed) VALUES (?, ?, ?)",
            (change.token.index.reveal(), consent.id, change.token.sealed.reveal()),
        )
    elif consent.signal_id is not None:
        connection.execute(
            "INSERT INTO consent_tokens (idx, consent_id, sealed) SELECT t.idx, ?, s.sealed FROM signal_tokens t "
            "JOIN sealed_tokens s ON s.idx = t.idx AND s.signal_id = t.signal_id "
            "WHERE t.signal_id = ? AND t.role = 'subject'",
            (consent.id, consent.signal_id),
        )
    return _insert_events(connection, consent.id, consent.organisation, consent.events)


def add_answers(connection: Connection, change: AddAnswers) -> tuple[StampKey, ...]:
    """The open transaction holds these answers; returns the keys of the stamps they move.

    Raises:
        StaleDecisionError: there is no such record of this organisation.
    """
    query = "SELECT 1 FROM consents WHERE id = ? AND organisation = ?"
    if connection.execute(query, (change.consent_id, change.organisation)).fetchone() is None:
        raise StaleDecisionError
    return _insert_events(connection, change.consent_id, change.organisation, change.events)


def _insert_events(
    connection: Connection, consent_id: str, organisation: str, events: Sequence[ConsentEvent]
) -> tuple[StampKey, ...]:
    for event in events:
        connection.execute(
            "INSERT INTO consent_events (consent_id, at, body) VALUES (?, ?, ?)",
            (consent_id, event.at, json.dumps(_event_body(event))),
        )
    consent = consent_of(connection, consent_id)
    ends_on = lapses_on(consent)
    query = "UPDATE consents SET lapses_on = ?, keep_until = ? WHERE id = ?"
    lapses = None if ends_on is None else ends_on.isoformat()
    connection.execute(query, (lapses, consent_kept_until(consent).isoformat(), consent_id))
    query = "SELECT idx FROM consent_tokens WHERE consent_id = ?"
    persons = [TokenIndex(bytes(row[0])) for row in connection.execute(query, (consent_id,)).fetchall()]
    return (consent_key(consent_id), *(person_key(organisation, person) for person in persons))


def consent_of(connection: Connection, consent_id: str) -> Consent:
    """Return a record that is there, with all its answers."""
    query = f"SELECT {_ROW} FROM consents c WHERE c.id = ?"  # noqa: S608 - column names of ours
    (consent,) = _consents(connection, connection.execute(query, (consent_id,)).fetchall())
    return consent


def read_about(connection: Connection, pairs: Sequence[Pair]) -> Mapping[Pair, AboutPerson]:
    """Return what each organisation recorded about each person, in this snapshot; also where it recorded nothing."""
    # Asked also where there is nobody to ask about: one way to the server more or less would tell something (D8).
    among, values = connection.dialect.among("t.idx", sorted({subject.reveal() for _, subject in pairs}))
    query = f"SELECT {_ROW}, t.idx FROM consent_tokens t JOIN consents c ON c.id = t.consent_id WHERE {among}"  # noqa: S608 - column names of ours
    wanted = set(pairs)
    rows = [
        row
        for row in connection.execute(query + " ORDER BY c.number", values).fetchall()
        if (row[2], TokenIndex(bytes(row[-1]))) in wanted
    ]
    by_pair: defaultdict[Pair, list[Consent]] = defaultdict(list)
    for row, consent in zip(rows, _consents(connection, rows), strict=True):
        by_pair[row[2], TokenIndex(bytes(row[-1]))].append(consent)
    stamps = read_stamps(connection, [person_key(*pair) for pair in pairs])
    return {
        pair: AboutPerson(consents=tuple(by_pair[pair]), stamp=stamp) for pair, stamp in zip(pairs, stamps, strict=True)
    }


def read_own_consents(connection: Connection, ids: Collection[OwnId]) -> Mapping[OwnId, OwnConsent]:
    """Return those of these own records that there are, with what was recorded of the same persons: one snapshot."""
    chosen, of = connection.dialect.among("c.id", sorted({consent_id for _, consent_id in ids}))
    query = f"SELECT {_ROW} FROM consents c WHERE {chosen}"  # noqa: S608 - column names of ours
    rows = [row for row in connection.execute(query, of).fetchall() if (row[2], row[1]) in ids]
    named = [row[1] for row in rows]
    among, values = connection.dialect.among("consent_id", named)
    query = f"SELECT consent_id, idx FROM consent_tokens WHERE {among}"  # noqa: S608 - no value in it
    persons = {row[0]: TokenIndex(bytes(row[1])) for row in connection.execute(query, values).fetchall()}
    pairs = [(row[2], persons[row[1]]) for row in rows if row[1] in persons]
    about = read_about(connection, list(dict.fromkeys(pairs)))
    stamps = read_stamps(connection, [consent_key(one) for one in named])
    found = {}
    for row, consent, stamp in zip(rows, _consents(connection, rows), stamps, strict=True):
        subject = persons.get(row[1])
        told = None if subject is None else about[row[2], subject]
        found[row[2], row[1]] = OwnConsent(consent=consent, stamp=stamp, about=told, subject=subject)
    return found


def _consents(connection: Connection, rows: Sequence[Sequence[Any]]) -> tuple[Consent, ...]:
    """Return the records of these rows with all their answers: one query, however many there are."""
    among, values = connection.dialect.among("consent_id", sorted({row[1] for row in rows}))
    query = f"SELECT number, consent_id, at, body FROM consent_events WHERE {among} ORDER BY number"  # noqa: S608 - no value in it
    events: defaultdict[str, list[tuple[ConsentEvent, bool | None]]] = defaultdict(list)
    for number, consent_id, at, text in connection.execute(query, values).fetchall():
        body = json.loads(text)
        events[consent_id].append((_event(number, at, body), body.get("approved")))
    return tuple(_consent(row, events[row[1]]) for row in rows)


def _body(consent: Consent) -> dict[str, object]:
    return {
        "controller": consent.controller,
        "team": consent.team,
        "recordedBy": consent.recorded_by,
        "approved": consent.approved,
        "recordedOn": consent.recorded_on.isoformat(),
        "purpose": consent.purpose,
        "categories": sorted(consent.categories),
        "parties": sorted(consent.parties),
        "age": consent.age,
        "ageEndsOn": None if consent.age_ends_on is None else consent.age_ends_on.isoformat(),
        "unable": consent.unable,
        "contested": consent.contested,
        "guardians": consent.guardians,
        "caseRef": consent.case_ref,
        "confirmation": consent.confirmation,
        "reviewOn": None if consent.review_on is None else consent.review_on.isoformat(),
    }


def _consent(row: Sequence[Any], events: Sequence[tuple[ConsentEvent, bool | None]]) -> Consent:
    body = json.loads(row[4])
    return Consent(
        id=row[1],
        organisation=row[2],
        signal_id=row[3],
        controller=body["controller"],
        team=body["team"],
        recorded_by=body["recordedBy"],
        approved=body["approved"],
        recorded_on=date.fromisoformat(body["recordedOn"]),
        purpose=body["purpose"],
        categories=frozenset(body["categories"]),
        parties=frozenset(body["parties"]),
        age=body["age"],
        age_ends_on=_day(body["ageEndsOn"]),
        unable=body["unable"],
        contested=body["contested"],
        # A record of before this was asked does not say that one parent is enough.
        guardians=body.get("guardians", PARENTS),
        case_ref=body["caseRef"],
        confirmation=body.get("confirmation", "to_send"),
        review_on=_day(body.get("reviewOn")),
        # An answer of before it was approved by itself counts as its record does.
        events=tuple(replace(event, approved=body["approved"]) if one is None else event for event, one in events),
    )


def _event_body(event: ConsentEvent) -> dict[str, object]:
    proof = event.proof
    return {
        "who": event.who,
        "capacity": event.capacity.value,
        "answer": event.answer.value,
        "reason": event.reason,
        "custody": event.custody,
        "custodyRef": event.custody_ref,
        "proof": None if proof is None else [proof.kind, proof.reference, proof.spoken_with, proof.interpreter],
        "until": None if event.until is None else event.until.isoformat(),
        "suspect": event.suspect,
        "parties": sorted(event.parties),
        "approved": event.approved,
        **({} if event.kept_from is None else {"keptFrom": event.kept_from}),
    }


def _event(number: int, at: int, body: Mapping[str, Any]) -> ConsentEvent:
    bare = ConsentEvent(
        at=at,
        who=body["who"],
        capacity=Capacity(body["capacity"]),
        answer=Answer(body["answer"]),
        reason=body["reason"],
        custody=body["custody"],
        custody_ref=body["custodyRef"],
        until=_day(body["until"]),
        suspect=body["suspect"],
        parties=frozenset(body["parties"]),
        number=number,
        approved=bool(body.get("approved")),
        kept_from=body.get("keptFrom"),
    )
    if body["proof"] is None:
        return bare
    kind, reference, spoken_with, interpreter = body["proof"]
    proof = ConsentProof(kind=kind, reference=reference, spoken_with=spoken_with, interpreter=interpreter)
    return replace(bare, proof=proof)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
