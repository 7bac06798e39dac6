"""Whether this custodian can see what becomes of its tickets, and that it hands out none while it cannot (ADR 24)."""

from dataclasses import dataclass

from broker.custodian import findings, followed
from broker.custodian.errors import RefusedError
from broker.custodian.findings import Finding
from broker.custodian.followed import FOLLOWED_AT, STOPPING
from broker.custodian.issued import Issue
from broker.custodian.store import Store
from broker.protocol.request_signing import SKEW_S

URGENT = "urgent"
"""The class that is served all the same: a child in danger does not wait for a log, and its FG is told."""
NOT_WATCHED = "log-not-watched"
"""The problem that says why there is no ticket."""


WATCHING_SINCE = "watching_since"
"""The number that says when this custodian began to watch; a restart begins nothing anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """That this custodian watches: since this second, by our clock, and how long it may go without seeing the log."""

    since: int
    max_blind_s: int


def begin(store: Store, *, max_blind_s: int, now: int) -> Watching:
    """Return that this custodian watches, since its first start that was set up to. Raises StoreError."""
    since = store.number(WATCHING_SINCE)
    if since is None:
        since = now
        with store.transaction():
            store.set_number(WATCHING_SINCE, since)
    return Watching(since=since, max_blind_s=max_blind_s)


def is_blind(store: Store, watching: Watching | None, *, now: int) -> bool:
    """Return whether the log is not what it says, or has been out of sight for too long."""
    if any(alarm.kind in STOPPING for alarm in followed.standing_alarms(store)):
        return True
    if watching is None:
        return False
    # What was noted while the clock stood ahead says nothing about now.
    seen = [at for at in (store.number(FOLLOWED_AT) or 0, watching.since) if at <= now + SKEW_S]
    return now - max(seen, default=0) > watching.max_blind_s


def check(store: Store, budget_class: str, *, watching: Watching | None, now: int) -> None:
    """Hold if a ticket of this class may be handed out now. Raises RefusedError: log-not-watched."""
    if budget_class != URGENT and is_blind(store, watching, now=now):
        raise RefusedError(NOT_WATCHED)


def note_urgent(store: Store, issue: Issue, budget_class: str, *, watching: Watching | None, now: int) -> None:
    """The reserve for danger was used: told to the FG, in sight of the log or not; in the caller's transaction.

    Only here it is known exactly: a ticket does not say its class, so the broker can count no more than persons.
    """
    if budget_class == URGENT:
        finding = Finding(
            kind="urgent-unwatched" if is_blind(store, watching, now=now) else "urgent",
            organisation=issue.organisation,
            found_at=now,
            ticket=issue.ticket,
            worker=issue.worker,
            operation=issue.operation,
            purpose=issue.purpose,
            issued_at=issue.issued_at,
        )
        findings.add(store, finding)
