"""What an entry says was erased, and how a stored group stands: read strictly, and never better than it is."""

import pytest

from audit.erasure import MAX_RANGES, ErasedRange, erased_ranges
from audit.errors import EntryError, SealError
from audit.log import SealedRow
from audit.seal import KeyEncryptionKey, open_beside, seal_beside, seal_entry
from audit.stored_groups import ALARMS, GroupState, stored_group

KEK = KeyEncryptionKey(bytes(32), epoch=1)
SEALED = seal_entry("check", {"meta": {"a": 1}, "actor": {"b": 2}})
LEAF = SEALED.leaf(0)


def test_ranges_are_read_group_by_group() -> None:
    """Both ends are included, and an entry that says nothing erased nothing."""
    meta = {"erased": [{"from": 3, "to": 5, "groups": ["actor", "subject"]}, {"from": 9, "to": 9, "groups": ["meta"]}]}
    assert erased_ranges(meta) == (
        ErasedRange(first=3, last=5, group="actor"),
        ErasedRange(first=3, last=5, group="subject"),
        ErasedRange(first=9, last=9, group="meta"),
    )
    assert erased_ranges({"schema": "entry-retention/v1"}) == ()
    assert erased_ranges({"erased": []}) == ()


@pytest.mark.parametrize(
    "listed",
    [
        None,
        {},
        [None],
        [{"from": 1, "to": 2}],
        [{"from": 1, "to": 2, "groups": ["meta"], "more": 1}],
        [{"from": 2, "to": 1, "groups": ["meta"]}],
        [{"from": -1, "to": 1, "groups": ["meta"]}],
        [{"from": True, "to": 1, "groups": ["meta"]}],
        [{"from": 1, "to": 1.0, "groups": ["meta"]}],
        [{"from": 1, "to": 2, "groups": []}],
        [{"from": 1, "to": 2, "groups": "meta"}],
        [{"from": 1, "to": 2, "groups": ["subject", "actor"]}],
        [{"from": 1, "to": 2, "groups": ["meta", "meta"]}],
        [{"from": 1, "to": 2, "groups": ["other"]}],
        [{"from": 1, "to": 1, "groups": ["meta"]}] * (MAX_RANGES + 1),
    ],
)
def test_a_list_that_breaks_the_format_is_refused(listed: object) -> None:
    """Nothing is guessed of a malformed list: whoever verifies stops at it."""
    with pytest.raises(EntryError, match="erased"):
        erased_ranges({"erased": listed})


def _row(group: str = "meta", **changed: object) -> SealedRow:
    sealed = SEALED.groups[group]
    members: dict[str, object] = {
        "index": 0, "group": group, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext,
        "wrapped_key": KEK.wrap(sealed.key, index=0, group=group), "epoch": 1,
    }  # fmt: skip
    return SealedRow(**{**members, **changed})  # type: ignore[arg-type]  # the fields of a row


def _unwrap(row: SealedRow) -> bytes:
    return KEK.unwrap(row.wrapped_key, index=0, group=row.group)


def _state(row: SealedRow | None, *, group: str = "meta", erased_by: int | None = None) -> GroupState:
    return stored_group(row, leaf=LEAF, group=group, erased_by=erased_by, unwrap=_unwrap).state


def test_a_group_that_opens_to_what_the_leaf_commits_to_is_ok() -> None:
    """It opens and its payload is the one that was committed."""
    stored = stored_group(_row(), leaf=LEAF, group="meta", erased_by=None, unwrap=_unwrap)
    assert stored.opening is not None
    assert (stored.state, stored.opening.payload) == (GroupState.OK, b'{"a":1}')


def test_a_group_that_is_gone_is_erased_only_if_an_entry_says_so() -> None:
    """Gone without an entry is MISSING; there in spite of one is MISMATCH, for an erasure was undone."""
    assert _state(None, erased_by=7) is GroupState.ERASED
    assert _state(None) is GroupState.MISSING
    assert _state(_row(), erased_by=7) is GroupState.MISMATCH
    assert {GroupState.MISSING, GroupState.MISMATCH} == ALARMS


@pytest.mark.parametrize(
    "row",
    [
        _row(ciphertext=bytes(8208)),
        _row(nonce=bytes(24)),
        _row(wrapped_key=bytes(72)),
        _row(wrapped_key=KEK.wrap(SEALED.groups["actor"].key, index=0, group="meta")),
    ],
)
def test_a_group_that_does_not_open_is_a_mismatch(row: SealedRow) -> None:
    """Altered ciphertext, nonce or key, or another group's key: never read as anything."""
    assert _state(row) is GroupState.MISMATCH


def test_a_group_with_another_payload_is_a_mismatch() -> None:
    """A payload that was sealed well and is not the one in the leaf is not believed."""
    other = seal_entry("check", {"meta": {"a": 2}}).groups["meta"]
    wrapped = KEK.wrap(other.key, index=0, group="meta")
    assert _state(_row(nonce=other.nonce, ciphertext=other.ciphertext, wrapped_key=wrapped)) is GroupState.MISMATCH


def test_what_is_sealed_beside_a_group_opens_with_its_key_alone() -> None:
    """Another key, another label or another byte opens nothing: erasing the group's key erases it too."""
    key = SEALED.groups["meta"].key
    sealed = seal_beside(key, "answer", b"data")
    assert open_beside(key, "answer", sealed) == b"data"
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in ((bytes(32), "answer", sealed), (key, "other", sealed), (key, "answer", altered)):
        with pytest.raises(SealError):
            open_beside(*wrong)
