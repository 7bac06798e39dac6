"""What a letter between two organisations says: `letter/v1`, for its receiver alone (docs/formats.md section 11).

The text is a person's; everything else is a closed word. At level 2 and below there is no text at all: what is told
then is told by codes (architecture D6).
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import rfc8785

from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_id
from broker.protocol.signing_keys import b64url, b64url_bytes

SCHEMA = "letter/v1"
STORED_LEVEL = 2
"""What the broker itself may know (D6): up to here a letter holds codes and no text."""
MAX_LEVEL = 4
MAX_QUESTION = 500
"""Characters of the text of a request."""
MAX_TEXT = 20_000
"""Characters of the text of an answer or of what is told unasked."""
MAX_CATEGORIES = 8
MAX_STEPS = 8
MAX_ATTACHMENTS = 5
MAX_ATTACHMENT_BYTES = 10 * 1_048_576
MAX_CHUNKS = 10
MAX_LETTER_CHUNKS = MAX_CHUNKS + MAX_ATTACHMENTS - 1
"""Chunks of all attachments together: each file fills up its own last one."""
KEY_BYTES = 32
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what stands beside them (Unicode bidirectional controls)."""
_HEX = frozenset("0123456789abcdef")
_SHA256_CHARACTERS = 64
_MEMBERS = {"schema", "categories", "level", "steps", "text", "attachments"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file beside a letter: where its sealed chunks are, what opens them, and what they must be.

    `chunks` are the hex SHA-256 of the sealed chunks in their order, `sha256` that of the file itself.
    """

    id: str
    name: str = field(repr=False)
    size: int
    key: bytes = field(repr=False)
    chunks: tuple[str, ...]
    sha256: str

    @classmethod
    def parse(cls, value: object, path: str) -> Self:
        """Return the attachment in this JSON object. Raises MalformedError."""
        fields = Fields.of(value, path, exactly={"id", "name", "size", "key", "chunks", "sha256"})
        chunks = fields.items("chunks", at_most=MAX_CHUNKS)
        if not is_id(fields.members["id"]):
            raise MalformedError(f"{path}.id", "is not 32 lower-case hex characters")
        if not chunks or not all(_is_sha256(one) for one in (*chunks, fields.members["sha256"])):
            raise MalformedError(f"{path}.chunks", "is not a list of SHA-256 in hex")
        return cls(
            id=fields.members["id"],
            name=fields.text("name"),
            size=fields.number("size", most=MAX_ATTACHMENT_BYTES),
            key=b64url_bytes(fields.text("key"), field=f"{path}.key", length=KEY_BYTES),
            chunks=tuple(chunks),
            sha256=fields.members["sha256"],
        )

    def document(self) -> dict[str, Any]:
        """Return the JSON object of this attachment."""
        return {
            "id": self.id,
            "name": self.name,
            "size": self.size,
            "key": b64url(self.key),
            "chunks": list(self.chunks),
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The content of one letter. `steps` are codes; `text` is never printed by accident."""

    categories: tuple[str, ...]
    level: int
    steps: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Hold only what its level allows. Raises MalformedError."""
        if self.level == 0 and not (self.categories or self.steps or self.text or self.attachments):
            return  # that nothing is shared
        if not 1 <= self.level <= MAX_LEVEL:
            raise MalformedError(f"{SCHEMA}.level", f"is not from 1 to {MAX_LEVEL}")
        if not 1 <= len(self.categories) <= MAX_CATEGORIES or len(set(self.categories)) != len(self.categories):
            raise MalformedError(f"{SCHEMA}.categories", f"is not a list of 1 to {MAX_CATEGORIES} different words")
        if self.level <= STORED_LEVEL and (self.text or self.attachments):
            raise MalformedError(f"{SCHEMA}.text", "is not for this level")
        if len(self.text) > MAX_TEXT:
            raise MalformedError(f"{SCHEMA}.text", f"is longer than {MAX_TEXT} characters")
        if any((unicodedata.category(sign) == "Cc" and sign not in "\n\t") or sign in _TURNING for sign in self.text):
            raise MalformedError(f"{SCHEMA}.text", "has control characters")
        if len(self.attachments) > MAX_ATTACHMENTS or len(self.steps) > MAX_STEPS:
            raise MalformedError(f"{SCHEMA}.attachments", "are too many")

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the letter in this JSON object. Raises MalformedError."""
        fields = Fields.of(value, SCHEMA, exactly=_MEMBERS)
        fields.choice("schema", (SCHEMA,))
        text = fields.members["text"]
        if not isinstance(text, str):
            raise MalformedError(f"{SCHEMA}.text", "is not a text")
        attachments = fields.items("attachments", at_most=MAX_ATTACHMENTS)
        return cls(
            categories=fields.words("categories"),
            level=fields.number("level", most=MAX_LEVEL),
            steps=fields.words("steps"),
            text=text,
            attachments=tuple(Attachment.parse(one, f"{SCHEMA}.attachments") for one in attachments),
        )

    def document(self) -> Mapping[str, Any]:
        """Return the JSON object of this letter."""
        return {
            "schema": SCHEMA,
            "categories": list(self.categories),
            "level": self.level,
            "steps": list(self.steps),
            "text": self.text,
            "attachments": [one.document() for one in self.attachments],
        }

    def canonical(self) -> bytes:
        """Return the one writing of this letter (RFC 8785). Raises MalformedError: the text has none."""
        try:
            return rfc8785.dumps(dict(self.document()))
        except (rfc8785.CanonicalizationError, UnicodeError):
            raise MalformedError(f"{SCHEMA}.text", "has no canonical form") from None


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and len(value) == _SHA256_CHARACTERS and set(value) <= _HEX
