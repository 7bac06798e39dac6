"""A policy that is being taken up when something breaks: the log says which one decides, and no other ever does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from audit.entry import Leaf
from broker.domain.errors import NotRecordedError
from broker.flows.activate_policy import Activation, activate_policy
from broker.flows.policy import PoliciesByVersion, PolicyInForce
from broker.ports import BUNDLE, StampKey, StampKind
from broker.store.bundles import StoredBundles
from broker.store.connection import open_reader
from broker.store.log_writer import LogWriter
from broker.store.signals import StoredSignals
from policies import load_bundle
from tests.campaigns.points import AFTER, BEFORE, BROKER
from tests.fault.test_log_writer_database import Process, a_fault, on_each_store
from tests.simulators.broker_memory import NoWitnesses
from tests.simulators.clock import SeededRandomness, TestClock
from tests.simulators.databases import Database, at
from tests.simulators.faulty_database import Fault
from tests.simulators.served_world import copy_world

STATEMENTS = ("BEGIN", "INSERT INTO bundles", "INSERT INTO version_stamps", "INSERT INTO log_entries", "COMMIT")
IN_FORCE = StampKey(kind=StampKind.POLICY, key=BUNDLE)
UNSIGNED = Activation(mark="unsigned")


@cache
def first() -> PolicyInForce:
    """Return the shipped policy."""
    return PolicyInForce.of(load_bundle())


@cache
def second() -> PolicyInForce:
    """Return another one."""
    bundle = first().bundle
    return PolicyInForce.of(replace(bundle, documents={**bundle.documents, "lex/teksten.yaml": {}}))


@contextmanager
def _read(process: Process) -> Iterator[tuple[StoredBundles, StoredSignals]]:
    reader = open_reader(process.database.address)
    try:
        yield StoredBundles(reader), StoredSignals(reader)
    finally:
        reader.close()


async def _activate(process: Process, policy: PolicyInForce, policies: PoliciesByVersion) -> None:
    clock = TestClock()
    writer = LogWriter(
        ledger=process.ledger, witnesses=NoWitnesses(), clock=clock, randomness=SeededRandomness(7), tick_ms=0
    )
    with _read(process) as (bundles, signals):
        async with writer as log:
            await activate_policy(
                policy=policy, activation=UNSIGNED, policies=policies, bundles=bundles, signals=signals, clock=clock,
                log=log,
            )  # fmt: skip


async def _deciding(process: Process, policies: PoliciesByVersion) -> str:
    """Return by which bundle a request is decided now, held against what log and state say is in force."""
    with _read(process) as (bundles, signals):
        history = await bundles.activations()
        decides = policies.at(await signals.stamps((IN_FORCE,))).sha256
    assert decides == history[-1].sha256
    assert len(history) == _entries(process.database)
    return decides


def _entries(database: Database) -> int:
    leaves = [Leaf.parse(bytes(leaf)) for (leaf,) in database.rows("SELECT leaf FROM log_entries ORDER BY idx")]
    return sum(leaf.kind == "policy" for leaf in leaves)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("statement", STATEMENTS)
@on_each_store
async def test_a_failing_statement_swaps_both_or_neither(
    tmp_path: Path, kind: str, statement: str, after: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    """Whatever fails, the bundle whose entry is in the log decides, in this process and in the next."""
    process, policies = Process(tmp_path, kind), PoliciesByVersion()
    await process.ledger.open()
    await _activate(process, first(), policies)
    error = a_fault(kind, "full" if kind == "postgresql" else "io")
    process.disk.faults.append(Fault(fragment=statement, error=error, after=after))
    with pytest.raises(NotRecordedError):
        await _activate(process, second(), policies)
    assert await _deciding(process, policies) in {first().sha256, second().sha256}
    process.stop()
    again, anew = Process(tmp_path, kind), PoliciesByVersion()
    await again.ledger.open()
    await _activate(again, second(), anew)
    assert await _deciding(again, anew) == second().sha256
    assert _entries(again.database) == 2
    again.stop()


@pytest.fixture
def broker(template: Path, tmp_path: Path) -> Path:
    """A broker's folder of this test's own on a file, whose log nobody watches."""
    copy_world(template, tmp_path / "world")
    folder = tmp_path / "world" / "broker"
    policy = (folder / "log-policy").read_text(encoding="utf-8").splitlines()[0]
    (folder / "log-policy").write_text(f"{policy}\nquorum none\n", encoding="utf-8")
    return folder


def _run(broker: Path, *, orders: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = ["-c", "from broker.cli import main; main()"]
    if orders is not None:
        program = ["-m", "tests.campaigns.dying", str(orders), "sluis-broker"]
    command = [sys.executable, *program, "policy", "activate", str(broker), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ})


@pytest.mark.parametrize(
    ("point", "written"),
    [
        (f"{BEFORE}: tick COMMIT", False),
        (f"{AFTER}: tick COMMIT", True),
    ],
)
@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_a_killed_activation_is_there_or_not(broker: Path, point: str, written: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """SIGKILL between the entry and the swap, or before both: the next start goes by what the log says."""
    orders = broker.parent / "orders.json"
    orders.write_text(json.dumps({"point": point, "pass_by": 0, "victim": BROKER, "server": None}), encoding="utf-8")
    assert _run(broker, orders=orders).returncode == -signal.SIGKILL
    assert not orders.exists()
    result = _run(broker)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout.splitlines()[-1])
    assert said["entry"] == (None if written else 0)
    database = at("broker.sqlite", broker)
    assert database.rows("SELECT sha256 FROM bundles") == [(said["bundleSha256"],)]
    assert _entries(database) == 1
