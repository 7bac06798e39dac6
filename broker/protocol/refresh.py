"""New shares of the same key: two custodians move a common secret amount from one share to the other (D1).

    ProtocolError
    `-- RefreshError            a commitment, opening or proof does not hold; nothing may be used

    each: begin ─► RefreshCommitment ─ exchanged ─► open_exchange ─► RefreshOpening ─ exchanged ─► conclude ─► Refreshed

    δ = H(e_A·e_B·G, everything that was exchanged)      k_A' = k_A + δ      k_B' = k_B − δ

So k_A' + k_B' = k: every token stays what it is. δ never travels: each sends E_i = e_i·G, and only who knows an e_i
computes the common point (Diffie-Hellman); who reads all that is exchanged, and holds one old share, learns no new one.
The commitment keeps a custodian from choosing E_i after seeing the other's. An opening proves knowledge of e_i and,
under the public share in force, of the old share: nobody else can take a custodian's place. All is bound to custodian,
epoch, family, number of the refresh and the document it starts from: no replay.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from broker.protocol import schnorr, strict_json
from broker.protocol.ceremony import CeremonyNonce, Place
from broker.protocol.document_fields import Fields
from broker.protocol.epochs import ADDITIVE, MAX_REFRESH, DescriptorError, EpochDescriptor, SecretShare, bytes_of
from broker.protocol.errors import ProtocolError
from broker.protocol.families import Family
from broker.protocol.redacted import Redacted
from broker.protocol.ristretto import SIZE, Point, RandomBytes, Scalar, group
from broker.protocol.signing_keys import b64url

COMMITMENT_SCHEMA = "refresh-commitment/v1"
OPENING_SCHEMA = "refresh-opening/v1"
NONCE_SIZE = 32  # bytes; hides E_i until it is opened
DIGEST_SIZE = 32  # bytes, SHA-256
CUSTODIANS = 2

_COMMITMENT_TAG = b"sluis/refresh/commitment/v1\x00"
_EXCHANGE_TAG = b"sluis/refresh/exchange/v1\x00"
_HOLDER_TAG = b"sluis/refresh/holder/v1\x00"
_DELTA_TAG = b"sluis/refresh/delta/v1\x00"


class RefreshError(ProtocolError):
    """What was exchanged does not make new shares; the old ones stay in use."""


class ExchangeSecret(Redacted):
    """e_i: a custodian's part in one refresh, forgotten when it is done."""

    __slots__ = ()

    @property
    def scalar(self) -> Scalar:
        """Return it as a scalar, for arithmetic."""
        return Scalar(self.reveal())


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPlace:
    """What a document of a refresh is for; `basis` is SHA-256 over the epoch document that it starts from."""

    place: Place
    refresh: int
    basis: bytes

    def __post_init__(self) -> None:
        """Check the rules. Raises DescriptorError."""
        if type(self.refresh) is not int or not 1 <= self.refresh <= MAX_REFRESH:
            raise DescriptorError("refresh", f"must be a whole number from 1 to {MAX_REFRESH}")
        if len(self.basis) != DIGEST_SIZE:
            raise DescriptorError("basis", f"is not {DIGEST_SIZE} bytes")

    @property
    def common(self) -> tuple[int, object, int, bytes]:
        """What is the same for both custodians."""
        return self.place.epoch, self.place.family, self.refresh, self.basis

    def encoded(self) -> bytes:
        """Return the place ‖ u32 refresh ‖ basis: one reading only."""
        return self.place.encoded() + self.refresh.to_bytes(4) + self.basis

    def to_mapping(self) -> dict[str, Any]:
        """Return the place as JSON members."""
        return {**self.place.to_mapping(), "refresh": self.refresh, "basis": b64url(self.basis)}

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """Return the place that a document names. Raises MalformedError."""
        return cls(
            place=Place.of(fields),
            refresh=fields.number("refresh", least=1, most=MAX_REFRESH),
            basis=bytes_of(fields, "basis", DIGEST_SIZE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshCommitment:
    """A custodian's promise of its E_i: `digest` is 32 bytes."""

    place: RefreshPlace
    digest: bytes

    def to_mapping(self) -> dict[str, Any]:
        """Return the commitment as JSON members."""
        return {"schema": COMMITMENT_SCHEMA, **self.place.to_mapping(), "commitment": b64url(self.digest)}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the commitment in a JSON text or value. Raises MalformedError."""
        fields = _document(value, COMMITMENT_SCHEMA, {"commitment"})
        return cls(place=RefreshPlace.of(fields), digest=bytes_of(fields, "commitment", DIGEST_SIZE))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOpening:
    """A custodian's E_i, the nonce that opens its commitment, and proofs of knowing e_i and the share in force."""

    place: RefreshPlace
    exchange: Point
    nonce: bytes
    exchange_proof: bytes
    holder_proof: bytes

    def to_mapping(self) -> dict[str, Any]:
        """Return the opening as JSON members."""
        return {
            "schema": OPENING_SCHEMA,
            **self.place.to_mapping(),
            "exchange": b64url(self.exchange),
            "nonce": b64url(self.nonce),
            "exchangeProof": b64url(self.exchange_proof),
            "holderProof": b64url(self.holder_proof),
        }

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the opening in a JSON text or value; its point is on the group. Raises MalformedError."""
        fields = _document(value, OPENING_SCHEMA, {"exchange", "nonce", "exchangeProof", "holderProof"})
        return cls(
            place=RefreshPlace.of(fields),
            exchange=group().parse_point(bytes_of(fields, "exchange", SIZE), field="exchange"),
            nonce=bytes_of(fields, "nonce", NONCE_SIZE),
            exchange_proof=bytes_of(fields, "exchangeProof", schnorr.PROOF_SIZE),
            holder_proof=bytes_of(fields, "holderProof", schnorr.PROOF_SIZE),
        )

    def encoded(self) -> bytes:
        """Return the place ‖ E_i ‖ nonce: what δ depends on besides the common point."""
        return self.place.encoded() + self.exchange + self.nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a custodian keeps secret between its commitment and the end."""

    place: RefreshPlace
    secret: ExchangeSecret
    nonce: CeremonyNonce

    @property
    def key(self) -> tuple[int, Family]:
        """Of which epoch and family a share is refreshed."""
        return self.place.place.epoch, self.place.place.family


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """A custodian's new share, and the descriptor that both compute alike."""

    share: SecretShare
    descriptor: EpochDescriptor


def begin(place: RefreshPlace, random: RandomBytes) -> tuple[RefreshCommitment, Begun]:
    """Return the commitment to publish, and what is kept secret until every commitment has arrived."""
    begun = Begun(
        place=place, secret=ExchangeSecret(group().random_scalar(random)), nonce=CeremonyNonce(random(NONCE_SIZE))
    )
    exchange = group().mul_base(begun.secret.scalar)
    return RefreshCommitment(place=place, digest=commitment_digest(place, exchange, begun.nonce.reveal())), begun


def commitment_digest(place: RefreshPlace, exchange: Point, nonce: bytes) -> bytes:
    """Return SHA-256(tag ‖ place ‖ E_i ‖ nonce): 32 bytes that bind E_i and do not show it."""
    return hashlib.sha256(_COMMITMENT_TAG + place.encoded() + exchange + nonce).digest()


def open_exchange(begun: Begun, share: SecretShare, random: RandomBytes) -> RefreshOpening:
    """Return the opening of this custodian's commitment; `share` is the one in force.

    Call it only when every custodian's commitment has arrived: what is opened can no longer be chosen against.
    """
    place, nonce = begun.place, begun.nonce.reveal()
    exchange = group().mul_base(begun.secret.scalar)
    said = place.encoded() + exchange + nonce
    return RefreshOpening(
        place=place,
        exchange=exchange,
        nonce=nonce,
        exchange_proof=schnorr.prove(begun.secret.scalar, context=_EXCHANGE_TAG + said, random=random),
        holder_proof=schnorr.prove(share.scalar, context=_HOLDER_TAG + said, random=random),
    )


def conclude(
    begun: Begun,
    share: SecretShare,
    descriptor: EpochDescriptor,
    *,
    commitments: Sequence[RefreshCommitment],
    openings: Sequence[RefreshOpening],
) -> Refreshed:
    """Return this custodian's new share and the new descriptor; nothing is in use before both signed that.

    Args:
        begun: what this custodian kept secret.
        share: its share in force.
        descriptor: the one in force, which both signed.
        commitments, openings: of both custodians, in any order.

    Raises:
        RefreshError: a document is missing, for something else, does not match its commitment, or a proof fails.
        MalformedError: a document has impossible values, or the new shares would break a rule of descriptors.
    """
    # (1) An additive split between exactly two: what one gains is what the other loses.
    ids = [key.id for key in descriptor.custodians]
    if len(ids) != CUSTODIANS or any(key.coefficient != ADDITIVE for key in descriptor.custodians):
        raise RefreshError("only shares that two custodians add up are refreshed")
    # (2) One commitment and one opening of each, all for this very refresh.
    promised = {item.place.place.custodian: item for item in commitments}
    opened = {item.place.place.custodian: item for item in openings}
    if sorted(promised) != ids or sorted(opened) != ids or len(commitments) + len(openings) != 2 * CUSTODIANS:
        raise RefreshError("there is not one commitment and one opening of each custodian")
    places = [*(item.place for item in commitments), *(item.place for item in openings)]
    if {place.common for place in places} != {begun.place.common}:
        raise RefreshError("the documents are not all for this refresh")
    for key in descriptor.custodians:
        # (3) What was opened is what was promised, (4) by who knows e_i and the share in force.
        _check_opening(promised[key.id], opened[key.id], public_share=key.public_share)
    # (5) The amount that moves, known to these two alone.
    mine = begun.place.place.custodian
    (other,) = (name for name in ids if name != mine)
    delta = _delta(begun.secret, opened[other].exchange, [opened[name] for name in ids])
    # (6) From the second to the first; the descriptor checks the rest.
    return _moved(share, descriptor, delta, first=mine == ids[0])


def _check_opening(commitment: RefreshCommitment, opening: RefreshOpening, *, public_share: Point) -> None:
    custodian = opening.place.place.custodian
    digest = commitment_digest(opening.place, opening.exchange, opening.nonce)
    if not hmac.compare_digest(digest, commitment.digest):
        raise RefreshError(f"{custodian}: the opening does not match the commitment")
    said = opening.encoded()
    if not schnorr.holds(opening.exchange_proof, opening.exchange, context=_EXCHANGE_TAG + said):
        raise RefreshError(f"{custodian}: the proof of its part in the exchange does not hold")
    if not schnorr.holds(opening.holder_proof, public_share, context=_HOLDER_TAG + said):
        raise RefreshError(f"{custodian}: the proof of holding the share in force does not hold")


def _delta(secret: ExchangeSecret, other: Point, openings: Sequence[RefreshOpening]) -> Scalar:
    common = group().mul(secret.scalar, other)
    said = b"".join(opening.encoded() for opening in openings)
    return group().reduce(hashlib.sha512(_DELTA_TAG + common + said).digest())


def _moved(share: SecretShare, descriptor: EpochDescriptor, delta: Scalar, *, first: bool) -> Refreshed:
    curve = group()
    moved = curve.mul_base(delta)
    gaining, losing = descriptor.custodians
    keys = (
        replace(gaining, public_share=curve.add(gaining.public_share, moved)),
        replace(losing, public_share=curve.sub(losing.public_share, moved)),
    )
    new = curve.scalar_add(share.scalar, delta) if first else curve.scalar_sub(share.scalar, delta)
    return Refreshed(share=SecretShare(new), descriptor=replace(descriptor, custodians=keys))


def _document(value: object, schema: str, names: set[str]) -> Fields:
    if isinstance(value, bytes | str):
        value = strict_json.loads(value, field=schema)
    place = {"custodian", "epoch", "family", "refresh", "basis"}
    fields = Fields.of(value, schema, exactly={"schema"} | place | names)
    fields.choice("schema", [schema])
    return fields
