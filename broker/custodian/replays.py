"""Each signed request is accepted once: its `jti` is spent durably before anything else happens (D13)."""

from broker.custodian.buckets import DAY_US
from broker.custodian.budget_time import BudgetTime
from broker.custodian.store import Store
from broker.protocol.errors import RequestTokenError
from broker.protocol.request_signing import SKEW_S, SignedRequest

KEPT_US = DAY_US // 24
"""Budget time that a spent id is kept at least, whatever the wall clock says."""

FLOOR = "jti_floor"
"""The number that says up to which expiry any id may be forgotten."""


def spend(store: Store, statement: SignedRequest, *, budget_time: BudgetTime) -> None:
    """Spend the request's id, durably on return.

    Raises:
        RequestTokenError: it was spent before, or it is so old that its id may have been forgotten.
        StoreError: nothing was spent; the request must not go on.
    """
    issuer, jti = statement.sender.organisation, statement.jti
    if not spend_id(store, issuer=issuer, jti=jti, expires_at=statement.expires_at, budget_time=budget_time):
        raise RequestTokenError("request-token-replayed")


def spend_id(store: Store, *, issuer: str, jti: str, expires_at: int, budget_time: BudgetTime) -> bool:
    """Return whether this was the first use of the id, durably noted.

    Raises:
        RequestTokenError: it is so old that its id may have been forgotten.
        StoreError: nothing was spent; the request must not go on.
    """
    with store.transaction():
        if expires_at <= (store.number(FLOOR) or 0):
            raise RequestTokenError("request-token-expired")
        spent = store.change(
            "INSERT INTO spent_request (issuer, jti, expires_at, spent_at_us) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (issuer, jti) DO NOTHING",
            issuer,
            jti,
            expires_at,
            budget_time.mark(store),
        )
    return spent == 1


def forget_expired(store: Store, *, now: int, budget_time: BudgetTime) -> None:
    """Delete the ids of requests that expired long ago, and remember up to which expiry any may be gone.

    A wall clock that was set forward forgets nothing early, and one that is set back revives nothing.
    Raises StoreError.
    """
    expired = "expires_at + ? < ? AND spent_at_us + ? < ?"
    limits = (SKEW_S, now, KEPT_US)
    with store.transaction():
        values = (*limits, budget_time.mark(store))
        ((latest,),) = store.rows(f"SELECT max(expires_at) FROM spent_request WHERE {expired}", *values)  # noqa: S608 - fixed text
        if latest is not None:
            store.set_number(FLOOR, max(latest, store.number(FLOOR) or 0))
            store.change(f"DELETE FROM spent_request WHERE {expired}", *values)  # noqa: S608 - fixed text
