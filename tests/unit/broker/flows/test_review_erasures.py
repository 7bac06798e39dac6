"""What was erased, and proposed to be, is read by the own organisation's FG; reading it is an entry (D12, D17)."""

import pytest

from broker.domain.erasures import VALID_S
from broker.domain.errors import RoleNotAllowedError
from broker.flows import review_erasures
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, log_size
from tests.simulators.enrolled import GI, WIJKTEAM, worker_id
from tests.simulators.reviewing import FG, PF, Reviewers, shown

LOOK = household(subject="child")
RANGE = {"first": 0, "last": 0, "groups": ["meta", "actor"]}


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


def _body(asker: Asker) -> dict[str, object]:
    return asker.command(ground="AVG-17.1.d", decisionRef="a" * 64, ranges=[RANGE])


async def _proposed(world: World, seed: str = "first") -> str:
    asker = world.asker(GI, role=PF, seed=seed)
    body = _body(asker)
    await world.propose_erasure(asker, body)
    return str(body["idempotencyKey"])


async def test_the_fg_reads_who_proposed_and_who_confirmed(world: World) -> None:
    """A proposal and an erasure are listed with ground, ranges, both people and the entry; each look is an entry."""
    review, before = Reviewers(world), world.clock.now()
    await world.register(world.asker(GI), LOOK)
    erasure_id = await _proposed(world)
    (waits,) = shown(await review.erasures(GI), "erasures")
    assert (waits["id"], waits["state"], waits["ranges"]) == (erasure_id, "proposed", [RANGE])
    assert (waits["proposedBy"], waits["decidedBy"], waits["entry"]) == (worker_id(GI, PF), None, None)
    assert waits["proposedAt"] >= before
    second = world.asker(GI, role="approver", seed="second")
    await world.confirm_erasure(second, erasure_id, _body(second))
    erased_by = await log_size(world) - 1
    (done,) = shown(await review.erasures(GI, role=PF), "erasures")
    assert (done["state"], done["decidedBy"], done["entry"]) == ("erased", worker_id(GI, "approver"), erased_by)
    assert (done["ground"], done["decisionRef"], done["controller"]) == ("AVG-17.1.d", "a" * 64, GI)
    read = [one for one in await review.acts(GI, role=FG) if one["type"] == "review_erasures"]
    assert [one["kind"] for one in read] == ["read", "read"]


async def test_what_nobody_confirmed_in_time_reads_as_lapsed(world: World) -> None:
    """After thirty days a proposal waits for nobody, and says that nothing was erased."""
    review = Reviewers(world)
    await world.register(world.asker(GI), LOOK)
    await _proposed(world)
    world.clock.move(VALID_S + 1)
    (one,) = shown(await review.erasures(GI), "erasures")
    assert (one["state"], one["entry"]) == ("lapsed", None)


async def test_another_organisations_erasures_are_not_listed(world: World) -> None:
    """Each FG reads of the own organisation; neither a worker nor an approver reads any."""
    review = Reviewers(world)
    await world.register(world.asker(GI), LOOK)
    await _proposed(world)
    assert shown(await review.erasures(WIJKTEAM), "erasures") == []
    size = await log_size(world)
    for role in ("worker", "approver"):
        with pytest.raises(RoleNotAllowedError):
            await review.erasures(GI, role=role)
    assert await log_size(world) == size


async def test_a_long_list_comes_in_pages_without_a_gap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page ends with all that were proposed in its last second, and the next one begins after that second."""
    review = Reviewers(world)
    await world.register(world.asker(GI), LOOK)
    asked = [await _proposed(world, "a"), await _proposed(world, "b")]
    world.clock.move(1)
    asked += [await _proposed(world, "c")]
    monkeypatch.setattr(review_erasures, "ERASURES_PER_PAGE", 1)
    first = await review.erasures(GI)
    more = first.result["moreAfter"]
    assert isinstance(more, int)
    second = await review.erasures(GI, after=more)
    assert second.result["moreAfter"] is None
    pages = [{one["id"] for one in shown(page, "erasures")} for page in (first, second)]
    assert pages == [set(asked[:2]), set(asked[2:])]
