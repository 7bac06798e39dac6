"""Meet one signal that came with an import; one entry each time, whether one waits or none (D2, D8, ADR 40).

An import looks nobody up, so that ten thousand registrations are not ten thousand questions. Its signals wait for their
turn at housekeeping's pace. Then each holder who was there before is told, if he may see the signal, that another is
involved too. Whoever imported it is told nothing: he looks, within his budget. Nobody asks for this, and the entry's
form is the same whoever was met.
"""

import logging
from datetime import date

from broker.consent_ports import ConsentReader
from broker.domain.changes import Change
from broker.domain.errors import StaleDecisionError
from broker.domain.households import FoundToken, Hit, MatchKind, find_hits
from broker.domain.matches import KeptMatch, MeetLater, NoteMet, StoreMatch, TeamOf
from broker.domain.said import Said
from broker.domain.signals import Signal
from broker.flows.leading_when_met import led_before
from broker.flows.meeting import SEED_BYTES, Ids, alerts_of, links_by_team, matches_made, notices_of, stood_on
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.said_when_met import said_when_met
from broker.flows.sweep_signals import ACTOR
from broker.flows.turn import NOTHING, SCHEMA, TurnTaken, judge_turn
from broker.match_ports import MatchReader, Unmet
from broker.ports import (
    BUNDLE,
    Clock,
    Log,
    Proposal,
    Randomness,
    RegisterReader,
    SignalStore,
    Stamp,
    StampKey,
    StampKind,
    Turn,
)
from broker.protocol.register import Register

MAX_TRIES = 24
"""How often it is read anew when what it would tell has moved meanwhile."""
_KEY = StampKey(kind=StampKind.POLICY, key=BUNDLE)
_log = logging.getLogger("sluis.flows")


async def meet_imported(
    *, after: str, policies: Policies, clock: Clock, randomness: Randomness, registers: RegisterReader,
    signals: SignalStore, matches: MatchReader, consents: ConsentReader, log: Log,
) -> str:  # fmt: skip
    """Return whose signal had its turn, `after` where none did; who was there before it has a notice.

    Args:
        after: the organisation that had the turn before this one.

    Raises:
        StaleDecisionError: what it would tell kept moving; nothing was done.
        NotRecordedError: it could not be read or written; the signal has its turn at the next pace.
    """
    async with log.turn() as turn:
        return await _in_turn(
            after=after, policies=policies, clock=clock, randomness=randomness, registers=registers, signals=signals,
            matches=matches, consents=consents, stopped=log.disclosures_stopped(), turn=turn,
        )  # fmt: skip


async def _in_turn(
    *, after: str, policies: Policies, clock: Clock, randomness: Randomness, registers: RegisterReader,
    signals: SignalStore, matches: MatchReader, consents: ConsentReader, stopped: bool, turn: Turn,
) -> str:  # fmt: skip
    for _ in range(MAX_TRIES):
        base, today = await signals.stamps((_KEY,)), clock.today()
        policy, ids = policies.at(base), Ids(seed=randomness.bytes(SEED_BYTES))
        # (1) Whose turn it is; nobody's, while nobody watches the log (ADR 24).
        unmet = None if stopped else await matches.next_unmet(after=after)
        # (2) Every token is looked up, and every hit is decided on for its holder.
        changes, told, stamps = await _met(
            unmet, ids=ids, policy=policy, register=await registers.register(), signals=signals, matches=matches,
            consents=consents, clock=clock,
        )  # fmt: skip
        # (3) The entry, the matches and the notices in one transaction.
        meta = {"schema": SCHEMA, "type": "meet_imported", "day": today.isoformat(), "bundle": policy.sha256}
        proposal = Proposal(
            kind="retention",
            payloads={"meta": {**meta, "outcome": "done"}, "actor": ACTOR, **told.payloads()},
            relies_on=(*base, *stamps),
            changes=changes,
        )
        try:
            await turn.commit(proposal)
        except StaleDecisionError:
            continue
        return after if unmet is None else unmet.signal.organisation
    raise StaleDecisionError


async def _met(
    unmet: Unmet | None, *, ids: Ids, policy: PolicyInForce, register: Register, signals: SignalStore,
    matches: MatchReader, consents: ConsentReader, clock: Clock,
) -> tuple[tuple[Change, ...], TurnTaken, tuple[Stamp, ...]]:  # fmt: skip
    """Return what becomes durable with this turn, what was decided, and the stamps of everything that was read."""
    if unmet is None:
        return (), NOTHING, ()
    day, waited = clock.today(), NoteMet(signal_id=unmet.signal.id)
    later = MeetLater(signal_id=unmet.signal.id, organisation=unmet.signal.organisation)
    looked_up = await signals.look_up(unmet.household.indexes())
    counting = policy.counting(looked_up.found, day=day)
    signal = _as_read(unmet, counting)
    # A signal that has ended has had its turn; one that holds not now, or not yet, gets another.
    if signal is None or not signal.active_on(day):
        return (waited, *((later,) if unmet.signal.is_held else ())), NOTHING, looked_up.stamps
    hits = _hits(unmet, signal, counting, policy=policy, clock=clock)
    known = (await matches.touching({signal.id, *(hit.signal.id for hit in hits)})).matches
    hits = tuple(hit for hit in hits if not any(_have_met(signal, hit, match) for match in known))
    persons = {token.signal.id: token.subject for token in counting}
    said, recorded = await said_when_met(signal, persons[signal.id], hits, subjects=persons, consents=consents)
    stamps = (*looked_up.stamps, *recorded)
    try:
        told, changes = _told(signal, hits, said, known=known, ids=ids, policy=policy, register=register, day=day)
    except Exception as failure:  # noqa: BLE001 - whatever failed is recorded, tells nobody, and holds nobody else up
        _log.error("not met: %s", type(failure).__name__)
        return (waited, later), TurnTaken(of=signal, failed=True), stamps
    again = (later,) if told.leaves_somebody else ()
    return (waited, *again, *changes), told, stamps


def _told(
    signal: Signal, hits: tuple[Hit, ...], said: Said, *, known: tuple[KeptMatch, ...], ids: Ids,
    policy: PolicyInForce, register: Register, day: date,
) -> tuple[TurnTaken, list[Change]]:  # fmt: skip
    """Return what was decided on these hits, and the matches with all notices. Raises DecisionFailedError."""
    # A calendar that cannot be reckoned with fails for everybody, and never only where somebody was met.
    policy.first_contact_by(purpose=signal.purpose, region=None, day=day)
    # An address alone makes no match: a flat is no household (D4).
    meeting = tuple(hit for hit in hits if hit.kind is not MatchKind.ADDRESS)
    told = judge_turn(signal, meeting, said=said, policy=policy, register=register, day=day)
    links = links_by_team(meeting, shown=frozenset(), tells=told.tells)
    made = matches_made(
        signal, links, said=said, known=known, ids=ids, policy=policy, register=register, day=day
    )  # fmt: skip
    changes: list[Change] = [*stood_on(made, day=day), *alerts_of(hits, made, ids=ids)]
    for match in made:
        changes += [StoreMatch(match=match), *notices_of(match, ids=ids)]
    changes += led_before(made, known, notice_id=ids.of, policy=policy, register=register, day=day)
    return told, changes


def _have_met(signal: Signal, hit: Hit, match: KeptMatch) -> bool:
    """Return whether these two met before this turn, by an act or another turn, or are of teams that did by it."""
    if signal.id not in match.signal_ids():
        return False
    team = TeamOf(organisation=hit.signal.organisation, team=hit.signal.team)
    return hit.signal.id in match.signal_ids() or team in {side.of for side in match.sides}


def _as_read(unmet: Unmet, found: tuple[FoundToken, ...]) -> Signal | None:
    """Return the signal as the look-up read it, with the stamps that it rests on; None where it counts no more."""
    return next((token.signal for token in found if token.signal.id == unmet.signal.id), None)


def _hits(
    unmet: Unmet, signal: Signal, found: tuple[FoundToken, ...], *, policy: PolicyInForce, clock: Clock
) -> tuple[Hit, ...]:
    """Return what it meets, in the kinds of its purpose."""
    kinds = policy.purposes[signal.purpose].match_kinds
    hits = find_hits(unmet.household, found, asker=signal.organisation, day=clock.today())
    return tuple(hit for hit in hits if hit.kind.value in kinds)
