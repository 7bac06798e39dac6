"""What each side is told of a letter besides what it says: its own affairs, and nothing that was taken back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import ApproverIsRequesterError, FieldRuleError, ReceiverUnknownError, RefusedError
from broker.flows.involvement import Involvement, marks
from broker.flows.letters import Decided
from broker.flows.policy import PolicyInForce
from broker.protocol.request_messages import SendRequest, wire_box
from policies import Obligation, Permit, Text
from tests.simulators.asking import household
from tests.simulators.broker_world import a_world, approval, documents, log_size, tasks_of
from tests.simulators.citing import BUURTTEAM, GI, VT, citing, consent, told_in_meeting
from tests.simulators.consenting import answer, answered_too, withdrawn
from tests.simulators.consenting import recorded as recorded_consent
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import COLLEAGUE, ENROLLED, HUISARTS, POLITIE, Desk, problem_of, shown
from tests.simulators.reviewing import FG, PF, Reviewers
from tests.simulators.reviewing import shown as acts_shown
from tests.unit.broker.flows.noted_log import recorded

NOTHING: dict[str, Any] = {"purpose": None, "grounds": [], "categories": [], "level": 0, "answer": None}


@pytest.fixture
async def desk(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on SQLite: nothing here is of the database, but for columns that `test_schema` holds on both."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield Desk(running)


async def line(desk: Desk, request: str, *, by: str) -> dict[str, Any]:
    """Return what the list of this side says of a request."""
    (found,) = [one for one in shown(await desk.list(by=by)) if one["requestId"] == request]
    return found


def about(one: dict[str, Any]) -> dict[str, Any]:
    """Return what a line says of the matter."""
    return {name: one[name] for name in NOTHING}


@pytest.mark.parametrize("what", ["a longer yes", "a no towards another", "a yes after a no"])
async def test_what_takes_nothing_back_withholds_nothing(desk: Desk, what: str) -> None:
    """What waits on a yes that still stands towards its receiver is handed out, whatever else was answered since."""
    plain = citing(desk.world)
    about_her: dict[str, Any] = {"purpose": "casusoverleg", "categories": ["hulp"], "person": "trudy"}
    asker = plain.world.asker(BUURTTEAM, purpose="casusoverleg", ground="TOEST")
    cited = await recorded_consent(plain.world, asker, answer(until="2027-01-31"), parties=[VT, GI], **about_her)
    waits = told_in_meeting(plain, cited)
    await plain.send(waits, by=BUURTTEAM)
    if what == "a longer yes":
        await answered_too(plain.world, asker, cited, answer(until="2027-02-28"))
    elif what == "a no towards another":
        no = replace(asker, seed="no")
        await recorded_consent(plain.world, no, answer(said="refused"), parties=[GI], **about_her)
    else:
        await withdrawn(plain.world, asker, cited)
        hidden = await line(plain, waits["idempotencyKey"], by=VT)
        assert (hidden["state"], about(hidden)) == ("withheld", NOTHING)
        await answered_too(plain.world, asker, cited, answer())
    assert (await line(plain, waits["idempotencyKey"], by=VT))["categories"] == ["hulp"]
    fetched: Any = (await plain.fetch(waits["idempotencyKey"], by=VT)).result
    assert fetched["box"]


@pytest.mark.parametrize("how", ["a new record", "another record"])
async def test_a_no_in_another_record_withholds_and_is_told_too(desk: Desk, how: str) -> None:
    """A telling on a yes: a no of hers that a colleague records elsewhere closes it, and who relied on it hears so."""
    plain = citing(desk.world)
    about_her: dict[str, Any] = {"purpose": "casusoverleg", "categories": ["hulp"], "parties": [VT], "person": "trudy"}
    asker = plain.world.asker(BUURTTEAM, purpose="casusoverleg", ground="TOEST")
    elsewhere = await recorded_consent(plain.world, replace(asker, seed="e"), answer(said="asked"), **about_her)
    cited = await recorded_consent(plain.world, replace(asker, seed="yes"), answer(), **about_her)
    unread, read = told_in_meeting(plain, cited), told_in_meeting(plain, cited)
    for body in (unread, read):
        await plain.send(body, by=BUURTTEAM)
    await plain.fetch(read["idempotencyKey"], by=VT)
    if how == "a new record":
        await recorded_consent(plain.world, replace(asker, seed="no"), answer(said="refused"), **about_her)
    else:
        await answered_too(plain.world, asker, elsewhere, answer(said="refused"))
    hidden = await line(plain, unread["idempotencyKey"], by=VT)
    assert (hidden["state"], about(hidden)) == ("withheld", NOTHING)
    told: Any = (await plain.world.inbox(plain.world.asker(VT, seed="inbox"))).result
    ended = [one["about"] for one in told["notices"] if one["kind"] == "consent_withdrawn"]
    assert ended == [read["idempotencyKey"]]


async def test_what_was_taken_back_is_not_in_a_list_either(desk: Desk) -> None:
    """A telling on a consent that was withdrawn: who had not fetched it reads that there was one, and no more."""
    plain = citing(desk.world)
    cited = await consent(plain)
    unread, read = told_in_meeting(plain, cited), told_in_meeting(plain, cited)
    for body in (unread, read):
        await plain.send(body, by=BUURTTEAM)
    await plain.fetch(read["idempotencyKey"], by=VT)
    await withdrawn(plain.world, plain.asker(BUURTTEAM), cited)
    hidden = await line(plain, unread["idempotencyKey"], by=VT)
    assert (hidden["state"], about(hidden)) == ("withheld", NOTHING)
    assert (await line(plain, read["idempotencyKey"], by=VT))["categories"] == ["hulp"]
    assert (await line(plain, unread["idempotencyKey"], by=BUURTTEAM))["categories"] == ["hulp"]


@pytest.mark.parametrize("kind", ["all", "oral"])
async def test_an_answer_that_is_withheld_is_not_told_of(desk: Desk, kind: str) -> None:
    """Once the answerer's signal has ended the asker reads neither what was answered nor on which ground."""
    registered = await desk.world.register(desk.asker(WIJKTEAM), household(subject="a"))
    signal = str(registered.result["signalId"])
    request = await desk.sent()
    await desk.answer(request, desk.reply(request, kind=kind, signalId=signal))
    assert (await line(desk, request, by=VEILIG_THUIS))["answer"]["kind"] == kind
    await desk.world.withdraw(desk.asker(WIJKTEAM), signal)
    told = await line(desk, request, by=VEILIG_THUIS)
    assert (told["state"], told["answer"], told["categories"]) == ("withheld", None, ["hulp"])
    assert (await line(desk, request, by=WIJKTEAM))["answer"]["kind"] == kind


async def test_what_ended_before_it_was_fetched_says_nothing(desk: Desk) -> None:
    """A question that was withdrawn, or whose last day passed, before anybody fetched it; and its answer."""
    gone, late, answered = await desk.sent(), await desk.sent(), await desk.sent()
    await desk.answer(answered, desk.reply(answered))
    await desk.withdraw(gone)
    await desk.withdraw(answered)
    desk.world.clock.move(4 * 86_400)
    for request, state in ((gone, "withdrawn"), (late, "expired"), (answered, "withdrawn")):
        told = await line(desk, request, by=WIJKTEAM)
        assert (told["state"], about(told)) == (state, NOTHING)
    assert (await line(desk, answered, by=VEILIG_THUIS))["answer"] is None
    kept = await desk.sent()
    await desk.answer(kept, desk.reply(kept))
    desk.world.clock.move(8 * 86_400)
    assert (await line(desk, kept, by=VEILIG_THUIS))["state"] == "withheld"


async def test_where_it_was_passed_on_to_is_told_to_nobody_else(desk: Desk) -> None:
    """The asker reads the team that he wrote to and that it was sent; who reads it now is the holder's own affair."""
    desk.world.documents = documents(replace(ENROLLED, teams=("team-1", "team-2")))
    request = await desk.sent()
    await desk.forward(request, team="team-2")
    told = await line(desk, request, by=VEILIG_THUIS)
    assert (told["receiver"]["team"], told["state"], told["delivery"]) == ("team-1", "sent", "waiting")
    own = await line(desk, request, by=WIJKTEAM)
    assert (own["receiver"]["team"], own["state"]) == ("team-2", "forwarded")
    await desk.answer(request, desk.reply(request, kind="declined"))
    told = await line(desk, request, by=VEILIG_THUIS)
    assert (told["receiver"]["team"], told["state"], told["answer"]["reason"]) == ("team-1", "declined", None)
    assert (await line(desk, request, by=WIJKTEAM))["answer"]["reason"] == "professional_secrecy"


async def test_with_who_is_suspended_no_letters_are_exchanged(desk: Desk) -> None:
    """A question of theirs is handed out to nobody, and nothing is told to them; not sharing is still noted."""
    request = await desk.sent()
    desk.world.documents = documents(replace(ENROLLED, suspended=frozenset({VEILIG_THUIS}), number=2))
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(request, by=WIJKTEAM)
    assert problem_of(refused.value) == "letter-withheld"
    for kind in ("all", "oral"):
        with pytest.raises(ReceiverUnknownError):
            await desk.answer(request, desk.reply(request, kind=kind))
    await desk.answer(request, desk.reply(request, kind="declined"))


async def test_nobody_is_asked_what_he_could_never_tell(desk: Desk) -> None:
    """A question whose answer no rule allows from such an organisation is not sent: being asked tells him of a case."""
    desk.world.documents = documents(ENROLLED)
    before = await log_size(desk.world)
    with pytest.raises(RefusedError) as refused:
        await desk.sent(to=SCHOOL, categories=["hulp", "strafrecht"])
    assert problem_of(refused.value) == "receiver-cannot-tell"
    assert await log_size(desk.world) == before + 1
    assert shown(await desk.list(by=SCHOOL)) == []
    assert await desk.sent(to=SCHOOL, categories=["hulp"])
    assert await desk.sent(to=POLITIE, categories=["veiligheid", "strafrecht"])


async def test_who_left_keeps_no_question(desk: Desk) -> None:
    """A question for a colleague who works here no more is passed on by another, with a second person's approval."""
    request = await desk.sent(to=HUISARTS)
    await desk.forward(request, by=HUISARTS, who=COLLEAGUE)
    with pytest.raises(RefusedError):
        await desk.forward(request, by=HUISARTS)
    desk.world.documents = documents(replace(ENROLLED, others={}))
    own = f"worker-{HUISARTS[-4:]}"
    with pytest.raises(RefusedError) as refused:
        await desk.forward(request, by=HUISARTS, who=own)
    assert (problem_of(refused.value), bool(refused.value.receipt)) == ("request-needs-approval", True)
    with pytest.raises(ApproverIsRequesterError):
        await desk.forward(request, by=HUISARTS, who=own, approval=replace(approval(desk.asker(HUISARTS)), worker=own))
    await desk.forward(request, by=HUISARTS, who=own, approval=approval(desk.asker(HUISARTS)))
    assert "review-named-oneself" not in {task.kind for task in tasks_of(desk.world)}
    answered = await desk.answer(request, desk.reply(request, by=HUISARTS), by=HUISARTS, worker=own)
    assert shown(answered)[0]["state"] == "answered"


async def test_who_names_himself_for_a_personal_question_is_looked_at(desk: Desk) -> None:
    """Naming oneself opens the question at once: that is a task for a reviewer; naming a colleague is none."""
    own = f"worker-{HUISARTS[-4:]}"
    await desk.forward(await desk.sent(to=HUISARTS), by=HUISARTS, who=COLLEAGUE)
    await desk.forward(await desk.sent(), who=f"worker-{WIJKTEAM[-4:]}")
    assert "review-named-oneself" not in {task.kind for task in tasks_of(desk.world)}
    await desk.forward(await desk.sent(to=HUISARTS), by=HUISARTS, who=own)
    assert [task.kind for task in tasks_of(desk.world)].count("review-named-oneself") == 1


async def test_what_was_told_is_passed_on_to_the_right_team(desk: Desk) -> None:
    """A telling that came to the wrong team goes on to another, never to one worker; and nobody answers it."""
    body = desk.telling(HUISARTS)
    await desk.send(body, by=HUISARTS)
    told = body["idempotencyKey"]
    passed = await desk.forward(told, by=VEILIG_THUIS)
    assert (shown(passed)[0]["state"], passed.result["text"]) == ("forwarded", {"id": "letter.forwarded", "params": {}})
    with pytest.raises(FieldRuleError):
        await desk.forward(told, by=VEILIG_THUIS, who=f"worker-{VEILIG_THUIS[-4:]}")
    with pytest.raises(FieldRuleError):
        await desk.answer(told, desk.reply(told, by=VEILIG_THUIS, to=HUISARTS, kind="declined"), by=VEILIG_THUIS)


async def test_only_who_decides_alone_is_said_to_answer_alone(desk: Desk) -> None:
    """A colleague who is named for a question to a team is told of; that only he answers is said where it is so."""
    request, personal = await desk.sent(), await desk.sent(to=HUISARTS)
    assert (await desk.forward(request, who=COLLEAGUE)).result["text"] == {"id": "letter.forwarded", "params": {}}
    named = await desk.forward(personal, by=HUISARTS, who=COLLEAGUE)
    assert named.result["text"] == {"id": "letter.forwarded_to", "params": {}}


async def test_an_answer_is_found_with_the_household_that_it_is_about(desk: Desk) -> None:
    """The entry of an answer, and of its being fetched, is found by the signals it rests on, and states its proof."""
    registered = await desk.world.register(desk.asker(WIJKTEAM), household(subject="a"))
    signal = await desk.world.signals.own(organisation=WIJKTEAM, signal_id=str(registered.result["signalId"]))
    assert signal is not None
    request = await desk.sent()
    proposals = recorded(desk.world)
    proof = {"kind": "melding", "since": "2026-11-16", "endsOn": None, "reference": "d" * 64}
    await desk.answer(request, desk.reply(request, signalId=signal.signal.id, proof=proof))
    await desk.fetch(request, by=VEILIG_THUIS)
    for proposal in proposals:
        assert proposal.search is not None
        assert proposal.search.handles == {signal.signal.handle}
    assert proposals[0].payloads["subject"]["proof"] == "d" * 64
    # Its reviewer finds it there among the own acts.
    for role in (PF, FG):
        household_of = await Reviewers(desk.world).household(WIJKTEAM, signal.signal.id, role=role)
        assert [one["type"] for one in acts_shown(household_of, "acts")] == ["register_signal", "answer_request"]


async def test_who_does_not_share_states_nothing_else(desk: Desk) -> None:
    """A term of years, a proof or a signal beside a decline is refused."""
    request = await desk.sent()
    proof = {"kind": "melding", "since": "2026-11-16", "endsOn": None, "reference": "d" * 64}
    for more in ({"expiresOn": "2099-01-01"}, {"proof": proof}, {"signalId": "0" * 32}):
        with pytest.raises(FieldRuleError):
            await desk.answer(request, desk.reply(request, kind="declined", **more))


@pytest.mark.parametrize("kind", ["oral", "declined"])
async def test_who_says_nothing_can_sign_that(desk: Desk, kind: str) -> None:
    """A box of the smallest size goes with it, and is handed out to who asked as any other."""
    request, box = await desk.sent(), wire_box(bytes(1024))
    await desk.answer(request, {**desk.reply(request, kind=kind), "box": box})
    read = await desk.fetch(request, by=VEILIG_THUIS)
    assert (read.result["box"], read.result["of"]) == (box, "answer")
    assert shown(read)[0]["state"] == kind


def _permit(*duties: tuple[str, str]) -> Permit:
    obligations = tuple(Obligation(id=name, phase="achteraf", term=term, working_days=False) for name, term in duties)
    return Permit(
        question="may_ask", bundle="0" * 64, facts={}, level=3, ground="g", rule="r", rules=("r",),
        obligations=obligations, text=Text(id="vraag.mag", params={}, nl="Mag."),
    )  # fmt: skip


def test_the_duties_of_every_category_become_tasks() -> None:
    """In whatever order the categories are named: each duty once, by its earliest day."""
    first, second = _permit(("inform", "P7D")), _permit(("inform", "P2D"), ("send", "P1D"))
    due = {"inform": date(2026, 11, 4), "send": date(2026, 11, 3)}
    for permits in ({"a": first, "b": second}, {"b": second, "a": first}):
        tasks = Decided(permits=permits, within=True).tasks(organisation=WIJKTEAM, today=date(2026, 11, 2))
        assert {task.kind: task.due_on for task in tasks} == due
        assert len(tasks) == len(due)


async def test_a_signal_that_entitles_is_marked_so(desk: Desk) -> None:
    """What stands on an own signal for the very purpose marks it; a proof, a consent or another purpose does not."""
    registered = await desk.world.register(desk.asker(WIJKTEAM), household(subject="a"))
    own = await desk.world.signals.own(organisation=WIJKTEAM, signal_id=str(registered.result["signalId"]))
    assert own is not None
    involved = Involvement(signals=(own.signal,))
    body = desk.request(purpose=own.signal.purpose, proof=None)
    for more, marked in (({}, 1), ({"purpose": "vt-melding"}, 0), ({"consentId": "0" * 32}, 0)):
        command = SendRequest.model_validate({**body, **more})
        assert len(marks(involved, command=command, day=desk.today)) == marked
    proven = SendRequest.model_validate({**desk.request(), "purpose": own.signal.purpose})
    assert marks(involved, command=proven, day=desk.today) == ()
