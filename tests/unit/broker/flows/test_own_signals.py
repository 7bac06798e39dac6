"""Renewing, withdrawing and listing: own signals only, within their rules."""

from datetime import timedelta
from typing import cast

import pytest

from broker.domain.changes import Task
from broker.domain.errors import (
    EndDateBeyondRuleError,
    FieldRuleError,
    NotFoundError,
    RoleNotAllowedError,
    WithdrawalNeedsReviewError,
)
from broker.domain.signals import SignalState
from broker.flows.list_signals import list_signals
from tests.simulators.asking import household
from tests.simulators.broker_world import World, requester, signals_of, tasks_of
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.following_up import matches_of_side, opened, who

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())
MIEKE = {"purpose": "verwijsindex", "ground": "JW-7.1.4.1"}
YOUTH = {
    "ageQuarter": "2028-04-01",
    "assessment": {"on": "2026-11-20", "by": "worker-1000"},
    "informing": {"state": "deferred", "reason": "investigation", "reviewOn": "2026-12-20"},
}


async def test_a_list_has_own_signals_only(world: World) -> None:
    """The list shows what the organisation itself registered, with its own case reference."""
    asker = world.asker(GI)
    await world.register(world.asker(WIJKTEAM), CHILD)
    await world.register(asker, CHILD, caseRef="ab" * 32)
    listed = signals_of(await world.list(asker))
    assert [signal["caseRef"] for signal in listed] == ["ab" * 32]


async def test_a_long_list_comes_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page after page gives every own signal once, in the order of the ids, and nobody else's."""
    monkeypatch.setattr("broker.flows.owners.SIGNALS_PER_PAGE", 2)
    asker = world.asker(GI)
    await world.register(world.asker(WIJKTEAM), CHILD)
    children = [household(subject=f"child {number}") for number in range(5)]
    ids = sorted([str((await world.register(asker, child)).result["signalId"]) for child in children])
    pages, after = [], None
    while True:
        page = [str(signal["signalId"]) for signal in signals_of(await world.list(asker, after=after))]
        pages.append(page)
        if len(page) < 2:
            break
        after = page[-1]
    assert pages == [ids[:2], ids[2:4], ids[4:]]


async def test_a_withdrawn_signal_matches_nothing_and_is_gone_for_renewal(world: World) -> None:
    """After the withdrawal nobody finds the signal, and its holder can do no more with it."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    done = await world.withdraw(asker, signal_id)
    assert (done.result["outcome"], done.result["signalId"]) == ("done", signal_id)
    assert (await world.register(world.asker(WIJKTEAM), CHILD)).result["outcome"] == "nothing"
    for act in (world.withdraw(asker, signal_id), world.renew(asker, signal_id, "2027-01-01")):
        with pytest.raises(NotFoundError):
            await act
    again = await world.register(asker, CHILD)
    assert again.result["signalId"] != signal_id


async def test_anothers_signal_is_no_signal(world: World) -> None:
    """Another organisation's signal and none at all give the same answer."""
    signal_id = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    asker = world.asker(WIJKTEAM)
    for one in (signal_id, "0" * 32, "-", "\u00e9" * 3):
        with pytest.raises(NotFoundError):
            await world.withdraw(asker, one)
        with pytest.raises(NotFoundError):
            await world.renew(asker, one, "2027-01-01")


async def test_a_signal_that_was_standing_is_reviewed_before_it_goes(world: World) -> None:
    """Who looked on the standing of a signal does not erase that reason within 14 days; a reviewer is asked."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    await world.check(asker, LOOK)
    with pytest.raises(WithdrawalNeedsReviewError) as refused:
        await world.withdraw(asker, signal_id)
    assert refused.value.document["type"] == "urn:sluis:problem:withdrawal-needs-review"
    assert refused.value.receipt["leaf"]
    due_on = world.clock.today() + timedelta(days=14)
    task = Task(kind="review-withdrawal", organisation=GI, due_on=due_on, signal_id=signal_id)
    assert tasks_of(world) == [task]
    world.clock.move(15 * 86_400)
    assert (await world.withdraw(world.asker(GI, seed="later"), signal_id)).result["outcome"] == "done"


@pytest.mark.parametrize("reason", ["mistake", "no_longer_needed"])
async def test_both_reasons_end_a_signal_alike_and_are_kept_apart(world: World, reason: str) -> None:
    """A mistake and a case that is over are told and matched alike; the reason is kept, for what may be archived."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    done = await world.withdraw(asker, signal_id, reason=reason)
    assert cast("dict[str, object]", done.result["text"])["id"] == "signal.withdrawn"
    own = await world.signals.own(organisation=GI, signal_id=signal_id)
    assert own is not None
    assert (own.signal.state, own.signal.withdrawal_reason) == (SignalState.WITHDRAWN, reason)
    assert (await world.register(world.asker(WIJKTEAM), CHILD)).result["outcome"] == "nothing"


async def test_the_fourteenth_day_is_still_reviewed(world: World) -> None:
    """Fourteen days after the look a withdrawal is refused with a review task each time, a day later it is done."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    await world.check(asker, LOOK)
    world.clock.move(14 * 86_400)
    later = world.asker(GI, seed="later")
    for _ in range(2):
        with pytest.raises(WithdrawalNeedsReviewError):
            await world.withdraw(later, signal_id)
    assert [task.kind for task in tasks_of(world)] == ["review-withdrawal"] * 2
    own = await world.signals.own(organisation=GI, signal_id=signal_id)
    assert own is not None
    assert own.signal.state is SignalState.ACTIVE
    world.clock.move(86_400)
    assert (await world.withdraw(later, signal_id)).result["outcome"] == "done"


async def test_a_review_that_is_asked_again_is_the_same(world: World) -> None:
    """The same withdrawal sent again, by its key, is refused with the same entry and no second task."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    await world.check(asker, LOOK)
    leaves = set()
    for _ in range(2):
        with pytest.raises(WithdrawalNeedsReviewError) as refused:
            await world.withdraw(asker, signal_id, idempotencyKey="ab" * 16)
        leaves.add(refused.value.receipt["leaf"])
    assert (len(leaves), len(tasks_of(world))) == (1, 1)


async def test_a_shorter_end_counts_at_once(world: World) -> None:
    """A renewal may also shorten; after the new last day the signal is found by nobody."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    await world.renew(asker, signal_id, "2026-11-22")
    assert signals_of(await world.list(asker))[0]["state"] == "active"
    world.clock.move(86_400)
    later = world.asker(GI, seed="later")
    assert signals_of(await world.list(later))[0]["state"] == "ended"
    assert (await world.register(world.asker(WIJKTEAM), CHILD)).result["outcome"] == "nothing"


async def test_registering_that_showed_somebody_was_a_look(world: World) -> None:
    """Registering is asking, so a signal that showed a match is not withdrawn at once either."""
    await world.register(world.asker(GI), CHILD)
    asker = world.asker(WIJKTEAM)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(asker, signal_id)


async def test_a_renewal_keeps_to_the_rule_of_its_purpose(world: World) -> None:
    """Two years from today or the quarter of the 23rd birthday, whichever is first; never in the past."""
    asker = world.asker(GI, **MIEKE)
    signal_id = str((await world.register(asker, CHILD, **YOUTH)).result["signalId"])
    with pytest.raises(EndDateBeyondRuleError) as refused:
        await world.renew(asker, signal_id, "2028-04-02")
    assert refused.value.latest.isoformat() == "2028-04-01"
    with pytest.raises(FieldRuleError):
        await world.renew(asker, signal_id, "2026-11-21")
    await world.renew(asker, signal_id, "2028-04-01")
    assert signals_of(await world.list(asker))[0]["endsOn"] == "2028-04-01"


async def test_a_signal_that_has_ended_by_date_is_found_by_nobody(world: World) -> None:
    """After its last day a signal matches nothing, gives no standing, is not renewed and does not bar a new one."""
    asker = world.asker(GI)
    signal_id = str((await world.register(asker, CHILD, endsOn="2026-11-23")).result["signalId"])
    world.clock.move(2 * 86_400)
    assert (await world.register(world.asker(WIJKTEAM), CHILD)).result["outcome"] == "nothing"
    for act in (world.renew(asker, signal_id, "2027-01-01"), world.withdraw(asker, signal_id)):
        with pytest.raises(NotFoundError):
            await act
    assert (await world.register(world.asker(GI, seed="new"), CHILD)).result["outcome"] == "shown"


async def test_an_approver_does_not_read_or_change_signals(world: World) -> None:
    """Only a worker acts on signals; a second person approves and does nothing else."""
    asker = world.asker(GI)
    with pytest.raises(RoleNotAllowedError):
        await list_signals(
            requester=requester(asker, role="approver"),
            policies=world.policies,
            clock=world.clock,
            registers=world.documents,
            signals=world.signals,
            answers=world.answers,
            log=world.log,
        )


async def test_a_signal_by_which_one_was_told_waits_for_a_reviewer(world: World) -> None:
    """Who is told of a match by a parked signal does not take it away at once; nor who opens that match much later."""
    parked = str((await world.register(who(world, GI), CHILD)).result["signalId"])
    await world.register(who(world, WIJKTEAM), CHILD)
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(who(world, GI), parked)
    world.clock.move(15 * 86_400)
    (match,) = await matches_of_side(world, GI)
    await opened(world, who(world, GI), match["matchId"])
    with pytest.raises(WithdrawalNeedsReviewError):
        await world.withdraw(who(world, GI), parked)
    world.clock.move(15 * 86_400)
    assert (await world.withdraw(who(world, GI), parked)).result["outcome"] == "done"
