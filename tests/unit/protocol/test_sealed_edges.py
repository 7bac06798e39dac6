"""Sealed letters and files at their edges: the last byte of a size, what hides in a filling, whose number of chunks."""

import hashlib
from dataclasses import replace

import nacl.public
import nacl.secret
import pytest

from broker.protocol.letter import MAX_ATTACHMENT_BYTES, Attachment, Letter
from broker.protocol.sealed_chunks import CHUNK_BYTES, SEALED_BYTES, open_file, seal_file
from broker.protocol.sealed_letter import BOX_BYTES, OVERHEAD, LetterError, open_letter, seal_letter
from tests.unit.protocol.test_sealed_letter import BOUND, LETTER, RECEIVER, SIGNING, TODAY

FILE_ID = "c" * 32


def sealed(letter: Letter) -> bytes:
    """Return the box of a letter."""
    return seal_letter(letter, bound=BOUND, signing=SIGNING, receiver_key=RECEIVER.public)


def refused(attachment: Attachment, chunks: tuple[bytes, ...]) -> str:
    """Return at which step this file is not opened."""
    with pytest.raises(LetterError) as broke:
        open_file(attachment, chunks)
    return broke.value.step


def test_a_box_is_used_to_its_last_byte() -> None:
    """A letter that just fits has no filling, and one sign more takes the next size: no size is skipped early."""
    written = len(
        nacl.public.SealedBox(nacl.public.PrivateKey(RECEIVER.reveal())).decrypt(sealed(LETTER)).rstrip(b"\x00")
    )
    spare = BOX_BYTES[0] - OVERHEAD - written
    whole = replace(LETTER, text=LETTER.text + "a" * spare)
    box = sealed(whole)
    assert len(box) == BOX_BYTES[0]
    message = nacl.public.SealedBox(nacl.public.PrivateKey(RECEIVER.reveal())).decrypt(box)
    assert message.endswith(b"\x80")
    assert len(sealed(replace(whole, text=whole.text + "a"))) == BOX_BYTES[1]
    keys = {SIGNING.public.kid: SIGNING.public}
    assert open_letter(box, bound=BOUND, sender_keys=keys, opening_keys=[RECEIVER], today=TODAY) == whole


@pytest.mark.parametrize(("label", "level", "categories"), [("answer-oral", 3, ("hulp",)), ("answer-declined", 0, ())])
def test_what_says_nothing_carries_no_file(label: str, level: int, categories: tuple[str, ...]) -> None:
    """That it was answered by telephone, or not at all, is signed without a word and without a file beside it."""
    bound = replace(BOUND, label=label, level=level, categories=categories)
    empty = Letter(categories=categories, level=level)
    assert bound.holds_for(empty)
    made = seal_file(b"x", name="a.pdf", file_id=FILE_ID).attachment
    if level:
        assert not bound.holds_for(replace(empty, attachments=(made,)))
        assert not bound.holds_for(replace(empty, text="x"))
    assert replace(BOUND, label="answer-all").holds_for(replace(LETTER, attachments=(made,)))


def test_a_chunk_is_what_the_format_says() -> None:
    """Another implementation opens it: a nonce before, and the label, file, place and number of chunks beside it."""
    content = b"abc" * 10
    made = seal_file(content, name="a.pdf", file_id=FILE_ID)
    (chunk,) = made.chunks
    place = b"sluis sealed-chunk/v1\n" + FILE_ID.encode() + b"\n0\n1"
    opened = nacl.secret.Aead(made.attachment.key).decrypt(chunk, aad=place)
    assert opened == content.ljust(CHUNK_BYTES, b"\x00")
    assert made.attachment.chunks == (hashlib.sha256(chunk).hexdigest(),)
    assert (made.attachment.id, made.attachment.name, made.attachment.size) == (FILE_ID, "a.pdf", len(content))
    assert made.attachment.sha256 == hashlib.sha256(content).hexdigest()
    assert made.attachment.key != seal_file(content, name="a.pdf", file_id=FILE_ID).attachment.key


@pytest.mark.parametrize(
    ("size", "chunks"), [(1, 1), (CHUNK_BYTES, 1), (CHUNK_BYTES + 1, 2), (MAX_ATTACHMENT_BYTES, 10)]
)
def test_a_file_has_as_many_chunks_as_its_size_needs(size: int, chunks: int) -> None:
    """The last byte of a chunk begins no other; ten mebibyte is still sent, and comes back whole."""
    content = b"z" * size
    made = seal_file(content, name="a.pdf", file_id=FILE_ID)
    assert [len(chunk) for chunk in made.chunks] == [SEALED_BYTES] * chunks
    assert open_file(made.attachment, made.chunks) == content


def test_nothing_hides_in_the_filling_of_a_file() -> None:
    """A size that is smaller than what was sealed, with the right hash of that part, opens nothing."""
    content = b"shown" + b"hidden"
    made = seal_file(content, name="a.pdf", file_id=FILE_ID)
    part = replace(made.attachment, size=5, sha256=hashlib.sha256(b"shown").hexdigest())
    assert refused(part, made.chunks) == "attachment-changed"


def test_the_first_chunks_of_a_file_are_no_file() -> None:
    """A letter that lists fewer, with the hash of exactly those, opens nothing: the number is sealed with each."""
    content = b"a" * CHUNK_BYTES + b"b"
    made = seal_file(content, name="a.pdf", file_id=FILE_ID)
    first = made.chunks[:1]
    cut = replace(
        made.attachment, chunks=made.attachment.chunks[:1], size=CHUNK_BYTES,
        sha256=hashlib.sha256(content[:CHUNK_BYTES]).hexdigest(),
    )  # fmt: skip
    assert refused(cut, first) == "attachment-seal"
    assert refused(made.attachment, ()) == "attachment-truncated"
    more = replace(made.attachment, size=2 * CHUNK_BYTES + 1)
    assert refused(more, made.chunks) == "attachment-truncated"
    short = b"x" * 10
    assert refused(replace(cut, chunks=(hashlib.sha256(short).hexdigest(),)), (short,)) == "attachment-seal"


def test_what_is_not_sealed_says_at_which_step() -> None:
    """By the very word that callers tell apart: what it is bound to, the receiver's key, or the size of a file."""
    steps = []
    for letter, key in ((replace(LETTER, level=4), RECEIVER.public), (LETTER, bytes(31))):
        with pytest.raises(LetterError) as broke:
            seal_letter(letter, bound=BOUND, signing=SIGNING, receiver_key=key)
        steps.append(broke.value.step)
    with pytest.raises(LetterError) as empty:
        seal_file(b"", name="a.pdf", file_id=FILE_ID)
    assert [*steps, empty.value.step] == ["bound", "receiver-key", "attachment-size"]
