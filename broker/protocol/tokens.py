"""Tokens: pseudonyms of identifiers under a key that two custodians hold together (D1).

    partner    blind ──► points ─┬─► custodian A: evaluate_batch ─► answers, proof ─┬─► verify_and_combine ──► N
                                 └─► custodian B: evaluate_batch ─► answers, proof ─┘
    broker     token_index(N)

Each custodian is an ordinary RFC 9497 VOPRF server (mode 1) with its own share; the client verifies each proof and
adds: N = r⁻¹ Σ λ_i β_i. `docs/matching.md` defines every byte, `tests/vectors/{tokens,index}.json` show them.
"""

import functools
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from broker.protocol.epochs import ADDITIVE, MAX_EPOCH, CustodianKey, DescriptorError, EpochDescriptor, SecretShare
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.redacted import Redacted
from broker.protocol.ristretto import UNIFORM_SIZE, Point, RandomBytes, Scalar, group
from broker.protocol.voprf import (
    MAX_BATCH,
    BatchError,
    Mode,
    ProofError,
    Statement,
    evaluate,
    hash_to_group,
    prove,
    unblind,
    verify,
)

__all__ = [
    "BatchError",
    "BlindState",
    "Blinded",
    "Evaluation",
    "Family",
    "Identifier",
    "IndexKey",
    "PersonToken",
    "ProofError",
    "SecretShare",
    "blind",
    "evaluate_batch",
    "random_points",
    "token_index",
    "verify_and_combine",
]

INDEX_KEY_SIZE = 32  # bytes


class Identifier(Redacted):
    """What a token stands for: canonical bytes of a family, made by `identifiers.py` only."""

    __slots__ = ("family",)

    def __init__(self, family: Family, value: bytes) -> None:
        """Hold `value`, which begins with the name of its family."""
        super().__init__(value)
        self.family = family


class PersonToken(Redacted):
    """N, the pseudonym of an identifier under the key of its family and epoch: 32 bytes, a point."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        """Hold a canonical point other than the identity. Raises InvalidPointError."""
        super().__init__(group().parse_point(value, field="token"))

    @classmethod
    def computed(cls, product: Point) -> Self:
        """Return the token of a product that the group itself returned: canonical and not the identity already."""
        token = cls.__new__(cls)
        Redacted.__init__(token, product)
        return token


class IndexKey(Redacted):
    """The broker's key K_idx for its token index: 32 bytes."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        """Hold exactly 32 bytes. Raises MalformedError."""
        if len(value) != INDEX_KEY_SIZE:
            raise MalformedError("index key", f"is not {INDEX_KEY_SIZE} bytes")
        super().__init__(value)


class BlindState(Redacted):
    """The blinding factor r of one point: never leaves the client, used once."""

    __slots__ = ()

    @property
    def factor(self) -> Scalar:
        """Return r as a scalar, for arithmetic."""
        return Scalar(self.reveal())


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinded:
    """A blinded identifier: `point` may be sent to the custodians, `state` may not."""

    family: Family
    point: Point
    state: BlindState

    def __repr__(self) -> str:
        """Return nothing that links the point to a request."""
        return f"Blinded(family={self.family.value}, redacted)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One custodian's answer to a batch: one point per blinded point in the same order, and a proof (64 bytes)."""

    answers: tuple[Point, ...]
    proof: bytes


def blind(identifier: Identifier, random: RandomBytes) -> Blinded:
    """Return the identifier as a uniformly random point, with the state to undo it (RFC 9497 §3.3.2 Blind).

    Raises:
        InvalidPointError, GroupError: no point for this input or no random factor; each with probability 2^-252.
    """
    factor = group().random_scalar(random)
    point = group().mul(factor, hash_to_group(identifier.reveal(), Mode.VOPRF))
    return Blinded(family=identifier.family, point=point, state=BlindState(factor))


def random_points(count: int, random: RandomBytes) -> tuple[Point, ...]:
    """Return so many random points, which nobody can tell from blinded ones: padding of a batch."""
    return tuple(group().from_hash(random(UNIFORM_SIZE)) for _ in range(count))


def evaluate_batch(share: SecretShare, points: Sequence[bytes], random: RandomBytes) -> Evaluation:
    """Return share * point for every point, with one proof for all (RFC 9497 §3.3.2 BlindEvaluate).

    Raises:
        BatchError: no points, or more than 65535. InvalidPointError: a point off the group, or the identity.
    """
    if not 1 <= len(points) <= MAX_BATCH:
        raise BatchError("points", f"must be 1 to {MAX_BATCH}")
    answers = evaluate(share.scalar, points)
    proof = prove(share.scalar, Statement(public=share.public, points=points, answers=answers), random)
    return Evaluation(answers=tuple(answers), proof=proof)


def verify_and_combine(
    blinds: Sequence[Blinded],
    evaluations: Mapping[str, Evaluation],
    descriptor: EpochDescriptor,
    *,
    padding: Sequence[Point] = (),
) -> list[PersonToken]:
    """Return the token of every blinded identifier, in order, once every custodian's proof has been verified.

    Args:
        blinds: what `blind` returned, in the order sent.
        evaluations: each custodian's answer, by custodian id.
        descriptor: of the blinds' family and the epoch asked.
        padding: the random points sent after the blinded ones; they are proven too and give no token.

    Raises:
        BatchError: another custodian, family or number of points than asked.
        InvalidPointError, InvalidScalarError: an answer or proof is malformed.
        ProofError: a custodian used another key than its public share, or an answer was altered.
    """
    # (1) Every custodian of the descriptor answered, nobody else did.
    if evaluations.keys() != {key.id for key in descriptor.custodians}:
        raise BatchError("custodians", "must be those of the epoch descriptor")
    # (2) All blinded points are of the descriptor's family.
    if any(blinded.family is not descriptor.family for blinded in blinds):
        raise BatchError("family", "must be that of the epoch descriptor")
    points = [*(blinded.point for blinded in blinds), *padding]
    # (3) Every answer is proven under the custodian's own public share before any is used.
    for key in descriptor.custodians:
        evaluation = evaluations[key.id]
        verify(evaluation.proof, Statement(public=key.public_share, points=points, answers=evaluation.answers))
    # (4) N = r⁻¹ Σ λ_i β_i.
    weighted = [_weighted(key, evaluations[key.id].answers[: len(blinds)]) for key in descriptor.custodians]
    return [_combined(blinded, parts) for blinded, parts in zip(blinds, zip(*weighted, strict=True), strict=True)]


def token_index(key: IndexKey, epoch: int, family: Family, token: PersonToken) -> bytes:
    """Return HMAC-SHA256(K_idx, u32 epoch ‖ u8 family ‖ N): 32 bytes. Raises DescriptorError: no such epoch."""
    if not 1 <= epoch <= MAX_EPOCH:
        raise DescriptorError("epoch", f"must be a whole number from 1 to {MAX_EPOCH}")
    return hmac.digest(key.reveal(), epoch.to_bytes(4) + bytes([family.code]) + token.reveal(), "sha256")


def _weighted(key: CustodianKey, answers: Sequence[Point]) -> Sequence[Point]:
    """Return λ_i β_i for every answer; an additive share needs no multiplication, the costliest step of a token."""
    return answers if key.coefficient == ADDITIVE else group().mul_each(key.coefficient, answers)


def _combined(blinded: Blinded, parts: Sequence[Point]) -> PersonToken:
    """Return the token of one identifier from what each custodian contributed."""
    return PersonToken.computed(unblind(blinded.state.factor, functools.reduce(group().add, parts)))
