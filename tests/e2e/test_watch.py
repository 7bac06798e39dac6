"""Custodians on real processes follow the broker's log: each ticket is found in it within seconds."""

import json
import secrets
import sqlite3
from contextlib import closing
from functools import partial

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


def _follows(region: Region, name: str, entries: int) -> bool:
    return _seen(region, name) >= entries


def _is_cosigned(own_log: sqlite3.Connection) -> bool:
    return own_log.execute("SELECT max(size) FROM log_cosignatures").fetchone()[0] is not None


def test_both_custodians_match_a_ticket_to_its_entry_and_log_their_evaluations(region: Region) -> None:
    """A registration's tickets come back to each custodian; its evaluation stands in that custodian's own log."""
    before = {name: _open_tickets(region, name) for name in CUSTODIANS}
    assert region.partner(WIJKTEAM).register(subject=secrets.token_hex(8)).status_code == 200
    entries = int(region.database.rows("SELECT count(*) FROM log_entries")[0][0])
    for name in CUSTODIANS:
        wait_until(partial(_follows, region, name, entries))
        assert _open_tickets(region, name) <= before[name]
        with closing(sqlite3.connect(region.path(name) / "custodian.sqlite")) as connection:
            wait_until(partial(_is_cosigned, connection))
