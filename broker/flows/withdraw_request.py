"""Take a request back: nobody answers it any more, and an answer that was not handed out yet never is."""

from dataclasses import replace

from broker.domain.information_requests import RequestState, TakeBack
from broker.domain.notices import NoticeKind
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.letters import TAKEN_BACK, notice_for
from broker.flows.outcome import Answered, Effects, Outcome
from broker.flows.policy import Policies
from broker.flows.request_of import OnRequest, act_on_request
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, Randomness, RegisterReader, RosterReader, SignalStore
from broker.protocol.request_messages import WithdrawRequest
from broker.request_ports import RequestReader


async def withdraw_request(
    *, command: WithdrawRequest, request_id: str, requester: Requester, policies: Policies, clock: Clock,
    randomness: Randomness, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    matches: MatchReader, requests: RequestReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The request is withdrawn; outcome `done`. What was handed out cannot be called back.

    Who takes back what a colleague sent has the team told, which else waits for an answer that never comes.

    Raises:
        NotFoundError: not sent by this organisation, or none at all.
        RefusedError: it is another team's, or was withdrawn before; with the receipt of its entry.
        NotDoneError and others of `broker.domain.errors`: see there.
    """
    act = Act.stating("withdraw_request", "request", command, requester, target=request_id)

    async def decide(on: OnRequest) -> Outcome:
        # (1) By who sent it, or his team; and once.
        hindered = on.of_another_team(await rosters.roster(requester.organisation))
        if hindered is not None:
            return on.refuse(hindered)
        if on.request.state is RequestState.WITHDRAWN:
            return on.refuse(TAKEN_BACK)
        # (2) From now on nothing of it is handed out, and the team of whom it was hears so.
        after = replace(on.request, state=RequestState.WITHDRAWN)
        request = on.request
        told = () if request.sender_worker == requester.worker else (
            notice_for(
                request.sender, request.sender_team, NoticeKind.TAKEN_BACK, about=request.id, randomness=randomness
            ),
        )  # fmt: skip
        effects = Effects(relies_on=on.relies_on, changes=(TakeBack(request_id=request.id), *told))
        return on.done(after, effects, text="letter.taken_back", reason=command.reason)

    # (3) Recorded with the change in one transaction, and only then told.
    return await act_on_request(
        decide, act=act, request_id=request_id, receiver_only=False, policies=policies, clock=clock,
        registers=registers, signals=signals, matches=matches, requests=requests, answers=answers, log=log,
    )  # fmt: skip
