"""What a belcode proves, and to whom: guessing ends nobody else's codes, and nobody vouches for who was suspended."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain import phone_calls
from broker.domain.errors import NotDoneError, RefusedError
from broker.domain.phone_calls import CODE_S, MAX_TRIES
from broker.flows import list_phone_calls
from broker.flows.policy import PolicyInForce
from broker.protocol.own_ids import own_id
from broker.protocol.roster import Worker
from tests.simulators.broker_world import World, a_world, documents, held_in
from tests.simulators.enrolled import GI, NAMES, SCHOOL, VEILIG_THUIS, Enrolled
from tests.simulators.phoning import listed, note, phone_calls_in, start, verify
from tests.simulators.requesting import HUISARTS
from tests.unit.broker.flows.noted_log import recorded
from tests.unit.broker.flows.test_phone_mode import announced, problem_of, school, wrong

COLLEAGUE = "worker-two"
AHEAD = 3 * 86_400
ORDER = {"kind": "maatregel", "reference": "cd" * 32, "since": "2026-11-01", "endsOn": "2027-05-01"}


@pytest.fixture
async def world(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on SQLite, with a colleague at the school and a huisarts: what is judged is not the database's."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        names = {**NAMES, HUISARTS: ("Huisartsenpraktijk", "huisarts")}
        colleague = Worker(sub=COLLEAGUE, roles=frozenset({"worker"}), broker_sub=None)
        running.documents = documents(Enrolled(names=names, others={SCHOOL: (colleague,), HUISARTS: (colleague,)}))
        yield running


def suspended(world: World, oin: str) -> None:
    """This organisation is suspended from now on."""
    register = world.documents.in_force
    changed = {**register.organisations, oin: replace(register.organisations[oin], status="suspended")}
    world.documents.in_force = replace(register, organisations=changed)


async def guessed(world: World, code: str, *, worker: str | None = None, seed: str = "") -> str:
    """Say a code that proves nothing; return the problem it is."""
    with pytest.raises(RefusedError) as refused:
        await verify(world, school(world, f"guess {worker} {seed}"), code, worker=worker)
    return problem_of(refused)


async def test_a_suspended_caller_is_not_vouched_for(world: World) -> None:
    """Its code is refused as such, told with no name or number, and stands in no list; so does its card."""
    call = await announced(world)
    suspended(world, VEILIG_THUIS)
    assert await guessed(world, call["code"]) == "caller-suspended"
    (shown,) = await listed(world, school(world, "list"))
    assert (shown["code"], shown["contact"], shown["verifiedAt"]) == (None, None, None)


async def test_who_calls_rests_on_the_callers_standing(world: World) -> None:
    """A suspension before the commit is seen, and after it the answer is not given again: both go by its stamp."""
    call = await announced(world)
    proposals = recorded(world)
    await verify(world, school(world, "v"), call["code"])
    await note(world, school(world, "n"), call["callId"])
    for proposal in proposals[-2:]:
        assert VEILIG_THUIS.encode() in {stamp.of.key for stamp in proposal.relies_on}
    answer = proposals[-2].answer
    assert answer is not None
    assert [stamp.of.key for stamp in answer.rests_on] == [VEILIG_THUIS.encode()]


async def test_who_guesses_ends_nobody_elses_codes(world: World) -> None:
    """Three wrong codes stop the worker who typed them; a colleague verifies each call that waits."""
    calls = [await announced(world, idempotencyKey=own_id(VEILIG_THUIS, bytes(8 * [number]))) for number in range(4)]
    for number in range(MAX_TRIES):
        assert await guessed(world, wrong(calls[0]["code"]), seed=str(number)) == "belcode-wrong"
    assert await guessed(world, calls[0]["code"], seed="over") == "belcode-tries-over"
    for number, call in enumerate(calls):
        assert phone_calls_in(await verify(world, school(world, f"c{number}"), call["code"], worker=COLLEAGUE))


async def test_guesses_of_everybody_together_end_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is telephoned: an organisation has a bounded number of wrong codes in half an hour."""
    monkeypatch.setattr(phone_calls, "MAX_TRIES_OF_ALL", 4)
    call = await announced(world)
    for number in range(4):
        assert await guessed(world, wrong(call["code"]), worker=f"w{number // 2}", seed=str(number)) == "belcode-wrong"
    assert await guessed(world, call["code"], worker=COLLEAGUE) == "belcode-tries-over"


async def test_a_clock_that_is_set_back_brings_no_code_back(world: World) -> None:
    """A code that had expired when something was recorded stays expired, in the list and when it is said."""
    call = await announced(world)
    world.clock.move(CODE_S + 1)
    await listed(world, school(world, "first"))
    world.clock.move(-CODE_S)
    (shown,) = await listed(world, school(world, "second"))
    assert shown["code"] is None
    assert await guessed(world, call["code"]) == "belcode-expired"


async def after_a_clock_that_was_ahead(world: World) -> None:
    """Something was recorded by a clock that was three days ahead, which was set right then."""
    world.clock.move(AHEAD)
    await listed(world, school(world, "ahead"))
    world.clock.move(-AHEAD)


async def test_a_clock_that_was_ahead_lets_codes_run_out(world: World) -> None:
    """Made after it was set right a code counts for half an hour by the clock, however long the log's time stands."""
    await after_a_clock_that_was_ahead(world)
    call = await announced(world)
    assert call["codeUntil"] == world.clock.now() + CODE_S
    world.clock.move(CODE_S)
    assert [one["code"] for one in await listed(world, school(world, "in time"))] == [call["code"]]
    world.clock.move(1)
    assert [one["code"] for one in await listed(world, school(world, "late"))] == [None]
    assert await guessed(world, call["code"]) == "belcode-expired"


async def test_a_code_of_a_clock_that_was_ahead_counts_no_more(world: World) -> None:
    """It was made for a time that has not come: once the clock is right nobody is known by it."""
    world.clock.move(AHEAD)
    call = await announced(world)
    world.clock.move(-AHEAD)
    assert await guessed(world, call["code"]) == "belcode-expired"


@pytest.mark.parametrize("said", ["before", "after"])
async def test_a_clock_that_was_ahead_locks_nobody_out(world: World, said: str) -> None:
    """Wrong codes are forgotten after half an hour by the clock, also those that were said while it was ahead."""
    if said == "after":
        await after_a_clock_that_was_ahead(world)
    else:
        world.clock.move(AHEAD)
    call = await announced(world)
    for number in range(MAX_TRIES):
        await guessed(world, wrong(call["code"]), seed=str(number))
    assert await guessed(world, wrong(call["code"]), seed="over") == "belcode-tries-over"
    world.clock.move(-AHEAD if said == "before" else CODE_S + 1)
    (another,) = phone_calls_in(await start(world, world.asker(VEILIG_THUIS, seed="another")))
    known = await verify(world, school(world, "later"), another["code"])
    assert known.result["outcome"] == "done"


async def test_a_call_of_before_counts_by_the_time_of_the_log(world: World) -> None:
    """What the clock said was not kept of it: its code counts for half an hour from when it was recorded."""
    call = await announced(world)
    held_in(world).write("UPDATE phone_calls SET clocked_at = NULL")
    (shown,) = await listed(world, school(world, "before"))
    assert (shown["code"], shown["codeUntil"]) == (call["code"], call["codeUntil"])


async def test_nobody_is_known_on_an_unwatched_brokers_word(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once witnesses are away too long, who calls is not told, calls are not listed and no answer is noted (ADR 24)."""
    call = await announced(world)
    monkeypatch.setattr(type(world.log), "disclosures_stopped", lambda _: True)
    for act in (
        lambda: verify(world, school(world, "v"), call["code"]),
        lambda: listed(world, school(world, "l")),
        lambda: note(world, school(world, "n"), call["callId"]),
    ):
        with pytest.raises(NotDoneError):
            await act()
    monkeypatch.undo()
    assert (await listed(world, school(world, "after")))[0]["code"] == call["code"]


async def test_codes_that_count_are_listed_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy day pushes no code that counts off the page."""
    monkeypatch.setattr(list_phone_calls, "PHONE_CALLS_PER_PAGE", 1)
    first = await announced(world)
    second = await announced(world, idempotencyKey=own_id(VEILIG_THUIS, b"2" * 8))
    world.clock.move(1)
    third = await announced(world, idempotencyKey=own_id(VEILIG_THUIS, b"3" * 8))
    for call in (second, third):
        await verify(world, school(world, call["callId"]), call["code"])
    assert [call["callId"] for call in await listed(world, school(world, "list"))] == [first["callId"]]


async def test_an_answer_on_the_callers_order_counts_that_order(world: World) -> None:
    """Who is asked on a court order answers on it by telephone as by letter, and the entry names its reference."""
    caller = world.asker(GI, seed="caller")
    answer = await start(
        world, caller, purpose="gi-maatregel", grounds=["JW-7.3.11-4"], categories=["hulp"], proof=ORDER
    )
    (call,) = phone_calls_in(answer)
    proposals = recorded(world)
    await note(world, school(world), call["callId"], grounds=["JW-7.3.11-4"])
    subject: Any = proposals[-1].payloads["subject"]
    assert (proposals[-1].kind, subject["proof"]) == ("answer", ORDER["reference"])


async def test_what_may_be_told_is_decided_when_it_is_told(world: World) -> None:
    """A call that was announced for more than may be told now is answered within what may be, or not at all."""
    call = await announced(world)
    held_in(world).write("UPDATE phone_calls SET level = 4 WHERE id = ?", call["callId"])
    with pytest.raises(RefusedError) as refused:
        await note(world, school(world, "4"), call["callId"], level=4)
    assert problem_of(refused) == "level-not-permitted"
    assert phone_calls_in(await note(world, school(world, "3"), call["callId"], level=3))


async def test_where_professionals_decide_only_who_knows_the_caller_notes_the_answer(world: World) -> None:
    """At a huisarts a colleague puts no answer on record in another's name, and nobody does before the code held."""
    call = await announced(world, to=HUISARTS)
    practice = world.asker(HUISARTS, seed="verify")
    for seed, worker in (("before", None), ("colleague", COLLEAGUE)):
        if worker is not None:
            await verify(world, practice, call["code"])
        with pytest.raises(RefusedError) as refused:
            await note(world, world.asker(HUISARTS, seed=seed), call["callId"], worker=worker)
        assert problem_of(refused) == "phone-call-not-verified"
    (noted,) = phone_calls_in(await note(world, world.asker(HUISARTS, seed="own"), call["callId"]))
    assert noted["oral"]["categories"] == ["hulp"]
