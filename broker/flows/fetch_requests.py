"""Fetch what waits in a request for one side: each box that leaves is decided on anew and recorded (red line 6)."""

import hashlib

from broker.consent_ports import ConsentReader
from broker.domain.information_requests import (
    FURTHER,
    Delivery,
    LetterKind,
    MoveDelivery,
    RequestState,
)
from broker.domain.requests import Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.holding import as_told, still_holds
from broker.flows.letters import TAKEN_BACK, WITHHELD
from broker.flows.note_receipt import delivered, fetched_by
from broker.flows.outcome import Answered, Effects, Outcome
from broker.flows.policy import Policies
from broker.flows.request_of import OnRequest, act_on_request
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.request_ports import RequestReader


async def fetch_request(
    *, requester: Requester, request_id: str, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, matches: MatchReader, consents: ConsentReader,
    exceptions: ExceptionReader, requests: RequestReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """What waits for this side is handed out, and its delivery is unknown until it is confirmed; outcome `done`.

    The receiver gets the letter, the asker the answer. It is handed out only while everything it rests on is as it was
    and it is still permitted; a withdrawal that is committed before withholds it, as long as nobody says yes anew.

    Raises:
        NotFoundError: this organisation is no side of it, or there is none at all.
        RefusedError: withheld, of another team, or for a colleague by name; with the receipt of its entry.
        NotDoneError and others of `broker.domain.errors`: see there.
    """
    act = Act.reading("fetch_request", requester)

    async def decide(on: OnRequest) -> Outcome:
        request, reply = on.request, on.request.reply
        # (1) Nobody has watched the log for too long: nothing of the other side is told on its word.
        if log.disclosures_stopped():
            return stopped(act, bundle=on.policy.sha256)
        # (2) Is there a box for this side at all?
        box = request.box if on.received else None if reply is None else reply.box
        if not box:  # one that was opened, or is past its day, is erased and not none
            text = "letter.one" if box is None else "letter.erased"
            on = await as_told(
                on, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
            )  # fmt: skip
            return on.done(request, Effects(relies_on=on.relies_on), text=text)
        # (3) A personal question is read by the worker it is for, anything else by who sent it, and by the team.
        hindered = (on.received and request.not_for(requester.worker)) or on.of_another_team(
            await rosters.roster(requester.organisation)
        )
        if hindered:
            return on.refuse(hindered)
        # (4) Everything it rests on is as it was, and it is not past its day; this is relied on at the commit.
        # It is still permitted, by the policy in force and what it cites.
        on, holds = await still_holds(
            on, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
        )  # fmt: skip
        if not holds:
            question = on.received and request.kind is LetterKind.REQUEST
            return on.refuse(TAKEN_BACK if question and request.state is RequestState.WITHDRAWN else WITHHELD)
        # (5) Handed out, to this worker: whether it arrives, only he can tell.
        present = request.delivery if on.received or reply is None else reply.delivery
        moved = present if FURTHER[present] else Delivery.UNKNOWN
        change = MoveDelivery(
            request_id=request.id, of_reply=not on.received, delivery=moved,
            fetched_by=tuple(sorted({*fetched_by(on.request, received=on.received), requester.worker})),
        )  # fmt: skip
        of = request.kind.value if on.received else "answer"
        return on.done(
            delivered(request, change), Effects(relies_on=on.relies_on, changes=(change,)),
            text="letter.handed_out", of=of, box=box, fetched=of, boxSha256=hashlib.sha256(box).hexdigest(),
        )  # fmt: skip

    # (6) Recorded with the change in one transaction, and only then does the box leave.
    return await act_on_request(
        decide, act=act, request_id=request_id, receiver_only=None, policies=policies, clock=clock,
        registers=registers, signals=signals, matches=matches, requests=requests, answers=answers, log=log,
    )  # fmt: skip
