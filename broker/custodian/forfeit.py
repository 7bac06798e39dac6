"""What a custodian forgets when its own past is lost: everything counts as used up, and nothing comes back."""

from broker.custodian.budget_time import BudgetTime
from broker.custodian.budgets import FORFEITED
from broker.custodian.clock import Clock, unix_seconds
from broker.custodian.grants import forget_all
from broker.custodian.issued import UNKNOWN_BEFORE
from broker.custodian.replays import FLOOR
from broker.custodian.store import Store
from broker.protocol.request_signing import MAX_LIFETIME_S, SKEW_S


def forfeit(store: Store, *, clock: Clock) -> None:
    """Every bucket is empty as of now and fills as the register says; no request signed before is accepted.

    Batches charged before are unknown, so asked again they cost again. No grant is known, and only one that
    is stated from now on is accepted.

    Raises:
        StoreError: nothing was changed.
    """
    time = BudgetTime(store, clock)
    with store.transaction():
        store.change("DELETE FROM bucket")
        store.change("DELETE FROM batch")
        forget_all(store, now=unix_seconds(clock))
        store.set_number(FORFEITED, time.mark(store))
        # A request that was signed until now has expired by then; later ones expire later, at the latest then.
        floor = unix_seconds(clock) + MAX_LIFETIME_S + SKEW_S
        store.set_number(FLOOR, max(floor, store.number(FLOOR) or 0))
        # Tickets handed out since the copy was made are not known here; an entry that cites one is no accusation.
        store.set_number(UNKNOWN_BEFORE, unix_seconds(clock))
