"""What a custodian has to tell an organisation's FG, and its peer: a numbered list that each of them fetches itself.

unspent              a ticket that no entry cites: a computer that failed, mostly; no reproach
cited-later          one of those after all
never-issued         an entry cites a ticket that was never handed out here
unknown              the same, but it may be from before this custodian was restored
cited-twice          two entries cite one ticket
other-organisation   an entry cites a ticket of another organisation
other-use            an entry of another kind or worker, or of a time at which the ticket did not hold
without-us           an entry cites tickets, and none of this custodian
time                 an entry dated before one that precedes it, or far from when it was seen first
withheld             an entry that uses tickets, whose `actor` the broker did not open or not truly, and no entry erased
urgent               a ticket of class urgent: the reserve for danger was used, which is looked at within a day
urgent-unwatched     a ticket of class urgent, handed out while the log could not be watched
probe-missed         a partner says that a probe was not found

What concerns a ticket is told to the organisation it was handed out to, with its own worker and purpose. An entry of
another organisation is told to that one too, with its own worker only: neither reads the other's (D17).
"""

import secrets
from dataclasses import dataclass

from broker.custodian.store import Store

PAGE = 500
KEPT_S = 400 * 86_400
"""Seconds that a finding is kept: more than a year, so that a yearly audit finds it."""
STORE_ID = "store_id"
MOST_ID = 2**52
EVERYBODY = ""
"""The organisation of a finding whose organisation nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to tell. `worker` is an id at the broker; `number` is 0 until it is stored."""

    kind: str
    organisation: str
    found_at: int
    ticket: str | None = None
    worker: str | None = None
    operation: str | None = None
    purpose: str | None = None
    issued_at: int | None = None
    entry: int | None = None
    entry_time: int | None = None
    told_by: str | None = None
    proof: str | None = None
    number: int = 0

    def document(self) -> dict[str, object]:
        """Return the finding as JSON members."""
        return {
            "number": self.number,
            "kind": self.kind,
            "organisation": self.organisation,
            "foundAt": self.found_at,
            "ticket": self.ticket,
            "worker": self.worker,
            "operation": self.operation,
            "purpose": self.purpose,
            "issuedAt": self.issued_at,
            "entry": self.entry,
            "entryTime": self.entry_time,
            "toldBy": self.told_by,
            "proof": self.proof,
        }


_COLUMNS = (
    "kind, organisation, found_at, ticket, worker, operation, purpose, issued_at, entry_index, entry_time, "
    "told_by, proof"
)


def add(store: Store, finding: Finding) -> None:
    """The finding stands in the list, inside the caller's transaction; said twice it stands there once."""
    store.change(
        f"INSERT INTO finding ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - fixed text
        " ON CONFLICT DO NOTHING",
        finding.kind,
        finding.organisation,
        finding.found_at,
        finding.ticket,
        finding.worker,
        finding.operation,
        finding.purpose,
        finding.issued_at,
        finding.entry,
        finding.entry_time,
        finding.told_by,
        finding.proof,
    )


def store_id(store: Store) -> int:
    """Return what tells this store from any other that this custodian had or will have. Raises StoreError."""
    found = store.number(STORE_ID)
    if found is None:
        with store.transaction():
            found = store.number(STORE_ID) or secrets.randbelow(MOST_ID) + 1
            store.set_number(STORE_ID, found)
    return found


def of_organisation(store: Store, organisation: str, *, after: int, kind: str | None = None) -> list[Finding]:
    """Return what this organisation is told after a number, at most a page; of one kind only, where it is named."""
    query = (
        f"SELECT number, {_COLUMNS} FROM finding WHERE organisation IN (?, '') AND number > ?"  # noqa: S608 - as above
        " AND kind = coalesce(?, kind) ORDER BY number LIMIT ?"
    )
    return [_finding(row) for row in store.rows(query, organisation, after, kind, PAGE)]


def all_after(store: Store, after: int) -> list[Finding]:
    """Return what everybody is told after a number, at most a page: for the other custodian."""
    query = f"SELECT number, {_COLUMNS} FROM finding WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - as above
    return [_finding(row) for row in store.rows(query, after, PAGE)]


def told_by_peers(store: Store, organisation: str, *, since: int) -> list[dict[str, object]]:
    """Return which findings about this organisation the other custodians told us, by peer, its store and number."""
    query = (
        "SELECT peer, store, number, json_extract(document, '$.kind') FROM peer_finding"
        " WHERE json_extract(document, '$.organisation') IN (?, '') AND json_extract(document, '$.foundAt') >= ?"
        " ORDER BY peer, store, number"
    )
    rows = store.rows(query, organisation, since)
    return [{"peer": peer, "store": of, "number": number, "kind": kind} for peer, of, number, kind in rows]


def counts_by_kind(store: Store) -> dict[str, int]:
    """Return how many findings of each kind there are."""
    return {str(kind): int(count) for kind, count in store.rows("SELECT kind, count(*) FROM finding GROUP BY kind")}


def forget_old(store: Store, *, now: int, log_time: int) -> None:
    """Findings of more than a year ago are gone; a clock set forward forgets nothing."""
    with store.transaction():
        store.change("DELETE FROM finding WHERE found_at < ?", min(now, log_time) - KEPT_S)


def _finding(row: tuple[object, ...]) -> Finding:
    number, kind, organisation, found_at, *rest = row
    ticket, worker, operation, purpose, issued_at, entry, entry_time, told_by, proof = rest
    return Finding(
        number=int(str(number)),
        kind=str(kind),
        organisation=str(organisation),
        found_at=int(str(found_at)),
        ticket=_text(ticket),
        worker=_text(worker),
        operation=_text(operation),
        purpose=_text(purpose),
        issued_at=_number(issued_at),
        entry=_number(entry),
        entry_time=_number(entry_time),
        told_by=_text(told_by),
        proof=_text(proof),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))
