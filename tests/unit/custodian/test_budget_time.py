"""Budgets over restarts and clock steps: what is credited, and what never is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broker.custodian import folder
from broker.custodian.errors import RefusedError
from broker.custodian.evaluation import Custodian, evaluate
from broker.protocol.roster import Worker, roster_document
from tests.simulators.custodian import (
    BROKER,
    CUSTODIANS,
    SimulatedPartner,
    SteppedClock,
    authorization,
    batch,
    budget_classes,
    custodian_pair,
)

A = CUSTODIANS[0]
HOUR = 3600
DAY = 24 * HOUR
PARTNER = SimulatedPartner()


@pytest.fixture
def clock() -> SteppedClock:
    """Return the clock of the custodian."""
    return SteppedClock()


@pytest.fixture
def closed(tmp_path: Path, clock: SteppedClock) -> Path:
    """Return the folder of a custodian that gives a worker 24 persons a day, all spent, and is not running."""
    with custodian_pair(
        tmp_path, [PARTNER], budgets=budget_classes(worker=24, organisation=100_000), clock=clock
    ) as made:
        assert spend_all(made.custodians[0], clock) == 24
    return made.folders[0]


@contextmanager
def started(path: Path, clock: SteppedClock) -> Iterator[Custodian]:
    """Hold the custodian of this folder running."""
    with folder.open_custodian(path, clock=clock) as custodian:
        yield custodian


def spend_all(custodian: Custodian, clock: SteppedClock) -> int:
    """Return how many single persons the worker could look up before the budget refused."""
    for done in range(1000):
        body = batch()
        header = authorization(PARTNER, body, custodian=A, now=clock.now)
        try:
            evaluate(custodian, authorization=header, body=body)
        except RefusedError as error:
            if error.code != "budget-exhausted":
                raise
            return done
    raise AssertionError("the budget has no end")


def test_a_restart_credits_nothing_by_itself(closed: Path, clock: SteppedClock) -> None:
    """Stopping and starting without time passing refills nothing, however often."""
    for _ in range(3):
        with started(closed, clock) as custodian:
            assert spend_all(custodian, clock) == 0


def test_time_passing_refills(closed: Path, clock: SteppedClock) -> None:
    """While running, the monotonic clock refills: two hours of 24 a day are two persons."""
    with started(closed, clock) as custodian:
        clock.pass_seconds(2 * HOUR)
        assert spend_all(custodian, clock) == 2


def test_time_while_stopped_is_credited_once(closed: Path, clock: SteppedClock) -> None:
    """The wall time since the last mark is credited at the first start, and repeated restarts credit nothing more."""
    clock.pass_seconds(3 * HOUR)
    clock.reboot()
    with started(closed, clock):
        pass
    with started(closed, clock):
        pass
    with started(closed, clock) as custodian:
        assert spend_all(custodian, clock) == 3


def test_repeated_restarts_credit_no_more_than_the_time_that_passed(closed: Path, clock: SteppedClock) -> None:
    """Ten restarts spread over two hours give what two hours give."""
    done = 0
    for _ in range(10):
        clock.pass_seconds(720)
        with started(closed, clock) as custodian:
            done += spend_all(custodian, clock)
    assert done == 2


def test_at_most_a_day_is_credited(closed: Path, clock: SteppedClock) -> None:
    """A stop of a whole day is credited; a longer one looks like a clock set forward and credits nothing."""
    clock.pass_seconds(DAY)
    with started(closed, clock) as custodian:
        assert spend_all(custodian, clock) == 24
    clock.pass_seconds(DAY + 1)
    with started(closed, clock) as custodian:
        assert spend_all(custodian, clock) == 0


@pytest.mark.parametrize("step", [-10 * 365 * DAY, -HOUR, 10 * 365 * DAY, 2 * DAY])
def test_a_step_of_the_wall_clock_credits_nothing(closed: Path, clock: SteppedClock, step: int) -> None:
    """A backward step or a large forward one credits nothing, while stopped and while running."""
    clock.step_wall(step)
    with started(closed, clock) as custodian:
        assert spend_all(custodian, clock) == 0
        clock.step_wall(step)
        assert spend_all(custodian, clock) == 0


def test_stepping_to_and_fro_credits_no_hour_twice(closed: Path, clock: SteppedClock) -> None:
    """Whoever sets the clock forward and back around restarts gets at most the furthest point it ever showed."""
    done = 0
    for _ in range(4):
        clock.step_wall(5 * HOUR)
        with started(closed, clock) as custodian:
            done += spend_all(custodian, clock)
        clock.step_wall(-5 * HOUR)
        with started(closed, clock) as custodian:
            done += spend_all(custodian, clock)
    assert done == 5


def test_a_crash_loses_no_charge_and_wins_none(closed: Path, clock: SteppedClock) -> None:
    """Two processes of one custodian share one budget time: what one charged, the other cannot spend again."""
    clock.pass_seconds(HOUR)
    with started(closed, clock) as first, started(closed, clock) as second:
        clock.pass_seconds(HOUR)
        assert spend_all(first, clock) == 2
        assert spend_all(second, clock) == 0


def test_one_refusal_charges_neither_bucket(tmp_path: Path, clock: SteppedClock) -> None:
    """Organisation and worker are charged both or neither: a worker's refusal leaves the organisation's bucket."""
    with custodian_pair(tmp_path, [PARTNER], budgets=budget_classes(worker=1, organisation=100), clock=clock) as made:
        store = made.custodians[0].store
        assert spend_all(made.custodians[0], clock) == 1
        assert store.rows("SELECT level / 86400000000 FROM bucket WHERE worker = ''") == [(92,)]
        assert store.rows("SELECT count(*) FROM batch") == [(1,)]


def test_classes_have_budgets_of_their_own(tmp_path: Path, clock: SteppedClock) -> None:
    """An exhausted check budget leaves the small urgent reserve."""
    with custodian_pair(tmp_path, [PARTNER], budgets=budget_classes(worker=1), clock=clock) as made:
        assert spend_all(made.custodians[0], clock) == 1
        assert made.ask(0, PARTNER, batch(budget_class="urgent")).ticket


def test_an_organisation_may_have_sizes_of_its_own(tmp_path: Path, clock: SteppedClock) -> None:
    """Sizes the register gives an organisation replace the class default."""
    own = SimulatedPartner(budgets=budget_classes(worker=3))
    with custodian_pair(tmp_path, [own], budgets=budget_classes(worker=1), clock=clock) as made:
        assert spend_all(made.custodians[0], clock) == 3


def test_a_new_roster_with_fresh_ids_fills_no_bucket(tmp_path: Path, clock: SteppedClock) -> None:
    """A worker who gets another id at the custodian goes on with the bucket, and the batches, that he had."""
    with custodian_pair(tmp_path, [PARTNER], budgets=budget_classes(worker=3), clock=clock) as made:
        custodian = made.custodians[0]
        body = batch()
        ticket = made.ask(0, PARTNER, body).ticket
        assert spend_all(custodian, clock) == 2
        fresh = Worker(sub="f" * 26, roles=frozenset({"worker"}), broker_sub=PARTNER.sub("anna", BROKER))
        document = roster_document(oin=PARTNER.oin, audience=A, number=2, workers=[fresh], teams=[])
        custodian.trust.import_roster(document.with_signature(PARTNER.oin, PARTNER.key).encode())
        assert made.ask(0, PARTNER, body, sub=fresh.sub).ticket == ticket
        with pytest.raises(RefusedError, match="budget-exhausted"):
            made.ask(0, PARTNER, batch(), sub=fresh.sub)
