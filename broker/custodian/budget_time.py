"""The time by which budgets refill: it passes with the monotonic clock and is carried over restarts by a mark.

Budget time is a point in time, not an amount, so however often it is read or marked, nothing is credited twice.
"""

from broker.custodian.buckets import DAY_US
from broker.custodian.clock import Clock
from broker.custodian.store import Store

_TIME = "budget_time_us"
_MARK = "wall_mark_us"


class BudgetTime:
    """Microseconds since this custodian's first start, less what no clock could vouch for."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Credit the wall time since the last mark and persist the new mark, before anything is served.

        A stop of more than a day looks the same as a clock that was set forward: nothing is credited then, nor after a
        step back. The mark never goes back, so stepping to and fro credits no hour twice.

        Raises:
            StoreError: nothing was credited.
        """
        self._clock = clock
        with store.transaction():
            wall_us = clock.wall_us()
            time_us = store.number(_TIME) or 0
            mark_us = store.number(_MARK)
            down_us = 0 if mark_us is None else wall_us - mark_us
            if 0 < down_us <= DAY_US:
                time_us += down_us
            self._offset_us = time_us - clock.monotonic_us()
            self._persist(store, time_us)

    def now_us(self, store: Store) -> int:
        """Return the budget time; never less than any process of this custodian has persisted. Raises StoreError."""
        return max(store.number(_TIME) or 0, self._clock.monotonic_us() + self._offset_us)

    def mark(self, store: Store) -> int:
        """Persist and return the budget time, inside the caller's transaction. Raises StoreError."""
        time_us = self.now_us(store)
        self._persist(store, time_us)
        return time_us

    def _persist(self, store: Store, time_us: int) -> None:
        store.set_number(_TIME, time_us)
        store.set_number(_MARK, max(store.number(_MARK) or 0, self._clock.wall_us()))
