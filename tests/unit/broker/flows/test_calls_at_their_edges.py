"""What a call, an answer and a kept letter come to at the edges that nobody meets on an ordinary day."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.domain.errors import FieldRuleError, NotDoneError, RefusedError
from broker.domain.phone_calls import Oral, PhoneCall
from broker.flows.holding import answer_marks
from broker.flows.kept_letters import kept_from
from broker.flows.policy import PolicyInForce
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, exclude, held_in, requester
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.phoning import phone_calls_in, start
from tests.simulators.requesting import Desk, problem_of


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """Both sides of a letter, over a core on SQLite."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield Desk(running)


async def met(desk: Desk) -> tuple[str, dict[str, str]]:
    """Return a match of Veilig Thuis and the wijkteam, and the signal of either."""
    own = {
        by: str((await desk.world.register(desk.asker(by), household(subject="child"))).result["signalId"])
        for by in (VEILIG_THUIS, WIJKTEAM)
    }
    ((match,),) = held_in(desk.world).rows("SELECT id FROM matches")
    return str(match), own


def a_call(*, purpose: str = "proefregio", match_id: str | None = None) -> PhoneCall:
    """Return a call of Veilig Thuis to the school, as it stands before anything is decided on it."""
    return PhoneCall(
        id="c" * 32, caller=VEILIG_THUIS, caller_team="team-1", worker="w", controller=VEILIG_THUIS, receiver=SCHOOL,
        receiver_team="team-1", purpose=purpose, grounds=("TEST-PROEFREGIO",), categories=("hulp",), level=3,
        made_at=0, key=bytes(32), match_id=match_id,
    )  # fmt: skip


async def test_nobody_calls_on_a_match_that_is_done(desk: Desk) -> None:
    """A closed match is refused openly and recorded, for a call as for a letter."""
    match, _ = await met(desk)
    held_in(desk.world).write("UPDATE match_sides SET state = 'klaar'")
    about = {"to": WIJKTEAM, "matchId": match, "categories": ["hulp"]}
    with pytest.raises(RefusedError) as refused:
        await start(desk.world, desk.asker(VEILIG_THUIS), **about)
    assert problem_of(refused.value) == "match-closed"


async def test_nobody_announces_a_call_under_anothers_id(desk: Desk) -> None:
    """An id that another organisation made is no key of one's own call, in use or not: both are told alike."""
    caller = desk.asker(VEILIG_THUIS)
    used = str(phone_calls_in(await start(desk.world, caller))[0]["callId"])
    for taken in (used, desk.asker(VEILIG_THUIS).id()):
        with pytest.raises(FieldRuleError) as refused:
            await start(desk.world, desk.asker(GI), to=SCHOOL, idempotencyKey=taken)
        assert str(refused.value) == "idempotencyKey: is not an id that the own organisation makes"


async def test_nothing_is_answered_while_nobody_watches_the_log(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer would be told on the broker's word alone (ADR 24); not sharing tells nothing, and goes on."""
    request = await desk.sent()
    monkeypatch.setattr(type(desk.world.log), "disclosures_stopped", lambda _: True)
    with pytest.raises(NotDoneError):
        await desk.answer(request, desk.reply(request))
    assert (await desk.answer(request, desk.reply(request, kind="declined"))).result["outcome"] == "done"


async def test_a_signal_that_alone_gave_an_answer_its_standing_is_marked(desk: Desk) -> None:
    """For its own purpose, and beside nothing else that entitles: then it is not withdrawn soon without a review."""
    _, own = await met(desk)
    signal = await desk.world.signals.own(organisation=VEILIG_THUIS, signal_id=own[VEILIG_THUIS])
    day = desk.world.clock.today()
    oral = Oral(worker="w", at=0, categories=("hulp",), level=3, grounds=("TEST-PROEFREGIO",))
    on_consent = Oral(
        worker="w", at=0, categories=("hulp",), level=3, grounds=("TOEST",), consent_id="1" * 32
    )  # fmt: skip
    (mark,) = answer_marks(a_call().as_letter(), oral.as_reply("c"), signal, day=day)
    assert (mark.signal_id, mark.on) == (own[VEILIG_THUIS], day)
    assert answer_marks(a_call().as_letter(), on_consent.as_reply("c"), signal, day=day) == ()
    assert answer_marks(a_call(purpose="overlast").as_letter(), oral.as_reply("c"), signal, day=day) == ()
    assert answer_marks(a_call().as_letter(), oral.as_reply("c"), None, day=day) == ()


async def test_a_match_keeps_a_letter_from_its_own_sides_alone(desk: Desk) -> None:
    """By the match itself, where a letter keeps no signals: of who is no side of it nothing is kept, nor from him."""
    match, own = await met(desk)
    letter = a_call(match_id=match).as_letter()
    kept_by = {}
    for by in (VEILIG_THUIS, WIJKTEAM, GI):
        who = requester(desk.asker(by))
        if by in own:
            await exclude(desk.world, own[by], organisation=by, worker=str(who.worker))
        kept_by[by], _ = await kept_from(
            letter, who, signals=desk.world.signals, matches=desk.world.following.matches
        )  # fmt: skip
    assert kept_by == {VEILIG_THUIS: True, WIJKTEAM: True, GI: False}
