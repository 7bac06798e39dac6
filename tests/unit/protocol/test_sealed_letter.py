"""Letters between organisations: sealed, bound, padded; and files beside them."""

import datetime
from dataclasses import replace
from typing import Any

import pytest

from broker.protocol.errors import MalformedError
from broker.protocol.letter import MAX_TEXT, Attachment, Letter
from broker.protocol.sealed_chunks import CHUNK_BYTES, SEALED_BYTES, open_file, seal_file
from broker.protocol.sealed_letter import BOX_BYTES, Bound, LetterError, OpeningKey, open_letter, seal_letter
from broker.protocol.signing_keys import SigningKey

SIGNING, RECEIVER = SigningKey.from_seed(bytes(32)), OpeningKey(bytes(range(32)))
TODAY = datetime.date(2026, 6, 1)
BOUND = Bound(
    label="answer-all",
    request="a" * 32,
    sender="00000099000000001000",
    receiver="00000099000000003000",
    purpose="vt-melding",
    grounds=("WMO-5.1.6",),
    categories=("hulp",),
    level=3,
    bundle="b" * 64,
    expires_on=TODAY,
)
LETTER = Letter(categories=("hulp",), level=3, text="Wat voor hulp is er?")


def _sealed(letter: Letter = LETTER) -> bytes:
    return seal_letter(letter, bound=BOUND, signing=SIGNING, receiver_key=RECEIVER.public)


def _opened(box: bytes) -> Letter:
    keys = {SIGNING.public.kid: SIGNING.public}
    return open_letter(box, bound=BOUND, sender_keys=keys, opening_keys=[RECEIVER], today=TODAY)


@pytest.mark.parametrize(("length", "size"), [(1, 1024), (500, 4096), (7_000, 16_384), (MAX_TEXT, 65_536)])
def test_a_letter_comes_back_and_its_size_is_a_class(length: int, size: int) -> None:
    """What is opened is what was written; the box has one of four sizes, whatever the text."""
    letter = replace(LETTER, text="é" * length)
    assert len(_sealed(letter)) == size
    assert _opened(_sealed(letter)) == letter


def test_yes_and_no_are_as_long() -> None:
    """The length of a box does not tell two answers apart."""
    sizes = {len(_sealed(replace(LETTER, text=text))) for text in ("ja", "nee", "weet ik niet")}
    assert sizes == {BOX_BYTES[0]}


def test_what_fits_no_size_is_not_sealed() -> None:
    """A letter that is too long even for the largest box is refused before anything leaves."""
    with pytest.raises(LetterError) as refused:
        _sealed(replace(LETTER, text="\U0001f600" * MAX_TEXT))
    assert refused.value.step == "size"


@pytest.mark.parametrize("changed", [{"categories": ("hulp", "gezondheid")}, {"level": 4}])
def test_what_is_written_is_what_is_stated(changed: dict[str, Any]) -> None:
    """A letter in other categories or at another level than was decided on is not sealed."""
    with pytest.raises(LetterError, match="bound"):
        _sealed(replace(LETTER, **changed))


def test_a_question_is_short() -> None:
    """A question of more than 500 characters is neither sealed nor opened, whoever made it."""
    asked, long = replace(BOUND, label="request"), replace(LETTER, text="a" * 501)
    with pytest.raises(LetterError, match="bound"):
        seal_letter(long, bound=asked, signing=SIGNING, receiver_key=RECEIVER.public)
    exact = replace(LETTER, text="a" * 500)
    assert seal_letter(exact, bound=asked, signing=SIGNING, receiver_key=RECEIVER.public)


@pytest.mark.parametrize(("label", "level"), [("answer-declined", 0), ("answer-oral", 3)])
def test_what_says_nothing_is_signed_too(label: str, level: int) -> None:
    """That nothing is shared, or was answered by telephone, is a letter without a word, in the smallest box."""
    bound = replace(BOUND, label=label, level=level, categories=() if level == 0 else ("hulp",))
    empty = Letter(categories=bound.categories, level=level)
    box = seal_letter(empty, bound=bound, signing=SIGNING, receiver_key=RECEIVER.public)
    assert len(box) == BOX_BYTES[0]
    keys = {SIGNING.public.kid: SIGNING.public}
    assert open_letter(box, bound=bound, sender_keys=keys, opening_keys=[RECEIVER], today=TODAY) == empty
    said = replace(bound, level=3, categories=("hulp",))
    with pytest.raises(LetterError, match="bound"):
        seal_letter(LETTER, bound=said, signing=SIGNING, receiver_key=RECEIVER.public)
    with pytest.raises(MalformedError):
        Letter(categories=("hulp",), level=0)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    """Nothing is sealed to something that is no public key."""
    with pytest.raises(LetterError, match="receiver-key"):
        seal_letter(LETTER, bound=BOUND, signing=SIGNING, receiver_key=key)


def test_a_text_without_a_canonical_form_is_refused() -> None:
    """Half a character can be signed in no one way, so it is not sealed."""
    with pytest.raises(MalformedError, match="canonical"):
        _sealed(replace(LETTER, text="\ud800"))


def test_nothing_of_a_letter_is_printed() -> None:
    """Neither text, names nor keys stand in a representation."""
    made = seal_file(b"geheim", name="verslag.pdf", file_id="c" * 32)
    shown = repr(replace(LETTER, text="geheim", attachments=(made.attachment,))) + repr(made) + repr(RECEIVER)
    assert "geheim" not in shown
    assert "verslag" not in shown


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f"])
def test_a_text_says_nothing_to_a_screen(sign: str) -> None:
    """What moves a cursor or turns a line around is refused: a letter is read, and changes nothing around it."""
    with pytest.raises(MalformedError, match="control"):
        replace(LETTER, text=f"Sinds{sign}maart")
    assert replace(LETTER, text="Sinds\n\tmaart.").text


def test_a_letter_of_the_stored_level_has_no_text() -> None:
    """Up to level 2 a letter tells codes only."""
    assert Letter(categories=("terugkoppeling",), level=2, steps=("hulp_ingezet",)).text == ""
    with pytest.raises(MalformedError, match="not for this level"):
        Letter(categories=("terugkoppeling",), level=2, text="x")


def test_an_attachment_can_be_read_back() -> None:
    """Its object in the letter gives the same attachment."""
    made = seal_file(b"x", name="verslag.pdf", file_id="c" * 32).attachment
    assert Attachment.parse(made.document(), "a") == made


def test_a_file_comes_back_whole_in_chunks_of_one_size() -> None:
    """Every sealed chunk is as long as any other, and together they are the file."""
    content = bytes(range(256)) * 4200
    made = seal_file(content, name="a.pdf", file_id="c" * 32)
    assert {len(chunk) for chunk in made.chunks} == {SEALED_BYTES}
    assert len(made.chunks) == 2
    assert open_file(made.attachment, made.chunks) == content


@pytest.mark.parametrize("size", [0, 10 * 1_048_576 + 1])
def test_an_empty_or_too_large_file_is_refused(size: int) -> None:
    """Ten mebibyte at most, and something at least."""
    with pytest.raises(LetterError, match="attachment-size"):
        seal_file(bytes(size), name="a.pdf", file_id="c" * 32)


def test_a_file_is_never_opened_in_part_or_in_another_order() -> None:
    """A missing, changed, moved or foreign chunk, or another size, opens nothing."""
    made = seal_file(b"a" * (CHUNK_BYTES + 5), name="a.pdf", file_id="c" * 32)
    first, second = made.chunks
    other = seal_file(b"b" * (CHUNK_BYTES + 5), name="a.pdf", file_id="c" * 32).chunks[1]
    listed = made.attachment
    moved = replace(listed, chunks=(listed.chunks[1], listed.chunks[0]))
    for attachment, chunks, step in (
        (listed, (first,), "attachment-truncated"),
        (listed, (first, second, second), "attachment-truncated"),
        (replace(listed, chunks=listed.chunks[:1]), (first,), "attachment-truncated"),
        (listed, (second, first), "attachment-changed"),
        (listed, (first, other), "attachment-changed"),
        (moved, (second, first), "attachment-seal"),
        (replace(listed, id="d" * 32), made.chunks, "attachment-seal"),
        (replace(listed, key=bytes(32)), made.chunks, "attachment-seal"),
        (replace(listed, size=CHUNK_BYTES + 4), made.chunks, "attachment-changed"),
        (replace(listed, sha256="0" * 64), made.chunks, "attachment-changed"),
    ):
        with pytest.raises(LetterError) as refused:
            open_file(attachment, chunks)
        assert refused.value.step == step
