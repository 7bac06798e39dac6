"""No disclosure commits after the commit of a withdrawal, expiry or shield it depends on, queued answers included."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.errors import RefusedError
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from broker.protocol.request_messages import SendRequest
from policies import InsecureTestBundleWarning, load_bundle
from tests.simulators.asking import household
from tests.simulators.barrier import AtOnce, Gated, Schedule, all_orders, every_schedule
from tests.simulators.broker_world import World, a_world, shield
from tests.simulators.citing import BUURTTEAM, MEETING, VT, asking_with_consent, citing, consent
from tests.simulators.consenting import withdrawn
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import Desk, problem_of

DISCLOSE, ANSWER, END = "disclose", "answer", "end"
ENDINGS = ("request taken back", "signal withdrawn", "signal shielded")
CONSENTS = ("consent of the holder withdrawn", "consent of the asker withdrawn")


@pytest.fixture(scope="module")
def policy() -> PolicyInForce:
    """The shipped bundle with the test region beside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return PolicyInForce.of(load_bundle(insecure_test_bundle=True))


async def _signal(desk: Desk, number: int, ending: str) -> str | None:
    """Return an own signal of the wijkteam, on somebody of this order alone, where that is what ends."""
    if ending == ENDINGS[0]:
        return None
    registered = await desk.world.register(desk.asker(WIJKTEAM), household(subject=f"person {number}"))
    return str(registered.result["signalId"])


def _gated(plain: Desk, schedule: Schedule) -> tuple[Desk, AtOnce]:
    """Return the same world behind the barrier: reading a request, and every commit, stop there."""
    world = plain.world
    log = AtOnce(world, schedule)
    assert world.asking is not None
    asking = replace(world.asking, requests=Gated(world.asking.requests, schedule, "request"))
    return Desk(replace(world, log=log, asking=asking), askers=plain.askers), log  # type: ignore[arg-type]  # `Log` is all that flows need of it


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("store", DATABASES)
async def test_no_order_of_decide_withdraw_and_disclose_discloses_afterwards(
    store: str, ending: str, tmp_path: Path, policy: PolicyInForce
) -> None:
    """Whatever the order in which answering, ending and fetching read and commit: once it ended nothing is given."""
    played: list[tuple[bool, bool]] = []
    async with a_world(store, tmp_path, policy=policy) as world:
        plain = Desk(world)

        async def run(schedule: Schedule) -> None:
            number = len(played)
            signal, request = await _signal(plain, number, ending), await plain.sent()
            desk, log = _gated(plain, schedule)
            # Ending reads and commits in one step of the schedule: what it changes is one transaction anyway.
            ending_desk = Desk(replace(plain.world, log=log), askers=plain.askers)  # type: ignore[arg-type]  # as above
            ended = {
                ENDINGS[0]: lambda: ending_desk.withdraw(request),
                ENDINGS[1]: lambda: ending_desk.world.withdraw(desk.asker(WIJKTEAM), signal or ""),
                ENDINGS[2]: lambda: _shielded(world, signal or "", schedule, log),
            }
            body = plain.reply(request, signalId=signal)
            came_to = await schedule.play(
                {
                    ANSWER: lambda: desk.answer(request, body),
                    END: ended[ending],
                    DISCLOSE: lambda: desk.fetch(request, by=VEILIG_THUIS),
                }
            )
            played.append(_judged(log, came_to))
            if not _answered_knowing(log):
                assert (await _last(plain, request)) in ("letter-withheld", None)

        count = await every_schedule(run)
    assert count >= 20
    # The orders differ: in some the answer was given before the end, in some it was withheld for it.
    assert any(disclosed for disclosed, _ in played)
    assert any(not disclosed for disclosed, _ in played)


@pytest.mark.parametrize("ending", CONSENTS)
@pytest.mark.parametrize("store", DATABASES)
async def test_no_order_discloses_after_a_consent_is_taken_back(
    store: str, ending: str, tmp_path: Path, policy: PolicyInForce
) -> None:
    """Whose consent it was, and whatever the order: once it is taken back no answer that rests on it is given."""
    played: list[tuple[bool, bool]] = []
    async with a_world(store, tmp_path, policy=asking_with_consent(policy)) as world:
        plain = citing(world)

        async def run(schedule: Schedule) -> None:
            asked, told = await consent(plain, by=VT, parties=[BUURTTEAM]), await consent(plain)
            question = plain.request(VT, BUURTTEAM, **{**MEETING, "consentId": asked})
            await plain.post(SendRequest, question, by=VT)
            request = question["idempotencyKey"]
            desk, log = _gated(plain, schedule)
            desk.world.documents = world.documents
            ends = replace(plain.world, log=log)  # type: ignore[arg-type]  # as above
            body = plain.reply(request, by=BUURTTEAM, to=VT, grounds=["TOEST"], consentId=told)
            cited, by = (told, BUURTTEAM) if ending == CONSENTS[0] else (asked, VT)
            came_to = await schedule.play(
                {
                    ANSWER: lambda: desk.answer(request, body, by=BUURTTEAM),
                    END: lambda: withdrawn(ends, plain.asker(by), cited),
                    DISCLOSE: lambda: desk.fetch(request, by=VT),
                }
            )
            played.append(_judged(log, came_to))
            assert (await _last(plain, request, by=VT)) in ("letter-withheld", None)

        count = await every_schedule(run)
    assert count >= 20
    assert any(disclosed for disclosed, _ in played)
    assert any(not disclosed for disclosed, _ in played)


async def _shielded(world: World, signal: str, schedule: Schedule, log: AtOnce) -> None:
    """Shield the signal, in one transaction of its own, when the schedule says so."""
    await schedule.gate()
    await shield(world, signal)
    log.commits.append((END, -1))


async def _last(desk: Desk, request: str, *, by: str = VEILIG_THUIS) -> str | None:
    """Return how a fetch after everything ends: withheld, or nothing there because it was never answered."""
    try:
        fetched = await desk.fetch(request, by=by)
    except RefusedError as refused:
        return problem_of(refused)
    assert fetched.result["box"] is None
    return None


def _answered_knowing(log: AtOnce) -> bool:
    """Return whether the holder answered after he shielded his own signal himself: that is his decision then."""
    actors = [actor for actor, _ in log.commits]
    return (END, -1) in log.commits and ANSWER in actors and actors.index(END) < actors.index(ANSWER)


def _judged(log: AtOnce, came_to: dict[str, object]) -> tuple[bool, bool]:
    """Return whether the answer was disclosed, and whether it ended; the first never after the second."""
    actors = [actor for actor, _ in log.commits]
    fetched = came_to[DISCLOSE]
    disclosed = isinstance(fetched, Answered) and fetched.result["box"] is not None
    ended = END in actors and not isinstance(came_to[END], Exception)
    if disclosed and ended and not _answered_knowing(log):
        assert actors.index(DISCLOSE) < actors.index(END), actors
    if disclosed:
        assert actors.index(ANSWER) < actors.index(DISCLOSE), actors
    return disclosed, ended


@pytest.mark.parametrize("store", DATABASES)
async def test_a_queued_answer_is_gone_after_its_last_day(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """An answer that nobody fetched in time is given to nobody any more, and a question neither."""
    async with a_world(store, tmp_path, policy=policy) as world:
        desk = Desk(world)
        request = await desk.sent()
        await desk.answer(request, desk.reply(request))
        world.clock.move(7 * 86_400)
        assert (await desk.fetch(request, by=VEILIG_THUIS)).result["of"] == "answer"
        world.clock.move(86_400)
        for by in (VEILIG_THUIS, WIJKTEAM):
            with pytest.raises(RefusedError) as refused:
                await desk.fetch(request, by=by)
            assert problem_of(refused.value) == "letter-withheld"


async def test_the_scheduler_plays_every_order_once() -> None:
    """Two actors with two and three steps meet in every one of their ten orders, and in none twice."""
    orders: list[tuple[str, ...]] = []

    async def run(schedule: Schedule) -> None:
        order: list[str] = []

        async def act(name: str, steps: int) -> None:
            for _ in range(steps):
                await schedule.gate()
                order.append(name)

        await schedule.play({"a": lambda: act("a", 2), "b": lambda: act("b", 3)})
        orders.append(tuple(order))

    assert await every_schedule(run) == 10
    assert sorted(orders) == sorted(all_orders({"a": 2, "b": 3}))
