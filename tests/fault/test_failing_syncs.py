"""A process whose disk no longer keeps what it writes ends by itself and says why; what was acknowledged is there."""

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from audit.durability import DISK_FAILED
from audit.witness_config import init_witness
from broker.custodian.evaluation import PATH
from broker.settings import FILE_NAME
from tests.fault.test_disk_full import ON_A_FILE, _register, _state
from tests.simulators.asking import Asker
from tests.simulators.custodian import CUSTODIANS, SimulatedPartner, authorization, batch, make_pair, public_url
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.ports import free_port
from tests.simulators.region import PATIENCE_S, Service
from tests.unit.audit.log_simulator import LogInMemory
from tests.unit.audit.test_witness import growth

THROUGH = (sys.executable, "-m", "tests.fault.traceable")
PARTNER = SimulatedPartner()


@contextmanager
def failing_syncs(service: Service, trace: Path) -> Iterator[None]:
    """From here on every sync of the running process fails with an input/output error."""
    assert service.process is not None
    inject = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]
    command = ["strace", "-f", *inject, "-o", str(trace), "-p", str(service.process.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        try:
            yield
        finally:
            strace.terminate()


def _ended(service: Service) -> None:
    """Hold only if the process has ended by itself, not as if all were well, and says why and what to do."""
    assert service.reap() == 1
    assert f"{service.script}: {DISK_FAILED}\n" in service.log.read_text(encoding="utf-8")


@pytest.fixture
def broker(template: Path, tmp_path: Path) -> Iterator[tuple[Service, Path, str]]:
    """A broker in a process of its own: its service, its database and its address."""
    folder = Path(shutil.copytree(template, tmp_path / "world")) / "broker"
    address = f"127.0.0.1:{free_port()}"
    text = (folder / FILE_NAME).read_text(encoding="utf-8").replace("127.0.0.1:8801", address)
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    arguments = ["serve", str(folder)]
    service = Service(script="sluis-broker", arguments=arguments, log=tmp_path / "broker.log", through=THROUGH)
    service.start()
    yield service, folder / "broker.sqlite", f"http://{address}"
    service.stop()


@ON_A_FILE
def test_a_broker_whose_sync_fails_ends(broker: tuple[Service, Path, str], tmp_path: Path) -> None:
    """The request is not done, the process ends with 1 and a sentence, and the next start has what was acknowledged."""
    service, database, url = broker
    asker = Asker(oin=WIJKTEAM, now=int(time.time()))
    assert _register(asker, url, "before").status_code == 200
    before = _state(database)
    with failing_syncs(service, tmp_path / "trace"):
        answer = _register(asker, url, "first")
        assert (answer.status_code, answer.json()["textId"][:8]) == (503, "not_done")
        _ended(service)
    service.start()
    assert _register(asker, url, "after").status_code == 200
    after = _state(database)
    assert after["log_entries"] == after["checkpoints"] >= before["log_entries"] + 1


def test_a_custodian_whose_sync_fails_ends(tmp_path: Path) -> None:
    """No point is evaluated that is not charged durably: the batch is refused, and the process ends with 1."""
    make_pair(tmp_path, [PARTNER], now=int(time.time()))
    folder, name = tmp_path / "custodian-a", CUSTODIANS[0]
    service = Service(
        script="sluis-custodian", arguments=["serve", str(folder)], log=tmp_path / "custodian.log", through=THROUGH
    )
    url = service.start()

    def asked() -> int:
        body = batch()
        header = authorization(PARTNER, body, custodian=name, now=int(time.time()), url=public_url(name) + PATH)
        return httpx.post(url + PATH, content=body, headers={"Authorization": header}, timeout=PATIENCE_S).status_code

    try:
        assert asked() == 200
        with failing_syncs(service, tmp_path / "trace"):
            assert asked() == 503
            _ended(service)
        url = service.start()
        assert asked() == 200
    finally:
        service.stop()


def _shown(url: str, growth: bytes) -> int:
    """Return the status of a witness's answer to a newer checkpoint."""
    return httpx.post(f"{url}/add-checkpoint", content=growth, timeout=PATIENCE_S).status_code


def test_a_witness_whose_sync_fails_ends(tmp_path: Path) -> None:
    """Nothing is cosigned that could be forgotten, and the process ends with 1."""
    log = LogInMemory().grow(3).grow(5)
    init_witness(
        tmp_path / "w", name=f"w-{secrets.token_hex(2)}", logs=[log.key.verifier.encode()], host="127.0.0.1", port=0
    )
    arguments = ["witness", "serve", str(tmp_path / "w")]
    service = Service(script="sluis-audit", arguments=arguments, log=tmp_path / "witness.log", through=THROUGH)
    url = service.start()
    try:
        assert _shown(url, growth(log, 0, 3)) == 200
        with failing_syncs(service, tmp_path / "trace"):
            assert _shown(url, growth(log, 3, 5)) == 500
            _ended(service)
        url = service.start()
        assert _shown(url, growth(log, 3, 5)) in {200, 409}
    finally:
        service.stop()
