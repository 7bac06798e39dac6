"""C2SP signed notes, Ed25519 (type 01) and cosignature/v1 (type 04): keys, lines, parsing and verification.

Source: c2sp.org/signed-note and c2sp.org/tlog-cosignature. This file and `seal.py` are the only ones in this
package that import PyNaCl.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from audit.durable_file import create_private, read_private
from audit.errors import NoteError, SignatureError
from audit.note_text import check_name, from_base64, to_base64

KEY_ID_BYTES = 4
SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
_TIME_BYTES = 8
MAX_NOTE_BYTES = 65_536
MAX_SIGNATURES = 100  # C2SP asks for at least 16
_LINE = re.compile("— ([^ ]+) ([A-Za-z0-9+/=]+)")
_PRIVATE_PREFIX = "PRIVATE+KEY+"


class Algorithm(IntEnum):
    """The signature types of c2sp.org/signed-note that Sluis uses."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name, written as a *vkey*: `name+hex8(key id)+base64(type || public key)`."""

    name: str
    algorithm: Algorithm
    public: bytes

    def __post_init__(self) -> None:
        """Refuse a key whose name or size cannot stand in a note."""
        check_name(self.name)
        if len(self.public) != PUBLIC_KEY_BYTES:
            raise NoteError("vkey: an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of `SHA-256(name || 0x0A || type || public key)`."""
        return _key_id(self.name, bytes([self.algorithm]) + self.public)

    def encode(self) -> str:
        """Return the vkey."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.algorithm]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Return the key that this vkey describes.

        Raises:
            NoteError: the text is no vkey, its key id does not fit, or its type is not 01 or 04.

        """
        name, algorithm, public = _parse_key(text, "vkey")
        key = cls(name=name, algorithm=algorithm, public=public)
        if key.encode() != text:
            raise NoteError("vkey: the key id does not fit the key")
        return key

    def signature_line(self, blob: bytes) -> str:
        """Return the signature line that carries this blob (time and signature for a cosigner)."""
        return f"— {self.name} {to_base64(self.key_id + blob)}\n"

    def verify(self, text: str, blob: bytes) -> int | None:
        """The blob is this key's signature over the text; the time a cosigner states is returned.

        Raises:
            SignatureError: it is not.

        """
        message, signature, time = text.encode("utf-8"), blob, None
        if self.algorithm is Algorithm.COSIGNATURE:
            time = int.from_bytes(blob[:_TIME_BYTES], "big")
            signature = blob[_TIME_BYTES:]
            message = cosigned_bytes(text, time)
        try:
            VerifyKey(self.public).verify(message, signature)
        except (BadSignatureError, ValueError) as error:
            raise SignatureError("note: the signature of a known key does not hold") from error
        return time


class NoteSigningKey:
    """A private key that signs notes; it never shows its seed."""

    __slots__ = ("_key", "verifier")

    def __init__(self, *, name: str, algorithm: Algorithm, seed: bytes) -> None:
        """Hold the key made from a seed of 32 bytes.

        Raises:
            NoteError: the name or the size of the seed is wrong.

        """
        if len(seed) != SEED_BYTES:
            raise NoteError("signing key: a seed has 32 bytes")
        self._key = SigningKey(seed)
        self.verifier = VerifierKey(name=name, algorithm=algorithm, public=bytes(self._key.verify_key))

    def __repr__(self) -> str:
        """Show the public side only."""
        return f"NoteSigningKey({self.verifier.name}, redacted)"

    @classmethod
    def generate(cls, name: str, algorithm: Algorithm) -> "NoteSigningKey":
        """Return a fresh key from the system's randomness."""
        return cls(name=name, algorithm=algorithm, seed=os.urandom(SEED_BYTES))

    @classmethod
    def load(cls, path: Path) -> "NoteSigningKey":
        """Return the key in this file, which only its owner may reach.

        Raises:
            SealError: the file cannot be read or others have rights on it.
            NoteError: it does not hold `PRIVATE+KEY+name+hash+base64(type || seed)` and a newline.

        """
        try:
            text = read_private(path).decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError as error:
            raise NoteError("signing key: not UTF-8") from error
        if not text.startswith(_PRIVATE_PREFIX):
            raise NoteError("signing key: must start with PRIVATE+KEY+")
        name, algorithm, seed = _parse_key(text.removeprefix(_PRIVATE_PREFIX), "signing key")
        key = cls(name=name, algorithm=algorithm, seed=seed)
        if text.removeprefix(_PRIVATE_PREFIX).split("+")[1] != key.verifier.key_id.hex():
            raise NoteError("signing key: the key id does not fit the key")
        return key

    def save(self, path: Path) -> None:
        """A new file with mode 0600 holds this key in Go's form.

        Raises:
            SealError: the file exists already or cannot be written.

        """
        encoded = to_base64(bytes([self.verifier.algorithm]) + bytes(self._key))
        text = f"{_PRIVATE_PREFIX}{self.verifier.name}+{self.verifier.key_id.hex()}+{encoded}\n"
        create_private(path, text.encode("utf-8"))

    def sign(self, text: str, *, time: int | None = None) -> str:
        """Return the signature line for a note text; a cosigner states the time in unix seconds.

        Raises:
            NoteError: a cosigner without a time, or a time for a plain signature.

        """
        if (self.verifier.algorithm is Algorithm.COSIGNATURE) != (time is not None):
            raise NoteError("signing key: a cosignature, and only a cosignature, states a time")
        if time is None:
            blob = self._key.sign(text.encode("utf-8")).signature
        else:
            blob = time.to_bytes(_TIME_BYTES, "big") + self._key.sign(cosigned_bytes(text, time)).signature
        return self.verifier.signature_line(blob)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line as it stands in a note, not yet verified."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note that has the right form; nothing in it is verified."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSignature:
    """A good signature by a known key; `time` in unix seconds for a cosigner, else None."""

    key: VerifierKey
    time: int | None


def parse_note(data: bytes) -> Note:
    """Return the text and the signature lines of a note.

    Raises:
        NoteError: too large, not UTF-8, a control character, no signature, or a malformed line.

    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError("note: larger than the cap")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("note: not UTF-8") from error
    if any(ord(char) < 0x20 and char != "\n" for char in whole):  # noqa: PLR2004 - 0x20 is the first that is no control
        raise NoteError("note: holds a control character")
    body, separator, signatures = whole.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise NoteError("note: no empty line before the signatures")
    lines = signatures[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("note: too many signatures")
    return Note(text=body + "\n", signatures=tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> NoteSignature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NoteError("note: a signature line is malformed")
    check_name(match[1])
    blob = from_base64(match[2])
    if len(blob) <= KEY_ID_BYTES:
        raise NoteError("note: a signature is too short")
    return NoteSignature(name=match[1], key_id=blob[:KEY_ID_BYTES], blob=blob[KEY_ID_BYTES:])


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifiedSignature, ...]:
    """Return the good signatures by known keys, at least one, each key once; unknown keys are ignored.

    Raises:
        SignatureError: a known key's signature does not hold, or no known key signed.
        NoteError: two known keys share a name and key id.

    """
    # (1) Which key a line belongs to must be beyond doubt.
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise NoteError("note: two known keys share a name and key id")
    # (2) Every line of a known key must hold; one bad line spoils the note.
    good: dict[VerifierKey, VerifiedSignature] = {}
    for signature in note.signatures:
        signer = known.get((signature.name, signature.key_id))
        if signer is not None:
            verified = VerifiedSignature(key=signer, time=signer.verify(note.text, signature.blob))
            good.setdefault(signer, verified)
    # (3) Nobody we know signed: the text is worth nothing.
    if not good:
        raise SignatureError("note: no known key signed")
    return tuple(good.values())


def compose_note(text: str, lines: Sequence[str]) -> str:
    """Return the note made of this text and these signature lines, each ending in a newline."""
    return text + "\n" + "".join(lines)


def cosigned_bytes(text: str, time: int) -> bytes:
    """Return what a cosigner signs: a header with the time in unix seconds and the whole checkpoint text."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _key_id(name: str, material: bytes) -> bytes:
    return hashlib.sha256(name.encode("utf-8") + b"\n" + material).digest()[:KEY_ID_BYTES]


def _parse_key(text: str, what: str) -> tuple[str, Algorithm, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004 - name, key id, material
        raise NoteError(f"{what}: must be name+key id+base64")
    material = from_base64(parts[2])
    if material[:1] not in (b"\x01", b"\x04"):
        raise NoteError(f"{what}: the type must be 01 (Ed25519) or 04 (cosignature)")
    return parts[0], Algorithm(material[0]), material[1:]
