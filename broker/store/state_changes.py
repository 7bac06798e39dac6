"""What a proposal changes, inside the writer's open transaction: stamps, tickets, signals, tasks, the kept answer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from audit.database import Connection
from broker.domain.calls import AnswerRing, ForwardRing, StoreCall
from broker.domain.changes import (
    ActivateBundle,
    AddAnswers,
    Change,
    EndSignal,
    ErasePayloads,
    FinishException,
    FinishOwed,
    ForgetTickets,
    HandOver,
    MarkStanding,
    RenewSignal,
    StoreConsent,
    StoreErasure,
    StoreException,
    StoreSignal,
)
from broker.domain.errors import StaleDecisionError, TicketSpentError
from broker.domain.information_requests import (
    MoveDelivery,
    PassOnRequest,
    RequestChange,
    StoreReply,
    StoreRequest,
    TakeBack,
)
from broker.domain.keeping import ForgetRows, TellOver, TellRelying
from broker.domain.letter_chunks import ForgetChunks, StoreChunk
from broker.domain.matches import MeetLater, NameCasusregisseur, NoteMet
from broker.domain.notices import Notify, ReadNotices
from broker.domain.phone_calls import AnswerOrally, CountTry, StorePhoneCall, TellPhoneCalls, VerifyPhoneCall
from broker.domain.signals import SignalState
from broker.domain.team_tasks import FinishTask
from broker.domain.webhooks import SetWebhook
from broker.exception_ports import worker_key
from broker.ports import ANY_SHIELD, BUNDLE, Proposal, StampKey, StampKind
from broker.request_ports import request_key
from broker.store.calls import answer_ring, forward_ring, store_call
from broker.store.consents import add_answers, store_consent
from broker.store.erasing import erase_payloads, insert_erasure
from broker.store.exceptions import finish_exception, store_exception
from broker.store.information_requests import insert_reply, insert_request, move_delivery, pass_on, take_back
from broker.store.keeping import forget_rows, forget_tickets
from broker.store.kept_answers import check_key
from broker.store.letter_chunks import forget_chunks, store_chunk
from broker.store.matches import MATCH_CHANGES, delete_unmet, forget_matches, insert_unmet, name_casusregisseur
from broker.store.notices import insert_notice, mark_read
from broker.store.owed import finish_owed, insert_tasks
from broker.store.phone_calls import answer_orally, count_try, store_phone_call, tell_phone_calls, verify_phone_call
from broker.store.signal_rows import SIGNAL_COLUMNS, iso, signal_row
from broker.store.signals import read_stamps
from broker.store.team_tasks import TASK_CHANGES, finish_task
from broker.store.telling import tell_concerned, tell_rejected
from broker.store.webhooks import set_webhook

_INSERT_SIGNAL = f"INSERT INTO signals ({', '.join(SIGNAL_COLUMNS)}) VALUES ({', '.join('?' * len(SIGNAL_COLUMNS))})"  # noqa: S608 - column names of ours, no value

_NEWER_ACT = """SELECT 1 FROM signals s JOIN act_handles h ON h.handle = s.handle
    JOIN acts a ON a.idx = h.idx AND a.organisation = s.organisation WHERE s.id = ? AND a.idx > ?"""


def apply_proposal(connection: Connection, proposal: Proposal, *, now: int, index: int) -> None:
    """The open transaction holds everything the proposal changes; the caller undoes it when an error is raised.

    Args:
        now: unix seconds.
        index: that the proposal's entry gets.

    Raises:
        AlreadyAnsweredError, StaleDecisionError, TicketSpentError: see `Log.commit`.
        DATABASE_ERRORS: the database refused.
    """
    # (1) One idempotency key, one effect.
    if proposal.answer is not None:
        check_key(connection, proposal.answer.key)
    # (2) Everything the decision relied on is as it was.
    if read_stamps(connection, [stamp.of for stamp in proposal.relies_on]) != proposal.relies_on:
        raise StaleDecisionError
    # (3) Every ticket is spent once, whatever the outcome.
    for ticket in proposal.tickets:
        query = "INSERT INTO spent_tickets (custodian, ticket_id, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        if connection.execute(query, (ticket.custodian, ticket.id, ticket.expires_at)).rowcount != 1:
            raise TicketSpentError
    # (4) The changes, and (5) the tasks that follow from them.
    for change in proposal.changes:
        apply_change(connection, change, now=now, index=index)
    insert_tasks(connection, proposal.tasks, now=now, index=index)
    # (6) Who relied on what a reviewer found not in order is told, and what is being decided on it is stale.
    if proposal.note is not None:
        for key in tell_rejected(connection, proposal.note, now=now, index=index):
            bump(connection, key)


def apply_change(connection: Connection, change: Change, *, now: int, index: int) -> None:
    """The open transaction holds this change, with the stamps it moves. Raises StaleDecisionError."""
    if type(change) in _AT_INDEX:
        _AT_INDEX[type(change)](connection, change, index=index)
    elif type(change) in _AT_TIME:
        _AT_TIME[type(change)](connection, change, now=now)
    elif isinstance(change, TellOver | TellRelying):
        tell_concerned(connection, change, now=now, index=index)
    else:
        _APPLIED[type(change)](connection, change)


def bump(connection: Connection, key: StampKey) -> None:
    """What relied on the present version of this key is stale."""
    connection.execute(
        "INSERT INTO version_stamps (kind, key, version) VALUES (?, ?, 1) "
        "ON CONFLICT (kind, key) DO UPDATE SET version = version_stamps.version + 1",
        (key.kind.value, key.key),
    )


def move_shield(connection: Connection, signal_id: str) -> None:
    """What relied on who may see this signal, or may be told of acts on its household, is stale."""
    bump(connection, StampKey(kind=StampKind.SHIELD, key=signal_id.encode("ascii")))
    bump(connection, ANY_SHIELD)


def _store(connection: Connection, change: StoreSignal) -> None:
    signal = change.signal
    connection.execute(_INSERT_SIGNAL, signal_row(signal))
    for token in change.tokens:
        index = token.index.reveal()
        connection.execute(
            "INSERT INTO signal_tokens (idx, signal_id, role, family, epoch, source) VALUES (?, ?, ?, ?, ?, ?)",
            (index, signal.id, token.role.value, token.family, signal.epoch, token.source),
        )
        connection.execute(
            "INSERT INTO sealed_tokens (idx, signal_id, sealed) VALUES (?, ?, ?)",
            (index, signal.id, token.sealed.reveal()),
        )
        bump(connection, StampKey(kind=StampKind.TOKEN, key=index))
    if signal.shielded or signal.exclusions:
        bump(connection, ANY_SHIELD)
    for exclusion in signal.exclusions:
        connection.execute(
            "INSERT INTO signal_exclusions (signal_id, organisation, worker) VALUES (?, ?, ?)",
            (signal.id, exclusion.organisation, exclusion.worker or ""),
        )


def _renew(connection: Connection, change: RenewSignal) -> None:
    query = "SELECT ends_on, consent_until FROM signals WHERE id = ? AND state = 'active'"
    row = connection.execute(query, (change.signal_id,)).fetchone()
    if row is None:
        raise StaleDecisionError
    days = (iso(change.ends_on) or row[0], iso(change.consent_until) or row[1])
    query = "UPDATE signals SET ends_on = ?, consent_until = ? WHERE id = ?"
    connection.execute(query, (*days, change.signal_id))
    if min(filter(None, days)) < min(filter(None, row)):
        for kind in (StampKind.SHIELD, StampKind.LAST_DAY):
            bump(connection, StampKey(kind=kind, key=change.signal_id.encode("ascii")))


def _end(connection: Connection, change: EndSignal) -> None:
    # Only what is active is frozen; what is frozen can still end.
    query = (
        "UPDATE signals SET state = ?, withdrawal_reason = ? "
        "WHERE id = ? AND state IN ('active', ?) AND coalesce(last_standing_on, '') = ?"
    )
    other = (SignalState.ACTIVE if change.state is SignalState.FROZEN else SignalState.FROZEN).value
    values: list[object] = [
        change.state.value,
        change.reason,
        change.signal_id,
        other,
        iso(change.last_standing_on) or "",
    ]
    if change.ends_on is not None:
        query += " AND ends_on = ? AND coalesce(consent_until, '') = ?"
        values += [change.ends_on.isoformat(), iso(change.consent_until) or ""]
    if change.newest_act is not None:
        query += f" AND NOT EXISTS ({_NEWER_ACT})"
        values += [change.signal_id, change.newest_act]
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError
    if change.state is not SignalState.FROZEN:
        forget_matches(connection, change.signal_id)
    bump(connection, StampKey(kind=StampKind.SHIELD, key=change.signal_id.encode("ascii")))
    query = "SELECT DISTINCT idx FROM signal_tokens WHERE signal_id = ?"
    for (index,) in connection.execute(query, (change.signal_id,)).fetchall():
        bump(connection, StampKey(kind=StampKind.TOKEN, key=index))


def _activate(connection: Connection, change: ActivateBundle) -> None:
    query = "INSERT INTO bundles (sha256, activated_at, mark, statement, registered_on) VALUES (?, ?, ?, ?, ?)"
    connection.execute(query, (change.sha256, change.at, change.mark, change.statement, iso(change.registered_on)))
    bump(connection, StampKey(kind=StampKind.POLICY, key=BUNDLE))


def _hand_over(connection: Connection, change: HandOver) -> None:
    for signal_id in change.ids:
        query = "UPDATE signals SET owner = ? WHERE id = ? AND organisation = ?"
        connection.execute(query, (change.to, signal_id, change.organisation))


def _store_erasure(connection: Connection, change: StoreErasure) -> None:
    insert_erasure(connection, change.erasure)


def _mark(connection: Connection, change: MarkStanding) -> None:
    connection.execute(
        "UPDATE signals SET last_standing_on = ? WHERE id = ?", (change.on.isoformat(), change.signal_id)
    )


def _moving(apply: Callable[..., Iterable[StampKey]]) -> Callable[..., None]:
    """Return how a change is written that says itself which stamps it moves."""

    def write(connection: Connection, change: Change, **at: int) -> None:
        for key in apply(connection, change, **at):
            bump(connection, key)

    return write


def _of_request(
    apply: Callable[..., None],
) -> Callable[..., None]:
    """Return how a change of a request is written: what relied on it, or on an exception it cites, is stale."""

    def write(connection: Connection, change: RequestChange, **at: int) -> None:
        apply(connection, change, **at)
        request_id = change.request.id if isinstance(change, StoreRequest) else change.request_id
        bump(connection, request_key(request_id))
        if isinstance(change, StoreRequest) and change.request.exception_id is not None:
            bump(connection, worker_key(change.request.sender, change.request.sender_worker))

    return write


_APPLIED: Mapping[type, Callable[[Connection, Any], None]] = {
    StoreSignal: _store,
    RenewSignal: _renew,
    EndSignal: _end,
    MarkStanding: _mark,
    HandOver: _hand_over,
    ForgetTickets: forget_tickets,
    ActivateBundle: _activate,
    StoreErasure: _store_erasure,
    **MATCH_CHANGES,
    **TASK_CHANGES,
    MeetLater: insert_unmet,
    NoteMet: delete_unmet,
    StoreRequest: _of_request(insert_request),
    PassOnRequest: _of_request(pass_on),
    StoreReply: _of_request(insert_reply),
    StoreChunk: store_chunk,
    ForgetChunks: forget_chunks,
    AddAnswers: _moving(add_answers),
    FinishException: _moving(finish_exception),
    FinishTask: _moving(finish_task),
    AnswerRing: answer_ring,
    ForwardRing: forward_ring,
    StorePhoneCall: store_phone_call,
    TellPhoneCalls: tell_phone_calls,
    VerifyPhoneCall: verify_phone_call,
    CountTry: count_try,
    AnswerOrally: answer_orally,
    SetWebhook: set_webhook,
    ForgetRows: _moving(forget_rows),
}
_AT_TIME: Mapping[type, Callable[..., None]] = {
    Notify: insert_notice,
    ReadNotices: mark_read,
    FinishOwed: finish_owed,
    MoveDelivery: _of_request(move_delivery),
    TakeBack: _of_request(take_back),
}
_AT_INDEX: Mapping[type, Callable[..., None]] = {
    ErasePayloads: _moving(erase_payloads),
    StoreException: _moving(store_exception),
    StoreConsent: _moving(store_consent),
    StoreCall: _moving(store_call),
    NameCasusregisseur: name_casusregisseur,
}
"""How each change is written: a kind of change without a line here cannot be proposed."""
