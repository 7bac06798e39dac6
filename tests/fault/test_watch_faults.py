"""A custodian that fails in the middle of a look, at every one of its writes: nothing half seen, nothing lost."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from broker.custodian import monitor
from broker.custodian.monitor import keep_own_log
from broker.custodian.store import Store
from tests.simulators.custodian import batch
from tests.simulators.watched_broker import WatchedWorld, open_watching, watched_pair


class Broken:
    """Makes one statement of the store fail, before it is carried out or after; counts how many there were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.after = False
        self._real = Store.change

        def change(store: Store, statement: str, *values: Any) -> int:  # noqa: ANN401 - what SQLite takes
            return self._change(store, statement, *values)

        monkeypatch.setattr(Store, "change", change)

    def arm(self, place: int, *, after: bool) -> None:
        """The statement at this place fails."""
        self.left, self.after = place, after

    @property
    def struck(self) -> bool:
        """Whether it failed."""
        return self.left == -1

    def _change(self, store: Store, statement: str, *values: Any) -> int:  # noqa: ANN401 - what SQLite takes
        if self.left < 0:
            return self._real(store, statement, *values)
        self.left -= 1
        if self.left >= 0:
            return self._real(store, statement, *values)
        if self.after:
            self._real(store, statement, *values)
        raise sqlite3.OperationalError("disk I/O error")


async def _act(world: WatchedWorld) -> None:
    """One ticket comes back, one does not, and one is unknown."""
    tickets = world.tickets(body=batch())
    world.broker.cite(tickets)
    world.broker.cite([(name, "0" * 32) for name, _ in tickets])
    world.tickets(body=batch())
    world.clock.pass_seconds(1501)


@pytest.mark.parametrize("after", [False, True])
async def test_a_look_that_fails_at_any_write_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    """Whichever write fails, the look after it ends with exactly what an undisturbed one has."""
    broken, place, outcomes, struck = Broken(monkeypatch), 0, set(), True
    with watched_pair(tmp_path) as world, closing(sqlite3.connect(":memory:")) as before:
        await _act(world)
        await keep_own_log(world.monitors[0])
        connection = world.pair.custodians[0].store._connection
        connection.backup(before)
        while struck:
            place += 1
            before.backup(connection)
            broken.arm(place, after=after)
            await world.look()
            struck = broken.struck
            broken.arm(-1, after=False)
            await world.look()
            outcomes.add((tuple(world.matched()), tuple(sorted(world.findings()))))
    assert place > 10
    assert [(matched, [kind for kind, _ in found]) for matched, found in outcomes] == [
        ((0, None), ["never-issued", "unspent"])
    ]


async def test_a_custodian_that_was_killed_between_two_pages_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart only what was not seen is asked for, and nothing is told twice."""
    with watched_pair(tmp_path) as world:
        for _ in range(3):
            await _act(world)
        monkeypatch.setattr(monitor, "MAX_PAGES", 1)
        await world.look()
        partners, broker, epoch = world.partners, world.broker, world.pair.epoch_text
    monkeypatch.undo()
    asked = len(broker.asked)
    with open_watching(tmp_path, epoch, partners, broker) as world:
        await world.look()
        await world.look()
        found = [kind for kind, _ in world.findings()]
    assert broker.asked[asked].endswith("after=4")
    assert sorted(found) == ["never-issued"] * 3 + ["unspent"] * 3
