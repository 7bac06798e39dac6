"""The log as custodians follow it: for them alone, whole, and open only where tickets are used."""

import hashlib
import json

import httpx
import pytest

from audit.checkpoint import Checkpoint
from audit.entry import Leaf, Opening
from audit.merkle import root_of
from audit.note import parse_note
from broker.protocol.party_signing import sign_party_request
from broker.protocol.request_signing import Target
from broker.protocol.signing_keys import SigningKey, b64url_bytes
from broker.store import custodian_feed
from tests.simulators.asking import BROKER, PUBLIC_URL, household
from tests.simulators.enrolled import GI, WIJKTEAM, key
from tests.simulators.served_world import ServedWorld
from tests.simulators.two_custodians import NAMES

PATH = "/v1/custodian-feed"
FAMILY = household(subject="child", parents=["mother"])


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


def header(
    world: ServedWorld, path: str, *, party: str = NAMES[0], signer: SigningKey | None = None, at: int = 0
) -> dict[str, str]:
    """Return the header under which a custodian asks for a page."""
    target = Target(audience=BROKER, method="GET", url=PUBLIC_URL + path)
    jti = hashlib.sha256(f"{path} {party} {at}".encode()).hexdigest()[:32]
    token = sign_party_request(
        signer or key(party), party=party, target=target, body=b"", jti=jti, now=world.clock.now()
    )
    return {"Authorization": f"Sluis {token}"}


async def ask(world: ServedWorld, after: object, **changed: object) -> httpx.Response:
    """Return the answer to a custodian that asks what came after so many entries."""
    path = f"{PATH}?after={after}"
    return await world.client.get(path, headers=header(world, path, **changed))  # type: ignore[arg-type]  # test arguments


def problem_id(response: httpx.Response) -> str:
    """Return the id of a problem."""
    return str(response.json()["type"]).rpartition(":")[2]


async def test_a_custodian_gets_every_entry_and_can_rebuild_the_root(world: ServedWorld) -> None:
    """The leaves of a page, in their order, are the tree that its checkpoint states."""
    await world.register(WIJKTEAM, FAMILY)
    await world.check(WIJKTEAM, {**FAMILY, "members": []})
    page = (await ask(world, 0)).json()
    head = Checkpoint.parse(parse_note(page["checkpoint"].encode()).text).head
    leaves = [Leaf.parse(entry["leaf"].encode()) for entry in page["entries"]]
    assert [leaf.kind for leaf in leaves] == ["policy", "signal", "check"]
    assert (head.size, head.root) == (3, root_of(leaf.leaf_hash for leaf in leaves))


async def test_only_actor_of_kinds_that_use_tickets_is_opened(world: ServedWorld) -> None:
    """What is opened fits the leaf, names organisation and tickets, and nothing of what was found."""
    await world.register(WIJKTEAM, FAMILY)
    entries = (await ask(world, 0)).json()["entries"]
    assert entries[0]["actor"] is None
    leaf, actor = Leaf.parse(entries[1]["leaf"].encode()), entries[1]["actor"]
    opening = Opening(
        key=b64url_bytes(actor["key"], field="key"), payload=b64url_bytes(actor["payload"], field="payload")
    )
    assert opening.commitment(leaf.kind, "actor") == leaf.commitment("actor")
    payload = json.loads(opening.payload)
    assert payload["organisation"] == WIJKTEAM
    assert {ticket["custodian"] for ticket in payload["tickets"]} == set(NAMES)


async def test_pages_end_at_checkpoints(world: ServedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page never ends inside a tick, whatever its size, and after the last one only the checkpoint comes."""
    monkeypatch.setattr(custodian_feed, "PAGE", 1)
    await world.register(WIJKTEAM, FAMILY)
    await world.register(GI, FAMILY)
    sizes = [len((await ask(world, after, at=after)).json()["entries"]) for after in range(4)]
    assert sizes == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"signer": key("nobody")}, "request-token-key-unknown"),
        ({"party": "custodian-c.demo.sluis.test"}, "request-token-key-unknown"),
    ],
)
async def test_nobody_else_reads_it(world: ServedWorld, changed: dict[str, object], problem: str) -> None:
    """Only a custodian that is pinned here, by its own key, gets a page."""
    answer = await ask(world, 0, **changed)
    assert (answer.status_code, problem_id(answer)) == (401, problem)


async def test_an_organisation_does_not_read_it(world: ServedWorld) -> None:
    """A worker's signed request is no custodian's."""
    sent = world.asker(WIJKTEAM).get(f"{PATH}?after=0")
    answer = await world.send(sent)
    assert (answer.status_code, problem_id(answer)) == (401, "request-token-malformed")


async def test_a_request_counts_once(world: ServedWorld) -> None:
    """The same token is not accepted twice."""
    assert [(await ask(world, 0)).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("after", ["-1", "x", "01", "1" * 19])
async def test_a_place_that_is_none_is_refused(world: ServedWorld, after: str) -> None:
    """Field and rule are named, the value is not."""
    answer = await ask(world, after)
    assert (answer.status_code, answer.json()["field"]) == (400, "after")


async def test_an_erased_actor_is_given_as_none(world: ServedWorld) -> None:
    """Where the payload is gone the leaf still comes, so that the tree can be followed."""
    await world.register(WIJKTEAM, FAMILY)
    world.write("DELETE FROM log_payload_keys WHERE grp = 'actor' AND idx = 1")
    assert (await ask(world, 0)).json()["entries"][1]["actor"] is None


async def test_what_an_entry_erased_is_opened(world: ServedWorld) -> None:
    """Of an entry of kind retention or erasure `meta` comes, which says what was erased; of no other entry it does."""
    await world.register(WIJKTEAM, FAMILY)
    first, second = (world.asker(WIJKTEAM, role=role, seed=role) for role in ("privacyfunctionaris", "approver"))
    ranges = [{"first": 1, "last": 1, "groups": ["actor"]}]
    bodies = [one.command(ground="AVG-17.1.d", decisionRef="a" * 64, ranges=ranges) for one in (first, second)]
    assert (await world.send(first.post("/v1/erasures", bodies[0]))).status_code == 200
    place = f"/v1/erasures/{bodies[0]['idempotencyKey']}/confirmation"
    assert (await world.send(second.post(place, bodies[1]))).status_code == 200
    entries = (await ask(world, 0)).json()["entries"]
    assert [Leaf.parse(one["leaf"].encode()).kind for one in entries if one["meta"]] == ["erasure"]
    payload = json.loads(b64url_bytes(entries[-1]["meta"]["payload"], field="payload"))
    assert payload["erased"] == [{"from": 1, "to": 1, "groups": ["actor"]}]
    assert (entries[1]["actor"], entries[-1]["actor"]) == (None, None)


async def test_a_payload_that_does_not_open_is_given_as_none(world: ServedWorld) -> None:
    """A damaged payload hides no entry: the custodian is told that there is none, and reports it."""
    await world.register(WIJKTEAM, FAMILY)
    world.write("UPDATE log_payload_keys SET wrapped = ? WHERE grp = 'actor' AND idx = 1", bytes(72))
    assert (await ask(world, 0)).json()["entries"][1]["actor"] is None


async def test_a_log_that_cannot_be_read_is_an_outage(world: ServedWorld) -> None:
    """A page is whole or not there: a custodian never sees part of one."""
    await world.register(WIJKTEAM, FAMILY)
    world.write("ALTER TABLE log_checkpoints RENAME TO gone")
    answer = await ask(world, 0)
    assert (answer.status_code, problem_id(answer)) == (503, "log-unavailable")
