"""Who is told, when a match is made, that another team leads the plan of a household already (ADR 44).

Two teams that did not know of each other can each have been named. Whoever of them comes to know by the new match that
another was named before has a notice; the first goes on, and notices nothing.
"""

from collections.abc import Callable, Iterable
from datetime import date

from broker.domain.matches import KeptMatch, MatchSide
from broker.domain.notices import Notify
from broker.domain.signals import Signal
from broker.flows.leading import Around, leaders, led_notice
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY
from broker.protocol.register import Register


def led_before(
    made: Iterable[KeptMatch], known: tuple[KeptMatch, ...], *, notice_id: Callable[..., str], policy: PolicyInForce,
    register: Register, day: date,
) -> tuple[Notify, ...]:  # fmt: skip
    """Return a notice for each team of these matches that led as far as it knew, and was not the first.

    Args:
        made: the matches that are made now.
        known: those that there were, on the signals that were met.
        notice_id: of these names.

    Raises:
        DecisionFailedError: a decision failed.
    """
    new = tuple(made)
    if not any(match.casusregisseur for match in known):
        return ()
    after = Around(matches=(*known, *new), policy=policy, register=register, day=day)
    before = Around(matches=known, policy=policy, register=register, day=day)
    return tuple(
        led_notice(match, side.of, notice_id("leads", side.of.organisation, match.id), leads=False)
        for match in new
        for side in match.sides
        if side.told and _learns_of_another(match, side, before=before, after=after)
    )


def _learns_of_another(match: KeptMatch, side: MatchSide, *, before: Around, after: Around) -> bool:
    """Return whether this side led as far as it knew before this match, and does not as far as it knows now."""
    organisation = side.of.organisation
    now = after.known_to(organisation, {own.id for own, _ in match.seen_by(side)}, worker=NOBODY)
    own = {signal.id for one in before.matches for signal in _own_of(one, organisation)}
    knew = {one.id for one in before.known_to(organisation, own, worker=NOBODY)}
    was = leaders(one for one in now if one.id in knew)
    return was[:1] == (side.of,) and leaders(now)[:1] != (side.of,)


def _own_of(match: KeptMatch, organisation: str) -> list[Signal]:
    """Return the signals of this organisation in a match."""
    signals = (match.newer, *(link.signal for link in match.links))
    return [signal for signal in signals if signal.organisation == organisation]
