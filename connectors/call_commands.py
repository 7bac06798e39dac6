"""`sluis-connect oproepen`: what asks the own teams to call, what was sent, and what a team decides."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from broker.protocol.call_messages import OwnCall
from broker.protocol.days_nl import day_nl
from broker.protocol.problems import render
from connectors.calling import Calling, OwnRing
from connectors.client import SluisClient
from connectors.command_line import AsJson, OrgFolder, WorkerId, console, errors_end_the_command, print_json
from connectors.contacts import contact_line

T = TypeVar("T")
oproepen = typer.Typer(no_args_is_help=True, help="Oproepen: at the own teams, and those that were sent.")

RingId = Annotated[str, typer.Argument(metavar="OPROEP", help="Its id, as `oproepen list` prints it.")]


def add_to(app: typer.Typer) -> None:
    """The oproepen commands stand in this command line."""
    app.add_typer(oproepen, name="oproepen")


@oproepen.command("list")
def list_rings(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List what asks the own teams to call."""
    with errors_end_the_command():
        rings = _run(org, worker, lambda calling: calling.rings())
        if as_json:
            print_json({"rings": [_ring_document(ring) for ring in rings]})
            return
        console.print(render("call.rings", {}), markup=False)
        for ring in rings:
            _print_ring(ring)


@oproepen.command("sent")
def list_sent(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the oproepen that the own organisation sent; who called is in none of them."""
    with errors_end_the_command():
        calls = _run(org, worker, lambda calling: calling.sent())
        if as_json:
            print_json({"calls": [call.model_dump(mode="json", by_alias=True) for call in calls]})
            return
        console.print(render("call.list", {}), markup=False)
        for call in calls:
            console.print(_call_line(call), markup=False)


@oproepen.command("accept")
def accept(ring: RingId, *, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """Say that the own team will call; the contact card of who asks is shown."""
    with errors_end_the_command():
        _decided(_run(org, worker, lambda calling: calling.accept(ring)), "call.accepted", as_json=as_json)


@oproepen.command("decline")
def decline(ring: RingId, *, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """Say that nobody of the own team will call, which is a right; who asks is not told."""
    with errors_end_the_command():
        _decided(_run(org, worker, lambda calling: calling.decline(ring)), "call.declined", as_json=as_json)


@oproepen.command("forward")
def forward(
    ring: RingId,
    team: Annotated[str, typer.Argument(metavar="TEAM", help="The team's code.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Have another team of the own organisation asked instead."""
    with errors_end_the_command():
        forwarded = _run(org, worker, lambda calling: calling.forward(ring, team=team))
        _decided(forwarded, "call.forwarded", as_json=as_json)


def _run(org: OrgFolder, worker: str, act: Callable[[Calling], Awaitable[T]]) -> T:
    async def run() -> T:
        async with SluisClient(org, worker=worker) as client:
            return await act(client.calling)

    return asyncio.run(run())


def _decided(ring: OwnRing, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_ring_document(ring), "text_nl": render(text, {})})
        return
    console.print(render(text, {}), markup=False)
    _print_ring(ring)


def _print_ring(own: OwnRing) -> None:
    ring = own.ring
    case = "" if own.case_ref is None else f", jullie zaak {own.case_ref}"
    console.print(f"{ring.ring_id}  {ring.team}  tot en met {day_nl(ring.asked_until)}{case}", markup=False)
    if ring.state == "waiting":
        console.print(render("call.received", {"organisation": ring.caller.name}), markup=False)
    contact = ring.caller.contact
    if contact is not None:
        after_hours = "" if contact.after_hours_phone is None else f", buiten kantooruren {contact.after_hours_phone}"
        line = f"Bel {ring.caller.name}: {contact_line(contact)}{after_hours}"
        console.print(line, markup=False)


def _call_line(call: OwnCall) -> str:
    return f"{call.call_id}  {call.purpose}  {call.team}  tot en met {day_nl(call.asked_until)}"


def _ring_document(own: OwnRing) -> dict[str, Any]:
    text = render("call.received", {"organisation": own.ring.caller.name})
    return {**own.ring.model_dump(mode="json", by_alias=True), "caseRef": own.case_ref, "received_nl": text}
