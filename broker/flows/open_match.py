"""Show one own match, which from then on is read, where it is one of the own team's."""

from broker.domain.changes import Change, MarkStanding
from broker.domain.matches import ChangeMatch, MatchState
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.changing_match import in_team
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.leading import plans_of
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.own_match import OwnMatch, decisions_of, few, own_match, shown_match
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.match_messages import MatchesResult, ShownMatch
from broker.protocol.messages import TextRef


async def open_match(
    *,
    match_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    matches: MatchReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The match is told; a new one of the own team is read then; its own signals have given standing; outcome `done`.

    Raises:
        NotFoundError: no such match, another organisation's, or one that may not be seen (any more).
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("open_match", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (2) An own match that may be seen now.
        own = await own_match(
            match_id, requester, matches=matches, policy=policy, register=register, clock=clock
        )  # fmt: skip
        plans = await plans_of((own,), requester, matches=matches, policy=policy, register=register, clock=clock)
        leaders = plans.of(own).leaders
        document = _document(await shown_match(own, leaders=leaders, register=register, rosters=rosters))
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number, document=document,
            hits=decisions_of((own,)), handles=few(own.handles()),
        )  # fmt: skip
        # Its own signals have given standing today: else one could be put there, looked through, and taken away (D5).
        changes: list[Change] = [MarkStanding(signal_id=signal.id, on=clock.today()) for signal in own.signals]
        # Whoever of another team looks has not read it for the team that is to call.
        of_team = in_team(own.side.of.team, requester, await rosters.roster(requester.organisation))
        changes += _read(own, clock) if of_team and own.side.state is MatchState.NEW else ()
        effects = Effects(relies_on=(*base, *own.stamps, *plans.stamps), changes=tuple(changes))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _read(own: OwnMatch, clock: Clock) -> tuple[ChangeMatch, ...]:
    change = ChangeMatch(
        match_id=own.match.id,
        organisation=own.side.of.organisation,
        was=own.side.state,
        state=MatchState.READ,
        on=clock.today(),
    )
    return (change,)


def _document(shown: ShownMatch) -> dict[str, object]:
    result = MatchesResult.model_validate(
        {
            "schema": "matches/v1",
            "outcome": "done",
            "text": TextRef(id="match.one", params={}),
            "found": [shown],
            "more_after": None,
        }
    )
    return result.model_dump(mode="json", by_alias=True)
