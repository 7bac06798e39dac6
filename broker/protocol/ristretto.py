"""The group ristretto255 (RFC 9496), computed by libsodium: the system's, else the one that `rbcl` bundles.

    ProtocolError
    |-- BackendMissingError         no libsodium with ristretto255: refuse to start
    |-- GroupError                  an operation has no result in the group (zero scalar, identity)
    `-- MalformedError
        |-- InvalidPointError       not 32 bytes, no canonical point, or the identity
        `-- InvalidScalarError      not 32 bytes, no canonical scalar, or zero

Points and scalars are 32 bytes, serialised as in RFC 9497 §4.1. Every operation may be called from many threads: no
buffer is shared and libsodium's group operations keep no state. `mul_each` and `weighted_sum` are for batches: they
check each point by the multiplication itself, which reads it anyway, and not by a reading of its own.
"""

import ctypes
import functools
import hmac
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NewType

from broker.protocol.errors import MalformedError, ProtocolError

Point = NewType("Point", bytes)
Scalar = NewType("Scalar", bytes)
RandomBytes = Callable[[int], bytes]
"""A source of uniformly random bytes, `secrets.token_bytes` outside tests."""

SIZE = 32  # bytes of a serialised point or scalar
UNIFORM_SIZE = 64  # bytes that map to a point or a scalar without bias worth mentioning (RFC 9496 §4.3.4)

SYSTEM_LIBRARIES = ("libsodium.so.26", "libsodium.so.23", "libsodium.dylib")
"""Sonames that have ristretto255: .26 from libsodium 1.0.19, .23 from 1.0.18 (Debian 12)."""

GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
"""The canonical generator (RFC 9496 §4.1), known answer of the self-test."""

IDENTITY = bytes(SIZE)
_TOP_BIT = 0x80  # of the last byte; a field element has 255 bits
_ONE = (1).to_bytes(SIZE, "little")
_CORE = "crypto_core_ristretto255_"
_MULTIPLY = "crypto_scalarmult_ristretto255"
_MULTIPLY_BASE = _MULTIPLY + "_base"
_IS_VALID_POINT, _FROM_HASH, _ADD, _SUB = (_CORE + name for name in ("is_valid_point", "from_hash", "add", "sub"))
_INVERT, _REDUCE = (_CORE + "scalar_" + name for name in ("invert", "reduce"))
_SCALAR_ADD, _SCALAR_SUB, _SCALAR_MUL = (_CORE + "scalar_" + name for name in ("add", "sub", "mul"))
_RETURNS_CODE = {_IS_VALID_POINT: 1, _FROM_HASH: 2, _ADD: 3, _SUB: 3, _INVERT: 2, _MULTIPLY: 3, _MULTIPLY_BASE: 2}
_RETURNS_NOTHING = {_REDUCE: 2, _SCALAR_ADD: 3, _SCALAR_SUB: 3, _SCALAR_MUL: 3}
"""Every function of the library that is used, with the number of its pointers."""
_BUNDLED_IMPORT = threading.Lock()
_Result = ctypes.c_char * SIZE


class BackendMissingError(ProtocolError):
    """No library on this machine computes ristretto255."""


class GroupError(ProtocolError):
    """An operation has no acceptable result in the group."""


class InvalidPointError(MalformedError):
    """The bytes are no canonical point of the group, or its identity."""


class InvalidScalarError(MalformedError):
    """The bytes are no canonical scalar, or zero."""


class Group:
    """ristretto255 over one libsodium; construction holds only if its self-test passed."""

    __slots__ = ("_functions", "name")

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        """Declare every function that is used and compute a known answer. Raises BackendMissingError."""
        self.name = name
        self._functions = {}
        try:
            for functions, result in ((_RETURNS_CODE, ctypes.c_int), (_RETURNS_NOTHING, None)):
                for function, pointers in functions.items():
                    declared = getattr(library, function)
                    declared.argtypes = [ctypes.c_char_p] * pointers
                    declared.restype = result
                    self._functions[function] = declared
            started = library.sodium_init() >= 0
        except AttributeError:
            raise BackendMissingError(f"{name} has no ristretto255") from None
        if not started or self.mul_base(Scalar(_ONE)) != GENERATOR:
            raise BackendMissingError(f"{name} fails its self-test")

    def is_valid_point(self, raw: bytes) -> bool:
        """Return whether `raw` is a canonical point other than the identity."""
        if not _is_shaped(raw) or hmac.compare_digest(raw, IDENTITY):
            return False
        return bool(self._functions[_IS_VALID_POINT](raw))

    def parse_point(self, raw: bytes, *, field: str = "point") -> Point:
        """Return `raw` as a point (RFC 9497 §4.1 DeserializeElement). Raises InvalidPointError."""
        if not self.is_valid_point(raw):
            raise InvalidPointError(field, "is not a ristretto255 point other than the identity")
        return Point(raw)

    def parse_scalar(self, raw: bytes, *, field: str = "scalar") -> Scalar:
        """Return `raw` as a scalar from 1 to the order less one (RFC 9497 §4.1). Raises InvalidScalarError."""
        if len(raw) != SIZE or hmac.compare_digest(raw, bytes(SIZE)):
            raise InvalidScalarError(field, "is not a ristretto255 scalar other than zero")
        if not hmac.compare_digest(self.reduce(raw + bytes(SIZE)), raw):
            raise InvalidScalarError(field, "is not reduced modulo the order of the group")
        return Scalar(raw)

    def from_hash(self, uniform: bytes) -> Point:
        """Return the point that 64 uniform bytes map to (RFC 9496 §4.3.4)."""
        return Point(self._compute(_FROM_HASH, _sized(uniform, UNIFORM_SIZE)))

    def mul(self, scalar: Scalar, point: Point) -> Point:
        """Return scalar * point. Raises GroupError: not a point, or the result is the identity."""
        return Point(self._compute(_MULTIPLY, _sized(scalar), _sized(point)))

    def mul_base(self, scalar: Scalar) -> Point:
        """Return scalar * generator. Raises GroupError: the scalar is zero."""
        return Point(self._compute(_MULTIPLY_BASE, _sized(scalar)))

    def mul_each(self, scalar: Scalar, points: Sequence[bytes], *, field: str = "points") -> list[Point]:
        """Return scalar * point for every point.

        Raises:
            InvalidPointError: one of them is no canonical point, or the identity; nothing is returned.
            GroupError: the scalar is zero.
        """
        multiply, result = self._functions[_MULTIPLY], _Result()
        _sized(scalar)
        products: list[Point] = []
        for point in points:
            if not _is_shaped(point) or multiply(result, scalar, point):
                self.parse_point(point, field=field)
                raise GroupError("an operation has no result in the group")
            products.append(Point(result.raw))
        return products

    def weighted_sum(self, weights: Sequence[Scalar], points: Sequence[bytes], *, field: str = "points") -> Point:
        """Return the sum of weight * point over one or more pairs, possibly the identity.

        Raises:
            InvalidPointError: one of the points is no canonical point, or the identity.
            GroupError: a weight is zero.
        """
        multiply, add = self._functions[_MULTIPLY], self._functions[_ADD]
        total, term = _Result(), _Result()
        into = total
        for weight, point in zip(weights, points, strict=True):
            if not _is_shaped(point) or multiply(into, _sized(weight), point):
                self.parse_point(point, field=field)
                raise GroupError("an operation has no result in the group")
            if into is term:
                add(total, total, term)  # of two points that the library computed itself, so it has a result
            into = term
        return Point(total.raw)

    def add(self, left: Point, right: Point) -> Point:
        """Return left + right, possibly the identity. Raises GroupError: not a point."""
        return Point(self._compute(_ADD, _sized(left), _sized(right)))

    def sub(self, left: Point, right: Point) -> Point:
        """Return left - right, possibly the identity. Raises GroupError: not a point."""
        return Point(self._compute(_SUB, _sized(left), _sized(right)))

    def reduce(self, uniform: bytes) -> Scalar:
        """Return 64 little-endian bytes modulo the order of the group; zero is possible."""
        return Scalar(self._compute(_REDUCE, _sized(uniform, UNIFORM_SIZE)))

    def random_scalar(self, random: RandomBytes) -> Scalar:
        """Return a uniformly random scalar other than zero. Raises GroupError: the source is broken."""
        scalar = self.reduce(random(UNIFORM_SIZE))
        if hmac.compare_digest(scalar, bytes(SIZE)):
            raise GroupError("a random scalar is zero: the source of randomness is broken")
        return scalar

    def scalar_add(self, left: Scalar, right: Scalar) -> Scalar:
        """Return left + right modulo the order."""
        return Scalar(self._compute(_SCALAR_ADD, _sized(left), _sized(right)))

    def scalar_sub(self, left: Scalar, right: Scalar) -> Scalar:
        """Return left - right modulo the order."""
        return Scalar(self._compute(_SCALAR_SUB, _sized(left), _sized(right)))

    def scalar_mul(self, left: Scalar, right: Scalar) -> Scalar:
        """Return left * right modulo the order."""
        return Scalar(self._compute(_SCALAR_MUL, _sized(left), _sized(right)))

    def invert(self, scalar: Scalar) -> Scalar:
        """Return 1 / scalar modulo the order, in constant time. Raises GroupError: the scalar is zero."""
        return Scalar(self._compute(_INVERT, _sized(scalar)))

    def _compute(self, function: str, *operands: bytes) -> bytes:
        """Return the 32 bytes that `function` writes; its code is None (no failure possible) or 0 on success."""
        result = _Result()
        if self._functions[function](result, *operands):
            raise GroupError("an operation has no result in the group")
        return result.raw


def _sized(operand: bytes, size: int = SIZE) -> bytes:
    """Return `operand`; C reads `size` bytes whatever Python holds, so another length must never reach it."""
    if type(operand) is not bytes or len(operand) != size:
        raise GroupError(f"an operand is not {size} bytes")
    return operand


def _is_shaped(point: bytes) -> bool:
    """Return whether C may read it and it has the only serialisation; libsodium judges the rest."""
    # libsodium 1.0.18 ignores the top bit, so that a point would have two serialisations (RFC 9496 §4.3.1).
    return type(point) is bytes and len(point) == SIZE and point[-1] < _TOP_BIT


def system_group() -> Group:
    """Return the group over the system's libsodium. Raises BackendMissingError."""
    for name in SYSTEM_LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        return Group(library, name)
    raise BackendMissingError("no system libsodium: apt install libsodium23")


def bundled_group() -> Group:
    """Return the group over the libsodium inside `rbcl`, whose copy in the temporary directory is gone on return.

    Raises:
        BackendMissingError: not installed, or the temporary directory does not allow a library (noexec).
    """
    with _BUNDLED_IMPORT, warnings.catch_warnings():
        # rbcl leaves a file object to the garbage collector while it is imported.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            import rbcl  # noqa: PLC0415 - importing writes 2.8 MB to the temporary directory, so only when needed
        except (ImportError, OSError, RuntimeError):
            raise BackendMissingError("rbcl cannot be loaded") from None
    loaded = rbcl._sodium  # noqa: SLF001 - exported by the package, the only handle to its library
    Path(loaded._name).unlink(missing_ok=True)  # noqa: SLF001 - ctypes has no public name for it
    # A handle of our own: declaring argument types must not change rbcl's.
    return Group(ctypes.CDLL(loaded._name, handle=loaded._handle), "rbcl")  # noqa: SLF001 - as above


@functools.cache
def group() -> Group:
    """Return the group over the system's libsodium, else over rbcl's. Raises BackendMissingError: refuse to start."""
    for opened in (system_group, bundled_group):
        try:
            return opened()
        except BackendMissingError:
            continue
    raise BackendMissingError("no library computes ristretto255: apt install libsodium23, or install rbcl")
