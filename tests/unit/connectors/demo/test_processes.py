import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.demo.errors import ProcessError
from connectors.demo.processes import COMMAND_S, Processes, environment, free_port

PATIENCE_S = 120.0
"""Seconds within which a process has ended, on a slow machine too."""

_PARENT = """
import sys, time
from pathlib import Path
from connectors.demo.processes import Processes
with Processes() as processes:
    service = processes.serve("witness", "python", "-c",
        "import os, time; print('ready', os.getpid(), flush=True); time.sleep(600)", log=Path(sys.argv[1]))
    print(service.wait_until_ready(), flush=True)
    time.sleep(600)
"""


def gone(pid: int) -> bool:
    """Return whether this process ended within some seconds."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_end_of_the_demonstration_leaves_a_service_behind(tmp_path: Path, how: signal.Signals) -> None:
    """Even after SIGKILL, which no handler sees, every child ends."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, env={**os.environ}
    )
    assert parent.stdout is not None
    service = int(parent.stdout.readline())
    parent.send_signal(how)
    parent.wait(PATIENCE_S)
    parent.stdout.close()
    assert gone(service)


def test_a_service_is_asked_to_end_and_then_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that ignores SIGTERM is killed; closing returns only once it is gone."""
    monkeypatch.setattr("connectors.demo.processes.STOP_S", 0.2)
    stubborn = "import os,signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    stubborn += "print('ready', os.getpid(), flush=True); time.sleep(600)"
    with Processes() as processes:
        service = processes.serve("broker", "python", "-c", stubborn, log=tmp_path / "log")
        pid = int(service.wait_until_ready())
    assert gone(pid)


def test_a_service_that_ends_instead_of_serving_is_an_error(tmp_path: Path) -> None:
    """A service without a ready line is no service."""
    with Processes() as processes:
        service = processes.serve("broker", "python", "-c", "print('no')", log=tmp_path / "log")
        with pytest.raises(ProcessError, match="broker did not start"):
            service.wait_until_ready()


def test_half_a_ready_line_is_none(tmp_path: Path) -> None:
    """An address counts once its line has ended: before that more of it may follow."""
    with Processes() as processes:
        half = "print('ready http://127.0.0.1:80', end='', flush=True)"
        service = processes.serve("broker", "python", "-c", half, log=tmp_path / "log")
        with pytest.raises(ProcessError, match="broker did not start"):
            service.wait_until_ready()


def test_a_free_port_is_not_one_that_the_machine_gives_away() -> None:
    """It can be listened on, and lies below the ports that whoever asks for any may be given a moment later."""
    port = free_port()
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert port < max(low, 32_768)
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_command_must_end_with_an_expected_code() -> None:
    """A command's other exit code is an error that quotes what it said; an expected one is a result."""
    with Processes() as processes:
        with pytest.raises(ProcessError, match=r"ended with 3: because"):
            processes.run("python", "-c", "import sys; sys.stderr.write('because'); sys.exit(3)")
        ended = processes.run("python", "-c", "import sys; print('done'); sys.exit(3)", expect=(0, 3))
        assert (ended.code, ended.output) == (3, "done\n")


def test_a_command_that_hangs_is_ended() -> None:
    """No command holds the demonstration up for ever: it is ended after its time, which is a minute if none is said."""
    with Processes() as processes, pytest.raises(ProcessError, match="took longer"):
        processes.run("python", "-c", "import time; time.sleep(600)", within_s=0.3)
    assert inspect.signature(Processes.run).parameters["within_s"].default == COMMAND_S


def test_a_script_that_is_not_installed_says_what_to_do() -> None:
    """Only scripts beside Python are started; nothing is looked for elsewhere."""
    with Processes() as processes, pytest.raises(ProcessError, match="run make demo"):
        processes.run("sluis-nobody")


def test_nothing_starts_outside_the_context() -> None:
    """Without its supervisor no process is started."""
    with pytest.raises(ProcessError, match="outside the context"):
        Processes().run("python", "-c", "")


def test_children_get_no_secrets_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child knows where programs are, and nothing else of our surroundings."""
    monkeypatch.setenv("SOME_SECRET", "value")
    assert "SOME_SECRET" not in environment()
