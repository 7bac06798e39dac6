"""A sweep that is cut off, by its disk at each statement or by SIGKILL: one end for each signal, in one entry."""

import json
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from audit.errors import SignerError
from audit.merkle import TreeHead
from audit.seal import seal_entry
from audit.signer import LocalSigner, Successor
from broker.domain.changes import StoreSignal
from broker.domain.errors import NotRecordedError
from broker.flows.policy import PolicyInForce
from broker.flows.sweep_signals import MAX_SIGNALS, sweep_signals
from broker.ports import Proposal
from broker.settings import FILE_NAME
from broker.store.connection import open_reader
from broker.store.log_writer import LogWriter, SealedProposal
from broker.store.retention import StoredRetention
from broker.store.signals import StoredSignals
from policies import load_bundle
from tests.campaigns.points import AFTER, BEFORE, BROKER
from tests.fault.test_log_writer_database import Process, a_fault, on_each_store
from tests.simulators.broker_memory import NoWitnesses
from tests.simulators.broker_world import Always
from tests.simulators.clock import NOON, SeededRandomness, TestClock
from tests.simulators.databases import Database, at
from tests.simulators.faulty_database import Fault
from tests.simulators.proposals import storing
from tests.simulators.region import PATIENCE_S, command, environment
from tests.simulators.retention_oracle import check_ended
from tests.simulators.served_world import copy_world

STATEMENTS = (
    "BEGIN",
    "UPDATE signals",
    "INSERT INTO version_stamps",
    "INSERT INTO tasks",
    "INSERT INTO log_entries",
    "INSERT INTO log_checkpoints",
    "COMMIT",
)
ENDED_ON = date(2026, 11, 1)
MANY = 2 * MAX_SIGNALS


def _ended(name: str) -> Proposal:
    """Return a proposal that stores a signal whose last day has passed."""
    proposal = storing(name)
    (change,) = proposal.changes
    assert isinstance(change, StoreSignal)
    return replace(proposal, changes=(replace(change, signal=replace(change.signal, ends_on=ENDED_ON)),))


def _ids(*names: str) -> list[str]:
    return [change.signal.id for name in names for change in storing(name).changes if isinstance(change, StoreSignal)]


async def _store(process: Process, *names: str) -> None:
    sealed = [
        SealedProposal(proposal=one, entry=seal_entry(one.kind, one.payloads)) for one in map(_ended, names)
    ]  # fmt: skip
    await process.ledger.open()
    await process.ledger.write(sealed, at=NOON)


@cache
def shipped() -> Always:
    """Return the shipped policy, in which nothing has ended."""
    return Always(PolicyInForce.of(load_bundle()))


async def _sweep(process: Process) -> None:
    retention, reader, clock = (
        StoredRetention(process.database.address),
        open_reader(process.database.address),
        TestClock(),
    )
    writer = LogWriter(
        ledger=process.ledger, witnesses=NoWitnesses(), clock=clock, randomness=SeededRandomness(5), tick_ms=0
    )
    try:
        async with writer as log:
            await sweep_signals(
                at_most=2,
                always_recorded=False,
                vouched_at=None,
                policies=shipped(),
                clock=clock,
                signals=StoredSignals(reader),
                retention=retention,
                log=log,
            )
    finally:
        retention.close()
        reader.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("statement", STATEMENTS)
@on_each_store
async def test_a_failing_statement_ends_all_or_none(tmp_path: Path, kind: str, statement: str, after: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Whatever fails, an entry and the ends it names are there together or not at all; the next sweep does the rest."""
    process = Process(tmp_path, kind)
    await _store(process, "one", "two")
    error = a_fault(kind, "full" if kind == "postgresql" else "io")
    process.disk.faults.append(Fault(fragment=statement, error=error, after=after))
    with pytest.raises(NotRecordedError):
        await _sweep(process)
    process.stop()
    assert check_ended(process.database, process.kek_path) <= 1
    again = Process(tmp_path, kind)
    await again.ledger.open()
    await _sweep(again)
    again.stop()
    assert check_ended(process.database, process.kek_path, expected=_ids("one", "two")) == 1


LETTER = {
    "id": "e" * 32, "kind": "request", "sender": "1" * 20, "sender_team": "team-1", "sender_worker": "worker",
    "sender_role": "worker", "controller": "1" * 20, "receiver": "2" * 20, "receiver_team": "team-1", "personal": 0,
    "purpose": "vt-melding", "grounds": "[]", "categories": "[]", "level": 3, "approved": 0, "bundle": "b" * 64,
    "sent_at": NOON, "expires_on": ENDED_ON.isoformat(), "open_until": ENDED_ON.isoformat(),
    "box_until": ENDED_ON.isoformat(), "rests_on": "[]", "state": "sent", "delivery": "waiting", "chunks": "[]",
    "box": b"sealed",
}  # fmt: skip


def _letter(process: Process) -> tuple[int, int, int]:
    """Return how many boxes, notices and entries there are."""
    query = """SELECT (SELECT count(*) FROM information_requests WHERE length(box) > 0),
        (SELECT count(*) FROM notices WHERE kind = 'request_expired'), (SELECT count(*) FROM log_entries)"""
    ((boxes, notices, entries),) = process.database.rows(query)
    return boxes, notices, entries


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "statement", ["UPDATE information_requests SET open_until", "INSERT INTO notices", "SET box = ", "COMMIT"]
)
async def test_a_failing_statement_forgets_and_tells_all_or_nothing(
    tmp_path: Path, statement: str, after: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    """A box is gone and its asker told by one entry, or neither; the next sweep does the rest, and nothing twice."""
    process = Process(tmp_path)
    await _store(process)
    columns, marks = ", ".join(LETTER), ", ".join("?" * len(LETTER))
    process.database.write(f"INSERT INTO information_requests ({columns}) VALUES ({marks})", *LETTER.values())  # noqa: S608 - names of the test
    process.disk.faults.append(Fault(fragment=statement, error=a_fault("sqlite", "io"), after=after))
    with pytest.raises(NotRecordedError):
        await _sweep(process)
    process.stop()
    assert _letter(process) in {(1, 0, 0), (0, 1, 1)}
    again = Process(tmp_path)
    await again.ledger.open()
    await _sweep(again)
    again.stop()
    assert _letter(again) == (0, 1, 1)


class _DyingSigner(LocalSigner):
    """A signer whose process dies between the commit and its release."""

    __slots__ = ()

    def settle(self, head: TreeHead, successor: Successor | None = None) -> None:
        """Die when something was signed since the last time."""
        if self._state.intent is not None:
            raise SignerError("signer: its process died here")
        super().settle(head, successor)


async def test_a_death_after_the_commit_ends_nothing_twice(tmp_path: Path) -> None:
    """A sweep that committed and never heard so is not done again by the next one."""
    process = Process(tmp_path)
    await _store(process, "one", "two")
    process.signer.close()
    dying = _DyingSigner.open(tmp_path / "log.key")
    process.ledger = process.over(_DyingSigner(dying._key, dying._slots, dying._lock, dying._state))
    with pytest.raises(NotRecordedError):
        await _sweep(process)
    process.signer = dying
    process.stop()
    again = Process(tmp_path)
    await again.ledger.open()
    await _sweep(again)
    again.stop()
    assert check_ended(process.database, process.kek_path, expected=_ids("one", "two")) == 1


def _insert(database: Database, count: int) -> list[str]:
    """Return the ids of so many signals past their last day, put into the database of a broker."""
    signals = [_ended(f"child {number}").changes[0] for number in range(count)]
    with database.session() as connection:
        for change in signals:
            assert isinstance(change, StoreSignal)
            one = change.signal
            connection.execute(
                "INSERT INTO signals (id, handle, organisation, controller, team, purpose, ground, epoch, "
                "registered_on, ends_on, state, shielded) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, 'active', false)",
                (one.id, one.handle, one.organisation, one.controller, one.team, one.purpose, one.ground,
                 "2026-01-01", ENDED_ON.isoformat()),
            )  # fmt: skip
    return [change.signal.id for change in signals if isinstance(change, StoreSignal)]


def _swept(broker: Path, *through: object, batch: int = MAX_SIGNALS) -> subprocess.CompletedProcess[str]:
    """Return how a sweep of the broker's folder ended, run as a process, perhaps through a program that may kill it."""
    program = [*map(str, through), "sluis-broker"] if through else command("sluis-broker")
    return subprocess.run(
        [*program, "sweep", broker, "--batch", str(batch), "--json"],
        capture_output=True, text=True, check=False, timeout=PATIENCE_S, env=environment(),
    )  # fmt: skip


def _killed(broker: Path, orders: Path, moment: str) -> int:
    """Return the exit code of a sweep that is killed around its second commit."""
    order = {"point": f"{moment}: tick COMMIT", "victim": BROKER, "server": None, "pass_by": 1}
    orders.write_text(json.dumps(order), encoding="utf-8")
    return _swept(broker, sys.executable, "-m", "tests.campaigns.dying", orders, batch=5).returncode


@pytest.fixture
def broker(template: Path, tmp_path: Path) -> Path:
    """A broker's folder of this test's own, whose log nobody watches."""
    copy_world(template, tmp_path / "world")
    folder = tmp_path / "world" / "broker"
    policy = (folder / "log-policy").read_text(encoding="utf-8").splitlines()[0]
    (folder / "log-policy").write_text(f"{policy}\nquorum none\n", encoding="utf-8")
    return folder


def test_a_killed_sweep_is_done_by_the_next_one(broker: Path, tmp_path: Path) -> None:
    """SIGKILL before a commit, and after one: each signal ends once, in one entry, and the last run ends the rest."""
    settings = tomllib.loads((broker / FILE_NAME).read_text(encoding="utf-8"))
    database = at(settings.get("database", "broker.sqlite"), broker)
    ids = _insert(database, MANY)
    for moment in (BEFORE, AFTER):
        assert _killed(broker, tmp_path / "orders", moment) == -signal.SIGKILL
        check_ended(database, broker / "payload-keys")
    said = []
    for _ in range(2):
        done = _swept(broker)
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said[0]["ended"]["expiry"] > 0
    # By hand the first entry is always written: that it is there tells nothing (D8).
    assert (said[1]["ended"], said[1]["entries"]) == ({"expiry": 0, "age": 0, "rules": 0, "consent": 0}, 1)
    check_ended(database, broker / "payload-keys", expected=ids)
