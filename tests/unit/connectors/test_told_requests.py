"""Whoever carries a letter is not believed about it: what the broker tells is held against what was asked of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from broker.protocol.request_messages import Party, RequestResult, RequestShown
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.delivery import Delivery
from connectors.errors import CaseError, LetterNotOpenedError
from connectors.letters import Letters
from connectors.told_requests import UNREAD_NL, line_of, lines_of
from tests.simulators.enrolled import GI, NAMES, VEILIG_THUIS, WIJKTEAM
from tests.simulators.served_desks import Desks
from tests.unit.connectors.test_letters import REPLY, ask

Change = Callable[[RequestResult], RequestResult]


class Misleading:
    """The way to a broker whose operator changes what is told of requests, and signs it: every receipt holds."""

    def __init__(self, delivery: Delivery, change: Change) -> None:
        self._delivery = delivery
        self._change = change

    async def read(self, path: str, *, worker: str) -> Outcome:
        """Return what was read, changed."""
        return self._changed(await self._delivery.read(path, worker=worker))

    async def send(self, *parts: Any) -> Outcome:  # noqa: ANN401 - members of a told request
        """Return what became of a command, changed."""
        return self._changed(await self._delivery.send(*parts))

    def _changed(self, outcome: Outcome) -> Outcome:
        assert isinstance(outcome.details, RequestResult)
        return replace(outcome, details=self._change(outcome.details))


def misled(client: SluisClient, change: Change) -> Letters:
    """Return the letters of a desk whose broker misleads it."""
    return Letters(replace(client.desk, delivery=Misleading(client.desk.delivery, change)))  # type: ignore[arg-type]  # a twin of the delivery


def each(**changed: Any) -> Change:  # noqa: ANN401 - members of a line
    """Return the change that makes this of every request."""

    def change(told: RequestResult) -> RequestResult:
        return told.model_copy(update={"requests": [one.model_copy(update=changed) for one in told.requests]})

    return change


def without_box(told: RequestResult) -> RequestResult:
    """Nothing waits, and who asked is the GI."""
    gi = Party(oin=GI, name="Veilig Thuis", team="team-1")
    return each(sender=gi)(told).model_copy(update={"box": None, "of": None})


@pytest.mark.parametrize(
    "change", [each(request_id="f" * 32), lambda told: told.model_copy(update={"requests": told.requests * 2}),
               lambda told: told.model_copy(update={"requests": []})]
)  # fmt: skip
async def test_an_answer_about_another_request_shows_nothing(desks: Desks, change: Change) -> None:
    """Another request, two, or none where one was asked for: nothing is opened, and nobody hears that it was."""
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as client:
        letters, before = misled(client, change), desks.world.leaves
        with pytest.raises(LetterNotOpenedError):
            await letters.fetch(request)
        assert letters.mailbox.opened(request) == []
        assert desks.world.leaves == before + 1
        with pytest.raises(LetterNotOpenedError):
            await letters.forward(request, team="team-1", local_id=None)


@pytest.mark.parametrize(
    "changed",
    [{"categories": ["hulp", "gezondheid"]}, {"level": 4}, {"purpose": "nood"}, {"grounds": ["TOEST"]}],
)
async def test_what_is_told_of_a_question_is_what_it_says(desks: Desks, changed: dict[str, Any]) -> None:
    """Other categories, another level, purpose or ground than the asker signed: it is not shown."""
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as client:
        letters = misled(client, each(**changed))
        with pytest.raises(LetterNotOpenedError) as refused:
            await letters.fetch(request)
        assert refused.value.step == "bound"
        assert letters.mailbox.opened(request) == []


async def test_an_answer_goes_to_who_wrote_the_question(desks: Desks) -> None:
    """Where the question was not opened here nothing is sealed to whom the broker names; no more is told than asked."""
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as client:
        before = desks.world.leaves
        with pytest.raises(LetterNotOpenedError):
            await misled(client, without_box).answer(request, REPLY)
        assert desks.world.leaves == before + 1
        letters = Letters(client.desk)
        more: tuple[tuple[dict[str, Any], str], ...] = (
            ({"categories": ["hulp", "veiligheid"]}, "category: must be among those asked"),
            ({"level": 4}, "level: must be at most the level asked: 3"),
        )
        for changed, said in more:
            with pytest.raises(CaseError, match=said):
                await letters.answer(request, replace(REPLY, **changed))


async def test_names_are_those_of_the_own_register(desks: Desks) -> None:
    """Whatever name the broker states: letters go by an OIN, and the name beside it is the one the register has."""
    await ask(desks)
    false = Party(oin=GI, name="Veilig Thuis Gelderland-Midden", team="team-1")
    stranger = Party(oin="9" * 20, name="Veilig Thuis Gelderland-Midden", team="team-1")
    async with desks.client(WIJKTEAM) as client:
        (shown,) = await misled(client, each(sender=false)).list_own()
        assert (shown.sender.oin, shown.sender.name) == (GI, NAMES[GI][0])
        (shown,) = await misled(client, each(sender=stranger)).list_own()
        assert shown.sender.name == "-"


async def test_what_is_no_answer_about_requests_is_not_shown(desks: Desks) -> None:
    """An answer of another schema, with a receipt that holds, tells nothing of requests."""
    request = await ask(desks)
    async with desks.client(VEILIG_THUIS) as client:

        class Other(Misleading):
            def _changed(self, outcome: Outcome) -> Outcome:
                return replace(outcome, details=None)

        letters = Letters(replace(client.desk, delivery=Other(client.desk.delivery, each())))  # type: ignore[arg-type]  # as above
        with pytest.raises(LetterNotOpenedError) as refused:
            await letters.fetch(request)
        assert refused.value.step == "form"
        assert isinstance((await Letters(client.desk).list_own())[0], RequestShown)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"side": "sent", "state": "withheld", "delivery": "waiting"}, UNREAD_NL),
        ({"side": "sent", "state": "withheld", "delivery": "opened"}, "wordt niet meer gegeven"),
        ({"side": "received", "state": "withheld", "delivery": "waiting"}, "wordt niet meer gegeven"),
        ({"side": "received", "state": "delivery_unknown", "delivery": "unknown"}, "opgehaald"),
        ({"side": "sent", "state": "delivery_unknown", "delivery": "unknown"}, "aankomst onbekend"),
    ],
)  # fmt: skip
async def test_each_side_reads_how_far_it_is_for_that_side(desks: Desks, changed: dict[str, str], said: str) -> None:
    """What its sender must know is that it is read no more; what came in is not on its way."""
    await ask(desks)
    async with desks.client(VEILIG_THUIS) as client:
        (one,) = await misled(client, each(**changed)).list_own()
    assert f"  {said}  t/m " in line_of(one)


async def test_a_line_without_what_it_is_about_says_no_more(desks: Desks) -> None:
    """Of what is withheld nobody is told for what it was, and there is nothing to read of it."""
    await ask(desks)
    async with desks.client(VEILIG_THUIS) as client:
        (one,) = await misled(client, each(purpose=None, grounds=[], categories=[], level=0)).list_own()
    assert lines_of(one) == []
    assert "vt-melding" not in line_of(one)
