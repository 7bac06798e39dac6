"""Ids that only one organisation makes."""

import hashlib

import pytest

from broker.protocol.own_ids import is_own_id, own_id
from tests.simulators.enrolled import GI, WIJKTEAM

CHANCE = bytes(range(8))


def test_an_own_id_is_made_as_it_is_described() -> None:
    """Eight bytes of chance, then the first eight of SHA-256 over domain, OIN and chance, as formats.md says."""
    marked = hashlib.sha256(b"sluis-own-id-v1\x00" + GI.encode() + b"\x00" + CHANCE).hexdigest()
    assert own_id(GI, CHANCE) == "0001020304050607" + marked[:16]


def test_only_its_maker_can_have_made_it() -> None:
    """It is an own id of whom it was made for, and of nobody else; the same chance gives each another."""
    assert is_own_id(own_id(GI, CHANCE), GI)
    assert not is_own_id(own_id(GI, CHANCE), WIJKTEAM)
    assert own_id(GI, CHANCE) != own_id(WIJKTEAM, CHANCE)


@pytest.mark.parametrize("place", range(32))
def test_no_other_character_will_do(place: int) -> None:
    """Whatever is changed in it, it is nobody's own id any more."""
    made = own_id(GI, CHANCE)
    changed = made[:place] + ("1" if made[place] == "0" else "0") + made[place + 1 :]
    assert not is_own_id(changed, GI)


@pytest.mark.parametrize("value", ["", "zz" * 16, "AB" * 16, "00" * 15, "00" * 17])
def test_what_is_no_id_is_no_own_id(value: str) -> None:
    """What is not 32 lower-case hex characters is none."""
    assert not is_own_id(value, GI)
