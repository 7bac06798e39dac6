"""Pins stand for one organisation each, and their digits are the same in every release: two people compare them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from broker.protocol.errors import MalformedError
from broker.protocol.signing_keys import VerifyKey
from connectors.casebook import Casebook
from connectors.errors import KeyChangedError
from connectors.key_pins import KeyPins, PinnedKeys
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled

STATED = Enrolled()


def test_the_digits_are_those_of_the_format() -> None:
    """SHA-512 over a label and every key after its use, sorted; of that number the last twenty digits, in fives."""
    signing, sealing = [bytes([9] * 32), bytes([3] * 32)], [bytes([5] * 32), bytes([4] * 32)]
    keys = PinnedKeys(
        signing={VerifyKey(key).kid: VerifyKey(key) for key in signing},
        sealing={str(place): key for place, key in enumerate(sealing)},
    )
    listed = [b"sealing\n" + key for key in sorted(sealing)] + [b"signing\n" + key for key in sorted(signing)]
    number = int(hashlib.sha512(b"sluis key-fingerprint/v1\n" + b"".join(listed)).hexdigest(), 16)
    digits = str(number)[-20:]
    assert keys.fingerprint == " ".join((digits[:5], digits[5:10], digits[10:15], digits[15:]))


def test_the_pins_of_one_organisation_are_not_anothers(tmp_path: Path) -> None:
    """Who accepts the keys of one keeps those of the other; each is told by its own number, name and digits."""
    others = replace(STATED, keys={WIJKTEAM: ("another key",), GI: ("a third key",)})
    with Casebook(tmp_path / "cases.sqlite") as book:
        pins = KeyPins(book)
        for oin in (WIJKTEAM, GI):
            assert pins.trusted(STATED.organisation(oin)) == PinnedKeys.of(STATED.organisation(oin))
        changed = others.organisation(WIJKTEAM)
        digits = PinnedKeys.of(changed).fingerprint
        pins.accept(changed, fingerprint=f" {digits[:7]}\n{digits[7:]}\t")
        assert pins.trusted(changed) == PinnedKeys.of(changed)
        assert pins.trusted(STATED.organisation(GI)) == PinnedKeys.of(STATED.organisation(GI))
        gi = others.organisation(GI)
        for attempt in (lambda: pins.trusted(gi), lambda: pins.accept(gi, fingerprint=digits)):
            with pytest.raises(KeyChangedError) as stopped:
                attempt()
            assert (stopped.value.oin, stopped.value.fingerprint) == (GI, PinnedKeys.of(gi).fingerprint)
            assert gi.name in str(stopped.value)


def test_either_kind_of_key_that_changes_stops_letters(tmp_path: Path) -> None:
    """A new key to sign with and a new key to seal to are each other keys, and so is one more or one less."""
    known = STATED.organisation(WIJKTEAM)
    other = replace(STATED, keys={WIJKTEAM: ("another key",)}).organisation(WIJKTEAM)
    (kid,) = known.sealing_keys
    sealing = bytes([8] * 32)
    with Casebook(tmp_path / "cases.sqlite") as book:
        pins = KeyPins(book)
        pins.trusted(known)
        for changed in (
            replace(known, signing_keys=other.signing_keys),
            replace(known, sealing_keys={kid: sealing}),
            replace(known, sealing_keys={**known.sealing_keys, "another": sealing}),
            replace(known, signing_keys={**known.signing_keys, **other.signing_keys}),
            replace(known, sealing_keys={}),
        ):
            with pytest.raises(KeyChangedError):
                pins.trusted(changed)
        assert pins.trusted(known) == PinnedKeys.of(known)


def test_a_damaged_pin_is_an_error_and_no_first_sight(tmp_path: Path) -> None:
    """Whatever happened to the casebook: keys are never pinned anew because the old ones cannot be read."""
    known = STATED.organisation(WIJKTEAM)
    with Casebook(tmp_path / "cases.sqlite") as book:
        pins = KeyPins(book)
        pins.trusted(known)
        with book.transaction() as database:
            database.execute("UPDATE pinned_key SET public = '*'")
        with pytest.raises(MalformedError, match=r"^public: "):
            pins.trusted(known)
