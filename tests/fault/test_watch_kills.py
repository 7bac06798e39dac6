"""A custodian that is killed (SIGKILL) inside a look: after a start the next look ends as an undisturbed one does."""

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.simulators.custodian import batch
from tests.simulators.watched_broker import WatchedBroker, WatchedWorld, open_watching, watched_pair

_Ended = tuple[tuple[int | None, ...], tuple[tuple[str, str], ...]]
STRIDE = 9
"""Each so many statements one is the last: the others are as likely, and a start of two custodians takes time."""
_CHANGES = ("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE")


class _Dying:
    """The session behind it; the process dies before the statement of this number that begins, ends or changes."""

    def __init__(self, inner: Any, step: int) -> None:  # noqa: ANN401 - a session of SQLite
        self._inner, self._left = inner, step

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the session has
        return getattr(self._inner, name)

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ANN401 - the rows of a session
        """Run, if it comes to that."""
        if statement.split(maxsplit=1)[0].startswith(_CHANGES):
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            self._left -= 1
        return self._inner.execute(statement, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stopped:
    """Two custodians that do not run: their folder, and what they watch."""

    folder: Path
    world: WatchedWorld

    @property
    def broker(self) -> WatchedBroker:
        """The broker, whose witness is away: what it holds is of this process alone."""
        self.world.broker.witness_down = True
        return self.world.broker

    def copy(self, name: str) -> Path:
        """Return a copy of the folder."""
        return Path(shutil.copytree(self.folder, self.folder.with_name(name)))


def _prepared(folder: Path) -> _Stopped:
    """Return custodians that have everything to look at: a ticket that came back, one that did not, one unknown."""
    folder.mkdir()
    with watched_pair(folder) as world:
        tickets = world.tickets(body=batch())
        world.broker.cite(tickets)
        world.broker.cite([(name, "0" * 32) for name, _ in tickets])
        erased = world.broker.cite(world.tickets(body=batch()))
        hidden = world.broker.cite(world.tickets(body=batch()))
        world.broker.erase("erasure", [{"from": erased, "to": erased, "groups": ["actor"]}], actors=[erased, hidden])
        world.clock.pass_seconds(1501)
        return _Stopped(folder=folder, world=world)


def _looked(stopped: _Stopped, folder: Path, *, step: int | None = None) -> _Ended:
    """Return what a start and a look end with."""
    with open_watching(folder, stopped.world.pair.epoch_text, stopped.world.partners, stopped.broker) as world:
        if step is not None:
            store: Any = world.pair.custodians[0].store
            store._connection = _Dying(store._connection, step)
        asyncio.run(world.look())
        return tuple(world.matched()), tuple(sorted(world.findings()))


def _killed(stopped: _Stopped, folder: Path, step: int) -> bool:
    """Return whether a look in a process of its own was killed at a step; not, when it has fewer."""
    child = os.fork()
    if child == 0:
        try:
            _looked(stopped, folder, step=step)
        except BaseException:  # noqa: BLE001 - a child of a test says only whether it came to its end
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_a_look_that_is_killed_is_made_good_by_the_next(tmp_path: Path) -> None:
    """Wherever the process dies, nothing is half seen, told twice or lost."""
    stopped = _prepared(tmp_path / "prepared")
    undisturbed = _looked(stopped, stopped.copy("undisturbed"))
    assert [kind for kind, _ in undisturbed[1]] == ["never-issued", "unspent", "unspent", "withheld"]
    for step in count(0, STRIDE):
        folder = stopped.copy(f"killed {step}")
        killed = _killed(stopped, folder, step)
        assert _looked(stopped, folder) == undisturbed, step
        if not killed:
            break
    assert step > 3 * STRIDE
