"""A letter from one organisation to another, sealed: signed inside, bound, padded, for one receiver (D6, red line 8).

    letter ─► canonical ─► signed with what it is bound to ─► padded ─► sealed to the receiver's key ─► box

A sealed box says nothing of who made it, so the sender signs *inside* (docs/formats.md section 11). It is opened only
where signature, request, both organisations, bundle and expiry all hold; whoever carries it learns its size class.
"""

import datetime
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import nacl.public
import rfc8785
from nacl.exceptions import CryptoError

from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.letter import MAX_QUESTION, MAX_TEXT, Letter
from broker.protocol.redacted import Redacted
from broker.protocol.signing_keys import SigningKey, VerifyKey, b64url, b64url_bytes

SCHEMA = "sealed-letter/v2"
QUESTION = "request"
ANSWERS = {kind: f"answer-{kind}" for kind in ("all", "part", "oral", "declined")}
"""What an answer is, by its kind: so the holder himself says how he answered, and nobody else."""
LABELS = (QUESTION, *ANSWERS.values(), "telling")
"""What a letter is: a question, the answer to one, or what is told unasked."""
_SAYS_NOTHING = frozenset({ANSWERS["oral"], ANSWERS["declined"]})
BOX_BYTES = (1_024, 4_096, 16_384, 65_536)
"""The sizes a box can have."""
OVERHEAD = 48
"""Bytes of a sealed box besides its message: an ephemeral public key and an authenticator (libsodium)."""
_MARK = b"\x80"
_SIGNED = b"sluis sealed-letter/v2\n"
_SIGNATURE_BYTES = 64


class LetterError(ProtocolError):
    """A box is not opened, or not made; `step` says what did not hold, and nothing of it is shown."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class OpeningKey(Redacted):
    """A private X25519 key of 32 bytes: what is sealed to its public half opens with it."""

    __slots__ = ()

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return bytes(nacl.public.PrivateKey(self.reveal()).public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a letter is bound to: another request, party, purpose, bundle or day opens nothing.

    Its content must be in exactly these categories and at this level: what was decided on is what is read.
    """

    label: str
    request: str
    sender: str
    receiver: str
    purpose: str
    grounds: tuple[str, ...]
    categories: tuple[str, ...]
    level: int
    bundle: str
    expires_on: datetime.date

    def document(self) -> dict[str, Any]:
        """Return these as they stand in the envelope; categories and level stand in the letter itself."""
        return {
            "label": self.label,
            "request": self.request,
            "sender": self.sender,
            "receiver": self.receiver,
            "purpose": self.purpose,
            "grounds": list(self.grounds),
            "bundle": self.bundle,
            "expiresOn": self.expires_on.isoformat(),
        }

    def holds_for(self, letter: Letter) -> bool:
        """Return whether the letter is in exactly these categories, at this level, and no longer than its kind is."""
        longest = 0 if self.label in _SAYS_NOTHING else MAX_QUESTION if self.label == QUESTION else MAX_TEXT
        if len(letter.text) > longest or (letter.attachments and self.label in _SAYS_NOTHING):
            return False
        return set(letter.categories) == set(self.categories) and letter.level == self.level

    def signed_bytes(self, content: bytes) -> bytes:
        """Return what the sender signs: all of these, and the hash of the content (RFC 8785)."""
        return _SIGNED + rfc8785.dumps({**self.document(), "contentSha256": hashlib.sha256(content).hexdigest()})


def seal_letter(letter: Letter, *, bound: Bound, signing: SigningKey, receiver_key: bytes) -> bytes:
    """Return the box: nobody but the receiver reads it, and he knows who wrote it.

    Args:
        bound: what it counts for.
        signing: of the sender.
        receiver_key: the receiver's public X25519 key, 32 bytes.

    Raises:
        LetterError: it is in other categories or at another level than stated, it fits no size, or the key is none.
        MalformedError: the text has no canonical form.
    """
    if not bound.holds_for(letter):
        raise LetterError("bound")
    content = letter.canonical()
    envelope: dict[str, Any] = {
        "schema": SCHEMA,
        **bound.document(),
        "kid": signing.public.kid,
        "signature": b64url(signing.sign(bound.signed_bytes(content))),
        "content": dict(letter.document()),
    }
    message = rfc8785.dumps(envelope) + _MARK
    size = next((size for size in BOX_BYTES if len(message) + OVERHEAD <= size), None)
    if size is None:
        raise LetterError("size")
    try:
        box = nacl.public.SealedBox(nacl.public.PublicKey(receiver_key))
        return bytes(box.encrypt(message.ljust(size - OVERHEAD, b"\x00")))
    except (CryptoError, ValueError, TypeError):
        raise LetterError("receiver-key") from None


def open_letter(
    box: bytes,
    *,
    bound: Bound,
    sender_keys: Mapping[str, VerifyKey],
    opening_keys: Iterable[OpeningKey],
    today: datetime.date,
) -> Letter:
    """Return the letter, if everything it is bound to holds.

    Args:
        box: as it came.
        bound: what the receiver expects, from his own books and a receipt, never from the box.
        sender_keys: the sender's public keys by kid, as the receiver knows them.
        opening_keys: the receiver's own, the present one first; older ones open what was sealed before a rotation.
        today: the calendar day in the Netherlands.

    Raises:
        LetterError: names the first step that does not hold: `size`, `seal`, `form`, `bound`, `expired`, `sender` or
            `signature`.
    """
    # (1) One of the fixed sizes.
    if len(box) not in BOX_BYTES:
        raise LetterError("size")
    # (2) Sealed to this receiver.
    envelope, letter = _read(_unsealed(box, opening_keys))
    # (3) For this very request, between these two, for this purpose on these grounds, in these categories and at this
    #     level, under this bundle, until that day, as this kind of letter.
    stated = {name: envelope[name] for name in bound.document()}
    if stated != bound.document() or not bound.holds_for(letter):
        raise LetterError("bound")
    # (4) Not past its last day.
    if today > bound.expires_on:
        raise LetterError("expired")
    # (5) By a key that the receiver knows as the sender's.
    key = sender_keys.get(envelope["kid"])
    if key is None:
        raise LetterError("sender")
    # (6) Which signed exactly this.
    if not key.verify(bound.signed_bytes(letter.canonical()), _signature(envelope)):
        raise LetterError("signature")
    return letter


def _unsealed(box: bytes, opening_keys: Iterable[OpeningKey]) -> bytes:
    for key in opening_keys:
        try:
            return bytes(nacl.public.SealedBox(nacl.public.PrivateKey(key.reveal())).decrypt(box))
        except CryptoError:
            continue
    raise LetterError("seal")


def _read(padded: bytes) -> tuple[Mapping[str, Any], Letter]:
    """Return the envelope and its letter, which have one writing only. Raises LetterError."""
    message = padded.rstrip(b"\x00")
    try:
        if not message.endswith(_MARK):
            raise MalformedError(SCHEMA, "has no end")  # noqa: TRY301 - every fault of form is told alike
        members = strict_json.load_object(message[: -len(_MARK)], field=SCHEMA)
        known = {"schema", "kid", "signature", "content", "grounds", *_BOUND}
        fields = Fields.of(members, SCHEMA, exactly=known)
        fields.choice("schema", (SCHEMA,))
        for name in ("kid", *_BOUND):
            fields.text(name)
        fields.words("grounds")
        letter = Letter.parse(members["content"])
        if rfc8785.dumps(members) + _MARK != message:
            raise MalformedError(SCHEMA, "is not canonical")  # noqa: TRY301 - as above
    except (MalformedError, rfc8785.CanonicalizationError):
        raise LetterError("form") from None
    return members, letter


def _signature(envelope: Mapping[str, Any]) -> bytes:
    text = envelope["signature"]
    try:
        return b64url_bytes(text if isinstance(text, str) else "", field="signature", length=_SIGNATURE_BYTES)
    except MalformedError:
        raise LetterError("signature") from None


_BOUND = ("label", "request", "sender", "receiver", "purpose", "bundle", "expiresOn")
