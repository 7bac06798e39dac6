"""Proofs of knowing the scalar behind a point (Schnorr, made non-interactive by Fiat-Shamir), bound to a context."""

import hashlib
import hmac

from broker.protocol.ristretto import SIZE, Point, RandomBytes, Scalar, group

PROOF_SIZE = 2 * SIZE  # bytes; challenge and response, both scalars


def prove(secret: Scalar, *, context: bytes, random: RandomBytes) -> bytes:
    """Return 64 bytes that show knowledge of `secret` for its point, in this context and no other."""
    curve = group()
    nonce = curve.random_scalar(random)
    challenge = _challenge(context, curve.mul_base(secret), curve.mul_base(nonce))
    return challenge + curve.scalar_sub(nonce, curve.scalar_mul(challenge, secret))


def holds(proof: bytes, public: Point, *, context: bytes) -> bool:
    """Return whether whoever made the proof knew the scalar behind `public`, in this context.

    Raises:
        InvalidPointError, InvalidScalarError: a part is malformed.
    """
    curve = group()
    point = curve.parse_point(public, field="public")
    challenge = curve.parse_scalar(proof[:SIZE], field="proof")
    response = curve.parse_scalar(proof[SIZE:], field="proof")
    announced = curve.add(curve.mul_base(response), curve.mul(challenge, point))
    return hmac.compare_digest(_challenge(context, point, announced), challenge)


def _challenge(context: bytes, public: Point, announced: Point) -> Scalar:
    return group().reduce(hashlib.sha512(context + public + announced).digest())
