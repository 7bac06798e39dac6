"""What holders may be told of a signal that came with an import, and how a small entry says so (D2, D8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from broker.domain.households import Hit, MatchKind
from broker.domain.said import Said
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
class Holder:
    """One hit with the decision on what its holder sees of the imported signal; none where he may not act."""

    hit: Hit
    judged: Judged | None

    @property
    def told(self) -> bool:
        """Whether he sees the imported signal."""
        return self.judged is not None and shows(self.judged)

    def entry(self) -> list[object]:
        """Return the decision in short: with bundle and day of the entry it is made again from the two signals."""
        level, rule = (0, None) if self.judged is None else (self.judged.level, self.judged.record.get("rule"))
        return [self.hit.signal.handle, self.hit.kind.value, level, rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken:
    """The decisions on everything that a signal met; `kept` are those that stand in the entry, and alone are told."""

    of: Signal | None = None
    kept: tuple[Holder, ...] = ()
    omitted: tuple[Holder, ...] = ()
    failed: bool = False

    @property
    def tells(self) -> frozenset[tuple[MatchKind, str]]:
        """Who is told of the signal, by kind and id of his own."""
        return frozenset((one.hit.kind, one.hit.signal.id) for one in self.kept if one.told)

    @property
    def leaves_somebody(self) -> bool:
        """Whether somebody is to be told of what did not fit: he is at the next turn."""
        return any(one.told for one in self.omitted)

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
            [one.entry() for one in holders if _is_shielded(self.of, one) is shielded]
            for holders in (self.kept, self.omitted)
        )
        group: dict[str, object] = {"schema": SCHEMA, "met": kept}
        if omitted:
            group["omitted"] = {"count": len(omitted), "sha256": sha256_of(omitted)}
        return group


NOTHING = TurnTaken()
"""Nobody's turn."""


def judge_turn(
    signal: Signal, hits: Iterable[Hit], *, said: Said, policy: PolicyInForce, register: Register, day: date
) -> TurnTaken:
    """Return the decision for the holder of each hit, as a look of his on this day would get it.

    The other way round nothing is decided: an import is no look, and whoever imported it looks himself, within his
    budget (D2). What does not fit the entry is not told now; who is told comes first.

    Raises:
        DecisionFailedError: a decision failed.
    """
    holders = []
    for hit in hits:
        back = Hit(kind=hit.kind, signal=signal)
        judged = may_see_by(hit.signal, [back], said=said, policy=policy, register=register, worker=NOBODY, day=day)
        holders.append(Holder(hit=hit, judged=next(iter(judged), None)))
    return _fitting(signal, sorted(holders, key=lambda one: not one.told))


def _fitting(signal: Signal, holders: Iterable[Holder]) -> TurnTaken:
    frame = len(canonical(NOTHING.payloads()["hits"]))
    room = dict.fromkeys((False, True), ROOM - _OMITTED_ROOM - frame)
    kept: list[Holder] = []
    omitted: list[Holder] = []
    for one in holders:
        shielded, size = _is_shielded(signal, one), len(canonical(one.entry())) + 1
        fits = size <= room[shielded]
        (kept if fits else omitted).append(one)
        room[shielded] -= size if fits else room[shielded]
    return TurnTaken(of=signal, kept=tuple(kept), omitted=tuple(omitted))


def _is_shielded(of: Signal | None, holder: Holder) -> bool:
    return holder.hit.signal.shielded or (of is not None and of.shielded)
