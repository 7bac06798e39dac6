"""What is told in the inbox, and when a letter is not sent or handed out at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.errors import (
    NotDoneError,
    RefusedError,
)
from broker.flows.policy import DecisionPoint, PolicyInForce
from policies import AskFacts, HitFacts, Permit, Refusal, Text
from tests.simulators.asking import household
from tests.simulators.broker_memory import NoWitnesses
from tests.simulators.broker_world import a_world, documents
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import ENROLLED, HUISARTS, Desk, problem_of, shown


async def test_each_side_is_told_in_its_inbox_that_something_waits(desk: Desk) -> None:
    """The asked team hears of a question, its colleague by passing on, the asker of the answer; never what it says."""
    request = await desk.sent()
    await desk.forward(request)
    await desk.answer(request, desk.reply(request, kind="declined"))
    told = desk.telling(HUISARTS)
    await desk.send(told, by=HUISARTS)
    waiting = {
        oin: [(one["kind"], one["about"]) for one in (await desk.world.inbox(desk.asker(oin))).result["notices"]]  # type: ignore[attr-defined]  # a list of objects
        for oin in (WIJKTEAM, VEILIG_THUIS, SCHOOL)
    }
    assert waiting[WIJKTEAM] == [("request", request), ("request", request)]
    assert waiting[VEILIG_THUIS] == [("answer", request), ("delivery", told["idempotencyKey"])]
    assert waiting[SCHOOL] == []


@pytest.mark.parametrize("store", DATABASES)
async def test_nothing_is_told_while_nobody_watches_the_log(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """Without witnesses for too long nothing is sent, answered or handed out; not sharing is still noted."""
    witnesses = Away()
    async with a_world(store, tmp_path, policy=policy, witnesses=witnesses) as world:
        desk = Desk(world)
        first, second = await desk.sent(), await desk.sent()
        witnesses.up = False
        await desk.list(by=WIJKTEAM)
        world.clock.move(3601)
        for act in (desk.send(desk.request()), desk.answer(first, desk.reply(first)), desk.fetch(first, by=WIJKTEAM)):
            with pytest.raises(NotDoneError) as stopped:
                await act
            assert stopped.value.document["type"] == "urn:sluis:problem:log-uncosigned"
        await desk.answer(second, desk.reply(second, kind="declined"))


class Away(NoWitnesses):
    """Witnesses that can be away."""

    up = True

    def quorum_met(self, cosignatures: object) -> bool:
        """Whether they are there."""
        del cosignatures
        return self.up


async def test_a_failure_in_a_decision_tells_nothing(desk: Desk) -> None:
    """When policy cannot decide, the letter is not sent and that is recorded as a failure."""
    broken = replace(desk.world.policy, decision_point=BrokenPoint())
    desk.world.policy = broken
    with pytest.raises(NotDoneError):
        await desk.send(desk.request())
    assert shown(await desk.list(by=WIJKTEAM)) == []


async def test_an_answer_to_more_than_may_be_told_is_refused(desk: Desk) -> None:
    """The asker may ask at a level that the answerer may not tell at: then that is told, and nothing is sent."""
    request = await desk.sent(categories=["hulp", "veiligheid"])
    desk.world.policy = replace(desk.world.policy, decision_point=Lower(desk.world.policy.decision_point))
    body = desk.reply(request, kind="part", bundle=desk.world.policy.sha256)
    with pytest.raises(RefusedError) as refused:
        await desk.answer(request, body)
    assert problem_of(refused.value) == "level-not-permitted"
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(request, by=WIJKTEAM)
    assert problem_of(refused.value) == "letter-withheld"


async def test_what_rests_on_an_own_signal_is_withheld_once_that_has_ended(desk: Desk) -> None:
    """The asker's signal of the question, or the answerer's of the answer: withdrawn, nothing is given."""
    asked = str((await desk.world.register(desk.asker(VEILIG_THUIS), household(subject="a"))).result["signalId"])
    known = str((await desk.world.register(desk.asker(WIJKTEAM), household(subject="z"))).result["signalId"])
    requests = [await desk.sent(signalId=asked), await desk.sent()]
    for request, signal in zip(requests, (None, known), strict=True):
        await desk.answer(request, desk.reply(request, signalId=signal))
    await desk.world.withdraw(desk.asker(VEILIG_THUIS), asked)
    await desk.world.withdraw(desk.asker(WIJKTEAM), known)
    for request in requests:
        with pytest.raises(RefusedError) as refused:
            await desk.fetch(request, by=VEILIG_THUIS)
        assert problem_of(refused.value) == "letter-withheld"
        (one,) = [one for one in shown(await desk.list(by=VEILIG_THUIS)) if one["requestId"] == request]
        assert (one["answer"], one["state"]) == (None, "withheld")


async def test_what_rests_on_a_signal_past_its_day_is_withheld_before_it_is_swept(desk: Desk) -> None:
    """A signal that ends today gives nothing tomorrow, swept or not."""
    ends = "2026-11-22"
    registered = await desk.world.register(desk.asker(VEILIG_THUIS), household(subject="b"), endsOn=ends)
    request = await desk.sent(signalId=str(registered.result["signalId"]))
    desk.world.clock.move(86_400)
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(request, by=WIJKTEAM)
    assert problem_of(refused.value) == "letter-withheld"


async def test_who_is_in_the_register_no_more_is_handed_nothing(desk: Desk) -> None:
    """A letter to or from an organisation that was taken out of the register waits for nobody."""
    request = await desk.sent()
    names = {oin: name for oin, name in ENROLLED.names.items() if oin != VEILIG_THUIS}
    desk.world.documents = documents(replace(ENROLLED, names=names, number=2))
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(request, by=WIJKTEAM)
    assert problem_of(refused.value) == "letter-withheld"
    assert shown(await desk.list(by=WIJKTEAM))[0]["sender"]["name"] == "-"


class BrokenPoint:
    """A decision point that fails."""

    def may_ask(self, facts: AskFacts) -> Refusal:
        """Refuse for no reason of the rules."""
        del facts
        return Refusal(
            question="may_ask", bundle="0" * 64, facts={}, reason="error", rule=None, rules=(), near_miss=(),
            text=Text(id="x", params={}, nl="x"),
        )  # fmt: skip

    def may_see(self, facts: AskFacts, hit: HitFacts) -> Refusal:
        """Refuse as well."""
        del hit
        return self.may_ask(facts)


class Lower(BrokenPoint):
    """A decision point that permits one level less."""

    def __init__(self, real: DecisionPoint) -> None:
        """Ask this one."""
        self.real = real

    def may_ask(self, facts: AskFacts) -> Permit | Refusal:  # type: ignore[override]  # it permits, too
        """Permit less."""
        decision = self.real.may_ask(facts)
        return replace(decision, level=decision.level - 1) if isinstance(decision, Permit) else decision
