"""Reading signals: what is asked of the database does not grow with what is in it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from audit.database import Dialect, Rows
from broker.domain.signals import Exclusion, Signal
from broker.ports import StampKey, StampKind
from broker.store.address import DatabaseAddress
from broker.store.connection import open_connection, open_reader
from broker.store.signal_rows import SIGNAL_COLUMNS, signal_row
from broker.store.signals import StoredSignals
from broker.store.state_changes import bump
from tests.simulators.databases import Database
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
def filled(database: Database) -> Database:
    """A database with twenty signals of one organisation and one of another, two of them with exclusions."""
    rows = [signal_row(signal) for signal in (*SIGNALS, a_signal("another", organisation=WIJKTEAM))]
    insert = f"INSERT INTO signals ({', '.join(SIGNAL_COLUMNS)}) VALUES ({', '.join('?' * len(SIGNAL_COLUMNS))})"  # noqa: S608 - column names of ours
    with database.session() as connection:
        connection.executemany(insert, rows)
        for signal_id, exclusions in EXCLUDED.items():
            for one in exclusions:
                values = (signal_id, one.organisation, one.worker or "")
                connection.execute("INSERT INTO signal_exclusions VALUES (?, ?, ?)", values)
    return database


class Counting:
    """A reader that counts the statements of each reading."""

    def __init__(self, address: DatabaseAddress) -> None:
        self.connection = open_connection(address)
        self.asked: list[str] = []

    @property
    def dialect(self) -> Dialect:
        """What kind of database it is."""
        return self.connection.dialect

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Count and carry out."""
        self.asked.append(statement)
        return self.connection.execute(statement, values)

    async def run(self, work: Callable[[Any], Any], /) -> Any:  # noqa: ANN401 - whatever the work returns
        """Return what the work returns."""
        return work(self)

    def close(self) -> None:
        """End the session."""
        self.connection.close()


def stored(signal: Signal) -> Signal:
    """Return a signal as it must be read."""
    return replace(signal, exclusions=EXCLUDED.get(signal.id, frozenset()))


async def test_a_page_begins_after_an_id_and_ends_at_its_size(filled: Database) -> None:
    """Pages are in the order of the ids, of the own organisation, each signal with its own exclusions."""
    with closing(open_reader(filled.address)) as reader:
        signals = StoredSignals(reader)
        everything = await signals.list_own(organisation=GI)
        page = await signals.list_own(organisation=GI, after=SIGNALS[2].id, at_most=3)
        rest = await signals.list_own(organisation=GI, after=SIGNALS[18].id, at_most=3)
        past = await signals.list_own(organisation=GI, after="f" * 32, at_most=3)
    assert everything == tuple(map(stored, SIGNALS))
    assert page == tuple(map(stored, SIGNALS[3:6]))
    assert (rest, past) == ((stored(SIGNALS[19]),), ())


async def test_a_long_list_asks_no_more_of_the_database_than_a_short_one(filled: Database) -> None:
    """Exclusions are read for all signals at once, so that a large organisation's list holds nobody up."""
    counts = []
    with closing(Counting(filled.address)) as reader:
        for at_most in (1, 20):
            reader.asked.clear()
            await StoredSignals(reader).list_own(organisation=GI, at_most=at_most)
            counts.append(len(reader.asked))
    assert counts[0] == counts[1] <= 2


async def test_stamps_are_read_in_one_query_in_the_order_asked(database: Database) -> None:
    """However many keys of however many kinds; what never changed has version 0."""
    keys = [StampKey(kind=kind, key=bytes([place])) for place in range(9) for kind in StampKind]
    with database.session() as connection:
        for key in keys[::3]:
            bump(connection, key)
            bump(connection, key)
    with closing(Counting(database.address)) as reader:
        stamps = await StoredSignals(reader).stamps(keys)
        assert len(reader.asked) == 1
        assert await StoredSignals(reader).stamps([]) == ()
    assert [stamp.of for stamp in stamps] == keys
    assert [stamp.version for stamp in stamps] == [2 if at % 3 == 0 else 0 for at in range(len(keys))]
