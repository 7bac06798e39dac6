"""A program of ours as it is, but for one thing: at a named point, once, it kills itself or its database.

    python -m tests.campaigns.dying ORDERS sluis-broker serve DIR

`ORDERS` is a file that the campaign writes while the process runs and that the process removes when it carries it out.
Production code knows nothing of this: sessions, signer and answers are wrapped from outside, before the program starts.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.campaigns.points import (
    AFTER,
    BEFORE,
    CUSTODIAN_ANSWER,
    LEAVES,
    RELEASED,
    SERVER,
    SESSION,
    SIGNER_SETTLED,
    SIGNER_SIGNS,
)
from tests.simulators.postgres_cluster import kill_server
from tests.simulators.region import console_script


class Orders:
    """What the campaign ordered: at which point to kill whom, and how often to pass it by before."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._passed = 0
        self.phase = ""
        self.session: int | None = None

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Name what the writer does; one thread does one thing at a time."""
        before, self.phase = self.phase, phase
        try:
            yield
        finally:
            self.phase = before

    @contextmanager
    def around(self, place: str) -> Iterator[None]:
        """Be at a place: first before, then after whatever is done in it."""
        self._at(BEFORE, place)
        yield
        self._at(AFTER, place)

    def _at(self, moment: str, place: str) -> None:
        try:
            order = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        if order["point"] != f"{moment}: {place}":
            return
        self._passed += 1
        if self._passed <= order["pass_by"]:
            return
        self._file.unlink()
        self._passed = 0
        self._kill(order["victim"], order["server"])

    def _kill(self, victim: str, server: int | None) -> None:
        if victim == SERVER and server is not None:
            kill_server(server)
        elif victim == SESSION and self.session is not None:
            os.kill(self.session, signal.SIGKILL)
        else:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingConnection:
    """The session behind it, with a point before and after each statement."""

    def __init__(self, inner: Any, orders: Orders, *, phase: str = "") -> None:  # noqa: ANN401 - a session of either kind
        self._inner = inner
        self._orders = orders
        self._phase = phase

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the session has
        return getattr(self._inner, name)

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Any:  # noqa: ANN401 - rows of either kind
        """Run, if it comes to that."""
        with self._orders.around(self._place(statement)):
            return self._inner.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any:  # noqa: ANN401 - as above
        """Run, if it comes to that."""
        with self._orders.around(self._place(statement)):
            return self._inner.executemany(statement, rows)

    def _place(self, statement: str) -> str:
        words = statement.split()
        taken = {"INSERT": 3, "UPDATE": 2}.get(words[0], 1)
        return f"{self._orders.phase or self._phase} {' '.join(words[:taken])}"


def broker_may_die(orders: Orders) -> None:
    """The broker of this process has a point around each step of its writer, its signer and its answers."""
    from audit.signer import LocalSigner  # noqa: PLC0415 - only the program that is started is loaded
    from broker.api.boundary import Boundary  # noqa: PLC0415 - as above
    from broker.store import connection, log_writer  # noqa: PLC0415 - as above
    from broker.store.ledger import StoredLedger  # noqa: PLC0415 - as above

    opened = connection._open_writing

    def opening(address: Any) -> Any:  # noqa: ANN401 - whatever the broker's own function takes and gives
        session = opened(address)
        driver = getattr(session, "_inner", None)
        orders.session = None if driver is None else driver.info.backend_pid
        return DyingConnection(session, orders, phase="request-id")

    connection._open_writing = opening
    for name, phase in (("_open", "start"), ("_write", "tick"), ("_store_cosignatures", "cosignatures")):
        _wrap(StoredLedger, name, lambda *_, phase=phase: orders.during(phase))
    _wrap(LocalSigner, "sign", lambda *_: orders.around(SIGNER_SIGNS))
    _wrap(LocalSigner, "_persist", lambda *_: orders.around(SIGNER_SETTLED))
    _wrap(log_writer, "_tell", lambda *_: orders.around(RELEASED))
    _answers_may_not_leave(Boundary, orders)


def _answers_may_not_leave(boundary: Any, orders: Orders) -> None:  # noqa: ANN401 - the class of ASGI middleware
    called = boundary.__call__

    async def calling(self: Any, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        async def sending(message: Any) -> None:  # noqa: ANN401 - as above
            if scope.get("method") == "POST" and message["type"] == "http.response.body":
                with orders.around(LEAVES):
                    await send(message)
            else:
                await send(message)

        await called(self, scope, receive, sending)

    boundary.__call__ = calling


def custodian_may_die(orders: Orders) -> None:
    """The custodian of this process has a point around each step of its two transactions and its answer."""
    from broker.custodian import evaluation, replays, service  # noqa: PLC0415 - only the program that is started is loaded
    from broker.custodian.store import Store  # noqa: PLC0415 - as above

    opened = Store.__init__

    def opening(self: Any, path: Path) -> None:  # noqa: ANN401 - a store
        opened(self, path)
        self._connection = DyingConnection(self._connection, orders, phase="other")

    Store.__init__ = opening  # type: ignore[method-assign]  # the wrapping this module is for
    _wrap(replays, "spend", lambda *_, **__: orders.during("request-id"))
    _wrap(evaluation, "_charged", lambda *_, **__: orders.during("charge"))
    _wrap(service, "evaluate", lambda *_, **__: orders.around(CUSTODIAN_ANSWER))


def _wrap(holder: Any, name: str, around: Callable[..., Any]) -> None:  # noqa: ANN401 - a module or a class
    """Do what stands there inside a context that is made of its arguments."""
    function = getattr(holder, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - the function's own
        with around(*arguments, **named):
            return function(*arguments, **named)

    setattr(holder, name, wrapped)


def main(arguments: Sequence[str]) -> None:
    """Run a console script of ours, which may die."""
    orders, script = Orders(Path(arguments[0])), arguments[1]
    (custodian_may_die if script == "sluis-custodian" else broker_may_die)(orders)
    sys.argv = [script, *arguments[2:]]
    console_script(script)()


if __name__ == "__main__":
    main(sys.argv[1:])
