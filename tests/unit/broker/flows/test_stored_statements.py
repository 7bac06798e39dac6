"""What a reviewer stated is found again by its key in a reviewer's role, and nothing else is."""

import pytest

from broker.domain.errors import NotFoundError, RoleNotAllowedError
from broker.flows.stored_answer import stored_answer
from broker.protocol.review_messages import GiveVerdict
from tests.simulators.asking import household
from tests.simulators.broker_world import World, requester
from tests.simulators.enrolled import GI, worker_id
from tests.simulators.reviewing import FG, PF, Reviewers

CHILD = household(subject="child")


async def test_only_his_own_statements_are_found_again(world: World) -> None:
    """His verdict comes again; a colleague's, an answer of a worker and any in another role do not."""
    review = Reviewers(world)
    asker = world.asker(GI)
    registration = asker.registration(CHILD)
    await world.send_registration(asker, registration)
    (act,) = await review.acts(GI)
    body = review.body(GI, act=act["index"], verdict="in_order", reason="other")
    given = await review.judge_with(GI, GiveVerdict.model_validate(body))

    async def again(key: object, *, role: str, worker: str) -> object:
        who = requester(world.asker(GI, seed=f"again {role} {worker}"), role=role, worker=worker)
        found = await stored_answer(
            idempotency_key=str(key), requester=who, signals=world.signals, answers=world.answers, clock=world.clock
        )
        return found.result

    assert await again(body["idempotencyKey"], role=PF, worker=worker_id(GI, PF)) == given.result
    for key, role, worker in (
        (body["idempotencyKey"], PF, "another"),
        (body["idempotencyKey"], FG, worker_id(GI, FG)),
        (registration["idempotencyKey"], PF, worker_id(GI, "worker")),
    ):
        with pytest.raises(NotFoundError):
            await again(key, role=role, worker=worker)
    with pytest.raises(RoleNotAllowedError):
        await again(body["idempotencyKey"], role="approver", worker=worker_id(GI, PF))
