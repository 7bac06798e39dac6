"""Who may read what a custodian found: an FG its own, the other custodian all, nobody else anything (D2)."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from broker.custodian import reporting, service
from broker.custodian.monitor import Monitor, look
from broker.custodian.reporting import PEER_FINDINGS, PROBE_MISSES, REPORTS
from broker.protocol.party_signing import sign_party_request
from broker.protocol.request_signing import Sender, Target, sign_request
from broker.protocol.signing_keys import SigningKey
from tests.simulators.custodian import CUSTODIANS, SimulatedPartner, public_url, seeded_key
from tests.simulators.watched_broker import OTHER, WatchedWorld, watched_pair

A, B = CUSTODIANS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Hold two custodians that watch one log, with one thing found about each of two organisations."""
    with watched_pair(tmp_path) as made:
        yield made


@pytest.fixture
async def client(world: WatchedWorld) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the first custodian's application, which has looked once."""
    for partner in world.partners:
        world.broker.cite([(A, secrets.token_hex(16)), (B, secrets.token_hex(16))], partner=partner)
    await world.look()
    app = service.create_app(world.pair.custodians[0], world.monitors[0])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=public_url(A)) as made:
        yield made


def by_organisation(
    world: WatchedWorld, path: str, *, partner: SimulatedPartner | None = None, worker: str = "fatma", role: str = "fg"
) -> dict[str, str]:
    """Return the header under which somebody of an organisation asks."""
    of = partner or world.partners[0]
    sender = Sender(organisation=of.oin, worker=of.sub(worker, A), role=role)
    target = Target(audience=A, method="GET", url=public_url(A) + path)
    jti = secrets.token_hex(16)
    return {
        "Authorization": "Sluis "
        + sign_request(of.key, sender=sender, target=target, body=b"", jti=jti, now=world.clock.now)
    }


def by_peer(world: WatchedWorld, path: str, *, party: str = B, key: SigningKey | None = None) -> dict[str, str]:
    """Return the header under which another custodian asks."""
    target = Target(audience=A, method="GET", url=public_url(A) + path)
    jti = secrets.token_hex(16)
    token = sign_party_request(
        key or seeded_key(party), party=party, target=target, body=b"", jti=jti, now=world.clock.now
    )
    return {"Authorization": f"Sluis {token}"}


def problem(answer: httpx.Response) -> str:
    """Return the id of a problem."""
    return str(answer.json()["type"]).rpartition(":")[2]


async def test_an_fg_reads_what_concerns_the_own_organisation(world: WatchedWorld, client: httpx.AsyncClient) -> None:
    """Findings, counts of tickets and how far the log was seen; nothing of another organisation."""
    world.tickets()
    answer = await client.get(REPORTS, headers=by_organisation(world, REPORTS))
    report = answer.json()
    assert answer.status_code == 200
    assert [(one["kind"], one["organisation"]) for one in report["findings"]] == [
        ("never-issued", world.partners[0].oin)
    ]
    assert report["counts"] == {"issued": 1, "cited": 0, "unspent": 0, "open": 1}
    assert (report["logSize"], report["seenAt"], report["alarms"]) == (2, world.clock.now, [])


async def test_who_asks_on_gets_only_what_is_new(world: WatchedWorld, client: httpx.AsyncClient) -> None:
    """The number of the last finding is where the next question begins."""
    path = f"{REPORTS}?after=2"
    assert (await client.get(path, headers=by_organisation(world, path))).json()["findings"] == []


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=01", "other=1", "after=1&more=2"])
async def test_a_question_that_is_none_is_refused(
    world: WatchedWorld, client: httpx.AsyncClient, query: str
) -> None:  # fmt: skip
    """Field and rule are named."""
    path = f"{REPORTS}?{query}"
    answer = await client.get(path, headers=by_organisation(world, path))
    assert (answer.status_code, answer.json()["field"]) == (400, "after")


@pytest.mark.parametrize(
    ("worker", "role", "told"),
    [
        ("anna", "worker", "role-not-allowed"),
        ("anna", "fg", "role-not-allowed"),
        ("fatma", "worker", "role-not-allowed"),
        ("nobody", "fg", "worker-unknown"),
    ],
)
async def test_only_an_fg_on_our_own_roster_reads_it(
    world: WatchedWorld, client: httpx.AsyncClient, worker: str, role: str, told: str
) -> None:
    """Workers do not read who is reported, and a claimed role counts only where the roster has it."""
    answer = await client.get(REPORTS, headers=by_organisation(world, REPORTS, worker=worker, role=role))
    assert (answer.status_code, problem(answer)) == (403, told)


async def test_an_organisation_that_is_not_enrolled_reads_nothing(
    world: WatchedWorld, client: httpx.AsyncClient
) -> None:  # fmt: skip
    """Whom we do not know gets nothing."""
    stranger = SimulatedPartner(oin=OTHER[:-1] + "9", workers={"fatma": "fg"})
    answer = await client.get(REPORTS, headers=by_organisation(world, REPORTS, partner=stranger))
    assert problem(answer) == "organisation-unknown"


async def test_nobody_reads_without_a_statement(client: httpx.AsyncClient) -> None:
    """An unsigned request is refused at both addresses."""
    for path in (REPORTS, PEER_FINDINGS):
        assert problem(await client.get(path)) == "request-token-missing"


async def test_a_request_counts_once(world: WatchedWorld, client: httpx.AsyncClient) -> None:
    """The same statement is not accepted twice, of an FG nor of a custodian."""
    for path, headers in (
        (REPORTS, by_organisation(world, REPORTS)),
        (PEER_FINDINGS, by_peer(world, PEER_FINDINGS)),
    ):
        assert [(await client.get(path, headers=headers)).status_code for _ in range(2)] == [200, 401]


async def test_the_other_custodian_reads_all(world: WatchedWorld, client: httpx.AsyncClient) -> None:
    """Findings about every organisation, so that what one custodian hides the other tells."""
    answer = await client.get(PEER_FINDINGS, headers=by_peer(world, PEER_FINDINGS))
    told = [json.dumps(one) for one in answer.json()["findings"]]
    assert [OTHER in one for one in told] == [False, True]


@pytest.mark.parametrize(
    ("party", "key"), [("custodian-c.demo.sluis.test", None), (B, seeded_key("nobody")), (A, None)]
)
async def test_no_other_party_reads_them(
    world: WatchedWorld, client: httpx.AsyncClient, party: str, key: SigningKey | None
) -> None:
    """Only a peer that is pinned here, by its own key."""
    answer = await client.get(PEER_FINDINGS, headers=by_peer(world, PEER_FINDINGS, party=party, key=key))
    assert problem(answer) == "request-token-key-unknown"


async def test_a_custodian_that_does_not_watch_has_no_peers(world: WatchedWorld) -> None:
    """Without a monitor nobody is pinned, so nobody reads all findings."""
    app = service.create_app(world.pair.custodians[0])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=public_url(A)) as client:
        answer = await client.get(PEER_FINDINGS, headers=by_peer(world, PEER_FINDINGS))
    assert problem(answer) == "request-token-key-unknown"


async def miss(
    world: WatchedWorld, client: httpx.AsyncClient, *, partner: str = OTHER, step: object = 1, pair: str = "f" * 32
) -> httpx.Response:
    """Return the answer to a worker's program that says a probe was missed."""
    body = json.dumps({"partner": partner, "pair": pair, "step": step, "proof": "a" * 64}).encode()
    of = world.partners[0]
    sender = Sender(organisation=of.oin, worker=of.sub("anna", A), role="worker")
    target = Target(audience=A, method="POST", url=public_url(A) + PROBE_MISSES)
    jti = secrets.token_hex(16)
    token = sign_request(of.key, sender=sender, target=target, body=body, jti=jti, now=world.clock.now)
    return await client.post(PROBE_MISSES, content=body, headers={"Authorization": f"Sluis {token}"})


async def test_a_missed_probe_is_told_to_both_organisations_once(
    world: WatchedWorld, client: httpx.AsyncClient
) -> None:
    """Said twice it stands there once for each, and a program of either reads it."""
    assert [(await miss(world, client)).status_code for _ in range(2)] == [200, 200]
    for partner in world.partners:
        headers = by_organisation(world, PROBE_MISSES, partner=partner, worker="anna", role="worker")
        listed = (await client.get(PROBE_MISSES, headers=headers)).json()["findings"]
        assert [(one["kind"], one["toldBy"]) for one in listed] == [("probe-missed", world.partners[0].oin)]


@pytest.mark.parametrize("partner", ["00000001001234560009", SimulatedPartner().oin])
async def test_a_miss_names_another_organisation_that_is_served_here(
    world: WatchedWorld, client: httpx.AsyncClient, partner: str
) -> None:
    """Nobody is told about an organisation that this custodian does not know, nor about itself."""
    answer = await miss(world, client, partner=partner)
    assert (answer.status_code, answer.json()["field"]) == (400, "partner")


async def test_nobody_is_drowned_in_misses(
    world: WatchedWorld, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One organisation says so as often as it may in a day, and then no more."""
    monkeypatch.setattr(reporting, "MOST_MISSES", 4)
    told = [await miss(world, client, step=step) for step in range(3)]
    assert [answer.status_code for answer in told] == [200, 200, 429]


async def test_a_miss_that_is_too_large_is_not_read(world: WatchedWorld, client: httpx.AsyncClient) -> None:
    """The body is bounded before anything else."""
    assert problem(await miss(world, client, pair="f" * 40_000)) == "body-too-large"


async def test_a_served_custodian_looks_by_itself(world: WatchedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its monitor the service follows the log from its start on, and a look that fails does not end it."""
    world.broker.cite(world.tickets())
    looks, looked = 0, asyncio.Event()

    async def noted(monitor: Monitor) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise RuntimeError
        await look(monitor)
        looked.set()

    monkeypatch.setattr(service, "look", noted)
    app = service.create_app(world.pair.custodians[0], world.monitors[0])
    async with app.router.lifespan_context(app):
        await looked.wait()
    assert world.matched() == [0]
