"""Batches that were charged: asked again, they are answered again with the same ticket id and without a charge (D2)."""

from dataclasses import dataclass

from broker.custodian.budget_time import BudgetTime
from broker.custodian.errors import RefusedError
from broker.custodian.store import Store
from broker.protocol.request_signing import SKEW_S

REISSUED_S = 86_400  # seconds after its charge that a batch is answered again; one of a grant as long as that holds
FORGOTTEN_S = 30 * 86_400  # seconds after which its id is forgotten, by the wall clock and in budget time


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Who asked which batch, the worker by his id at the broker, and the exact body: its SHA-256 in hex.

    `grant_expires_at` is the end of the grant that paid for it, in unix seconds, or None.
    """

    organisation: str
    worker: str
    id: str
    body_sha256: str
    grant_expires_at: int | None = None


def ticket_of(store: Store, batch: Batch, *, now: int) -> str | None:
    """Return the ticket id of a batch that was charged before, or None for a new one.

    Raises:
        RefusedError: batch-reused: another body or worker, or longer ago than a day. A batch of a grant is the
            organisation's: a colleague may go on with an import, so it is answered to another worker too.
        StoreError: nothing may be evaluated.
    """
    found = store.rows(
        "SELECT worker, body_sha256, ticket_id, charged_at, grant_expires_at FROM batch"
        " WHERE organisation = ? AND id = ?",
        batch.organisation,
        batch.id,
    )
    if not found:
        return None
    worker, body_sha256, ticket_id, charged_at, grant_expires_at = found[0]
    if body_sha256 != batch.body_sha256:
        raise RefusedError("batch-reused")
    if grant_expires_at is None and (
        worker != batch.worker or not charged_at - SKEW_S <= now <= charged_at + REISSUED_S
    ):
        raise RefusedError("batch-reused")
    return str(ticket_id)


def remember(store: Store, batch: Batch, *, ticket_id: str, now: int, now_us: int) -> None:
    """Store that this batch was charged, under this ticket id; durable when the caller's transaction is.

    Args:
        now: the wall clock in unix seconds.
        now_us: the budget time.
    """
    store.change(
        "INSERT INTO batch (organisation, id, worker, body_sha256, ticket_id, charged_at, grant_expires_at,"
        " charged_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        batch.organisation,
        batch.id,
        batch.worker,
        batch.body_sha256,
        ticket_id,
        now,
        batch.grant_expires_at,
        now_us,
    )


def forget_old(store: Store, *, now: int, budget_time: BudgetTime) -> None:
    """Delete batches of long ago; asked again, they are charged again.

    A wall clock that was set forward forgets nothing early. Raises StoreError.
    """
    with store.transaction():
        store.change(
            "DELETE FROM batch WHERE charged_at < ? AND coalesce(grant_expires_at, 0) < ? AND charged_at_us < ?",
            now - FORGOTTEN_S,
            now,
            budget_time.mark(store) - FORGOTTEN_S * 1_000_000,
        )
