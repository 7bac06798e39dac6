"""Red line 3: what was acknowledged is found, whoever was killed meanwhile; `make campaign`, made small."""

from pathlib import Path

import pytest

from tests.campaigns import oracle
from tests.campaigns.acknowledged import Acknowledged, Told
from tests.campaigns.kill import Plan, carry_out
from tests.campaigns.load import Load
from tests.campaigns.victims import running_victims
from tests.simulators.databases import DATABASES
from tests.simulators.two_custodians import NAMES as CUSTODIANS

SEED, POINTS = 3825, 4
"""A seed that draws moments right after a commit: of the broker on a file, of the server on a server."""


@pytest.mark.parametrize("kind", DATABASES)
def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, kind: str) -> None:
    """Every part killed at a random moment and at points drawn by a seed: all is found, nothing is there twice."""
    plan = Plan.small(kind, seed=SEED, points=POINTS)
    outcome = carry_out(plan, tmp_path)
    assert outcome.books.lost == []
    assert outcome.books.faults == []
    assert outcome.log_verified
    assert (outcome.kills, len(outcome.covered)) == (len(plan.victims) + POINTS, POINTS)
    assert outcome.books.found > 0


def test_the_campaign_sees_what_is_lost(tmp_path: Path) -> None:
    """With one signal gone, one unfindable, one charge given back and one entry untold, each is noticed for itself."""
    with running_victims(tmp_path / "region", "sqlite", tick_ms=20) as victims:
        region, books = victims.region, Acknowledged()
        load = Load.of(region, books, seed=SEED, pause_s=0.01)
        load.start()
        assert load.goes_on(answers=25)
        load.stop()
        oracle.state_is_exact(region, books)
        oracle.budgets_are_exact(region, books)
        oracle.entries_are_exact(region, books)
        assert oracle.rows_are_there(region, books) > 2
        assert (books.lost, books.faults) == ([], [])

        gone, unfindable = [signal for signal in books.signals if signal.stands][:2]
        region.database.write("UPDATE signals SET state = 'withdrawn' WHERE id = ?", gone.id)
        oracle.rows_are_there(region, books)
        assert books.lost == [f"a signal of {gone.organisation[-5:]} is no row any more"]
        oracle.state_is_exact(region, books)
        assert len(books.faults) == 1
        region.database.write("UPDATE signals SET state = 'active' WHERE id = ?", gone.id)

        books.told["never sent"] = Told(key="never sent", request_sha256="0" * 64, status=200, receipt=None)
        oracle.entries_are_exact(region, books)
        assert len(books.faults) == 2
        del books.told["never sent"]

        books.charged[CUSTODIANS[0], gone.organisation, "", "register"] += 1
        oracle.budgets_are_exact(region, books)
        assert len(books.faults) == 3

        books.lost.clear()
        for table in ("signal_tokens", "sealed_tokens"):
            region.database.write(f"DELETE FROM {table} WHERE signal_id = ?", unfindable.id)  # noqa: S608 - two names
        for table in ("match_signals", "match_sides", "matches"):  # what rests on a signal without tokens is not done
            region.database.write(f"DELETE FROM {table}")  # noqa: S608 - three names
        oracle.everything_is_found(load)
        load.close()
    assert f"a signal of {unfindable.organisation[-5:]} was not found" in books.lost[0]
