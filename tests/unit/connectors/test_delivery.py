import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from broker.protocol import strict_json
from broker.protocol.identifiers import Bsn
from broker.protocol.problems import problem, problem_kinds
from broker.protocol.signing_keys import b64url, b64url_bytes
from connectors.cases import Case
from connectors.command_line import explanation, failure_document
from connectors.conclusions import Resumed
from connectors.errors import NotDoneError, ReceiptError, RefusedError
from connectors.final_problems import FINAL, RECORDED, WAITING
from connectors.outbox import Outbox
from connectors.receipts import verify_stored
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.gba_v import official_number
from tests.simulators.partner_world import Fault, PartnerWorld, altered, down, lost, problem_response, real, status
from tests.unit.connectors.cases_by_hand import ASKED, child

_TICKET_LIFE_S = 601


def waiting(world: PartnerWorld, name: str = "gi") -> int:
    """Return how many commands of a partner have no receipt yet."""
    folder = world.folders[name]
    with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
        return sum(len(parts) for parts in outbox.waiting())


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
        outcomes = (await gi.resume()).outcomes
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
        assert [outcome.outcome for outcome in (await gi.resume()).outcomes] == ["done"]
    assert spent_points(world) <= charged
    assert len(world.broker.signals) == 1
    assert waiting(world) == 0


async def test_an_expired_ticket_is_renewed_without_asking_anybody(world: PartnerWorld) -> None:
    """A ticket that expired on the way is re-issued for the same batch, and the request is sent once more."""
    world.network.faults[BROKER] = [status(403, "ticket-expired")]
    async with world.client("gi") as gi:
        assert (await gi.register(child(), **ASKED)).outcome == "done"
    assert len(world.broker.signals) == 1


async def left_waiting(world: PartnerWorld, fault: Fault) -> None:
    """A registration of gi waits in the outbox after this fault of the broker."""
    world.network.faults[BROKER] = [fault]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED)
    assert waiting(world) == 1


async def resumed(world: PartnerWorld) -> Resumed:
    """Return what a resume of gi gives."""
    async with world.client("gi") as gi:
        return await gi.resume()


@pytest.mark.parametrize(("host", "at"), [(BROKER, lost), (CUSTODIANS[0], down)])
async def test_no_problem_on_the_way_back_ends_a_command(world: PartnerWorld, host: str, at: Fault) -> None:
    """Whatever a party answers while a command is asked for or its tickets are renewed, the command waits on."""
    await left_waiting(world, at)
    for problem_id in sorted({*FINAL, *WAITING} - {"not-found"}):
        world.network.faults[host] = [status(problem_kinds()[problem_id].status, problem_id)]
        (unfinished,) = (await resumed(world)).unfinished
        assert isinstance(unfinished.error, NotDoneError), problem_id
        assert unfinished.error.resumable
        assert waiting(world) == 1
    assert [outcome.outcome for outcome in (await resumed(world)).outcomes] == ["done"]
    assert len(world.broker.signals) == 1
    assert waiting(world) == 0


async def test_a_worker_reads_why_a_resume_could_not_tell(world: PartnerWorld) -> None:
    """A clock that is wrong is named as the reason, beside that nobody knows what became of the command."""
    await left_waiting(world, lost)
    world.network.faults[BROKER] = [status(401, "request-token-early")]
    (unfinished,) = (await resumed(world)).unfinished
    told = " ".join(explanation(unfinished.error))
    assert "We hebben dit **niet** kunnen doen" in told
    assert "klok" in told
    assert "sluis-connect resume" in told
    assert failure_document(unfinished.row, unfinished.error) == {
        "row": "1",
        "outcome": "not_done",
        "problem": "not-done",
        "text_nl": unfinished.error.text_nl,  # type: ignore[attr-defined]  # a NotDoneError, as the members beside it say
        "party": BROKER,
        "resumable": True,
        "reason": "request-token-early",
    }


async def test_only_a_final_problem_ends_the_command_it_answers(world: PartnerWorld) -> None:
    """Without a receipt a POST ends its command only by a problem that can mean nothing but: not carried out."""
    left = 0
    for at, problem_id in enumerate(sorted({*FINAL, *WAITING})):
        case = Case(row=problem_id, subject=Bsn.parse(official_number(400 + at)))
        fault = status(problem_kinds()[problem_id].status, problem_id)
        world.network.faults[BROKER] = [fault, fault]
        async with world.client("gi") as gi:
            with pytest.raises(RefusedError if problem_id in FINAL else NotDoneError) as caught:
                await gi.register(case, **ASKED)
        world.network.faults.clear()
        left += problem_id in WAITING
        assert waiting(world) == left, problem_id
        receipted = {*RECORDED, "answer-withheld-on-replay"}
        assert isinstance(caught.value, ReceiptError) == (problem_id in receipted), problem_id


def test_every_published_problem_is_judged_once() -> None:
    """Of each problem stands somewhere whether it ends a command, with the reason; a new one cannot be forgotten."""
    assert not set(FINAL) & set(WAITING)
    assert {*FINAL, *WAITING} == set(problem_kinds())
    assert all((*FINAL.values(), *WAITING.values()))


async def test_an_own_signal_that_is_not_there_ends_its_command(world: PartnerWorld) -> None:
    """`not-found` ends an act on an own signal; for any other command it is about an address, and the command waits."""
    async with world.client("gi") as gi:
        signal_id = (await gi.register(child(), **ASKED)).signal_id or ""
        world.network.faults[BROKER] = [status(404, "not-found")]
        with pytest.raises(RefusedError, match="not-found"):
            await gi.withdraw(signal_id, reason="mistake")
    assert waiting(world) == 0


async def test_a_bare_404_is_no_word_of_the_broker(world: PartnerWorld) -> None:
    """A page that says nothing about the key does not make the command go out again."""
    await left_waiting(world, lost)
    asked = len(world.broker.bodies)
    world.network.faults[BROKER] = [lambda *_: httpx.Response(404, content=b"<html>")]
    assert len((await resumed(world)).unfinished) == 1
    assert len(world.broker.bodies) == asked
    assert waiting(world) == 1


@pytest.mark.parametrize("problem_id", sorted(RECORDED))
@pytest.mark.parametrize("receipt", [None, {}, {"leaf": "x"}])
async def test_a_recorded_refusal_needs_its_receipt(world: PartnerWorld, problem_id: str, receipt: object) -> None:
    """Anybody can say no: a refusal that the broker records is not believed without an entry that holds."""

    def said(request: httpx.Request, answer: object) -> httpx.Response:
        del request, answer
        return problem_response(problem(problem_id), receipt=receipt)

    for asking in ([said], [lost, said]):
        world.network.faults[BROKER] = list(asking)
        async with world.client("gi") as gi:
            with pytest.raises(NotDoneError):
                await gi.register(child(), **ASKED)
            for one in (await gi.resume()).unfinished:
                assert isinstance(one.error, ReceiptError)
        assert waiting(world) == (1 if len(asking) > 1 else 0)
        await resumed(world)


async def test_a_refusal_is_still_told_when_it_is_asked_for_again(world: PartnerWorld) -> None:
    """A refusal whose answer got lost comes back with its receipt, and ends the command."""
    world.broker.refuse = problem("refused")
    await left_waiting(world, lost)
    (unfinished,) = (await resumed(world)).unfinished
    assert isinstance(unfinished.error, RefusedError)
    assert unfinished.error.receipt is not None
    assert waiting(world) == 0


async def test_one_command_that_fails_stops_no_other(world: PartnerWorld) -> None:
    """Every outcome that was reached is returned, with the failures beside it, whichever came first."""
    async with world.client("wijkteam") as wijkteam:
        await wijkteam.register(child(), **ASKED)
    for at, fault in enumerate((lost, down, lost)):
        world.network.faults[BROKER] = [fault]
        world.clock.pass_seconds(at)
        async with world.client("gi") as gi:
            with pytest.raises(NotDoneError):
                await gi.check(child(str(at)), **ASKED)
    world.network.faults[BROKER] = [real, down]
    first = await resumed(world)
    assert [(outcome.row, outcome.outcome, len(outcome.matches)) for outcome in first.outcomes] == [
        ("0", "shown", 1),
        ("2", "shown", 1),
    ]
    assert [(one.row, type(one.error)) for one in first.unfinished] == [("1", NotDoneError)]
    assert waiting(world) == 1
    assert [outcome.row for outcome in (await resumed(world)).outcomes] == ["1"]


async def test_an_old_list_is_not_shown_as_the_present_one(world: PartnerWorld) -> None:
    """A genuine earlier answer of the same broker to the same worker is refused: it was made with another token."""
    saved: list[bytes] = []

    def keep(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        del request
        saved.append(answer().content)
        return httpx.Response(200, content=saved[0])

    async with world.client("gi") as gi:
        world.network.faults[BROKER] = [keep]
        assert (await gi.list_signals()).signals == ()
        await gi.register(child(), **ASKED)
        world.network.faults[BROKER] = [lambda *_: httpx.Response(200, content=saved[0])]
        with pytest.raises(ReceiptError, match="another request token"):
            await gi.list_signals()


async def test_a_list_is_read_to_its_end(world: PartnerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own signals come in pages; the client asks on until a page is not full, and shows all of them."""
    monkeypatch.setattr("connectors.delivery.SIGNALS_PER_PAGE", 2)
    async with world.client("gi") as gi:
        for at in range(4):
            await gi.register(child(row=f"row {at}", case_ref=f"zaak-{at}"), **ASKED)
        world.network.broker.page = 2
        listed = await gi.list_signals()
        assert len({signal.signal_id for signal in listed.signals}) == 4
        assert len(listed.receipts) == 3


async def test_a_page_that_comes_again_is_not_read_for_ever(
    world: PartnerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that gives the same page again and again is not believed."""
    monkeypatch.setattr("connectors.delivery.SIGNALS_PER_PAGE", 1)
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED)
        world.network.broker.repeats_pages = True
        with pytest.raises(ReceiptError, match="follow each other"):
            await gi.list_signals()


async def test_an_answer_by_other_names_is_no_answer(world: PartnerWorld) -> None:
    """Members of the wire have one spelling: a result that names `signal_id` is an outage, and not read."""

    def respelled(members: dict[str, Any]) -> None:
        members["result"]["signal_id"] = members["result"].pop("signalId")

    world.network.faults[BROKER] = [altered(respelled)]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError, match="not-done"):
            await gi.register(child(), **ASKED)
    assert waiting(world) == 1


async def test_a_withheld_answer_that_opens_more_is_not_accepted(world: PartnerWorld) -> None:
    """The receipt of a withheld answer tells nothing of what was shown before; one that does is refused."""
    await left_waiting(world, lost)
    whole = next(iter(world.broker.answers.values()))[3]["receipt"]
    world.broker.changed_since = True
    world.network.faults[BROKER] = [altered(lambda members: members.update(receipt=whole))]
    (unfinished,) = (await resumed(world)).unfinished
    assert isinstance(unfinished.error, ReceiptError)
    assert waiting(world) == 1


async def test_a_changed_answer_is_withheld_on_a_replay(world: PartnerWorld) -> None:
    """A replay whose answer went stale gives the signal id and a verified receipt, and no matches."""
    world.network.faults[BROKER] = [lost]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED)
        world.broker.changed_since = True
        (outcome,) = (await gi.resume()).outcomes
    assert outcome.outcome == "done"
    assert outcome.matches == ()
    assert outcome.signal_id == world.broker.signals[0].id
    assert outcome.receipts[0].kind == "signal"
    assert outcome.receipts[0].outcome is None
    folder = world.folders["gi"]
    kept = folder.receipts / f"{outcome.receipts[0].index}.json"
    assert verify_stored(kept, policy=folder.log_policy) == outcome.receipts[0]


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
        assert [outcome.outcome for outcome in (await gi.resume()).outcomes] == ["nothing"]


async def test_the_answer_to_another_request_is_not_shown(world: PartnerWorld) -> None:
    """A valid answer of the same broker to an earlier request of the same worker is refused."""
    async with world.client("gi") as gi:
        await gi.check(child(), **ASKED)
        earlier = next(iter(world.broker.answers.values()))[3]
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
