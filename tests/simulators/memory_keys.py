"""The memory twin of the folder of key-encryption keys: the same epochs, and nothing on any disk."""

from audit.errors import SealError
from audit.seal import KeyEncryptionKey, RandomBytes


class MemoryKeys:
    """`KeyRing` without files."""

    def __init__(self, random: RandomBytes) -> None:
        self._random = random
        self._keys = {1: KeyEncryptionKey(random(32), epoch=1)}

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs whose key exists."""
        return tuple(sorted(self._keys))

    @property
    def current(self) -> KeyEncryptionKey:
        """The key that wraps."""
        return self._keys[max(self._keys)]

    def unwrap(self, wrapped: bytes, *, epoch: int, index: int, group: str) -> bytes:
        """See `KeyRing.unwrap`."""
        if epoch not in self._keys:
            raise SealError("wrapped key: there is no key of its epoch")
        return self._keys[epoch].unwrap(wrapped, index=index, group=group)

    def renew(self) -> KeyEncryptionKey:
        """See `KeyRing.renew`."""
        epoch = max(self._keys) + 1
        self._keys[epoch] = KeyEncryptionKey(self._random(32), epoch=epoch)
        return self._keys[epoch]

    def destroy(self, epoch: int) -> None:
        """See `KeyRing.destroy`."""
        del self._keys[epoch]
