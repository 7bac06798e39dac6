"""A page of letters is read and decided on at once, with what each of them by itself would tell and rely on."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.flows import list_requests as listing
from broker.flows.policy import PolicyInForce
from broker.flows.reading_ahead import Ahead
from broker.ports import Proposal, Stamp
from broker.store.connection import FileReader
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, exclude, shield
from tests.simulators.citing import (
    BUURTTEAM,
    HUISARTS,
    POLITIE,
    VT,
    asking_with_consent,
    citing,
    consent,
    excepted,
    told_in_meeting,
    told_police,
)
from tests.simulators.consenting import answer, withdrawn
from tests.simulators.consenting import recorded as recorded_consent
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, worker_id
from tests.simulators.excepting import reader
from tests.simulators.requesting import Desk, shown
from tests.unit.broker.flows.noted_log import recorded
from tests.unit.broker.flows.test_asking_on_matches import met

SIDES = (VEILIG_THUIS, WIJKTEAM)
CHILD = household(subject="child")
EVERYBODY = (WIJKTEAM, VEILIG_THUIS, SCHOOL, GI, HUISARTS, POLITIE, BUURTTEAM, VT)


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core with parties to an agreement under which one asks with consent too."""
    async with a_world("sqlite", tmp_path, policy=asking_with_consent(policy)) as running:
        yield citing(running)


async def mixed(desk: Desk) -> None:
    """There are letters on matches, signals, consents and an exception, answered ones too; some hold no more."""
    world = desk.world
    kept, own = await met(desk)
    await exclude(world, own[WIJKTEAM], organisation=WIJKTEAM, worker="somebody")
    ended, others = await met(desk, then=VEILIG_THUIS, on=household(subject="brother", parents=["aunt"]))
    for match in (kept, ended, kept):
        await desk.sent(matchId=match)
    asked, on_signal = await desk.sent(signalId=own[VEILIG_THUIS]), await desk.sent(to=SCHOOL)
    await desk.answer(asked, desk.reply(asked, signalId=own[WIJKTEAM]))
    await desk.answer(on_signal, desk.reply(on_signal, by=SCHOOL, kind="declined"), by=SCHOOL)
    asker = world.asker(BUURTTEAM, purpose="casusoverleg", ground="TOEST")
    hers = {"purpose": "casusoverleg", "categories": ["hulp"], "parties": [VT], "person": "trudy"}
    given, taken = await consent(desk), await recorded_consent(world, asker, answer(), **hers)
    for one in (given, taken, given):
        await desk.send(told_in_meeting(desk, one), by=BUURTTEAM)
    await desk.send(told_police(desk, await excepted(desk)), by=HUISARTS)
    await withdrawn(world, desk.asker(BUURTTEAM), taken)
    await shield(world, others[WIJKTEAM])


Look = tuple[list[dict[str, Any]], frozenset[Stamp]]
"""What a list tells, and everything that it relies on."""


async def looks(desk: Desk, proposals: list[Proposal]) -> dict[tuple[str, str], Look]:
    """Return the list of every side, for who works there and for who is kept from a signal."""
    found = {}
    for side in [(oin, worker) for oin in EVERYBODY for worker in (worker_id(oin, "worker"), "somebody")]:
        lines = shown(await desk.list(by=side[0], worker=side[1]))
        found[side] = (lines, frozenset(proposals[-1].relies_on))
    return found


def each_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists read and decide on each letter by itself from now on, as its fetch does."""
    world = desk.world
    stores: Any = {
        "signals": world.signals, "matches": world.following.matches, "consents": world.consents,
        "exceptions": reader(world),
    }  # fmt: skip

    async def of_stores(letters: object, **ports: object) -> Ahead:
        del letters, ports
        return Ahead(**stores)

    monkeypatch.setattr(listing, "read_ahead", of_stores)
    monkeypatch.setattr(listing, "deciding_once", lambda policy: policy)


async def test_a_page_tells_and_relies_on_what_each_letter_does(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every side, and who is kept from a signal: the same lines and the same stamps, read together or not."""
    await mixed(desk)
    proposals = recorded(desk.world)
    together = await looks(desk, proposals)
    each_by_itself(desk, monkeypatch)
    assert await looks(desk, proposals) == together
    states = {one["state"] for lines, _ in together.values() for one in lines}
    assert {"sent", "withheld", "answered", "declined"} <= states
    mine, his = (len(together[WIJKTEAM, worker][0]) for worker in (worker_id(WIJKTEAM, "worker"), "somebody"))
    assert his < mine


async def test_a_page_takes_as_many_readings_as_one_letter(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many letters there are, and whatever they rest on, the database is asked as often."""
    counted: list[int] = []
    run = FileReader.run

    async def counting(self: FileReader, work: Any) -> Any:  # noqa: ANN401 - whatever is read
        counted[-1] += 1
        return await run(self, work)

    counted.append(0)
    monkeypatch.setattr(FileReader, "run", counting)
    await desk.sent()
    counted.append(0)
    assert len(shown(await desk.list(by=WIJKTEAM))) == 1
    of_one = counted[-1]
    await mixed(desk)
    counted.append(0)
    assert len(shown(await desk.list(by=WIJKTEAM))) > 1
    # The versions of what letters rest on are one reading more than where they rest on nothing.
    assert counted[-1] == of_one + 1


@pytest.mark.parametrize("whose", ["asker", "holder"])
async def test_an_earlier_end_of_a_signal_takes_no_letter_back(desk: Desk, whose: str) -> None:
    """A signal that was renewed to an earlier day carries what waits on it as long as it holds, and no longer."""
    own = {oin: str((await desk.world.register(desk.asker(oin), CHILD)).result["signalId"]) for oin in SIDES}
    request, waiting = await desk.sent(signalId=own[VEILIG_THUIS]), await desk.sent(signalId=own[VEILIG_THUIS])
    await desk.answer(request, desk.reply(request, signalId=own[WIJKTEAM]))
    oin = VEILIG_THUIS if whose == "asker" else WIJKTEAM
    await desk.world.renew(desk.asker(oin), own[oin], (desk.today + datetime.timedelta(days=40)).isoformat())
    states = {one["requestId"]: one["state"] for by in SIDES for one in shown(await desk.list(by=by))}
    assert states == {request: "answered", waiting: "sent"}
    assert (await desk.fetch(request, by=VEILIG_THUIS)).result["box"]
    await desk.answer(waiting, desk.reply(waiting, signalId=own[WIJKTEAM]))
    await shield(desk.world, own[oin])
    lines = {one["requestId"]: one["state"] for one in shown(await desk.list(by=VEILIG_THUIS))}
    assert lines[waiting] == "withheld"


async def test_who_renews_the_other_side_of_a_match_takes_no_letter_back(desk: Desk) -> None:
    """A letter on a match holds though the other side's signal ends sooner now; a shield of it still withholds."""
    match, own = await met(desk)
    request = await desk.sent(matchId=match)
    await desk.world.renew(desk.asker(WIJKTEAM), own[WIJKTEAM], (desk.today + datetime.timedelta(days=40)).isoformat())
    assert [one["state"] for one in shown(await desk.list(by=WIJKTEAM))] == ["sent"]
    await shield(desk.world, own[WIJKTEAM])
    assert [(one["requestId"], one["state"]) for one in shown(await desk.list(by=WIJKTEAM))] == [(request, "withheld")]


async def test_a_sender_is_told_that_what_waits_can_be_read_no_more(desk: Desk) -> None:
    """On an own consent or signal that ended: withheld, unless it was fetched before. Why is for nobody to read."""
    own = str((await desk.world.register(desk.asker(VEILIG_THUIS), CHILD)).result["signalId"])
    asked, fetched = await desk.sent(signalId=own), await desk.sent(signalId=own)
    await desk.fetch(fetched, by=WIJKTEAM)
    cited = await consent(desk)
    body = told_in_meeting(desk, cited)
    await desk.send(body, by=BUURTTEAM)
    await withdrawn(desk.world, desk.asker(BUURTTEAM), cited)
    await shield(desk.world, own)
    states = {
        one["requestId"]: one["state"] for by in (VEILIG_THUIS, BUURTTEAM) for one in shown(await desk.list(by=by))
    }
    assert states == {asked: "withheld", fetched: "delivery_unknown", body["idempotencyKey"]: "withheld"}
    (one,) = shown(await desk.fetch(asked, by=VEILIG_THUIS))
    assert (one["state"], one["purpose"], one["delivery"]) == ("withheld", "vt-melding", "waiting")


async def test_a_shield_of_the_other_side_of_a_match_tells_its_sender_nothing(desk: Desk) -> None:
    """A letter on a match reads the same to its sender, whatever the other side did with its own signal."""
    match, own = await met(desk)
    await desk.sent(matchId=match)
    before = shown(await desk.list(by=VEILIG_THUIS))
    await shield(desk.world, own[WIJKTEAM])
    assert shown(await desk.list(by=VEILIG_THUIS)) == before
    assert [one["state"] for one in shown(await desk.list(by=WIJKTEAM))] == ["withheld"]
