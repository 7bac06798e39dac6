"""Reading what is kept longer than it may be: an outage is never "nothing is due"."""

from contextlib import closing
from pathlib import Path

import pytest

from broker.domain.errors import StorageError
from broker.store.retention import StoredRetention
from tests.simulators.clock import NOON, TestClock
from tests.simulators.databases import Database, databases


async def test_what_cannot_be_read_is_an_outage(database: Database) -> None:
    """A log that is none and a table that is gone are failures, and the session goes on with the next reading."""
    with closing(StoredRetention(database.address)) as retention:
        database.write("INSERT INTO log_entries (idx, leaf) VALUES (0, ?)", b"no leaf")
        database.write("DROP TABLE spent_tickets")
        with pytest.raises(StorageError):
            await retention.newest_act_at()
        with pytest.raises(StorageError):
            await retention.forgettable_tickets(expired_before=NOON, at_most=1)
        assert await retention.due(day=TestClock().today(), at_most=1) == ()


async def test_a_session_that_was_lost_is_opened_anew(tmp_path: Path) -> None:
    """After the server ended the session one reading fails, and the next one works."""
    database = databases.new("postgresql", tmp_path)
    with closing(StoredRetention(database.address)) as retention:
        databases.cluster.kill()
        with pytest.raises(StorageError):
            await retention.newest_act_at()
        databases.cluster.start()
        assert await retention.newest_act_at() is None
