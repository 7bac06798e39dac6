"""Asking a witness for its cosignature, from the log's side.

Whatever a witness or the network does is a value, never an exception: a log serves on without it, and says so.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import httpx

from audit.checkpoint import Checkpoint
from audit.errors import NoteError
from audit.merkle import TreeHead
from audit.note import Note, VerifierKey, parse_note, verify_note
from audit.note_text import to_base64

ProofFrom = Callable[[int], Awaitable[Sequence[bytes]]]
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")
_MAX_ANSWER_BYTES = 16_384
_MAX_ATTEMPTS = 3  # the witness may move on between our asking and its answer


class WitnessFailure(StrEnum):
    """Why a witness gave no cosignature."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    AHEAD = "ahead"  # it saw a larger tree than ours: our log was rolled back or forked; raise the alarm
    REFUSED = "refused"
    BAD_ANSWER = "bad-answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A verified cosignature: its line for the note, and the time it states in unix seconds."""

    line: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCosigned:
    """No cosignature; `status` is the HTTP status where there was an answer."""

    failure: WitnessFailure
    status: int | None = None

    @property
    def says_otherwise(self) -> bool:
        """Whether the witness says that it saw another tree than this one grew from, or a larger one."""
        return self.failure is WitnessFailure.AHEAD or self.status == httpx.codes.UNPROCESSABLE_ENTITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A checkpoint that a witness keeps and that the log's own key signed: proof against the log, whoever shows it."""

    note: str
    head: TreeHead


async def ask_witnessed(
    client: httpx.AsyncClient, *, url: str, log: VerifierKey, deadline_s: float
) -> Witnessed | None:
    """Return the newest checkpoint of this log that a witness keeps, None where it shows none that the log signed.

    Args:
        client: its connections; redirects are not followed.
        url: the witness's prefix, before `/<hash of the origin>/checkpoint`.
        log: the log's own key; what it did not sign proves nothing.
        deadline_s: seconds for the whole answer.

    """
    origin = hashlib.sha256(log.name.encode("utf-8")).hexdigest()
    try:
        async with asyncio.timeout(deadline_s):
            status, answer = await _exchange(client, "GET", f"{url.rstrip('/')}/{origin}/checkpoint", "")
        if status != httpx.codes.OK or answer is None:
            return None
        note = parse_note(answer.encode("utf-8"))
        verify_note(note, [log])
        checkpoint = Checkpoint.parse(note.text)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, NoteError):
        return None
    return Witnessed(note=answer, head=checkpoint.head) if checkpoint.origin == log.name else None


async def ask_witness(
    client: httpx.AsyncClient,
    *,
    url: str,
    witness: VerifierKey,
    note: str,
    old_size: int,
    proof_from: ProofFrom,
    deadline_s: float,
) -> Cosigned | NotCosigned:
    """Return this witness's verified cosignature over the checkpoint, or why there is none, within the deadline.

    Args:
        client: its connections; redirects are not followed.
        url: the witness's prefix, before `/add-checkpoint`.
        witness: its key, of type 04.
        note: the checkpoint with the log's signature.
        old_size: the size the witness is believed to have seen; it corrects us with 409.
        proof_from: gives the consistency proof from an older size to this checkpoint.
        deadline_s: seconds for all attempts together.

    """
    try:
        async with asyncio.timeout(deadline_s):
            return await _attempts(client, url, witness, note, old_size, proof_from)
    except TimeoutError:
        return NotCosigned(failure=WitnessFailure.TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL):
        return NotCosigned(failure=WitnessFailure.UNREACHABLE)


async def _attempts(  # noqa: PLR0917 - the parameters of ask_witness, handed on in its order
    client: httpx.AsyncClient, url: str, witness: VerifierKey, note: str, old_size: int, proof_from: ProofFrom
) -> Cosigned | NotCosigned:
    parsed = parse_note(note.encode("utf-8"))
    size = Checkpoint.parse(parsed.text).head.size
    for _ in range(_MAX_ATTEMPTS):
        proof = await proof_from(old_size)
        lines = [f"old {old_size}", *(to_base64(value) for value in proof)]
        body = "\n".join(lines) + "\n\n" + note
        status, answer = await _exchange(client, "POST", url.rstrip("/") + "/add-checkpoint", body)
        if answer is None:
            return NotCosigned(failure=WitnessFailure.BAD_ANSWER, status=status)
        if status == httpx.codes.OK:
            return _cosigned(parsed, witness, answer)
        if status != httpx.codes.CONFLICT:
            return NotCosigned(failure=WitnessFailure.REFUSED, status=status)
        seen = _stated_size(answer)
        if seen is None:
            return NotCosigned(failure=WitnessFailure.BAD_ANSWER, status=status)
        if seen > size:
            return NotCosigned(failure=WitnessFailure.AHEAD, status=status)
        old_size = seen
    return NotCosigned(failure=WitnessFailure.REFUSED, status=httpx.codes.CONFLICT)


async def _exchange(client: httpx.AsyncClient, method: str, url: str, body: str) -> tuple[int, str | None]:
    """Return the status and the answer, None in its place when it is too large or not UTF-8."""
    async with client.stream(method, url, content=body.encode("utf-8"), follow_redirects=False) as response:
        answer = bytearray()
        async for chunk in response.aiter_bytes():
            answer += chunk
            if len(answer) > _MAX_ANSWER_BYTES:
                return response.status_code, None
    try:
        return response.status_code, answer.decode("utf-8")
    except UnicodeDecodeError:
        return response.status_code, None


def _cosigned(note: Note, witness: VerifierKey, answer: str) -> Cosigned | NotCosigned:
    """Keep only the line of the witness we asked, and only when it holds over our own text."""
    refused = NotCosigned(failure=WitnessFailure.BAD_ANSWER, status=httpx.codes.OK)
    try:
        signatures = parse_note(f"{note.text}\n{answer}".encode()).signatures
        mine = tuple(s for s in signatures if (s.name, s.key_id) == (witness.name, witness.key_id))[:1]
        (verified,) = verify_note(Note(text=note.text, signatures=mine), [witness])
    except NoteError:
        return refused
    if verified.time is None:
        return refused
    return Cosigned(line=witness.signature_line(mine[0].blob), time=verified.time)


def _stated_size(answer: str) -> int | None:
    match = _SIZE.fullmatch(answer)
    return int(match[1]) if match else None
