"""Who may let go of a letter: saying that it was opened erases it soon, and taking it back does so at once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.flows.policy import PolicyInForce
from broker.protocol.roster import Worker
from tests.simulators.broker_world import a_world, approval, documents, held_in, log_size
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import notices_of
from tests.simulators.requesting import COLLEAGUE, HUISARTS, Desk
from tests.unit.broker.flows.test_letters_that_hold import refused

ONE = Worker(sub="one", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-1"}))
SAME_TEAM = replace(ONE, sub="colleague")
OTHER = replace(ONE, sub="other", teams=frozenset({"team-2"}))


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on SQLite: who may let go does not depend on the database."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield Desk(running)


def kept_until(desk: Desk) -> list[str]:
    """Return until when the boxes of letters, and then of answers, are kept."""
    boxes = "SELECT box_until FROM information_requests UNION ALL SELECT box_until FROM request_answers"
    return [str(row[0]) for row in held_in(desk.world).rows(boxes)]


async def test_a_personal_question_is_opened_by_who_it_is_for(desk: Desk) -> None:
    """A colleague who may not read it does not have it erased either; the professional who was named does."""
    request = await desk.sent(to=HUISARTS)
    await desk.forward(request, by=HUISARTS, who=COLLEAGUE)
    await desk.fetch(request, by=HUISARTS, worker=COLLEAGUE)
    before, size = kept_until(desk), await log_size(desk.world)
    assert await refused(desk.note(request, "opened", by=HUISARTS)) == "request-for-another-worker"
    assert (kept_until(desk), await log_size(desk.world)) == (before, size + 1)
    await desk.note(request, "opened", by=HUISARTS, worker=COLLEAGUE)
    assert kept_until(desk) < before


@pytest.mark.parametrize("side", [WIJKTEAM, VEILIG_THUIS])
async def test_another_team_does_not_say_that_it_was_opened(desk: Desk, side: str) -> None:
    """On either side the box stays until its last day, for the team that it is for; its own word counts."""
    desk.world.documents = documents(Enrolled(teams=("team-1", "team-2"), others={side: (ONE, OTHER)}))
    request = await desk.sent()
    if side == VEILIG_THUIS:
        await desk.answer(request, desk.reply(request))
    await desk.fetch(request, by=side, worker=ONE.sub)
    before = kept_until(desk)
    assert await refused(desk.note(request, "opened", by=side, worker=OTHER.sub)) == "request-of-another-team"
    assert kept_until(desk) == before
    await desk.note(request, "opened", by=side, worker=ONE.sub)
    assert kept_until(desk) < before


@pytest.mark.parametrize("side", [WIJKTEAM, VEILIG_THUIS])
async def test_a_colleague_who_did_not_fetch_it_does_not_say_that_it_was_opened(desk: Desk, side: str) -> None:
    """On either side only whom a box was handed out to has it erased, also of his own team; who fetches it too may."""
    desk.world.documents = documents(Enrolled(others={side: (ONE, SAME_TEAM)}))
    request = await desk.sent()
    if side == VEILIG_THUIS:
        await desk.answer(request, desk.reply(request))
    await desk.fetch(request, by=side, worker=ONE.sub)
    before, size = kept_until(desk), await log_size(desk.world)
    for state in ("delivered", "opened"):
        assert await refused(desk.note(request, state, by=side, worker=SAME_TEAM.sub)) == "receipt-of-another"
    assert (kept_until(desk), await log_size(desk.world)) == (before, size + 2)
    await desk.fetch(request, by=side, worker=SAME_TEAM.sub)
    await desk.note(request, "opened", by=side, worker=SAME_TEAM.sub)
    assert kept_until(desk) < before
    # Who fetched it first may still say so, and it never goes back.
    assert (await desk.note(request, "delivered", by=side, worker=ONE.sub)).result["outcome"] == "done"


async def test_what_was_handed_out_before_it_was_noted_is_the_teams(desk: Desk) -> None:
    """Of a box of before this was kept nobody knows who fetched it: then whoever may read it says so, as before."""
    desk.world.documents = documents(Enrolled(others={WIJKTEAM: (ONE, SAME_TEAM)}))
    request = await desk.sent()
    await desk.fetch(request, by=WIJKTEAM, worker=ONE.sub)
    held_in(desk.world).write("UPDATE information_requests SET fetched_by = NULL")
    assert (await desk.note(request, "opened", by=WIJKTEAM, worker=SAME_TEAM.sub)).result["outcome"] == "done"


async def test_a_team_is_told_that_a_colleague_took_back_what_another_sent(desk: Desk) -> None:
    """Else it waits for an answer that never comes; who takes back his own has nobody told."""
    desk.world.documents = documents(Enrolled(teams=("team-1",), others={VEILIG_THUIS: (ONE,)}))
    own, colleagues = await desk.sent(), await desk.sent()
    await desk.withdraw(own)
    assert await notices_of(desk.world, VEILIG_THUIS) == []
    await desk.withdraw(colleagues, worker=ONE.sub)
    assert await notices_of(desk.world, VEILIG_THUIS) == [("taken_back", colleagues)]


async def test_another_team_takes_nothing_back(desk: Desk) -> None:
    """What a team asked or told is taken back by that team alone: else it waits for its receiver as before."""
    desk.world.documents = documents(Enrolled(teams=("team-1", "team-2"), others={VEILIG_THUIS: (ONE, OTHER)}))
    request = await desk.sent()
    before = kept_until(desk)
    assert await refused(desk.withdraw(request, worker=OTHER.sub)) == "request-of-another-team"
    assert kept_until(desk) == before
    assert (await desk.fetch(request, by=WIJKTEAM)).result["of"] == "request"
    assert (await desk.withdraw(request, worker=ONE.sub)).result["outcome"] == "done"
    assert await refused(desk.withdraw(request, worker=OTHER.sub)) == "request-of-another-team"
    assert await refused(desk.withdraw(request, worker=ONE.sub)) == "request-withdrawn"


async def test_another_team_takes_no_question_by_passing_it_on(desk: Desk) -> None:
    """The team that was asked gives it away; a colleague of another one only with a second person, and it is told."""
    desk.world.documents = documents(Enrolled(teams=("team-1", "team-2"), others={WIJKTEAM: (ONE, OTHER)}))
    request = await desk.sent()
    before = await notices_of(desk.world, WIJKTEAM)
    taken = desk.forward(request, worker=OTHER.sub, team="team-2")
    assert await refused(taken) == "request-of-another-team"
    assert (await desk.fetch(request, by=WIJKTEAM, worker=ONE.sub)).result["of"] == "request"
    assert await notices_of(desk.world, WIJKTEAM) == before
    approver = approval(desk.asker(WIJKTEAM))
    await desk.forward(request, worker=OTHER.sub, team="team-2", approval=approver)
    # The team that has it now has a notice, and so has the one that it left.
    assert await notices_of(desk.world, WIJKTEAM) == [*before, *[("request", request)] * 2]
    assert await refused(desk.forward(request, worker=ONE.sub)) == "request-of-another-team"
    assert (await desk.forward(request, worker=OTHER.sub)).result["outcome"] == "done"
