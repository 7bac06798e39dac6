"""The words a note is made of: key names and canonical base64."""

import base64
import binascii

from audit.errors import NoteError


def check_name(name: str) -> None:
    """The name may stand in a note: not empty, no Unicode space, no plus sign, no control character.

    Raises:
        NoteError: it may not.

    """
    if not name or "+" in name or not name.isprintable() or any(char.isspace() for char in name):
        raise NoteError("key name: not empty, without space, plus sign or control character")


def to_base64(data: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes of canonical standard base64 with padding.

    Raises:
        NoteError: not base64, or not the one canonical form.

    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise NoteError("base64: malformed") from error
    if to_base64(data) != text:
        raise NoteError("base64: not canonical")
    return data
