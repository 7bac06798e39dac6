"""Note that what was handed out has arrived, or was opened: until then its delivery is unknown (T16)."""

from dataclasses import replace

from broker.domain.information_requests import FURTHER, Delivery, InformationRequest, MoveDelivery
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.outcome import Answered, Effects, Outcome
from broker.flows.policy import Policies
from broker.flows.request_of import OnRequest, act_on_request
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.errors import MalformedError
from broker.protocol.request_messages import NoteReceipt
from broker.request_ports import RequestReader

OF_ANOTHER = "receipt-of-another"


async def note_receipt(
    *, command: NoteReceipt, request_id: str, requester: Requester, policies: Policies, clock: Clock,
    registers: RegisterReader, rosters: RosterReader, signals: SignalStore, matches: MatchReader,
    requests: RequestReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """It is noted how far the box is that this organisation was handed out; outcome `done`. It never goes back.

    Raises:
        NotFoundError: this organisation is no side of it, or there is none at all.
        MalformedError: nothing was handed out to it.
        RefusedError: this worker may not read it, or did not fetch it, so it is not his to let go; with the receipt of
            its entry.
        NotDoneError and others of `broker.domain.errors`: see there.
    """
    act = Act.stating("note_receipt", "request", command, requester, target=request_id)
    stated = Delivery(command.state)

    async def decide(on: OnRequest) -> Outcome:
        # (1) Only of what was handed out to this side.
        present = _delivery(on.request, received=on.received)
        if present is None or present is Delivery.WAITING:
            raise MalformedError("state", "is about something that was not handed out")
        # (2) By who may read it, and fetched it himself: what was opened is soon erased, and of a colleague nobody else
        # knows whether he kept it. Whoever has it not yet can fetch it; of what was handed out before that was noted
        # nobody knows to whom.
        hindered = (on.received and on.request.not_for(requester.worker)) or on.of_another_team(
            await rosters.roster(requester.organisation)
        )
        fetched = fetched_by(on.request, received=on.received)
        if not hindered and fetched and requester.worker not in fetched:
            hindered = OF_ANOTHER
        if hindered:
            return on.refuse(hindered)
        # (3) A delivery only goes on.
        moved = stated if FURTHER[stated] > FURTHER[present] else present
        change = MoveDelivery(
            request_id=on.request.id, of_reply=not on.received, delivery=moved, fetched_by=fetched
        )  # fmt: skip
        effects = Effects(relies_on=on.relies_on, changes=(change,))
        return on.done(delivered(on.request, change), effects, text=f"letter.{command.state}", state=command.state)

    # (4) Recorded with the change in one transaction, and only then told.
    return await act_on_request(
        decide, act=act, request_id=request_id, receiver_only=None, policies=policies, clock=clock,
        registers=registers, signals=signals, matches=matches, requests=requests, answers=answers, log=log,
    )  # fmt: skip


def delivered(request: InformationRequest, change: MoveDelivery) -> InformationRequest:
    """Return the request as it is after this change."""
    moved, fetched = change.delivery, change.fetched_by
    if not change.of_reply or request.reply is None:
        return replace(request, delivery=moved, fetched_by=fetched)
    return replace(request, reply=replace(request.reply, delivery=moved, fetched_by=fetched))


def fetched_by(request: InformationRequest, *, received: bool) -> tuple[str, ...]:
    """Return the workers of this side whom its box was handed out to; nobody where that was before it was noted."""
    if received:
        return request.fetched_by
    return () if request.reply is None else request.reply.fetched_by


def _delivery(request: InformationRequest, *, received: bool) -> Delivery | None:
    if received:
        return request.delivery
    return None if request.reply is None or request.reply.box is None else request.reply.delivery
