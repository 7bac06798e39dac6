"""Give a received request to another team of the own organisation, and where it is personal to a worker by name."""

from dataclasses import replace

from broker.consent_ports import ConsentReader
from broker.domain.changes import Task
from broker.domain.errors import FieldRuleError
from broker.domain.information_requests import LetterKind, PassOnRequest, RequestState
from broker.domain.notices import NoticeKind
from broker.domain.requests import Approval, Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.holding import as_told
from broker.flows.letters import notice_for
from broker.flows.outcome import Answered, Effects, Outcome
from broker.flows.policy import Policies
from broker.flows.request_of import OnRequest, act_on_request
from broker.flows.request_rules import check_approval, check_team
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, Randomness, RegisterReader, RosterReader, SignalStore
from broker.protocol.request_messages import ForwardRequest
from broker.protocol.roster import Roster
from broker.request_ports import RequestReader
from policies.workdays import working_day_after

NEEDS_APPROVAL = "request-needs-approval"
REVIEW_TASK = "review-named-oneself"
REVIEW_WORKING_DAYS = 5


async def forward_request(
    *, command: ForwardRequest, request_id: str, requester: Requester, approval: Approval | None, policies: Policies,
    clock: Clock, randomness: Randomness, registers: RegisterReader, rosters: RosterReader, signals: SignalStore,
    matches: MatchReader, consents: ConsentReader, exceptions: ExceptionReader, requests: RequestReader,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The request is with this team; a named worker alone answers it, where its answer is personal. Outcome `done`.

    Raises:
        NotFoundError: not received by this organisation, or none at all.
        RefusedError: answered, withdrawn or expired, or with a colleague by name; with the receipt of its entry.
        TeamUnknownError, FieldRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating(
        "forward_request", "request", command, requester, target=request_id, team=command.team, approval=approval
    )

    async def decide(on: OnRequest) -> Outcome:
        request = on.request
        # (1) Within the own organisation: a team with a contact card, a worker of the roster.
        roster = check_team(await rosters.roster(on.organisation.oin), act)
        named = None if command.worker is None else roster.workers.get(command.worker)
        if command.worker is not None and (named is None or "worker" not in named.roles):
            raise FieldRuleError("worker", "is not a worker of this organisation")
        if command.worker is not None and request.kind is LetterKind.TELLING:
            raise FieldRuleError("worker", "is not for what was told: it is a team's")
        # (2) While it is open. Once somebody is named, nobody else takes it from him; from who is gone, with a second
        # person of the organisation, who is not the one that acts.
        approved = check_approval(roster, requester, approval)
        hindered = _hindered(on, roster, approved=approved)
        if hindered is not None:
            return on.refuse(hindered)
        # (3) The request is there from now on, told of as far as it may be now.
        on = await as_told(
            on, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
        )  # fmt: skip
        after = replace(
            request, state=RequestState.FORWARDED, receiver_team=command.team, receiver_worker=command.worker
        )  # fmt: skip
        change = PassOnRequest(request_id=request.id, team=command.team, worker=command.worker)
        told = notice_for(
            on.organisation.oin, command.team, NoticeKind.REQUEST, about=request.id, randomness=randomness
        )  # fmt: skip
        left = () if on.of_another_team(roster) is None else (
            notice_for(
                on.organisation.oin, request.receiver_team, NoticeKind.REQUEST, about=request.id, randomness=randomness
            ),
        )  # fmt: skip
        tasks = _review(on, command, approved=approved)
        return on.done(
            after, Effects(relies_on=on.relies_on, changes=(change, told, *left), tasks=tasks),
            text="letter.forwarded_to" if command.worker is not None and request.personal else "letter.forwarded",
            team=command.team, worker=command.worker,
        )  # fmt: skip

    # (4) Recorded with the change in one transaction, and only then told.
    return await act_on_request(
        decide, act=act, request_id=request_id, receiver_only=True, policies=policies, clock=clock,
        registers=registers, signals=signals, matches=matches, requests=requests, answers=answers, log=log,
    )  # fmt: skip


def _hindered(on: OnRequest, roster: Roster, *, approved: bool) -> str | None:
    """Return the problem of who would pass it on now, or None."""
    request, worker = on.request, on.act.requester.worker
    closed = request.closed_by(on.today)
    if closed is not None:
        return closed
    if _is_there(request.receiver_worker, roster) and request.not_for(worker) is not None:
        return request.not_for(worker)
    gone = request.receiver_worker is not None and not _is_there(request.receiver_worker, roster)
    if gone and request.personal and not approved:
        return NEEDS_APPROVAL
    # The team that was asked gives it away; another one takes it with a second person of the organisation alone.
    return None if approved else on.of_another_team(roster)


def _review(on: OnRequest, command: ForwardRequest, *, approved: bool) -> tuple[Task, ...]:
    """Return the task of looking at who named himself for what only a named professional reads; none once two did."""
    if approved or not on.request.personal or command.worker != on.act.requester.worker:
        return ()
    due_on = working_day_after(on.today, REVIEW_WORKING_DAYS)
    return (Task(kind=REVIEW_TASK, organisation=on.organisation.oin, due_on=due_on),)


def _is_there(worker: str | None, roster: Roster) -> bool:
    """Return whether somebody is named, and still is a worker here: who left decides nothing any more."""
    known = None if worker is None else roster.workers.get(worker)
    return known is not None and "worker" in known.roles
