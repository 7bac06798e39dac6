"""Entries read back from either store and its memory twin: opened, compared with their leaves, and never guessed."""

from pathlib import Path

import pytest

from broker.domain.errors import StorageError
from broker.log_ports import GroupStatus
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, held_in, log_size
from tests.simulators.enrolled import GI

ALL = ("meta", "actor", "subject", "hits", "shielded")


async def test_an_entry_reads_back_as_it_was_written(world: World) -> None:
    """Every group opens to what was committed, for the indexes asked and no other, ascending."""
    asker = world.asker(GI)
    await world.register(asker, household(subject="child"))
    await world.register(asker, household(subject="other"))
    entries = await world.entries.opened([1, 0, 1, 7, -1], ALL)
    assert [entry.index for entry in entries] == [0, 1]
    for entry in entries:
        assert (entry.kind, entry.time) == ("signal", world.clock.now())
        assert {group.status for group in entry.groups.values()} == {GroupStatus.OK}
        actor, meta = entry.payload("actor"), entry.payload("meta")
        assert actor is not None
        assert meta is not None
        assert (actor["organisation"], meta["outcome"]) == (GI, "nothing")
    assert await world.entries.log_size() == await log_size(world) == 2


async def test_only_the_groups_that_were_asked_are_opened(world: World) -> None:
    """A reader who asks for one group gets no other, and a representation shows no payload."""
    await world.register(world.asker(GI), household(subject="child"))
    (entry,) = await world.entries.opened([0], ["actor"])
    assert set(entry.groups) == {"actor"}
    assert GI not in repr(entry)


async def test_what_was_altered_or_lost_past_the_log_is_an_alarm(world: World) -> None:
    """A payload that somebody changed is MISMATCH, one that is gone is MISSING; the other groups still open."""
    await world.register(world.asker(GI), household(subject="child"))
    if isinstance(world.ledger, MemoryBroker):
        rows = world.ledger.log.payloads
        rows[0, "hits"] = rows[0, "shielded"]
        del rows[0, "subject"]
    else:
        with held_in(world).session() as connection:
            connection.execute("UPDATE log_payload_keys SET wrapped = ? WHERE grp = 'hits'", (bytes(72),))
            connection.execute("DELETE FROM log_payload_keys WHERE grp = 'subject'")
    (entry,) = await world.entries.opened([0], ALL)
    assert {group: opened.status for group, opened in entry.groups.items()} == {
        "meta": GroupStatus.OK,
        "actor": GroupStatus.OK,
        "subject": GroupStatus.MISSING,
        "hits": GroupStatus.MISMATCH,
        "shielded": GroupStatus.OK,
    }
    assert entry.payload("hits") is entry.payload("subject") is None


async def test_a_log_that_cannot_be_read_is_an_outage(world: World, tmp_path: Path) -> None:
    """A broken leaf or database is told as such, never as an entry that is not there."""
    await world.register(world.asker(GI), household(subject="child"))
    del tmp_path
    if isinstance(world.ledger, MemoryBroker):
        world.ledger.fails_with = StorageError
    else:
        with held_in(world).session() as connection:
            connection.execute("DROP TABLE log_erased")
    with pytest.raises(StorageError):
        await world.entries.opened([0], ALL)
