"""A match as one side of it sees it now: found, judged anew for who looks, and shown with the other team's card."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from broker.domain.disclosures import CONTACT_LEVEL, MatchRow
from broker.domain.errors import NotFoundError
from broker.domain.households import Hit, MatchKind
from broker.domain.matches import KeptMatch, MatchSide, TeamOf, strongest
from broker.domain.requests import Requester
from broker.domain.signals import Signal
from broker.domain.team_tasks import TeamTask
from broker.flows.canonical import canonical
from broker.flows.judging import Judged, record_decisions
from broker.flows.outcome import match_of
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import agreed_by, looks_of, shows
from broker.match_ports import MatchReader
from broker.ports import Clock, RosterReader, Stamp, StampKey
from broker.protocol.match_messages import Casusregisseur, ShownMatch
from broker.protocol.register import Register

SMALL_HITS_ROOM = 1_000
"""Bytes a `hits` payload may take in an entry of a small kind: it has 1,024 with its padding."""
HITS_SCHEMA = "entry-hits/v1"
_SEEN_FRAME = len('"seen":[],')
MOST_HANDLES = 24
"""Search handles that fit a `subject` payload of a small kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMatch:
    """A match that this side sees, by which of its own signals and in which kind; `stamps` are what that rests on.

    `pairs` are those signals, each with what it met, that this worker may know of.
    """

    match: KeptMatch
    side: MatchSide
    kind: MatchKind
    pairs: tuple[tuple[Signal, Hit], ...]
    judged: tuple[Judged, ...]
    stamps: tuple[Stamp, ...] = ()
    agreed: frozenset[StampKey] = frozenset()
    """What was recorded of persons that it is seen by, where it is on consent."""
    until: date | None = None
    """The last day on which all that it is seen by holds."""
    tasks: tuple[TeamTask, ...] = ()
    """What runs about it for either side; read for an act on it alone."""

    @property
    def other(self) -> TeamOf:
        """The other team."""
        return self.match.other_of(self.side).of

    def handles(self) -> frozenset[str]:
        """Return the handles of the signals it is about, the own ones and the other's."""
        return frozenset(signal.handle for own, hit in self.pairs for signal in (own, hit.signal))

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The own signals, in the order of their ids."""
        own = {signal.id: signal for signal, _ in self.pairs}
        return tuple(own[one] for one in sorted(own))


def seen_now(
    match: KeptMatch, requester: Requester, *, policy: PolicyInForce, register: Register, clock: Clock
) -> OwnMatch | None:
    """Return the match as the requester's side sees it now, None where it does not. Raises DecisionFailedError."""
    side = match.side_of(requester.organisation)
    if side is None:
        return None
    day = clock.today()
    looks = looks_of(match, side, policy=policy, register=register, worker=requester.worker, day=day)
    kinds = tuple(hit.kind for look in looks if shows(look.judged) for hit in look.judged.hits)
    if not kinds:
        return None
    agreed, until = agreed_by(match, looks, policy=policy, day=day)
    return OwnMatch(
        match=match, side=side, kind=strongest(kinds), pairs=match.seen_by(side, worker=requester.worker),
        judged=tuple(look.judged for look in looks),
        agreed=agreed, until=until,
    )  # fmt: skip


async def own_match(
    match_id: str, requester: Requester, *, matches: MatchReader, policy: PolicyInForce, register: Register,
    clock: Clock,
) -> OwnMatch:  # fmt: skip
    """Return this match of the requester's own organisation.

    Raises:
        NotFoundError: there is none, it is another's, or it is not to be seen: one answer for all.
        DecisionFailedError: a decision failed.
    """
    found = await matches.one(match_id)
    seen = [seen_now(one, requester, policy=policy, register=register, clock=clock) for one in found.matches]
    if not seen or seen[0] is None:
        raise NotFoundError
    return replace(seen[0], stamps=found.stamps)


async def shown_match(
    own: OwnMatch, *, leaders: Sequence[TeamOf], register: Register, rosters: RosterReader
) -> ShownMatch:  # fmt: skip
    """Return a match as its side is shown it, with who leads the plan as far as it may know, the first and another."""
    first, other = [_named(one, register) for one in (*leaders, None, None)[:2]]
    row = MatchRow(organisation=own.other.organisation, team=own.other.team, kind=own.kind, level=CONTACT_LEVEL)
    return ShownMatch(
        match_id=own.match.id,
        team=own.side.of.team,
        signals=[signal.id for signal in own.signals],
        involved=match_of(row, register=register, roster=await rosters.roster(row.organisation)),
        state=own.side.state.value,
        changed_on=own.side.changed_on,
        made_on=own.match.made_on,
        due_on=own.match.due_on,
        casusregisseur=first,
        other_casusregisseur=other,
    )


def _named(led_by: TeamOf | None, register: Register) -> Casusregisseur | None:
    if led_by is None:
        return None
    name = register.organisations[led_by.organisation].name
    return Casusregisseur(organisation=led_by.organisation, team=led_by.team, name=name)


def decisions_of(shown: tuple[OwnMatch, ...]) -> dict[str, object]:
    """Return the `hits` group of an entry that shows these matches: what is seen in short, and the decisions' hash.

    `seen` has kind, level and rule with the handles of what is seen by it, so that a holder's overview has who was told
    of his signal (AVG art. 15(1)(c)): of each match the first, then the others as far as they fit.
    """
    judged = [one for own in shown for one in own.judged]
    payload = dict(record_decisions(HITS_SCHEMA, judged, room=SMALL_HITS_ROOM).payload)
    of_each = [[(one, hit) for one in own.judged if shows(one) for hit in one.hits] for own in shown]
    first = [pairs[0] for pairs in of_each]
    room = SMALL_HITS_ROOM - len(canonical(payload)) - _SEEN_FRAME
    groups: dict[tuple[str, int, str], list[str]] = {}
    for one, hit in [*first, *(pair for pairs in of_each for pair in pairs[1:])]:
        group = (hit.kind.value, one.level, str(one.record.get("rule")))
        size = len(canonical([hit.signal.handle])) + (0 if group in groups else len(canonical([*group, []])) + 1)
        if size <= room:
            groups.setdefault(group, []).append(hit.signal.handle)
            room -= size
    return {**payload, "seen": [[*group, sorted(handles)] for group, handles in groups.items()]}


def few(handles: frozenset[str]) -> frozenset[str]:
    """Return as many of these handles as fit an entry of a small kind."""
    return frozenset(sorted(handles)[:MOST_HANDLES])
