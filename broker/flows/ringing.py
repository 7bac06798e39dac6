"""Whom an oproep reaches: every hit is decided on, and whoever may be rung is asked; the asker is shown nobody (D5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from broker.domain.calls import FoundAs
from broker.domain.disclosures import audible, is_crowd
from broker.domain.households import Hit, find_hits
from broker.domain.signals import Signal
from broker.flows.consent_facts import agreed_of, agreed_until, said_of
from broker.flows.entry_payloads import HITS_ROOM, HITS_SCHEMA, SHIELDED_ROOM, SHIELDED_SCHEMA
from broker.flows.household_question import Question
from broker.flows.judging import (
    UNKNOWN,
    ConsentWord,
    Judged,
    Recorded,
    judge_hits,
    permitted_hits,
    record_decisions,
)
from broker.flows.policy import PolicyInForce
from broker.ports import LookUp, Stamp
from broker.protocol.register import Register


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What the look-up of an oproep gave: whose signals it rings, both groups of decisions, and every handle hit.

    `rests_on` and `until` are, by id of the signal that rings, the stamps and the last day of what people agreed to;
    `found` is how it came about that it rings.
    `alerted` are the shielded signals that were hit: their holders are told, and nobody else.
    """

    rung: tuple[Signal, ...]
    rests_on: Mapping[str, tuple[Stamp, ...]]
    until: Mapping[str, date | None]
    found: Mapping[str, FoundAs]
    alerted: tuple[Signal, ...]
    open: Recorded
    shielded: Recorded
    handles: frozenset[str]


def reached(
    policy: PolicyInForce, question: Question, looked_up: LookUp, *, register: Register, address_mute_above: int
) -> Reached:
    """Return whom this oproep reaches, having decided on everything found.

    Nothing of it ever makes an oproep fail: a decision that does not fit its entry is committed to by the hash of what
    was left out, and rings all the same, for an oproep that is not done where many are involved would tell so.

    Args:
        address_mute_above: an address with more signals of others than this rings nobody by the address (D4).

    Raises:
        DecisionFailedError: a decision failed.
    """
    prepared = question.prepared
    counting = policy.counting(looked_up.found, day=question.today)
    found = find_hits(prepared.household, counting, asker=prepared.organisation.oin, day=question.today)
    hits = [hit for hit in found if hit.kind.value in prepared.purpose.match_kinds]
    said = said_of(question.consented, hits, found=counting)
    judged = judge_hits(
        policy, question.facts(), hits, register=register, worker=prepared.act.requester.worker, consents=said
    )  # fmt: skip
    permitted = permitted_hits(judged)
    mute = is_crowd(permitted, above=address_mute_above, at_least=0)
    plain = [one for one in judged if not one.shielded]
    heard = [one.hit for one in audible(permitted, mute=mute)]
    rung = _once(hit.signal for hit in heard)
    subjects = {token.signal.id: token.subject for token in counting}
    return Reached(
        rung=rung,
        rests_on={one.id: agreed_of(question.consented, one, subjects[one.id]) for one in rung},
        until={one.id: agreed_until(question.consented, one, subjects[one.id]) for one in rung},
        found={one.id: _found(one, heard, said) for one in rung},
        alerted=_once(hit.signal for one in judged if one.shielded for hit in one.hits),
        open=record_decisions(HITS_SCHEMA, plain, room=HITS_ROOM, mute=mute),
        shielded=_shielded(judged),
        handles=frozenset(hit.signal.handle for hit in hits),
    )


def _shielded(judged: Iterable[Judged]) -> Recorded:
    return record_decisions(SHIELDED_SCHEMA, [one for one in judged if one.shielded], room=SHIELDED_ROOM)


def _found(signal: Signal, heard: Iterable[Hit], said: Mapping[str, ConsentWord]) -> FoundAs:
    kinds = tuple(hit.kind.value for hit in heard if hit.signal.id == signal.id)
    return FoundAs(kinds=kinds, consent=said.get(signal.id, UNKNOWN))


def _once(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Return each signal once, however many kinds of match found it."""
    return tuple({signal.id: signal for signal in signals}.values())
