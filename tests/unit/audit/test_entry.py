"""What a leaf and its payloads refuse, beyond the published vectors."""

from collections.abc import Callable

import pytest

from audit.entry import (
    GROUPS,
    KINDS,
    PAYLOAD_BYTES,
    Leaf,
    Opening,
    canonical_json,
    check_leaf,
    check_leaves,
    commit,
    parse_payload,
    payload_size,
)
from audit.errors import EntryError, PayloadTooLargeError

COMMITMENTS = (bytes(32),) * 5


def test_every_kind_has_one_size_per_group() -> None:
    """Lengths vary with the kind only, so that a ciphertext tells nothing about its content."""
    assert set(PAYLOAD_BYTES) == set(KINDS)
    assert all(tuple(sizes) == GROUPS for sizes in PAYLOAD_BYTES.values())
    assert payload_size("check", "hits") == 32768
    assert payload_size("consent", "hits") == 1024


def test_unknown_kind_and_group_have_no_size() -> None:
    """The lists of kinds and groups are closed."""
    with pytest.raises(EntryError):
        payload_size("login", "meta")
    with pytest.raises(EntryError):
        payload_size("check", "reason")


@pytest.mark.parametrize(
    ("time", "kind", "commitments"),
    [
        (-1, "check", COMMITMENTS),
        (253_402_300_800, "check", COMMITMENTS),
        (0, "login", COMMITMENTS),
        (0, "check", COMMITMENTS[:4]),
        (0, "check", (bytes(31), *COMMITMENTS[1:])),
    ],
)
def test_a_leaf_without_a_valid_text_cannot_exist(time: int, kind: str, commitments: tuple[bytes, ...]) -> None:
    """What is built is always what `parse` would take back."""
    with pytest.raises(EntryError):
        Leaf(time=time, kind=kind, commitments=commitments)


def test_commitment_of_an_unknown_group() -> None:
    """A leaf has five groups and no other."""
    with pytest.raises(EntryError):
        Leaf(time=0, kind="check", commitments=COMMITMENTS).commitment("reason")
    with pytest.raises(EntryError):
        commit(bytes(32), "reason", b"")
    with pytest.raises(EntryError):
        commit(bytes(31), "meta", b"")


@pytest.mark.parametrize("value", [float("nan"), 2**53, "\ud800", {1: 2}, object()])
def test_values_without_a_canonical_form(value: object) -> None:
    """Only what RFC 8785 can write one way is a payload."""
    with pytest.raises(EntryError):
        canonical_json({"a": value})


def test_a_payload_that_is_not_utf8() -> None:
    """A payload is UTF-8."""
    with pytest.raises(EntryError):
        parse_payload(b'{"a":"\xff"}')


def test_a_payload_nested_without_end() -> None:
    """Depth ends in a refusal, not in a crash."""
    with pytest.raises(EntryError):
        parse_payload(b'{"a":' * 100_000)


def test_numbers_with_a_fraction_are_kept() -> None:
    """A finite fraction in canonical form passes."""
    assert parse_payload(b'{"a":0.5}') == {"a": 0.5}


def test_an_opening_shows_nothing() -> None:
    """Neither the key nor the payload of an opening reaches a log line by accident."""
    assert repr(Opening(key=b"k" * 32, payload=b"secret")) == "Opening(redacted)"


def test_an_opening_larger_than_its_group() -> None:
    """An opening cannot claim more than its kind and group can hold."""
    with pytest.raises(PayloadTooLargeError):
        Opening(key=bytes(32), payload=b"x" * 1024).commitment("read", "hits")


def _passes(check: Callable[..., object], *given: object) -> bool:
    try:
        check(*given)
    except EntryError:
        return False
    return True


def test_many_leaves_are_checked_as_strictly_as_each_by_itself() -> None:
    """Whatever byte of a leaf is another, or missing, or too many, `check_leaves` says what `check_leaf` says."""
    leaf = Leaf(time=1_790_000_000, kind="check", commitments=tuple(bytes([at]) * 32 for at in range(5, 10))).encode()
    others = [leaf[:at] + bytes([byte]) + leaf[at + 1 :] for at in range(len(leaf)) for byte in b"0aefgE t\n\x00\xff"]
    others += [leaf[:at] + leaf[at + 1 :] for at in range(len(leaf))]
    others += [leaf[:at] + b"0" + leaf[at:] for at in range(len(leaf) + 1)]
    others += [b"", leaf * 2, leaf[1:] + leaf[:1], leaf.replace(b"1790000000", b"253402300800")]
    for other in others:
        assert _passes(check_leaves, [leaf, other, leaf]) is _passes(check_leaf, other), other
    assert 5 * 64 < sum(_passes(check_leaf, other) for other in others) < len(others) // 2
    assert check_leaves([]) == ()


def test_many_leaves_say_when_they_were_written() -> None:
    """In their order, those of one tick once: who reads them can see whether time went back."""
    times = (7, 7, 9, 8, 8, 7)
    leaves = [Leaf(time=time, kind="read", commitments=COMMITMENTS).encode() for time in times]
    assert check_leaves(leaves) == (7, 9, 8, 7)


def test_a_byte_moved_from_one_leaf_to_the_next_is_noticed() -> None:
    """Leaves are checked each at its own length: what one lacks the next cannot make up for."""
    leaf = Leaf(time=0, kind="read", commitments=COMMITMENTS).encode()
    with pytest.raises(EntryError):
        check_leaves([leaf[:-1], leaf[-1:] + leaf])
