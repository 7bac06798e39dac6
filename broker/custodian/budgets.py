"""Budgets: every point an organisation has evaluated and every person a worker looks up is charged beforehand (D2)."""

from dataclasses import dataclass

from broker.custodian.buckets import Level, full, refilled, taken
from broker.custodian.errors import RefusedError
from broker.custodian.store import Store
from broker.protocol.register import Bucket, BudgetClass

ORGANISATION = ""
"""The `worker` of an organisation's own bucket; no worker has an empty id."""

FORFEITED = "forfeited_us"
"""The number that says at which budget time every bucket was emptied, because its past is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one batch costs: the organisation `points`, padding included, and the worker `persons`.

    `worker` is his id at the broker.
    """

    organisation: str
    worker: str
    budget_class: str
    points: int
    persons: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketState:
    """One bucket as the operator sees it."""

    organisation: str
    worker: str
    budget_class: str
    level: Level


def charge(store: Store, asked: Charge, *, sizes: BudgetClass, now_us: int) -> None:
    """Charge the organisation and the worker, both or neither; durable when the caller's transaction is.

    Raises:
        RefusedError: budget-exhausted; the caller's transaction is to be undone.
        StoreError: nothing may be evaluated.
    """
    _take(store, asked, ORGANISATION, size=sizes.organisation, points=asked.points, now_us=now_us)
    _take(store, asked, asked.worker, size=sizes.worker, points=asked.persons, now_us=now_us)


def bucket_states(store: Store) -> list[BucketState]:
    """Return every bucket that was ever used, as it was at its last charge. Raises StoreError."""
    rows = store.rows(
        "SELECT organisation, worker, budget_class, level, at_us FROM bucket"
        " ORDER BY organisation, worker, budget_class"
    )
    return [
        BucketState(organisation=oin, worker=worker, budget_class=name, level=Level(units=units, at_us=at_us))
        for oin, worker, name, units, at_us in rows
    ]


def _take(store: Store, asked: Charge, worker: str, *, size: Bucket, points: int, now_us: int) -> None:
    found = store.rows(
        "SELECT level, at_us FROM bucket WHERE organisation = ? AND worker = ? AND budget_class = ?",
        asked.organisation,
        worker,
        asked.budget_class,
    )
    level = Level(units=found[0][0], at_us=found[0][1]) if found else _unused(store, size, now_us)
    left = taken(refilled(level, size, now_us), points)
    if left is None:
        raise RefusedError("budget-exhausted")
    store.change(
        "INSERT INTO bucket (organisation, worker, budget_class, level, at_us) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (organisation, worker, budget_class)"
        " DO UPDATE SET level = excluded.level, at_us = excluded.at_us",
        asked.organisation,
        worker,
        asked.budget_class,
        left.units,
        left.at_us,
    )


def _unused(store: Store, size: Bucket, now_us: int) -> Level:
    """Return a bucket of which nothing is known: full, or empty as of a restore that forgot its past."""
    forfeited_us = store.number(FORFEITED)
    return full(size, now_us) if forfeited_us is None else Level(units=0, at_us=forfeited_us)
