"""What two sides of a meeting that nobody asked for may see of each other, and how a small entry says so (D8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from broker.domain.households import Hit, MatchKind
from broker.domain.signals import Signal
from broker.flows.canonical import canonical, sha256_of
from broker.flows.judging import Judged
from broker.flows.policy import PolicyInForce
from broker.flows.seeing_match import NOBODY, may_see_by, shows
from broker.protocol.register import Register

SCHEMA = "entry-meeting/v1"
ROOM = 1_020
"""Bytes a `hits` or `shielded` payload of kind `retention` may take: docs/audit-format.md gives it 1,024."""
_OMITTED_ROOM = 110
"""Bytes kept free for the count and hash of what did not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One hit with both decisions on it: what the holder of the new signal sees of it, and what its holder sees."""

    hit: Hit
    sees: Judged | None
    told: Judged | None

    @property
    def key(self) -> tuple[MatchKind, str]:
        """Kind and id of the signal that was hit."""
        return self.hit.kind, self.hit.signal.id

    @property
    def tells_somebody(self) -> bool:
        """Whether either of the two sees the other."""
        return any(one is not None and shows(one) for one in self.sides)

    @property
    def sides(self) -> tuple[Judged | None, Judged | None]:
        """Both decisions, that of the new signal's holder first."""
        return self.sees, self.told

    def entry(self) -> list[object]:
        """Return both decisions in short: with bundle and day of the entry they are made again from the two signals."""
        levels = [part for one in self.sides for part in _short(one)]
        return [self.hit.signal.handle, self.hit.kind.value, *levels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutual:
    """The decisions on everything that a signal met; `kept` are those that stand in the entry, and alone are told."""

    of: Signal | None = None
    kept: tuple[Pair, ...] = ()
    omitted: tuple[Pair, ...] = ()
    failed: bool = False

    @property
    def shown(self) -> frozenset[tuple[MatchKind, str]]:
        """What the holder of the new signal sees."""
        return frozenset(one.key for one in self.kept if one.sees is not None and shows(one.sees))

    @property
    def tells(self) -> frozenset[tuple[MatchKind, str]]:
        """Who sees the new signal."""
        return frozenset(one.key for one in self.kept if one.told is not None and shows(one.told))

    @property
    def leaves_somebody(self) -> bool:
        """Whether somebody is to be told of what did not fit: he is at the next turn."""
        return any(one.tells_somebody for one in self.omitted)

    def payloads(self) -> Mapping[str, Mapping[str, object]]:
        """Return the groups `subject`, `hits` and `shielded` of the entry."""
        handles = [] if self.of is None else [self.of.handle]
        return {
            "subject": {"schema": SCHEMA, "handles": handles},
            "hits": {**self._group(shielded=False), **({"failed": True} if self.failed else {})},
            "shielded": self._group(shielded=True),
        }

    def _group(self, *, shielded: bool) -> dict[str, object]:
        kept, omitted = (
            [one.entry() for one in pairs if _is_shielded(self.of, one) is shielded]
            for pairs in (self.kept, self.omitted)
        )
        group: dict[str, object] = {"schema": SCHEMA, "met": kept}
        if omitted:
            group["omitted"] = {"count": len(omitted), "sha256": sha256_of(omitted)}
        return group


NOTHING = Mutual()
"""Nobody's turn."""


def judge_mutually(
    signal: Signal, hits: Iterable[Hit], *, policy: PolicyInForce, register: Register, day: date
) -> Mutual:
    """Return the decisions for both sides of each hit, as a look of theirs on this day would get them.

    What does not fit the entry is not told now; who is told comes first.

    Raises:
        DecisionFailedError: a decision failed.
    """
    listed = tuple(hits)
    sees = may_see_by(signal, listed, policy=policy, register=register, worker=NOBODY, day=day)
    seen = {(hit.kind, hit.signal.id): one for one in sees for hit in one.hits}
    pairs = []
    for hit in listed:
        back = Hit(kind=hit.kind, signal=signal)
        told = may_see_by(hit.signal, [back], policy=policy, register=register, worker=NOBODY, day=day)
        pairs.append(Pair(hit=hit, sees=seen.get((hit.kind, hit.signal.id)), told=next(iter(told), None)))
    return _fitting(signal, sorted(pairs, key=lambda one: not one.tells_somebody))


def _fitting(signal: Signal, pairs: Iterable[Pair]) -> Mutual:
    frame = len(canonical(NOTHING.payloads()["hits"]))
    room = dict.fromkeys((False, True), ROOM - _OMITTED_ROOM - frame)
    kept: list[Pair] = []
    omitted: list[Pair] = []
    for one in pairs:
        shielded, size = _is_shielded(signal, one), len(canonical(one.entry())) + 1
        fits = size <= room[shielded]
        (kept if fits else omitted).append(one)
        room[shielded] -= size if fits else room[shielded]
    return Mutual(of=signal, kept=tuple(kept), omitted=tuple(omitted))


def _is_shielded(of: Signal | None, pair: Pair) -> bool:
    return pair.hit.signal.shielded or (of is not None and of.shielded)


def _short(judged: Judged | None) -> tuple[object, object]:
    return (0, None) if judged is None else (judged.level, judged.record.get("rule"))
