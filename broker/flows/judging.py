"""Deciding what of the hits may be seen: the same work for every hit, shown or not (D8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from broker.domain.disclosures import PermittedHit
from broker.domain.households import Hit
from broker.flows.canonical import canonical, sha256_of
from broker.flows.errors import DecisionFailedError
from broker.flows.policy import PolicyInForce
from broker.protocol.register import Register
from policies import AskFacts, HitFacts, Permit, Refusal

ConsentWord: TypeAlias = Literal["unknown", "given", "refused", "withdrawn", "expired"]
ERROR = "error"
"""The reason of a refusal that came from a failure and not from a rule."""
UNKNOWN: ConsentWord = "unknown"
"""The consent that opens least."""
NOT_REGISTERED = "?"
"""The class of a holder that is in the register no more: outside every vocabulary, so nothing is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One decision on hits with equal facts; `record` is its `decision/v1`.

    An oproep rings at level 0, so that a permit shows no more than a refusal does: `permitted` tells them apart.
    """

    hits: tuple[Hit, ...]
    shielded: bool
    permitted: bool
    level: int
    record: Mapping[str, object]

    def entry(self) -> dict[str, object]:
        """Return the decision as it stands in an entry: with the search handles of its signals, never their ids."""
        return {"decision": dict(self.record), "signals": sorted({hit.signal.handle for hit in self.hits})}


def judge_hits(
    policy: PolicyInForce,
    facts: AskFacts,
    hits: Iterable[Hit],
    *,
    register: Register,
    worker: str,
    consents: Mapping[str, ConsentWord] | None = None,
) -> tuple[Judged, ...]:
    """Return a decision for every hit, those with equal facts together: permits first, then the strongest.

    Args:
        policy: decides.
        facts: of the asker, as `may_ask` judged them.
        hits: strongest first.
        register: gives the class of each holder.
        worker: the asker, who may be excluded from a signal.
        consents: what the person of each signal, by its id, says of being shown; unknown where none is claimed.

    Raises:
        DecisionFailedError: a decision failed, be it on a hit or on the probe that is made without any hit.
    """
    by_facts: dict[HitFacts, list[Hit]] = {}
    for hit in hits:
        consent = (consents or {}).get(hit.signal.id, UNKNOWN)
        by_facts.setdefault(_hit_facts(hit, facts, register, worker, consent), []).append(hit)
    # (1) One probe always, so that a broken engine fails for everybody and never only where a signal is.
    _decide(policy, facts, _probe(facts))
    # (2) Every hit, also those that are shielded or excluded.
    judged = [_judged(policy, facts, hit_facts, tuple(group)) for hit_facts, group in by_facts.items()]
    return tuple(sorted(judged, key=lambda one: not one.permitted))


def _judged(policy: PolicyInForce, facts: AskFacts, hit_facts: HitFacts, hits: tuple[Hit, ...]) -> Judged:
    decision = _decide(policy, facts, hit_facts)
    # A shielded signal is never shown in this version, whatever a document says.
    permitted = isinstance(decision, Permit) and not hit_facts.shielded
    level = decision.level if isinstance(decision, Permit) and permitted else 0
    return Judged(
        hits=hits, shielded=hit_facts.shielded, permitted=permitted, level=level, record=decision.record()
    )  # fmt: skip


def _decide(policy: PolicyInForce, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
    decision = policy.decision_point.may_see(facts, hit)
    if isinstance(decision, Refusal) and decision.reason == ERROR:
        raise DecisionFailedError
    return decision


def _hit_facts(hit: Hit, facts: AskFacts, register: Register, worker: str, consent: ConsentWord) -> HitFacts:
    signal = hit.signal
    holder = register.organisations.get(signal.organisation)
    return HitFacts(
        holder=signal.organisation,
        holder_class=NOT_REGISTERED if holder is None else holder.org_class,
        kind=hit.kind.value,
        purpose=signal.purpose,
        ground=signal.ground,
        shielded=signal.shielded,
        excluded=signal.excludes(facts.organisation, worker),
        consent=consent,
    )


def _probe(facts: AskFacts) -> HitFacts:
    return HitFacts(
        holder=facts.organisation,
        holder_class=facts.org_class,
        kind="person",
        purpose=facts.purpose,
        ground=facts.grounds[0],
        shielded=False,
        excluded=False,
    )


def permitted_hits(judged: Iterable[Judged]) -> tuple[PermittedHit, ...]:
    """Return the hits of the permits among these decisions, in their order."""
    return tuple(PermittedHit(hit=hit, level=one.level) for one in judged if one.permitted for hit in one.hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The decisions that stand in one group of an entry, and that group's payload."""

    payload: Mapping[str, object]
    kept: tuple[Judged, ...]
    omitted: int

    def permitted(self) -> tuple[PermittedHit, ...]:
        """Return what may be shown: permitted, and recorded. What is not in the log is not disclosed."""
        return permitted_hits(self.kept)


def record_decisions(schema: str, judged: Iterable[Judged], *, room: int, mute: bool = False) -> Recorded:
    """Return the payload with as many decisions as fit in `room` bytes, in their order; the rest as count and hash.

    Sizes are fixed (D12), so a household with very many holders cannot have every decision spelt out.

    Args:
        schema: of the payload.
        judged: the decisions, permits first.
        room: bytes.
        mute: a crowd stood at the address, so that permits of this kind were not shown. It is said only then.
    """
    kept: list[Judged] = []
    omitted: list[Judged] = []
    used = len(canonical(_payload(schema, [], [], mute=mute)))
    for one in judged:
        size = len(canonical(one.entry())) + 1
        fits = not omitted and used + size <= room - _OMITTED_ROOM
        (kept if fits else omitted).append(one)
        used += size
    entries = [one.entry() for one in kept]
    return Recorded(
        payload=_payload(schema, entries, [one.entry() for one in omitted], mute=mute),
        kept=tuple(kept),
        omitted=len(omitted),
    )


_OMITTED_ROOM = 160
"""Bytes kept free for the count and hash of what did not fit."""


def _payload(
    schema: str, entries: list[dict[str, object]], omitted: list[dict[str, object]], *, mute: bool
) -> dict[str, object]:
    payload: dict[str, object] = {"schema": schema, "decisions": entries}
    if mute:
        payload["mute"] = True
    if omitted:
        digest = sha256_of(omitted)
        payload["omitted"] = {"count": len(omitted), "sha256": digest}
    return payload
