"""Who was told something by telephone hears when what that rests on is over; who was not is told nothing of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.flows.policy import PolicyInForce
from tests.simulators.asking import household
from tests.simulators.broker_world import World, a_world, exclude, held_in, requester
from tests.simulators.citing import BUURTTEAM, HUISARTS, POLITIE, VT, asking_with_consent, citing, consent, excepted
from tests.simulators.citing import told_police as telling_police
from tests.simulators.consenting import answer, withdrawn
from tests.simulators.databases import DATABASES
from tests.simulators.following_up import notices_of
from tests.simulators.phoning import listed, verify
from tests.simulators.requesting import Desk
from tests.simulators.reviewing import Reviewers
from tests.unit.broker.flows.test_calls_that_cite import asked, noted, refused, told
from tests.unit.broker.flows.test_keeping import later

ENDED, REJECTED = "consent_withdrawn", "exception_rejected"


BOTH = pytest.mark.parametrize("desk", DATABASES, indirect=True)
"""Where what is found and told is one statement of the database."""


@pytest.fixture
async def desk(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on SQLite, or on the database a test names, whose parties ask with consent too."""
    async with a_world(getattr(request, "param", "sqlite"), tmp_path, policy=asking_with_consent(policy)) as running:
        yield citing(running)


async def notices(world: World, oin: str, kind: str) -> list[str]:
    """Return what the notices of this kind are about that an organisation's worker reads."""
    return [about for one, about in await notices_of(world, oin) if one == kind]


@BOTH
async def test_who_was_called_hears_that_the_yes_is_taken_back(desk: Desk) -> None:
    """Who verified a call, or read it in the list, has one notice about it; who knew nothing of it has none."""
    cited = await consent(desk, by=VT, parties=[BUURTTEAM])
    read = await asked(desk, cited)
    await listed(desk.world, desk.asker(BUURTTEAM))
    unknown = await asked(desk, cited)
    verified = await asked(desk, cited)
    await verify(desk.world, desk.asker(BUURTTEAM), verified["code"])
    assert await notices(desk.world, BUURTTEAM, ENDED) == []
    await withdrawn(desk.world, desk.asker(VT), cited)
    told_of = await notices(desk.world, BUURTTEAM, ENDED)
    assert sorted(told_of) == sorted([read["callId"], verified["callId"]])
    assert await notices(desk.world, VT, ENDED) == []
    for call in (read, unknown):
        assert await refused(verify(desk.world, desk.asker(BUURTTEAM), call["code"])) == "phone-call-withheld"


async def test_who_called_hears_that_the_yes_of_an_oral_answer_is_taken_back(desk: Desk) -> None:
    """What was noted he heard, so he has a notice about that call; who answered has none of his own record."""
    asked_on, told_on = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    call = await asked(desk, asked_on)
    await verify(desk.world, desk.asker(BUURTTEAM), call["code"])
    await noted(desk, call, told_on)
    await withdrawn(desk.world, desk.asker(BUURTTEAM), told_on, parties=[VT])
    assert await notices(desk.world, VT, ENDED) == [call["callId"]]
    assert await notices(desk.world, BUURTTEAM, ENDED) == []


async def test_a_yes_that_ran_out_is_told_to_who_verified(desk: Desk) -> None:
    """The day after its last day housekeeping tells who verified a call on it, once; the call is kept until then."""
    cited = await consent(desk, by=VT, parties=[BUURTTEAM], answers=[answer(until="2027-05-01")])
    call = await asked(desk, cited)
    await verify(desk.world, desk.asker(BUURTTEAM), call["code"])
    await later(desk.world, 160)
    assert held_in(desk.world).rows("SELECT count(*) FROM phone_calls")[0][0] == 1
    assert await notices(desk.world, BUURTTEAM, ENDED) == []
    for _ in range(2):
        await later(desk.world, 1)
        assert await notices(desk.world, BUURTTEAM, ENDED) == [call["callId"]]


@BOTH
async def test_an_exception_not_in_order_is_told_to_whom_it_told(desk: Desk) -> None:
    """Who heard something on it by telephone has one notice, however often it is found so; "in order" tells nobody."""
    cited = await excepted(desk)
    call = await told(desk, cited)
    await verify(desk.world, desk.asker(POLITIE), call["code"])
    letter = telling_police(desk, cited)
    await desk.send(letter, by=HUISARTS)
    review = Reviewers(desk.world)
    ((act,),) = held_in(desk.world).rows("SELECT idx FROM exceptions")
    await review.judge(HUISARTS, act)
    assert await notices(desk.world, POLITIE, REJECTED) == []
    for _ in range(2):
        await review.judge(HUISARTS, act, "not_in_order", by="privacyfunctionaris-two")
    # The letter was fetched by nobody, and is handed out to nobody any more.
    assert await notices(desk.world, POLITIE, REJECTED) == [call["callId"]]
    assert await refused(desk.fetch(letter["idempotencyKey"], by=POLITIE)) == "letter-withheld"


async def test_who_is_kept_from_a_call_has_no_notice_of_it(desk: Desk) -> None:
    """A worker who is kept from the signal that a call rests on reads nothing of that call in the inbox either."""
    own: Any = (await desk.world.register(desk.asker(VT), household(subject="trudy"))).result["signalId"]
    asked_on, told_on = await consent(desk, by=VT, parties=[BUURTTEAM]), await consent(desk)
    call = await asked(desk, asked_on, signalId=own)
    await noted(desk, call, told_on)
    await withdrawn(desk.world, desk.asker(BUURTTEAM), told_on, parties=[VT])
    assert await notices(desk.world, VT, ENDED) == [call["callId"]]
    await exclude(desk.world, own, organisation=VT, worker=str(requester(desk.asker(VT)).worker))
    assert await notices(desk.world, VT, ENDED) == []
