"""The group ristretto255 (RFC 9496), computed by libsodium: the system's, else the one that `rbcl` bundles.

    ProtocolError
    |-- BackendMissingError         no libsodium with ristretto255: refuse to start
    |-- GroupError                  an operation has no result in the group (zero scalar, identity)
    `-- MalformedError
        |-- InvalidPointError       not 32 bytes, no canonical point, or the identity
        `-- InvalidScalarError      not 32 bytes, no canonical scalar, or zero

Points and scalars are 32 bytes, serialised as in RFC 9497 §4.1. Every operation may be called from many threads: no
buffer is shared and libsodium's group operations keep no state.
"""

import ctypes
import functools
import hmac
import threading
import warnings
from collections.abc import Callable
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

_IDENTITY = bytes(SIZE)
_TOP_BIT = 0x80  # of the last byte; a field element has 255 bits
_ONE = (1).to_bytes(SIZE, "little")
_CORE = "crypto_core_ristretto255_"
_MULTIPLY = "crypto_scalarmult_ristretto255"
_RETURNS_CODE = {
    _CORE + "is_valid_point": 1,
    _CORE + "from_hash": 2,
    _CORE + "add": 3,
    _CORE + "sub": 3,
    _CORE + "scalar_invert": 2,
    _MULTIPLY: 3,
    _MULTIPLY + "_base": 2,
}
_RETURNS_NOTHING = {
    _CORE + "scalar_reduce": 2,
    _CORE + "scalar_add": 3,
    _CORE + "scalar_sub": 3,
    _CORE + "scalar_mul": 3,
}
_BUNDLED_IMPORT = threading.Lock()


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

    __slots__ = ("_library", "name")

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        """Declare every function that is used and compute a known answer. Raises BackendMissingError."""
        self.name = name
        self._library = library
        try:
            for functions, result in ((_RETURNS_CODE, ctypes.c_int), (_RETURNS_NOTHING, None)):
                for function, pointers in functions.items():
                    declared = getattr(library, function)
                    declared.argtypes = [ctypes.c_char_p] * pointers
                    declared.restype = result
            started = library.sodium_init() >= 0
        except AttributeError:
            raise BackendMissingError(f"{name} has no ristretto255") from None
        if not started or self.mul_base(Scalar(_ONE)) != GENERATOR:
            raise BackendMissingError(f"{name} fails its self-test")

    def is_valid_point(self, raw: bytes) -> bool:
        """Return whether `raw` is a canonical point other than the identity."""
        if len(raw) != SIZE or hmac.compare_digest(raw, _IDENTITY):
            return False
        if raw[-1] & _TOP_BIT:
            # libsodium 1.0.18 ignores this bit, so that a point would have two serialisations (RFC 9496 §4.3.1).
            return False
        return bool(getattr(self._library, _CORE + "is_valid_point")(raw))

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
        return Point(self._compute(_CORE + "from_hash", _sized(uniform, UNIFORM_SIZE)))

    def mul(self, scalar: Scalar, point: Point) -> Point:
        """Return scalar * point. Raises GroupError: not a point, or the result is the identity."""
        return Point(self._compute(_MULTIPLY, _sized(scalar), _sized(point)))

    def mul_base(self, scalar: Scalar) -> Point:
        """Return scalar * generator. Raises GroupError: the scalar is zero."""
        return Point(self._compute(_MULTIPLY + "_base", _sized(scalar)))

    def add(self, left: Point, right: Point) -> Point:
        """Return left + right, possibly the identity. Raises GroupError: not a point."""
        return Point(self._compute(_CORE + "add", _sized(left), _sized(right)))

    def sub(self, left: Point, right: Point) -> Point:
        """Return left - right, possibly the identity. Raises GroupError: not a point."""
        return Point(self._compute(_CORE + "sub", _sized(left), _sized(right)))

    def reduce(self, uniform: bytes) -> Scalar:
        """Return 64 little-endian bytes modulo the order of the group; zero is possible."""
        return Scalar(self._compute(_CORE + "scalar_reduce", _sized(uniform, UNIFORM_SIZE)))

    def random_scalar(self, random: RandomBytes) -> Scalar:
        """Return a uniformly random scalar other than zero. Raises GroupError: the source is broken."""
        scalar = self.reduce(random(UNIFORM_SIZE))
        if hmac.compare_digest(scalar, bytes(SIZE)):
            raise GroupError("a random scalar is zero: the source of randomness is broken")
        return scalar

    def scalar_add(self, left: Scalar, right: Scalar) -> Scalar:
        """Return left + right modulo the order."""
        return Scalar(self._compute(_CORE + "scalar_add", _sized(left), _sized(right)))

    def scalar_sub(self, left: Scalar, right: Scalar) -> Scalar:
        """Return left - right modulo the order."""
        return Scalar(self._compute(_CORE + "scalar_sub", _sized(left), _sized(right)))

    def scalar_mul(self, left: Scalar, right: Scalar) -> Scalar:
        """Return left * right modulo the order."""
        return Scalar(self._compute(_CORE + "scalar_mul", _sized(left), _sized(right)))

    def invert(self, scalar: Scalar) -> Scalar:
        """Return 1 / scalar modulo the order, in constant time. Raises GroupError: the scalar is zero."""
        return Scalar(self._compute(_CORE + "scalar_invert", _sized(scalar)))

    def _compute(self, function: str, *operands: bytes) -> bytes:
        """Return the 32 bytes that `function` writes; its code is None (no failure possible) or 0 on success."""
        result = ctypes.create_string_buffer(SIZE)
        if getattr(self._library, function)(result, *operands):
            raise GroupError("an operation has no result in the group")
        return result.raw


def _sized(operand: bytes, size: int = SIZE) -> bytes:
    """Return `operand`; C reads `size` bytes whatever Python holds, so another length must never reach it."""
    if type(operand) is not bytes or len(operand) != size:
        raise GroupError(f"an operand is not {size} bytes")
    return operand


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
