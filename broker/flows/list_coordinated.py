"""Show the matchcoordinator who is to contact whom: teams, how far they are and by when; nothing of the household."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from broker.domain.errors import RoleNotAllowedError
from broker.domain.matches import KeptMatch, MatchSide
from broker.domain.requests import COORDINATOR, Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.leading import leaders
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation
from broker.flows.seeing_match import told_to_both
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore, Stamp
from broker.protocol.match_messages import MATCHES_PER_PAGE, CoordinatedMatch, CoordinatedResult, CoordinatedSide
from broker.protocol.messages import TextRef
from broker.protocol.register import Register

BATCH = 2 * MATCHES_PER_PAGE
"""Matches read at once, of which some may be seen no more."""


async def list_coordinated(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    matches: MatchReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most a page of the matches is told of which both teams know, and that is recorded; outcome `done`.

    Raises:
        RoleNotAllowedError: no matchcoordinator, or of an organisation that no region's document names.
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_coordinated", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right: the role, and the region's document.
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        if requester.role != COORDINATOR or not policy.coordinates(requester.organisation):
            raise RoleNotAllowedError
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (2) Only what both teams know and see now.
        known, stamps = await _page(
            requester, after or "", policy=policy, register=register, clock=clock, matches=matches
        )  # fmt: skip
        page = known[:MATCHES_PER_PAGE]
        leading = await _Leading.around(
            page, requester, policy=policy, register=register, day=clock.today(), matches=matches
        )  # fmt: skip
        result = CoordinatedResult.model_validate(
            {
                "schema": "coordinated/v1",
                "outcome": "done",
                "text": TextRef(id="match.coordinated", params={}),
                "found": [_shown(one, register, leading=leading) for one in page],
                "more_after": page[-1].id if len(known) > len(page) else None,
            }
        )
        document = result.model_dump(mode="json", by_alias=True)
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        return outcome_of(
            act, recording, Effects(relies_on=(*base, *stamps, *leading.stamps)), status=AnswerStatus.DONE
        )

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def _page(
    requester: Requester, after: str, *, policy: PolicyInForce, register: Register, clock: Clock, matches: MatchReader
) -> tuple[tuple[KeptMatch, ...], tuple[Stamp, ...]]:
    """Return the next matches that both sides see, one more than a page where there are, and all stamps looked at."""
    seen: list[KeptMatch] = []
    stamps: dict[Stamp, None] = {}
    to = (requester.organisation, requester.worker)
    while len(seen) <= MATCHES_PER_PAGE:
        found = await matches.coordinated_by(
            organisation=requester.organisation, after=after, at_most=BATCH
        )  # fmt: skip
        stamps |= dict.fromkeys(found.stamps)
        seen += [
            one
            for one in found.matches
            if told_to_both(one, to=to, policy=policy, register=register, day=clock.today())
        ]
        if len(found.matches) < BATCH:
            break
        after = found.matches[-1].id
    return tuple(seen[: MATCHES_PER_PAGE + 1]), tuple(stamps)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leading:
    """The matches around some that a coordinator sees too, with the stamps of what that rests on."""

    matches: tuple[KeptMatch, ...]
    stamps: tuple[Stamp, ...]

    @classmethod
    async def around(
        cls, page: Iterable[KeptMatch], requester: Requester, *, policy: PolicyInForce, register: Register, day: date,
        matches: MatchReader,
    ) -> Self:  # fmt: skip
        """Return those that share a signal, which both sides see, with one of these."""
        to = (requester.organisation, requester.worker)
        found = await matches.touching({signal.id for one in page for signal in one.common()})
        seen = (
            one
            for one in found.matches
            if requester.organisation in {named.organisation for named in one.coordinators}
            and told_to_both(one, to=to, policy=policy, register=register, day=day)
        )
        return cls(matches=tuple(seen), stamps=found.stamps)

    def teams(self, match: KeptMatch) -> int:
        """Return how many teams lead the plan of the household of this match, as far as he sees."""
        signals = {signal.id for signal in match.common()}
        of_household = (one for one in self.matches if not signals.isdisjoint(own.id for own in one.common()))
        return len(leaders(of_household))


def _shown(match: KeptMatch, register: Register, *, leading: _Leading) -> CoordinatedMatch:
    return CoordinatedMatch(
        match_id=match.id,
        sides=[_side(side, register) for side in match.sides],
        made_on=match.made_on,
        due_on=match.due_on,
        contacted=match.contacted,
        overdue=match.overdue,
        casusregisseurs=leading.teams(match),
    )


def _side(side: MatchSide, register: Register) -> CoordinatedSide:
    organisation = register.organisations.get(side.of.organisation)
    return CoordinatedSide(
        organisation=side.of.organisation,
        name=side.of.organisation if organisation is None else organisation.name,
        team=side.of.team,
        state=side.state.value,
    )
