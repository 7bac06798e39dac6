"""The end of every flow: the decision is recorded and durable, and only then told; or decided again, or not done."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from broker.domain.errors import (
    AlreadyAnsweredError,
    AnswerWithheldError,
    BrokerError,
    KeyReusedError,
    StaleDecisionError,
)
from broker.flows.act import Act
from broker.flows.errors import DecisionFailedError
from broker.flows.judging import ERROR
from broker.flows.outcome import Answered, Outcome, answered, not_done, recorded_error
from broker.flows.policy import Policies
from broker.ports import AnswerKey, AnswerStatus, AnswerStore, Clock, Log, SignalStore, StoredAnswer, Turn
from broker.protocol.errors import ProtocolError
from broker.protocol.messages import WireReceipt

MAX_DECISIONS = 24
"""How often a decision is made anew when what it relied on changed meanwhile."""

_log = logging.getLogger("sluis.flows")


async def decide_and_record(
    decide: Callable[[], Awaitable[Outcome]], *, act: Act, policies: Policies, signals: SignalStore,
    answers: AnswerStore, clock: Clock, log: Log,
) -> Answered:  # fmt: skip
    """Return what the asker is told, once its entry is durable.

    Args:
        decide: makes the decision from committed state, anew each time it is called.
        act: what is asked.
        policies: the one in force is named in the entry of a failure.

    Raises:
        RecordedError: refused or not done, with its receipt.
        RequestRuleError, ProtocolError: the request's own rules; nothing was recorded.
        NotRecordedError, TicketSpentError, KeyReusedError, AnswerWithheldError: see there.
    """
    # (1) Asked before under this key: the same answer, or none.
    given = await answered_before(act.key, answers=answers, signals=signals, clock=clock)
    if given is not None:
        return given
    # (2) Decisions begin with the tick, and its end is when anything is told.
    async with log.turn() as turn:
        return await _in_turn(
            decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, turn=turn
        )  # fmt: skip


async def _in_turn(
    decide: Callable[[], Awaitable[Outcome]], *, act: Act, policies: Policies, signals: SignalStore,
    answers: AnswerStore, clock: Clock, turn: Turn,
) -> Answered:  # fmt: skip
    for _ in range(MAX_DECISIONS):
        # (3) Decide. The request's own faults are told; any other exception means: not done, and recorded so.
        try:
            outcome = await decide()
        except (BrokerError, ProtocolError):
            # Carried out meanwhile by the same request, it stands in its own way: then its answer is ours.
            given = await answered_before(act.key, answers=answers, signals=signals, clock=clock)
            if given is not None:
                return given
            raise
        except Exception as failure:  # noqa: BLE001 - any failure in a decision discloses nothing (architecture D7)
            _log.error("not done: %s in %s", type(failure).__name__, act.type)
            reason = failure.reason if isinstance(failure, DecisionFailedError) else ERROR
            outcome = not_done(act, bundle=policies.current.sha256, reason=reason)
        # (4) Record, act: one transaction. What became stale meanwhile is decided again, within the tick.
        try:
            committed = await turn.commit(outcome.proposal)
        except StaleDecisionError:
            continue
        except AlreadyAnsweredError:
            break
        # (5) Only now is anything told.
        return answered(outcome, committed)
    # (6) The same request won the race: its answer is ours.
    given = await answered_before(act.key, answers=answers, signals=signals, clock=clock)
    if given is not None:
        return given
    # (7) Everything kept moving: not done.
    outcome = not_done(act, bundle=policies.current.sha256, reason="stale")
    return answered(outcome, await turn.commit(outcome.proposal))


async def answered_before(
    key: AnswerKey | None, *, answers: AnswerStore, signals: SignalStore, clock: Clock
) -> Answered | None:
    """Return the answer that was given to this same request before, None when there is none.

    Raises:
        KeyReusedError: the key was used for another request.
        RecordedError: it was refused; the same refusal with the same entry.
        AnswerWithheldError: what it shows has changed since.
    """
    if key is None:
        return None
    stored = await answers.find(organisation=key.organisation, idempotency_key=key.idempotency_key)
    if stored is None:
        return None
    if stored.answer.key != key:
        raise KeyReusedError
    return await given_again(stored, signals=signals, clock=clock)


async def given_again(stored: StoredAnswer, *, signals: SignalStore, clock: Clock) -> Answered:
    """Return a stored answer, if everything it shows is still as it was.

    Raises:
        RecordedError: it was refused.
        AnswerWithheldError: a signal that it shows was withdrawn, shielded or ended since, or the rules changed.
    """
    answer = stored.answer
    if answer.status is not AnswerStatus.DONE:
        raise recorded_error(answer.status, answer.document, stored.receipt)
    expired = answer.valid_until is not None and clock.today() > answer.valid_until
    current = await signals.stamps([stamp.of for stamp in answer.rests_on])
    if expired or current != answer.rests_on:
        raise AnswerWithheldError(receipt=_without_what_was_shown(stored.receipt), signal_id=answer.signal_id)
    return Answered(result=answer.document, receipt=stored.receipt, replayed=True)


def _without_what_was_shown(receipt: Mapping[str, object]) -> Mapping[str, object]:
    """Return the receipt without the opening of `meta`, which tells what was shown before a withdrawal or shield."""
    wire = WireReceipt.model_validate(dict(receipt))
    kept = {group: opening for group, opening in wire.openings.items() if group != "meta"}
    return wire.model_copy(update={"openings": kept}).model_dump(mode="json", by_alias=True)
