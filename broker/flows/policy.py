"""The policy in force, as the flows see it. Deciding is pure and happens on the one thread of the event loop (D15).

The log says which bundle is in force: each activation moves the version stamp of the policy, and a decision is made by
the bundle of the version it has read. So nothing is decided with a bundle before its entry is durable, nor with the one
before after it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, Self

from broker.domain.households import FoundToken
from broker.domain.signals import Signal, SignalState
from broker.flows.errors import PolicyExpiredError, PolicyNotHeldError
from broker.ports import Stamp, StampKind
from policies import AskFacts, Bundle, Coordinator, ExpiredBundleError, HitFacts, Permit, Purpose, Refusal, StatedTerm

Decided = Mapping[str, tuple[str, ...]] | None
"""Rule id to the names of the rows it decides."""


class DecisionPoint(Protocol):
    """Answers the two questions of D8; a permit is never the result of a failure."""

    def may_ask(self, facts: AskFacts) -> Permit | Refusal:
        """Return whether this question may be put at all."""

    def may_see(self, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
        """Return whether this asker may be shown this one signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInForce:
    """A bundle to decide with and a decision point over it; nothing of it ever changes.

    Attributes:
        earlier: bundles it can be compared with, by hash; `diffs` are the comparisons made so far.
        tested: which rows of decision tables each rule decides; None where no tables are at hand. Takes a second.
    """

    bundle: Bundle
    decision_point: DecisionPoint
    earlier: Mapping[str, Bundle] = field(default_factory=dict)
    diffs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    tested: Callable[[], Decided] = lambda: None

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        *,
        earlier: Mapping[str, Bundle] | None = None,
        tested: Callable[[], Decided] = lambda: None,
    ) -> Self:
        """Return the policy of a loaded bundle. Raises EngineError: it may not be decided with."""
        return cls(bundle=bundle, decision_point=bundle.decision_point(), earlier=earlier or {}, tested=tested)

    @property
    def sha256(self) -> str:
        """The hex hash of the bundle."""
        return self.bundle.sha256

    @property
    def purposes(self) -> Mapping[str, Purpose]:
        """The purposes table."""
        return self.bundle.purposes

    def decides_personally(self, org_class: str) -> bool:
        """Return whether professionals of such an organisation decide themselves, per person, and never a system."""
        known = self.bundle.classes.get(org_class)
        return known is not None and known.decides_personally

    def medical_secrecy(self, org_class: str) -> str | None:
        """Return the law that binds professionals of such an organisation as it is cited; None where none does."""
        known = self.bundle.classes.get(org_class)
        return known.secrecy if known is not None and known.decides_personally else None

    def holds(self, day: date) -> bool:
        """Return whether there is anything to decide with on this day."""
        try:
            self.bundle.check_in_force(day)
        except ExpiredBundleError:
            return False
        return True

    def check_holds(self, day: date) -> None:
        """Hold only if there is something to decide with on this day. Raises PolicyExpiredError."""
        if not self.holds(day):
            raise PolicyExpiredError

    def state_on(self, signal: Signal, day: date) -> SignalState:
        """Return the state that a signal is in on this day, whether it was swept yet or not.

        Past its last day it has ended; on what has ended it is frozen, and has ended when the document says so.
        """
        if not signal.is_held:
            return signal.state
        if signal.ended_by(day) is not None:
            return SignalState.ENDED
        ended = self.bundle.ended(purpose=signal.purpose, ground=signal.ground, day=day)
        if ended is not None and ended.gone_on <= day:
            return SignalState.ENDED
        return signal.state if self.counts(signal, day=day) else SignalState.FROZEN

    def first_contact_by(self, *, purpose: str, region: str | None, day: date) -> date:
        """Return the last day on which two teams that were told of each other on this day are to have had contact."""
        return self.bundle.follow_up.first_contact_by(day, purpose=purpose, region=region)

    def asked_until(self, *, purpose: str, regions: Iterable[str], day: date) -> date:
        """Return the last day on which holders are asked whether they want to call, from this day on."""
        asked = self.bundle.follow_up.asked_until
        return min(asked(day, purpose=purpose, region=region) for region in (None, *regions))

    def stated_term(self, name: str, *, purpose: str, regions: Iterable[str]) -> StatedTerm:
        """Return what the law and these regions say of a term; of several regions the one that is quickest."""
        law = self.bundle.follow_up.stated(name, purpose=purpose, region=None)
        stated = (self.bundle.follow_up.stated(name, purpose=purpose, region=region) for region in regions)
        own = [one.region for one in stated if one.region is not None]
        return StatedTerm(statute=law.statute, region=min(own, key=lambda term: term.length(), default=None))

    def own_regions(self, purpose: str, side: tuple[str, str], *, day: date) -> tuple[str, ...]:
        """Return the regions an organisation (OIN, class) works in: that of its agreement on this purpose, else all.

        A region without an agreement on a purpose has no parties to it (ADR 18), and has its terms all the same.
        """
        agreed = self.region_of(purpose, [side], day=day)
        if agreed is not None:
            return (agreed,)
        found = {self.region_of(one, [side], day=day) for one in self.bundle.carriers}
        return tuple(sorted(region for region in found if region is not None))

    def region_of(self, purpose: str, sides: Iterable[tuple[str, str]], *, day: date) -> str | None:
        """Return the region in whose agreement on this purpose each (OIN, class) is party; None where there is none."""
        if purpose not in self.bundle.carriers:
            return None
        return self.bundle.region_of(purpose=purpose, sides=sides, day=day)

    def home_of(self, purpose: str, side: tuple[str, str], *, met_in: str | None, day: date) -> str | None:
        """Return the region whose coordinator sees to an organisation (OIN, class); None where that is not clear."""
        return self.bundle.home_of(purpose=purpose, side=side, met_in=met_in, day=day)

    def coordinator_of(self, region: str | None) -> Coordinator | None:
        """Return who sees to it that teams of this region contact each other."""
        return None if region is None else self.bundle.follow_up.coordinators.get(region)

    def coordinates(self, organisation: str) -> bool:
        """Return whether a region's document names this organisation for that."""
        return organisation in {one.organisation for one in self.bundle.follow_up.coordinators.values()}

    def counting(self, found: Iterable[FoundToken], *, day: date) -> tuple[FoundToken, ...]:
        """Return the tokens of signals whose purpose and ground hold on this day: others match and stand for nothing.

        The sweep makes that durable; until it came they are as if it had.
        """
        return tuple(token for token in found if self.counts(token.signal, day=day))

    def counts(self, signal: Signal, *, day: date) -> bool:
        """Return whether the purpose and the ground that a signal rests on hold on this day."""
        return self.bundle.rests_on_what_holds(purpose=signal.purpose, ground=signal.ground, day=day)


class Policies(Protocol):
    """The policy by which something is decided now."""

    @property
    def current(self) -> PolicyInForce:
        """The policy that came into force last."""

    def at(self, stamps: Iterable[Stamp]) -> PolicyInForce:
        """Return the policy of the version among these stamps. Raises PolicyNotHeldError: this process has it not."""


class PoliciesByVersion:
    """The policies of one process: the one in force, and for a moment the one whose entry is being written.

    Swapping is one assignment; a request keeps what it decided with until it is committed or stale.
    """

    def __init__(self) -> None:
        """Hold nothing yet: nothing can be decided."""
        self._held: Mapping[int, PolicyInForce] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no policy came into force in this process yet."""
        return not self._held

    @property
    def current(self) -> PolicyInForce:
        """The policy of the lowest version held: what was in force before what is being written.

        Raises:
            PolicyNotHeldError: none came into force yet.
        """
        if not self._held:
            raise PolicyNotHeldError
        return self._held[min(self._held)]

    def at(self, stamps: Iterable[Stamp]) -> PolicyInForce:
        """Return the policy of the version among these stamps. See `Policies.at`."""
        for stamp in stamps:
            if stamp.of.kind is StampKind.POLICY and stamp.version in self._held:
                return self._held[stamp.version]
        raise PolicyNotHeldError

    def hold(self, version: int, policy: PolicyInForce) -> None:
        """What reads this version decides with this policy, beside what is held already."""
        self._held = {**self._held, version: policy}

    def drop(self, version: int) -> None:
        """The policy of this version never came into force."""
        self._held = {other: policy for other, policy in self._held.items() if other != version}

    def settle(self, version: int) -> None:
        """Only the policy of this version is held."""
        self._held = {version: self._held[version]}
