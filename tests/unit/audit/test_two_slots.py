"""Two slots keep the record before a write until the write is durable, whatever a crash leaves of the file."""

import hashlib
import os
from pathlib import Path

import pytest

from audit.errors import NotDurableError, SealError, SignerError
from audit.two_slots import SLOT_BYTES, TwoSlots


def slot(sequence: int, record: bytes) -> bytes:
    """Return a slot as the module's first lines say it is written."""
    head = sequence.to_bytes(8, "big") + len(record).to_bytes(2, "big")
    return (head + hashlib.sha256(head + record).digest() + record).ljust(4096, b"\x00")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds its first record."""
    TwoSlots.create(tmp_path / "state", b"first")
    return tmp_path / "state"


def opened(path: Path) -> bytes:
    """Return the record that somebody who opens the file finds."""
    slots = TwoSlots.open(path)
    slots.close()
    return slots.record


def test_a_new_file_holds_its_record_in_the_first_slot(path: Path) -> None:
    """In exactly two blocks that only their owner reads; what is there already is left."""
    assert path.read_bytes() == slot(0, b"first") + bytes(SLOT_BYTES)
    assert (path.stat().st_mode & 0o777, SLOT_BYTES) == (0o600, 4096)
    assert opened(path) == b"first"
    with pytest.raises(SealError):
        TwoSlots.create(path, b"other")
    path.chmod(0o640)
    with pytest.raises(SealError):
        TwoSlots.open(path)


def test_slots_are_written_in_turn(path: Path) -> None:
    """Each write leaves the record before it as it was, also after the file was opened again."""
    slots = TwoSlots.open(path)
    slots.write(b"second")
    assert slots.record == b"second"
    assert path.read_bytes() == slot(0, b"first") + slot(1, b"second")
    slots.write(b"third")
    slots.close()
    assert path.read_bytes() == slot(2, b"third") + slot(1, b"second")
    again = TwoSlots.open(path)
    assert again.record == b"third"
    again.write(b"fourth")
    again.close()
    assert path.read_bytes() == slot(2, b"third") + slot(3, b"fourth")
    assert opened(path) == b"fourth"


@pytest.mark.parametrize("cut", [1, 8, 9, 10, 41, 42, 45, 47, 4095])
def test_a_write_cut_short_leaves_the_record_before_it(path: Path, cut: int) -> None:
    """However much of it came on disk: a slot counts whole or not at all, its filling included."""
    torn = bytearray(slot(1, b"second"))
    torn[cut:] = b"\xff" * (SLOT_BYTES - cut)
    path.write_bytes(slot(0, b"first") + bytes(torn))
    assert opened(path) == b"first"
    path.write_bytes(bytes(torn) + slot(1, b"second"))
    assert opened(path) == b"second"


def test_a_slot_counts_in_its_own_place_only(path: Path) -> None:
    """An even number stands first and an odd one second: a block written to the wrong place is none."""
    path.write_bytes(slot(1, b"second") + bytes(SLOT_BYTES))
    with pytest.raises(SignerError, match="damaged"):
        TwoSlots.open(path)
    path.write_bytes(slot(0, b"first") + slot(2, b"third"))
    assert opened(path) == b"first"


@pytest.mark.parametrize("content", [b"", bytes(2 * SLOT_BYTES), b"x" * 2 * SLOT_BYTES, slot(0, b"first")[:-1]])
def test_a_file_without_a_record_is_damaged(path: Path, content: bytes) -> None:
    """It is told as that, and never taken for a beginning."""
    path.write_bytes(content)
    with pytest.raises(SignerError) as damaged:
        TwoSlots.open(path)
    assert str(damaged.value) == "signer: its state is damaged; restore it or found a new log"


def test_after_a_failed_sync_nothing_is_written_any_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is there after a crash nobody knows, so the process must end; its record stays the one before."""

    def failing(_descriptor: int) -> None:
        raise OSError("no sync")

    slots = TwoSlots.open(path)
    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(NotDurableError) as lost:
        slots.write(b"second")
    monkeypatch.undo()
    assert str(lost.value) == "signer: its state could not be made durable"
    assert slots.record == b"first"
    with pytest.raises(NotDurableError, match="could not be made durable"):
        slots.write(b"third")
    slots.close()
    assert path.read_bytes()[:SLOT_BYTES] == slot(0, b"first")


def test_what_is_not_written_whole_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record before still stands, and the same place is written again with the same number."""

    def half(descriptor: int, data: bytes, at: int) -> int:
        return real(descriptor, data[:20], at)

    slots, real = TwoSlots.open(path), os.pwrite
    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="not written whole"):
        slots.write(b"second")
    monkeypatch.undo()
    assert (slots.record, opened(path)) == (b"first", b"first")
    slots.write(b"again")
    slots.close()
    assert path.read_bytes() == slot(0, b"first") + slot(1, b"again")
