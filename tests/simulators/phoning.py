"""Phone mode over a running core: a call is announced, verified by its belcode, and answered."""

from dataclasses import replace
from typing import Any

from broker.call_ports import PhoneCallReader
from broker.domain.requests import Requester
from broker.flows.list_phone_calls import list_phone_calls
from broker.flows.note_oral_answer import note_oral_answer
from broker.flows.outcome import Answered
from broker.flows.start_phone_call import start_phone_call
from broker.flows.verify_caller import verify_caller
from broker.protocol.phone_messages import NoteOralAnswer, StartPhoneCall, VerifyCaller
from tests.simulators.asking import Asker
from tests.simulators.broker_world import World, requester
from tests.simulators.calling import MELDING
from tests.simulators.enrolled import SCHOOL


def by(asker: Asker, worker: str | None) -> Requester:
    """Return who sends it: the asker's usual worker, or a colleague."""
    usual = requester(asker)
    return usual if worker is None else replace(usual, worker=worker)


def phone_of(world: World) -> PhoneCallReader:
    """Return the phone calls of a world that is not in memory."""
    assert world.calling is not None
    return world.calling.phone


def _ports(world: World) -> dict[str, Any]:
    """Return what every flow of a call takes."""
    return {
        "policies": world.policies,
        "clock": world.clock,
        "registers": world.documents,
        "rosters": world.documents,
        "signals": world.signals,
        "matches": world.following.matches,
        "consents": world.consents,
        "exceptions": world.exceptions,
        "phone": phone_of(world),
        "answers": world.answers,
        "log": world.log,
    }


def phone_body(asker: Asker, **changed: object) -> dict[str, Any]:
    """Return the body by which Veilig Thuis announces a call to the school."""
    body = asker.command(
        purpose="vt-melding",
        grounds=["WMO-5.1.6"],
        team="team-1",
        to=SCHOOL,
        toTeam="team-1",
        signalId=None,
        categories=["hulp", "veiligheid"],
        level=3,
        proof=MELDING,
    )
    return {**body, **changed}


async def start(world: World, asker: Asker, **changed: object) -> Answered:
    """Announce a call."""
    return await start_phone_call(
        command=StartPhoneCall.model_validate(phone_body(asker, **changed)),
        requester=requester(asker),
        approval=None,
        randomness=world.randomness,
        **_ports(world),
    )


async def verify(world: World, asker: Asker, code: str, *, worker: str | None = None) -> Answered:
    """Say which code a caller says; `worker` is a colleague of the one who usually does."""
    return await verify_caller(
        command=VerifyCaller.model_validate(asker.command(code=code)),
        requester=by(asker, worker),
        **_ports(world),
    )


async def note(world: World, asker: Asker, call_id: str, *, worker: str | None = None, **changed: object) -> Answered:
    """Note that a call was answered in what it was about."""
    body = asker.command(categories=["hulp"], level=3, grounds=["WMO-5.2.6"], signalId=None, proof=None)
    return await note_oral_answer(
        command=NoteOralAnswer.model_validate({**body, **changed}),
        call_id=call_id,
        requester=by(asker, worker),
        approval=None,
        **_ports(world),
    )


async def listed(world: World, asker: Asker) -> list[dict[str, Any]]:
    """Return the calls that an organisation reads."""
    answer = await list_phone_calls(
        requester=requester(asker),
        **_ports(world),
    )
    return phone_calls_in(answer)


def phone_calls_in(answer: Answered) -> list[dict[str, Any]]:
    """Return the phone calls that an answer tells."""
    told: Any = answer.result["phoneCalls"]
    return list(told)
