"""Wire models of information requests, their answers, and what is told unasked (docs/formats.md section 11).

Strict and closed as every message. What is asked and answered travels in sealed boxes: the broker sees categories,
a level, grounds and a size class, and no text.
"""

import base64
from typing import Annotated, Final, Literal

from pydantic import Field

from broker.protocol.errors import MalformedError
from broker.protocol.messages import Command, Grounds, StatutoryProof, Telling, WireReceipt
from broker.protocol.sealed_chunks import SEALED_BYTES
from broker.protocol.sealed_letter import BOX_BYTES
from broker.protocol.signing_keys import b64url_bytes
from broker.protocol.wire_types import Day, Id, Message, Oin, Sha256, Word, holds_when

REQUESTS_PER_PAGE = 50
"""Own requests in one answer at most; who gets as many asks on after the last."""
MAX_CATEGORIES = 8
MAX_NAMED = 64
"""Chunks that a message can name; a letter may have `MAX_CHUNKS` of them, and more is told as too large."""
MAX_CITATION = 100
PROFESSIONAL_SECRECY: Final = "professional_secrecy"
DECLINE_REASONS = (PROFESSIONAL_SECRECY, "no_consent", "not_needed", "not_involved", "harm_to_client", "other")
"""Why somebody does not share. Each is a right: none has a consequence (D11)."""


def box_bytes(text: str) -> bytes | None:
    """Return the sealed box in this text, None where it is none of the known sizes."""
    try:
        box = b64url_bytes(text, field="box")
    except MalformedError:
        return None
    return box if len(box) in BOX_BYTES else None


def chunk_bytes(text: str) -> bytes | None:
    """Return the bytes in this text, however many; None where it is no base64url."""
    try:
        return b64url_bytes(text, field="chunk")
    except MalformedError:
        return None


Box = Annotated[
    str,
    Field(max_length=-(-max(BOX_BYTES) * 4 // 3)),
    holds_when("is not a sealed box of 1, 4, 16 or 64 KiB", lambda text: box_bytes(text) is not None),
]
Chunk = Annotated[
    str,
    Field(max_length=2 * SEALED_BYTES),
    holds_when("is not base64url without padding", lambda text: chunk_bytes(text) is not None),
]
Chunks = Annotated[list[Sha256], Field(max_length=MAX_NAMED)]
Categories = Annotated[list[Word], Field(min_length=1, max_length=MAX_CATEGORIES)]
Level = Annotated[int, Field(ge=1, le=4)]
Instant = Annotated[int, Field(ge=0, le=2**40)]


class SendLetter(Command):
    """What a request and a telling have in common. The id of what is made is the idempotency key."""

    purpose: Word
    grounds: Grounds
    team: Word
    to: Oin
    to_team: Word
    signal_id: Id | None
    categories: Categories
    level: Level
    proof: StatutoryProof | None
    bundle: Sha256
    expires_on: Day
    box: Box
    consent_id: Id | None = None
    """The own record of consent that it rests on."""
    chunks: Chunks = Field(default_factory=list)
    match_id: Id | None = None
    """The own match that it rests on, in place of `signal_id`; it goes to the other team of it."""


class SendRequest(SendLetter):
    """Ask another organisation for information in named categories."""


class Tell(SendLetter):
    """Tell another organisation, unasked, what one knows; also on an exception that was invoked for it."""

    exception_id: Id | None = None


DeclineReason = Literal["professional_secrecy", "no_consent", "not_needed", "not_involved", "harm_to_client", "other"]
"""Why something is not shared; told to nobody but who declined."""


class AnswerRequest(Command):
    """Answer a request: all of it, a part, orally, or not; with a box for all and part, with a reason for none.

    For what was answered orally, or is not shared, a box of the smallest size says so under the holder's signature.
    """

    kind: Literal["all", "part", "oral", "declined"]
    reason: DeclineReason | None
    categories: Annotated[list[Word], Field(max_length=MAX_CATEGORIES)]
    level: Annotated[int, Field(ge=0, le=4)]
    grounds: Annotated[list[Word], Field(max_length=3)]
    proof: StatutoryProof | None
    signal_id: Id | None
    bundle: Sha256
    expires_on: Day
    box: Box | None
    consent_id: Id | None = None
    chunks: Chunks = Field(default_factory=list)
    exception_id: Id | None = None


class StoreChunk(Command):
    """Leave one sealed chunk of an attachment, for a letter that will name it by its hash."""

    sha256: Sha256
    chunk: Chunk


class ForwardRequest(Command):
    """Give a received request to a team of the own organisation, and where it is personal to a worker by name."""

    team: Word
    worker: Word | None


class NoteReceipt(Command):
    """State that what was handed out has arrived, or was opened."""

    state: Literal["delivered", "opened"]


class WithdrawRequest(Command):
    """Take a request back that was not answered, or an answer to it that was not fetched."""

    reason: Literal["mistake", "no_longer_needed"]


class AnswerShown(Message):
    """How a request was answered, without what the box says.

    `law` cites the professional secrecy of the holder's kind of organisation, of whatever it did not share and why.
    """

    kind: Literal["all", "part", "oral", "declined"]
    reason: Word | None
    categories: list[Word]
    level: int
    grounds: list[Word]
    bundle: Sha256
    answered_at: Instant
    expires_on: Day
    delivery: Literal["waiting", "unknown", "delivered", "opened"]
    law: Annotated[str, Field(max_length=MAX_CITATION)] | None = None


class Party(Message):
    """One side of a request."""

    oin: Oin
    name: str
    team: Word


class RequestShown(Message):
    """One request or telling as one of its two sides sees it.

    `worker` is the named one, told to his side only; `match_id` is that of its sender, told to its sender only. Where
    it is withheld, withdrawn or expired before its receiver was handed it, he is told neither purpose, grounds,
    categories nor level; and its sender nothing of an answer that is withheld. `reason` is told to who declined.
    """

    request_id: Id
    kind: Literal["request", "telling"]
    side: Literal["sent", "received"]
    sender: Party
    receiver: Party
    personal: bool
    worker: Word | None
    purpose: Word | None
    grounds: list[Word]
    categories: list[Word]
    level: int
    bundle: Sha256
    sent_at: Instant
    expires_on: Day
    state: Word
    delivery: Literal["waiting", "unknown", "delivered", "opened"]
    answer: AnswerShown | None
    match_id: Id | None = None


class RequestResult(Telling):
    """What either side is told; `box` is what this reader may open, `of` says what is in it.

    `chunk` is one chunk of an attachment, where that was asked for.
    """

    schema_: Literal["requests/v1"] = Field(alias="schema")
    requests: list[RequestShown]
    of: Literal["request", "telling", "answer"] | None
    box: Box | None
    chunk: Chunk | None = None


class RequestAnswer(Message):
    """The whole body of a successful answer about requests."""

    result: RequestResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]


def wire_box(box: bytes) -> str:
    """Return a sealed box or chunk as it travels: base64url without padding."""
    return base64.urlsafe_b64encode(box).rstrip(b"=").decode("ascii")


REQUEST_MODELS = (
    SendRequest, Tell, AnswerRequest, StoreChunk, ForwardRequest, NoteReceipt, WithdrawRequest, RequestAnswer,
)  # fmt: skip
"""Every body of this part of the API, for its description."""
