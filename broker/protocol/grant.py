"""Import grants: what two people of an organisation ask its custodians to evaluate in bulk, exactly, until a day (D2).

`{"document": {...}, "statements": ["<JWT>", "<JWT>"]}`. Both people sign with the organisation's one signing key, so a
statement says whose it is and what it covers. People are named by their id at the broker, which every custodian's
roster holds. Reading and verifying are pure; whether the people are on its roster is each custodian's own to check.
"""

import datetime
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

import rfc8785

from broker.protocol import strict_json
from broker.protocol.compact_jwt import JwtMalformedError, JwtSignatureError, parse
from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.register import Organisation
from broker.protocol.request_signing import SKEW_S, is_id, is_instant, is_oin, is_word
from broker.protocol.signing_keys import SigningKey
from broker.protocol.tickets import FAMILIES, MAX_GRANT_DAYS

SCHEMA = "import-grant/v1"
GRANT_TYP = "sluis-grant+jwt"
SIGNERS_NEEDED = 2
SIGNER_ROLES = ("worker", "approver")
MAX_ELEMENTS = 1_000_000
"""Elements of one family at most; the largest caseload of a Dutch organisation is a tenth of it."""

_MAX_BYTES = 65_536
_MAX_CUSTODIANS = 8
_MEMBERS = {"schema", "id", "oin", "custodians", "purpose", "elements", "issuedOn", "expiresOn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What was asked: so many elements per family, for one purpose, at these custodians, up to and with a day."""

    id: str
    organisation: str
    custodians: tuple[str, ...]
    purpose: str
    elements: Mapping[str, int]
    issued_on: datetime.date
    expires_on: datetime.date

    @property
    def begins_at(self) -> int:
        """The first unix second of the day on which it was issued (UTC)."""
        return _midnight(self.issued_on)

    @property
    def expires_at(self) -> int:
        """The first unix second after its last day (UTC)."""
        return _midnight(self.expires_on + datetime.timedelta(days=1))

    def document(self) -> dict[str, Any]:
        """Return the JSON object of this grant."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "oin": self.organisation,
            "custodians": list(self.custodians),
            "purpose": self.purpose,
            "elements": dict(self.elements),
            "issuedOn": self.issued_on.isoformat(),
            "expiresOn": self.expires_on.isoformat(),
        }

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the grant in this JSON object. Raises MalformedError."""
        fields = Fields.of(value, SCHEMA, exactly=_MEMBERS)
        fields.choice("schema", (SCHEMA,))
        if not is_id(fields.members["id"]):
            raise MalformedError(f"{SCHEMA}.id", "is not 32 lower-case hex characters")
        custodians = fields.words("custodians")
        if not 1 <= len(custodians) <= _MAX_CUSTODIANS or list(custodians) != sorted(custodians):
            raise MalformedError(f"{SCHEMA}.custodians", f"are not 1 to {_MAX_CUSTODIANS} in ascending order")
        issued_on, expires_on = fields.day("issuedOn"), fields.day("expiresOn")
        if not 0 <= (expires_on - issued_on).days <= MAX_GRANT_DAYS:
            raise MalformedError(f"{SCHEMA}.expiresOn", f"is not within {MAX_GRANT_DAYS} days of issuedOn")
        return cls(
            id=fields.members["id"],
            organisation=fields.oin("oin"),
            custodians=custodians,
            purpose=fields.word("purpose"),
            elements=_elements(fields),
            issued_on=issued_on,
            expires_on=expires_on,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One person who stated a grant: the id at the broker, the role in which it was stated, and when (unix seconds)."""

    sub: str
    role: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedGrant:
    """A grant and the statements that came with it, none of them believed yet."""

    grant: Grant
    statements: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: bytes | str) -> Self:
        """Return the grant in `text`. Raises MalformedError."""
        envelope = strict_json.load_object(text, field=SCHEMA, max_bytes=_MAX_BYTES)
        if set(envelope) != {"document", "statements"}:
            raise MalformedError(SCHEMA, "has other members than document and statements")
        statements = envelope["statements"]
        if not isinstance(statements, list) or not all(isinstance(one, str) for one in statements):
            raise MalformedError(f"{SCHEMA}.statements", "is not a list of texts")
        return cls(grant=Grant.parse(envelope["document"]), statements=tuple(statements))

    def stated_by(self, signer: Signer, key: SigningKey) -> Self:
        """Return it with one person's statement more, signed with the organisation's key."""
        claims = {
            "iss": self.grant.organisation,
            "sub": signer.sub,
            "role": signer.role,
            "iat": signer.at,
            "grant_sha256": _sha256(self.grant),
        }
        return replace(self, statements=(*self.statements, key.encode_jwt(claims, typ=GRANT_TYP)))

    def require(self, organisation: Organisation, *, signers: int = SIGNERS_NEEDED) -> tuple[Signer, ...]:
        """Return who stated this grant: exactly so many different people, with a key of this organisation.

        Raises:
            MalformedError: it is another organisation's, or was stated before its first day or after its last.
            SignatureError: a statement does not hold, or there are fewer or more people.
        """
        # (1) It is this organisation's, and (2) every statement holds: a bad one is never passed over.
        if self.grant.organisation != organisation.oin:
            raise MalformedError(f"{SCHEMA}.oin", "is another organisation's")
        found = tuple(_signer(text, self.grant, organisation) for text in self.statements)
        # (3) Nobody counts for two.
        if len(found) != signers or len({signer.sub for signer in found}) != signers:
            raise SignatureError
        # (4) Nobody stated it before it was issued, or after it ended: its age is what a custodian goes by.
        if any(not self.grant.begins_at - SKEW_S <= signer.at < self.grant.expires_at for signer in found):
            raise MalformedError(f"{SCHEMA}.statements", "are of another time than the grant")
        return found

    def encode(self) -> bytes:
        """Return the envelope as JSON, one line."""
        return rfc8785.dumps({"document": self.grant.document(), "statements": list(self.statements)}) + b"\n"


_CLAIMS: Mapping[str, Callable[[object], bool]] = {
    "iss": is_oin,
    "sub": is_word,
    "role": lambda value: value in SIGNER_ROLES,
    "iat": is_instant,
    "grant_sha256": lambda value: isinstance(value, str),
}


def _signer(text: str, grant: Grant, organisation: Organisation) -> Signer:
    try:
        statement = parse(text, typ=GRANT_TYP, claims=_CLAIMS)
        statement.verify(organisation.signing_keys[statement.kid])
    except (JwtMalformedError, JwtSignatureError, KeyError):
        raise SignatureError from None
    stated = (statement.claims["iss"], statement.claims["grant_sha256"])
    if stated != (organisation.oin, _sha256(grant)):
        raise SignatureError
    return Signer(sub=statement.claims["sub"], role=statement.claims["role"], at=statement.claims["iat"])


def _elements(fields: Fields) -> Mapping[str, int]:
    members = fields.members["elements"]
    if not isinstance(members, dict) or not members or not set(members) <= set(FAMILIES):
        raise MalformedError(f"{SCHEMA}.elements", "is not an object of families: " + ", ".join(FAMILIES))
    counts = Fields(f"{SCHEMA}.elements", members)
    return MappingProxyType(
        {name: counts.number(name, least=1, most=MAX_ELEMENTS) for name in FAMILIES if name in members}
    )


def _midnight(day: datetime.date) -> int:
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp())


def _sha256(grant: Grant) -> str:
    return hashlib.sha256(rfc8785.dumps(grant.document())).hexdigest()
