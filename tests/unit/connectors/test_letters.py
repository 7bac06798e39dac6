"""Letters from a worker's desk over a broker that serves: what is asked, answered and told, and what never leaves."""

import datetime
from dataclasses import replace
from typing import Any, Literal

import httpx
import pytest

from broker.protocol.letter import MAX_QUESTION
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.errors import CaseError, KeyChangedError, NotDoneError, RefusedError
from connectors.exchange import Surroundings
from connectors.letters import Letters
from connectors.questions import Question, Reply
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM
from tests.simulators.letter_partners import request_in
from tests.simulators.reviewing_partner import Bridged
from tests.simulators.served_desks import MELDING_DAY, Desks, enrolled_desks

SINCE = datetime.date.fromisoformat(MELDING_DAY)
UNTIL = datetime.date(2026, 11, 25)
QUESTION = Question(
    to=WIJKTEAM, to_team="team-1", team="team-1", purpose="vt-melding", grounds=["WMO-5.1.6"], categories=["hulp"],
    level=3, expires_on=UNTIL, proof={"kind": "melding", "since": SINCE, "ends_on": None, "reference": "e" * 64},
    text="Welke hulp is er?",
)  # fmt: skip
REPLY = Reply(
    kind="all", expires_on=UNTIL, categories=["hulp"], level=3, grounds=["WMO-5.2.6"], text="Sinds maart, wekelijks."
)


class Stale(Bridged):
    """The way to the broker, on which so many answers about the policy in force come late: they tell an earlier one."""

    late = 0
    body = b'{"bundleSha256": "' + b"0" * 64 + b'"}'

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the broker's answer, or a late one."""
        if request.url.path != "/health/ready" or self.late == 0:
            return await super().handle_async_request(request)
        self.late -= 1
        return httpx.Response(200, content=self.body)


async def ask(desks: Desks, **changed: Any) -> str:  # noqa: ANN401 - members of a question
    """Return the id of a question of Veilig Thuis."""
    async with desks.client(VEILIG_THUIS) as client:
        return request_in(await Letters(client.desk).ask(replace(QUESTION, **changed)))


async def test_a_question_and_its_answer_are_read_by_one_side_each(desks: Desks) -> None:
    """The wijkteam reads the question, Veilig Thuis the answer, both stay readable here; another side reads neither."""
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as holder:
        letters = Letters(holder.desk)
        fetched = await letters.fetch(request)
        assert fetched.opened is not None
        assert fetched.opened.letter.text == QUESTION.text
        answered = await letters.answer(request, REPLY)
        assert answered.text_nl == "Je antwoord is verstuurd."
        assert [one.letter.text for one in letters.mailbox.opened(request)] == [QUESTION.text]
    async with desks.client(VEILIG_THUIS) as asker:
        told = await Letters(asker.desk).fetch(request)
        assert told.opened is not None
        assert (told.opened.sender, told.opened.letter.text) == (WIJKTEAM, REPLY.text)
    async with desks.client(GI) as other:
        with pytest.raises(RefusedError) as refused:
            await Letters(other.desk).fetch(request)
        assert refused.value.problem.id == "not-found"


async def test_who_answers_without_reading_reads_first(desks: Desks) -> None:
    """What is written goes to who asked: a question that was not opened yet is fetched and kept before."""
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as holder:
        letters = Letters(holder.desk)
        await letters.answer(request, REPLY)
        assert [one.sender for one in letters.mailbox.opened(request)] == [VEILIG_THUIS]


@pytest.mark.parametrize("kind", ["oral", "declined"])
async def test_what_is_not_written_needs_no_key(desks: Desks, kind: Literal["oral", "declined"]) -> None:
    """Who declines, or answered by telephone, opens nothing for it: also where the asker's keys have changed."""
    request = await ask(desks)
    changed = replace(enrolled_desks(), number=2, keys={VEILIG_THUIS: (VEILIG_THUIS, "a new key of Veilig Thuis")})
    async with desks.client(WIJKTEAM) as holder:
        Letters(holder.desk).pins.trusted(holder.desk.folder.register.organisations[VEILIG_THUIS])
    desks.folder(WIJKTEAM).import_register(changed.register_document().encode())
    reply = replace(REPLY, kind=kind, text="") if kind == "oral" else Reply(kind=kind, expires_on=UNTIL, reason="other")
    async with desks.client(WIJKTEAM) as holder:
        letters = Letters(holder.desk)
        with pytest.raises(KeyChangedError):
            await letters.fetch(request)
        with pytest.raises(CaseError, match="in writing"):
            await letters.answer(request, replace(reply, text="Sinds maart."))
        await letters.answer(request, reply)
        assert letters.mailbox.opened(request) == []


async def test_what_breaks_a_rule_never_leaves(desks: Desks) -> None:
    """A question of 501 characters, an unknown receiver and an id that is none are named here; the log stays."""
    async with desks.client(VEILIG_THUIS) as client:
        letters, before = Letters(client.desk), desks.world.leaves
        with pytest.raises(CaseError, match=f"at most {MAX_QUESTION} characters"):
            await letters.ask(replace(QUESTION, text="a" * (MAX_QUESTION + 1)))
        for wrong in ("0" * 20, "nobody"):
            with pytest.raises(CaseError, match="organisation of the register"):
                await letters.ask(replace(QUESTION, to=wrong))
        with pytest.raises(CaseError):
            await letters.ask(replace(QUESTION, level=2))
        with pytest.raises(CaseError, match="32 lower-case hex"):
            await letters.fetch("../signals")
        with pytest.raises(CaseError):
            await letters.tell(replace(QUESTION, text="é" * 65_536))
        assert desks.world.leaves == before


async def test_a_withdrawn_question_is_answered_no_more(desks: Desks) -> None:
    """Forwarded inside the organisation it can be answered; taken back it cannot, and both refusals say why."""
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as holder, desks.client(VEILIG_THUIS) as asker:
        mine, theirs = Letters(holder.desk), Letters(asker.desk)
        await mine.fetch(request)
        forwarded = await mine.forward(request, team="team-2", local_id="bram")
        assert forwarded.text_nl.startswith("De vraag ligt nu bij")
        await theirs.withdraw(request, reason="no_longer_needed")
        with pytest.raises(RefusedError) as refused:
            await mine.answer(request, REPLY)
        assert refused.value.text_nl == "Deze vraag is ingetrokken. Je hoeft niets te doen."
        with pytest.raises(CaseError):
            await theirs.withdraw(request, reason="boredom")


async def test_all_own_requests_are_listed_over_pages(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full page is asked on after its last, so that every request is told once."""
    sent = {await ask(desks) for _ in range(3)}
    async with desks.client(WIJKTEAM) as holder:
        letters = Letters(holder.desk)
        whole = await letters.list_own()
        monkeypatch.setattr("connectors.letters.REQUESTS_PER_PAGE", 1)
        assert await letters.list_own() == whole
    assert {one.request_id for one in whole} == sent


async def test_a_changed_key_stops_letters_until_somebody_agrees(desks: Desks) -> None:
    """Other keys in the register than the pinned ones stop the letter; with the digits that were compared it goes."""
    await ask(desks)
    folder = desks.folder(VEILIG_THUIS)
    changed = replace(enrolled_desks(), number=2, keys={WIJKTEAM: (WIJKTEAM, "a key of the wijkteam that is new")})
    folder.import_register(changed.register_document().encode())
    before = desks.world.leaves
    with pytest.raises(KeyChangedError) as stopped:
        await ask(desks)
    assert desks.world.leaves == before
    async with desks.client(VEILIG_THUIS) as client:
        letters = Letters(client.desk)
        assert letters.keys_of(WIJKTEAM).fingerprint == stopped.value.fingerprint
        with pytest.raises(KeyChangedError):
            letters.accept_keys(WIJKTEAM, fingerprint="00000 00000 00000 00000")
        letters.accept_keys(WIJKTEAM, fingerprint=stopped.value.fingerprint)
    assert await ask(desks)


async def asked_late(desks: Desks, *, late: int, body: bytes | None = None) -> Outcome:
    """Return what became of a question whose asker hears so many times late which policy is in force."""
    network = Stale(desks.world.app, desks.loop)
    network.late, network.body = late, network.body if body is None else body
    surroundings = Surroundings(clock=desks.world.clock.now, transport=network)
    client = SluisClient(desks.folder(VEILIG_THUIS), worker="anna", surroundings=surroundings)
    async with client:
        return await Letters(client.desk).ask(QUESTION)


async def test_a_letter_bound_to_an_earlier_policy_is_made_anew_once(desks: Desks) -> None:
    """The policy changed between asking and sending: the letter is sealed again under the one in force, once."""
    assert (await asked_late(desks, late=1)).text_nl == "Je vraag is verstuurd. Antwoorden mag, het moet niet."
    with pytest.raises(RefusedError) as refused:
        await asked_late(desks, late=2)
    assert refused.value.problem.id == "bundle-not-in-force"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"bundleSha256": 7}'])
async def test_without_the_policy_in_force_nothing_is_sent(desks: Desks, body: bytes) -> None:
    """An answer that does not say which policy is in force is no answer: not done, and nothing left the desk."""
    before = desks.world.leaves
    with pytest.raises(NotDoneError):
        await asked_late(desks, late=1, body=body)
    assert desks.world.leaves == before
