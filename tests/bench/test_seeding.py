"""What a bench measures on is what the broker itself would have stored."""

from pathlib import Path
from typing import Any

from tests.bench.households import known
from tests.bench.seeding import store_all, strangers
from tests.bench.stores import store_each
from tests.simulators.broker_world import indexer
from tests.simulators.databases import Database, databases

TABLES = ("signals", "signal_tokens", "sealed_tokens", "version_stamps")


def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the tables that hold signals."""
    return {table: sorted(database.rows(f"SELECT * FROM {table}")) for table in TABLES}  # noqa: S608 - names of ours


def test_many_rows_at_once_are_those_of_one_signal_after_the_other(tmp_path: Path) -> None:
    """Filling a store in large statements gives exactly the rows that the log writer's own changes give."""
    made = []
    for name in ("one by one", "at once"):
        folder = tmp_path / name
        folder.mkdir()
        made.append(databases.new("sqlite", folder))
    with made[0].session() as connection:
        store_each(connection, strangers(450, seed=1))
    with made[1].session() as connection:
        store_all(connection, strangers(450, seed=1))
    assert rows_of(made[0]) == rows_of(made[1])
    assert len(rows_of(made[0])["signal_tokens"]) == 4 * 450


def test_known_households_are_found_under_the_index_that_a_check_computes() -> None:
    """What is stored for a household is under the indexes of the very tokens that its check sends."""
    one, other = ([change.tokens for change in known(2, indexer())][place] for place in (0, 6))
    assert {token.index for token in one}.isdisjoint(token.index for token in other)
    assert [change.signal.id for change in known(2, indexer())] == [change.signal.id for change in known(2, indexer())]
