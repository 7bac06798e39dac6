"""Give an answer again that was given before, by its idempotency key."""

from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.flows.outcome import Answered
from broker.flows.recording import given_again
from broker.ports import AnswerStore, Clock, SignalStore


async def stored_answer(
    *, idempotency_key: str, requester: Requester, signals: SignalStore, answers: AnswerStore, clock: Clock
) -> Answered:
    """The organisation's own earlier answer is returned; nothing is decided, done or recorded anew.

    Raises:
        NotFoundError: no such key, or another organisation's.
        RecordedError: the request was refused; with its document and receipt.
        AnswerWithheldError: what it shows has changed since; with its receipt and signal id.
    """
    # (1) Only what the own organisation asked.
    stored = await answers.find(organisation=requester.organisation, idempotency_key=idempotency_key)
    if stored is None:
        raise NotFoundError
    # (2) Only while everything it shows is still as it was.
    return await given_again(stored, signals=signals, clock=clock)
