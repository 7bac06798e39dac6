"""List the own organisation's matches, a page at a time; each is judged anew for who looks, and reading is recorded."""

from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.leading import plans_of
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.own_match import OwnMatch, decisions_of, few, seen_now, shown_match
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore, Stamp
from broker.protocol.match_messages import MATCHES_PER_PAGE, MatchesResult
from broker.protocol.messages import TextRef
from broker.protocol.register import Register

BATCH = 2 * MATCHES_PER_PAGE
"""Matches read at once, of which some may be seen no more."""


async def list_matches(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    matches: MatchReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most a page of the own matches that may be seen now is told, and that is recorded; outcome `done`.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_matches", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (2) What was told when it was made, and may be seen now; what may not is as if it were not there.
        seen, stamps = await _page(
            requester, after or "", policy=policy, register=register, clock=clock, matches=matches
        )  # fmt: skip
        page = seen[:MATCHES_PER_PAGE]
        plans = await plans_of(page, requester, matches=matches, policy=policy, register=register, clock=clock)
        result = MatchesResult.model_validate(
            {
                "schema": "matches/v1",
                "outcome": "done",
                "text": TextRef(id="match.list" if page else "match.none", params={}),
                "found": [
                    await shown_match(one, leaders=plans.of(one).leaders, register=register, rosters=rosters)
                    for one in page
                ],
                "more_after": page[-1].match.id if len(seen) > len(page) else None,
            }
        )
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number,
            document=result.model_dump(mode="json", by_alias=True), hits=decisions_of(page),
            handles=few(frozenset(signal.handle for one in page for signal in one.signals)),
        )  # fmt: skip
        return outcome_of(act, recording, Effects(relies_on=(*base, *stamps, *plans.stamps)), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def _page(
    requester: Requester, after: str, *, policy: PolicyInForce, register: Register, clock: Clock, matches: MatchReader
) -> tuple[tuple[OwnMatch, ...], tuple[Stamp, ...]]:
    """Return the next matches that are seen, one more than a page where there are, and the stamps of all looked at."""
    seen: list[OwnMatch] = []
    stamps: dict[Stamp, None] = {}
    while len(seen) <= MATCHES_PER_PAGE:
        found = await matches.of_side(
            organisation=requester.organisation, after=after, at_most=BATCH
        )  # fmt: skip
        stamps |= dict.fromkeys(found.stamps)
        judged = (seen_now(one, requester, policy=policy, register=register, clock=clock) for one in found.matches)
        seen += [one for one in judged if one is not None]
        if len(found.matches) < BATCH:
            break
        after = found.matches[-1].id
    return tuple(seen[: MATCHES_PER_PAGE + 1]), tuple(stamps)
