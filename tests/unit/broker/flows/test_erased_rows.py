"""Erasing by two people takes the rows along that the erased entries made, and nobody else's."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import RefusedError
from broker.flows.policy import PolicyInForce
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, a_world, held_in, log_size
from tests.simulators.calling import call
from tests.simulators.citing import BUURTTEAM, VT, citing, consent, excepted, told_in_meeting
from tests.simulators.consenting import answer, answered_too
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.phoning import start
from tests.simulators.requesting import HUISARTS, Desk, problem_of

GROUPS = ["meta", "actor", "subject"]
_SEEDS = count()


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


@pytest.fixture(params=DATABASES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on each database, with everybody who writes, calls and tells."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield citing(running)


async def erase(desk: Desk, oin: str, *, index: int | None = None) -> None:
    """Two people of an organisation erase an own entry, the newest where none is named."""
    world, newest = desk.world, await log_size(desk.world) - 1
    erased = newest if index is None else index
    first = world.asker(oin, role="privacyfunctionaris", seed=f"first {next(_SEEDS)}")
    second = world.asker(oin, role="approver", seed=f"second {next(_SEEDS)}")

    def body(asker: Asker) -> dict[str, Any]:
        ranges = [{"first": erased, "last": erased, "groups": GROUPS}]
        return asker.command(ground="AVG-17.1.d", decisionRef="a" * 64, ranges=ranges)

    proposed = body(first)
    await world.propose_erasure(first, proposed)
    await world.confirm_erasure(second, proposed["idempotencyKey"], body(second))


def rows(world: World, *tables: str) -> list[int]:
    """Return how many rows each of these tables has."""
    return [int(held_in(world).rows(f"SELECT count(*) FROM {table}")[0][0]) for table in tables]  # noqa: S608 - names of the test


async def test_a_letter_goes_with_its_entry(desk: Desk) -> None:
    """Who asked and erases that has the question, its answer and its notices erased at the broker."""
    await desk.sent()
    await erase(desk, VEILIG_THUIS)
    assert rows(desk.world, "information_requests", "notices") == [0, 0]


async def test_an_answer_goes_and_the_question_stays_its_senders(desk: Desk) -> None:
    """Who answered erases his answer alone: the question is another organisation's to erase."""
    request = await desk.sent()
    await desk.answer(request, desk.reply(request))
    await erase(desk, WIJKTEAM)
    assert rows(desk.world, "information_requests", "request_answers") == [1, 0]


async def test_anothers_letter_under_the_same_key_stays(desk: Desk) -> None:
    """An entry made under the id of another organisation's letter takes nothing of that letter along."""
    request = await desk.sent()
    asker = desk.world.asker(WIJKTEAM, seed="same key")
    await desk.world.send_inbox(asker, {**asker.command(had=[]), "idempotencyKey": request})
    await erase(desk, WIJKTEAM)
    assert rows(desk.world, "information_requests") == [1]


async def test_oproep_and_phone_call_go_with_their_entries(desk: Desk) -> None:
    """Whom it reached, what waits for them, and the call itself are gone."""
    world = desk.world
    await world.register(world.asker(SCHOOL, seed="child"), household(subject="child", parents=("mother",)))
    asker = world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6")
    await call(world, asker, household(subject="child", parents=("mother",), members=("brother",)))
    assert rows(world, "calls", "call_rings", "notices") == [1, 1, 1]
    await erase(desk, VEILIG_THUIS)
    assert rows(world, "calls", "call_rings", "notices") == [0, 0, 0]
    await start(world, world.asker(VEILIG_THUIS, seed="caller"))
    await erase(desk, VEILIG_THUIS)
    assert rows(world, "phone_calls") == [0]


async def test_a_consent_goes_and_what_rests_on_it_is_withheld(desk: Desk) -> None:
    """Record and answers are gone in the same transaction, and nobody is given what was told on it."""
    cited = await consent(desk)
    recorded = await log_size(desk.world) - 1
    body = told_in_meeting(desk, cited)
    await desk.send(body, by=BUURTTEAM)
    await erase(desk, BUURTTEAM, index=recorded)
    assert rows(desk.world, "consents", "consent_events", "information_requests") == [0, 0, 1]
    with pytest.raises(RefusedError) as withheld:
        await desk.fetch(body["idempotencyKey"], by=VT)
    assert problem_of(withheld.value) == "letter-withheld"


@pytest.mark.parametrize("against", [{"said": "refused"}, {"said": "asked", "suspect": True}])
async def test_what_holds_against_a_yes_is_not_erased_by_decision(desk: Desk, against: dict[str, Any]) -> None:
    """Two people take away no resident's no, also one that came later, and nobody's mark as a suspect."""
    cited = await consent(desk)
    recorded = await log_size(desk.world) - 1
    await answered_too(desk.world, desk.asker(BUURTTEAM), cited, answer("2" * 64, **against))
    await erase(desk, BUURTTEAM, index=recorded)
    assert rows(desk.world, "consents", "consent_events") == [1, 2]


@pytest.mark.parametrize("kind", ["cvp", "acuut"])
async def test_an_exception_goes_with_its_term_alone(desk: Desk, kind: str) -> None:
    """What was told on it can be held against it, and nobody becomes free to invoke the next acute one."""
    await excepted(desk, type=kind, worker="acute" if kind == "acuut" else "")
    await erase(desk, HUISARTS)
    assert rows(desk.world, "exceptions") == [1]
