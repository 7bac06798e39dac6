"""When there is no room, a request is not done as a whole: 503, nothing half written, and it works again after."""

import asyncio
import resource
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from broker.settings import FILE_NAME
from tests.simulators.asking import PUBLIC_URL, Asker, household
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.ports import free_port
from tests.simulators.region import PATIENCE_S, Service
from tests.simulators.served_world import ServedWorld

TABLES = (
    "signals",
    "signal_tokens",
    "sealed_tokens",
    "answers",
    "tasks",
    "spent_tickets",
    "log_entries",
    "log_payloads",
)
MANY = 400


ON_A_FILE = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
"""A server's disk cannot be filled for one database alone: `test_log_writer_database.py` makes it say so."""


def _state(database: Path) -> dict[str, Any]:
    """Return how many rows each table has, and the version of every stamp."""
    with closing(sqlite3.connect(database)) as connection:
        counts: dict[str, Any] = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a name from the list above
            for table in TABLES
        }
        counts["stamps"] = connection.execute("SELECT kind, key, version FROM version_stamps ORDER BY 1, 2").fetchall()
        counts["checkpoints"] = connection.execute("SELECT max(size) FROM log_checkpoints").fetchone()[0]
    return counts


def _family(name: object) -> dict[str, Any]:
    return household(subject=f"child {name}", parents=[f"mother {name}"])


@ON_A_FILE
async def test_a_full_database_takes_all_of_a_request_or_nothing(world: ServedWorld) -> None:
    """With room for one page more each time, every request is refused whole until one fits whole."""
    await world.register(WIJKTEAM, _family("before"))
    database = world.settings.path(Path(world.settings.database))
    connection: sqlite3.Connection = world.app.state.edge.spending._writer.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    refused = 0
    for extra in range(MANY):
        connection.execute(f"PRAGMA max_page_count={pages + extra}")
        before = _state(database)
        answer = await world.register(WIJKTEAM, _family(extra))
        if answer.status_code == 200:
            break
        refused += 1
        assert (answer.status_code, answer.json()["textId"]) == (503, "not_done.storage")
        assert answer.headers["retry-after"] == "5"
        assert _state(database) == before
    assert refused > 3
    assert _state(database)["log_entries"] == 3  # the policy in force is the first


@ON_A_FILE
async def test_all_requests_of_a_full_tick_are_refused_and_the_next_tick_works(world: ServedWorld) -> None:
    """Requests that wait together are refused together, and none is done in part."""
    await world.register(WIJKTEAM, _family("before"))
    connection: sqlite3.Connection = world.app.state.edge.spending._writer.connection
    full = connection.execute("PRAGMA page_count").fetchone()[0] + 6
    connection.execute(f"PRAGMA max_page_count={full}")
    before = _state(world.settings.path(Path(world.settings.database)))
    answers = await asyncio.gather(*(world.register(WIJKTEAM, _family(number)) for number in range(5)))
    assert {answer.status_code for answer in answers} == {503}
    assert _state(world.settings.path(Path(world.settings.database))) == before
    connection.execute(f"PRAGMA max_page_count={full * 100}")
    again = await asyncio.gather(*(world.register(WIJKTEAM, _family(number)) for number in range(5)))
    assert {answer.status_code for answer in again} == {200}
    assert world.leaves == 6


@pytest.fixture
def served(template: Path, tmp_path: Path) -> Iterator[tuple[Service, Path, str]]:
    """A broker in a process of its own: its service, its database and its address."""
    folder = Path(shutil.copytree(template, tmp_path / "world")) / "broker"
    address = f"127.0.0.1:{free_port()}"
    text = (folder / FILE_NAME).read_text(encoding="utf-8").replace("127.0.0.1:8801", address)
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    service = Service(script="sluis-broker", arguments=["serve", str(folder)], log=tmp_path / "broker.log")
    service.start()
    yield service, folder / "broker.sqlite", f"http://{address}"
    service.stop()


def _register(asker: Asker, url: str, name: str) -> httpx.Response:
    asker.now = int(time.time())
    ends_on = time.strftime("%Y-%m-%d", time.gmtime(asker.now + 100 * 86_400))
    sent = asker.post("/v1/signals", asker.registration(_family(name), endsOn=ends_on))
    return httpx.post(url + sent.path, content=sent.body, headers=dict(sent.headers), timeout=PATIENCE_S)


@ON_A_FILE
def test_a_process_that_may_write_no_more_says_so_and_recovers(served: tuple[Service, Path, str]) -> None:
    """A file-size limit put on the running process gives 503 and no change; without it the same process works on."""
    service, database, url = served
    asker = Asker(oin=WIJKTEAM, now=int(time.time()))
    assert _register(asker, url, "before").status_code == 200
    before = _state(database)
    assert service.process is not None
    limits = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
    written = database.with_name("broker.sqlite-wal").stat().st_size
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (written, limits[1]))
    for name in ("first", "second"):
        answer = _register(asker, url, name)
        assert (answer.status_code, answer.json()["status"]) == (503, 503)
        assert answer.json()["textId"].startswith("not_done")
    assert _state(database) == before
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, limits)
    assert _register(asker, url, "after").status_code == 200
    assert _state(database)["log_entries"] == before["log_entries"] + 1
    assert PUBLIC_URL not in service.log.read_text()
