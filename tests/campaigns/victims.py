"""A running region whose parts can be killed, at a random moment or at a named point, and started again."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.errors import DatabaseError
from tests.campaigns.crowd import Crowd, enrol_workers, quicken
from tests.campaigns.points import ALL, BROKER, CUSTODIAN_A, CUSTODIAN_B, SERVER, SESSION, Point
from tests.simulators.databases import Databases
from tests.simulators.postgres_cluster import PostgresCluster
from tests.simulators.region import Region, Service, in_this_process
from tests.simulators.two_custodians import NAMES as CUSTODIANS

SERVICES = {BROKER: "broker", CUSTODIAN_A: CUSTODIANS[0], CUSTODIAN_B: CUSTODIANS[1]}
"""What the parts that are processes of ours are called in a region."""
REACHED_S = 120.0
"""Seconds within which work under way must come past a point."""


@dataclass(slots=True, kw_only=True)
class Victims:
    """The parts of one region, with how long each start took."""

    region: Region
    cluster: PostgresCluster | None
    restarts: list[float] = field(default_factory=list)

    def kill(self, victim: str) -> None:
        """This part was killed and is started again, with whatever could not go on without it."""
        if victim == SESSION:
            os.kill(self._session(), signal.SIGKILL)
        elif victim == SERVER:
            self._server().kill()
            self._server().start()
        elif victim == ALL:
            self._kill_all()
        else:
            self._service(victim).stop(signal.SIGKILL)
            self._start(self._service(victim))

    def kill_at(self, point: Point, *, pass_by: int) -> bool:
        """Return whether the point was reached in time; then its victim was killed there and is started again."""
        self.order(point, pass_by=pass_by)
        if not self.was_reached(point):
            return False
        self.start_again(point.victim)
        return True

    def order(self, point: Point, *, pass_by: int = 0) -> None:
        """Whoever reaches this point kills its victim, once he passed it by so many times."""
        server = None if self.cluster is None or self.cluster.process is None else self.cluster.process.pid
        order = {"point": point.name, "victim": point.victim, "server": server, "pass_by": pass_by}
        orders = self._orders(point.reached_by)
        fresh = orders.with_suffix(".new")
        fresh.write_text(json.dumps(order), encoding="utf-8")
        fresh.replace(orders)

    def was_reached(self, point: Point) -> bool:
        """Return whether the ordered point was reached in time; if not, the order is taken back."""
        orders, until = self._orders(point.reached_by), time.monotonic() + REACHED_S
        while orders.exists():
            if time.monotonic() > until:
                orders.unlink(missing_ok=True)
                return False
            time.sleep(0.002)
        return True

    def start_again(self, victim: str) -> None:
        """What killed itself, or was killed by another part, is started again."""
        if victim == SERVER:
            self._server().reap()
            self._server().start()
        elif victim != SESSION:
            service = self._service(victim)
            assert service.reap() == -signal.SIGKILL, f"{victim} ended otherwise than by a kill"
            self._start(service)

    def gather(self, tick_ms: int) -> None:
        """The broker is started anew with ticks of this length."""
        broker = self._service(BROKER)
        broker.stop()
        quicken(self.region.path("broker"), tick_ms)
        self._start(broker)

    def serves_without_restart(self) -> int | None:
        """Return the process id of the broker, None when it has ended."""
        process = self._service(BROKER).process
        return None if process is None or process.poll() is not None else process.pid

    def _kill_all(self) -> None:
        for service in self.region.services.values():
            service.signal(signal.SIGKILL)
        if self.cluster is not None:
            self.cluster.kill()
        for service in self.region.services.values():
            service.reap()
        if self.cluster is not None:
            self.cluster.start()
        for service in self.region.services.values():
            self._start(service)

    def _start(self, service: Service) -> None:
        began = time.monotonic()
        service.start()
        self.restarts.append(time.monotonic() - began)

    def _service(self, victim: str) -> Service:
        return self.region.services[SERVICES[victim]]

    def _server(self) -> PostgresCluster:
        assert self.cluster is not None, "there is no server in this region"
        return self.cluster

    def _session(self) -> int:
        """Return the process of the session that writes: it holds the one writer's lock."""
        query = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
        until = time.monotonic() + REACHED_S
        while not (found := rows_of(self.region, query)):
            assert time.monotonic() < until, "no session writes"
            time.sleep(0.01)
        return int(found[0][0])

    def _orders(self, victim: str) -> Path:
        return self.region.folder / f"{victim}.orders"


def rows_of(region: Region, query: str) -> list[tuple[Any, ...]]:
    """Return what stands in a region's database, as soon as its server takes connections again."""
    until = time.monotonic() + REACHED_S
    while True:
        try:
            return region.database.rows(query)
        except DatabaseError:
            assert time.monotonic() < until, "the database server did not come back"
            time.sleep(0.05)


@contextmanager
def running_victims(folder: Path, kind: str, *, tick_ms: int) -> Iterator[Victims]:
    """Hold a region on a database server of its own, every process of which may be killed."""
    folder.mkdir(parents=True)
    with ExitStack() as held:
        stores = Databases()
        held.callback(stores.close)
        region = Region(folder=folder, enrolled=Crowd(), kind=kind, stores=stores)
        with in_this_process():
            region.set_up()
            enrol_workers(region)
        quicken(region.path("broker"), tick_ms)
        for victim, name in SERVICES.items():
            orders = str(folder / f"{victim}.orders")
            region.services[name].through = [sys.executable, "-m", "tests.campaigns.dying", orders]
        for service in region.services.values():
            held.callback(service.stop, signal.SIGKILL)
            service.start()
        yield Victims(region=region, cluster=stores.cluster if kind == "postgresql" else None)
