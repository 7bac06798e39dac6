"""A small record that changes at every tick: two slots in one private file, written in turn and synced in place.

Replacing a file costs two syncs of file and folder; a slot costs one of its data alone. A write that a crash cuts short
leaves one slot unreadable and the other, with the record before it, as it was: exactly what had been made durable.

    slot   sequence (8 bytes) ‖ length (2) ‖ SHA-256 over sequence, length and record (32) ‖ record ‖ zeros
"""

import hashlib
import os
from pathlib import Path
from typing import Self

from audit.durability import Durability
from audit.durable_file import create_private, read_private
from audit.errors import NotDurableError, SignerError

SLOT_BYTES = 4096  # a disk's block: writing one slot cannot touch the other
_HEAD = 8 + 2
_DIGEST = 32


class TwoSlots:
    """The record of one file, for one writer at a time."""

    __slots__ = ("_descriptor", "_durability", "_sequence", "record")

    def __init__(self, descriptor: int, sequence: int, record: bytes) -> None:
        self._descriptor = descriptor
        self._sequence = sequence
        self._durability = Durability()
        self.record = record

    @staticmethod
    def create(path: Path, record: bytes) -> None:
        """A new file with mode 0600 holds the record. Raises SealError: it exists already or cannot be written."""
        create_private(path, _slot(0, record) + bytes(SLOT_BYTES))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the newest record that was durably written.

        Raises:
            SealError: the file cannot be read, or others have rights on it.
            SignerError: neither slot holds a record.

        """
        content = read_private(path)
        slots = [content[:SLOT_BYTES], content[SLOT_BYTES:]]
        records = [found for number, slot in enumerate(slots) if (found := _read(slot, number)) is not None]
        if not records:
            raise SignerError("signer: its state is damaged; restore it or found a new log")
        sequence, record = max(records)
        return cls(os.open(path, os.O_RDWR), sequence, record)

    def write(self, record: bytes) -> None:
        """The record is durable.

        Raises:
            OSError: it was not written whole; the one before still stands.
            NotDurableError: it may or may not be there after a crash, and the process must end.

        """
        self._durability.check()
        sequence = self._sequence + 1
        slot = _slot(sequence, record)
        if os.pwrite(self._descriptor, slot, sequence % 2 * SLOT_BYTES) != SLOT_BYTES:
            raise OSError("a slot was not written whole")
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._durability.lost = "signer: its state could not be made durable"
            raise NotDurableError(self._durability.lost) from error
        self._sequence, self.record = sequence, record

    def close(self) -> None:
        """Another writer may open the file."""
        os.close(self._descriptor)


def _slot(sequence: int, record: bytes) -> bytes:
    head = sequence.to_bytes(8, "big") + len(record).to_bytes(2, "big")
    return (head + hashlib.sha256(head + record).digest() + record).ljust(SLOT_BYTES, b"\x00")


def _read(slot: bytes, number: int) -> tuple[int, bytes] | None:
    """Return sequence and record of a slot whose every byte is as it was written, None of any other."""
    sequence, length = int.from_bytes(slot[:8], "big"), int.from_bytes(slot[8:_HEAD], "big")
    record = slot[_HEAD + _DIGEST : _HEAD + _DIGEST + length]
    return (sequence, record) if sequence % 2 == number and slot == _slot(sequence, record) else None
