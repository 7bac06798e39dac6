"""Tell an organisation what waits for it: one entry each time, whether or not something does (D8)."""

from broker.call_ports import CallReader, OwnPhoneCalls
from broker.consent_ports import ConsentReader
from broker.domain.notices import FOR_COORDINATORS, NoticeKind, ReadNotices, WaitingNotice
from broker.domain.requests import COORDINATOR, Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.unwatched import stopped
from broker.flows.waiting_notices import Fetching
from broker.match_ports import InboxReader, MatchReader
from broker.ports import REGISTER, AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.inbox_messages import NOTICES_PER_PAGE, FetchInbox, InboxResult, Notice
from broker.protocol.messages import TextRef
from broker.request_ports import RequestReader


async def fetch_inbox(
    *,
    command: FetchInbox,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    inbox: InboxReader,
    matches: MatchReader,
    calls: CallReader,
    phone: OwnPhoneCalls,
    requests: RequestReader,
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most a page of the notices that wait is told, and what the organisation has waits no more; outcome `done`.

    A matchcoordinator is told his own notices and no others; a worker those of every team of his organisation.

    Raises:
        RoleNotAllowedError: neither of these roles. NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("fetch_inbox", "inbox", command, requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        kinds = _told_to(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, newest = policies.at(base), await signals.stamps([REGISTER])
        register = await registers.register()
        check_organisation(register, act)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (2) The oldest that wait, one more than is told; of what may be seen no more nothing is told.
        fetching = Fetching(
            requester, policy=policy, register=register, clock=clock, signals=signals, inbox=inbox, matches=matches,
            calls=calls, phone=phone, requests=requests, consents=consents,
        )  # fmt: skip
        found = await fetching.waiting(kinds=kinds, had=tuple(command.had), at_most=NOTICES_PER_PAGE + 1)
        waiting = found.notices
        document = _document(waiting[:NOTICES_PER_PAGE], more=len(waiting) > NOTICES_PER_PAGE)
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        told = tuple(one.id for one in waiting[:NOTICES_PER_PAGE])
        had = ReadNotices(
            organisation=requester.organisation, ids=tuple(command.had), told=told, aside=found.aside
        )  # fmt: skip
        effects = Effects(
            relies_on=(*base, *newest, *found.looked_at), changes=(had,), rests_on=(*base, *found.rests_on),
            valid_until=found.until,
        )  # fmt: skip
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (3) Recorded in an entry that is the same whatever waits, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _told_to(requester: Requester) -> frozenset[NoticeKind]:
    if requester.role == COORDINATOR:
        return FOR_COORDINATORS
    check_worker(requester)
    return frozenset(NoticeKind) - FOR_COORDINATORS


def _document(waiting: tuple[WaitingNotice, ...], *, more: bool) -> dict[str, object]:
    told = [Notice(id=one.id, kind=one.kind.value, team=one.team, about=one.about, at=one.at) for one in waiting]
    result = InboxResult.model_validate(
        {
            "schema": "inbox/v1",
            "outcome": "done",
            "text": TextRef(id="inbox.some" if told else "inbox.none", params={}),
            "notices": told,
            "more": more,
        }
    )
    return result.model_dump(mode="json", by_alias=True)
