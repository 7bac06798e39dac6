"""Custodians on real processes follow the broker's log: each ticket is found in it within seconds."""

import json
import secrets
import sqlite3
from contextlib import closing

from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.region import Region, run, wait_until
from tests.simulators.two_custodians import NAMES as CUSTODIANS


def _open_tickets(region: Region, name: str) -> int:
    with closing(sqlite3.connect(region.path(name) / "custodian.sqlite")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM issued WHERE entry_index IS NULL").fetchone()
        return int(count)


def _seen(region: Region, name: str) -> int:
    told = json.loads(run("sluis-custodian", "monitor", "show", region.path(name), "--json"))
    assert (told["alarms"], set(told["findings"]) - {"unspent", "cited-later"}) == ([], set())
    return int(told["size"])


def test_both_custodians_match_a_ticket_to_its_entry_and_log_their_evaluations(region: Region) -> None:
    """A registration's tickets come back to each custodian; its evaluation stands in that custodian's own log."""
    before = {name: _open_tickets(region, name) for name in CUSTODIANS}
    assert region.partner(WIJKTEAM).register(subject=secrets.token_hex(8)).status_code == 200
    entries = int(region.database.rows("SELECT count(*) FROM log_entries")[0][0])
    for name in CUSTODIANS:
        wait_until(lambda name=name: _seen(region, name) >= entries)
        assert _open_tickets(region, name) <= before[name]
        with closing(sqlite3.connect(region.path(name) / "custodian.sqlite")) as connection:
            query = "SELECT max(size) FROM log_cosignatures"
            wait_until(lambda query=query, at=connection: at.execute(query).fetchone()[0] is not None)
