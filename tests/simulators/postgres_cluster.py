"""A real PostgreSQL cluster of this run's own: as an unprivileged user, on a socket, durable, ended with this process.

Databases are copies of one that was migrated once, each with a role that owns the schema and one that serves.
"""

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from broker.store.address import PostgresServer
from broker.store.schema import migrate
from tests.check.system_packages import apt_line

OWNER, SERVICE = "sluis_owner", "sluis_service"
TEMPLATE = "sluis_template"
_READY_S = 120.0
_PR_SET_PDEATHSIG = 1


def binaries() -> Path:
    """Return the folder of the server's programs: the newest release that Debian put there, else that of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    program = found[-1] if found else Path(shutil.which("postgres") or "/nowhere")
    assert (program.parent / "initdb").is_file(), f"PostgreSQL's server is missing; as root: {apt_line(['postgresql'])}"
    return program.parent


def _as_unprivileged() -> Callable[[], None]:
    """Return what a child does before it becomes the server: end with its parent, and be nobody's superuser."""
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def become() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

    return become


@dataclass(slots=True, kw_only=True)
class PostgresCluster:
    """One server; `start` and `kill` it as often as a test likes."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        """Return once it takes connections."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [binaries() / "postgres", "-D", self.folder / "data", "-k", self.folder, "-h", ""],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_as_unprivileged(),  # noqa: PLW1509 - it only sets ids and asks the kernel one thing
            )
        ends = time.monotonic() + _READY_S
        while True:
            try:
                self._connect("postgres", "postgres").close()
            except psycopg.OperationalError:
                assert time.monotonic() < ends, (self.folder / "server.log").read_text()
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT at once and in order, SIGKILL as a crash does."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=_READY_S)
            self.process = None

    def kill(self) -> None:
        """The server and all its sessions are gone as in a crash."""
        assert self.process is not None
        kill_server(self.process.pid)
        self.reap()

    def reap(self) -> None:
        """Wait until the server is gone that somebody else killed."""
        assert self.process is not None
        self.process.wait(timeout=_READY_S)
        self.process = None

    def url(self, database: str, role: str) -> str:
        """Return the address of a database as a role."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def new_database(self, *, template: str = TEMPLATE) -> str:
        """Return the name of a new database: migrated and empty, or the copy of one that nobody has open."""
        name = f"sluis_{next(self._numbers)}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
        return name

    def drop_database(self, name: str) -> None:
        """It is gone, with the sessions that still hold it."""
        self.administer(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def base_backup(self) -> Iterator["PostgresCluster"]:
        """Hold what `pg_basebackup` takes of this server now, put back and running beside it; gone afterwards."""
        with _own_folder() as folder:
            subprocess.run(
                [binaries() / "pg_basebackup", "-D", folder / "data", "-h", self.folder, "-U", "postgres",
                 "--checkpoint=fast", "--no-sync"],
                check=True,
                capture_output=True,
                cwd=folder,
                preexec_fn=_as_unprivileged(),
            )  # fmt: skip
            restored = PostgresCluster(folder=folder)
            restored.start()
            try:
                yield restored
            finally:
                restored.stop()

    def administer(self, statement: str, database: str = "postgres") -> None:
        """Carry out a statement as the superuser; who had a database open may be just leaving."""
        ends = time.monotonic() + _READY_S
        with self._connect(database, "postgres") as connection:
            while True:
                try:
                    connection.execute(statement)
                except psycopg.errors.ObjectInUse:  # the server itself has waited for five seconds
                    assert time.monotonic() < ends, "a database is held open"
                else:
                    return

    def _connect(self, database: str, role: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(host=str(self.folder), dbname=database, user=role, autocommit=True)

    def prepare(self) -> None:
        """Both roles and the migrated template are there."""
        for role in (OWNER, SERVICE):
            self.administer(f"CREATE ROLE {role} LOGIN")
        self.administer(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}")
        self.administer(f"ALTER SCHEMA public OWNER TO {OWNER}", TEMPLATE)
        migrate(PostgresServer(url=self.url(TEMPLATE, OWNER)), service=SERVICE)


def kill_server(pid: int) -> None:
    """The server of this process id and all its sessions are gone as in a crash; one started now finds none of them."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for victim in (pid, *children):
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    ends = time.monotonic() + _READY_S
    while any(_runs(child) for child in children):
        assert time.monotonic() < ends, "a session outlived its server"
        time.sleep(0.001)


def _runs(pid: int) -> bool:
    """Return whether a process does anything yet: one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


@contextmanager
def running_cluster() -> Iterator[PostgresCluster]:
    """Hold a running cluster in a folder of its own, gone afterwards."""
    become = _as_unprivileged()
    with _own_folder() as folder:
        # Trust is for a socket in a folder that only this user and root can enter. `--no-sync` spares the making only.
        options = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--no-sync")
        subprocess.run(
            [binaries() / "initdb", "-D", folder / "data", *options],
            check=True,
            capture_output=True,
            cwd=folder,
            preexec_fn=become,
        )
        cluster = PostgresCluster(folder=folder)
        cluster.start()
        try:
            cluster.prepare()
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Hold a folder of the server's user, gone afterwards."""
    # Directly under the temporary folder: the server's user cannot enter pytest's own, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="sluis-pg-"))
    try:
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
