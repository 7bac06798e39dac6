"""What the sides of matches recorded of their persons, read in the snapshot of these matches."""

from collections.abc import Collection, Iterable

from audit.database import Connection
from broker.domain.households import TokenIndex, TokenRole
from broker.domain.said import RecordedOf, Said
from broker.ports import Stamp
from broker.store.consents import read_about

Sides = tuple[Collection[str], Collection[str]]
"""The organisations of a match, and the ids of its signals."""


def read_said(connection: Connection, matches: Iterable[Sides]) -> tuple[Said, tuple[Stamp, ...]]:
    """Return what the organisations of each match recorded of its persons, with the stamps of that.

    Asked also where there is no match: one way to the server more or less would tell something (D8).
    """
    listed = list(matches)
    among, values = connection.dialect.among("signal_id", sorted({one for _, ids in listed for one in ids}))
    query = f"SELECT signal_id, idx FROM signal_tokens WHERE role = ? AND {among}"  # noqa: S608 - no value in it
    rows = connection.execute(query, (TokenRole.SUBJECT.value, *values)).fetchall()
    persons = {row[0]: TokenIndex(bytes(row[1])) for row in rows}
    pairs = {(oin, persons[one]) for organisations, ids in listed for oin in organisations for one in ids}
    about = read_about(connection, sorted(pairs, key=lambda pair: (pair[0], pair[1].reveal())))
    recorded = {pair: RecordedOf(consents=one.consents, version=one.stamp.version) for pair, one in about.items()}
    return Said(persons=persons, recorded=recorded), tuple(one.stamp for one in about.values())
