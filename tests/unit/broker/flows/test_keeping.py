"""What stands beside the log goes when nobody needs it any more, and who relied on what is over is told, once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.domain.keeping import (
    ACUTE_DAYS,
    CONSENT_DAYS,
    EXCEPTION_DAYS,
    NO_DAYS,
    OPENED_DAYS,
    ForgetRows,
    Kept,
    Over,
    TellOver,
)
from broker.domain.review import REVIEWED_DAYS
from broker.flows import sweep_signals as sweeping
from broker.flows.policy import PolicyInForce
from broker.ports import Proposal
from broker.protocol.sealed_chunks import SEALED_BYTES
from tests.simulators.asking import household
from tests.simulators.broker_world import World, a_world, held_in, log_size
from tests.simulators.calling import call, list_own_rings, rings_in
from tests.simulators.citing import BUURTTEAM, GI, VT, citing, consent, excepted, told_in_meeting
from tests.simulators.consenting import answer, answered_too, recorded, withdrawn
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.phoning import start
from tests.simulators.proposals import committed
from tests.simulators.requesting import Desk, shown
from tests.simulators.retention_oracle import entries_of

DAY = 86_400
CHUNK = b"\x01" * SEALED_BYTES


@pytest.fixture(params=DATABASES)
async def meeting(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on each database, with the parties to an agreement under which they tell each other with consent."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield citing(running)


def count(world: World, table: str, where: str = "1 = 1") -> int:
    """Return how many rows of a table are like this."""
    return int(held_in(world).rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608 - names of the test


async def later(world: World, days: int) -> None:
    """Let so many days pass, and sweep."""
    world.clock.move(days * DAY)
    while (await world.sweep()).more:
        pass


async def told_on(desk: Desk, cited: str) -> str:
    """Return the id of a letter that rests on this consent, and that Veilig Thuis was handed."""
    body = told_in_meeting(desk, cited)
    await desk.send(body, by=BUURTTEAM)
    await desk.fetch(body["idempotencyKey"], by=VT)
    return str(body["idempotencyKey"])


async def notices(desk: Desk, oin: str, kind: str) -> list[dict[str, Any]]:
    """Return what waits for an organisation, of this kind."""
    told: Any = (await desk.world.inbox(desk.world.asker(oin, seed=f"{await log_size(desk.world)}"))).result
    return [one for one in told["notices"] if one["kind"] == kind]


async def said(desk: Desk, request: str, *, by: str) -> tuple[Any, str]:
    """Return the box and the text id that a side of a request is given."""
    told: Any = (await desk.fetch(request, by=by)).result
    return told["box"], told["text"]["id"]


async def test_a_box_that_was_opened_goes_shortly_after(desk: Desk) -> None:
    """What its receiver opened lies in his folder: two days later the broker has no byte of it, and says so."""
    request = await desk.sent()
    await desk.fetch(request, by=WIJKTEAM)
    await later(desk.world, OPENED_DAYS)
    await desk.note(request, "opened", by=WIJKTEAM)
    await later(desk.world, 0)
    assert count(desk.world, "information_requests", "length(box) > 0") == 1
    await later(desk.world, OPENED_DAYS + 1)
    assert count(desk.world, "information_requests", "length(box) > 0") == 0
    assert await said(desk, request, by=WIJKTEAM) == (None, "letter.erased")


async def test_a_box_with_attachments_stays_until_they_go(desk: Desk) -> None:
    """It has the keys of what is still to be fetched, so that opening it does not end it before its last day."""
    request = await desk.sent(chunks=[await desk.leave(CHUNK)])
    await desk.fetch(request, by=WIJKTEAM)
    await desk.note(request, "opened", by=WIJKTEAM)
    await later(desk.world, OPENED_DAYS + 1)
    assert count(desk.world, "information_requests", "length(box) > 0") == 1
    await later(desk.world, 1)
    assert count(desk.world, "information_requests", "length(box) > 0") == 0


async def test_a_box_that_nobody_opened_goes_after_its_last_day(desk: Desk) -> None:
    """Question and answer stay for as long as they can be fetched, and not a day longer; who asked still reads how."""
    request = await desk.sent()
    await desk.answer(request, desk.reply(request))
    await later(desk.world, 3)
    assert count(desk.world, "information_requests", "length(box) > 0") == 1
    await later(desk.world, 1)
    kept = [count(desk.world, table, "length(box) > 0") for table in ("information_requests", "request_answers")]
    assert kept == [0, 1]
    await later(desk.world, 4)
    assert count(desk.world, "request_answers", "length(box) > 0") == 0
    (known,) = shown(await desk.list(by=VEILIG_THUIS))
    assert (known["state"], known["answer"]) == ("withheld", None)
    assert await said(desk, request, by=VEILIG_THUIS) == (None, "letter.erased")


async def test_a_letter_that_was_taken_back_has_no_box(desk: Desk) -> None:
    """Nobody is given it any more, so from the next day on nobody has it."""
    request = await desk.sent()
    await desk.withdraw(request)
    await later(desk.world, 1)
    assert count(desk.world, "information_requests", "length(box) > 0") == 0


async def test_the_rest_of_a_letter_stays_as_long_as_it_is_reviewed(desk: Desk) -> None:
    """Who asked whom about what is there for three months after its last day, with its answer; then all of it goes."""
    request = await desk.sent()
    await desk.answer(request, desk.reply(request))
    await later(desk.world, 7 + REVIEWED_DAYS)
    assert (count(desk.world, "information_requests"), count(desk.world, "notices")) == (1, 2)
    await later(desk.world, 1)
    assert [count(desk.world, table) for table in ("information_requests", "request_answers", "notices")] == [0, 0, 0]
    assert shown(await desk.list(by=VEILIG_THUIS)) == []


async def test_who_asked_is_told_once_that_nobody_answered(desk: Desk) -> None:
    """The day after the last one there is a notice for the asking team; answered, withdrawn and told there is none."""
    open_, answered, back = [await desk.sent() for _ in range(3)]
    await desk.answer(answered, desk.reply(answered, kind="declined"))
    await desk.withdraw(back)
    told = desk.telling(WIJKTEAM)
    await desk.send(told, by=WIJKTEAM)
    await later(desk.world, 3)
    assert await notices(desk, VEILIG_THUIS, "request_expired") == []
    for _ in range(2):
        await later(desk.world, 1)
        (notice,) = await notices(desk, VEILIG_THUIS, "request_expired")
        assert (notice["about"], notice["team"]) == (open_, "team-1")
    assert await notices(desk, WIJKTEAM, "request_expired") == []
    states = {one["requestId"]: one["state"] for one in shown(await desk.list(by=VEILIG_THUIS))}
    assert states[open_] == "expired"


async def test_whom_an_oproep_reached_goes_after_its_last_day(desk: Desk) -> None:
    """No ring and no notice of one is left then, whatever holders did; what the asker sent stays to be reviewed."""
    world = desk.world
    await world.register(world.asker(SCHOOL, seed="child"), household(subject="child", parents=("mother",)))
    asker = world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6")
    await call(world, asker, household(subject="child", parents=("mother",), members=("brother",)))
    assert len(rings_in(await list_own_rings(world, world.asker(SCHOOL)))) == 1
    until = int(count(world, "calls", "rings_until = asked_until"))
    assert (until, count(world, "notices", "kind = 'call'")) == (1, 1)
    await later(world, 5)
    assert count(world, "call_rings") == 1
    await later(world, 1)
    assert [count(world, table) for table in ("call_rings", "notices", "calls")] == [0, 0, 1]
    await later(world, REVIEWED_DAYS)
    assert count(world, "calls") == 0


async def test_a_phone_call_goes_with_its_review(desk: Desk) -> None:
    """That one team called another, and the key of its code, are kept for three months."""
    await start(desk.world, desk.world.asker(VEILIG_THUIS, seed="caller"))
    await later(desk.world, REVIEWED_DAYS)
    assert count(desk.world, "phone_calls") == 1
    await later(desk.world, 1)
    assert count(desk.world, "phone_calls") == 0


async def test_a_notice_goes_a_month_after_its_organisation_has_it(desk: Desk) -> None:
    """One that waits stays; one that is safely there goes."""
    request = await desk.sent()
    (notice,) = await notices(desk, WIJKTEAM, "request")
    await later(desk.world, 40)
    assert count(desk.world, "notices", "kind = 'request'") == 1
    await desk.world.inbox(desk.world.asker(WIJKTEAM, seed="had"), had=[notice["id"]])
    await later(desk.world, 30)
    assert count(desk.world, "notices", "kind = 'request'") == 1
    await later(desk.world, 1)
    assert (count(desk.world, "notices", "kind = 'request'"), notice["about"]) == (0, request)


async def test_who_received_something_on_a_yes_is_told_when_it_is_taken_back(meeting: Desk) -> None:
    """The team that got a letter on it has a notice about that letter, in the same entry; nobody else has one."""
    cited = await consent(meeting, parties=[VT, GI])
    letter = await told_on(meeting, cited)
    size = await log_size(meeting.world)
    await withdrawn(meeting.world, meeting.asker(BUURTTEAM), cited)
    assert await log_size(meeting.world) == size + 1
    (notice,) = await notices(meeting, VT, "consent_withdrawn")
    assert (notice["about"], notice["team"]) == (letter, "team-1")
    for other in (GI, BUURTTEAM):
        assert await notices(meeting, other, "consent_withdrawn") == []


async def test_who_never_fetched_a_letter_hears_nothing_of_its_end(meeting: Desk) -> None:
    """Nothing of a letter is told after the withdrawal to who was told nothing of it before (red line 6)."""
    cited = await consent(meeting)
    await meeting.send(told_in_meeting(meeting, cited), by=BUURTTEAM)
    await withdrawn(meeting.world, meeting.asker(BUURTTEAM), cited)
    assert await notices(meeting, VT, "consent_withdrawn") == []


async def test_a_withdrawal_towards_one_is_told_to_that_one(meeting: Desk) -> None:
    """Who may still be told keeps what he has, and hears nothing; a later no of the same person reaches him."""
    cited = await consent(meeting, parties=[VT, GI])
    await told_on(meeting, cited)
    await withdrawn(meeting.world, meeting.asker(BUURTTEAM), cited, parties=[GI])
    assert await notices(meeting, VT, "consent_withdrawn") == []
    await answered_too(meeting.world, meeting.asker(BUURTTEAM), cited, answer(said="refused"))
    assert len(await notices(meeting, VT, "consent_withdrawn")) == 1


async def test_who_relied_on_a_yes_is_told_when_it_has_ended(meeting: Desk) -> None:
    """The day after its last day, once; what rests on it is kept until then, however long ago it was sent."""
    cited = await consent(meeting, answers=[answer(until="2027-05-01")])
    letter = await told_on(meeting, cited)
    await later(meeting.world, 160)
    assert (meeting.world.clock.today().isoformat(), count(meeting.world, "information_requests")) == ("2027-05-01", 1)
    assert await notices(meeting, VT, "consent_withdrawn") == []
    for _ in range(2):
        await later(meeting.world, 1)
        (notice,) = await notices(meeting, VT, "consent_withdrawn")
        assert notice["about"] == letter


async def test_a_consent_is_kept_for_its_proof_and_a_no_for_longer(meeting: Desk) -> None:
    """A yes goes a year after its last day, a no two years after it was said: record, answers and token together."""
    asker = meeting.world.asker(BUURTTEAM, seed="record", purpose="casusoverleg")
    about = {"purpose": "casusoverleg", "categories": ["hulp"], "parties": [VT]}
    yes = await recorded(meeting.world, asker, answer(until="2026-12-01"), person="trudy", **about)
    no = await recorded(meeting.world, asker, answer(said="refused"), person="jan", **about)
    tables = ("consents", "consent_events", "consent_tokens")
    await later(meeting.world, 9 + CONSENT_DAYS)
    assert [count(meeting.world, table) for table in tables] == [2, 2, 2]
    await later(meeting.world, 1)
    assert [count(meeting.world, table) for table in tables] == [1, 1, 1]
    assert held_in(meeting.world).rows("SELECT id FROM consents") == [(no,)]
    await later(meeting.world, NO_DAYS - CONSENT_DAYS - 9)
    assert ([count(meeting.world, table) for table in tables], yes != no) == ([0, 0, 0], True)


async def test_a_no_stays_as_long_as_anything_about_that_person(meeting: Desk) -> None:
    """A no is not forgotten before the yes that somebody else gave since: all records of a person go together."""
    asker = meeting.world.asker(BUURTTEAM, seed="record", purpose="casusoverleg")
    about = {"purpose": "casusoverleg", "categories": ["hulp"], "parties": [VT], "person": "trudy"}
    await recorded(meeting.world, asker, answer(said="refused"), **about)
    await later(meeting.world, NO_DAYS - 1)
    until = (meeting.world.clock.today() + timedelta(days=300)).isoformat()
    again = meeting.world.asker(BUURTTEAM, seed="again", purpose="casusoverleg")
    await recorded(meeting.world, again, answer("2" * 64, said="given", until=until), **about)
    await later(meeting.world, 300 + CONSENT_DAYS)
    assert count(meeting.world, "consents") == 2
    await later(meeting.world, 1)
    assert count(meeting.world, "consents") == 0


async def test_an_exception_is_kept_until_long_after_the_person_was_told(meeting: Desk) -> None:
    """A year after the day on which the person is told it goes; an acute one stays as long as its entry's content."""
    await excepted(meeting)
    await excepted(meeting, type="acuut", worker="acute")
    told_after = 18  # 10 December, from 22 November on
    await later(meeting.world, told_after + EXCEPTION_DAYS)
    assert count(meeting.world, "exceptions") == 2
    await later(meeting.world, 1)
    assert held_in(meeting.world).rows("SELECT type FROM exceptions") == [("acuut",)]
    assert count(meeting.world, "exception_tokens") == 1
    await later(meeting.world, ACUTE_DAYS - EXCEPTION_DAYS - told_after)
    assert (count(meeting.world, "exceptions"), count(meeting.world, "exception_tokens")) == (0, 0)


async def test_much_goes_in_small_pieces_and_tells_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry forgets no more than was allowed, says how many of each kind and of nobody whose, and is one entry."""
    monkeypatch.setattr(sweeping, "MAX_ROWS", 2)
    for _ in range(3):
        await desk.sent()
    desk.world.clock.move(4 * DAY)
    swept = [await desk.world.sweep(always_recorded=True) for _ in range(3)]
    assert [(one.rows, one.more, one.recorded) for one in swept] == [
        (2, True, True),
        (1, False, True),
        (0, False, True),
    ]
    first, *_ = await entries_of(desk.world, tmp_path / "kek")
    assert first.payloads["meta"]["rows"] == {"request_over": 2, "letter_box": 2}
    assert VEILIG_THUIS not in str(first.payloads)


async def test_what_was_forgotten_is_forgotten_once(desk: Desk) -> None:
    """A second sweep of the same moment finds nothing, and writes nothing where nothing tells."""
    await desk.sent()
    desk.world.clock.move(4 * DAY)
    assert (await desk.world.sweep()).rows == 1
    size = await log_size(desk.world)
    assert not (await desk.world.sweep()).recorded
    assert await log_size(desk.world) == size


async def test_what_is_needed_longer_meanwhile_stays(meeting: Desk) -> None:
    """A row that was over when it was read and is not when it is written stays, and nobody is told of its end."""
    cited = await consent(meeting)
    body = told_in_meeting(meeting, cited)
    await meeting.send(body, by=BUURTTEAM)
    changes = (
        TellOver(kind=Over.CONSENT, ids=(cited,), before="2027-05-01"),
        TellOver(kind=Over.REQUEST, ids=(body["idempotencyKey"],), before="2027-05-01"),
        ForgetRows(kind=Kept.CONSENT, ids=(cited,), before="2027-05-01"),
    )
    await committed(meeting.world.log, Proposal(kind="retention", payloads={}, changes=changes))
    assert (count(meeting.world, "consents"), await notices(meeting, VT, "consent_withdrawn")) == (1, [])
