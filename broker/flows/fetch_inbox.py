"""Tell an organisation what waits for it: one entry each time, whether or not something does (D8)."""

from dataclasses import dataclass

from broker.domain.matches import KeptMatch
from broker.domain.notices import ABOUT_A_MATCH, FOR_COORDINATORS, NoticeKind, ReadNotices, WaitingNotice
from broker.domain.requests import COORDINATOR, Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.own_match import seen_now
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.seeing_match import told_to_both
from broker.match_ports import InboxReader, MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore, Stamp
from broker.protocol.inbox_messages import NOTICES_PER_PAGE, FetchInbox, InboxResult, Notice
from broker.protocol.messages import TextRef
from broker.protocol.register import Register


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
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) The oldest that wait, one more than is told; of a match that may be seen no more nothing is told.
        found = await _waiting(
            command, requester, kinds=kinds, inbox=inbox, matches=matches, policy=policy, register=register, clock=clock
        )
        waiting = found.notices
        document = _document(waiting[:NOTICES_PER_PAGE], more=len(waiting) > NOTICES_PER_PAGE)
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        had = ReadNotices(organisation=requester.organisation, ids=tuple(command.had))
        effects = Effects(relies_on=(*base, *found.looked_at), changes=(had,), rests_on=(*base, *found.rests_on))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (3) Recorded in an entry that is the same whatever waits, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """The notices to tell; what was looked at to decide that, and what those rest on that are told."""

    notices: tuple[WaitingNotice, ...]
    looked_at: tuple[Stamp, ...]
    rests_on: tuple[Stamp, ...]


async def _waiting(
    command: FetchInbox, requester: Requester, *, kinds: frozenset[NoticeKind], inbox: InboxReader,
    matches: MatchReader, policy: PolicyInForce, register: Register, clock: Clock,
) -> _Waiting:  # fmt: skip
    judged: dict[str, tuple[bool, tuple[Stamp, ...]]] = {}
    hidden: list[str] = []
    while True:
        notices = await inbox.waiting(
            organisation=requester.organisation, kinds=kinds, without=(*command.had, *hidden),
            at_most=NOTICES_PER_PAGE + 1,
        )  # fmt: skip
        about = {one.about for one in notices if one.kind in ABOUT_A_MATCH} - set(judged)
        for match_id in sorted(about):
            found = await matches.one(match_id)
            seen = any(_seen(one, requester, policy=policy, register=register, clock=clock) for one in found.matches)
            judged[match_id] = (seen, found.stamps)
        unseen = [one.id for one in notices if one.kind in ABOUT_A_MATCH and not judged[one.about][0]]
        if not unseen:
            break
        hidden += unseen
    told = {stamp for one in notices if one.kind in ABOUT_A_MATCH for stamp in judged[one.about][1]}
    looked_at = {stamp for _, stamps in judged.values() for stamp in stamps}
    return _Waiting(notices=notices, looked_at=_sorted(looked_at), rests_on=_sorted(told))


def _seen(
    match: KeptMatch, requester: Requester, *, policy: PolicyInForce, register: Register, clock: Clock
) -> bool:  # fmt: skip
    if requester.role == COORDINATOR:
        return told_to_both(match, policy=policy, register=register, day=clock.today())
    return seen_now(match, requester, policy=policy, register=register, clock=clock) is not None


def _sorted(stamps: set[Stamp]) -> tuple[Stamp, ...]:
    return tuple(sorted(stamps, key=lambda stamp: (stamp.of.kind.value, stamp.of.key)))


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
