"""Keys of other organisations are pinned when first used; a change stops letters until two people compared digits."""

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.protocol.letter import MAX_TEXT, Letter
from broker.protocol.sealed_letter import Bound
from connectors.casebook import Casebook
from connectors.cli import command_line
from connectors.errors import CaseError, KeyChangedError
from connectors.folder import PartnerFolder
from connectors.key_pins import KeyPins, PinnedKeys, sealed_box
from tests.simulators.custodian import budget_classes, register_text
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled, key
from tests.simulators.partner_world import FolderPartner, PartnerWorld, oin_of

STATED = Enrolled()
CHANGED = replace(STATED, keys={WIJKTEAM: ("another key of the wijkteam",)})


def run(*words: object, expect: int = 0) -> str:
    """Return what a command printed."""
    whole = [str(word) for word in words]
    result = CliRunner().invoke(command_line(whole), whole)
    assert result.exit_code == expect, result.output
    return result.output


def test_the_digits_are_of_the_keys_and_of_nothing_else() -> None:
    """Four groups of five digits, the same for the same keys in any order; another key gives others."""
    keys = PinnedKeys.of(STATED.organisation(WIJKTEAM))
    groups = keys.fingerprint.split(" ")
    assert [len(group) for group in groups] == [5, 5, 5, 5]
    assert "".join(groups).isdecimal()
    two = replace(STATED, keys={WIJKTEAM: ("first", "second")}), replace(STATED, keys={WIJKTEAM: ("second", "first")})
    same = {PinnedKeys.of(one.organisation(WIJKTEAM)).fingerprint for one in two}
    assert len(same) == 1
    others = {PinnedKeys.of(one.organisation(WIJKTEAM)).fingerprint for one in (STATED, CHANGED, two[0])}
    assert len(others) == 3
    assert keys.fingerprint != PinnedKeys.of(STATED.organisation(GI)).fingerprint


def test_of_two_sealing_keys_every_sender_takes_the_same(tmp_path: Path) -> None:
    """In a rotation the register states two; the one that sorts last by name is sealed to, whatever the order."""
    del tmp_path
    first, last = bytes([1] * 32), bytes([2] * 32)
    for sealing in ({"a": first, "b": last}, {"b": last, "a": first}):
        assert PinnedKeys(signing={}, sealing=sealing).receiving == last


def test_other_keys_are_not_used_until_their_own_digits_are_given(tmp_path: Path) -> None:
    """First seen is pinned; other keys raise and change nothing, also after wrong digits; the right ones are taken."""
    known, changed = STATED.organisation(WIJKTEAM), CHANGED.organisation(WIJKTEAM)
    with Casebook(tmp_path / "cases.sqlite") as book:
        pins = KeyPins(book)
        assert pins.trusted(known) == PinnedKeys.of(known)
        with pytest.raises(KeyChangedError) as stopped:
            pins.trusted(changed)
        digits = PinnedKeys.of(changed).fingerprint
        assert stopped.value.fingerprint == digits
        assert digits in str(stopped.value)
        for wrong in ("", PinnedKeys.of(known).fingerprint, digits[:-1]):
            with pytest.raises(KeyChangedError):
                pins.accept(changed, fingerprint=wrong)
        assert pins.trusted(known) == PinnedKeys.of(known)
        pins.accept(changed, fingerprint=digits.replace(" ", ""))
    with Casebook(tmp_path / "cases.sqlite") as book:
        assert KeyPins(book).trusted(changed) == PinnedKeys.of(changed)
        with pytest.raises(KeyChangedError):
            KeyPins(book).trusted(known)


def test_the_commands_show_and_accept_the_keys_of_the_register(world: PartnerWorld) -> None:
    """`keys show` prints the digits that `keys accept` takes; others, or an organisation that is none, are refused."""
    folder = world.folders["wijkteam"]
    gi = folder.register.organisations[oin_of(1)]
    digits = run("keys", "show", folder.path, "--of", gi.oin).strip()
    assert digits == PinnedKeys.of(gi).fingerprint
    assert "gi" in run("keys", "accept", folder.path, "--of", gi.oin, "--fingerprint", digits)
    with folder.casebook() as book:
        assert KeyPins(book).trusted(gi) == PinnedKeys.of(gi)
    wrong = run("keys", "accept", folder.path, "--of", gi.oin, "--fingerprint", "0" * 20, expect=1)
    assert "vergelijk de cijfers" in wrong
    assert "of: must be" in run("keys", "show", folder.path, "--of", "0" * 20, expect=2)


def test_the_commands_rotate_and_retire_the_own_key(world: PartnerWorld) -> None:
    """A rotated key is told with what to do; while the register states the old one, nothing is destroyed."""
    folder = world.folders["wijkteam"]
    old = folder.sealing_key
    told = run("keys", "rotate", folder.path)
    assert "Geef de registerregel door" in told
    assert old.kid not in told
    assert run("keys", "retire", folder.path) == ""
    assert (folder.path / f"keys/sealing-{old.kid}.key").exists()


def test_an_old_key_is_destroyed_when_the_register_has_long_forgotten_it(world: PartnerWorld) -> None:
    """Once the register states the new key alone, the day is told; after that day the file is gone, and only then."""
    folder = world.folders["wijkteam"]
    old = folder.sealing_key
    file = folder.path / f"keys/sealing-{old.kid}.key"
    run("keys", "rotate", folder.path)
    opened = {name: PartnerFolder(one.path) for name, one in world.folders.items()}
    partners = [FolderPartner(oin=one.settings.oin, name=name, folder=one) for name, one in opened.items()]
    folder.import_register(register_text(partners, number=2, budgets=budget_classes(worker=1, organisation=1)))
    assert f"Sleutel {old.kid} kan weg vanaf" in run("keys", "retire", folder.path)
    assert file.exists()
    with folder.casebook() as book, book.transaction() as database:
        database.execute("UPDATE old_sealing_key SET unstated_since = '2020-01-01'")
    assert f"Sleutel {old.kid} is vernietigd." in run("keys", "retire", folder.path)
    assert not file.exists()


LETTER = Letter(categories=("hulp",), level=3, text="Welke hulp is er?")
BOUND = Bound(
    label="request", request="0" * 32, sender=GI, receiver=WIJKTEAM, purpose="vt-melding", grounds=("WMO-5.1.6",),
    categories=("hulp",), level=3, bundle="0" * 64, expires_on=datetime.date(2026, 11, 30),
)  # fmt: skip


def test_to_who_has_no_key_nothing_is_sealed(tmp_path: Path) -> None:
    """It is a case that cannot be sent, and of no key is anything kept beside a command that waits."""
    keyless = replace(STATED.organisation(WIJKTEAM), sealing_keys={})
    with Casebook(tmp_path / "cases.sqlite") as book:
        assert KeyPins(book).sealed_to(keyless) == {}
    with pytest.raises(CaseError, match="to: must be an organisation that has a key to seal to"):
        sealed_box(LETTER, bound=BOUND, signing=key(GI), keys=PinnedKeys.of(keyless))


def test_what_fits_in_no_box_is_not_sealed() -> None:
    """A letter for which the largest box is too small must be shorter."""
    long = replace(LETTER, text="\U0001f600" * MAX_TEXT)
    with pytest.raises(CaseError, match="text: must be shorter"):
        sealed_box(long, bound=BOUND, signing=key(GI), keys=PinnedKeys.of(STATED.organisation(WIJKTEAM)))
