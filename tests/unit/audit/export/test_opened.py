"""An export opens the same groups of every entry, and only entries that stand cosigned under one checkpoint."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from audit.entry import GROUPS
from audit.errors import ExportError
from audit.export.opened import OpenedEntry, verify_entries
from tests.unit.audit.export.opened_log import STATED, OpenedLog, in_folder
from tests.unit.audit.log_simulator import LogInFolder


def without(entry: OpenedEntry, *groups: str, erased: tuple[str, ...] = ()) -> OpenedEntry:
    """Return the entry without some of its openings."""
    kept = {group: opening for group, opening in entry.receipt.openings.items() if group not in groups}
    return OpenedEntry(receipt=replace(entry.receipt, openings=MappingProxyType(kept)), erased=erased)


def test_an_organisation_reads_what_it_asked_and_who_asked(world: OpenedLog) -> None:
    """Openings of hits, of shielded signals and of search handles never enter its export, even when given."""
    found = verify_entries(world.entries, world.policy, reader="organisation")
    assert {tuple(entry.receipt.openings) for entry in found.entries} == {("meta", "actor")}
    assert all(not record.handles and not record.seen for record in found.records)


def test_the_supervisor_reads_every_group_of_every_entry(world: OpenedLog) -> None:
    """All five groups of every entry, so that an empty one looks like a full one."""
    found = verify_entries(world.entries, world.policy, reader="supervisor")
    assert {tuple(entry.receipt.openings) for entry in found.entries} == {GROUPS}
    assert (len(found.records[0].handles), len(found.records[0].seen)) == (2, 1)


def test_worlds_that_differ_in_what_is_not_to_be_seen_give_the_same_export(world: OpenedLog) -> None:
    """Hits, withheld counts and shielded signals change no byte of the records: only what was opened is told."""
    bare = [without(entry, "subject", "hits", "shielded") for entry in world.entries]
    assert world.files("csv", entries=bare) == world.files("csv")
    assert world.files("json-ldv", entries=bare) == world.files("json-ldv")


def test_an_erased_group_is_named_and_the_rest_still_proves(world: OpenedLog) -> None:
    """After an erasure of who did it the entry is exported without, says so, and holds."""
    erased = without(world.entries[0], "actor", erased=("actor",))
    found = verify_entries([erased, *world.entries[1:]], world.policy, reader="organisation")
    record = found.records[0]
    assert (record.erased, record.worker, record.outcome) == (("actor",), None, "shown")


@pytest.mark.parametrize("reader", ["organisation", "supervisor"])
def test_a_group_less_is_refused(world: OpenedLog, reader: str) -> None:
    """A group that is neither opened nor erased, or both, makes no export: its absence would tell something."""
    first, *others = world.entries
    both = OpenedEntry(receipt=first.receipt, erased=("meta",))
    for wrong in (without(first, "meta"), both):
        with pytest.raises(ExportError):
            verify_entries([wrong, *others], world.policy, reader=reader)


def test_readers_are_known_and_there_is_something_to_read(world: OpenedLog) -> None:
    """An unknown reader, and an export of nothing, are refused."""
    with pytest.raises(ExportError):
        verify_entries(world.entries, world.policy, reader="neighbour")
    with pytest.raises(ExportError):
        verify_entries([], world.policy, reader=STATED.reader)


def test_the_order_is_that_of_the_log(world: OpenedLog) -> None:
    """Entries stand in the order of the log, each once."""
    first, second, *_ = world.entries
    for wrong in ([second, first], [first, first]):
        with pytest.raises(ExportError):
            verify_entries(wrong, world.policy, reader="organisation")


def test_an_uncosigned_checkpoint_proves_nothing_to_others(world: OpenedLog) -> None:
    """Entries under a checkpoint that too few witnesses signed are not exported."""
    with pytest.raises(ExportError):
        verify_entries([world.opened(0, cosigned=False)], world.policy, reader="organisation")


def test_one_tree_for_all(log: LogInFolder, tmp_path: Path) -> None:
    """Proofs that lead to two checkpoints make no export, though each holds by itself."""
    earlier, later = OpenedLog(log), OpenedLog(log)
    mixed = [earlier.entries[0], later.entries[0]]
    for one in mixed:
        verify_entries([one], earlier.policy, reader="organisation")
    with pytest.raises(ExportError):
        verify_entries(mixed, earlier.policy, reader="organisation")
    assert in_folder(tmp_path / "other").policy != earlier.policy
