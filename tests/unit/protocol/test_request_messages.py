"""The bodies of letters: a box is one of four sizes, in one writing, or it is none."""

import pytest

from broker.protocol.request_messages import box_bytes, chunk_bytes, wire_box
from broker.protocol.sealed_letter import BOX_BYTES


@pytest.mark.parametrize("size", BOX_BYTES)
def test_a_box_comes_back(size: int) -> None:
    """What travels is the box itself."""
    assert box_bytes(wire_box(bytes(size))) == bytes(size)


@pytest.mark.parametrize("text", ["", "!", "AA==", wire_box(bytes(1023)), wire_box(bytes(65_537))])
def test_what_is_no_box_is_none(text: str) -> None:
    """Another size, another alphabet or padding is refused."""
    assert box_bytes(text) is None


def test_a_chunk_comes_back_whatever_its_size() -> None:
    """What travels is the chunk itself: how long it is, a flow judges; another alphabet is no chunk at all."""
    assert chunk_bytes(wire_box(bytes(7))) == bytes(7)
    assert chunk_bytes("!") is None
