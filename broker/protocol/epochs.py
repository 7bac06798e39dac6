"""Epoch descriptors: under which public shares, and with which coefficients, a family's tokens are made.

    MalformedError
    `-- DescriptorError         a descriptor breaks a rule; names the field and the rule

A descriptor says nothing secret. It travels in the `epoch/v1` document that both custodians sign, stands in the log,
and partners compare it. Clients only read coefficients from it, so a threshold scheme later changes no client.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import rfc8785

from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.redacted import Redacted
from broker.protocol.ristretto import SIZE, InvalidPointError, Point, RandomBytes, Scalar, group
from broker.protocol.signing_keys import b64url, b64url_bytes

SCHEMA = "epoch/v1"
MAX_EPOCH = 2**32 - 1  # four bytes in a token index
MAX_REFRESH = 2**32 - 1  # four bytes in what custodians prove at a refresh
MIN_CUSTODIANS = 2
MAX_CUSTODIANS = 8
ADDITIVE = Scalar((1).to_bytes(SIZE, "little"))
"""The coefficient of a share of an additive split: k = k_A + k_B."""

_CUSTODIAN_ID = re.compile(r"\A[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?\Z")


class DescriptorError(MalformedError):
    """An epoch descriptor or document breaks a rule of its format."""


class SecretShare(Redacted):
    """A custodian's share of a family's key: a scalar from 1 to the order less one."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        """Hold the share in 32 bytes. Raises InvalidScalarError."""
        super().__init__(group().parse_scalar(value, field="share"))

    @classmethod
    def generate(cls, random: RandomBytes) -> Self:
        """Return a uniformly random share. Raises GroupError: the source of randomness is broken."""
        return cls(group().random_scalar(random))

    @property
    def scalar(self) -> Scalar:
        """Return the share as a scalar, for arithmetic."""
        return Scalar(self.reveal())

    @property
    def public(self) -> Point:
        """Return P_i, the public share: 32 bytes."""
        return group().mul_base(self.scalar)


def is_custodian_id(value: object) -> bool:
    """Return whether this is a custodian's DNS-like name, at most 63 characters."""
    return isinstance(value, str) and _CUSTODIAN_ID.match(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianKey:
    """What a client must know of one custodian: its public share P_i and its coefficient λ_i."""

    id: str
    public_share: Point
    coefficient: Scalar = ADDITIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDescriptor:
    """The public side of one family's key in one epoch; every custodian listed must answer.

    Construction holds only if every rule holds; else DescriptorError, InvalidPointError or InvalidScalarError.
    """

    epoch: int
    family: Family
    custodians: tuple[CustodianKey, ...]
    threshold: int

    def __post_init__(self) -> None:
        """Check the rules in a fixed order."""
        _check_epoch(self.epoch)
        # (1) Ids are well formed and strictly ascending: one order, no custodian twice.
        if not all(is_custodian_id(key.id) for key in self.custodians):
            raise DescriptorError("custodians.id", "is not a custodian's name")
        if not all(left.id < right.id for left, right in pairwise(self.custodians)):
            raise DescriptorError("custodians", "must be in ascending order of id, each once")
        # (2) No share may be missing: all listed custodians answer, at least two.
        if type(self.threshold) is not int or self.threshold != len(self.custodians):
            raise DescriptorError("threshold", "must be the number of custodians listed")
        if not MIN_CUSTODIANS <= self.threshold <= MAX_CUSTODIANS:
            raise DescriptorError("threshold", f"must be {MIN_CUSTODIANS} to {MAX_CUSTODIANS}")
        # (3) Shares and coefficients are canonical, no share is used twice.
        for key in self.custodians:
            group().parse_point(key.public_share, field="custodians.publicShare")
            group().parse_scalar(key.coefficient, field="custodians.coefficient")
        if len({key.public_share for key in self.custodians}) != len(self.custodians):
            raise DescriptorError("custodians.publicShare", "must differ between custodians")
        # (4) Together they are a key: the shares do not cancel out.
        try:
            group().parse_point(self.public_key)
        except InvalidPointError:
            raise DescriptorError("custodians.publicShare", "must not cancel out") from None

    @property
    def public_key(self) -> Point:
        """Return Σ λ_i P_i, the public key behind the family's tokens."""
        total, *others = (group().mul(key.coefficient, key.public_share) for key in self.custodians)
        for term in others:
            total = group().add(total, term)
        return total

    def to_mapping(self) -> dict[str, Any]:
        """Return the descriptor as JSON members."""
        custodians = [
            {"id": key.id, "publicShare": b64url(key.public_share), "coefficient": b64url(key.coefficient)}
            for key in self.custodians
        ]
        return {
            "epoch": self.epoch,
            "family": self.family.value,
            "custodians": custodians,
            "threshold": self.threshold,
        }

    def canonical(self) -> bytes:
        """Return the canonical JSON (RFC 8785) that the log and the signatures hold."""
        return rfc8785.dumps(self.to_mapping())

    @classmethod
    def from_mapping(cls, value: object) -> Self:
        """Return the descriptor in a JSON value. Raises MalformedError."""
        fields = Fields.of(value, "descriptor", exactly={"epoch", "family", "custodians", "threshold"})
        return cls(
            epoch=fields.number("epoch", least=1, most=MAX_EPOCH),
            family=family_of(fields),
            custodians=tuple(_custodian_key(item) for item in fields.items("custodians", at_most=MAX_CUSTODIANS)),
            threshold=fields.number("threshold"),
        )

    @classmethod
    def parse(cls, text: bytes | str) -> Self:
        """Return the descriptor in a JSON text. Raises MalformedError."""
        return cls.from_mapping(strict_json.loads(text, field="descriptor"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDocument:
    """The descriptors of all families of one epoch: what both custodians sign as `epoch/v1`.

    `refresh` counts how often the shares were refreshed under the same key; 0 does not stand in the document.
    """

    epoch: int
    descriptors: tuple[EpochDescriptor, ...]
    refresh: int = 0

    def __post_init__(self) -> None:
        """Check that the families ascend by code, each once, and share epoch and custodians."""
        _check_epoch(self.epoch)
        if type(self.refresh) is not int or not 0 <= self.refresh <= MAX_REFRESH:
            raise DescriptorError("refresh", f"must be a whole number up to {MAX_REFRESH}")
        if not self.descriptors:
            raise DescriptorError("families", "must not be empty")
        if any(item.epoch != self.epoch for item in self.descriptors):
            raise DescriptorError("families.epoch", "must be the epoch of the document")
        if not all(left.family.code < right.family.code for left, right in pairwise(self.descriptors)):
            raise DescriptorError("families", "must be in ascending order of family code, each once")
        if len({tuple(key.id for key in item.custodians) for item in self.descriptors}) != 1:
            raise DescriptorError("families.custodians", "must be the same in every family")
        shares = [key.public_share for item in self.descriptors for key in item.custodians]
        if len(set(shares)) != len(shares):
            raise DescriptorError("families.custodians.publicShare", "must differ between families")

    def descriptor(self, family: Family) -> EpochDescriptor:
        """Return the descriptor of a family. Raises DescriptorError: this epoch has no key for it."""
        for item in self.descriptors:
            if item.family is family:
                return item
        raise DescriptorError("family", "has no key in this epoch")

    def replaces(self, older: "EpochDocument") -> bool:
        """Return whether this takes the place of the older one: a later epoch, or the same key in newer shares.

        Raises:
            DescriptorError: it says to be a refresh of the older one, and tokens would not stay what they are.
        """
        if (self.epoch, self.refresh) <= (older.epoch, older.refresh):
            return False
        if self.epoch == older.epoch:
            _check_same_keys(self, older)
        return True

    def to_mapping(self) -> dict[str, Any]:
        """Return the document as JSON members, ready for `signed_document.py`."""
        refreshed = {"refresh": self.refresh} if self.refresh else {}
        families = [item.to_mapping() for item in self.descriptors]
        return {"schema": SCHEMA, "epoch": self.epoch, **refreshed, "families": families}

    def canonical(self) -> bytes:
        """Return the canonical JSON (RFC 8785) of the document."""
        return rfc8785.dumps(self.to_mapping())

    @classmethod
    def from_mapping(cls, value: object) -> Self:
        """Return the document in a JSON value. Raises MalformedError."""
        refreshed = isinstance(value, dict) and "refresh" in value
        names = {"schema", "epoch", "families"} | ({"refresh"} if refreshed else set())
        fields = Fields.of(value, "epoch document", exactly=names)
        fields.choice("schema", [SCHEMA])
        return cls(
            epoch=fields.number("epoch", least=1, most=MAX_EPOCH),
            descriptors=tuple(
                EpochDescriptor.from_mapping(item) for item in fields.items("families", at_most=len(Family))
            ),
            refresh=fields.number("refresh", least=1, most=MAX_REFRESH) if refreshed else 0,
        )


def _check_same_keys(newer: EpochDocument, older: EpochDocument) -> None:
    """Hold only if every family keeps its key: the same custodians, coefficients and sum. Raises DescriptorError."""
    if [item.family for item in newer.descriptors] != [item.family for item in older.descriptors]:
        raise DescriptorError("families", "must be those of the epoch that is refreshed")
    for new, old in zip(newer.descriptors, older.descriptors, strict=True):
        if [(key.id, key.coefficient) for key in new.custodians] != [
            (key.id, key.coefficient) for key in old.custodians
        ]:
            raise DescriptorError("custodians", "must be those of the epoch that is refreshed")
        if new.public_key != old.public_key:
            raise DescriptorError("custodians.publicShare", "must add up to the key that is refreshed")


def family_of(fields: Fields) -> Family:
    """Return the family that a document names. Raises MalformedError."""
    return Family(fields.choice("family", list(Family)))


def bytes_of(fields: Fields, name: str, length: int) -> bytes:
    """Return the bytes of a base64url member of a document. Raises MalformedError."""
    return b64url_bytes(fields.text(name), field=f"{fields.path}.{name}", length=length)


def _check_epoch(epoch: object) -> None:
    if type(epoch) is not int or not 1 <= epoch <= MAX_EPOCH:
        raise DescriptorError("epoch", f"must be a whole number from 1 to {MAX_EPOCH}")


def _custodian_key(value: object) -> CustodianKey:
    fields = Fields.of(value, "custodians", exactly={"id", "publicShare", "coefficient"})
    return CustodianKey(
        id=fields.word("id"),
        public_share=Point(bytes_of(fields, "publicShare", SIZE)),
        coefficient=Scalar(bytes_of(fields, "coefficient", SIZE)),
    )
