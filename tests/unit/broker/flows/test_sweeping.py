"""Ending signals whose last day has passed: recorded, once, and known to the holder alone."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from broker.api.housekeeping import Housekeeping, Overdue
from broker.domain.changes import ForgetTickets, RenewSignal, Task
from broker.domain.erasures import KEPT_S, EntryRange
from broker.domain.errors import NotFoundError, StaleDecisionError
from broker.domain.keeping import ForgetRows, TellOver
from broker.domain.signals import Signal, SignalState
from broker.flows import sweep_signals as sweeping
from broker.ports import Proposal
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, held_in, log_size, matches_of, shield, signals_of, tasks_of
from tests.simulators.clock import SeededRandomness
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.proposals import committed
from tests.simulators.retention_oracle import entries_of

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())
DAY = 86_400
MIEKE = {"purpose": "verwijsindex", "ground": "JW-7.1.4.1"}


async def _registered(world: World, oin: str = GI, name: str = "child", *, ends_on: str = "2026-11-23") -> str:
    answer = await world.register(world.asker(oin, seed=name), household(subject=name), endsOn=ends_on)
    return str(answer.result["signalId"])


async def _states(world: World, oin: str = GI) -> dict[str, str]:
    listed = signals_of(await world.list(world.asker(oin, seed=f"list {world.clock.now()}")))
    return {str(signal["signalId"]): str(signal["state"]) for signal in listed}


async def test_a_signal_past_its_last_day_is_ended_and_its_holder_told(world: World, tmp_path: Path) -> None:
    """The day after its last day it is swept: state, one entry that names its handle, and a task for the holder."""
    ending, staying = await _registered(world), await _registered(world, name="other", ends_on="2027-06-01")
    world.clock.move(2 * DAY)
    swept = await world.sweep()
    assert (swept.day, swept.expiry, swept.age, swept.recorded, swept.more) == (date(2026, 11, 24), 1, 0, True, False)
    task = Task(kind="signal-ended", organisation=GI, due_on=swept.day, signal_id=ending)
    assert tasks_of(world) == [task]
    (entry,) = await entries_of(world, tmp_path / "kek")
    assert entry.payloads["meta"]["type"] == "sweep_signals"
    assert entry.payloads["meta"]["day"] == "2026-11-24"
    assert entry.payloads["actor"] == {"schema": "entry-actor/v1", "organisation": None, "role": "housekeeping"}
    assert len(entry.payloads["subject"]["expiry"]) == 1
    assert ending not in str(entry.payloads)
    assert await _states(world) == {ending: "ended", staying: "active"}


async def test_the_last_day_is_a_whole_day(world: World) -> None:
    """On its last day a signal is matched and not swept, however often."""
    await _registered(world)
    world.clock.move(DAY)
    assert not (await world.sweep()).recorded
    assert (await world.register(world.asker(WIJKTEAM), household(subject="child"))).result["outcome"] == "shown"


async def test_a_clock_ends_nothing_later_than_is_vouched_for(world: World) -> None:
    """A clock days ahead ends no signal and forgets no ticket that still counted when somebody vouched for the time."""
    ending, running = await _registered(world), await _registered(world, name="other", ends_on="2026-11-25")
    vouched_at = world.clock.now() + 2 * DAY
    world.clock.move(60 * DAY)
    swept = await world.sweep(vouched_at=vouched_at)
    assert (swept.day, swept.expiry, swept.tickets, swept.more) == (date(2026, 11, 24), 1, 0, False)
    world.clock.move(-58 * DAY)
    assert await _states(world) == {ending: "ended", running: "active"}
    assert not (await world.sweep(vouched_at=vouched_at + 60 * DAY)).recorded


async def test_a_second_sweep_finds_nothing_and_writes_nothing(world: World) -> None:
    """Run twice, the second time changes no state, adds no entry and no task."""
    await _registered(world)
    world.clock.move(2 * DAY)
    await world.sweep()
    size = await log_size(world)
    again = await world.sweep()
    assert (again.recorded, again.expiry, await log_size(world), len(tasks_of(world))) == (False, 0, size, 1)


async def test_a_swept_signal_is_gone_for_everybody(world: World) -> None:
    """Nobody finds it, its holder neither renews nor withdraws it, and it bars no new one."""
    signal_id = await _registered(world)
    world.clock.move(2 * DAY)
    await world.sweep()
    asker = world.asker(GI, seed="later")
    for act in (world.withdraw(asker, signal_id), world.renew(asker, signal_id, "2027-01-01")):
        with pytest.raises(NotFoundError):
            await act
    assert (await world.register(world.asker(WIJKTEAM), household(subject="child"))).result["outcome"] == "nothing"
    assert matches_of(await world.register(asker, household(subject="child")))


async def test_a_list_says_ended_before_the_sweep_came(world: World) -> None:
    """Past its last day the holder's list says that a signal has ended, swept or not."""
    signal_id = await _registered(world)
    world.clock.move(2 * DAY)
    assert await _states(world) == {signal_id: "ended"}


async def test_a_signal_that_an_age_bounds_ends_by_age(world: World, tmp_path: Path) -> None:
    """Where the last day is the first of the quarter of the birthday, the entry says that age ended it."""
    asker = world.asker(GI, **MIEKE)
    youth = {
        "ageQuarter": "2027-01-01",
        "endsOn": "2027-01-01",
        "assessment": {"on": "2026-11-20", "by": "worker-1000"},
        "informing": {"state": "informed", "reason": None, "reviewOn": None},
    }
    await world.register(asker, CHILD, **youth)
    world.clock.move(41 * DAY)
    swept = await world.sweep()
    assert (swept.day, swept.expiry, swept.age) == (date(2027, 1, 2), 0, 1)
    (entry,) = await entries_of(world, tmp_path / "kek")
    assert (len(entry.payloads["subject"]["age"]), entry.payloads["subject"]["expiry"]) == (1, [])


async def test_a_shielded_signal_stands_in_its_own_group(world: World, tmp_path: Path) -> None:
    """What ended and was shielded opens with `shielded` only; the entry has the same shape without any."""
    ending, hidden = await _registered(world), await _registered(world, name="hidden")
    await shield(world, hidden)
    world.clock.move(2 * DAY)
    assert (await world.sweep()).expiry == 2
    (entry,) = await entries_of(world, tmp_path / "kek")
    assert (len(entry.handles("subject")), len(entry.handles("shielded"))) == (1, 1)
    groups = entry.payloads["subject"], entry.payloads["shielded"]
    assert set(groups[0]) == set(groups[1]) == {"schema", "expiry", "age", "rules", "consent", "frozen"}
    assert await _states(world) == {ending: "ended", hidden: "ended"}


async def test_an_entry_at_every_pace_says_nothing(world: World) -> None:
    """The entry that is written anyhow is there whether nothing, a signal or a shielded one ended: one leaf each."""
    grown = []
    for name in ("", "seen", "hidden"):
        signal_id = ""
        if name:
            signal_id = await _registered(world, name=name, ends_on=world.clock.today().isoformat())
        if name == "hidden":
            await shield(world, signal_id)
        world.clock.move(2 * DAY)
        before = await log_size(world)
        await world.sweep(always_recorded=True)
        grown.append(await log_size(world) - before)
    assert grown == [1, 1, 1]


async def test_many_signals_end_in_small_entries(world: World, tmp_path: Path) -> None:
    """An entry ends no more than was allowed, and says that more may be left until none is."""
    for number in range(5):
        await _registered(world, name=f"child {number}")
    world.clock.move(2 * DAY)
    swept = [await world.sweep(at_most=2) for _ in range(3)]
    assert [(one.expiry, one.more) for one in swept] == [(2, True), (2, True), (1, False)]
    assert [len(entry.handles("subject")) for entry in await entries_of(world, tmp_path / "kek")] == [2, 2, 1]


async def test_the_largest_entry_fits(world: World, tmp_path: Path) -> None:
    """So many handles as an entry may name fit its payloads, shielded or not."""
    for number in range(sweeping.MAX_SIGNALS):
        await _registered(world, name=f"child {number}")
    world.clock.move(2 * DAY)
    assert (await world.sweep()).expiry == sweeping.MAX_SIGNALS
    handles = (await entries_of(world, tmp_path / "kek"))[0].handles("subject")
    assert len(set(handles)) == sweeping.MAX_SIGNALS


async def test_a_signal_renewed_meanwhile_stays(world: World, tmp_path: Path) -> None:
    """A renewal that came between reading and committing wins: what was due is read anew."""
    signal_id = await _registered(world)
    world.clock.move(2 * DAY)
    real = world.retention

    class Renewing:
        """A reading after which the signal is renewed, once."""

        renewed = False

        async def due(self, *, day: date, at_most: int) -> tuple[Signal, ...]:
            found = await real.due(day=day, at_most=at_most)
            if not self.renewed:
                self.renewed = True
                change = RenewSignal(signal_id=signal_id, ends_on=date(2027, 6, 1))
                await committed(world.log, Proposal(kind="signal", payloads={}, changes=(change,)))
            return found

        async def resting_on(
            self, pairs: Collection[tuple[str, str]], *, state: SignalState, at_most: int
        ) -> tuple[Signal, ...]:
            return await real.resting_on(pairs, state=state, at_most=at_most)

        async def forgettable_tickets(self, *, expired_before: int, at_most: int) -> tuple[tuple[str, str], ...]:
            return await real.forgettable_tickets(expired_before=expired_before, at_most=at_most)

        async def forgettable_chunks(self, *, before: date, at_most: int) -> tuple[tuple[str, str, str], ...]:
            return await real.forgettable_chunks(before=before, at_most=at_most)

        async def overdue_rows(self, *, day: date, now: int, at_most: int) -> tuple[ForgetRows | TellOver, ...]:
            return await real.overdue_rows(day=day, now=now, at_most=at_most)

        async def expired_payloads(self, *, written_before: int) -> tuple[EntryRange, ...]:
            return await real.expired_payloads(written_before=written_before)

        async def newest_act_at(self) -> int | None:
            return await real.newest_act_at()

    world.retention = Renewing()
    assert not (await world.sweep()).recorded
    assert await _states(world) == {signal_id: "active"}
    assert await entries_of(world, tmp_path / "kek") == []


async def test_what_keeps_moving_is_not_done(world: World, tmp_path: Path) -> None:
    """When what is due cannot be ended as it was read, nothing is, and it is said."""
    await _registered(world)
    world.clock.move(2 * DAY)
    real = world.retention

    class Outdated:
        """A reading that is always behind."""

        async def due(self, *, day: date, at_most: int) -> tuple[Signal, ...]:
            found = await real.due(day=day, at_most=at_most)
            return tuple(replace(signal, ends_on=date(2026, 11, 1)) for signal in found)

        async def resting_on(
            self, pairs: Collection[tuple[str, str]], *, state: SignalState, at_most: int
        ) -> tuple[Signal, ...]:
            return await real.resting_on(pairs, state=state, at_most=at_most)

        async def forgettable_tickets(self, *, expired_before: int, at_most: int) -> tuple[tuple[str, str], ...]:
            return await real.forgettable_tickets(expired_before=expired_before, at_most=at_most)

        async def forgettable_chunks(self, *, before: date, at_most: int) -> tuple[tuple[str, str, str], ...]:
            return await real.forgettable_chunks(before=before, at_most=at_most)

        async def overdue_rows(self, *, day: date, now: int, at_most: int) -> tuple[ForgetRows | TellOver, ...]:
            return await real.overdue_rows(day=day, now=now, at_most=at_most)

        async def expired_payloads(self, *, written_before: int) -> tuple[EntryRange, ...]:
            return await real.expired_payloads(written_before=written_before)

        async def newest_act_at(self) -> int | None:
            return await real.newest_act_at()

    world.retention = Outdated()
    with pytest.raises(StaleDecisionError):
        await world.sweep()
    assert (tasks_of(world), await entries_of(world, tmp_path / "kek")) == ([], [])


async def test_spent_tickets_are_forgotten_when_nothing_can_present_them(world: World, tmp_path: Path) -> None:
    """Thirty days after its end a spent ticket is deleted, a day earlier it is not, and the entry counts it."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    await world.send_registration(asker, body)
    world.clock.move(600 + sweeping.TICKETS_KEPT_S)
    assert not (await world.sweep()).recorded
    world.clock.move(1)
    swept = await world.sweep()
    assert (swept.tickets, swept.expiry, swept.recorded) == (2, 0, True)
    assert (await entries_of(world, tmp_path / "kek"))[0].payloads["meta"]["tickets"] == 2
    now = world.clock.now()
    assert await world.retention.forgettable_tickets(expired_before=now, at_most=9) == ()


async def test_forgetting_a_ticket_leaves_the_others(world: World) -> None:
    """Only the tickets that are named are deleted."""
    asker = world.asker(GI)
    await world.send_registration(asker, asker.registration(CHILD))
    now = world.clock.now() + 1000
    first, second = await world.retention.forgettable_tickets(expired_before=now, at_most=9)
    change = ForgetTickets(tickets=(first,))
    await committed(world.log, Proposal(kind="retention", payloads={}, changes=(change,)))
    assert await world.retention.forgettable_tickets(expired_before=now, at_most=9) == (second,)


async def test_housekeeping_vouches_for_no_clock(world: World) -> None:
    """The newest act is one that a partner asked for; entries of housekeeping do not count as such."""
    assert await world.retention.newest_act_at() is None
    await _registered(world)
    asked_at = world.clock.now()
    world.clock.move(2 * DAY)
    await world.sweep()
    assert await world.retention.newest_act_at() == asked_at


async def test_retention_that_falls_behind_is_said(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a paced sweep left something older than its term the operator reads it; kept answers go as well."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    await world.send_registration(asker, body)
    world.clock.move(KEPT_S + 2)
    await world.register(world.asker(WIJKTEAM), CHILD, endsOn="2032-06-01")

    async def nothing() -> dict[str, object]:
        return {}

    overdue = Overdue(
        registers=world.documents, matches=world.following.matches, tasks=world.following.tasks,
        consents=world.consents, randomness=SeededRandomness(3),
    )  # fmt: skip
    house = Housekeeping(
        folder=tmp_path, policies=world.policies, renewal=nothing, clock=world.clock, signals=world.signals,
        retention=world.retention, keys=world.keys, following=overdue, log=world.log,
    )  # fmt: skip
    monkeypatch.setattr("broker.api.housekeeping.MAX_EXPIRED", 1)
    assert await house.sweep_once()
    assert [record.message for record in caplog.records if "older than its term" in record.message]
    caplog.clear()
    assert await house.sweep_once()
    assert not [record for record in caplog.records if "older than its term" in record.message]
    assert await world.answers.find(organisation=GI, idempotency_key=body["idempotencyKey"]) is None


async def test_a_key_that_a_thief_deleted_stops_no_sweep(world: World) -> None:
    """After its term everything is erased but the group that is an alarm; ends of signals and retention go on."""
    if isinstance(world.ledger, MemoryBroker):
        return
    ending = await _registered(world)
    with held_in(world).session() as connection:
        connection.execute("DELETE FROM log_payload_keys WHERE idx = 0 AND grp = 'hits'")
    world.clock.move(KEPT_S + DAY)
    assert (await world.sweep()).expiry == 1
    assert await _states(world) == {ending: "ended"}
    with held_in(world).session() as connection:
        left = connection.execute("SELECT grp FROM log_payloads WHERE idx = 0").fetchall()
    assert left == [("hits",)]


async def test_what_cannot_be_erased_for_its_age_holds_up_no_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it goes on being stale it is left out at last, so that a signal ends on its day all the same."""
    ending = await _registered(world)
    world.clock.move(2 * DAY)

    async def gone(_: object, *, written_before: int) -> tuple[EntryRange, ...]:
        del written_before
        return (EntryRange(first=900, last=900, groups=("hits",)),)

    monkeypatch.setattr(type(world.retention), "expired_payloads", gone)
    assert (await world.sweep()).expiry == 1
    assert await _states(world) == {ending: "ended"}
