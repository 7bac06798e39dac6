"""The memory twin of what reviewers read: acts, notes and checkpoints of a broker that lives in memory."""

from audit.entry import Leaf
from audit.merkle import root_at
from broker.domain.acts import RENEWING, Recipient, ReviewedAct, recipients_in, reviewed_act, told_of_signal
from broker.domain.review import KeptNote
from broker.domain.signals import Exclusion, Signal, SignalState
from broker.log_ports import GroupStatus, OpenedEntry
from broker.review_ports import HouseholdActs, RefusedWithdrawal, Seed, SignalCounts
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.memory_entries import MemoryEntries

_OPENED = ("meta", "actor", "subject")


class MemoryReview:
    """`ActReader`, `NoteReader` and `CheckpointReader` over the memory of a broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._entries = MemoryEntries(broker)

    async def acts(self, *, organisation: str, since: int, until: int) -> tuple[ReviewedAct, ...]:
        """See `ActReader.acts`."""
        chosen = [
            index
            for index, (_, _, at) in self._broker.state.acts.items()
            if since <= at < until and self._visible(index, organisation)
        ]
        return await self._acts(chosen)

    async def act(self, *, organisation: str, index: int) -> ReviewedAct | None:
        """See `ActReader.act`."""
        if index not in self._broker.state.acts or not self._visible(index, organisation):
            return None
        return (await self._acts([index]))[0]

    async def household(self, *, handle: str, organisation: str) -> HouseholdActs:
        """See `ActReader.household`."""
        acts = self._broker.state.acts
        touching = [index for index, (terms, _, _) in acts.items() if handle in terms.handles]
        own = [index for index in touching if acts[index][0].organisation == organisation]
        others = [index for index in touching if index not in own and not self._shields(index, organisation)]
        opened = await self._entries.opened(others, ("hits", "meta"))
        told = {entry.index for entry in opened if _tells(entry, handle, organisation)}
        extracts = tuple(act for act in await self._acts(others) if act.index in told)
        own_acts = tuple(act for act in await self._acts(own) if act.is_found_by(handle))
        return HouseholdActs(own=own_acts, others=extracts, told=await self._recipients(own, handle, organisation))

    async def _recipients(self, own: list[int], handle: str, organisation: str) -> tuple[Recipient, ...]:
        """Return who was told of a signal by these acts, but for who hides one on a token of it."""
        barred, tokens = Exclusion(organisation=organisation, worker=None), self._broker.state.tokens
        indexes = {token.index for one in self._signals() if one.handle == handle for token in tokens[one.id]}
        hiding = {
            one.organisation
            for one in self._signals()
            if (one.shielded or barred in one.exclusions) and indexes & {token.index for token in tokens[one.id]}
        }
        acts = self._broker.state.acts
        found = [
            recipient
            for entry in await self._entries.opened(own, ("hits",))
            for recipient in recipients_in(
                entry.payload("hits") or {}, index=entry.index, at=acts[entry.index][2], handle=handle
            )
        ]
        return tuple(one for one in found if one.organisation not in hiding)

    async def refused_withdrawal(self, *, organisation: str, handle: str) -> RefusedWithdrawal | None:
        """See `ActReader.refused_withdrawal`."""
        acts = self._broker.state.acts.items()
        own = [index for index, (terms, _, _) in acts if handle in terms.handles and terms.organisation == organisation]
        done = [act for act in await self._acts(sorted(own)) if act.type != RENEWING]
        if not done or not done[-1].waits_to_withdraw:
            return None
        return RefusedWithdrawal(act=done[-1], newest=max(own))

    async def signal_ids(self, *, organisation: str, shielded: bool) -> dict[str, str]:
        """See `ActReader.signal_ids`."""
        own = [signal for signal in self._signals() if signal.organisation == organisation]
        return {signal.handle: signal.id for signal in own if shielded or not signal.shielded}

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[str]:
        """See `ActReader.kept_from`."""
        own = [signal for signal in self._signals() if signal.organisation == organisation]
        return frozenset(signal.handle for signal in own if signal.hidden_from(worker))

    async def signal_counts(self, *, organisation: str, today: str) -> SignalCounts:
        """See `ActReader.signal_counts`."""
        active = [one for one in self._active() if one.organisation == organisation]
        informing = [one.informing for one in active if one.informing is not None]
        deferred = [one for one in informing if one.state == "deferred"]
        overdue = [one for one in deferred if one.review_on is not None and one.review_on.isoformat() < today]
        informed = sum(one.state == "informed" for one in informing)
        return SignalCounts(active=len(active), informed=informed, deferred=len(deferred), overdue=len(overdue))

    async def registered_by(self, *, organisation: str) -> tuple[str | None, ...]:
        """See `ActReader.registered_by`."""
        handles = [signal.handle for signal in self._active() if signal.organisation == organisation]
        first = []
        for handle in handles:
            acts = self._broker.state.acts.items()
            first += [
                min(index for index, (terms, kind, _) in acts if handle in terms.handles and kind == "signal"
                    and terms.organisation == organisation)
            ]  # fmt: skip
        return tuple(act.worker for act in await self._acts(first))

    async def acts_by_organisation(self, *, since: int, until: int) -> dict[str, int]:
        """See `ActReader.acts_by_organisation`."""
        found: dict[str, int] = {}
        for index, (terms, kind, at) in self._broker.state.acts.items():
            if since <= at < until and kind in {"signal", "check"} and not self._shields(index):
                found[terms.organisation] = found.get(terms.organisation, 0) + 1
        return found

    async def signals_by_organisation(self) -> dict[str, int]:
        """See `ActReader.signals_by_organisation`."""
        found: dict[str, int] = {}
        for signal in self._active():
            if not signal.shielded:
                found[signal.organisation] = found.get(signal.organisation, 0) + 1
        return found

    async def notes(self, *, organisation: str, kind: str, about: str | None = None) -> tuple[KeptNote, ...]:
        """See `NoteReader.notes`."""
        return tuple(
            kept
            for kept in self._broker.state.notes
            if (kept.note.organisation, kept.note.kind) == (organisation, kind) and about in (None, kept.note.about)
        )

    async def first_cosigned(self, *, since: int, until: int) -> Seed | None:
        """See `CheckpointReader.first_cosigned`; nobody watches, and that is enough."""
        log = self._broker.log
        times = [Leaf.parse(leaf).time for leaf in log.leaves]
        for size in sorted(log.notes):
            if size and since <= times[size - 1] < until:
                return Seed(size=size, note=log.notes[size])
        return None

    async def has_head(self, *, size: int, root: str) -> bool:
        """See `CheckpointReader.has_head`."""
        return size <= len(self._broker.log.leaves) and root_at(self._broker.log, size).hex() == root

    def _signals(self) -> list[Signal]:
        return list(self._broker.state.signals.values())

    def _active(self) -> list[Signal]:
        return [signal for signal in self._signals() if signal.state is SignalState.ACTIVE]

    def _visible(self, index: int, organisation: str) -> bool:
        terms, _, _ = self._broker.state.acts[index]
        return terms.organisation == organisation or (
            terms.controller == organisation and not self._shields(index, organisation)
        )

    def _shields(self, index: int, reader: str | None = None) -> bool:
        """Return whether who acted hides a signal on one of the tokens of the signals it concerned."""
        barred = None if reader is None else Exclusion(organisation=reader, worker=None)
        terms, _, _ = self._broker.state.acts[index]
        tokens = self._broker.state.tokens
        touched = {signal.id for signal in self._signals() if signal.handle in terms.handles}
        indexes = {token.index for signal_id in touched for token in tokens[signal_id]}
        return any(
            (signal.shielded or barred in signal.exclusions) and signal.organisation == terms.organisation
            for signal in self._signals()
            if indexes & {token.index for token in tokens[signal.id]}
        )

    async def _acts(self, indexes: list[int]) -> tuple[ReviewedAct, ...]:
        found = []
        for entry in await self._entries.opened(indexes, _OPENED):
            terms, kind, at = self._broker.state.acts[entry.index]
            opened = {group: payload for group in _OPENED if (payload := entry.payload(group)) is not None}
            alarms = {GroupStatus.MISSING, GroupStatus.MISMATCH}
            damaged = any(group.status in alarms for group in entry.groups.values())
            found.append(
                reviewed_act(index=entry.index, at=at, kind=kind, terms=terms, opened=opened, damaged=damaged)
            )  # fmt: skip
        return tuple(found)


def _tells(entry: OpenedEntry, handle: str, organisation: str) -> bool:
    hits = entry.payload("hits") or {}
    return told_of_signal(hits, entry.payload("meta"), handle=handle, organisation=organisation)
