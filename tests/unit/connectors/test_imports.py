"""Importing under a grant through the client: durable before it costs anything, done once, and nobody looked up."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from broker.protocol.grant import Grant
from broker.protocol.problems import problem
from connectors.blinding import Prepared
from connectors.client import SluisClient
from connectors.errors import AlreadyWaitsError, FolderError, NotDoneError, RefusedError
from connectors.outbox import Outbox
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.partner_world import Fault, PartnerWorld, down, lost, real, status
from tests.unit.connectors.cases_by_hand import ASKED, child, mother

A, B = CUSTODIANS
EXACT = {"nlbsn": 1, "fam": 2, "addr": 1}


def grant_in(client: SluisClient, file: Path) -> Grant:
    """Return the grant in a file, as this client uses it."""
    return client.grant(file, purpose="proefregio")


def waiting(world: PartnerWorld) -> int:
    """Return how many commands of the GI wait."""
    folder = world.folders["gi"]
    with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
        return len(outbox.waiting())


async def test_an_import_registers_and_looks_nobody_up(world: PartnerWorld) -> None:
    """The signal is stored, nobody is shown although somebody is involved, and the grant is used up exactly."""
    async with world.client("wijkteam") as other:
        await other.register(child(), **ASKED)
    async with world.client("gi") as gi:
        outcome = await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        assert (outcome.outcome, outcome.matches) == ("done", ())
        assert "nog **niet** gekeken" in outcome.text_nl
        assert outcome.receipts[0].status == "cosigned"
        assert gi.has_active_signal(child(), purpose="proefregio", team="team-1")
    assert world.left(0) == world.left(1) == [{"nlbsn": 0, "fam": 0, "addr": 0}]


async def test_an_import_sends_exactly_what_it_asks(world: PartnerWorld) -> None:
    """A batch of a grant has no padding, and states class and grant."""
    file = world.granted("gi", EXACT)
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED, grant=grant_in(gi, file))
    body = json.loads(next(sent for host, sent in world.network.sent if host == A).partition(b"\n\n")[2])
    assert (body["budgetClass"], body["operation"]) == ("import", "register")
    assert [(asked["family"], len(asked["points"])) for asked in body["families"]] == [
        ("nlbsn", 1),
        ("fam", 2),
        ("addr", 1),
    ]


async def test_one_element_more_is_refused_and_leaves_nothing(world: PartnerWorld) -> None:
    """What the grant does not cover is refused by both custodians, registers nothing and waits for nothing."""
    file = world.granted("gi", {"nlbsn": 1, "fam": 1, "addr": 1})
    async with world.client("gi") as gi:
        with pytest.raises(RefusedError) as refused:
            await gi.register(child(), **ASKED, grant=grant_in(gi, file))
    assert refused.value.problem.id == "grant-exhausted"
    assert "deze rij is **niet** afgegeven" in refused.value.text_nl.lower()
    assert (world.broker.signals, waiting(world)) == ([], 0)
    assert world.left() == [{"nlbsn": 1, "fam": 1, "addr": 1}]


@pytest.mark.parametrize(
    ("host", "fault"), [(A, down), (B, down), (A, lost), (B, lost), (BROKER, down), (BROKER, lost)]
)
async def test_an_outage_costs_an_exact_grant_nothing(world: PartnerWorld, host: str, fault: Fault) -> None:
    """Whichever party is gone, before or after it acted, the same batch goes on later and ends in one signal."""
    file = world.granted("gi", EXACT)
    world.network.faults[host] = [fault]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError) as caught:
            await gi.register(child(), **ASKED, grant=grant_in(gi, file))
        assert caught.value.resumable
        assert [outcome.outcome for outcome in (await gi.resume()).outcomes] == ["done"]
        assert gi.later.count() == 1
    assert (len(world.broker.signals), world.broker.doubled, waiting(world)) == (1, 0, 0)
    assert world.left(0) == world.left(1) == [{"nlbsn": 0, "fam": 0, "addr": 0}]


@pytest.mark.parametrize("granted", [True, False])
async def test_nobody_is_registered_anew_while_he_waits(world: PartnerWorld, granted: bool) -> None:  # noqa: FBT001 - a parametrised fact
    """Who waits is refused before anything is sent, by whatever row or path; resuming ends it, and is paid once."""
    file = world.granted("gi", EXACT)
    async with world.client("gi") as gi, world.client("gi", worker="bram") as colleague:
        grant = grant_in(gi, file)
        world.network.faults[BROKER] = [down]
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED, grant=grant if granted else None)
        ((command,),) = gi._outbox.waiting()
        sent = len(world.network.sent)
        for again in (gi, colleague):
            with pytest.raises(AlreadyWaitsError) as caught:
                await again.register(child("9", case_ref=None), **ASKED, grant=grant)
            assert (caught.value.key, caught.value.resumable) == (command.key, True)
            assert caught.value.text_nl.startswith("Een eerder signaal over deze persoon wacht nog")
        assert len(world.network.sent) == sent
        await colleague.register(mother(), **ASKED)
        assert len((await gi.resume()).outcomes) == 1
        assert gi.waiting_persons() == colleague.waiting_persons() == frozenset()
    assert (len(world.broker.signals), world.broker.doubled) == (2, 0)


async def test_a_custodian_that_accepted_later_is_waited_for(world: PartnerWorld) -> None:
    """Where one custodian evaluated and the other knows no grant yet, the row waits, and costs nothing more."""
    file = world.granted("gi", EXACT)
    world.network.faults[B] = [status(403, "grant-unknown")]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError) as caught:
            await gi.register(child(), **ASKED, grant=grant_in(gi, file))
        assert caught.value.problem is not None
        assert caught.value.problem.id == "grant-unknown"
        assert len((await gi.resume()).outcomes) == 1
    assert world.left(0) == world.left(1) == [{"nlbsn": 0, "fam": 0, "addr": 0}]


async def test_a_colleague_goes_on_with_what_never_left(world: PartnerWorld) -> None:
    """A prepared row is finished by whoever resumes, in his own name, under the same charge."""
    file = world.granted("gi", EXACT)
    world.network.faults[B] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED, grant=grant_in(gi, file))
    async with world.client("gi", worker="bram") as gi:
        assert len((await gi.resume()).outcomes) == 1
    assert world.left(0) == world.left(1) == [{"nlbsn": 0, "fam": 0, "addr": 0}]


async def test_tickets_of_a_grant_outlive_ten_minutes(world: PartnerWorld) -> None:
    """A row that waited for days is sent with the tickets it has; no custodian is asked again."""
    file = world.granted("gi", EXACT)
    world.network.faults[BROKER] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED, grant=grant_in(gi, file))
        world.clock.pass_seconds(5 * 86_400)
        asked = len(world.network.sent)
        assert len((await gi.resume()).outcomes) == 1
    assert {host for host, _ in world.network.sent[asked:]} == {BROKER}


async def test_what_the_grant_ended_before_it_was_done_is_over(world: PartnerWorld) -> None:
    """After the grant ended a row that waited, with tokens or without, is forgotten: a new grant may register it."""
    for party in (B, BROKER):
        file = world.granted("gi", EXACT)
        world.network.faults[party] = [down]
        async with world.client("gi") as gi:
            with pytest.raises(NotDoneError):
                await gi.register(child(), **ASKED, grant=grant_in(gi, file))
            world.clock.pass_seconds(12 * 86_400)
            (over,) = (await gi.resume()).unfinished
            assert isinstance(over.error, RefusedError)
            assert over.error.problem.id == ("grant-expired" if party == B else "ticket-expired")
        assert (waiting(world), world.broker.signals) == (0, [])
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
    assert len(world.broker.signals) == 1


async def test_a_row_of_a_past_epoch_is_over(world: PartnerWorld) -> None:
    """Points that were blinded for keys of the past can never register anything; the row says so and is forgotten."""
    file = world.granted("gi", EXACT)
    world.network.faults[A] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED, grant=grant_in(gi, file))
        ((command,),) = gi._outbox.waiting()
        past = command.evaluation.replace('"epoch":1,', '"epoch":7,')
        gi._outbox.change(replace(command, evaluation=past))
        (over,) = (await gi.resume()).unfinished
    assert isinstance(over.error, RefusedError)
    assert "De sleutels zijn vernieuwd" in over.error.text_nl
    assert waiting(world) == 0


async def test_a_refusal_of_policy_ends_the_row(world: PartnerWorld) -> None:
    """What may not be registered is refused with its receipt, forgotten here, and not on the look-later list."""
    world.broker.refuse = problem("refused")
    async with world.client("gi") as gi:
        with pytest.raises(RefusedError) as refused:
            await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        assert refused.value.receipt is not None
        assert gi.later.count() == 0
    assert waiting(world) == 0


async def test_neither_number_nor_blinding_nor_token_stands_open_on_disk(world: PartnerWorld) -> None:
    """What waits is sealed: no file of the folder holds the number, the factor, or the request's points."""
    world.network.faults[B] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        folder = world.folders["gi"]
        with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
            ((command,),) = outbox.waiting()
        assert command.blinding is not None
        secrets = [child().subject.reveal().decode(), *command.blinding["nlbsn"], *_points(command.evaluation)]  # type: ignore[union-attr]  # the child has a number
        files = [path.read_bytes() for path in folder.path.rglob("*") if path.is_file()]
        assert not any(secret.encode() in content for secret in secrets for content in files)
        batch = Prepared.restored(command.evaluation, command.blinding)
        shown = f"{command!r} {batch!r} {batch.batches!r}"
        assert not any(secret in shown for secret in secrets)
        await gi.resume()
        await gi.look(gi.later.waiting()[0])


async def test_a_damaged_row_stops_the_resume(world: PartnerWorld) -> None:
    """A row that holds no batch any more is said to be damaged, not passed over."""
    world.network.faults[B] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        ((command,),) = gi._outbox.waiting()
        for blinding in ({}, {"nlbsn": ["x"], "fam": [], "addr": []}, {**(command.blinding or {}), "fam": []}):
            gi._outbox.change(replace(command, blinding=blinding))
            (broken,) = (await gi.resume()).unfinished
            assert isinstance(broken.error, FolderError)


async def test_a_large_household_is_imported_and_looked_at_whole(world: PartnerWorld) -> None:
    """Looking later asks about every member the case had when it was imported."""
    async with world.client("wijkteam") as other:
        await other.register(mother(), **ASKED)
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        (entry,) = gi.later.waiting()
        assert repr(entry) == "ToLook(row='1', redacted)"
        looked = await gi.look(entry)
        assert [match.kind for match in looked.matches] == ["member"]
        assert gi.later.waiting() == []
        assert [one.conclusion for one in gi.later.untold()] == [looked]


async def test_a_look_that_was_interrupted_is_finished_by_resume(world: PartnerWorld) -> None:
    """What a look told is kept until a person has read it, also where its answer came with the resume."""
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        world.network.faults[BROKER] = [lost]
        with pytest.raises(NotDoneError):
            await gi.look(gi.later.waiting()[0])
        assert gi.later.count() == 1
        assert (await gi.resume()).outcomes == ()
    async with world.client("gi") as gi:
        (looked,) = gi.later.untold()
        assert (looked.row, gi.later.count()) == ("1", 0)
        gi.later.told(looked.signal_id)
        assert gi.later.untold() == []


async def test_a_look_without_budget_waits_on(world: PartnerWorld) -> None:
    """A budget that is spent is no answer: the household stays on the list. A recorded refusal is one, and is kept."""
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        world.network.faults[A] = [status(429, "budget-exhausted")]
        with pytest.raises(RefusedError, match="budget-exhausted"):
            await gi.look(gi.later.waiting()[0])
        assert gi.later.count() == 1
        world.broker.refuse = problem("refused")
        with pytest.raises(RefusedError, match="refused"):
            await gi.look(gi.later.waiting()[0])
        assert gi.later.count() == 0
        (looked,) = gi.later.untold()
        assert isinstance(looked.conclusion, RefusedError)


@pytest.mark.parametrize("problem_id", ["epoch-unknown", "ticket-epoch", "team-unknown"])
async def test_a_look_that_nobody_recorded_is_no_look(world: PartnerWorld, problem_id: str) -> None:
    """A refusal without an entry of the log concludes nothing: the household stays, and is looked at later."""
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        world.network.faults[BROKER] = [status(422, problem_id)]
        with pytest.raises(RefusedError, match=problem_id):
            await gi.look(gi.later.waiting()[0])
        assert (gi.later.count(), gi.later.untold(), waiting(world)) == (1, [], 0)
        await gi.look(gi.later.waiting()[0])
        assert (gi.later.count(), len(gi.later.untold())) == (0, 1)


async def test_a_signal_that_ended_is_not_looked_at(world: PartnerWorld) -> None:
    """Who is involved is asked with an active own signal only, so a withdrawn one leaves the list."""
    async with world.client("gi") as gi:
        outcome = await gi.register(child(), **ASKED, grant=grant_in(gi, world.granted("gi", EXACT)))
        await gi.withdraw(outcome.signal_id or "", reason="mistake")
        assert (gi.later.waiting(), gi.later.count()) == ([], 0)


def _points(body: str) -> list[str]:
    return [point for asked in json.loads(body)["families"] for point in asked["points"]]


class Killed(BaseException):
    """Stands in for the end of the process: nothing of ours catches it."""


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("host", [A, B, BROKER])
async def test_a_crash_at_any_exchange_is_resumed(world: PartnerWorld, host: str, answered: bool) -> None:  # noqa: FBT001 - a parametrised fact
    """Broken off before or after any party acted, a new process ends with one signal and an exactly used grant."""
    file = world.granted("gi", EXACT)

    def dies(request: httpx.Request, answer: object) -> httpx.Response:
        del request
        if answered and callable(answer):
            answer()
        raise Killed

    world.network.faults[host] = [dies, real]
    async with world.client("gi") as gi:
        with pytest.raises(Killed):
            await gi.register(child(), **ASKED, grant=grant_in(gi, file))
    async with world.client("gi") as gi:
        await gi.resume()
        assert gi.later.count() == 1
    assert (len(world.broker.signals), world.broker.doubled, waiting(world)) == (1, 0, 0)
    assert world.left(0) == world.left(1) == [{"nlbsn": 0, "fam": 0, "addr": 0}]
