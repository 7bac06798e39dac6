"""A client opens an answer only with a valid signature of the asked organisation over everything it is bound to."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.protocol.letter import Letter
from broker.protocol.sealed_letter import Bound, OpeningKey, seal_letter
from broker.protocol.signing_keys import SigningKey
from connectors.casebook import Casebook
from connectors.errors import KeyChangedError, LetterNotOpenedError
from connectors.key_pins import KeyPins, PinnedKeys
from connectors.mailbox import Mailbox
from connectors.sealing import OutboxKey, SealingKey
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled, key, opening_key

TODAY = datetime.date(2026, 11, 23)
ASKED = Bound(
    label="answer-all",
    request="a" * 32,
    sender=WIJKTEAM,
    receiver=VEILIG_THUIS,
    purpose="vt-melding",
    grounds=("WMO-5.2.6",),
    categories=("hulp",),
    level=3,
    bundle="b" * 64,
    expires_on=datetime.date(2026, 11, 30),
)
LETTER = Letter(categories=("hulp",), level=3, text="Sinds maart.")
OWN = [SealingKey(opening_key(VEILIG_THUIS).reveal())]
KNOWN = Enrolled()


@contextmanager
def _mailbox(path: Path) -> Iterator[Mailbox]:
    """Hold the mailbox of Veilig Thuis, which asked the wijkteam this one question."""
    with Casebook(path / "cases.sqlite") as book:
        mailbox = Mailbox(book, OutboxKey(bytes(32)))
        mailbox.note_sent(ASKED.request, receiver=WIJKTEAM, expires_on=ASKED.expires_on, case_ref=None)
        yield mailbox


def _box(bound: Bound = ASKED, *, signing: SigningKey | None = None, to: str = VEILIG_THUIS) -> bytes:
    return seal_letter(LETTER, bound=bound, signing=signing or key(WIJKTEAM), receiver_key=opening_key(to).public)


def _open(mailbox: Mailbox, box: bytes, **changed: Any) -> Letter:  # noqa: ANN401 - parts of what it is opened with
    stated = {"bound": ASKED, "keys": PinnedKeys.of(KNOWN.organisation(WIJKTEAM)), "own": OWN, "today": TODAY}
    return mailbox.open(box, **{**stated, **changed}).letter


def test_what_was_asked_and_answered_opens(tmp_path: Path) -> None:
    """The answer of the asked organisation opens, and is kept until it is read again."""
    with _mailbox(tmp_path) as mailbox:
        assert _open(mailbox, _box()) == LETTER
        assert [one.letter for one in mailbox.opened(ASKED.request)] == [LETTER]


@pytest.mark.parametrize(
    "changed",
    [
        {"label": "request"},
        {"label": "answer-part"},
        {"request": "c" * 32},
        {"sender": GI},
        {"receiver": SCHOOL},
        {"bundle": "d" * 64},
        {"purpose": "nood"},
        {"grounds": ("TOEST",)},
        {"expires_on": datetime.date(2026, 12, 1)},
    ],
)
def test_a_letter_for_anything_else_opens_nothing(tmp_path: Path, changed: dict[str, Any]) -> None:
    """One that the asked organisation signed for another request, party, policy, day or purpose is not shown."""
    with _mailbox(tmp_path) as mailbox:
        with pytest.raises(LetterNotOpenedError) as refused:
            _open(mailbox, _box(replace(ASKED, **changed)))
        assert refused.value.step == "bound"
        assert mailbox.opened(ASKED.request) == []


@pytest.mark.parametrize(("sender", "text"), [(WIJKTEAM, "Sinds april."), (SCHOOL, "Sinds maart.")])
@pytest.mark.parametrize("label", ["request", "telling"])
def test_what_was_read_is_never_replaced(tmp_path: Path, label: str, sender: str, text: str) -> None:
    """Another letter under the same id, of the same sender or of one who borrows it, is not shown; the first stays."""
    first = replace(ASKED, label=label)
    other, letter = replace(first, sender=sender), replace(LETTER, text=text)
    public = opening_key(VEILIG_THUIS).public
    with _mailbox(tmp_path) as mailbox:
        assert _open(mailbox, _box(first), bound=first) == LETTER
        assert _open(mailbox, _box(first), bound=first) == LETTER
        box = seal_letter(letter, bound=other, signing=key(sender), receiver_key=public)
        with pytest.raises(LetterNotOpenedError) as refused:
            _open(mailbox, box, bound=other, keys=PinnedKeys.of(KNOWN.organisation(sender)))
        assert refused.value.step == "changed"
        assert [(one.sender, one.letter) for one in mailbox.opened(ASKED.request)] == [(WIJKTEAM, LETTER)]


@pytest.mark.parametrize("changed", [{"categories": ("hulp", "gezondheid")}, {"level": 4}])
def test_what_was_decided_on_is_what_is_read(tmp_path: Path, changed: dict[str, Any]) -> None:
    """A letter that says more, inside, than the broker decided on and recorded is not shown, whoever signed it."""
    written, public = replace(LETTER, **changed), opening_key(VEILIG_THUIS).public
    box = seal_letter(written, bound=replace(ASKED, **changed), signing=key(WIJKTEAM), receiver_key=public)
    with _mailbox(tmp_path) as mailbox:
        with pytest.raises(LetterNotOpenedError) as refused:
            _open(mailbox, box)
        assert refused.value.step == "bound"
        assert mailbox.opened(ASKED.request) == []


@pytest.mark.parametrize(
    ("box", "changed", "step"),
    [
        (_box(signing=key(GI)), {}, "sender"),
        (_box(to=GI), {}, "seal"),
        (_box()[:-1], {}, "size"),
        (_box(), {"today": datetime.date(2026, 12, 1)}, "expired"),
        (_box(replace(ASKED, request="c" * 32)), {"bound": replace(ASKED, request="c" * 32)}, "asked"),
        (_box(replace(ASKED, sender=GI), signing=key(GI)), {"bound": replace(ASKED, sender=GI)}, "asked"),
        (_box(), {"own": [SealingKey(OpeningKey(bytes(range(32))).reveal())]}, "seal"),
    ],
)
def test_a_letter_of_anybody_else_opens_nothing(tmp_path: Path, box: bytes, changed: dict[str, Any], step: str) -> None:
    """Signed by another, sealed to another, past its day, or an answer to what was never asked of that organisation."""
    with _mailbox(tmp_path) as mailbox:
        with pytest.raises(LetterNotOpenedError) as refused:
            _open(mailbox, box, **changed)
        assert refused.value.step == step
        assert "Sinds" not in str(refused.value)


def test_a_key_that_the_register_changed_opens_nothing_until_a_person_agreed(tmp_path: Path) -> None:
    """Whoever can change the register cannot write letters: the pinned keys count until the digits were compared."""
    changed = replace(KNOWN, keys={WIJKTEAM: ("stolen",)})
    with Casebook(tmp_path / "cases.sqlite") as book:
        pins = KeyPins(book)
        assert pins.trusted(KNOWN.organisation(WIJKTEAM)) == PinnedKeys.of(KNOWN.organisation(WIJKTEAM))
        with pytest.raises(KeyChangedError) as stopped:
            pins.trusted(changed.organisation(WIJKTEAM))
        digits = stopped.value.fingerprint
        assert [len(group) for group in digits.split(" ")] == [5, 5, 5, 5]
        assert digits in str(stopped.value)
        with pytest.raises(KeyChangedError):
            pins.accept(changed.organisation(WIJKTEAM), fingerprint="00000 00000 00000 00000")
        with pytest.raises(KeyChangedError):
            pins.trusted(changed.organisation(WIJKTEAM))
        pins.accept(changed.organisation(WIJKTEAM), fingerprint=digits)
        assert pins.trusted(changed.organisation(WIJKTEAM)).fingerprint == digits


def test_of_two_keys_every_sender_seals_to_the_same(tmp_path: Path) -> None:
    """During a rotation the register states two keys; both open, and which is sealed to is no matter of chance."""
    organisation = KNOWN.organisation(WIJKTEAM)
    both = replace(organisation, sealing_keys={"b": b"2" * 32, "a": b"1" * 32})
    with Casebook(tmp_path / "cases.sqlite") as book:
        assert KeyPins(book).trusted(both).receiving == b"2" * 32
        assert KeyPins(book).trusted(both).sealing == {"a": b"1" * 32, "b": b"2" * 32}
