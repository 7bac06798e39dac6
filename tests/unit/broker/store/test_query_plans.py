"""How SQLite carries out what every request asks of it: from an index, never through a table that grows."""

from contextlib import closing
from pathlib import Path

import pytest

from audit.sqlite import SqliteConnection
from broker.domain.keeping import Kept, Over, before
from broker.store.address import SqliteFile
from broker.store.connection import FileReader, SingleWriter
from broker.store.keeping import overdue_query
from broker.store.owed import StoredOwed
from broker.store.request_ids import StoredRequestIds
from broker.store.signals import StoredSignals
from tests.simulators.clock import NOON, TestClock
from tests.simulators.databases import Database, databases
from tests.simulators.enrolled import GI
from tests.simulators.proposals import an_index


@pytest.fixture
def file(tmp_path: Path) -> Database:
    """A migrated, empty database of SQLite."""
    return databases.new("sqlite", tmp_path)


def watched(connection: object) -> list[str]:
    """Return the list to which every statement of a connection is added, its values in it."""
    assert isinstance(connection, SqliteConnection)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    return asked


def plans(file: Database, statements: list[str]) -> list[list[str]]:
    """Return the steps in which SQLite would carry out each statement that reads or writes rows."""
    with file.session() as connection:
        return [
            [str(step[3]) for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
            for statement in statements
            if statement.split(maxsplit=1)[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}
        ]


async def test_a_look_up_starts_at_the_tokens_asked(file: Database) -> None:
    """A check costs the same among a million signals: from the few indexes asked, whoever holds what is found."""
    indexes = [an_index(f"{number}") for number in range(8)]
    assert isinstance(file.address, SqliteFile)
    with closing(FileReader(file.address)) as reader:
        asked = watched(reader._connection)
        await StoredSignals(reader).own_on(organisation=GI, purpose="proefregio", indexes=indexes)
        await StoredSignals(reader).look_up(indexes)
    found = plans(file, [statement for statement in asked if "FROM signal_tokens" in statement])
    assert len(found) == 2
    for plan in found:
        assert plan[0].startswith("SEARCH t USING INDEX")
        assert plan[0].endswith("(idx=?)")
        assert plan[1].endswith("(id=?)")
        assert not any(step.startswith("SCAN") or "organisation" in step for step in plan)


async def test_what_somebody_owes_is_read_from_where_it_begins(file: Database) -> None:
    """A page of open tasks, or one of them: never a row of another organisation, nor one that is done."""
    assert isinstance(file.address, SqliteFile)
    with closing(FileReader(file.address)) as reader:
        asked = watched(reader._connection)
        await StoredOwed(reader).open_after(organisation=GI, role="fg", after="0" * 32, at_most=40)
        await StoredOwed(reader).one(organisation=GI, task_id="0" * 32)
    found = plans(file, [statement for statement in asked if "FROM tasks" in statement])
    assert found == [
        [f"SEARCH tasks USING INDEX ix_tasks_open (organisation=? AND shown_id{compared}?)"] for compared in ">="
    ]


def test_the_tasks_about_a_signal_go_without_reading_others(file: Database) -> None:
    """A signal that is kept no longer takes its tasks along, of which there are few among many."""
    (plan,) = plans(file, ["DELETE FROM tasks WHERE signal_id = 'a'"])
    assert plan == ["SEARCH tasks USING INDEX ix_tasks_signal_id (signal_id=?)"]


async def test_spending_a_request_id_reads_only_what_has_expired(file: Database) -> None:
    """The ids of the last minutes are many when requests are; none of them is read to forget those before."""
    with closing(SingleWriter(file.address)) as writer:
        asked = watched(writer.connection)
        ids = StoredRequestIds(writer=writer, clock=TestClock())
        assert await ids.spend(issuer=GI, jti="0" * 32, expires_at=TestClock().now() + 300)
        writer.connection.set_trace_callback(None)  # type: ignore[attr-defined]  # of SQLite's own connection
    found = plans(file, [statement for statement in asked if "request_jti" in statement])
    assert len(found) == 4
    assert not any(step.startswith("SCAN request_jti") for plan in found for step in plan)


@pytest.mark.parametrize("kind", [*Kept, *Over])
async def test_what_is_over_is_found_from_an_index(file: Database, kind: Kept | Over) -> None:
    """Housekeeping reads what is past its time, every quarter of an hour, and never a table that grows."""
    limit = before(kind, day=TestClock().today(), now=NOON) if isinstance(kind, Kept) else "2026-11-22"
    query, values = overdue_query(kind, limit, at_most=100)
    with file.session() as connection:
        plan = [str(step[3]) for step in connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()]
    assert any(step.startswith("SEARCH") for step in plan)
    assert not any(step.startswith("SCAN") for step in plan)
