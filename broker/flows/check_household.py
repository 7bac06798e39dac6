"""Look who is involved with a household (D5, D7, D8)."""

from collections.abc import Mapping

from broker.consent_ports import ConsentReader
from broker.domain.changes import Change, MarkStanding
from broker.domain.notices import NoticeKind, Notify
from broker.domain.requests import Approval, Requester
from broker.flows.act import Act
from broker.flows.duties import tasks_for
from broker.flows.household_question import (
    Question,
    Seen,
    asked_holders,
    asked_stamps,
    may_ask,
    prepare,
    question_of,
    recording_of,
    see,
)
from broker.flows.meeting import SEED_BYTES, Ids
from broker.flows.outcome import Answered, Effects, Outcome, match_of, outcome_of, refused, result_document
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import TicketIssuers, check_used_families
from broker.flows.terms import as_counted, earlier, last_day_of, order_keys, terms_of_question
from broker.flows.unwatched import may_go_on, notes_to_fg, stopped
from broker.ports import (
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    Randomness,
    RegisterReader,
    RosterReader,
    SignalStore,
    TokenIndexer,
)
from broker.protocol.messages import CheckHousehold, Match
from broker.task_ports import TaskReader
from policies import Refusal


async def check_household(
    *,
    command: CheckHousehold,
    requester: Requester,
    approval: Approval | None,
    policies: Policies,
    issuers: TicketIssuers,
    tokens: TokenIndexer,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    randomness: Randomness,
    signals: SignalStore,
    consents: ConsentReader,
    tasks: TaskReader,
    answers: AnswerStore,
    log: Log,
    address_mute_above: int,
) -> Answered:
    """The check is decided, recorded, and only then answered: outcome `shown` or `nothing`.

    None, not permitted to see, and shielded give the same result.

    Raises:
        RefusedError: `may_ask` said no. NotDoneError: a decision failed. Both with the receipt of their entry.
        RequestRuleError, ApprovalError, ProtocolError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.checking(command, requester, approval)

    async def decide() -> Outcome:
        # (1) What everything below relies on is read before it; then the request's own rules.
        keys = (*asked_stamps(requester.organisation), *order_keys(command.proof, requester.organisation))
        base = await signals.stamps(keys)
        policy, register, epoch = policies.at(base), await registers.register(), await registers.epoch()
        # (2) One ticket of each custodian covers it; they are spent at the commit.
        prepared = prepare(
            command, act=act, register=register, epoch=epoch, purposes=policy.purposes,
            roster=await rosters.roster(requester.organisation), issuers=issuers, tokens=tokens, now=clock.now(),
        )  # fmt: skip
        indexes, today = prepared.household.indexes(), clock.today()
        policy.check_holds(today)
        prepared = await as_counted(prepared, policy=policy, tasks=tasks, today=today)
        # (3) May it be asked? Standing comes from own signals and own records of consent; nothing else is looked up.
        own = await signals.own_on(organisation=requester.organisation, purpose=command.purpose, indexes=indexes)
        question = await question_of(prepared, own, policy=policy, today=today, consents=consents)
        asked = may_ask(policy, question)
        # (4) No: openly, recorded, with what is possible.
        if isinstance(asked, Refusal):
            relied = (*base, *question.relied)
            return refused(act, asked, register=register.number, relies_on=relied, tickets=prepared.tickets)
        check_used_families(prepared.purpose, act)
        # (5) Nobody has watched the log for too long: nothing is looked up, but in acute danger.
        unwatched = log.disclosures_stopped()
        if unwatched and not may_go_on(question.facts()):
            return stopped(act, bundle=policy.sha256)
        # (6) Every token is looked up; (7) every hit is decided on, shown or not.
        looked_up = await signals.look_up(indexes)
        question = await asked_holders(question, looked_up, consents=consents)
        seen = see(policy, question, looked_up, register=register, address_mute_above=address_mute_above)
        matches = [match_of(row, register=register, roster=await rosters.roster(row.organisation)) for row in seen.rows]
        owed = tasks_for(asked, organisation=requester.organisation, today=today)
        effects = Effects(
            relies_on=(*base, *seen.relies_on),
            changes=_changes(question, seen, policy, ids=Ids(seed=randomness.bytes(SEED_BYTES))),
            tasks=(*owed, *notes_to_fg(question.facts(), unwatched=unwatched)),
            rests_on=(*base, *seen.rests_on) if matches else (),
            valid_until=earlier(seen.valid_until, last_day_of(prepared.proof)),
        )
        recording = recording_of(question, asked, seen, register=register, document=told_of(matches))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (8) Recorded with all it changes in one transaction, and (9) only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _changes(question: Question, seen: Seen, policy: PolicyInForce, *, ids: Ids) -> tuple[Change, ...]:
    """Return what a check brings about: marks, terms of its proof, and who shielded what it hit hears of it (D8).

    That a household with a shielded signal was looked at is told to its holder, so that no child is lost.
    """
    stood_on = [MarkStanding(signal_id=one, on=question.today) for one in sorted(question.standing)]
    hidden = {hit.signal.id: hit.signal for hit in seen.hits if hit.signal.shielded}
    alerts = [
        Notify(
            id=ids.of("shield-alert", one.id),
            organisation=one.organisation,
            team=one.team,
            kind=NoticeKind.SHIELD_ALERT,
            about=one.id,
        )
        for one in hidden.values()
    ]
    return (*stood_on, *alerts, *terms_of_question(question, policy, ids))


def told_of(matches: list[Match]) -> Mapping[str, object]:
    """Return what the asker of a check is told."""
    told = "shown" if matches else "nothing"
    return result_document(outcome=told, text=f"check.{told}", matches=matches)
