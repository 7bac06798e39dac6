"""Phone mode: who calls is announced and known, and that it was answered is noted without a word of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import FieldRuleError, NotDoneError, NotFoundError, ReceiverUnknownError, RefusedError
from broker.domain.phone_calls import CODE_S
from broker.flows.policy import PolicyInForce
from broker.protocol.own_ids import own_id
from tests.simulators.asking import Asker
from tests.simulators.broker_world import World, a_world, log_size, tasks_of
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS
from tests.simulators.phoning import listed, note, phone_calls_in, start, verify
from tests.unit.broker.flows.noted_log import recorded


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core that commits at once; phone calls are kept in databases only."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running


async def announced(world: World, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
    """Return a call of Veilig Thuis to the school."""
    (call,) = phone_calls_in(await start(world, world.asker(VEILIG_THUIS, seed="caller"), **changed))
    return call


def wrong(code: str) -> str:
    """Return another code than this."""
    return f"{(int(code) + 1) % 10**6:06d}"


def problem_of(error: pytest.ExceptionInfo[RefusedError]) -> str:
    """Return the id of the problem that a refusal is."""
    return str(error.value.document["type"]).rpartition(":")[2]


def school(world: World, seed: str = "") -> Asker:
    """Return a worker of the school, who is called."""
    return world.asker(SCHOOL, seed=seed)


async def test_a_call_has_the_record_of_a_request(world: World) -> None:
    """The entry is of kind request, with the decision for each category; the family is to be informed as after one."""
    proposals = recorded(world)
    call = await announced(world)
    entry = proposals[-1]
    subject: Any = entry.payloads["subject"]
    assert (entry.kind, entry.payloads["meta"]["outcome"]) == ("request", "sent")
    assert (subject["schema"], subject["mode"], subject["request"]) == ("entry-request/v1", "phone", call["callId"])
    assert set(subject["categories"]) == {"hulp", "veiligheid"}
    assert [task.kind for task in tasks_of(world)] == ["informeer_betrokkene"]


async def test_both_sides_read_the_same_code_while_it_counts(world: World) -> None:
    """Caller and called party read six digits for half an hour; nobody else reads the call at all."""
    call = await announced(world)
    (made,), (got,) = await listed(world, world.asker(VEILIG_THUIS)), await listed(world, school(world))
    assert made["code"] == got["code"] == call["code"]
    assert (made["side"], got["side"]) == ("made", "received")
    assert await listed(world, world.asker(GI)) == []
    world.clock.move(CODE_S + 1)
    (late,) = await listed(world, school(world, "late"))
    assert late["code"] is None


async def test_the_called_party_knows_who_calls(world: World) -> None:
    """The right code tells organisation, team and purpose, once; the same code is then used."""
    call = await announced(world)
    (told,) = phone_calls_in(await verify(world, school(world), call["code"]))
    assert told["caller"] == {"oin": VEILIG_THUIS, "name": "Veilig Thuis Gelderland-Midden", "team": "team-1"}
    assert told["contact"]["phone"] == "026 000 0000"
    assert (told["verifiedAt"], told["code"]) == (world.clock.now(), None)
    with pytest.raises(RefusedError) as refused:
        await verify(world, school(world, "2"), call["code"])
    assert problem_of(refused) == "belcode-used"


async def test_a_guessed_code_is_refused_and_three_are_all_there_are(world: World) -> None:
    """Every wrong code is recorded; who said three verifies no code for half an hour, the right one neither."""
    call = await announced(world)
    size = await log_size(world)
    for number in range(3):
        with pytest.raises(RefusedError) as refused:
            await verify(world, school(world, str(number)), wrong(call["code"]))
        assert problem_of(refused) == "belcode-wrong"
    with pytest.raises(RefusedError) as refused:
        await verify(world, school(world, "right"), call["code"])
    assert problem_of(refused) == "belcode-tries-over"
    assert await log_size(world) == size + 4
    world.clock.move(CODE_S + 1)
    later = await announced(world, idempotencyKey=own_id(VEILIG_THUIS, b"1" * 8))
    assert phone_calls_in(await verify(world, school(world, "later"), later["code"]))


async def test_a_code_expires_after_half_an_hour(world: World) -> None:
    """To the last second it counts, and a second later it does not."""
    call = await announced(world)
    world.clock.move(CODE_S + 1)
    with pytest.raises(RefusedError) as refused:
        await verify(world, school(world), call["code"])
    assert problem_of(refused) == "belcode-expired"
    other = await announced(world, idempotencyKey=own_id(VEILIG_THUIS, b"1" * 8))
    world.clock.move(CODE_S)
    assert phone_calls_in(await verify(world, school(world, "2"), other["code"]))


async def test_a_code_is_worth_nothing_at_another_organisation(world: World) -> None:
    """Who was not called cannot verify, and spends no try of who was."""
    call = await announced(world)
    for number in range(3):
        with pytest.raises(RefusedError) as refused:
            await verify(world, world.asker(GI, seed=str(number)), call["code"])
        assert problem_of(refused) == "belcode-wrong"
    assert phone_calls_in(await verify(world, school(world), call["code"]))


async def test_an_oral_answer_is_one_act_without_content(world: World) -> None:
    """Who answered, when, in which categories and on which ground stands for both sides, with the entry's decision."""
    call = await announced(world)
    proposals = recorded(world)
    await note(world, school(world), call["callId"])
    entry = proposals[-1]
    subject: Any = entry.payloads["subject"]
    assert (entry.kind, subject["answer"], subject["verified"]) == ("answer", "oral", False)
    (made,) = await listed(world, world.asker(VEILIG_THUIS))
    assert made["oral"] == {"categories": ["hulp"], "level": 3, "grounds": ["WMO-5.2.6"], "at": world.clock.now()}
    with pytest.raises(RefusedError) as refused:
        await note(world, school(world, "again"), call["callId"])
    assert problem_of(refused) == "phone-call-answered"


async def test_what_may_not_be_told_is_refused_openly(world: World) -> None:
    """A ground that is none for telling is refused with its reason."""
    call = await announced(world)
    with pytest.raises(RefusedError) as refused:
        await note(world, school(world), call["callId"], grounds=["TOEST"])
    assert problem_of(refused) == "refused"
    assert (await listed(world, school(world, "list")))[0]["oral"] is None


async def test_only_what_was_asked_is_answered(world: World) -> None:
    """A category that nobody asked for, one named twice, or a level above the one asked breaks the field's rule."""
    call = await announced(world, level=2)
    changes: list[dict[str, Any]] = [{"categories": ["schoolgang"]}, {"categories": ["hulp", "hulp"]}, {"level": 3}]
    for changed in changes:
        with pytest.raises(FieldRuleError):
            await note(world, school(world, str(changed)), call["callId"], **{"level": 2, **changed})


async def test_anothers_call_is_no_call(world: World) -> None:
    """Neither the caller nor a stranger notes an answer for the called party; that he tried is recorded."""
    call, proposals = await announced(world), recorded(world)
    for oin, named in ((VEILIG_THUIS, call["callId"]), (GI, call["callId"]), (GI, "0" * 32)):
        with pytest.raises(NotFoundError):
            await note(world, world.asker(oin, seed=f"note {named}"), named)
    assert [(one.kind, one.payloads["meta"]["reason"]) for one in proposals] == [("answer", "not-found")] * 3


async def test_who_may_not_ask_does_not_call_either(world: World) -> None:
    """Without a proof, beyond its level, or to nobody: no call is announced, and no code made."""
    caller = world.asker(VEILIG_THUIS)
    refusals: list[dict[str, Any]] = [{"proof": None}, {"level": 4}]
    for changed in refusals:
        with pytest.raises(RefusedError):
            await start(world, caller, **changed)
    for changed in ({"to": VEILIG_THUIS}, {"toTeam": "team-9"}):
        with pytest.raises(ReceiverUnknownError):
            await start(world, caller, **changed)
    assert await listed(world, world.asker(VEILIG_THUIS, seed="list")) == []


async def test_no_call_is_announced_while_nobody_watches_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once witnesses are away too long nobody is called on the broker's word (ADR 24)."""
    monkeypatch.setattr(type(world.log), "disclosures_stopped", lambda _: True)
    with pytest.raises(NotDoneError):
        await start(world, world.asker(VEILIG_THUIS))


async def test_a_caller_that_left_is_told_nothing_more(world: World) -> None:
    """Whose organisation stands in the register no more gets no answer; its call is shown without a contact card."""
    call = await announced(world)
    register = world.documents.in_force
    left = {oin: one for oin, one in register.organisations.items() if oin != VEILIG_THUIS}
    world.documents.in_force = replace(register, organisations=left)
    world.documents.rosters = {oin: one for oin, one in world.documents.rosters.items() if oin != VEILIG_THUIS}
    (shown,) = await listed(world, school(world))
    assert (shown["contact"], shown["caller"]["name"]) == (None, VEILIG_THUIS)
    with pytest.raises(ReceiverUnknownError):
        await note(world, school(world, "note"), call["callId"])
