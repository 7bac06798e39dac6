"""Which tickets an entry of the broker's log cites, and whether each is one of ours that stands there once (D2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audit.entry import Leaf, Opening, parse_payload
from audit.errors import EntryError
from broker.custodian import findings, issued, withheld
from broker.custodian.findings import Finding
from broker.custodian.issued import FORGOTTEN_BEFORE, UNKNOWN_BEFORE, Issued
from broker.custodian.store import Store
from broker.protocol.request_signing import MAX_LIFETIME_S, SKEW_S, is_id, is_oin, is_word
from broker.protocol.tickets import MAX_GRANT_DAYS

OPERATIONS: Mapping[str, str] = {
    "signal": "register", "consent": "register", "exception": "register", "check": "check", "oproep": "oproep",
}  # fmt: skip
"""Kinds of entry that use tickets, and the operation of the tickets they use."""
LATE_S = 2 * SKEW_S
"""Seconds that the broker's clock may be ahead of ours, and a tick may take."""
_SCHEMA = "entry-actor/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What an entry says of who asked; `ours` are ids of this custodian's tickets, `others` counts the rest."""

    index: int
    time: int
    kind: str
    organisation: str
    worker: str
    ours: tuple[str, ...]
    others: int


def read(leaf: Leaf, index: int, opening: Opening | None, *, custodian: str) -> Cited | None:
    """Return what an entry cites; None where its `actor` is not opened, or not truly.

    Raises nothing: whatever the broker sent, an entry that uses tickets either says who asked or is withheld.
    """
    if opening is None:
        return None
    try:
        if opening.commitment(leaf.kind, "actor") != leaf.commitment("actor"):
            return None
        payload = parse_payload(opening.payload)
    except EntryError:
        return None
    organisation, worker, listed = payload.get("organisation"), payload.get("worker"), _tickets(payload.get("tickets"))
    if payload.get("schema") != _SCHEMA or not is_oin(organisation) or not is_word(worker) or listed is None:
        return None
    ids = [ticket for holder, ticket in listed if holder == custodian]
    return Cited(
        index=index,
        time=leaf.time,
        kind=leaf.kind,
        organisation=str(organisation),
        worker=str(worker),
        ours=tuple(ids),
        others=len(listed) - len(ids),
    )


def _tickets(value: object) -> list[tuple[str, str]] | None:
    """Return the custodian and id of each ticket, None where this is no list of tickets."""
    if not isinstance(value, list):
        return None
    tickets = []
    for one in value:
        if not isinstance(one, dict) or set(one) != {"custodian", "id"}:
            return None
        if not is_word(one["custodian"]) or not is_id(one["id"]):
            return None
        tickets.append((str(one["custodian"]), str(one["id"])))
    return tickets


def record(store: Store, leaf: Leaf, index: int, cited: Cited | None, *, now: int) -> None:
    """Each ticket the entry cites is matched, or there is a finding about it; inside the caller's transaction."""
    # (1) Who asked has to be told of every entry that uses tickets, or nothing can be matched.
    if cited is None:
        withheld.note(store, index=index, at=leaf.time)
        return
    for finding in _judged(store, cited, now=now):
        findings.add(store, finding)


def _judged(store: Store, cited: Cited, *, now: int) -> Iterator[Finding]:
    # (2) A request needs a ticket of each custodian; one without ours went past us.
    if cited.others and not cited.ours:
        yield _about(cited, "without-us", None, now=now)
    for ticket in cited.ours:
        yield from _judged_ticket(store, cited, ticket, now=now)


def _judged_ticket(store: Store, cited: Cited, ticket: str, *, now: int) -> Iterator[Finding]:
    known = issued.find(store, ticket)
    # (3) We handed it out.
    if known is None:
        if (kind := _kind_of_unknown(store, cited)) is not None:
            yield _about(cited, kind, ticket, now=now)
        return
    # (4) It stands in one entry; the one we saw first keeps it.
    if known.entry not in (None, cited.index):
        yield from _told(cited, "cited-twice", known, now=now)
        return
    issued.mark_cited(store, ticket, entry=cited.index, at=cited.time)
    if known.reported and known.entry is None:
        yield _of_ticket(cited, "cited-later", known, now=now)
    # (5) It was for this organisation, for this worker and kind of request, and held at the time.
    if known.organisation != cited.organisation:
        yield from _told(cited, "other-organisation", known, now=now)
    if _is_other_use(cited, known):
        yield from _told(cited, "other-use", known, now=now)


def _is_other_use(cited: Cited, known: Issued) -> bool:
    """Return whether the ticket was for something else; one of a grant is the organisation's, whoever resumes."""
    own = known.organisation == cited.organisation
    of_another = own and known.grant is None and cited.worker != known.worker
    held = known.issued_at - LATE_S <= cited.time <= known.expires_at + LATE_S
    return of_another or known.operation != OPERATIONS[cited.kind] or not held


def _told(cited: Cited, kind: str, known: Issued, *, now: int) -> Iterator[Finding]:
    """Whose ticket it was hears of it, and so does whose entry it is; neither reads the other's worker or purpose."""
    yield _of_ticket(cited, kind, known, now=now)
    if cited.organisation != known.organisation:
        yield _about(cited, kind, None, now=now)


def _kind_of_unknown(store: Store, cited: Cited) -> str | None:
    """Return how a ticket that is not known here counts; None where it is surely of the time we do not know."""
    if cited.time <= (store.number(FORGOTTEN_BEFORE) or 0) + LATE_S:
        return None
    forgotten = store.number(UNKNOWN_BEFORE)
    if forgotten is None or cited.time > forgotten + (MAX_GRANT_DAYS + 1) * 86_400:
        return "never-issued"
    # Until then it may be of a grant, whose tickets live as long as it does.
    return "unknown" if cited.time > forgotten + MAX_LIFETIME_S + LATE_S else None


def _about(cited: Cited, kind: str, ticket: str | None, *, now: int) -> Finding:
    """Return what is told to the organisation whose entry it is."""
    return Finding(
        kind=kind,
        organisation=cited.organisation,
        found_at=now,
        ticket=ticket,
        worker=cited.worker,
        operation=OPERATIONS[cited.kind],
        entry=cited.index,
        entry_time=cited.time,
    )


def _of_ticket(cited: Cited, kind: str, known: Issued, *, now: int) -> Finding:
    """Return what is told to the organisation that the ticket was handed out to."""
    return Finding(
        kind=kind,
        organisation=known.organisation,
        found_at=now,
        ticket=known.ticket,
        worker=known.worker,
        operation=known.operation,
        purpose=known.purpose,
        issued_at=known.issued_at,
        entry=cited.index,
        entry_time=cited.time,
    )
