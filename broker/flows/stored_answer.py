"""Give an answer again that was given before, by its idempotency key."""

from broker.domain.errors import NotFoundError, RoleNotAllowedError
from broker.domain.requests import WORKER, Requester
from broker.domain.review import REVIEWERS, STATEMENTS
from broker.flows.outcome import Answered
from broker.flows.recording import given_again
from broker.ports import AnswerStore, Clock, SignalStore


async def stored_answer(
    *, idempotency_key: str, requester: Requester, signals: SignalStore, answers: AnswerStore, clock: Clock
) -> Answered:
    """The worker's own earlier answer is returned; nothing is decided, done or recorded anew.

    Raises:
        RoleNotAllowedError: neither worker nor reviewer.
        NotFoundError: no such key, or another organisation's or worker's.
        RecordedError: the request was refused; with its document and receipt.
        AnswerWithheldError: what it shows has changed since; with its receipt and signal id.
    """
    # (1) Only what this very worker asked: a colleague may be excluded from what it shows.
    if requester.role not in {WORKER, *REVIEWERS}:
        raise RoleNotAllowedError
    stored = await answers.find(organisation=requester.organisation, idempotency_key=idempotency_key)
    if stored is None or stored.answer.key.worker != requester.worker:
        raise NotFoundError
    # In a reviewer's role he finds what he stated in it: who works there no more reads no answer of then.
    if requester.role != WORKER and stored.answer.key.target not in STATEMENTS:
        raise NotFoundError
    # (2) Only while everything it shows is still as it was.
    return await given_again(stored, signals=signals, clock=clock)
