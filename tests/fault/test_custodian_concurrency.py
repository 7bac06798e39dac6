"""Many callers at once, in threads and in processes: a cap is exact, and a request id works once."""

import json
import multiprocessing
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broker.custodian import folder
from broker.custodian.errors import RefusedError, StoreError
from broker.custodian.evaluation import evaluate
from broker.protocol.errors import RequestTokenError
from tests.simulators.custodian import (
    CUSTODIANS,
    SimulatedPartner,
    SteppedClock,
    authorization,
    batch,
    budget_classes,
    make_pair,
)

A = CUSTODIANS[0]
PARTNER = SimulatedPartner()
Outcome = str


def made(tmp_path: Path, *, worker: int, organisation: int = 100_000) -> Path:
    """Return the folder of a custodian with these budgets."""
    make_pair(
        tmp_path, [PARTNER], budgets=budget_classes(worker=worker, organisation=organisation), now=SteppedClock().now
    )
    return tmp_path / "custodian-a"


def request() -> tuple[str, bytes]:
    """Return one signed request for a single person."""
    body = batch()
    return authorization(PARTNER, body, custodian=A, now=SteppedClock().now), body


def outcomes(path: Path, requests: list[tuple[str, bytes]]) -> list[Outcome]:
    """Return what one process or thread with a custodian of its own gets for each request."""
    with folder.open_custodian(path, clock=SteppedClock()) as custodian:
        found = []
        for header, body in requests:
            try:
                evaluate(custodian, authorization=header, body=body)
                found.append("answered")
            except (RefusedError, RequestTokenError) as error:
                found.append(error.code)
        return found


def in_threads(path: Path, parts: list[list[tuple[str, bytes]]]) -> list[Outcome]:
    """Run each part in a thread of its own."""
    with ThreadPoolExecutor(len(parts)) as pool:
        return [outcome for part in pool.map(lambda part: outcomes(path, part), parts) for outcome in part]


def in_processes(path: Path, parts: list[list[tuple[str, bytes]]]) -> list[Outcome]:
    """Run each part in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(len(parts)) as pool:
        return [outcome for part in pool.starmap(outcomes, [(path, part) for part in parts]) for outcome in part]


Runner = Callable[[Path, list[list[tuple[str, bytes]]]], list[Outcome]]


@pytest.mark.parametrize(("run", "callers"), [(in_threads, 6), (in_processes, 2)])
def test_at_the_cap_exactly_the_cap_is_served(tmp_path: Path, run: Runner, callers: int) -> None:
    """Parallel callers together get exactly what the worker's budget holds, not one more."""
    path = made(tmp_path, worker=11)
    found = run(path, [[request() for _ in range(24 // callers)] for _ in range(callers)])
    assert sorted(set(found)) == ["answered", "budget-exhausted"]
    assert found.count("answered") == 11


def test_the_organisations_cap_is_exact_too(tmp_path: Path) -> None:
    """Points are counted, padding included: 100 points are twelve batches of eight."""
    path = made(tmp_path, worker=1000, organisation=100)
    found = in_threads(path, [[request() for _ in range(5)] for _ in range(4)])
    assert found.count("answered") == 12


def test_a_request_used_a_hundred_times_at_once_works_once(tmp_path: Path) -> None:
    """One hundred parallel uses of one signed request: one success."""
    path = made(tmp_path, worker=1000)
    one = request()
    found = in_threads(path, [[one] * 20 for _ in range(5)])
    assert (found.count("answered"), found.count("request-token-replayed")) == (1, 99)


def test_one_batch_asked_at_once_is_charged_once(tmp_path: Path) -> None:
    """The same batch under different request ids is answered every time and charged once."""
    path = made(tmp_path, worker=1)
    body = batch(batch_id=secrets.token_hex(16))
    parts = [
        [(authorization(PARTNER, body, custodian=A, now=SteppedClock().now), body) for _ in range(5)] for _ in range(4)
    ]
    assert in_threads(path, parts) == ["answered"] * 20


def test_a_full_disk_evaluates_nothing_and_recovers(tmp_path: Path) -> None:
    """When the store cannot grow, nothing is evaluated and nothing half charged; with room again it serves."""
    path = made(tmp_path, worker=100_000)
    with folder.open_custodian(path, clock=SteppedClock()) as custodian:
        pages = custodian.store.rows("PRAGMA page_count")[0][0]
        custodian.store.rows(f"PRAGMA max_page_count = {pages}")
        failed = 0
        while not failed:
            header, body = request()
            before = custodian.store.rows("SELECT * FROM bucket"), custodian.store.rows("SELECT count(*) FROM batch")
            try:
                evaluate(custodian, authorization=header, body=body)
            except StoreError:
                failed += 1
                after = custodian.store.rows("SELECT * FROM bucket"), custodian.store.rows("SELECT count(*) FROM batch")
                assert after == before
        custodian.store.rows("PRAGMA max_page_count = 1000000")
        header, body = request()
        assert json.loads(evaluate(custodian, authorization=header, body=body))["ticket"]


def test_a_locked_store_evaluates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the store, nothing can be charged and so nothing is evaluated."""
    monkeypatch.setattr("broker.custodian.store.BUSY_S", 0.05)
    path = made(tmp_path, worker=10)
    with (
        folder.open_custodian(path, clock=SteppedClock()) as holding,
        folder.open_custodian(path, clock=SteppedClock()) as asking,
    ):
        header, body = request()
        with holding.store.transaction(), pytest.raises(StoreError):
            evaluate(asking, authorization=header, body=body)
        assert json.loads(evaluate(asking, authorization=header, body=body))["epoch"] == 1
