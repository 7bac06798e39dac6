"""PostgreSQL goes away in the middle of a batch, and is not there when a broker starts."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.campaigns.crowd import workers
from tests.campaigns.points import AFTER, BEFORE, BROKER, SERVER, Point
from tests.campaigns.victims import Victims, running_victims
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.region import PATIENCE_S, command, environment
from tests.simulators.wire_partner import WirePartner

BATCH = 4
NOT_DONE = {"storage-unavailable", "log-unavailable"}


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    """A region with a database server of its own, in which requests gather for a while."""
    with running_victims(tmp_path_factory.mktemp("outage") / "region", "postgresql", tick_ms=400) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Connections that stay open."""
    with httpx.Client(trust_env=False) as opened:
        yield opened


def _partner(victims: Victims, oin: str, client: httpx.Client) -> WirePartner:
    return victims.region.partner(oin, client=client, worker=workers(oin)[0])


def _at_once(partner: WirePartner, bodies: Sequence[Mapping[str, Any]]) -> list[httpx.Response]:
    """Return what is answered to registrations that wait for one tick together."""
    with ThreadPoolExecutor(max_workers=BATCH) as many:
        return list(many.map(lambda body: partner.post("/v1/signals", body), bodies))


def _problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("urn:sluis:problem:")


def _shown(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {match["holder"]["oin"] for match in answer.json()["result"]["matches"]}


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_a_server_that_goes_away_within_a_batch_costs_no_more_than_a_try(
    victims: Victims, client: httpx.Client, moment: str
) -> None:
    """All of a batch are told "not done" and none "nothing"; the same broker serves on, and each is done once."""
    region, wijkteam, gi = victims.region, _partner(victims, WIJKTEAM, client), _partner(victims, GI, client)
    persons = [f"{moment} {number}" for number in range(BATCH)]
    bodies = [wijkteam.registration(subject=person) for person in persons]
    broker, signals = victims.serves_without_restart(), "SELECT count(*) FROM signals"
    ((before,),) = region.database.rows(signals)
    point = Point(reached_by=BROKER, victim=SERVER, moment=moment, place="tick COMMIT")
    victims.order(point)
    answers = _at_once(wijkteam, bodies)
    assert victims.was_reached(point)
    done = [answer for answer in answers if answer.status_code == 200]
    # After its commit a batch is durable, and may be told so although the server is gone.
    assert not done or moment == AFTER
    assert {_problem(answer) for answer in answers if answer.status_code == 503} <= NOT_DONE
    assert len(done) + sum(answer.status_code == 503 for answer in answers) == BATCH
    away = wijkteam.post("/v1/signals", bodies[0])
    ready = client.get(f"{region.urls['broker']}/health/ready", timeout=PATIENCE_S)
    assert (away.status_code, _problem(away) in NOT_DONE, ready.status_code) == (503, True, 503)
    victims.start_again(SERVER)
    assert [answer.status_code for answer in _at_once(wijkteam, bodies)] == [200] * BATCH
    assert victims.serves_without_restart() == broker
    assert region.database.rows(signals) == [(before + BATCH,)]
    seen = _at_once(gi, [gi.registration(subject=person) for person in persons])
    assert [_shown(answer) for answer in seen] == [{WIJKTEAM}] * BATCH


def test_a_broker_does_not_start_without_its_server(victims: Victims) -> None:
    """It says that the database cannot be reached and what to do, shows no address, and starts once it is there."""
    region, cluster = victims.region, victims.cluster
    assert cluster is not None
    region.services["broker"].stop()
    cluster.kill()
    folder = str(region.path("broker"))
    refused = subprocess.run(
        [*command("sluis-broker"), "serve", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env=environment(),
    )
    cluster.start()
    region.services["broker"].start()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1] == (
        "sluis-broker: database: cannot be reached (no answer); start its server, or correct the address and the role"
    )
    assert str(cluster.folder) not in refused.stderr
