"""Tickets: a custodian's statement of what it evaluated, for whom, and how much of it (D2).

A register, check or oproep needs one unspent ticket of each custodian. `verify_ticket` is pure; the broker spends.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.protocol.compact_jwt import JwtMalformedError, JwtSignatureError, parse
from broker.protocol.errors import TicketError
from broker.protocol.request_signing import MAX_LIFETIME_S, SKEW_S, is_id, is_instant, is_oin, is_word
from broker.protocol.signing_keys import SigningKey, VerifyKey

TICKET_TYP = "sluis-ticket+jwt"
OPERATIONS = ("register", "check", "oproep")
FAMILIES = ("nlbsn", "fam", "addr", "dmk")
MAX_GRANT_DAYS = 31
"""Days from the first to the last of an import grant, and so how long a ticket of one can live."""

_MAX_GRANT_LIFETIME_S = (MAX_GRANT_DAYS + 1) * 86_400
_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyCount:
    """How many real tokens of a family a ticket covers, and the hash of the custodian's answers."""

    real: int
    answers_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What one custodian evaluated in one batch."""

    custodian: str
    broker: str
    organisation: str
    worker: str
    operation: str
    purpose: str
    epoch: int
    families: Mapping[str, FamilyCount]
    batch: str
    id: str
    issued_at: int
    expires_at: int
    grant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketUse:
    """The request a ticket must cover: who, what, and how many tokens of each family."""

    broker: str
    organisation: str
    worker: str
    operation: str
    purpose: str
    epoch: int
    counts: Mapping[str, int]


def _is_families(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= len(FAMILIES)
        and all(name in FAMILIES and _is_count(count) for name, count in value.items())
    )


def _is_count(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"real", "answers_sha256"}
        and is_instant(value["real"])
        and isinstance(value["answers_sha256"], str)
        and _SHA256.match(value["answers_sha256"]) is not None
    )


_CLAIMS: Mapping[str, Callable[[object], bool]] = {
    "iss": is_word,
    "aud": is_word,
    "org": is_oin,
    "sub": is_word,
    "op": lambda value: value in OPERATIONS,
    "purpose": is_word,
    "epoch": is_instant,
    "fam": _is_families,
    "batch": is_id,
    "jti": is_id,
    "iat": is_instant,
    "exp": is_instant,
    "grant": lambda value: value is None or is_id(value),
}


def sign_ticket(key: SigningKey, ticket: Ticket) -> str:
    """Return the ticket as a compact JWT signed by the custodian's ticket key."""
    claims: dict[str, Any] = {
        "iss": ticket.custodian,
        "aud": ticket.broker,
        "org": ticket.organisation,
        "sub": ticket.worker,
        "op": ticket.operation,
        "purpose": ticket.purpose,
        "epoch": ticket.epoch,
        "fam": {
            name: {"real": count.real, "answers_sha256": count.answers_sha256}
            for name, count in ticket.families.items()
        },
        "batch": ticket.batch,
        "jti": ticket.id,
        "iat": ticket.issued_at,
        "exp": ticket.expires_at,
        "grant": ticket.grant,
    }
    return key.encode_jwt(claims, typ=TICKET_TYP)


def verify_ticket(text: str, *, keys: Mapping[str, VerifyKey], use: TicketUse, now: int) -> Ticket:
    """Return the ticket, if a custodian in `keys` issued it for exactly this use and it has not expired.

    Raises:
        TicketError: with the problem's id as its code.
    """
    # (1) One reading, and a custodian we know.
    try:
        statement = parse(text, typ=TICKET_TYP, claims=_CLAIMS)
    except JwtMalformedError:
        raise TicketError("ticket-malformed") from None
    ticket = _ticket(statement.claims)
    key = keys.get(ticket.custodian)
    if key is None:
        raise TicketError("ticket-foreign")
    # (2) That custodian signed it, with the key it says.
    if statement.kid != key.kid:
        raise TicketError("ticket-signature")
    try:
        statement.verify(key)
    except JwtSignatureError:
        raise TicketError("ticket-signature") from None
    # (3) For us, this organisation, this worker, this purpose.
    meant_for = (ticket.broker, ticket.organisation, ticket.worker, ticket.purpose)
    if meant_for != (use.broker, use.organisation, use.worker, use.purpose):
        raise TicketError("ticket-foreign")
    # (4) A grant serves a registration only, whatever its ticket says.
    if ticket.grant is not None and use.operation != "register":
        raise TicketError("ticket-of-grant")
    if ticket.operation != use.operation:
        raise TicketError("ticket-foreign")
    if ticket.epoch != use.epoch:
        raise TicketError("ticket-epoch")
    # (5) It lives now; only a grant lives longer than ten minutes.
    longest = MAX_LIFETIME_S if ticket.grant is None else _MAX_GRANT_LIFETIME_S
    if ticket.expires_at - ticket.issued_at > longest:
        raise TicketError("ticket-lifetime")
    if ticket.expires_at <= now or ticket.issued_at > now + SKEW_S:
        raise TicketError("ticket-expired")
    # (6) No more tokens per family than were counted.
    for family, count in use.counts.items():
        counted = ticket.families[family].real if family in ticket.families else 0
        if count > counted:
            raise TicketError("ticket-count")
    return ticket


def _ticket(claims: Mapping[str, Any]) -> Ticket:
    return Ticket(
        custodian=claims["iss"],
        broker=claims["aud"],
        organisation=claims["org"],
        worker=claims["sub"],
        operation=claims["op"],
        purpose=claims["purpose"],
        epoch=claims["epoch"],
        families={
            name: FamilyCount(real=count["real"], answers_sha256=count["answers_sha256"])
            for name, count in claims["fam"].items()
        },
        batch=claims["batch"],
        id=claims["jti"],
        issued_at=claims["iat"],
        expires_at=claims["exp"],
        grant=claims["grant"],
    )
