"""An exception opens letters about the persons it names, and about nobody else (D11)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.custodian.citations import OPERATIONS
from broker.domain.errors import FieldRuleError, NotFoundError, PointInvalidError, RefusedError, TicketSpentError
from broker.flows.citing import Cited, CitedException
from broker.flows.policy import PolicyInForce
from broker.protocol.errors import TicketError
from broker.protocol.signing_keys import b64url
from broker.store.custodian_feed import TICKET_KINDS
from tests.simulators.asking import Asker, household, token
from tests.simulators.broker_world import a_world, approval, exclude, held_in, log_size
from tests.simulators.citing import EMERGENCY, HUISARTS, POLITIE, citing, excepted, told_police
from tests.simulators.consenting import ADULT, ASSESSED, INFORMED, answer, recorded
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import WIJKTEAM, worker_id
from tests.simulators.excepting import dossier, exception, exceptions_of, invoked, naming
from tests.simulators.phoning import phone_calls_in, start
from tests.simulators.requesting import COLLEAGUE, Desk, problem_of, shown

NOBODY: dict[str, Any] = {"epoch": None, "subjects": [], "tickets": []}


@pytest.fixture(params=DATABASES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[Desk]:
    """A core on a database, with a general practitioner who may break a secret towards the police."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield citing(running)


async def involved(desk: Desk, person: str) -> str:
    """Return the id of the doctor's own signal about this person."""
    doctor = desk.world.asker(HUISARTS, seed=f"signal {person}", **ADULT)
    await recorded(desk.world, doctor, answer(), person=person, parties=[WIJKTEAM])
    about = household(subject=person)
    told = await desk.world.register(doctor, about, assessment=ASSESSED, informing=INFORMED)
    return str(told.result["signalId"])


async def tells(desk: Desk, exception_id: str, **changed: Any) -> bool:  # noqa: ANN401 - members of a body
    """Return whether the doctor may tell the police on this exception; a no is an entry, and nothing leaves."""
    body = told_police(desk, exception_id, **changed)
    before = await log_size(desk.world)
    try:
        await desk.send(body, by=HUISARTS)
        told = True
    except RefusedError:
        told = False
    assert await log_size(desk.world) == before + 1
    assert (body["idempotencyKey"] in str(shown(await desk.list(by=body["to"])))) is told
    return told


def stating(asker: Asker, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
    """Return the body of an exception of the doctor's that has everything but whom it is about."""
    return exception(asker, **{"dossier": dossier(consulted=COLLEAGUE), **changed})


async def test_it_tells_about_whom_it_names_and_about_nobody_else(desk: Desk) -> None:
    """A letter by the signal of that very person goes; by that of anybody else it is as if there were no dossier."""
    trudy, anna = await involved(desk, "trudy"), await involved(desk, "anna")
    named = await excepted(desk)
    assert await tells(desk, named, signalId=trudy)
    assert await tells(desk, named)
    assert not await tells(desk, named, signalId=anna)
    both = await excepted(desk, **naming(desk.asker(HUISARTS), "trudy", "anna"))
    assert await tells(desk, both, signalId=anna)


async def test_a_call_is_about_whom_it_names_as_a_letter_is(desk: Desk) -> None:
    """What is told by telephone on an exception is decided as the letter it stands for, by the signal it names."""
    trudy, anna = await involved(desk, "trudy"), await involved(desk, "anna")
    named = await excepted(desk)
    about: dict[str, Any] = {**EMERGENCY, "to": POLITIE, "exceptionId": named, "kind": "telling"}
    with pytest.raises(RefusedError):
        await start(desk.world, desk.asker(HUISARTS), **about, signalId=anna)
    assert phone_calls_in(await start(desk.world, desk.asker(HUISARTS), **about, signalId=trudy))


async def test_one_by_an_own_signal_is_about_that_person(desk: Desk) -> None:
    """Who is involved names his own signal, and needs no number and no ticket; beside a token of the same it is one."""
    trudy, anna = await involved(desk, "trudy"), await involved(desk, "anna")
    by_signal = await excepted(desk, **NOBODY, signalId=trudy)
    assert (await tells(desk, by_signal, signalId=trudy), await tells(desk, by_signal, signalId=anna)) == (True, False)
    asker = desk.asker(HUISARTS)
    body = stating(asker, **naming(asker, "trudy", "bob"), signalId=trudy)
    (told,) = exceptions_of(await invoked(desk.world, asker, body, approval=approval(asker)))
    assert told["persons"] == 2


async def test_one_that_names_nobody_is_recorded_and_opens_nothing(desk: Desk) -> None:
    """Where no token can be had nobody is kept from telling by telephone: it is reviewed, and no letter rests on it."""
    asker = desk.asker(HUISARTS)
    done = await invoked(desk.world, asker, stating(asker), approval=approval(asker))
    assert done.result["text"] == {"id": "exception.invoked_nobody", "params": {}}
    (told,) = exceptions_of(done)
    assert (told["persons"], await tells(desk, told["exceptionId"])) == (0, False)


async def test_one_of_before_opens_nothing_and_what_waits_on_it_stays(desk: Desk) -> None:
    """What was invoked before persons were named, or whose persons are gone, tells nobody, also not what waits."""
    named = await excepted(desk)
    body = told_police(desk, named)
    await desk.send(body, by=HUISARTS)
    with held_in(desk.world).session() as connection:
        connection.execute("DELETE FROM exception_tokens")
    assert not await tells(desk, named)
    with pytest.raises(RefusedError) as refused:
        await desk.fetch(body["idempotencyKey"], by=body["to"])
    assert problem_of(refused.value) == "letter-withheld"


async def test_as_long_as_nobody_said_about_whom_a_letter_is_it_opens_nothing(desk: Desk) -> None:
    """A way to tell that forgets to say which signals it names is refused, and not let through."""
    named = await excepted(desk)
    assert desk.world.exceptions is not None
    own = await desk.world.exceptions.own(organisation=HUISARTS, exception_id=named)
    assert own is not None
    bare = Cited(exception=CitedException(own=own, worker=own.record.worker, at=own.record.at))
    assert bare.exception is not None
    assert bare.exception.signals is None
    assert bare.about(["s"]).exception == replace(bare.exception, signals=frozenset({"s"}))


def _bodies(asker: Asker) -> list[tuple[type[Exception], dict[str, Any]]]:
    one, two = naming(asker, "trudy"), naming(asker, "trudy", "anna")
    ten = asker.tickets("register", household(subject="trudy"), purpose="nood", grants=("a" * 32, "a" * 32))
    return [
        (FieldRuleError, {**two, "subjects": [token("trudy"), token("trudy")]}),
        (FieldRuleError, {**one, "epoch": None}),
        (PointInvalidError, {**one, "subjects": [b64url(b"\xff" * 32)]}),
        (TicketError, {**one, "tickets": []}),
        (TicketError, {**one, "subjects": []}),
        (TicketError, {**one, "tickets": ten}),
        (TicketError, {**one, "subjects": two["subjects"]}),
        (TicketError, {**one, "tickets": asker.tickets("check", household(subject="trudy"), purpose="nood")}),
        (NotFoundError, {**NOBODY, "signalId": "0" * 32}),
    ]


async def test_whom_it_names_is_covered_by_tickets_and_is_its_own(desk: Desk) -> None:
    """Twice the same, no point, no ticket or another's, a signal that is none of ours: nothing is recorded."""
    asker = desk.asker(HUISARTS)
    before = await log_size(desk.world)
    for error, changed in _bodies(asker):
        body = stating(asker, **changed)
        with pytest.raises(error):
            await invoked(desk.world, asker, body, approval=approval(asker))
    assert await log_size(desk.world) == before


async def test_a_worker_names_no_signal_that_is_kept_from_him(desk: Desk) -> None:
    """To who is excluded from an own signal it is as if it were not there."""
    trudy = await involved(desk, "trudy")
    await exclude(desk.world, trudy, organisation=HUISARTS, worker=worker_id(HUISARTS, "worker"))
    asker = desk.asker(HUISARTS)
    with pytest.raises(NotFoundError):
        await invoked(desk.world, asker, stating(asker, signalId=trudy), approval=approval(asker))


async def test_its_tickets_are_spent_whatever_the_outcome(desk: Desk) -> None:
    """A refusal cites them too, so that no custodian waits for them; and nobody uses them twice."""
    asker = desk.asker(HUISARTS)
    members = naming(asker, "trudy")
    with pytest.raises(RefusedError):
        await invoked(desk.world, asker, stating(asker, recipient="veilig_thuis", **members))
    assert len(held_in(desk.world).rows("SELECT ticket_id FROM spent_tickets")) == 2
    with pytest.raises(TicketSpentError):
        await invoked(desk.world, asker, stating(asker, **members), approval=approval(asker))


def test_its_tickets_are_watched_as_any_others() -> None:
    """What the broker opens to custodians is what they look for tickets in, entries of exceptions too."""
    assert set(OPERATIONS) == TICKET_KINDS
    assert OPERATIONS["exception"] == "register"
