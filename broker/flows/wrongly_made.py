"""Whom a side tells that what it said of its involvement was wrong: who was told of it, and sees it now (AVG art. 19).

Who sees it no more, because it was shielded since or the rules changed, is told nothing: to him it had gone before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from broker.domain.matches import KeptMatch
from broker.domain.notices import NoticeKind, Notify, notice_id
from broker.domain.signals import Signal
from broker.flows.entry_payloads import HITS_ROOM, HITS_SCHEMA, SHIELDED_ROOM, SHIELDED_SCHEMA
from broker.flows.judging import Recorded
from broker.flows.meeting import Told, beside
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, may_see_by, shows
from broker.match_ports import MatchReader
from broker.ports import Stamp
from broker.protocol.register import Register

MISTAKE = "mistake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    """The notices for who is told, the decisions for each as two groups of the entry, and what all that relied on."""

    notices: tuple[Notify, ...] = ()
    hits: Mapping[str, object] | None = None
    shielded: Mapping[str, object] | None = None
    looked_at: tuple[Stamp, ...] = ()


NOBODY_TOLD = Receivers()
"""Nothing was wrong."""


async def receivers_of(
    signal: Signal, *, act_id: str, matches: MatchReader, policy: PolicyInForce, register: Register, day: date
) -> Receivers:
    """Return who was told of this signal by a match and sees it now, each with a notice about his own signal.

    Args:
        act_id: of the withdrawal; nobody else knows it.

    Raises:
        DecisionFailedError: a decision failed.
    """
    found = await matches.touching({signal.id})
    judged = [
        one for match in found.matches for one in _judged(match, signal, policy=policy, register=register, day=day)
    ]
    # What is not in the log is not told.
    plain, told = beside(_nothing(HITS_SCHEMA), [one for one in judged if not one.by.shielded], room=HITS_ROOM)
    hidden, also = beside(_nothing(SHIELDED_SCHEMA), [one for one in judged if one.by.shielded], room=SHIELDED_ROOM)
    own = {one.by.id: one.by for one in (*told, *also) if shows(one.judged)}
    return Receivers(
        notices=tuple(_notice(own[one], act_id) for one in sorted(own)),
        hits=plain.payload,
        shielded=hidden.payload,
        looked_at=found.stamps,
    )


def _judged(
    match: KeptMatch, signal: Signal, *, policy: PolicyInForce, register: Register, day: date
) -> Iterator[Told]:  # fmt: skip
    """Give each decision for the other side on this signal, as its own look would get it now."""
    other = match.older_side if match.newer.id == signal.id else match.newer_side
    for own, hit in match.seen_by(other):
        if hit.signal.id == signal.id:
            seen = may_see_by(own, [hit], said=match.said, policy=policy, register=register, worker=NOBODY, day=day)
            for one in seen:
                yield Told(by=own, kind=hit.kind, judged=one)


def _nothing(schema: str) -> Recorded:
    return Recorded(payload={"schema": schema, "decisions": []}, kept=(), omitted=0)


def _notice(own: Signal, act_id: str) -> Notify:
    return Notify(
        id=notice_id(NoticeKind.WRONGLY_MADE.value, own.id, act_id),
        organisation=own.organisation,
        team=own.team,
        kind=NoticeKind.WRONGLY_MADE,
        about=own.id,
    )
