"""Reading signals: what is asked of the database does not grow with what is in it."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.signals import Exclusion, Signal
from broker.store.signal_rows import SIGNAL_COLUMNS, signal_row
from broker.store.signals import SqliteSignals
from tests.simulators.broker_world import migrated_database
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM
from tests.simulators.proposals import a_signal

SIGNALS = sorted((a_signal(f"{number}", organisation=GI) for number in range(20)), key=lambda signal: signal.id)
EXCLUDED = {
    SIGNALS[3].id: frozenset(
        {Exclusion(organisation=WIJKTEAM, worker=None), Exclusion(organisation=SCHOOL, worker="j")}
    ),
    SIGNALS[4].id: frozenset({Exclusion(organisation=SCHOOL, worker=None)}),
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with twenty signals of one organisation and one of another, two of them with exclusions."""
    path = tmp_path / "broker.sqlite"
    path.write_bytes(migrated_database())
    rows = [signal_row(signal) for signal in (*SIGNALS, a_signal("another", organisation=WIJKTEAM))]
    insert = f"INSERT INTO signals ({', '.join(SIGNAL_COLUMNS)}) VALUES ({', '.join('?' * len(SIGNAL_COLUMNS))})"  # noqa: S608 - column names of ours
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(insert, rows)
        for signal_id, exclusions in EXCLUDED.items():
            for one in exclusions:
                values = (signal_id, one.organisation, one.worker or "")
                connection.execute("INSERT INTO signal_exclusions VALUES (?, ?, ?)", values)
    return path


def stored(signal: Signal) -> Signal:
    """Return a signal as it must be read."""
    return replace(signal, exclusions=EXCLUDED.get(signal.id, frozenset()))


async def test_a_page_begins_after_an_id_and_ends_at_its_size(database: Path) -> None:
    """Pages are in the order of the ids, of the own organisation, each signal with its own exclusions."""
    with closing(SqliteSignals(database)) as signals:
        everything = await signals.list_own(organisation=GI)
        page = await signals.list_own(organisation=GI, after=SIGNALS[2].id, at_most=3)
        rest = await signals.list_own(organisation=GI, after=SIGNALS[18].id, at_most=3)
        past = await signals.list_own(organisation=GI, after="f" * 32, at_most=3)
    assert everything == tuple(map(stored, SIGNALS))
    assert page == tuple(map(stored, SIGNALS[3:6]))
    assert (rest, past) == ((stored(SIGNALS[19]),), ())


async def test_a_long_list_asks_no_more_of_the_database_than_a_short_one(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exclusions are read for all signals at once, so that a large organisation's list holds nobody up."""
    asked: list[str] = []
    connect = sqlite3.connect

    def watched(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = connect(*arguments, **options)  # type: ignore[call-overload]  # passed on as they came
        connection.set_trace_callback(asked.append)
        assert isinstance(connection, sqlite3.Connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    counts = []
    with closing(SqliteSignals(database)) as signals:
        for at_most in (1, 20):
            asked.clear()
            await signals.list_own(organisation=GI, at_most=at_most)
            counts.append(len(asked))
    assert counts[0] == counts[1] <= 4
