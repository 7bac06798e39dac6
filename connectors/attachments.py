"""Files beside a letter: sealed and left chunk by chunk before it is sent, fetched after it was opened, all or none.

A file has a key of its own, which stands in the letter; the broker keeps chunks of one size that it cannot open.
"""

import errno
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.protocol.letter import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, Attachment, Letter
from broker.protocol.request_messages import RequestResult, StoreChunk, chunk_bytes, wire_box
from broker.protocol.sealed_chunks import SealedFile, open_file, seal_file
from broker.protocol.sealed_letter import LetterError
from connectors.answers import stated_here
from connectors.desk import Desk
from connectors.errors import CaseError, FolderError, NotDoneError, RefusedError
from connectors.outbox import NOW

TOO_LARGE = "attachment-too-large"
TRUNCATED = "attachment-truncated"
_PATH = "/v1/letter-chunks"
_KIND = "request"
_PLAIN = frozenset(" .-_()")
_MAX_NAME_BYTES = 120
_NO_SECOND_NAME = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What `link` says on disks without hard links (exFAT, SMB, some of FUSE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file as a worker has it."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


def read_files(paths: Sequence[Path]) -> tuple[File, ...]:
    """Return these files, no further than one byte past what may be sent. Raises CaseError: one cannot be read."""
    files = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                files.append(File(name=path.name, content=stream.read(MAX_ATTACHMENT_BYTES + 1)))
        except OSError:
            raise CaseError("attach", "must be a file that can be read") from None
    return tuple(files)


def seal_files(desk: Desk, files: Sequence[File]) -> tuple[SealedFile, ...]:
    """Return the files in sealed chunks; nothing was sent yet.

    Raises:
        RefusedError: they are too large together. CaseError: one is empty, or they are too many.
    """
    if sum(len(one.content) for one in files) > MAX_ATTACHMENT_BYTES:
        raise RefusedError(stated_here(TOO_LARGE), party=desk.folder.settings.broker.id)
    if len(files) > MAX_ATTACHMENTS:
        raise CaseError("attach", f"must be at most {MAX_ATTACHMENTS} files")
    if not all(one.content for one in files):
        raise CaseError("attach", "must be a file that is not empty")
    return tuple(seal_file(one.content, name=one.name, file_id=desk.surroundings.new_id()) for one in files)


async def leave(desk: Desk, files: Sequence[SealedFile]) -> None:
    """The broker has every chunk of these, for a letter that names them today or tomorrow.

    Raises:
        RefusedError, NotDoneError: not all of them, and nothing waits: no letter names them, so that they go by
            themselves.
    """
    for one in files:
        for sha256, chunk in zip(one.attachment.chunks, one.chunks, strict=True):
            members = {"sha256": sha256, "chunk": wire_box(chunk)}
            await desk.delivery.send(
                desk.composer.statement(StoreChunk, members, kind=_KIND, path=_PATH, local={NOW: "1"})
            )  # fmt: skip


async def fetch_files(desk: Desk, path: str, letter: Letter) -> tuple[File, ...]:
    """Return every attachment of a letter that was opened, each exactly as it was sent.

    Args:
        path: of the request.

    Raises:
        RefusedError: withheld meanwhile. NotDoneError: a chunk is missing or not what the letter says; none is shown.
    """
    return tuple([await _file(desk, path, one) for one in letter.attachments])


async def _file(desk: Desk, path: str, attachment: Attachment) -> File:
    chunks = [await _chunk(desk, f"{path}/chunks/{sha256}") for sha256 in attachment.chunks]
    try:
        return File(name=attachment.name, content=open_file(attachment, chunks))
    except LetterError:
        raise NotDoneError(TRUNCATED, party=desk.folder.settings.broker.id) from None


async def _chunk(desk: Desk, path: str) -> bytes:
    details = (await desk.delivery.read(path, worker=desk.composer.worker)).details
    text = details.chunk if isinstance(details, RequestResult) else None
    return chunk_bytes(text or "") or b""


def letter_shown(letter: Letter) -> Mapping[str, Any]:
    """Return a letter as it is printed: without what opens its attachments."""
    attachments = [{"name": one.name, "size": one.size, "sha256": one.sha256} for one in letter.attachments]
    return {**letter.document(), "attachments": attachments}


def save_files(folder: Path, files: Sequence[File]) -> tuple[Path, ...]:
    """Each file stands whole in this folder, readable by its owner alone; nothing that was there is overwritten.

    Every one is on disk under a name of its own before the first gets the name it is known by.

    Raises:
        FolderError: it cannot be written; none of them stands there.
    """
    written: list[Path] = []
    named: list[Path] = []
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for one in files:
            written.append(folder / f".{secrets.token_hex(16)}.part")
            _write(written[-1], one.content)
        for path, one in zip(written, files, strict=True):
            named.append(_named(path, _plain_name(one.name)))
    except OSError:
        for path in named:
            path.unlink(missing_ok=True)
        raise FolderError("out", "cannot be written") from None
    finally:
        for path in written:
            path.unlink(missing_ok=True)
    return tuple(named)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _named(written: Path, name: str) -> Path:
    """Return where a file stands by this name from now on: one that is taken gets a number before it."""
    number = 0
    while True:
        path = written.with_name(name if number == 0 else f"{number}-{name}")
        try:
            _stand(path, written)
        except FileExistsError:
            number += 1
            continue
        return path


def _stand(path: Path, written: Path) -> None:
    """What was written stands under this free name too, or instead where a disk has no second names for one file."""
    try:
        path.hardlink_to(written)
    except OSError as error:
        if error.errno not in _NO_SECOND_NAME:
            raise
        # The name is taken first, so that nothing of somebody else's is replaced.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        try:
            written.replace(path)
        except OSError:
            path.unlink(missing_ok=True)
            raise


def _plain_name(name: str) -> str:
    """Return a name that another organisation chose as one that is a name here and nothing else.

    Cut first, from the front so that its ending stays, and by bytes, of which a file system takes 255 with a number.
    """
    plain = "".join(sign if sign.isalnum() or sign in _PLAIN else "_" for sign in name)
    ending = plain.encode()[-_MAX_NAME_BYTES:].decode(errors="ignore")
    return ending.lstrip(" .-") or "bijlage"
