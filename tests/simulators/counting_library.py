"""libsodium with a counter at every function: how often the group was really computed with, by whichever route.

Counting stands between Python and C, so that nothing in `ristretto.py` can compute beside it.
"""

import ctypes
import importlib
from collections import Counter
from typing import Any

from broker.protocol.ristretto import Group, bundled_group, system_group

_CORE, _MULTIPLY = "crypto_core_ristretto255_", "crypto_scalarmult_ristretto255"
_NAMES = {
    _CORE + "from_hash": "map",
    _CORE + "is_valid_point": "read",
    _CORE + "add": "add",
    _CORE + "sub": "sub",
    _CORE + "scalar_invert": "invert",
    _CORE + "scalar_reduce": "reduce",
    _CORE + "scalar_add": "scalar_add",
    _CORE + "scalar_sub": "scalar_sub",
    _CORE + "scalar_mul": "scalar_mul",
    _MULTIPLY: "multiply",
    _MULTIPLY + "_base": "multiply_base",
    "sodium_init": "start",
}


class _Counted:
    """One function of the library, which counts its calls under a short name."""

    def __init__(self, function: Any, name: str, counts: Counter[str]) -> None:  # noqa: ANN401 - ctypes names no type
        self._function = function
        self._name = name
        self._counts = counts

    def __call__(self, *operands: object) -> object:
        self._counts[self._name] += 1
        return self._function(*operands)

    def __setattr__(self, name: str, value: object) -> None:
        """Declare the C function's types on the C function."""
        if name in {"argtypes", "restype"}:
            setattr(self._function, name, value)
        else:
            super().__setattr__(name, value)


class CountingLibrary(ctypes.CDLL):
    """A handle of its own on a loaded library; a function that is not in `_NAMES` cannot be called uncounted."""

    def __init__(self, name: str, handle: int | None = None) -> None:
        """Open the library of this name, or take over a handle."""
        super().__init__(name, handle=handle)
        self.counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as in ctypes
        if name not in _NAMES:
            raise AttributeError(name)
        function = _Counted(self[name], _NAMES[name], self.counts)
        setattr(self, name, function)
        return function


def counting_system_group() -> tuple[Group, Counter[str]]:
    """Return the group over the system's libsodium, and what was computed since."""
    return _started(CountingLibrary(system_group().name))


def counting_bundled_group() -> tuple[Group, Counter[str]]:
    """Return the group over rbcl's libsodium, and what was computed since."""
    bundled_group()  # imports rbcl, and removes the copy that the import left
    loaded = importlib.import_module("rbcl")._sodium
    return _started(CountingLibrary(loaded._name, loaded._handle))


def _started(library: CountingLibrary) -> tuple[Group, Counter[str]]:
    curve = Group(library, "counting")
    library.counts.clear()  # of the self-test
    return curve, library.counts
