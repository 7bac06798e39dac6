import json

import httpx
import pytest

from broker.protocol import strict_json
from broker.protocol.problems import problem
from broker.protocol.signing_keys import b64url, b64url_bytes
from connectors.errors import NotDoneError, ReceiptError, RefusedError
from connectors.outbox import Outbox
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.partner_world import PartnerWorld, altered, down, lost, status
from tests.unit.connectors.cases_by_hand import ASKED, child

_TICKET_LIFE_S = 601


def waiting(world: PartnerWorld, name: str = "gi") -> int:
    """Return how many commands of a partner have no receipt yet."""
    folder = world.folders[name]
    with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
        return len(outbox.waiting())


@pytest.mark.parametrize("at", [0, 1])
async def test_a_custodian_that_is_down_means_not_done(world: PartnerWorld, at: int) -> None:
    """Without either custodian nothing is asked of the broker, and the worker reads that he knows nothing."""
    world.network.faults[CUSTODIANS[at]] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError) as caught:
            await gi.check(child(), **ASKED)
    assert caught.value.problem_id == "custodian-unreachable"
    assert "We hebben **niet** kunnen kijken" in caught.value.text_nl
    assert not caught.value.resumable
    assert world.broker.bodies == []


async def test_a_custodian_with_another_key_means_not_done(world: PartnerWorld) -> None:
    """An answer that is not proven under the pinned public share is not used."""
    swapped = altered(lambda members: members["families"][0]["points"].reverse())
    for custodian in CUSTODIANS:
        world.network.faults[custodian] = [swapped]
        async with world.client("gi") as gi:
            with pytest.raises(NotDoneError) as caught:
                await gi.check(child(), **ASKED)
        assert caught.value.problem_id == "custodian-wrong-key"
    assert world.broker.bodies == []


@pytest.mark.parametrize("field", ["iss", "org", "op", "batch", "fam"])
async def test_a_ticket_for_something_else_is_noticed_here(world: PartnerWorld, field: str) -> None:
    """A ticket that does not state this batch and these answers is not handed on."""

    def other_ticket(members: dict[str, str]) -> None:
        first, _, last = members["ticket"].split(".")
        claims = strict_json.load_object(b64url_bytes(members["ticket"].split(".")[1], field="t")) | {field: "other"}
        members["ticket"] = ".".join([first, b64url(json.dumps(claims).encode()), last])

    world.network.faults[CUSTODIANS[0]] = [altered(other_ticket)]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError, match="custodian-wrong-key"):
            await gi.check(child(), **ASKED)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"a":1,"a":2}', b"\xff"])
async def test_what_is_no_answer_is_an_outage(world: PartnerWorld, body: bytes) -> None:
    """An unreadable answer of any party is not done, never an empty result."""
    for host in (CUSTODIANS[0], BROKER):
        for code in (200, 302, 400, 500):
            world.network.faults[host] = [lambda *_, code=code: httpx.Response(code, content=body)]
            async with world.client("gi") as gi:
                with pytest.raises(NotDoneError):
                    await gi.check(child(), **ASKED)


async def test_an_endless_answer_is_cut_off(world: PartnerWorld) -> None:
    """No party can fill the partner's memory: what is longer than any answer of ours is an outage."""
    world.network.faults[BROKER] = [lambda *_: httpx.Response(200, content=b"0" * 9_000_000)]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError, match="not-done"):
            await gi.list_signals()


async def test_a_custodian_refuses_openly(world: PartnerWorld) -> None:
    """A spent budget or a missing right is a refusal with its text, not an outage."""
    world.network.faults[CUSTODIANS[1]] = [status(429, "budget-exhausted")]
    async with world.client("gi") as gi:
        with pytest.raises(RefusedError) as caught:
            await gi.check(child(), **ASKED)
    assert caught.value.problem.id == "budget-exhausted"
    assert caught.value.party == CUSTODIANS[1]
    assert "We hebben **niet** gekeken" in caught.value.text_nl


async def test_a_lost_answer_is_asked_for_by_its_key(world: PartnerWorld) -> None:
    """What was carried out before the answer got lost has one effect, and its answer comes with the resume."""
    world.network.faults[BROKER] = [lost]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError) as caught:
            await gi.register(child(), **ASKED)
        assert caught.value.resumable
        outcomes = await gi.resume()
        assert gi.has_active_signal(child(), purpose="proefregio", team="team-1")
    assert [outcome.row for outcome in outcomes] == ["1"]
    assert len(world.broker.signals) == 1
    assert waiting(world) == 0


async def test_a_request_that_never_arrived_is_sent_again(world: PartnerWorld) -> None:
    """A resume sends the same command once more, with the tickets of the batch that was charged already."""
    world.network.faults[BROKER] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED)
    world.clock.pass_seconds(_TICKET_LIFE_S)
    charged = spent_points(world)
    async with world.client("gi") as gi:
        assert [outcome.outcome for outcome in await gi.resume()] == ["done"]
    assert spent_points(world) <= charged
    assert len(world.broker.signals) == 1
    assert waiting(world) == 0


async def test_an_expired_ticket_is_renewed_without_asking_anybody(world: PartnerWorld) -> None:
    """A ticket that expired on the way is re-issued for the same batch, and the request is sent once more."""
    world.network.faults[BROKER] = [status(403, "ticket-expired")]
    async with world.client("gi") as gi:
        assert (await gi.register(child(), **ASKED)).outcome == "done"
    assert len(world.broker.signals) == 1


async def test_a_batch_that_no_custodian_knows_ends_the_command(world: PartnerWorld) -> None:
    """Where tickets cannot be had again the command is forgotten, openly, since it was never carried out."""
    world.network.faults[BROKER] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.check(child(), **ASKED)
        world.network.faults[CUSTODIANS[0]] = [status(409, "epoch-unknown")]
        with pytest.raises(RefusedError, match="epoch-unknown"):
            await gi.resume()
    assert waiting(world) == 0


async def test_a_changed_answer_is_withheld_on_a_replay(world: PartnerWorld) -> None:
    """A replay whose answer went stale gives the signal id and a verified receipt, and no matches."""
    world.network.faults[BROKER] = [lost]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED)
        world.broker.changed_since = True
        (outcome,) = await gi.resume()
    assert outcome.outcome == "done"
    assert outcome.matches == ()
    assert outcome.signal_id == world.broker.signals[0].id
    assert outcome.receipts[0].kind == "signal"


@pytest.mark.parametrize("problem_id", ["storage-unavailable", "log-unavailable", "internal"])
async def test_an_outage_of_the_broker_leaves_the_command_waiting(world: PartnerWorld, problem_id: str) -> None:
    """A 5xx answer is not done, by its published name or the general one, and the command waits."""
    world.network.faults[BROKER] = [status(503, problem_id)]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError) as caught:
            await gi.register(child(), **ASKED)
    assert caught.value.problem_id == ("not-done" if problem_id == "internal" else problem_id)
    assert caught.value.resumable
    assert waiting(world) == 1


async def test_a_refusal_without_a_receipt_ends_the_command(world: PartnerWorld) -> None:
    """A request that the broker would not even read leaves nothing behind."""
    world.network.faults[BROKER] = [status(400, "team-unknown")]
    async with world.client("gi") as gi:
        with pytest.raises(RefusedError, match="team-unknown"):
            await gi.register(child(), **ASKED)
    assert waiting(world) == 0


ALTERATIONS = {
    "another match": lambda members: members["result"].update(outcome="shown"),
    "another text": lambda members: members["result"]["text"].update(id="check.shown"),
    "another leaf": lambda members: members["receipt"].update(
        leaf=members["receipt"]["leaf"].replace("meta ", "meta 0")
    ),
    "no checkpoint": lambda members: members["receipt"].update(proof=""),
    "no opening": lambda members: members["receipt"]["openings"].pop("actor"),
    "no receipt": lambda members: members.update(receipt=None),
}


@pytest.mark.parametrize("name", ALTERATIONS)
async def test_an_answer_whose_receipt_does_not_hold_is_not_shown(world: PartnerWorld, name: str) -> None:
    """An altered answer or receipt is shown as not done; the command waits for one that holds."""
    world.network.faults[BROKER] = [altered(ALTERATIONS[name])]
    async with world.client("gi") as gi:
        with pytest.raises(ReceiptError) as caught:
            await gi.check(child(), **ASKED)
        assert caught.value.problem_id == "receipt-invalid"
        assert waiting(world) == 1
        assert [outcome.outcome for outcome in await gi.resume()] == ["nothing"]


async def test_the_answer_to_another_request_is_not_shown(world: PartnerWorld) -> None:
    """A valid answer of the same broker to an earlier request of the same worker is refused."""
    async with world.client("gi") as gi:
        await gi.check(child(), **ASKED)
        earlier = next(iter(world.broker.answers.values()))[2]
        world.network.faults[BROKER] = [altered(lambda members: members.update(earlier))]
        with pytest.raises(ReceiptError, match="another request"):
            await gi.check(child(), **ASKED)


async def test_the_answer_to_another_organisation_is_not_shown(world: PartnerWorld) -> None:
    """The entry must name the own organisation and worker as its actor."""
    async with world.client("wijkteam") as wijkteam:
        await wijkteam.list_signals()
        listed = []
        keep = altered(lambda members: listed.append(dict(members)))
        world.network.faults[BROKER] = [keep, altered(lambda members: members.update(listed[0]))]
        await wijkteam.list_signals()
    async with world.client("gi") as gi:
        with pytest.raises(ReceiptError, match="another sender"):
            await gi.list_signals()


async def test_a_refusal_with_a_receipt_that_does_not_hold_is_not_shown(world: PartnerWorld) -> None:
    """A refusal is evidence too: another text under the same receipt is not done."""
    world.broker.refuse = problem("refused")
    world.network.faults[BROKER] = [altered(lambda members: members.update(detail="Dit mag altijd."))]
    async with world.client("gi") as gi:
        with pytest.raises(ReceiptError):
            await gi.check(child(), **ASKED)


def spent_points(world: PartnerWorld) -> int:
    """Return how many points the first custodian charged in all."""
    rows = world.network.pair.custodians[0].store.rows("SELECT count(*) FROM batch")
    return int(rows[0][0])
