"""Letters that name a match: who they go to follows from it, and they hold as long as both its signals do."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import FieldRuleError, NotFoundError, RefusedError
from broker.flows.policy import PolicyInForce
from broker.protocol.request_messages import SendRequest
from broker.protocol.roster import Worker
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, documents, exclude, log_size, requester, shield
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import followed_up, matches_of_side, who
from tests.simulators.requesting import ENROLLED, Desk, problem_of, shown
from tests.unit.broker.flows.noted_log import recorded

CHILD = household(subject="child", parents=["mother"])


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on SQLite: nothing here is of the database, but for a column that `test_schema` holds on both."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield Desk(running)


async def met(
    desk: Desk, first: str = WIJKTEAM, then: str = VEILIG_THUIS, on: Mapping[str, Any] = CHILD
) -> tuple[str, dict[str, str]]:
    """Two organisations registered one child: return the id of their match, and of each one's signal."""
    own = {}
    for oin in (first, then):
        registered = await desk.world.register(who(desk.world, oin), on)
        own[oin] = str(registered.result["signalId"])
    found = await matches_of_side(desk.world, then)
    return next(str(match["matchId"]) for match in found if own[then] in match["signals"]), own


async def withheld(desk: Desk, request: str, *, by: str) -> bool:
    """Return whether nothing is handed out any more."""
    try:
        fetched = await desk.fetch(request, by=by)
    except RefusedError as refused:
        return problem_of(refused) == "letter-withheld"
    assert fetched.result["box"] is not None
    return False


async def test_a_question_on_a_match_is_found_by_both_signals(desk: Desk) -> None:
    """It is sent to the match's other team, named to its sender alone, and its entry is found by either signal."""
    match, own = await met(desk)
    proposals = recorded(desk.world)
    request = await desk.sent(matchId=match)
    (at_sender,), (at_receiver,) = shown(await desk.list(by=VEILIG_THUIS)), shown(await desk.list(by=WIJKTEAM))
    assert (at_sender["matchId"], at_receiver["matchId"]) == (match, None)
    entry = proposals[0]
    handles = {str(one.handle) for one in await desk.world.signals.list_own(organisation=WIJKTEAM)}
    handles |= {str(one.handle) for one in await desk.world.signals.list_own(organisation=VEILIG_THUIS)}
    assert entry.search is not None
    assert entry.search.handles == handles
    assert entry.payloads["meta"]["match"] == match
    assert entry.payloads["hits"] != {"schema": "entry-hits/v1", "decisions": []}
    assert len(own) == len(handles) == 2
    fetched = await desk.fetch(request, by=WIJKTEAM)
    assert shown(fetched)[0]["matchId"] is None


@pytest.mark.parametrize("whose", [WIJKTEAM, VEILIG_THUIS])
@pytest.mark.parametrize("ending", ["withdrawn", "shielded"])
async def test_once_a_signal_of_it_has_ended_nothing_is_given(desk: Desk, whose: str, ending: str) -> None:
    """The own signal or the other side's, withdrawn or shielded: question and answer are withheld for good."""
    match, own = await met(desk)
    # A signal that gave standing, as the later one did, is withdrawn after 14 days or a review only.
    desk.world.clock.move(15 * 86_400)
    question, answered = await desk.sent(matchId=match), await desk.sent(matchId=match)
    await desk.answer(answered, desk.reply(answered))
    assert not await withheld(desk, question, by=WIJKTEAM)
    if ending == "withdrawn":
        await desk.world.withdraw(who(desk.world, whose), own[whose])
    else:
        await shield(desk.world, own[whose])
    assert await withheld(desk, question, by=WIJKTEAM)
    assert await withheld(desk, answered, by=VEILIG_THUIS)


async def test_a_match_that_is_seen_no_more_withholds(desk: Desk) -> None:
    """Also where no stamp has moved: the other signal is past its last day, swept or not."""
    await desk.world.register(who(desk.world, WIJKTEAM), CHILD, endsOn="2026-11-22")
    await desk.world.register(who(desk.world, VEILIG_THUIS), CHILD)
    (match,) = await matches_of_side(desk.world, VEILIG_THUIS)
    request = await desk.sent(matchId=match["matchId"])
    assert not await withheld(desk, request, by=WIJKTEAM)
    desk.world.clock.move(86_400)
    assert await withheld(desk, request, by=WIJKTEAM)


async def test_anothers_match_is_an_unknown_one(desk: Desk) -> None:
    """One of other sides, one that may not be seen, and one that never was: one answer, and nothing is recorded."""
    foreign, _ = await met(desk, GI, WIJKTEAM, household(subject="other"))
    seen, own = await met(desk, WIJKTEAM, VEILIG_THUIS)
    await shield(desk.world, own[WIJKTEAM])
    size = await log_size(desk.world)
    for match in (foreign, seen, "f" * 32):
        with pytest.raises(NotFoundError):
            await desk.send(desk.request(matchId=match))
    assert await log_size(desk.world) == size


async def test_a_signal_that_is_kept_from_a_colleague_is_none_of_his(desk: Desk) -> None:
    """Named in a letter it is as one that never was, for him alone: one answer, and nothing is recorded."""
    registered = await desk.world.register(desk.asker(VEILIG_THUIS), household(subject="kept"))
    signal_id = str(registered.result["signalId"])
    await exclude(
        desk.world, signal_id, organisation=VEILIG_THUIS, worker=requester(desk.asker(VEILIG_THUIS)).worker
    )  # fmt: skip
    size = await log_size(desk.world)
    for one in (signal_id, "f" * 32):
        with pytest.raises(NotFoundError):
            await desk.send(desk.request(signalId=one))
    assert await log_size(desk.world) == size


@pytest.mark.parametrize(
    "changed", [{"to": SCHOOL}, {"toTeam": "team-2"}, {"team": "team-2"}, {"signalId": "own"}]
)  # fmt: skip
async def test_it_goes_between_the_two_teams_of_the_match(desk: Desk, changed: dict[str, str]) -> None:
    """Another receiver or team, the own team that it is not, or a signal beside it: refused, nothing recorded."""
    match, own = await met(desk)
    if "signalId" in changed:
        changed = {"signalId": own[VEILIG_THUIS]}
    desk.world.documents = documents(Enrolled(names=ENROLLED.names, teams=("team-1", "team-2")))
    size = await log_size(desk.world)
    with pytest.raises(FieldRuleError):
        await desk.send(desk.request(matchId=match, **changed))
    assert await log_size(desk.world) == size


async def test_another_teams_match_and_a_closed_one_are_refused_openly(desk: Desk) -> None:
    """As every act on a match: recorded, and nothing waits for anybody."""
    match, _ = await met(desk)
    for state in ("contact_gehad", "klaar"):
        await followed_up(desk.world, who(desk.world, VEILIG_THUIS), match, state)
    assert await _problem(desk, match) == "match-closed"
    elsewhere = Worker(sub="elsewhere", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-2"}))
    desk.world.documents = documents(Enrolled(names=ENROLLED.names, others={VEILIG_THUIS: (elsewhere,)}))
    assert await _problem(desk, match, worker="elsewhere") == "match-of-another-team"
    assert shown(await desk.list(by=WIJKTEAM)) == []


async def _problem(desk: Desk, match: str, *, worker: str = "") -> str:
    who_asks = requester(desk.asker(VEILIG_THUIS), worker=worker)
    before = await log_size(desk.world)
    with pytest.raises(RefusedError) as refused:
        await desk.post(SendRequest, desk.request(matchId=match), by=VEILIG_THUIS, who=who_asks)
    assert await log_size(desk.world) == before + 1
    return problem_of(refused.value)
