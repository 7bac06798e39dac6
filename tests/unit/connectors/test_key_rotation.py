"""A new sealing key, and the old one that opens until nothing can be sealed to it any more."""

import datetime
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.protocol.letter import Letter
from broker.protocol.sealed_letter import Bound, OpeningKey, open_letter, seal_letter
from broker.protocol.signing_keys import SigningKey
from connectors.casebook import Casebook
from connectors.key_rotation import KEPT_DAYS, older_sealing_keys, retire_sealing_keys, rotate_sealing_key
from connectors.sealing import SealingKey
from connectors.working_days import last_day

TODAY = datetime.date(2026, 11, 23)
SIGNING = SigningKey.from_seed(bytes(32))


def _folder(path: Path) -> SealingKey:
    (path / "keys").mkdir()
    return SealingKey.create(path / "keys/sealing.key")


def test_a_letter_in_flight_opens_after_a_rotation(tmp_path: Path) -> None:
    """What was sealed to the old key opens with it, and what is sealed to the new one with the new one."""
    old = _folder(tmp_path)
    new = rotate_sealing_key(tmp_path)
    assert SealingKey.read(tmp_path / "keys/sealing.key") == new
    assert older_sealing_keys(tmp_path) == [old]
    between = {"sender": "1" * 20, "receiver": "2" * 20}
    bound = Bound(
        label="answer-all", request="a" * 32, purpose="vt-melding", grounds=("WMO-5.2.6",), categories=("hulp",),
        level=3, bundle="b" * 64, expires_on=TODAY, **between,
    )  # fmt: skip
    letter = Letter(categories=("hulp",), level=3, text="x")
    for key in (old, new):
        box = seal_letter(letter, bound=bound, signing=SIGNING, receiver_key=key.public)
        own = [OpeningKey(one.reveal()) for one in (new, *older_sealing_keys(tmp_path))]
        known = {SIGNING.public.kid: SIGNING.public}
        assert open_letter(box, bound=bound, sender_keys=known, opening_keys=own, today=TODAY) == letter


def test_an_old_key_goes_when_nothing_can_be_sealed_to_it(tmp_path: Path) -> None:
    """While the register states it, it stays; 21 days after, it is destroyed; stated again, the days begin anew."""
    old = _folder(tmp_path)
    rotate_sealing_key(tmp_path)
    free = TODAY + datetime.timedelta(KEPT_DAYS)
    with Casebook(tmp_path / "cases.sqlite") as book:
        assert retire_sealing_keys(tmp_path, book, stated={old.kid}, today=TODAY) == ([], {})
        assert retire_sealing_keys(tmp_path, book, stated=(), today=TODAY) == ([], {old.kid: free})
        assert retire_sealing_keys(tmp_path, book, stated={old.kid}, today=free) == ([], {})
        later = free + datetime.timedelta(KEPT_DAYS)
        assert retire_sealing_keys(tmp_path, book, stated=(), today=free) == ([], {old.kid: later})
        assert retire_sealing_keys(tmp_path, book, stated=(), today=later) == ([old.kid], {})
    assert older_sealing_keys(tmp_path) == []


def test_a_rotation_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    """A crash after the old key was linked leaves it in force; the next rotation goes on."""
    old = _folder(tmp_path)
    (tmp_path / f"keys/sealing-{old.kid}.key").hardlink_to(tmp_path / "keys/sealing.key")
    (tmp_path / "keys/.sealing.new").write_bytes(b"half")
    assert rotate_sealing_key(tmp_path) != old
    assert older_sealing_keys(tmp_path) == [old]


class Killed(BaseException):
    """The process ends here."""


def _killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends just before this one of the steps that change what is on disk."""
    left = [step]
    for owner, name in ((os, "fsync"), (os, "link"), (Path, "replace"), (Path, "unlink")):
        real = getattr(owner, name)

        def counted(*given: Any, real: Callable[..., Any] = real, **named: Any) -> Any:  # noqa: ANN401 - any of the four
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return real(*given, **named)

        monkeypatch.setattr(owner, name, counted)


def test_a_rotation_or_retirement_that_is_killed_anywhere_loses_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step the key in force and the old ones are whole, and the next run ends it, stated or not."""
    free, step, ended = TODAY + datetime.timedelta(KEPT_DAYS), -1, False
    while not ended:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        first = _folder(folder)
        with Casebook(folder / "cases.sqlite") as book, monkeypatch.context() as patched:
            _killed_at(step, patched)
            try:
                rotate_sealing_key(folder)
                retire_sealing_keys(folder, book, stated=(), today=TODAY)
                retire_sealing_keys(folder, book, stated=(), today=free)
                ended = True
            except Killed:
                ended = False
        with Casebook(folder / "cases.sqlite") as book:
            present = SealingKey.read(folder / "keys/sealing.key")
            assert {key.kid for key in older_sealing_keys(folder)} <= {first.kid}
            for day in (TODAY, free):
                retire_sealing_keys(folder, book, stated=(), today=day)
            assert SealingKey.read(folder / "keys/sealing.key") == present
            assert {key.kid for key in older_sealing_keys(folder)} <= {present.kid}
            assert not list((folder / "keys").glob(".destroyed-*"))
    assert step > 5


def test_what_an_earlier_version_left_half_destroyed_closes_no_other_key(tmp_path: Path) -> None:
    """A key of which only the bytes were destroyed, and one under two names: nothing else is lost by them."""
    first = _folder(tmp_path)
    second = rotate_sealing_key(tmp_path)
    (tmp_path / "keys/sealing-half.key").write_bytes(bytes(45))
    (tmp_path / f"keys/.destroyed-sealing-{second.kid}.key").hardlink_to(tmp_path / "keys/sealing.key")
    assert older_sealing_keys(tmp_path) == [first]
    with Casebook(tmp_path / "cases.sqlite") as book:
        retire_sealing_keys(tmp_path, book, stated={first.kid}, today=TODAY)
    names = {path.name for path in (tmp_path / "keys").iterdir()}
    assert names == {"sealing.key", f"sealing-{first.kid}.key"}
    assert SealingKey.read(tmp_path / "keys/sealing.key") == second


@pytest.mark.parametrize(
    ("term", "today", "last"),
    [
        ("today", "2026-11-22", "2026-11-22"),
        ("3", "2026-11-20", "2026-11-25"),
        ("3", "2026-12-23", "2026-12-29"),
        ("10", "2026-12-24", "2027-01-11"),
    ],
)
def test_a_term_counts_working_days(term: str, today: str, last: str) -> None:
    """No Saturday, no Sunday, no public holiday, over the turn of the year too."""
    assert last_day(term, today=datetime.date.fromisoformat(today)).isoformat() == last
