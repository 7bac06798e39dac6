"""Import grants at a partner: one person proposes, another approves, and an import goes by the grant of both (D2)."""

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path

from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.families import Family
from broker.protocol.grant import SIGNER_ROLES, Grant, SignedGrant, Signer
from connectors.errors import GrantError
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder
from connectors.household import Asked
from connectors.workers import pairwise_id, roles_of


def elements_of(registrations: Iterable[Asked]) -> dict[str, int]:
    """Return how many elements of each family these registrations take: the exact size of the grant they need."""
    counted = dict.fromkeys(Family, 0)
    for asked in registrations:
        for identifier in asked.identifiers:
            counted[identifier.family] += 1
    return {family.value: count for family, count in counted.items() if count}


def propose(
    folder: PartnerFolder,
    *,
    worker: str,
    purpose: str,
    elements: Mapping[str, int],
    expires_on: datetime.date,
    surroundings: Surroundings,
) -> SignedGrant:
    """Return a grant for the own custodians that one person stated. Raises GrantError: a part breaks its rule."""
    now = surroundings.now()
    stated = Grant(
        id=surroundings.new_id(),
        organisation=folder.settings.oin,
        custodians=tuple(sorted(custodian.id for custodian in folder.settings.custodians)),
        purpose=purpose,
        elements={family: count for family, count in elements.items() if count},
        issued_on=_day(now),
        expires_on=expires_on,
    )
    try:
        # Read back as every custodian will read it, so that what breaks a rule is said here.
        grant = Grant.parse(stated.document())
    except MalformedError as error:
        raise GrantError(f"{error.field} {error.rule}") from None
    return SignedGrant(grant=grant).stated_by(_signer(folder, worker, now=now), folder.signing_key)


def approve(folder: PartnerFolder, text: bytes, *, worker: str, surroundings: Surroundings) -> SignedGrant:
    """Return a proposed grant that a second person of the own organisation stated too.

    Raises:
        GrantError: no proposal of this organisation, of this very person, of another time, or for other custodians.
    """
    signed = _read(text)
    (first,) = _people(signed, folder, signers=1, rule="must be a proposal that one person of this organisation stated")
    now = surroundings.now()
    signer = _signer(folder, worker, now=now)
    if signer.sub == first.sub:
        raise GrantError("must be approved by another person than who proposed it")
    _check_own(signed.grant, folder, now=now)
    return signed.stated_by(signer, folder.signing_key)


def own_grant(folder: PartnerFolder, path: Path, *, purpose: str, now: int) -> Grant:
    """Return the grant in a file, under which this organisation may import now for this purpose.

    Raises:
        GrantError: no grant that two people of this organisation stated, expired, or for something else.
    """
    try:
        signed = _read(path.read_bytes())
    except OSError:
        raise GrantError("cannot be read") from None
    _people(signed, folder, signers=2, rule="must be stated by two people of this organisation")
    _check_own(signed.grant, folder, now=now)
    if signed.grant.purpose != purpose:
        raise GrantError("is for another purpose")
    return signed.grant


def parse_elements(text: str) -> dict[str, int]:
    """Return the counts in `nlbsn=120,fam=214`. Raises GrantError."""
    counts: dict[str, int] = {}
    for part in text.split(","):
        family, _, number = part.partition("=")
        if family not in set(Family) or family in counts or not number.isascii() or not number.isdecimal():
            raise GrantError("elements must be family=count, by commas, each family once")
        counts[family] = int(number)
    return counts


def shortage(grant: Grant, elements: Mapping[str, int]) -> dict[str, int]:
    """Return by family how many elements more are asked than the grant has in all."""
    over = {family: count - grant.elements.get(family, 0) for family, count in elements.items()}
    return {family: count for family, count in over.items() if count > 0}


def _read(text: bytes) -> SignedGrant:
    try:
        return SignedGrant.read(text)
    except MalformedError as error:
        raise GrantError(f"{error.field} {error.rule}") from None


def _people(signed: SignedGrant, folder: PartnerFolder, *, signers: int, rule: str) -> tuple[Signer, ...]:
    try:
        return signed.require(folder.organisation, signers=signers)
    except (MalformedError, SignatureError):
        raise GrantError(rule) from None


def _check_own(grant: Grant, folder: PartnerFolder, *, now: int) -> None:
    if set(grant.custodians) != {custodian.id for custodian in folder.settings.custodians}:
        raise GrantError("is for other custodians than this folder has")
    if now >= grant.expires_at:
        raise GrantError("has expired")


def _signer(folder: PartnerFolder, worker: str, *, now: int) -> Signer:
    roles = roles_of(folder, worker)
    role = next((role for role in SIGNER_ROLES if role in roles), None)
    if role is None:
        raise GrantError("must be stated by a worker or an approver")
    sub = pairwise_id(folder.pairwise_key, audience=folder.settings.broker.id, local_id=worker)
    return Signer(sub=sub, role=role, at=now)


def _day(now: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date()
