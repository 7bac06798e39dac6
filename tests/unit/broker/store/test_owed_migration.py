"""What followed from acts before tasks had an id of their own gets one that tells nothing, and has no maker."""

from datetime import date
from pathlib import Path

from broker.store.address import SqliteFile
from broker.store.connection import open_connection
from broker.store.schema import administration, migrate
from tests.unit.broker.store.test_keeping_migration import at_version

TASK = "INSERT INTO tasks (kind, organisation, due_on, created_at, done_at) VALUES ('x', 'o', ?, 1, ?)"


def test_tasks_of_before_have_ids_and_nobody_made_them(tmp_path: Path) -> None:
    """Each has another id, which begins with its day as of those of now; whose they are is not known."""
    address = SqliteFile(path=tmp_path / "broker.sqlite")
    at_version(address, "0025")
    days = ("2026-12-02", "2026-12-01", "2026-12-02")
    with administration(address) as opened:
        for day, done_at in zip(days, (None, 5, None), strict=True):
            opened.exec_driver_sql(TASK, (day, done_at))
    migrate(address)
    connection = open_connection(address)
    try:
        rows = connection.execute("SELECT due_on, shown_id, made_by, entry, actor FROM tasks ORDER BY id").fetchall()
    finally:
        connection.close()
    assert tuple(row[0] for row in rows) == days
    assert {row[2:] for row in rows} == {(None, None, None)}
    assert {len(row[1]) for row in rows} == {32}
    assert len({row[1] for row in rows}) == len(rows)
    assert [date.fromordinal(int(row[1][:8], 16)).isoformat() for row in rows] == list(days)
