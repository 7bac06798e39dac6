"""What a new signal brings about for others: matches, whom of both sides they are told to, and the notices (D7, D8).

For each other team that the signal met, two decisions stand beside each other: what the registering side may see, made
before this, and what the other side may see of the new signal. Neither depends on the other. A team that may see
nothing gets no notice and no line in any list; where neither may, there is no match at all.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from broker.consent_ports import ConsentReader
from broker.domain.changes import Change, MarkStanding
from broker.domain.households import Hit, MatchKind, TokenIndex
from broker.domain.matches import KeptMatch, Link, MatchSide, MatchState, StoreMatch, TeamOf
from broker.domain.notices import NoticeKind, Notify
from broker.domain.said import Said
from broker.domain.signals import Signal
from broker.flows.canonical import canonical, sha256_of
from broker.flows.coordinating import coordinators_of, noted, region_of
from broker.flows.entry_payloads import HITS_ROOM, SHIELDED_ROOM
from broker.flows.household_question import Seen
from broker.flows.judging import Judged, Recorded
from broker.flows.leading_when_met import led_before
from broker.flows.policy import PolicyInForce
from broker.flows.said_when_met import said_when_met
from broker.flows.seeing_match import NOBODY, may_see_by, seen_of, shows
from broker.match_ports import MatchReader
from broker.ports import Randomness
from broker.protocol.register import Register

SEED_BYTES = 32
_OMITTED_ROOM = 160
_ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The decision for one holder on the new signal, by his own signal `by`; the group of the entry it stands in."""

    by: Signal
    kind: MatchKind
    judged: Judged

    def entry(self) -> dict[str, object]:
        """Return the decision as it stands in the entry."""
        return {**self.judged.entry(), "by": self.by.handle}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What becomes durable with the new signal, and what was seen with the decisions for others recorded in it."""

    changes: tuple[Change, ...]
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Unpredictable ids out of one seed, so that as much randomness is drawn whatever was met."""

    seed: bytes

    def of(self, *names: str) -> str:
        """Return the id that these names have under this seed."""
        return hashlib.sha256(self.seed + "\x00".join(names).encode()).hexdigest()[:_ID_CHARACTERS]


async def meet(
    signal: Signal,
    seen: Seen,
    *,
    person: TokenIndex | None,
    matches: MatchReader,
    consents: ConsentReader,
    policy: PolicyInForce,
    register: Register,
    randomness: Randomness,
) -> Meeting:
    """Return the matches of a new signal with their notices, and `seen` with every decision for others beside it.

    An address alone makes no match: a flat is no household (D4).

    Args:
        person: the subject of the new signal.
        matches: asked which rest on a signal that was hit, whatever was.
        consents: asked what each holder that was hit, and the new one, recorded; whatever was hit.
        randomness: of the ids; as much is drawn whatever was met.

    Raises:
        DecisionFailedError: a decision failed.
    """
    today, ids = signal.registered_on, Ids(seed=randomness.bytes(SEED_BYTES))
    # A calendar that cannot be reckoned with fails for everybody, and never only where somebody was met.
    policy.first_contact_by(purpose=signal.purpose, region=None, day=today)
    hits = [hit for hit in seen.hits if hit.kind is not MatchKind.ADDRESS]
    # (1) For every holder that was hit, shielded or not: what would he see of the new signal?
    said, stamps = await said_when_met(signal, person, hits, subjects=seen.subjects, consents=consents)
    told = [one for hit in hits for one in _told(signal, hit, said, policy=policy, register=register, day=today)]
    # (2) What is not in the log is not told.
    recorded, kept = _recorded(seen, told)
    known = await matches.touching({hit.signal.id for hit in seen.hits})
    # (3) One match per other team, where either of the two may see the other.
    tells = frozenset((one.kind, one.by.id) for one in kept if shows(one.judged))
    links = links_by_team(hits, shown=seen.shown, tells=tells)
    made = matches_made(
        signal, links, said=said, known=known.matches, ids=ids, policy=policy, register=register, day=today
    )  # fmt: skip
    open_, made = noted(recorded.open, made)
    changes: list[Change] = [*stood_on(made, day=today), *alerts_of(seen.hits, made, ids=ids)]
    for match in made:
        changes += [StoreMatch(match=match), *notices_of(match, ids=ids)]
    # (4) Who led as far as it knew learns that another was named before.
    changes += led_before(
        made, known.matches, notice_id=ids.of, policy=policy, register=register, day=today
    )  # fmt: skip
    seen = replace(recorded, open=open_, relies_on=(*recorded.relies_on, *stamps))
    return Meeting(changes=tuple(changes), seen=seen)


def _told(
    signal: Signal, hit: Hit, said: Said, *, policy: PolicyInForce, register: Register, day: date
) -> list[Told]:  # fmt: skip
    back = Hit(kind=hit.kind, signal=signal)
    judged = may_see_by(hit.signal, [back], said=said, policy=policy, register=register, worker=NOBODY, day=day)
    return [Told(by=hit.signal, kind=hit.kind, judged=one) for one in judged]


def _recorded(seen: Seen, told: Iterable[Told]) -> tuple[Seen, list[Told]]:
    listed = list(told)
    open_, kept = beside(seen.open, [one for one in listed if not one.by.shielded], room=HITS_ROOM)
    shielded, also = beside(seen.shielded, [one for one in listed if one.by.shielded], room=SHIELDED_ROOM)
    return replace(seen, open=open_, shielded=shielded), [*kept, *also]


def beside(recorded: Recorded, told: Iterable[Told], *, room: int) -> tuple[Recorded, list[Told]]:
    """Return a group with as many of these decisions as fit beside its own, those first that tell somebody."""
    entries: list[dict[str, object]] = []
    kept: list[Told] = []
    omitted: list[dict[str, object]] = []
    used = len(canonical(dict(recorded.payload)))
    for one in sorted(told, key=lambda one: not shows(one.judged)):
        size = len(canonical(one.entry())) + len(',"told":[]')
        if used + size <= room - _OMITTED_ROOM:
            entries.append(one.entry())
            kept.append(one)
            used += size
        else:
            omitted.append(one.entry())
    payload = dict(recorded.payload)
    if entries:
        payload["told"] = entries
    if omitted:
        payload["told_omitted"] = {"count": len(omitted), "sha256": sha256_of(omitted)}
    return replace(recorded, payload=payload), kept


def links_by_team(
    hits: Iterable[Hit], *, shown: frozenset[tuple[MatchKind, str]], tells: frozenset[tuple[MatchKind, str]]
) -> Mapping[TeamOf, tuple[Link, ...]]:
    """Return the links of every other team with which either side may see the other; a signal's strongest kind each.

    Args:
        hits: what the newer signal met, strongest first.
        shown: which of them, by kind and id of the signal, the newer side may see.
        tells: which of them may see the newer signal.
    """
    found: dict[TeamOf, dict[str, Link]] = {}
    for hit in hits:
        signal = hit.signal
        link = Link(
            signal=signal,
            kind=hit.kind,
            shown=(hit.kind, signal.id) in shown,
            tells=(hit.kind, signal.id) in tells,
        )
        if link.shown or link.tells:
            team = TeamOf(organisation=signal.organisation, team=signal.team)
            found.setdefault(team, {}).setdefault(signal.id, link)
    return {team: tuple(links.values()) for team, links in found.items()}


def matches_made(
    signal: Signal, links_of: Mapping[TeamOf, tuple[Link, ...]], *, said: Said, known: tuple[KeptMatch, ...],
    ids: Ids, policy: PolicyInForce, register: Register, day: date,
) -> tuple[KeptMatch, ...]:  # fmt: skip
    """Return the match of a signal with each other team by these links, made on this day."""
    return tuple(
        _match(signal, team, links, said=said, known=known, ids=ids, policy=policy, register=register, day=day)
        for team, links in links_of.items()
    )


def _match(
    signal: Signal, team: TeamOf, links: tuple[Link, ...], *, said: Said, known: tuple[KeptMatch, ...], ids: Ids,
    policy: PolicyInForce, register: Register, day: date,
) -> KeptMatch:  # fmt: skip
    registering = TeamOf(organisation=signal.organisation, team=signal.team)
    seen = [
        (match, side)
        for match in known
        for side in match.sides
        if seen_of(match, side, policy=policy, register=register, worker=NOBODY, day=day)[0]
    ]
    newer_side, older_side = (
        MatchSide(of=own, told=bool(met), state=_state(own, other, met, seen), changed_on=day)
        for own, other, met in (
            (registering, team, [link.signal.id for link in links if link.shown]),
            (team, registering, [link.signal.id for link in links if link.tells]),
        )
    )
    region = region_of(signal, team, links, policy=policy, register=register, day=day)
    made = KeptMatch(
        id=ids.of(team.organisation, team.team),
        newer=signal,
        links=links,
        newer_side=newer_side,
        older_side=older_side,
        made_on=day,
        due_on=policy.first_contact_by(purpose=signal.purpose, region=region, day=day),
        said=said,
    )
    named = coordinators_of(made, region=region, policy=policy, register=register, day=day)
    return replace(made, coordinators=named)


def _state(
    own: TeamOf, other: TeamOf, met: Collection[str], seen: Iterable[tuple[KeptMatch, MatchSide]]
) -> MatchState:  # fmt: skip
    """Return where a side begins: muted, once it said of an earlier match on this household that they work together.

    One that it sees no more mutes nothing: else it would be told again after a withdrawal, and not after a shield. Nor
    does a signal that it does not see tie two matches together: `met` are those by which it is told of the new one.
    """
    for match, side in seen:
        by = {one.id for mine, hit in match.seen_by(side) for one in (mine, hit.signal)}
        same = {own, other} == {one.of for one in match.sides} and not by.isdisjoint(met)
        if same and side.of == own and side.state is MatchState.TOGETHER:
            return MatchState.TOGETHER
    return MatchState.NEW


def stood_on(made: Iterable[KeptMatch], *, day: date) -> tuple[MarkStanding, ...]:
    """Return that the older signals by which somebody is told of a match counted as standing on this day (D5).

    Else a signal that was only put there to hear who comes could be withdrawn as soon as he had come.
    """
    told = {link.signal.id for match in made for link in match.links if link.tells}
    return tuple(MarkStanding(signal_id=one, on=day) for one in sorted(told))


def alerts_of(hits: Iterable[Hit], made: Iterable[KeptMatch], *, ids: Ids) -> tuple[Notify, ...]:
    """Return a notice for the holder of each shielded signal that was hit and is told of no match by it (D8).

    So that no child is lost: he may ask who came, and whoever came notices nothing.
    """
    told = {link.signal.id for match in made for link in match.links if link.tells}
    hidden = {hit.signal.id: hit.signal for hit in hits if hit.signal.shielded and hit.signal.id not in told}
    return tuple(
        Notify(
            id=ids.of(NoticeKind.SHIELD_ALERT.value, one.id),
            organisation=one.organisation,
            team=one.team,
            kind=NoticeKind.SHIELD_ALERT,
            about=one.id,
        )
        for one in hidden.values()
    )


def notices_of(match: KeptMatch, *, ids: Ids) -> tuple[Notify, ...]:
    """Return the notices for the other side, and for each coordinator where both are told and none has muted it."""
    found = []
    if match.older_side.told and match.older_side.state is MatchState.NEW:
        found.append(_notice(match.older_side.of, NoticeKind.MATCH, match, ids))
    if not match.contacted:
        found += [_notice(one, NoticeKind.COORDINATED, match, ids) for one in match.coordinators]
    return tuple(found)


def _notice(to: TeamOf, kind: NoticeKind, match: KeptMatch, ids: Ids) -> Notify:
    return Notify(
        id=ids.of(kind.value, to.organisation, to.team, match.id),
        organisation=to.organisation,
        team=to.team,
        kind=kind,
        about=match.id,
    )
