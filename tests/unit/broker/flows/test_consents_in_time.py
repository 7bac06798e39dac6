"""How long what consent opened may be told again: by exactly the answers that opened it (red lines 5 and 6)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain.errors import AnswerWithheldError, TeamUnknownError
from tests.simulators.asking import household
from tests.simulators.broker_world import World, matches_of, shield
from tests.simulators.consenting import (
    ASSESSED,
    GGZ,
    HUISARTS,
    INFORMED,
    adult,
    answer,
    answered_too,
    caring,
    consents_of,
    involved,
    record,
    recorded,
    send_record,
)
from tests.simulators.enrolled import WIJKTEAM

LOOK = household(subject="trudy", members=())


@pytest.mark.parametrize("later", ["for another holder", "not approved"])
async def test_a_longer_yes_that_did_not_count_prolongs_nothing(world: World, later: str) -> None:
    """Red line 6: an answer is given again until the last day of the very yes that showed it, and no longer."""
    await involved(caring(world), HUISARTS, towards=GGZ)
    asker = adult(world, WIJKTEAM)
    await recorded(world, asker, answer(until="2027-01-10"))
    if later == "not approved":
        await send_record(world, asker, record(asker))
    else:
        await recorded(world, asker, parties=[GGZ])
    body = asker.check(LOOK)
    assert len(matches_of(await world.send_check(asker, body))) == 1
    world.clock.move(timedelta(days=60).total_seconds())
    with pytest.raises(AnswerWithheldError):
        await world.send_check(asker, body)


@pytest.mark.parametrize("hidden", [False, True])
async def test_what_a_hidden_holder_recorded_ends_no_answer_of_others(world: World, *, hidden: bool) -> None:
    """Red line 5: with and without a shielded holder whose own yes ends earlier, an answer is given again as long."""
    await involved(caring(world), HUISARTS)
    if hidden:
        other = adult(world, GGZ, seed="hidden")
        await recorded(world, other, answer(until="2027-01-10"), parties=[WIJKTEAM])
        about = replace(other, seed="its signal")
        told = await world.register(about, household(subject="trudy"), assessment=ASSESSED, informing=INFORMED)
        await shield(world, str(told.result["signalId"]))
    asker = adult(world, WIJKTEAM)
    await recorded(world, asker)
    body = asker.check(LOOK)
    first = matches_of(await world.send_check(asker, body))
    assert [match["holder"]["oin"] for match in first] == [HUISARTS]
    world.clock.move(timedelta(days=60).total_seconds())
    assert matches_of(await world.send_check(asker, body)) == first


async def test_an_answer_is_taken_for_a_purpose_that_is_no_more(world: World) -> None:
    """What was recorded can still be answered, and counts for nothing; without any roster nobody heard it."""
    asker = adult(caring(world), WIJKTEAM)
    mine = await recorded(world, asker)
    bundle = world.policy.bundle
    purposes = {name: purpose for name, purpose in bundle.purposes.items() if name != "volwassene"}
    world.policy = replace(world.policy, bundle=replace(bundle, purposes=purposes))
    (shown,) = consents_of(await answered_too(world, asker, mine, answer()))
    assert {party["state"] for party in shown["parties"]} == {"unknown"}
    world.documents = replace(world.documents, rosters={})
    with pytest.raises(TeamUnknownError):
        await answered_too(world, asker, mine, answer())
