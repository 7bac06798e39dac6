"""Signals and matches that stand in a test, read as the stores are: for what is judged without a store."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from broker.domain.households import TokenIndex
from broker.domain.matches import KeptMatch
from broker.domain.signals import Signal
from broker.match_ports import FoundMatches, Unmet
from broker.ports import LookUp, OwnSignal, Stamp, StampKey, StampKind
from tests.simulators.proposals import an_index


def shield_stamp(signal: Signal, version: int = 1) -> Stamp:
    """Return the stamp of what may be seen of this signal."""
    return Stamp(of=StampKey(kind=StampKind.SHIELD, key=signal.id.encode()), version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSignals:
    """A `SignalStore`: these signals, each about a person of its own; every key is at version 1 but for those named.

    `asked` fills itself with the keys whose stamps were read.
    """

    signals: tuple[Signal, ...] = ()
    versions: Mapping[StampKey, int] = field(default_factory=dict)
    asked: list[StampKey] = field(default_factory=list)

    async def look_up(self, indexes: Collection[TokenIndex]) -> LookUp:
        """See `SignalStore.look_up`: nobody looks up here."""
        del indexes
        return LookUp(found=(), stamps=())

    async def own_on(self, *, organisation: str, purpose: str | None, indexes: Collection[TokenIndex]) -> LookUp:
        """See `SignalStore.own_on`: nobody looks up here."""
        del organisation, purpose, indexes
        return LookUp(found=(), stamps=())

    async def own(self, *, organisation: str, signal_id: str) -> OwnSignal | None:
        """See `SignalStore.own`."""
        for one in self.signals:
            if (one.organisation, one.id) == (organisation, signal_id):
                stamp = shield_stamp(one)
                stamp = Stamp(of=stamp.of, version=self.versions.get(stamp.of, 1))
                return OwnSignal(signal=one, stamps=(stamp,), subject=an_index(one.id))
        return None

    async def list_own(
        self, *, organisation: str, after: str | None = None, at_most: int | None = None
    ) -> tuple[Signal, ...]:
        """See `SignalStore.list_own`."""
        own = [one for one in self.signals if one.organisation == organisation and (after is None or one.id > after)]
        return tuple(sorted(own, key=lambda one: one.id)[:at_most])

    async def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """See `SignalStore.stamps`."""
        self.asked.extend(keys)
        return tuple(Stamp(of=key, version=self.versions.get(key, 1)) for key in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMatches:
    """A `MatchReader`: these matches by their ids, each with this stamp; lists and turns are nobody's."""

    matches: tuple[KeptMatch, ...] = ()
    stamp: Stamp = field(
        default_factory=lambda: Stamp(of=StampKey(kind=StampKind.REQUEST, key=b"the matches"), version=1)
    )

    async def one(self, match_id: str) -> FoundMatches:
        """See `MatchReader.one`."""
        return await self.among([match_id])

    async def among(self, match_ids: Collection[str]) -> FoundMatches:
        """See `MatchReader.among`."""
        found = tuple(one for one in self.matches if one.id in match_ids)
        return FoundMatches(matches=found, stamps=(self.stamp,))

    async def touching(self, signal_ids: Collection[str]) -> FoundMatches:
        """See `MatchReader.touching`."""
        found = tuple(one for one in self.matches if {signal.id for signal in one.common()} & set(signal_ids))
        return FoundMatches(matches=found, stamps=(self.stamp,))

    async def next_unmet(self, *, after: str) -> Unmet | None:
        """See `MatchReader.next_unmet`."""
        del after
        return None

    async def of_side(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """See `MatchReader.of_side`."""
        del organisation, after, at_most
        return FoundMatches(matches=(), stamps=())

    async def coordinated_by(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """See `MatchReader.coordinated_by`."""
        del organisation, after, at_most
        return FoundMatches(matches=(), stamps=())

    async def overdue(self, *, day: date, after: tuple[str, str], at_most: int) -> FoundMatches:
        """See `MatchReader.overdue`."""
        del day, after, at_most
        return FoundMatches(matches=(), stamps=())
