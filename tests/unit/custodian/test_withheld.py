"""An `actor` that an entry of the log erased is not withheld; one that nothing erased is told to everybody (D2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.believed import KEPT_S
from audit.entry import Opening
from broker.custodian import followed, withheld
from tests.simulators.watched_broker import WatchedWorld, watched_pair


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Hold two custodians that watch one log."""
    with watched_pair(tmp_path) as made:
        yield made


def _range(first: int, last: int, *groups: str) -> dict[str, object]:
    return {"from": first, "to": last, "groups": list(groups or ("actor",))}


async def test_who_follows_anew_does_not_accuse_an_erasure(world: WatchedWorld) -> None:
    """A new custodian meets entries whose actor was erased, pages before the entry that says so: no finding."""
    cited = [world.broker.cite(world.tickets()) for _ in range(5)]
    world.broker.erase("erasure", [_range(cited[0], cited[2], "meta", "actor")], actors=cited[:3])
    await world.look()
    assert world.findings() == []
    assert world.pair.custodians[0].store.rows("SELECT * FROM withheld") == []


async def test_an_erasure_after_the_fact_changes_nothing(world: WatchedWorld) -> None:
    """What was seen open before it was erased stays matched, and the erasure is no finding."""
    index = world.broker.cite(world.tickets())
    await world.look()
    world.broker.erase("erasure", [_range(index, index)], actors=[index])
    await world.look()
    assert (world.matched(0), world.findings()) == ([index], [])


@pytest.mark.parametrize(
    ("erased", "opened"),
    [
        ([_range(1, 1)], True),
        ([_range(0, 0, "meta", "subject")], True),
        ([_range(0, 2)], True),
        ([_range(0, 0)], False),
        ("everything", True),
        ([], True),
    ],
    ids=["another entry", "another group", "itself too", "not opened", "no list", "nothing"],
)
async def test_what_no_entry_truly_erased_is_told(world: WatchedWorld, erased: object, *, opened: bool) -> None:
    """Only a well-formed erasure that names this group of this earlier entry, and is opened truly, explains it."""
    index = world.broker.cite(world.tickets())
    world.broker.erase("erasure", erased, opened=opened, actors=[index])
    await world.look()
    await world.look()
    assert world.findings() == [("withheld", "")]


async def test_a_meta_that_is_not_of_its_leaf_erases_nothing(world: WatchedWorld) -> None:
    """The payload has to open the commitment of the very entry."""
    index = world.broker.cite(world.tickets())
    at = world.broker.erase("erasure", [_range(index, index)], actors=[index])
    real = world.broker.metas[at]
    world.broker.metas[at] = Opening(key=bytes(32), payload=real.payload)
    await world.look()
    assert world.findings() == [("withheld", "")]


@pytest.mark.parametrize(("passed_s", "told"), [(KEPT_S - 1, [("withheld", "")]), (KEPT_S, [])])
async def test_retention_explains_only_what_is_old(
    world: WatchedWorld, passed_s: int, told: list[tuple[str, str]]
) -> None:  # fmt: skip
    """An entry that no two people made names only what is five years old; younger it is withheld all the same."""
    index = world.broker.cite([])
    world.clock.pass_seconds(passed_s)
    world.broker.erase("retention", [_range(index, index)], actors=[index])
    await world.look()
    assert world.findings() == told


async def test_nothing_is_told_before_the_end_was_seen(world: WatchedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """While there is more of the log than one look takes, an erasing entry may still come: it waits, over a restart."""
    monkeypatch.setattr("broker.custodian.monitor.MAX_PAGES", 1)
    index = world.broker.cite(world.tickets())
    for _ in range(8):
        world.broker.enter("policy", {})
    world.broker.erase("erasure", [_range(index, index)], actors=[index])
    await world.look()
    store = world.pair.custodians[0].store
    assert [row[0] for row in store.rows("SELECT entry_index FROM withheld")] == [index]
    for _ in range(6):
        await world.look()
    assert (store.rows("SELECT * FROM withheld"), world.findings()) == ([], [])


async def test_a_cleared_alarm_begins_anew(world: WatchedWorld) -> None:
    """What waited is forgotten with the tree: the log is followed from its first entry."""
    store = world.pair.custodians[0].store
    with store.transaction():
        withheld.note(store, index=7, at=1)
    followed.raise_alarm(store, followed.HIDDEN, "evidence", now=world.clock.now)
    followed.clear_alarms(store, because="known", now=world.clock.now)
    assert store.rows("SELECT * FROM withheld") == []
