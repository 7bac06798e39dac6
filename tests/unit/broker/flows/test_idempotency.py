"""One idempotency key, one effect; the same request gets the same answer, or none."""

import asyncio
import base64
from dataclasses import replace

import pytest

from broker.domain.errors import AnswerWithheldError, KeyReusedError, NotFoundError, RefusedError, RoleNotAllowedError
from broker.flows.stored_answer import stored_answer
from tests.simulators.asking import household
from tests.simulators.broker_world import World, requester, shield, signals_of
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


async def test_fifty_racing_registrations_have_one_effect(world: World) -> None:
    """Fifty identical requests at once give one signal, one entry and fifty equal answers."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    answers = await asyncio.gather(*(world.send_registration(asker, body) for _ in range(50)))
    assert all(answer.result == answers[0].result for answer in answers)
    assert len({answer.receipt["leaf"] for answer in answers}) == 1
    assert len(signals_of(await world.list(asker))) == 1


async def test_the_same_request_is_answered_again_and_says_so(world: World) -> None:
    """A repeated request returns the earlier result with the receipt of its one entry."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    first = await world.send_registration(asker, body)
    again = await world.send_registration(asker, {**body, "tickets": asker.tickets("register", CHILD)})
    assert (again.result, again.receipt["leaf"], again.replayed) == (first.result, first.receipt["leaf"], True)
    assert (await world.again(asker, body["idempotencyKey"])).result == first.result


async def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    """A key that was used for another body, or another act, changes nothing."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    done = await world.send_registration(asker, body)
    with pytest.raises(KeyReusedError):
        await world.send_registration(asker, {**body, "endsOn": "2027-05-31"})
    with pytest.raises(KeyReusedError):
        await world.withdraw(asker, str(done.result["signalId"]), idempotencyKey=body["idempotencyKey"])


async def test_a_refusal_is_given_again(world: World) -> None:
    """A refused request stays refused under its key, with the same entry."""
    asker = world.asker(WIJKTEAM)
    body = asker.check(LOOK)
    receipts = []
    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            await world.send_check(asker, body)
        receipts.append(refused.value.receipt["leaf"])
    assert receipts[0] == receipts[1]
    with pytest.raises(RefusedError):
        await world.again(asker, body["idempotencyKey"])


async def test_an_answer_is_withheld_once_what_it_shows_was_withdrawn(world: World) -> None:
    """No replay discloses after the commit of a withdrawal it depends on; the receipt and own signal id remain."""
    asker = world.asker(WIJKTEAM)
    held = await world.register(world.asker(GI), CHILD)
    body = asker.registration(CHILD)
    shown = await world.send_registration(asker, body)
    assert shown.result["outcome"] == "shown"
    # It was told of a match by this signal: only two weeks later nobody reviews its withdrawal.
    world.clock.move(15 * 86_400)
    await world.withdraw(world.asker(GI, seed="later"), str(held.result["signalId"]))
    with pytest.raises(AnswerWithheldError) as withheld:
        await world.again(asker, body["idempotencyKey"])
    assert withheld.value.signal_id == shown.result["signalId"]
    assert withheld.value.receipt["leaf"] == shown.receipt["leaf"]


async def test_an_answer_is_withheld_after_the_end_of_what_it_shows(world: World) -> None:
    """A signal that has ended is shown no more, not even from the store."""
    asker = world.asker(WIJKTEAM)
    await world.register(world.asker(GI), CHILD, endsOn="2026-11-25")
    body = asker.registration(CHILD)
    await world.send_registration(asker, body)
    world.clock.move(4 * 86_400)
    with pytest.raises(AnswerWithheldError):
        await world.again(asker, body["idempotencyKey"])


async def test_a_shorter_end_of_what_was_shown_withholds_the_answer_and_a_longer_does_not(world: World) -> None:
    """Renewing beyond the old end changes no earlier answer; ending sooner does."""
    holder, asker = world.asker(GI), world.asker(WIJKTEAM)
    held = str((await world.register(holder, CHILD)).result["signalId"])
    body = asker.registration(CHILD)
    await world.send_registration(asker, body)
    await world.renew(holder, held, "2027-08-01")
    assert (await world.again(asker, body["idempotencyKey"])).replayed
    await world.renew(holder, held, "2027-01-01")
    with pytest.raises(AnswerWithheldError):
        await world.again(asker, body["idempotencyKey"])


async def test_a_replay_tells_nothing_of_signals_that_are_not_shown(world: World) -> None:
    """Hidden signals come, are shielded and go; an answer that never showed them is given again unchanged."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    body = asker.check(LOOK)
    first = await world.send_check(asker, body)
    hidden = await world.register(world.asker(GI), CHILD)
    await shield(world, str(hidden.result["signalId"]))
    await world.register(world.asker(VEILIG_THUIS), CHILD)
    again = await world.send_check(asker, body)
    assert again.result == first.result


async def test_another_organisations_key_is_no_key(world: World) -> None:
    """Another organisation's answer and one that never was are the same: nothing here."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    await world.send_registration(asker, body)
    for key in (body["idempotencyKey"], "0" * 32):
        with pytest.raises(NotFoundError):
            await world.again(world.asker(WIJKTEAM), key)


async def test_a_withheld_answer_tells_nothing_of_what_it_showed(world: World) -> None:
    """After a shield a replay gives proof that it was carried out, and no word of who was shown (red line 6)."""
    asker = world.asker(WIJKTEAM)
    held = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    body = asker.registration(CHILD)
    assert (await world.send_registration(asker, body)).result["outcome"] == "shown"
    await shield(world, held)
    with pytest.raises(AnswerWithheldError) as withheld:
        await world.again(asker, body["idempotencyKey"])
    openings = withheld.value.receipt["openings"]
    assert isinstance(openings, dict)
    assert set(openings) == {"actor"}
    told = base64.urlsafe_b64decode(openings["actor"]["payload"] + "==").decode()
    assert GI not in told
    assert WIJKTEAM in told


async def test_a_colleague_is_not_given_anothers_answer(world: World) -> None:
    """Who was shown something is one worker; a colleague, who may be excluded, or another role reads nothing."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(CHILD)
    await world.send_registration(asker, body)
    himself = requester(asker)
    for who, refusal in (
        (replace(himself, worker="colleague"), NotFoundError),
        (replace(himself, role="fg"), NotFoundError),
        (replace(himself, role="approver"), RoleNotAllowedError),
    ):
        with pytest.raises(refusal):
            await stored_answer(
                idempotency_key=body["idempotencyKey"],
                requester=who,
                signals=world.signals,
                answers=world.answers,
                clock=world.clock,
            )
