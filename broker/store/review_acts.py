"""The acts that reviewers read: found by what stands beside the log, opened from it, so that no tick waits for it."""

from collections.abc import Sequence
from typing import Any

from broker.domain.acts import (
    RENEWING,
    Recipient,
    ReviewedAct,
    SearchTerms,
    recipients_in,
    reviewed_act,
    told_of_signal,
)
from broker.log_ports import EntryReader, GroupStatus, OpenedEntry
from broker.review_ports import HouseholdActs, RefusedWithdrawal, SignalCounts
from broker.store.connection import Reader

_ALARMS = frozenset({GroupStatus.MISSING, GroupStatus.MISMATCH})
_OPENED = ("meta", "actor", "subject")

_HOLDS = """EXISTS (SELECT 1 FROM act_handles h JOIN signals t ON t.handle = h.handle
    JOIN signal_tokens x ON x.signal_id = t.id JOIN signal_tokens y ON y.idx = x.idx
    JOIN signals s ON s.id = y.signal_id WHERE h.idx = a.idx AND s.organisation = a.organisation AND {})"""
_SHIELDS = _HOLDS.format("s.shielded")
"""Whether who did act `a` holds a shielded signal on a household that the act concerned (D17)."""
_HIDES = _HOLDS.format("""(s.shielded OR EXISTS (SELECT 1 FROM signal_exclusions e
    WHERE e.signal_id = s.id AND e.organisation = ? AND e.worker = ''))""")
"""The same, or one that this organisation may not see: its reader is to learn of neither (D8)."""
_ACT = "SELECT a.idx, a.organisation, a.controller, a.kind, a.at FROM acts a"
_OWN_OR_CONTROLLED = f"(a.organisation = ? OR (a.controller = ? AND NOT {_HIDES}))"
_ACTS = f"{_ACT} WHERE a.at >= ? AND a.at < ? AND {_OWN_OR_CONTROLLED} ORDER BY a.idx"
_ONE = f"{_ACT} WHERE a.idx = ? AND {_OWN_OR_CONTROLLED}"
_OF_HOUSEHOLD = f"""{_ACT} JOIN act_handles m ON m.idx = a.idx
    WHERE m.handle = ? AND (a.organisation = ? OR NOT {_HIDES}) ORDER BY a.idx"""
_HIDING = """SELECT DISTINCT s.organisation FROM signals t JOIN signal_tokens x ON x.signal_id = t.id
    JOIN signal_tokens y ON y.idx = x.idx JOIN signals s ON s.id = y.signal_id
    WHERE t.handle = ? AND (s.shielded OR EXISTS (SELECT 1 FROM signal_exclusions e
        WHERE e.signal_id = s.id AND e.organisation = ? AND e.worker = ''))"""
"""Who hides a signal on the household of this one from this organisation."""
_OWN_ON = """SELECT a.idx FROM act_handles h JOIN acts a ON a.idx = h.idx
    WHERE h.handle = ? AND a.organisation = ? ORDER BY a.idx DESC"""
_KEPT_FROM = """SELECT DISTINCT s.handle FROM signals s JOIN signal_exclusions e
    ON e.signal_id = s.id AND e.organisation = s.organisation
    WHERE s.organisation = ? AND e.worker IN ('', ?)"""
_COUNTS = """SELECT count(*), coalesce(sum(CASE WHEN informing_state = 'informed' THEN 1 ELSE 0 END), 0),
    coalesce(sum(CASE WHEN informing_state = 'deferred' THEN 1 ELSE 0 END), 0),
    coalesce(sum(CASE WHEN informing_state = 'deferred' AND informing_review_on < ? THEN 1 ELSE 0 END), 0)
    FROM signals WHERE organisation = ? AND state = 'active'"""
_REGISTERED = """SELECT min(h.idx) FROM signals s JOIN act_handles h ON h.handle = s.handle
    JOIN acts a ON a.idx = h.idx AND a.kind = 'signal' AND a.organisation = s.organisation
    WHERE s.organisation = ? AND s.state = 'active' GROUP BY s.id ORDER BY 1"""
_LOOKS = f"""SELECT a.organisation, count(*) FROM acts a
    WHERE a.at >= ? AND a.at < ? AND a.kind IN ('signal', 'check', 'oproep') AND NOT {_SHIELDS}
    GROUP BY a.organisation"""  # noqa: S608 - a condition of ours, no value
_SIGNALS = """SELECT organisation, count(*) FROM signals
    WHERE state = 'active' AND NOT shielded GROUP BY organisation"""


class StoredActs:
    """`ActReader` over a database."""

    def __init__(self, reader: Reader, entries: EntryReader) -> None:
        """Read with these, which the caller closes; best apart from those that ticks wait for."""
        self._reader = reader
        self._entries = entries

    async def acts(self, *, organisation: str, since: int, until: int) -> tuple[ReviewedAct, ...]:
        """Return the acts of an organisation in this time. See `ActReader.acts`."""
        return await self._found(_ACTS, since, until, *[organisation] * 3)

    async def act(self, *, organisation: str, index: int) -> ReviewedAct | None:
        """Return one act. See `ActReader.act`."""
        found = await self._found(_ONE, index, *[organisation] * 3)
        return found[0] if found else None

    async def household(self, *, handle: str, organisation: str) -> HouseholdActs:
        """Return what concerns an own signal. See `ActReader.household`."""
        found = await self._found(_OF_HOUSEHOLD, handle, organisation, organisation)
        others = [act for act in found if act.organisation != organisation]
        told = await self._told([act.index for act in others], handle, organisation)
        own = [act for act in found if act.organisation == organisation]
        return HouseholdActs(
            own=tuple(act for act in own if act.is_found_by(handle)),
            others=tuple(act for act in others if act.index in told),
            told=await self._recipients(own, handle, organisation),
        )

    async def refused_withdrawal(self, *, organisation: str, handle: str) -> RefusedWithdrawal | None:
        """Return the withdrawal that waits for a reviewer. See `ActReader.refused_withdrawal`."""
        indexes = [int(index) for (index,) in await self._rows(_OWN_ON, handle, organisation)]
        # One by one from the newest: the first that is no renewal decides, whatever came before.
        for index in indexes:
            act = await self.act(organisation=organisation, index=index)
            if act is not None and act.waits_to_withdraw:
                return RefusedWithdrawal(act=act, newest=indexes[0])
            if act is None or act.type != RENEWING:
                return None
        return None

    async def signal_ids(self, *, organisation: str, shielded: bool) -> dict[str, str]:
        """Return the ids of own signals by handle. See `ActReader.signal_ids`."""
        query = "SELECT handle, id FROM signals WHERE organisation = ? AND (? OR NOT shielded)"
        return {str(handle): str(signal_id) for handle, signal_id in await self._rows(query, organisation, shielded)}

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[str]:
        """Return the handles of own signals that are kept from a worker. See `ActReader.kept_from`."""
        return frozenset(str(handle) for (handle,) in await self._rows(_KEPT_FROM, organisation, worker))

    async def signal_counts(self, *, organisation: str, today: str) -> SignalCounts:
        """Return how active signals stand. See `ActReader.signal_counts`."""
        ((active, informed, deferred, overdue),) = await self._rows(_COUNTS, today, organisation)
        return SignalCounts(active=int(active), informed=int(informed), deferred=int(deferred), overdue=int(overdue))

    async def registered_by(self, *, organisation: str) -> tuple[str | None, ...]:
        """Return who registered each active signal. See `ActReader.registered_by`."""
        indexes = [int(index) for (index,) in await self._rows(_REGISTERED, organisation)]
        opened = await self._entries.opened(indexes, ("actor",))
        actors = ((entry.payload("actor") or {}).get("worker") for entry in opened)
        return tuple(None if worker is None else str(worker) for worker in actors)

    async def acts_by_organisation(self, *, since: int, until: int) -> dict[str, int]:
        """Return how often each organisation looked. See `ActReader.acts_by_organisation`."""
        return {str(organisation): int(count) for organisation, count in await self._rows(_LOOKS, since, until)}

    async def signals_by_organisation(self) -> dict[str, int]:
        """Return how many active signals each has. See `ActReader.signals_by_organisation`."""
        return {str(organisation): int(count) for organisation, count in await self._rows(_SIGNALS)}

    async def _found(self, query: str, *values: object) -> tuple[ReviewedAct, ...]:
        rows = {int(row[0]): row for row in await self._rows(query, *values)}
        found = []
        for entry in await self._entries.opened(list(rows), _OPENED):
            _, organisation, controller, kind, at = rows[entry.index]
            payloads = {group: payload for group in _OPENED if (payload := entry.payload(group)) is not None}
            found.append(
                reviewed_act(
                    index=entry.index,
                    at=int(at),
                    kind=str(kind),
                    terms=SearchTerms(organisation=organisation, controller=controller),
                    opened=payloads,
                    damaged=any(group.status in _ALARMS for group in entry.groups.values()),
                )
            )
        return tuple(found)

    async def _recipients(
        self, own: Sequence[ReviewedAct], handle: str, organisation: str
    ) -> tuple[Recipient, ...]:  # fmt: skip
        """Return who was told of this signal by these acts of its holder, but for who hides a signal there."""
        hiding = {str(oin) for (oin,) in await self._rows(_HIDING, handle, organisation)}
        at = {act.index: act.at for act in own}
        found = (
            one
            for entry in await self._entries.opened(list(at), ("hits",))
            for one in recipients_in(entry.payload("hits") or {}, index=entry.index, at=at[entry.index], handle=handle)
        )
        return tuple(one for one in found if one.organisation not in hiding)

    async def _told(self, indexes: Sequence[int], handle: str, organisation: str) -> frozenset[int]:
        """Return in which of these acts this signal was let be seen, and its holder stands among who was shown."""
        opened = await self._entries.opened(indexes, ("hits", "meta"))
        return frozenset(entry.index for entry in opened if _tells(entry, handle, organisation))

    async def _rows(self, query: str, *values: object) -> list[Any]:
        return await self._reader.run(lambda connection: connection.execute(query, values).fetchall())


def _tells(entry: OpenedEntry, handle: str, organisation: str) -> bool:
    hits = entry.payload("hits") or {}
    return told_of_signal(hits, entry.payload("meta"), handle=handle, organisation=organisation)
