"""libsodium's operations alone: the cheapest way Python has to call them, with nothing of ours around.

What a call from Python costs by itself is measured beside it, with a function that does next to nothing, and taken off:
so the operations are as cheap as they would be from C, and the ratio is the stricter for it.
"""

import ctypes
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.protocol.ristretto import GENERATOR, system_group
from tests.bench.measure import cpu

_CORE, _MULTIPLY = "crypto_core_ristretto255_", "crypto_scalarmult_ristretto255"
_SCALAR = hashlib.sha256(b"a scalar").digest()[:31] + b"\x01"
_UNIFORM = hashlib.sha512(b"64 uniform bytes").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawGroup:
    """Calls of one library on fixed operands; libsodium's time does not depend on them."""

    operations: Mapping[str, Callable[[], object]]
    idle: Callable[[], object]

    @classmethod
    def of_the_system(cls) -> "RawGroup":
        """Return the operations of the system's libsodium, which the product prefers too."""
        library = ctypes.CDLL(system_group().name)
        scalar, uniform, point, result = (_buffer(raw) for raw in (_SCALAR, _UNIFORM, GENERATOR, bytes(32)))
        return cls(
            operations={
                "map": _call(library, _CORE + "from_hash", result, uniform),
                "multiply": _call(library, _MULTIPLY, result, scalar, point),
                "add": _call(library, _CORE + "add", result, point, point),
                "invert": _call(library, _CORE + "scalar_invert", result, scalar),
            },
            idle=_call(library, "crypto_verify_32", result, point),
        )

    def seconds(self, counts: Mapping[str, int]) -> float:
        """Return the CPU seconds of so many operations of each kind, without the calls themselves."""
        spent = sum(cpu(_repeated(self.operations[name], count)) for name, count in counts.items())
        calls = sum(counts.values())
        return spent - cpu(_repeated(self.idle, calls))


def _buffer(raw: bytes) -> Any:  # noqa: ANN401 - ctypes makes the type on the spot
    return (ctypes.c_char * len(raw)).from_buffer_copy(raw)


def _call(library: ctypes.CDLL, name: str, *operands: Any) -> Callable[[], object]:  # noqa: ANN401 - ctypes buffers
    function = getattr(library, name)
    return lambda: function(*operands)


def _repeated(work: Callable[[], object], count: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(count):
            work()

    return repeat
