"""The custodian over HTTP: problems, headers, and that nothing is answered when nothing could be stored."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from broker.custodian import folder, service
from broker.custodian.evaluation import PATH, Custodian
from broker.protocol.errors import ProtocolError
from broker.protocol.messages import EvaluationAnswer
from broker.protocol.problems import problem_kinds
from tests.simulators.custodian import (
    CUSTODIANS,
    EPOCH,
    CustodianPair,
    SimulatedPartner,
    authorization,
    batch,
    hold_ceremony,
    make_folder,
)
from tests.simulators.refreshing import refreshed

A = CUSTODIANS[0]
CANARY = "999990019"


@pytest.fixture
async def client(pair: CustodianPair) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of custodian A's application, in this thread."""
    transport = httpx.ASGITransport(service.create_app(pair.custodians[0]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://custodian") as made:
        yield made


def signed(pair: CustodianPair, partner: SimulatedPartner, body: bytes) -> dict[str, str]:
    """Return the headers of a request signed for custodian A."""
    return {"Authorization": authorization(partner, body, custodian=A, now=pair.clock.now)}


async def test_an_evaluation_is_answered(
    client: httpx.AsyncClient, pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """A signed request gets its answer as JSON, with the version of the interface, never cached."""
    body = batch()
    response = await client.post(PATH, content=body, headers=signed(pair, partner, body))
    assert response.status_code == 200
    assert EvaluationAnswer.model_validate_json(response.content).epoch == EPOCH
    assert response.headers["API-Version"] == service.API_VERSION
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"batchId":"' + CANARY.encode() + b'"}', "malformed-request"),
        (b'{"' + CANARY.encode() + b'":1}', "malformed-request"),
        (b'["' + CANARY.encode(), "malformed-request"),
        (CANARY.encode() * 5000, "body-too-large"),
    ],
)
async def test_a_problem_echoes_no_value(client: httpx.AsyncClient, content: bytes, kind: str) -> None:
    """A malformed request is answered with field and rule, in the form of RFC 9457, without what was sent."""
    response = await client.post(PATH, content=content, headers={"Authorization": f"Sluis {CANARY}"})
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:sluis:problem:{kind}"
    assert response.status_code == problem_kinds()[kind].status == response.json()["status"]
    assert CANARY not in response.text


async def test_a_refused_token_names_the_scheme(client: httpx.AsyncClient) -> None:
    """A 401 says how to sign (RFC 9110 §15.5.2)."""
    response = await client.post(PATH, content=batch())
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Sluis"


async def test_replay_over_http_is_refused(
    client: httpx.AsyncClient, pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """The same signed request is accepted once."""
    body = batch()
    headers = signed(pair, partner, body)
    statuses = [(await client.post(PATH, content=body, headers=headers)).status_code for _ in range(3)]
    assert statuses == [200, 401, 401]


async def test_routes_that_do_not_exist_are_problems_too(client: httpx.AsyncClient) -> None:
    """An unknown path and a wrong method are answered in the same form; there is no documentation page."""
    for path in ("/", "/docs", "/openapi.json", "/v1/evaluations/"):
        response = await client.get(path)
        assert (response.status_code, response.json()["type"]) == (404, "urn:sluis:problem:not-found")
    response = await client.get(PATH)
    assert (response.status_code, response.json()["type"]) == (405, "urn:sluis:problem:method-not-allowed")


async def test_epochs_are_public(client: httpx.AsyncClient, pair: CustodianPair) -> None:
    """The newest epoch document is given as this custodian signed it."""
    response = await client.get("/v1/epochs")
    assert response.json()["document"] == json.loads(pair.epoch_text)["document"]
    assert [item["signer"] for item in response.json()["signatures"]] == [A]


async def test_an_epoch_stays_reachable_beside_a_newer_one(client: httpx.AsyncClient, pair: CustodianPair) -> None:
    """A partner that still uses epoch 1 gets the document of epoch 1, refreshed or not, when there is an epoch 2."""
    folders = dict(zip(CUSTODIANS, pair.folders, strict=True))
    refreshed(folders)
    hold_ceremony(*pair.folders, epoch=2)
    answers = [(await client.get(f"/v1/epochs{path}")).json()["document"] for path in ("", "/1", "/2")]
    assert [(document["epoch"], document.get("refresh")) for document in answers] == [(2, None), (1, 1), (2, None)]
    for path in ("3", "0", "-1", "x", "\u0661", "1" * 5000):
        response = await client.get(f"/v1/epochs/{path}")
        assert (response.status_code, response.json()["type"]) == (404, "urn:sluis:problem:not-found")


async def test_health(client: httpx.AsyncClient, pair: CustodianPair) -> None:
    """A custodian is ready with a register, an epoch and a store; alive without them."""
    assert (await client.get("/health/live")).json() == {"status": "live"}
    assert (await client.get("/health/ready")).json() == {"status": "ready", "register": 1}
    pair.custodians[0].store.close()
    assert (await client.get("/health/ready")).status_code == 503
    assert (await client.get("/health/live")).status_code == 200


async def test_a_custodian_without_a_key_is_not_ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Before the ceremony there is nothing to publish, and the custodian says so."""
    path = make_folder(tmp_path_factory.mktemp("new") / "a", A)
    with folder.open_custodian(path) as custodian:
        transport = httpx.ASGITransport(service.create_app(custodian))
        async with httpx.AsyncClient(transport=transport, base_url="http://custodian") as client:
            assert (await client.get("/health/ready")).status_code == 503
            assert (await client.get("/v1/epochs")).status_code == 404


async def test_a_store_that_fails_answers_not_done(
    client: httpx.AsyncClient, pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """Without a store nothing is charged, so nothing is evaluated: 503, never an answer."""
    pair.custodians[0].store.close()
    body = batch()
    response = await client.post(PATH, content=body, headers=signed(pair, partner, body))
    assert (response.status_code, response.json()["type"]) == (503, "urn:sluis:problem:storage-unavailable")
    service.tidy(pair.custodians[0])


def test_an_unknown_error_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw becomes a bare 500; its text goes neither to the sender nor into the log."""
    for error in (RuntimeError(CANARY), ProtocolError(CANARY)):
        document = json.dumps(service.problem_of(error).document())
        assert '"status": 500' in document
        assert CANARY not in document
        assert CANARY not in caplog.text
    assert "RuntimeError" in caplog.text


def test_the_server_runs_on_uvloop_and_httptools(pair: CustodianPair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop and the HTTP parser are the fast ones, asserted while it really serves."""
    monkeypatch.setattr(service, "HOUSEKEEPING_S", 0.001)
    seen: list[str] = []
    rounds: list[int] = []
    really = service.tidy

    def counted(custodian: Custodian) -> None:
        rounds.append(1)
        really(custodian)
        server.should_exit = len(rounds) > 2

    def announce(url: str) -> None:
        loop = type(asyncio.get_running_loop()).__module__
        seen.extend([url.rpartition(":")[0], loop.partition(".")[0], server.config.http_protocol_class.__module__])

    monkeypatch.setattr(service, "tidy", counted)
    server = service.make_server(pair.custodians[0], announce=announce)
    server.run()
    assert seen == ["http://127.0.0.1", "uvloop", "uvicorn.protocols.http.httptools_impl"]
    assert len(rounds) > 2, "house is kept again and again"


async def test_the_service_keeps_house_while_it_runs(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Starting and stopping mark the budget time, so time that was served is never credited again."""
    app = service.create_app(pair.custodians[0])
    pair.ask(0, partner, batch())
    pair.clock.pass_seconds(100)
    async with app.router.lifespan_context(app):
        pair.clock.pass_seconds(20)
    assert pair.custodians[0].store.number("budget_time_us") == 120_000_000
    assert pair.custodians[0].store.number("wall_mark_us") == pair.clock.wall_us()
