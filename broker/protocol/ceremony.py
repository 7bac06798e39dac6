"""How custodians make a key that nobody ever holds: commit, open with a proof of possession, finish (D1).

    ProtocolError
    `-- CeremonyError           a commitment or opening does not hold; names the custodian

    each custodian: commit ─► Commitment ─ exchanged ─► open_share ─► Opening ─ exchanged ─► finish ─► EpochDescriptor

The commitment binds a custodian before it sees another's share, so it cannot choose P_B = X - P_A (rogue key). The
proof shows that it knows its share, and holds for this custodian, epoch, family and nonce only: no replay.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import rfc8785

from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.epochs import (
    MAX_EPOCH,
    CustodianKey,
    DescriptorError,
    EpochDescriptor,
    SecretShare,
    bytes_of,
    family_of,
    is_custodian_id,
)
from broker.protocol.errors import ProtocolError
from broker.protocol.families import Family
from broker.protocol.redacted import Redacted
from broker.protocol.ristretto import SIZE, Point, RandomBytes, Scalar, group
from broker.protocol.signing_keys import b64url

COMMITMENT_SCHEMA = "ceremony-commitment/v1"
OPENING_SCHEMA = "ceremony-opening/v1"
NONCE_SIZE = 32  # bytes; hides the public share until it is opened
PROOF_SIZE = 2 * SIZE  # bytes; challenge and response, both scalars

_COMMITMENT_TAG = b"sluis/ceremony/commitment/v1\x00"
_POSSESSION_TAG = b"sluis/ceremony/possession/v1\x00"


class CeremonyError(ProtocolError):
    """A ceremony's documents do not make a key; nothing may be used."""


class CeremonyNonce(Redacted):
    """The 32 bytes that keep a public share hidden between commitment and opening."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a ceremony document is for: one custodian's share of one family's key in one epoch."""

    custodian: str
    epoch: int
    family: Family

    def __post_init__(self) -> None:
        """Check the rules. Raises DescriptorError."""
        if not is_custodian_id(self.custodian):
            raise DescriptorError("custodian", "is not a custodian's name")
        if type(self.epoch) is not int or not 1 <= self.epoch <= MAX_EPOCH:
            raise DescriptorError("epoch", f"must be a whole number from 1 to {MAX_EPOCH}")

    def encoded(self) -> bytes:
        """Return u8 length ‖ custodian ‖ u32 epoch ‖ u8 family: one reading only."""
        name = self.custodian.encode("ascii")
        return bytes([len(name)]) + name + self.epoch.to_bytes(4) + bytes([self.family.code])

    def to_mapping(self) -> dict[str, Any]:
        """Return the place as JSON members."""
        return {"custodian": self.custodian, "epoch": self.epoch, "family": self.family.value}

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """Return the place that a ceremony document names. Raises MalformedError."""
        return cls(
            custodian=fields.word("custodian"),
            epoch=fields.number("epoch", least=1, most=MAX_EPOCH),
            family=family_of(fields),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A custodian's promise of a public share: `digest` is 32 bytes."""

    place: Place
    digest: bytes

    def to_mapping(self) -> dict[str, Any]:
        """Return the commitment as JSON members."""
        return {"schema": COMMITMENT_SCHEMA, **self.place.to_mapping(), "commitment": b64url(self.digest)}

    def canonical(self) -> bytes:
        """Return the canonical JSON (RFC 8785) of the document."""
        return rfc8785.dumps(self.to_mapping())

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the commitment in a JSON text or value. Raises MalformedError."""
        fields = _document(value, COMMITMENT_SCHEMA, {"commitment"})
        return cls(place=Place.of(fields), digest=bytes_of(fields, "commitment", hashlib.sha256().digest_size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A custodian's public share P_i, the nonce that opens its commitment, and the proof that it knows the share."""

    place: Place
    public_share: Point
    nonce: bytes
    proof: bytes

    def to_mapping(self) -> dict[str, Any]:
        """Return the opening as JSON members."""
        return {
            "schema": OPENING_SCHEMA,
            **self.place.to_mapping(),
            "publicShare": b64url(self.public_share),
            "nonce": b64url(self.nonce),
            "proof": b64url(self.proof),
        }

    def canonical(self) -> bytes:
        """Return the canonical JSON (RFC 8785) of the document."""
        return rfc8785.dumps(self.to_mapping())

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the opening in a JSON text or value; its point is on the group. Raises MalformedError."""
        fields = _document(value, OPENING_SCHEMA, {"publicShare", "nonce", "proof"})
        return cls(
            place=Place.of(fields),
            public_share=group().parse_point(bytes_of(fields, "publicShare", SIZE), field="publicShare"),
            nonce=bytes_of(fields, "nonce", NONCE_SIZE),
            proof=bytes_of(fields, "proof", PROOF_SIZE),
        )


_Document = TypeVar("_Document", Commitment, Opening)


def commitment_digest(place: Place, public_share: Point, nonce: bytes) -> bytes:
    """Return SHA-256(tag ‖ place ‖ P_i ‖ nonce): 32 bytes that bind the share and do not show it."""
    return hashlib.sha256(_COMMITMENT_TAG + place.encoded() + public_share + nonce).digest()


def commit(place: Place, share: SecretShare, random: RandomBytes) -> tuple[Commitment, CeremonyNonce]:
    """Return the commitment to publish, and the nonce to keep secret until every commitment has arrived."""
    nonce = CeremonyNonce(random(NONCE_SIZE))
    return Commitment(place=place, digest=commitment_digest(place, share.public, nonce.reveal())), nonce


def open_share(place: Place, share: SecretShare, nonce: CeremonyNonce, random: RandomBytes) -> Opening:
    """Return the opening of this custodian's commitment, with a fresh proof of possession (Schnorr, Fiat-Shamir).

    Call it only when every custodian's commitment has arrived: what is opened can no longer be chosen against.
    """
    curve = group()
    public = share.public
    secret = curve.random_scalar(random)
    challenge = _challenge(place, public, nonce.reveal(), curve.mul_base(secret))
    response = curve.scalar_sub(secret, curve.scalar_mul(challenge, share.scalar))
    return Opening(place=place, public_share=public, nonce=nonce.reveal(), proof=challenge + response)


def finish(commitments: Iterable[Commitment], openings: Iterable[Opening]) -> EpochDescriptor:
    """Return the descriptor of a key whose shares are all proven; every custodian computes the same bytes.

    Raises:
        CeremonyError: a custodian is missing, twice there or in another place, an opening does not match its
            commitment, or a proof does not hold.
        MalformedError: a document has impossible values, or the shares cancel out.
    """
    # (1) Each custodian committed once and opened once, nobody else did.
    promised = _by_place(list(commitments))
    opened = _by_place(list(openings))
    if promised.keys() != opened.keys():
        raise CeremonyError("commitments and openings are not of the same custodians, epoch and family")
    # (2) All are for one epoch and one family.
    if len({(place.epoch, place.family) for place in opened}) != 1:
        raise CeremonyError("the documents are not all for one epoch and one family")
    places = sorted(opened, key=lambda place: place.custodian)
    for place in places:
        # (3) What was opened is what was promised, before anyone saw another share.
        _check_commitment(promised[place], opened[place])
        # (4) Who opened it knows the secret share.
        check_possession(opened[place])
    # (5) The descriptor checks the rest: two or more, different shares, not cancelling out.
    keys = tuple(CustodianKey(id=place.custodian, public_share=opened[place].public_share) for place in places)
    return EpochDescriptor(epoch=places[0].epoch, family=places[0].family, custodians=keys, threshold=len(keys))


def check_possession(opening: Opening) -> None:
    """Hold only if whoever made the opening knew the share, for this place and nonce.

    Raises:
        CeremonyError: the proof does not hold. InvalidPointError, InvalidScalarError: it is malformed.
    """
    curve = group()
    public = curve.parse_point(opening.public_share, field="publicShare")
    challenge = curve.parse_scalar(opening.proof[:SIZE], field="proof")
    response = curve.parse_scalar(opening.proof[SIZE:], field="proof")
    announced = curve.add(curve.mul_base(response), curve.mul(challenge, public))
    if not hmac.compare_digest(_challenge(opening.place, public, opening.nonce, announced), challenge):
        raise CeremonyError(f"{opening.place.custodian}: the proof of possession does not hold")


def _challenge(place: Place, public: Point, nonce: bytes, announced: Point) -> Scalar:
    transcript = _POSSESSION_TAG + place.encoded() + public + nonce + announced
    return group().reduce(hashlib.sha512(transcript).digest())


def _check_commitment(commitment: Commitment, opening: Opening) -> None:
    place = opening.place
    if len(opening.nonce) != NONCE_SIZE:
        raise CeremonyError(f"{place.custodian}: the nonce is not {NONCE_SIZE} bytes")
    digest = commitment_digest(place, opening.public_share, opening.nonce)
    if not hmac.compare_digest(digest, commitment.digest):
        raise CeremonyError(f"{place.custodian}: the opening does not match the commitment")


def _by_place(documents: Sequence[_Document]) -> dict[Place, _Document]:
    if len({item.place.custodian for item in documents}) != len(documents):
        raise CeremonyError("a custodian appears twice")
    return {item.place: item for item in documents}


def _document(value: object, schema: str, names: set[str]) -> Fields:
    if isinstance(value, bytes | str):
        value = strict_json.loads(value, field=schema)
    fields = Fields.of(value, schema, exactly={"schema", "custodian", "epoch", "family"} | names)
    fields.choice("schema", [schema])
    return fields
