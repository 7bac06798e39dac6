"""Import grants at one custodian: accepted by its own act, and exactly what two people asked for (D2)."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from broker.custodian.errors import ImportRefusedError, RefusedError
from broker.custodian.store import Store
from broker.custodian.trust import Trust
from broker.protocol.grant import Grant, SignedGrant, Signer
from broker.protocol.register import Organisation
from broker.protocol.request_signing import SKEW_S
from broker.protocol.roster import Roster

_FORGOTTEN_AT = "grants_forgotten_at"
"""The number that says when (unix seconds) this custodian lost what it knew of its grants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantState:
    """A grant as the operator sees it: `left` elements per family, `revoked` by this custodian or not."""

    grant: Grant
    left: Mapping[str, int]
    revoked: bool


def accept(store: Store, trust: Trust, text: bytes, *, custodian: str, now: int) -> Grant:
    """Return the grant under which this custodian evaluates from now on, with its exact number of elements left.

    Raises:
        MalformedError, SignatureError: it does not hold.
        ImportRefusedError: of an organisation that is not served, of people who are not on its roster, for other
            custodians, for families it may not use, not of this time, stated at a time to come, older than its memory,
            or accepted already.
    """
    signed = SignedGrant.read(text)
    grant = signed.grant
    # (1) An organisation that this custodian itself enrolled, and that may act.
    organisation = _served(trust, grant.organisation)
    # (2) Two different people stated it with this organisation's key, and (3) both are on its roster here.
    signers = signed.require(organisation)
    _check_people(trust.rosters.get(grant.organisation), signers)
    # (4) It is for this custodian, for families the organisation may use, and of this time.
    if custodian not in grant.custodians:
        raise ImportRefusedError("the grant is for other custodians")
    if not set(grant.elements) <= organisation.families:
        raise ImportRefusedError("the organisation may not use every family of the grant")
    if now >= grant.expires_at or grant.issued_on > _day(now + SKEW_S):
        raise ImportRefusedError("the grant has expired, or is issued on a later day")
    # (5) Stated by now, and after everything this custodian ever gave is known.
    _check_memory(store, signers, now=now)
    # (6) Once: accepting it again would give its elements a second time.
    with store.transaction():
        added = store.change(
            "INSERT INTO import_grant (organisation, id, document, accepted_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (organisation, id) DO NOTHING",
            grant.organisation,
            grant.id,
            signed.encode(),
            now,
        )
        if added != 1:
            raise ImportRefusedError("the grant is accepted already")
        for family, elements in grant.elements.items():
            store.change(
                "INSERT INTO grant_left (organisation, grant_id, family, elements) VALUES (?, ?, ?, ?)",
                grant.organisation,
                grant.id,
                family,
                elements,
            )
    return grant


def revoke(store: Store, *, organisation: str, grant_id: str, now: int) -> None:
    """Nothing is evaluated under this grant any more. Raises ImportRefusedError: there is none in force."""
    with store.transaction():
        revoked = store.change(
            "UPDATE import_grant SET revoked_at = ? WHERE organisation = ? AND id = ? AND revoked_at IS NULL",
            now,
            organisation,
            grant_id,
        )
        if revoked != 1:
            raise ImportRefusedError("this organisation has no such grant here that could be revoked")


def grant_states(store: Store) -> list[GrantState]:
    """Return every grant that was accepted here, by organisation. Raises StoreError, MalformedError."""
    rows = store.rows("SELECT document, revoked_at FROM import_grant ORDER BY organisation, accepted_at, id")
    return [
        GrantState(grant=grant, left=_left(store, grant), revoked=revoked_at is not None)
        for grant, revoked_at in ((SignedGrant.read(document).grant, revoked_at) for document, revoked_at in rows)
    ]


def forget_all(store: Store, *, now: int) -> None:
    """No grant stated until now gives anything here any more; for a custodian that lost its past. Raises StoreError.

    Called inside the caller's transaction. Accepting an old grant anew would give elements twice, so only grants that
    are stated from now on are accepted.
    """
    # Never earlier than it was, nor than what is known to have been accepted: a clock may have been set back since.
    ((accepted_at,),) = store.rows("SELECT max(accepted_at) FROM import_grant")
    store.change("DELETE FROM import_grant")
    store.set_number(_FORGOTTEN_AT, max(now, accepted_at or 0, store.number(_FORGOTTEN_AT) or 0))


def in_force(store: Store, *, organisation: str, grant_id: str, purpose: str, now: int) -> Grant:
    """Return the organisation's own grant, under which it may ask now for this purpose.

    Raises:
        RefusedError: grant-unknown (revoked and another organisation's read the same), grant-purpose, grant-expired.
        StoreError: nothing may be evaluated.
    """
    found = store.rows(
        "SELECT document FROM import_grant WHERE organisation = ? AND id = ? AND revoked_at IS NULL",
        organisation,
        grant_id,
    )
    if not found:
        raise RefusedError("grant-unknown")
    grant = SignedGrant.read(found[0][0]).grant
    if grant.purpose != purpose:
        raise RefusedError("grant-purpose")
    if now >= grant.expires_at:
        raise RefusedError("grant-expired")
    return grant


def charge(store: Store, grant: Grant, elements: Mapping[str, int]) -> None:
    """Take these elements off what is left, all of them or none; durable when the caller's transaction is.

    Raises:
        RefusedError: grant-exhausted; the caller's transaction is to be undone.
        StoreError: nothing may be evaluated.
    """
    for family, count in elements.items():
        taken = store.change(
            "UPDATE grant_left SET elements = elements - ?"
            " WHERE organisation = ? AND grant_id = ? AND family = ? AND elements >= ?",
            count,
            grant.organisation,
            grant.id,
            family,
            count,
        )
        if taken != 1:
            raise RefusedError("grant-exhausted")


def _served(trust: Trust, oin: str) -> Organisation:
    try:
        organisation = trust.organisation(oin)
    except RefusedError:
        raise ImportRefusedError("the organisation is not in the register in force") from None
    if oin not in trust.enrolled:
        raise ImportRefusedError("the organisation is not enrolled; org enrol is an act of its own")
    if not organisation.active:
        raise ImportRefusedError("the organisation is suspended")
    return organisation


def _check_people(roster: Roster | None, signers: tuple[Signer, ...]) -> None:
    workers = [] if roster is None else roster.workers.values()
    known = {worker.broker_sub: worker.roles for worker in workers if worker.broker_sub is not None}
    if any(signer.role not in known.get(signer.sub, ()) for signer in signers):
        raise ImportRefusedError("one of the two people is not on the organisation's roster in that role")


def _check_memory(store: Store, signers: tuple[Signer, ...], *, now: int) -> None:
    """What this custodian forgot could be given a second time, and so could what is postdated beyond that moment."""
    if any(signer.at > now + SKEW_S for signer in signers):
        raise ImportRefusedError("the grant is stated at a time to come")
    forgotten_at = store.number(_FORGOTTEN_AT)
    if forgotten_at is not None and any(signer.at <= forgotten_at + SKEW_S for signer in signers):
        raise ImportRefusedError("the grant is older than what this custodian remembers; ask for a new one")


def _left(store: Store, grant: Grant) -> Mapping[str, int]:
    rows = store.rows(
        "SELECT family, elements FROM grant_left WHERE organisation = ? AND grant_id = ? ORDER BY family",
        grant.organisation,
        grant.id,
    )
    return dict(rows)


def _day(now: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date()
