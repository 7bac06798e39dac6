"""Values that must never be read by accident: keys, tokens, identifiers."""

import hmac
from typing import NoReturn, SupportsIndex


class Redacted:
    """Bytes that show nothing of themselves, compare in constant time and are never pickled.

    `reveal` is the only way out, and easy to search for. Python cannot wipe memory: this protects logs, errors and
    debuggers' output, not a core dump.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        """Hold a copy of `value`."""
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the bytes themselves, for the one place that needs them."""
        return self._value

    def __repr__(self) -> str:
        """Return the name of the class, nothing of the value."""
        return f"{type(self).__name__}(redacted)"

    def __eq__(self, other: object) -> bool:
        """Return whether `other` is of the same class with equal bytes, in constant time for equal lengths."""
        if type(other) is not type(self) or not isinstance(other, Redacted):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        """Return a hash that the interpreter seeds anew in every process."""
        return hash((type(self).__name__, self._value))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse pickling and copying by pickling."""
        message = f"{type(self).__name__} cannot be pickled"
        raise TypeError(message)
