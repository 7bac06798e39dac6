"""A high risk is in order only when two reviewers find so; and in order lets a withdrawal go that was refused."""

import pytest

from broker.domain.acts import SearchTerms
from broker.domain.changes import EndSignal
from broker.domain.errors import RefusedError, StaleDecisionError, WithdrawalNeedsReviewError
from broker.domain.signals import SignalState
from broker.ports import Proposal
from broker.protocol.roster import Worker
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, documents, log_size
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled, worker_id
from tests.simulators.reviewing import PF, Reviewers, shown

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


@pytest.fixture
def review(world: World) -> Reviewers:
    """The reviewers of that core: a second privacyfunctionaris, and one in the team of the worker."""
    others = (
        Worker(sub="second", roles=frozenset({PF}), broker_sub=None),
        Worker(sub="near", roles=frozenset({PF}), broker_sub=None, teams=frozenset({"team-1"})),
    )
    world.documents = documents(Enrolled(others={GI: others}))
    world.clock.move(86_400)
    return Reviewers(world)


async def _exception(world: World) -> int:
    """Let a worker of the gi use an exception; return the index of its entry."""
    index = await log_size(world)
    actor: dict[str, object] = {"organisation": GI, "worker": worker_id(GI, "worker"), "role": "worker", "tickets": []}
    request: dict[str, object] = {
        "type": "invoke_exception",
        "purpose": "proefregio",
        "grounds": ["CVP"],
        "team": "team-1",
    }
    meta: dict[str, object] = {"request": request, "outcome": "done"}
    payloads: dict[str, dict[str, object]] = {
        "meta": meta,
        "actor": actor,
        "subject": {},
        "hits": {},
        "shielded": {},
    }
    async with world.log.turn() as turn:
        await turn.commit(
            Proposal(kind="exception", payloads=payloads, search=SearchTerms(organisation=GI, controller=GI))
        )
    return index


async def test_one_reviewer_does_not_close_a_high_risk(world: World, review: Reviewers) -> None:
    """After one "in order" it waits on in the queue and says that a second must look; after another's it is closed."""
    index = await _exception(world)
    first = await review.judge(GI, index)
    assert first.result["text"] == {"id": "review.verdict_first", "params": {}}
    (waits,) = await review.queue(GI)
    assert (waits["index"], waits["verdict"]["word"], waits["verdict"]["second"]) == (index, "in_order", True)
    again = await review.judge(GI, index)
    assert again.result["text"] == {"id": "review.verdict_first", "params": {}}
    assert [one["index"] for one in await review.queue(GI)] == [index]
    second = await review.judge(GI, index, by="second")
    assert second.result["text"] == {"id": "review.verdict", "params": {}}
    assert await review.queue(GI) == []
    act = next(one for one in await review.acts(GI) if one["index"] == index)
    assert act["verdict"]["second"] is False


async def test_the_second_is_of_another_team_and_no_fg(world: World, review: Reviewers) -> None:
    """Somebody in the team of the worker counts for neither of the two; the attempt is refused, and it waits on."""
    index = await _exception(world)
    await review.judge(GI, index)
    with pytest.raises(RefusedError):
        await review.judge(GI, index, by="near")
    assert [one["index"] for one in await review.queue(GI)] == [index]


async def test_not_in_order_takes_one_and_starts_anew(world: World, review: Reviewers) -> None:
    """One reviewer says that it is not in order; a later "in order" of one person does not take that back alone."""
    index = await _exception(world)
    await review.judge(GI, index, by="second")
    await review.judge(GI, index, "not_in_order")
    assert await review.queue(GI) == []
    await review.judge(GI, index)
    assert [one["index"] for one in await review.queue(GI)] == [index]
    await review.judge(GI, index, by="second")
    assert await review.queue(GI) == []


async def test_an_ordinary_flag_is_closed_by_one(world: World, review: Reviewers) -> None:
    """A withdrawal that waits is no high risk: one verdict is enough."""
    _, index = await _refused(world, review)
    done = await review.judge(GI, index)
    assert done.result["text"] == {"id": "review.verdict", "params": {}}
    assert await review.queue(GI) == []


async def _refused(world: World, review: Reviewers) -> tuple[str, int]:
    """Return a signal with which somebody looked, and the entry that refused to withdraw it."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    await world.check(asker, LOOK)
    await _refuse(world, asker, signal_id)
    (waits,) = await review.queue(GI)
    assert (waits["type"], [flag["kind"] for flag in waits["flags"]]) == ("withdraw_signal", ["withdrawal"])
    return signal_id, int(waits["index"])


async def _refuse(world: World, asker: Asker, signal_id: str) -> None:
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(asker, signal_id)


async def test_in_order_lets_the_withdrawal_go(world: World, review: Reviewers) -> None:
    """A refused withdrawal stands in the queue though nothing was shown; found in order, it is done when asked anew."""
    signal_id, index = await _refused(world, review)
    later = world.asker(GI, seed="later")
    await review.judge(GI, index, "asked")
    await _refuse(world, later, signal_id)
    newest = max(one["index"] for one in await review.queue(GI))
    await review.judge(GI, newest)
    await world.renew(later, signal_id, "2027-01-01")
    assert (await world.withdraw(world.asker(GI, seed="last"), signal_id)).result["outcome"] == "done"
    assert (await world.register(world.asker(WIJKTEAM), CHILD)).result["outcome"] == "nothing"


@pytest.mark.parametrize("verdicts", [(), ("not_in_order",), ("in_order", "asked"), ("in_order", "not_in_order")])
async def test_nothing_less_lets_it_go(world: World, review: Reviewers, verdicts: tuple[str, ...]) -> None:
    """Without a verdict, or with another one last, it stays refused."""
    signal_id, index = await _refused(world, review)
    for verdict in verdicts:
        await review.judge(GI, index, verdict)
    await _refuse(world, world.asker(GI, seed="later"), signal_id)


async def test_who_looks_again_is_looked_at_again(world: World, review: Reviewers) -> None:
    """The reviewer judged what was done until then: a look after it, on the same day or later, takes his word away."""
    signal_id, index = await _refused(world, review)
    await review.judge(GI, index)
    later = world.asker(GI, seed="later")
    await world.check(later, LOOK)
    await _refuse(world, later, signal_id)
    again = max(one["index"] for one in await review.acts(GI) if one["type"] == "withdraw_signal")
    assert again > index
    await review.judge(GI, again)
    assert (await world.withdraw(world.asker(GI, seed="last"), signal_id)).result["outcome"] == "done"


async def test_the_word_is_for_one_signal(world: World, review: Reviewers) -> None:
    """Another signal on the same household, of another organisation, is not let go by it."""
    theirs = world.asker(WIJKTEAM)
    other = str((await world.register(theirs, CHILD)).result["signalId"])
    await world.check(theirs, LOOK)
    _, index = await _refused(world, review)
    await review.judge(GI, index)
    await _refuse(world, theirs, other)


async def test_a_look_that_is_committed_first_makes_the_withdrawal_stale(world: World, review: Reviewers) -> None:
    """A withdrawal that rests on a reviewer's word names the newest entry it saw; with a newer one it is not taken."""
    signal_id, index = await _refused(world, review)
    await review.judge(GI, index)
    own = await world.signals.own(organisation=GI, signal_id=signal_id)
    assert own is not None
    refused = await world.acts.refused_withdrawal(organisation=GI, handle=own.signal.handle)
    assert refused is not None
    assert (refused.act.index, refused.newest) == (index, index)
    await world.check(world.asker(GI, seed="meanwhile"), LOOK)
    assert await world.acts.refused_withdrawal(organisation=GI, handle=own.signal.handle) is None
    change = EndSignal(
        signal_id=signal_id, state=SignalState.WITHDRAWN, reason="mistake",
        last_standing_on=own.signal.last_standing_on, newest_act=refused.newest,
    )  # fmt: skip
    groups = ("meta", "actor", "subject", "hits", "shielded")
    proposal = Proposal(kind="signal", payloads={group: {} for group in groups}, changes=(change,))
    with pytest.raises(StaleDecisionError):
        async with world.log.turn() as turn:
            await turn.commit(proposal)
    listed = shown(await world.list(world.asker(GI, seed="list")), "signals")
    assert [one["state"] for one in listed] == ["active"]
