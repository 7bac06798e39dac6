"""The tickets this custodian handed out, and where each came back in the broker's log (D2).

A row is written in the transaction that charges, before the ticket exists; so no ticket is ever unknown here.
"""

from dataclasses import dataclass

from broker.custodian.store import Store

UNKNOWN_BEFORE = "unknown_before"
"""The number that says before when tickets may have been handed out that are not known here (a restore, an upgrade)."""
FORGOTTEN_BEFORE = "forgotten_before"
"""The number that says until when tickets that had ended are remembered no more."""
KEPT_S = 90 * 86_400
"""Seconds after its end that a ticket is remembered, by the wall clock and by the log's own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One ticket, as it was handed out last; `worker` is his id at the broker, `counts` JSON of the counted points."""

    ticket: str
    organisation: str
    worker: str
    operation: str
    purpose: str
    epoch: int
    counts: str
    batch: str
    body_sha256: str
    grant: str | None
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A ticket with what became of it: the entry that cites it, and whether it was reported as unspent."""

    ticket: str
    organisation: str
    worker: str
    operation: str
    purpose: str
    grant: str | None
    issued_at: int
    expires_at: int
    entry: int | None
    reported: bool


def note(store: Store, issue: Issue) -> None:
    """This ticket is known, inside the caller's transaction; handed out again it lives longer."""
    store.change(
        "INSERT INTO issued (ticket, organisation, worker, operation, purpose, epoch, counts, batch, body_sha256,"
        " grant_id, issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (ticket) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at),"
        " worker = excluded.worker",
        issue.ticket,
        issue.organisation,
        issue.worker,
        issue.operation,
        issue.purpose,
        issue.epoch,
        issue.counts,
        issue.batch,
        issue.body_sha256,
        issue.grant,
        issue.issued_at,
        issue.expires_at,
    )


_COLUMNS = "ticket, organisation, worker, operation, purpose, grant_id, issued_at, expires_at, entry_index, reported"


def find(store: Store, ticket: str) -> Issued | None:
    """Return a ticket that was handed out here, None for any other."""
    rows = store.rows(f"SELECT {_COLUMNS} FROM issued WHERE ticket = ?", ticket)  # noqa: S608 - fixed text
    return _issued(rows[0]) if rows else None


def mark_cited(store: Store, ticket: str, *, entry: int, at: int) -> None:
    """This entry, of this time, is the one that cites the ticket; inside the caller's transaction."""
    store.change("UPDATE issued SET entry_index = ?, entry_time = ? WHERE ticket = ?", entry, at, ticket)


def unmatch_all(store: Store) -> None:
    """No ticket is known to stand in an entry, inside the caller's transaction: each has to be found again."""
    store.change("UPDATE issued SET entry_index = NULL, entry_time = NULL")


def unspent(store: Store, *, ended_before: int) -> list[Issued]:
    """Return the tickets that ended before this second, that no entry cites and that were not reported yet."""
    query = (
        f"SELECT {_COLUMNS} FROM issued WHERE entry_index IS NULL AND NOT reported AND expires_at < ?"  # noqa: S608 - as above
        " ORDER BY expires_at, ticket LIMIT 1000"
    )
    return [_issued(row) for row in store.rows(query, ended_before)]


def mark_reported(store: Store, ticket: str) -> None:
    """The ticket counts as reported unspent, inside the caller's transaction."""
    store.change("UPDATE issued SET reported = 1 WHERE ticket = ?", ticket)


def counts_of(store: Store, organisation: str, *, since: int) -> dict[str, int]:
    """Return how many tickets an organisation was handed since then, how many came back, and how many did not."""
    ((handed_out, cited, reported),) = store.rows(
        "SELECT count(*), count(entry_index), coalesce(sum(reported AND entry_index IS NULL), 0) FROM issued"
        " WHERE organisation = ? AND issued_at >= ?",
        organisation,
        since,
    )
    return {"issued": handed_out, "cited": cited, "unspent": reported, "open": handed_out - cited - reported}


def forget_old(store: Store, *, now: int, log_time: int) -> None:
    """Tickets that ended long ago are forgotten once they stand in our own log; a clock set forward forgets nothing."""
    limit = min(now, log_time) - KEPT_S
    with store.transaction():
        if store.change("DELETE FROM issued WHERE expires_at < ? AND log_index IS NOT NULL", limit):
            store.set_number(FORGOTTEN_BEFORE, max(limit, store.number(FORGOTTEN_BEFORE) or 0))


def _issued(row: tuple[object, ...]) -> Issued:
    ticket, organisation, worker, operation, purpose, grant, issued_at, expires_at, entry, reported = row
    return Issued(
        ticket=str(ticket),
        organisation=str(organisation),
        worker=str(worker),
        operation=str(operation),
        purpose=str(purpose),
        grant=None if grant is None else str(grant),
        issued_at=int(str(issued_at)),
        expires_at=int(str(expires_at)),
        entry=None if entry is None else int(str(entry)),
        reported=bool(reported),
    )
