"""The whole edge over the real flows and store: what is carried out, what is refused, and what neither of them does."""

import asyncio
import dataclasses
from pathlib import Path

import httpx

from audit.policy_file import parse_policy
from audit.receipt import Receipt
from audit.verify import verify_receipt
from broker.api.wire import ANSWER_BYTES, MAX_BODY_BYTES, MAX_CHUNK_BODY_BYTES
from broker.ports import AnswerStore, StoredAnswer
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM
from tests.simulators.served_world import ServedWorld, served_world

FAMILY = household(subject="child", parents=["mother"])


def _problem(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["type"]).removeprefix("urn:sluis:problem:")


async def test_register_and_check(world: ServedWorld) -> None:
    """Two organisations that register on one child see each other, with contact and nothing more."""
    first = await world.register(WIJKTEAM, FAMILY)
    second = await world.register(GI, FAMILY)
    looked = await world.check(WIJKTEAM, {**FAMILY, "members": []})
    assert [answer.status_code for answer in (first, second, looked)] == [200, 200, 200]
    assert first.json()["result"]["outcome"] == "nothing"
    (match,) = looked.json()["result"]["matches"]
    assert (match["kind"], match["level"], match["holder"]["oin"]) == ("person", 2, GI)
    assert looked.json()["result"]["signalId"] is None


async def test_every_answer_has_one_of_four_sizes_and_its_headers(world: ServedWorld) -> None:
    """Length does not tell what was found, nothing is cached, and the API's version is stated."""
    answers = [await world.register(WIJKTEAM, FAMILY), await world.register(GI, FAMILY)]
    assert {len(answer.content) for answer in answers} == {ANSWER_BYTES[0]}
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)
    assert all("api-version" in answer.headers for answer in answers)


async def test_the_receipt_verifies(world: ServedWorld) -> None:
    """The receipt of an answer holds under the log's own key, and says that no witness has seen it yet."""
    answer = await world.register(WIJKTEAM, FAMILY)
    policy = parse_policy((world.folder / "broker" / "log-policy").read_text())
    verified = verify_receipt(Receipt.from_wire(answer.json()["receipt"]), policy)
    assert verified.status == "uncosigned"
    assert answer.json()["receipt"]["uncosignedSince"] is not None


async def test_a_witness_that_is_up_cosigns(template: Path, tmp_path: Path) -> None:
    """With its witness up the receipt is cosigned within the tick."""
    async with served_world(template, tmp_path / "cosigned", witness_up=True) as world:
        answer = await world.register(WIJKTEAM, FAMILY)
        policy = parse_policy((world.folder / "broker" / "log-policy").read_text())
    verified = verify_receipt(Receipt.from_wire(answer.json()["receipt"]), policy)
    assert verified.status == "cosigned"
    assert answer.json()["receipt"]["uncosignedSince"] is None


async def test_fifty_racing_identical_posts_have_one_effect(world: ServedWorld) -> None:
    """One idempotency key is one effect, however many post it at once: one entry, one signal, one answer."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY)
    answers = await asyncio.gather(*(world.send(asker.post("/v1/signals", body)) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert world.leaves == 1
    assert world.rows("SELECT count(*) FROM signals") == [(1,)]


class _SeesLate:
    """The kept answers as a request sees them that looked just before the same request was committed."""

    def __init__(self, answers: AnswerStore) -> None:
        self._answers = answers
        self._looked = False

    async def find(self, *, organisation: str, idempotency_key: str) -> StoredAnswer | None:
        """Return nothing the first time."""
        if not self._looked:
            self._looked = True
            return None
        return await self._answers.find(organisation=organisation, idempotency_key=idempotency_key)


async def test_a_request_does_not_stand_in_its_own_way(world: ServedWorld) -> None:
    """A request that finds its own signal there already, because its twin was faster, gets the twin's answer."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY)
    first = await world.send(asker.post("/v1/signals", body))
    world.app.state.edge = dataclasses.replace(world.app.state.edge, answers=_SeesLate(world.app.state.edge.answers))
    second = await world.send(asker.post("/v1/signals", body))
    assert (second.status_code, second.content) == (200, first.content)
    assert world.leaves == 1


async def test_a_hundred_replays_of_one_token_have_one_success(world: ServedWorld) -> None:
    """A request token is used once, also when a hundred copies arrive together."""
    asker = world.asker(WIJKTEAM)
    sent = asker.post("/v1/signals", asker.registration(FAMILY))
    answers = await asyncio.gather(*(world.send(sent) for _ in range(100)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 99]
    assert {_problem(answer) for answer in answers if answer.status_code == 401} == {"request-token-replayed"}


async def test_another_body_under_a_used_key_is_refused(world: ServedWorld) -> None:
    """A key that was used stands for that one request for ever."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY)
    await world.send(asker.post("/v1/signals", body))
    other = {**body, "endsOn": "2027-05-01", "tickets": asker.tickets("register", FAMILY)}
    assert _problem(await world.send(asker.post("/v1/signals", other))) == "idempotency-key-reused"


async def test_a_stored_answer_is_given_again_to_its_own_organisation(world: ServedWorld) -> None:
    """Asking by key gives the same result; another organisation's key is as unknown as any."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY)
    first = await world.send(asker.post("/v1/signals", body))
    path = f"/v1/answers/{body['idempotencyKey']}"
    again = await world.send(asker.get(path))
    assert again.json()["result"] == first.json()["result"]
    assert _problem(await world.send(world.asker(GI).get(path))) == "not-found"


async def test_a_check_without_standing_is_refused_with_what_is_possible(world: ServedWorld) -> None:
    """A refusal is open, recorded, has a receipt, and names what is possible."""
    refusal = await world.check(SCHOOL, {**FAMILY, "members": []})
    assert (refusal.status_code, _problem(refusal)) == (403, "refused")
    document = refusal.json()
    assert document["receipt"]["leaf"].startswith("auditleaf/v1")
    assert isinstance(document["possible"], list)
    assert document["detail"]
    assert world.leaves == 1


async def test_a_signal_is_renewed_listed_and_withdrawn(world: ServedWorld) -> None:
    """The life of an own signal: another end, in the list, and then no match any more."""
    asker = world.asker(WIJKTEAM)
    own = (await world.register(WIJKTEAM, FAMILY)).json()["result"]["signalId"]
    renewed = await world.send(asker.post(f"/v1/signals/{own}/renewal", asker.command(endsOn="2027-07-01")))
    assert renewed.json()["result"]["outcome"] == "done"
    (listed,) = (await world.send(asker.get("/v1/signals"))).json()["result"]["signals"]
    assert (listed["signalId"], listed["endsOn"], listed["state"]) == (own, "2027-07-01", "active")
    withdrawn = await world.send(asker.post(f"/v1/signals/{own}/withdrawal", asker.command(reason="mistake")))
    assert withdrawn.json()["result"]["outcome"] == "done"
    assert (await world.register(GI, FAMILY)).json()["result"]["matches"] == []


async def test_bodies_with_two_readings_and_large_ones_are_refused(world: ServedWorld) -> None:
    """Duplicate members and non-finite numbers are refused by name; a body over the cap is not read on."""
    asker = world.asker(WIJKTEAM)
    for body in (b'{"epoch": 1, "epoch": 1}', b'{"epoch": 1e999}', b"nonsense", b"[]"):
        answer = await world.send(asker.post("/v1/signals", body))
        assert (answer.status_code, _problem(answer)) == (400, "malformed-request")
    answer = await world.send(asker.post("/v1/signals", b"0" * (MAX_BODY_BYTES + 1)))
    assert (answer.status_code, _problem(answer)) == (413, "body-too-large")
    # Chunks of attachments have a cap of their own, which is no cap of anything else.
    for beyond, refusal in ((0, (400, "malformed-request")), (1, (413, "body-too-large"))):
        answer = await world.send(asker.post("/v1/letter-chunks", b"0" * (MAX_CHUNK_BODY_BYTES + beyond)))
        assert (answer.status_code, _problem(answer)) == refusal
    assert world.leaves == 0


async def test_unknown_addresses_and_methods_are_problems_too(world: ServedWorld) -> None:
    """The router's own refusals have the same form as everything else, and nothing describes the API online."""
    assert _problem(await world.client.get("/nothing")) == "not-found"
    for path in ("/docs", "/redoc", "/openapi.json", "/v1/signals/"):
        assert (await world.client.get(path)).status_code == 404
    answer = await world.client.delete("/v1/signals")
    assert (answer.status_code, _problem(answer)) == (405, "method-not-allowed")
    assert "allow" in answer.headers


async def test_a_header_that_stands_twice_is_refused(world: ServedWorld) -> None:
    """Two tokens in one request could be read in two ways, so neither is believed."""
    asker = world.asker(WIJKTEAM)
    sent = asker.get("/v1/signals")
    token = sent.headers["Authorization"]
    answer = await world.client.get("/v1/signals", headers=[("Authorization", token), ("Authorization", token)])
    assert _problem(answer) == "request-token-malformed"


async def test_the_directory_lists_active_organisations(world: ServedWorld) -> None:
    """Who may ask sees every organisation with its teams' contact cards; who may not sees nothing."""
    answer = await world.send(world.asker(WIJKTEAM).get("/v1/organisations"))
    listed = {one["oin"]: one for one in answer.json()["organisations"]}
    assert listed[GI]["teams"][0]["team"] == "team-1"
    assert _problem(await world.client.get("/v1/organisations")) == "request-token-missing"


async def test_health_says_what_is_ready_and_no_secret(world: ServedWorld) -> None:
    """Liveness needs nothing; readiness names documents, bundle and log."""
    assert (await world.client.get("/health/live")).json() == {"live": True}
    ready = await world.client.get("/health/ready")
    assert (ready.status_code, ready.json()["ready"], ready.json()["registerNumber"]) == (200, True, 1)


async def test_the_checkpoint_is_for_who_may_ask(world: ServedWorld) -> None:
    """An organisation reads the newest checkpoint; without a signature nobody does."""
    await world.register(WIJKTEAM, FAMILY)
    answer = await world.send(world.asker(WIJKTEAM).get("/checkpoint"))
    assert answer.text.startswith("broker.demo.sluis.test/log\n2\n")  # the policy in force is the first entry
    assert _problem(await world.client.get("/checkpoint")) == "request-token-missing"
