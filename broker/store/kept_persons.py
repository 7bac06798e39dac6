"""The persons about whom an organisation holds a signal that is kept from one of its own workers by name."""

import json

from audit.database import Connection
from broker.domain.households import TokenIndex

_KEPT = """SELECT DISTINCT t.idx FROM signal_exclusions e JOIN signals s ON s.id = e.signal_id
    JOIN signal_tokens t ON t.signal_id = s.id AND t.role = 'subject'
    WHERE e.organisation = ? AND e.worker IN ('', ?) AND s.organisation = e.organisation"""
_RECORDS = "SELECT c.id, c.body FROM consent_tokens p JOIN consents c ON c.id = p.consent_id WHERE c.organisation = ?"


def persons_kept_from(connection: Connection, organisation: str, worker: str) -> frozenset[TokenIndex]:
    """Return about whom this worker must not know of a signal, whatever became of it."""
    return frozenset(TokenIndex(bytes(row[0])) for row in connection.execute(_KEPT, (organisation, worker)).fetchall())


def records_kept_from(connection: Connection, organisation: str, worker: str) -> tuple[str, ...]:
    """Return the ids of the own records about those persons that another than this worker made."""
    persons = persons_kept_from(connection, organisation, worker)
    # Asked also where there is nobody: one way to the server more or less would tell something (D8).
    among, values = connection.dialect.among("p.idx", sorted(one.reveal() for one in persons))
    rows = connection.execute(f"{_RECORDS} AND {among}", (organisation, *values)).fetchall()
    return tuple(sorted(row[0] for row in rows if json.loads(row[1])["recordedBy"] != worker))
