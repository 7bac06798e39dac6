"""Red line 12: an import grant is never exceeded either, by concurrency, crash, restart or clock."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broker.custodian import folder
from broker.custodian.errors import RefusedError
from broker.custodian.evaluation import evaluate
from broker.protocol.grant import Grant
from broker.protocol.ristretto import RandomBytes
from tests.simulators.custodian import (
    CUSTODIANS,
    SimulatedPartner,
    SteppedClock,
    accept_grant,
    authorization,
    batch,
    grant_of,
    grant_text,
    make_pair,
)

A = CUSTODIANS[0]
PARTNER = SimulatedPartner()
SIZE = 7


@pytest.fixture
def clock() -> SteppedClock:
    """Return the custodian's clock."""
    return SteppedClock()


@pytest.fixture
def granted(tmp_path: Path, clock: SteppedClock) -> tuple[Path, Grant]:
    """Return the folder of a custodian that accepted a grant for seven persons."""
    make_pair(tmp_path, [PARTNER], now=clock.now)
    path, grant = tmp_path / "custodian-a", grant_of(PARTNER, elements={"nlbsn": SIZE})
    accept_grant(path, grant_text(PARTNER, grant), now=clock.now)
    return path, grant


def row(grant: Grant) -> bytes:
    """Return the batch of one row with one person."""
    return batch(operation="register", budget_class="import", grant_id=grant.id)


def served(path: Path, clock: SteppedClock, bodies: list[bytes], *, random: RandomBytes = secrets.token_bytes) -> int:
    """Return how many of these batches a custodian process answers after a start."""
    done = 0
    with folder.open_custodian(path, clock=clock, random=random) as custodian:
        for body in bodies:
            header = authorization(PARTNER, body, custodian=A, now=clock.now)
            try:
                evaluate(custodian, authorization=header, body=body)
            except RefusedError:
                continue
            done += 1
    return done


def test_callers_at_once_get_the_grant_and_no_more(granted: tuple[Path, Grant], clock: SteppedClock) -> None:
    """Five parallel callers get the seven persons together, and the very same batches again without a charge."""
    path, grant = granted
    rows = [[row(grant) for _ in range(3)] for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(lambda part: served(path, clock, part), rows)) == SIZE
        assert sum(pool.map(lambda part: served(path, clock, part), rows)) == SIZE


def test_no_restart_and_no_clock_fills_a_grant(granted: tuple[Path, Grant], clock: SteppedClock) -> None:
    """What was taken stays taken over starts, days and clocks that are set back."""
    path, grant = granted
    done = served(path, clock, [row(grant) for _ in range(SIZE - 1)])
    clock.pass_seconds(5 * 86_400)
    done += served(path, clock, [row(grant) for _ in range(3)])
    clock.step_wall(-4 * 86_400)
    done += served(path, clock, [row(grant)])
    assert done == SIZE


def test_a_crash_after_the_charge_loses_no_element(granted: tuple[Path, Grant], clock: SteppedClock) -> None:
    """A custodian that dies between charge and answer answers the same batch later: the grant is used up exactly."""
    path, grant = granted

    def dying(size: int) -> bytes:
        if size == 64:
            raise KeyboardInterrupt
        return secrets.token_bytes(size)

    rows = [row(grant) for _ in range(SIZE)]
    for body in rows:
        with pytest.raises(KeyboardInterrupt):
            served(path, clock, [body], random=dying)
    assert served(path, clock, [row(grant)]) == 0
    assert served(path, clock, rows) == SIZE
