"""Professionals who tell without consent, and what their dossiers answer: for every test of exceptions."""

from collections.abc import Mapping
from typing import Any

from broker.domain.exceptions import FIVE, SIX
from broker.domain.requests import Approval
from broker.exception_ports import ExceptionReader
from broker.flows.complete_exception import complete_exception, list_exceptions
from broker.flows.invoke_exception import invoke_exception
from broker.flows.outcome import Answered
from broker.protocol.exception_messages import TICKET_PURPOSE, CompleteException, InvokeException
from broker.protocol.roster import Worker
from tests.simulators.asking import EPOCH, Asker, household, token
from tests.simulators.broker_world import World, documents, requester
from tests.simulators.consenting import CARING, GGZ, HUISARTS
from tests.simulators.enrolled import Enrolled

POLITIE = "00000099000000009000"
TELLING = {**CARING, POLITIE: ("Politie Oost-Nederland", "politie")}
COLLEAGUE = "colleague-8000"
OTHERS = {GGZ: (Worker(sub=COLLEAGUE, roles=frozenset({"worker"}), broker_sub=None),)}
COMMITMENT = "c" * 64


def dossier(*, five: bool = False, without: str = "", **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
    """Return a complete dossier, or one without an answer."""
    stated = {
        "commitment": COMMITMENT,
        "answered": [one for one in (FIVE if five else SIX) if one != without],
        "consulted": COLLEAGUE,
        "consultedVeiligThuis": False,
        "tellOn": "2026-12-10",
        "deferral": None,
        "meldcodeStep": 4,
    }
    return {**stated, **changed}


def exception(asker: Asker, *, type: str = "cvp", recipient: str = "politie", **changed: Any) -> dict[str, Any]:  # noqa: A002, ANN401 - the member's own name; members of a body
    """Return the body that invokes an exception."""
    body = asker.command(
        type=type,
        recipient=recipient,
        recipientOrganisation=None,
        team="team-1",
        category="veiligheid",
        level=3,
        reason="danger_to_child",
        dossier=dossier(five=type == "therapeutisch") if type != "acuut" else None,
    )
    return {**body, **changed}


def naming(asker: Asker, *persons: str, worker: str = "") -> dict[str, Any]:
    """Return the members of a body that say about whom an exception is."""
    among = household(subject=persons[0], members=persons[1:])
    tickets = asker.tickets("register", among, purpose=TICKET_PURPOSE, worker=worker)
    return {"epoch": EPOCH, "subjects": [token(person) for person in persons], "tickets": tickets}


def telling(world: World) -> World:
    """The world has care organisations with two workers, and the police."""
    world.documents = documents(Enrolled(names=TELLING, others=OTHERS))
    return world


async def invoked(
    world: World, asker: Asker, body: Mapping[str, Any], *, approval: Approval | None = None, worker: str = ""
) -> Answered:
    """Send this body of an exception."""
    return await invoke_exception(
        command=InvokeException.model_validate(body),
        requester=requester(asker, worker=worker),
        approval=approval,
        policies=world.policies,
        issuers=world.issuers,
        tokens=world.tokens,
        clock=world.clock,
        randomness=world.randomness,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        exceptions=reader(world),
        answers=world.answers,
        log=world.log,
    )


async def completed(
    world: World, asker: Asker, exception_id: str, *, worker: str = "",
    **changed: Any,  # noqa: ANN401 - members of a dossier
) -> Answered:  # fmt: skip
    """Bring the rest of an acute exception."""
    return await complete_exception(
        command=CompleteException.model_validate(asker.command(dossier=dossier(**changed))),
        exception_id=exception_id,
        requester=requester(asker, worker=worker),
        policies=world.policies,
        clock=world.clock,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        exceptions=reader(world),
        answers=world.answers,
        log=world.log,
    )


async def listed(world: World, asker: Asker, *, after: str | None = None) -> list[dict[str, Any]]:
    """Return the own exceptions."""
    told = await list_exceptions(
        requester=requester(asker),
        after=after,
        policies=world.policies,
        clock=world.clock,
        registers=world.documents,
        signals=world.signals,
        exceptions=reader(world),
        answers=world.answers,
        log=world.log,
    )
    return exceptions_of(told)


def reader(world: World) -> ExceptionReader:
    """Return the exceptions of a world that is on a database."""
    assert world.exceptions is not None
    return world.exceptions


def exceptions_of(told: Answered) -> list[dict[str, Any]]:
    """Return the exceptions in an answer."""
    return [dict(one) for one in told.result["exceptions"]]  # type: ignore[attr-defined]  # a list, as the schema says


__all__ = [
    "COLLEAGUE", "GGZ", "HUISARTS", "POLITIE", "completed", "dossier", "exception", "exceptions_of", "invoked",
    "listed", "naming", "telling",
]  # fmt: skip
