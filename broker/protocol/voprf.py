"""RFC 9497 as written: OPRF (mode 0) and VOPRF (mode 1) with the suite ristretto255-SHA512.

    ProtocolError
    |-- ProofError              answers were not made with the key behind the public share
    `-- MalformedError
        `-- BatchError          a batch is empty, too large, or its parts do not fit

`tokens.py` builds the product on it; this module knows nothing of custodians, families or epochs. Inputs and outputs
are bytes; points and scalars are those of `ristretto.py`.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.ristretto import IDENTITY, SIZE, InvalidPointError, Point, RandomBytes, Scalar, group

MAX_BATCH = 65535
"""Points in one batch: their number is two bytes in the proof (RFC 9497 §2.2.1)."""
PROOF_SIZE = 2 * SIZE
"""Bytes of a proof: challenge and response, both scalars."""
_BLOCK = 128  # bytes of a SHA-512 input block
_OUTPUT = 64  # bytes of a SHA-512 digest, and of every expanded message
_POINT_LENGTH = SIZE.to_bytes(2)  # before every point of a transcript


class Mode(IntEnum):
    """The protocol variants of RFC 9497 §3.1 that are used here."""

    OPRF = 0
    VOPRF = 1


class ProofError(ProtocolError):
    """Answers were not made with the key behind the public share, or the proof was altered."""


class BatchError(MalformedError):
    """A batch is empty, too large, or its parts do not have the same number of points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a proof is about: one secret k with `public = k * G` and `answers[i] = k * points[i]` for every i.

    Points and answers may be bytes that nobody has read yet: `prove` and `verify` refuse what is no point.
    """

    public: Point
    points: Sequence[bytes]
    answers: Sequence[bytes]


def context_string(mode: Mode) -> bytes:
    """Return the domain separation of a mode (RFC 9497 §3.1)."""
    return b"OPRFV1-" + bytes([mode]) + b"-ristretto255-SHA512"


_GROUP_TAG = {mode: b"HashToGroup-" + context_string(mode) for mode in Mode}
_SCALAR_TAG = {mode: b"HashToScalar-" + context_string(mode) for mode in Mode}


def expand_message(message: bytes, tag: bytes) -> bytes:
    """Return 64 bytes of expand_message_xmd with SHA-512 (RFC 9380 §5.3.1); `tag` is at most 255 bytes."""
    tag_prime = tag + bytes([len(tag)])
    first = hashlib.sha512(bytes(_BLOCK) + message + _OUTPUT.to_bytes(2) + b"\x00" + tag_prime).digest()
    # 64 bytes are one digest, so the loop of §5.3.1 runs once.
    return hashlib.sha512(first + b"\x01" + tag_prime).digest()


def hash_to_group(message: bytes, mode: Mode) -> Point:
    """Return the point of an input (RFC 9497 §4.1 HashToGroup). Raises InvalidPointError: it is the identity."""
    point = group().from_hash(expand_message(message, _GROUP_TAG[mode]))
    # What the map returns is a canonical point; only the identity remains to be refused.
    if hmac.compare_digest(point, IDENTITY):
        raise InvalidPointError("input", "is hashed to the identity")
    return point


def hash_to_scalar(message: bytes, mode: Mode) -> Scalar:
    """Return the scalar of a transcript (RFC 9497 §4.1 HashToScalar)."""
    return group().reduce(expand_message(message, _SCALAR_TAG[mode]))


def derive_key(seed: bytes, info: bytes, mode: Mode) -> Scalar:
    """Return the secret key of a 32-byte seed (RFC 9497 §3.2.1 DeriveKeyPair).

    Raises:
        InvalidScalarError: the key is zero. The RFC would hash again with the next counter; with a probability of
            2^-252 refusing is the same and leaves no branch that nobody can test.
    """
    message = seed + _framed(info) + b"\x00"
    expanded = expand_message(message, b"DeriveKeyPair" + context_string(mode))
    return group().parse_scalar(group().reduce(expanded), field="key")


def blind(message: bytes, factor: Scalar, mode: Mode) -> Point:
    """Return the blinded point of an input: uniformly random, whatever the input (RFC 9497 §3.3.1 Blind)."""
    return group().mul(factor, hash_to_group(message, mode))


def evaluate(key: Scalar, points: Sequence[bytes]) -> list[Point]:
    """Return key * point for every point (RFC 9497 §3.3.1 BlindEvaluate). Raises InvalidPointError: one is none."""
    return group().mul_each(key, points)


def unblind(factor: Scalar, answer: Point) -> Point:
    """Return the answer without its blinding factor: key * HashToGroup(input)."""
    return group().mul(group().invert(factor), answer)


def finalize(message: bytes, unblinded: Point) -> bytes:
    """Return the 64-byte output of the function (RFC 9497 §3.3.1 Finalize). Sluis stores the point instead (D1)."""
    return hashlib.sha512(_framed(message) + _framed(unblinded) + b"Finalize").digest()


def prove(key: Scalar, statement: Statement, random: RandomBytes) -> bytes:
    """Return the 64-byte proof of a statement (RFC 9497 §2.2.1 GenerateProof). Raises BatchError, InvalidPointError."""
    curve = group()
    combined = curve.weighted_sum(_weights(statement), statement.points)
    combined_answer = curve.mul(key, combined)
    nonce = curve.random_scalar(random)
    challenge = _challenge(
        statement.public, combined, combined_answer, curve.mul_base(nonce), curve.mul(nonce, combined)
    )
    return challenge + curve.scalar_sub(nonce, curve.scalar_mul(challenge, key))


def verify(proof: bytes, statement: Statement) -> None:
    """Hold only if the statement is true (RFC 9497 §2.2.2 VerifyProof).

    Raises:
        ProofError: the statement or the proof was altered, or another key was used.
        InvalidScalarError, InvalidPointError, BatchError: the proof, an answer or the batch is malformed.
    """
    curve = group()
    # (1) Both halves are canonical scalars, so a proof has one serialisation.
    challenge = curve.parse_scalar(proof[:SIZE], field="proof")
    response = curve.parse_scalar(proof[SIZE:], field="proof")
    # (2) One random combination stands for the whole batch.
    weights = _weights(statement)
    combined = curve.weighted_sum(weights, statement.points)
    combined_answer = curve.weighted_sum(weights, statement.answers, field="answers")
    # (3) The commitments follow from response and challenge.
    left = curve.add(curve.mul_base(response), curve.mul(challenge, statement.public))
    right = curve.add(curve.mul(response, combined), curve.mul(challenge, combined_answer))
    # (4) Only who knew the key could make them hash to the challenge.
    expected = _challenge(statement.public, combined, combined_answer, left, right)
    if not hmac.compare_digest(expected, challenge):
        raise ProofError("the answers were not made with the key of the public share")


def _weights(statement: Statement) -> list[Scalar]:
    """Return one weight per pair of point and answer, each depending on the whole key and on the pair's place."""
    size = len(statement.points)
    if not 1 <= size <= MAX_BATCH or size != len(statement.answers):
        raise BatchError("points", f"must be 1 to {MAX_BATCH}, with one answer each")
    seed = hashlib.sha512(_framed(statement.public) + _framed(b"Seed-" + context_string(Mode.VOPRF))).digest()
    first, tag, reduce = _framed(seed), _SCALAR_TAG[Mode.VOPRF], group().reduce
    # The innermost loop of a batch: a part of another length is no point, and is refused where it is multiplied.
    return [
        reduce(
            expand_message(
                b"".join((first, place.to_bytes(2), _POINT_LENGTH, point, _POINT_LENGTH, answer, b"Composite")), tag
            )
        )
        for place, (point, answer) in enumerate(zip(statement.points, statement.answers, strict=True))
    ]


def _challenge(public: Point, *transcript: Point) -> Scalar:
    framed = b"".join(_framed(point) for point in (public, *transcript))
    return hash_to_scalar(framed + b"Challenge", Mode.VOPRF)


def _framed(part: bytes) -> bytes:
    """Return `part` after its length in two bytes, so that concatenation is unambiguous."""
    return len(part).to_bytes(2) + part
