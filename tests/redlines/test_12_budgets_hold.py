"""Red line 12: evaluations never exceed the custodian's budgets, and the broker cannot raise them."""

import ast
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import broker.custodian
from broker.custodian import backup, folder, sealing
from broker.custodian.errors import RefusedError
from broker.custodian.evaluation import evaluate
from broker.protocol.errors import SignatureError
from broker.protocol.ristretto import RandomBytes
from tests.simulators.custodian import (
    CUSTODIANS,
    SimulatedPartner,
    SteppedClock,
    authorization,
    batch,
    budget_classes,
    import_register,
    make_pair,
    register_text,
    seeded_key,
)

A = CUSTODIANS[0]
PARTNER = SimulatedPartner()
CAP = 6
HOUR = 3600


@pytest.fixture
def clock() -> SteppedClock:
    """Return the custodian's clock."""
    return SteppedClock()


@pytest.fixture
def path(tmp_path: Path, clock: SteppedClock) -> Path:
    """Return the folder of a custodian that lets a worker look up six persons a day."""
    make_pair(tmp_path, [PARTNER], budgets=budget_classes(worker=CAP), now=clock.now)
    return tmp_path / "custodian-a"


def served(path: Path, clock: SteppedClock, *, tries: int, random: RandomBytes = secrets.token_bytes) -> int:
    """Return how many of so many single look-ups a custodian process serves after a start."""
    done = 0
    with folder.open_custodian(path, clock=clock, random=random) as custodian:
        for _ in range(tries):
            body = batch()
            header = authorization(PARTNER, body, custodian=A, now=clock.now)
            try:
                evaluate(custodian, authorization=header, body=body)
            except RefusedError:
                continue
            done += 1
    return done


def test_concurrency_never_exceeds_the_budget(path: Path, clock: SteppedClock) -> None:
    """Five parallel callers get the cap together, and not one evaluation more."""
    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(lambda _: served(path, clock, tries=4), range(5))) == CAP


def test_restarts_never_exceed_the_budget(path: Path, clock: SteppedClock) -> None:
    """However often it starts again, what was charged stays charged."""
    assert sum(served(path, clock, tries=3) for _ in range(5)) == CAP


@pytest.mark.parametrize("step_s", [-1000 * 24 * HOUR, -HOUR, 25 * HOUR, 1000 * 24 * HOUR])
def test_clock_changes_never_exceed_the_budget(path: Path, clock: SteppedClock, step_s: int) -> None:
    """No step of the wall clock back, and no large one forward, gives a point; nor do both with restarts between."""
    done = served(path, clock, tries=CAP + 1)
    for _ in range(2):
        clock.step_wall(step_s)
        done += served(path, clock, tries=1)
        clock.step_wall(-step_s)
        done += served(path, clock, tries=1)
    assert done == CAP


def test_a_crash_after_the_charge_gives_nothing_for_free(path: Path, clock: SteppedClock) -> None:
    """A custodian that dies between charge and answer has charged: counted before serving, never after."""

    def dying(size: int) -> bytes:
        if size == 64:
            raise KeyboardInterrupt
        return secrets.token_bytes(size)

    with pytest.raises(KeyboardInterrupt):
        served(path, clock, tries=1, random=dying)
    assert served(path, clock, tries=CAP + 1) == CAP - 1


def test_a_restore_gives_no_budget_back(path: Path, clock: SteppedClock) -> None:
    """A custodian that is put back from its backup, however often, owes everything until time has filled it again."""
    sealing.create_pair(private=path.parent / "private", public=path.parent / "public")
    backup.back_up(path, path.parent / "backup", public=sealing.read_public(path.parent / "public"), clock=clock)
    sealed = (path.parent / "backup").read_bytes()
    assert served(path, clock, tries=CAP + 1) == CAP
    for number in range(3):
        backup.restore(
            sealed,
            path.parent / f"restored-{number}",
            private=sealing.read_private_key(path.parent / "private"),
            custodian_key=seeded_key(A).public,
            register=register_text([PARTNER], budgets=budget_classes(worker=CAP)),
            clock=clock,
        )
        with folder.open_trust(path.parent / f"restored-{number}") as (_, trust):
            trust.import_roster(PARTNER.roster(A))
        clock.pass_seconds(HOUR)
        assert served(path.parent / f"restored-{number}", clock, tries=1) == 0
    clock.pass_seconds(24 * HOUR)
    assert served(path.parent / "restored-2", clock, tries=CAP + 1) == CAP


def test_the_broker_cannot_raise_a_budget(path: Path, clock: SteppedClock) -> None:
    """Larger budgets come only with two signatures of registrars that this custodian pinned itself."""
    assert served(path, clock, tries=CAP + 1) == CAP
    larger = budget_classes(worker=1000)
    forged = [seeded_key("broker"), seeded_key("broker's friend")]
    with pytest.raises(SignatureError):
        import_register(path, register_text([PARTNER], number=2, budgets=larger, signers=forged), now=clock.now)
    assert served(path, clock, tries=2) == 0
    import_register(path, register_text([PARTNER], number=2, budgets=larger), now=clock.now)
    assert served(path, clock, tries=2) == 0, "a larger bucket is not filled by the import"


def test_a_custodian_holds_no_broker_code_but_the_protocol() -> None:
    """Nothing the broker's operator ships can reach a budget: a custodian imports the protocol only."""
    for source in Path(broker.custodian.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in {"broker", "policies"}:
                assert (node.module or "").startswith(("broker.custodian", "broker.protocol")), source.name
