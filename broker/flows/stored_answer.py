"""Give an answer again that was given before, by its idempotency key."""

from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.flows.outcome import Answered
from broker.flows.recording import given_again
from broker.flows.request_rules import check_worker
from broker.ports import AnswerStore, Clock, SignalStore


async def stored_answer(
    *, idempotency_key: str, requester: Requester, signals: SignalStore, answers: AnswerStore, clock: Clock
) -> Answered:
    """The worker's own earlier answer is returned; nothing is decided, done or recorded anew.

    Raises:
        RoleNotAllowedError: not a worker.
        NotFoundError: no such key, or another organisation's or worker's.
        RecordedError: the request was refused; with its document and receipt.
        AnswerWithheldError: what it shows has changed since; with its receipt and signal id.
    """
    # (1) Only what this very worker asked: a colleague may be excluded from what it shows.
    check_worker(requester)
    stored = await answers.find(organisation=requester.organisation, idempotency_key=idempotency_key)
    if stored is None or stored.answer.key.worker != requester.worker:
        raise NotFoundError
    # (2) Only while everything it shows is still as it was.
    return await given_again(stored, signals=signals, clock=clock)
