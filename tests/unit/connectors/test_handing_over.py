"""A colleague goes on with an import whose worker has left: once, in his own name, and nothing is guessed."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from broker.protocol.problems import problem
from connectors.conclusions import Resumed
from connectors.errors import NotDoneError, RefusedError
from connectors.outbox import Command, Outbox
from connectors.workers import pairwise_id
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.partner_world import Fault, PartnerWorld, down, lost, real, status
from tests.unit.connectors.cases_by_hand import ASKED, brother, child

A, B = CUSTODIANS
EXACT = {"nlbsn": 1, "fam": 2, "addr": 1}
USED = [dict.fromkeys(EXACT, 0)]


async def begun(world: PartnerWorld, fault: Fault, *, case_ref: str | None = "zaak-1") -> Command:
    """Return the row that Anna began, with its tickets, and that this fault at the broker left waiting."""
    file = world.granted("gi", EXACT)
    world.network.faults[BROKER] = [fault]
    async with world.client("gi") as gi:
        grant = gi.grant(file, purpose="proefregio")
        with pytest.raises(NotDoneError):
            await gi.register(child(case_ref=case_ref), **ASKED, grant=grant)
        ((command,),) = gi._outbox.waiting()
    assert (command.worker, len(command.tickets), command.blinding) == ("anna", 2, None)
    return command


def leaves(world: PartnerWorld, worker: str = "anna") -> None:
    """Take a worker off the broker's roster."""
    key = world.folders["gi"].pairwise_key
    world.broker.left.add(pairwise_id(key, audience=BROKER, local_id=worker))


async def resumed(world: PartnerWorld, worker: str = "bram") -> Resumed:
    """Return what a resume by this worker tells."""
    async with world.client("gi", worker=worker) as gi:
        return await gi.resume()


def waiting(world: PartnerWorld) -> int:
    """Return how many commands wait."""
    folder = world.folders["gi"]
    with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
        return len(outbox.waiting())


def noted(world: PartnerWorld) -> list[tuple[str, int | None]]:
    """Return the signals in the casebook of the GI, each with its receipt."""
    with world.folders["gi"].casebook() as book:
        return [(signal.signal_id, signal.receipt) for signal in book.signals()]


async def test_a_row_of_who_left_is_registered_once_by_a_colleague(world: PartnerWorld) -> None:
    """Its batch is asked again in the colleague's name, uncharged, and the registration is his."""
    command = await begun(world, down)
    leaves(world)
    (outcome,) = (await resumed(world)).outcomes
    assert (outcome.outcome, outcome.receipts[0].kind) == ("done", "signal")
    assert (len(world.broker.signals), world.broker.doubled, waiting(world)) == (1, 0, 0)
    assert world.left(0) == world.left(1) == USED
    assert len(world.broker.spent) == len(command.tickets)
    assert noted(world) == [(world.broker.signals[0].id, outcome.receipts[0].index)]


async def test_what_he_had_done_is_noted_and_shows_nothing(world: PartnerWorld) -> None:
    """The broker keeps his answer for him; the organisation's own list shows that the signal stands."""
    await begun(world, lost)
    leaves(world)
    (outcome,) = (await resumed(world)).outcomes
    assert (outcome.outcome, outcome.matches, outcome.signal_id) == ("done", (), world.broker.signals[0].id)
    assert outcome.text_nl.startswith("Een collega had dit signaal al afgegeven")
    assert [receipt.kind for receipt in outcome.receipts] == ["read"]
    assert noted(world) == [(world.broker.signals[0].id, None)]
    assert (len(world.broker.signals), waiting(world)) == (1, 0)
    async with world.client("gi", worker="bram") as gi:
        assert gi.has_active_signal(child(), purpose="proefregio", team="team-1")
        assert gi.later.count() == 1


async def test_what_he_was_refused_is_not_noted_as_done(world: PartnerWorld) -> None:
    """A used key says only that he was answered: without a signal in the list nothing is claimed to stand."""
    world.broker.refuse = problem("refused")
    await begun(world, lost)
    leaves(world)
    (left,) = (await resumed(world)).unfinished
    assert isinstance(left.error, RefusedError)
    assert "Er staat nu **geen** signaal" in left.error.text_nl
    assert (noted(world), waiting(world), world.broker.signals) == ([], 0, [])


async def test_while_he_works_there_his_own_answer_is_asked_for(world: PartnerWorld) -> None:
    """As long as he is on the roster the very receipt of the registration is had."""
    await begun(world, lost)
    (outcome,) = (await resumed(world)).outcomes
    assert [receipt.kind for receipt in outcome.receipts] == ["signal"]
    assert noted(world) == [(world.broker.signals[0].id, outcome.receipts[0].index)]


async def test_an_ordinary_command_stays_its_workers(world: PartnerWorld) -> None:
    """A batch without a grant is its worker's at the custodians; nobody else sends his command."""
    world.network.faults[BROKER] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED)
    leaves(world)
    (left,) = (await resumed(world)).unfinished
    assert isinstance(left.error, NotDoneError)
    assert (waiting(world), world.broker.signals) == (1, [])


@pytest.mark.parametrize("others", [0, 1, 2])
async def test_a_row_without_a_case_is_found_among_what_is_unknown_here(world: PartnerWorld, others: int) -> None:
    """One unknown signal is the row's; of several none is chosen, and the row is known by its own key. None is none."""
    command = await begun(world, lost, case_ref=None)
    leaves(world)
    if others == 0:
        world.broker.signals[0].state = "withdrawn"
    async with world.client("gi", worker="bram") as gi:
        await gi.register(replace(brother(), case_ref=None), **ASKED)
    known = noted(world)
    if others == 2:
        world.broker.signals.append(replace(world.broker.signals[0], id="f" * 32))
    told = await resumed(world)
    fresh = [signal_id for signal_id, _ in noted(world) if signal_id not in dict(known)]
    assert fresh == [[], [world.broker.signals[0].id], [command.key]][others]
    assert (len(told.outcomes), len(told.unfinished), waiting(world)) == (int(others > 0), int(others == 0), 0)


@pytest.mark.parametrize(("host", "fault"), [(B, down), (B, status(403, "grant-unknown")), (BROKER, down)])
async def test_a_row_of_who_left_waits_for_every_party(world: PartnerWorld, host: str, fault: Fault) -> None:
    """As long as one custodian, or the broker, does not help, nothing is known and nothing is lost."""
    await begun(world, down)
    leaves(world)
    world.network.faults[host] = [real, fault] if host == BROKER else [fault]
    (left,) = (await resumed(world)).unfinished
    assert isinstance(left.error, NotDoneError)
    assert left.error.resumable
    assert (waiting(world), world.broker.signals) == (1, [])
    assert len((await resumed(world)).outcomes) == 1
    assert world.left(0) == world.left(1) == USED


@pytest.mark.parametrize("fault", [down, status(403, "organisation-unknown")])
async def test_without_the_list_it_is_not_known_what_stands(world: PartnerWorld, fault: Fault) -> None:
    """A list that cannot be read is no empty list: the row waits on, in the colleague's name, and is told later."""
    await begun(world, lost)
    leaves(world)
    world.network.faults[BROKER] = [real, real, fault]
    (left,) = (await resumed(world)).unfinished
    assert isinstance(left.error, NotDoneError)
    assert left.error.resumable
    (outcome,) = (await resumed(world)).outcomes
    assert outcome.signal_id == world.broker.signals[0].id
    assert waiting(world) == 0


@pytest.mark.parametrize("done", [True, False])
async def test_after_the_grant_a_row_of_who_left_is_told_apart_too(world: PartnerWorld, done: bool) -> None:  # noqa: FBT001 - a parametrised fact
    """Nobody issues tickets any more; the broker still says whether he was answered, and what was not done is over."""
    await begun(world, lost if done else down)
    leaves(world)
    world.clock.pass_seconds(12 * 86_400)
    told = await resumed(world)
    assert waiting(world) == 0
    if done:
        assert told.outcomes[0].signal_id == world.broker.signals[0].id
    else:
        (left,) = told.unfinished
        assert isinstance(left.error, RefusedError)
        assert left.error.problem.id == "grant-expired"
        assert world.broker.signals == []


async def test_a_refusal_of_the_colleague_is_told_as_it_is(world: PartnerWorld) -> None:
    """What the broker refuses him, it refuses with a receipt, and that is what he reads."""
    await begun(world, down)
    leaves(world)
    world.broker.refuse = problem("refused")
    (left,) = (await resumed(world)).unfinished
    assert isinstance(left.error, RefusedError)
    assert left.error.receipt is not None
    assert waiting(world) == 0


async def test_a_row_that_ends_while_it_is_taken_over_stays_ended(world: PartnerWorld) -> None:
    """Its tickets come after another run ended it: it is not stored anew, and not sent a second time."""
    await begun(world, down)
    leaves(world)
    world.network.faults[B] = [ended_elsewhere(world, real)]
    told = await resumed(world)
    assert (told.outcomes, told.unfinished, waiting(world)) == ((), (), 0)
    assert world.broker.signals == []


async def test_a_row_that_ended_under_another_name_is_told_there(world: PartnerWorld) -> None:
    """Where the key was used by the run that ended the row here, that run has told it."""
    await begun(world, down)
    leaves(world)
    reused = status(409, "idempotency-key-reused")
    world.network.faults[BROKER] = [real, ended_elsewhere(world, reused)]
    told = await resumed(world)
    assert (told.outcomes, told.unfinished, waiting(world)) == ((), (), 0)


def ended_elsewhere(world: PartnerWorld, answered: Fault) -> Fault:
    """Return an exchange during which another run ends the row that waits."""

    def exchange(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        folder = world.folders["gi"]
        with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
            ((command,),) = outbox.waiting()
            outbox.delete(command.key)
        return answered(request, answer)

    return exchange


async def test_two_resumes_at_once_register_once(world: PartnerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read the outbox before either ended what is in it: the row ends once, and is brought back by neither."""
    file = world.granted("gi", EXACT)
    async with world.client("gi") as gi, world.client("gi", worker="bram") as colleague:
        world.network.faults[B] = [down]
        with pytest.raises(NotDoneError):
            await gi.register(child(), **ASKED, grant=gi.grant(file, purpose="proefregio"))
        seen = gi._outbox.waiting()
        monkeypatch.setattr(Outbox, "waiting", lambda _: seen)
        told = [await client.resume() for client in (gi, colleague)]
        monkeypatch.undo()
    assert [len(one.outcomes) for one in told] == [1, 0]
    assert [one.unfinished for one in told] == [(), ()]
    assert (len(world.broker.signals), world.broker.doubled, waiting(world)) == (1, 0, 0)
    assert world.left(0) == world.left(1) == USED
