"""Leave a chunk of an attachment, before the letter that names it: opaque bytes of one size (docs/formats.md)."""

import hashlib
from datetime import timedelta

from broker.domain.letter_chunks import StoreChunk as KeepChunk
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.letters import TOO_LARGE, TRUNCATED, refused_openly, subject_of
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_requests import requests_document
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.request_messages import StoreChunk, chunk_bytes
from broker.protocol.sealed_chunks import SEALED_BYTES
from broker.request_ports import ChunkReader

LOOSE_DAYS = 1
"""Days after the one on which it came that a chunk waits for a letter."""


async def store_chunk(
    *, command: StoreChunk, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    signals: SignalStore, chunks: ChunkReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The chunk waits for a letter of this organisation that names it; outcome `done`.

    Raises:
        RefusedError: it is not whole, too large, or too many wait; with the receipt of its entry.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("store_chunk", "request", command, requester)
    chunk = chunk_bytes(command.chunk) or b""
    subject = subject_of(command.idempotency_key, chunk=command.sha256, size=len(chunk))

    async def decide() -> Outcome:
        # (1) Who.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register = policies.at(base), await registers.register()
        organisation = check_organisation(register, act)
        # (2) Exactly one chunk as it left, and not more of them than a disk should wait with.
        fault = _fault(chunk, command.sha256)
        if fault is None and await chunks.full(organisation=organisation.oin):
            fault = TOO_LARGE
        if fault is not None:
            return refused_openly(act, fault, policy=policy, register=register, relies_on=base, subject=subject)
        # (3) Kept until tomorrow, unless a letter names it: then as long as that letter.
        until = clock.today() + timedelta(days=LOOSE_DAYS)
        change = KeepChunk(organisation=organisation.oin, sha256=command.sha256, keep_until=until, chunk=chunk)
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, subject=subject,
            document=requests_document(text="letter.chunk_stored", requests=[]),
        )  # fmt: skip
        return outcome_of(act, recording, Effects(relies_on=base, changes=(change,)), status=AnswerStatus.DONE)

    # (4) Recorded with the chunk in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _fault(chunk: bytes, sha256: str) -> str | None:
    """Return the problem of what is not exactly one chunk; None for one that is."""
    if len(chunk) > SEALED_BYTES:
        return TOO_LARGE
    whole = len(chunk) == SEALED_BYTES and hashlib.sha256(chunk).hexdigest() == sha256
    return None if whole else TRUNCATED
