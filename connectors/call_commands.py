"""`sluis-connect oproepen`: what asks the own teams to call, what was sent, and what a team decides."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from broker.protocol.call_messages import OwnCall
from broker.protocol.days_nl import day_nl
from broker.protocol.problems import render
from connectors.answers import VerifiedEntry
from connectors.calling import Calling, OwnRing
from connectors.client import SluisClient
from connectors.command_line import (
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    errors_end_the_command,
    print_json,
    receipt_line,
)
from connectors.phone_lines import number

T = TypeVar("T")
_NO_NUMBER = "Zoek het nummer zelf op, en vraag of het klopt voordat je iets vertelt."
oproepen = typer.Typer(no_args_is_help=True, help="Oproepen: at the own teams, and those that were sent.")

RingId = Annotated[str, typer.Argument(metavar="OPROEP", help="Its id, as `oproepen list` prints it.")]


def add_to(app: typer.Typer) -> None:
    """The oproepen commands stand in this command line."""
    app.add_typer(oproepen, name="oproepen")


@oproepen.command("list")
def list_rings(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List what asks the own teams to call."""
    with errors_end_the_command():
        rings, _ = _run(org, worker, lambda calling: calling.rings())
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
        calls, _ = _run(org, worker, _sent)
        if as_json:
            print_json({"calls": [call.model_dump(mode="json", by_alias=True) for call, _ in calls]})
            return
        console.print(render("call.list", {}), markup=False)
        for call, case in calls:
            console.print(_call_line(call, case), markup=False)


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


def _run(
    org: OrgFolder, worker: str, act: Callable[[Calling], Awaitable[T]]
) -> tuple[T, Sequence[VerifiedEntry]]:  # fmt: skip
    """Return what an act came to, with the proofs of what was decided."""

    async def run() -> tuple[T, Sequence[VerifiedEntry]]:
        async with SluisClient(org, worker=worker) as client:
            return await act(client.calling), tuple(client.calling.receipts)

    return asyncio.run(run())


async def _sent(calling: Calling) -> Sequence[tuple[OwnCall, str | None]]:
    return [(call, calling.case_of(call)) for call in await calling.sent()]


def _decided(done: tuple[OwnRing, Sequence[VerifiedEntry]], text: str, *, as_json: bool) -> None:
    ring, receipts = done
    if as_json:
        print_json({**_ring_document(ring), "text_nl": render(text, {})})
        return
    console.print(render(text, {}), markup=False)
    _print_ring(ring)
    for receipt in receipts:
        console.print(receipt_line(receipt), markup=False)


def _print_ring(own: OwnRing) -> None:
    ring = own.ring
    case = "" if own.case_ref is None else f", jullie zaak {own.case_ref}"
    console.print(f"{ring.ring_id}  {ring.team}  tot en met {day_nl(ring.asked_until)}{case}", markup=False)
    if ring.state == "waiting":
        console.print(render("call.received", {"organisation": ring.caller.name}), markup=False)
        console.print(f"  sluis-connect oproepen accept (of: decline, forward) {ring.ring_id}", markup=False)
    contact = ring.caller.contact
    if contact is not None:
        console.print(f"Bel {ring.caller.name}: {number(contact)}", markup=False)
    elif ring.state == "accepted":
        console.print(f"{ring.caller.name} tekende zelf een ander nummer dan Sluis noemt. {_NO_NUMBER}", markup=False)
    if ring.purpose is not None:
        told = f"sluis-connect bel nu --tell --to {ring.caller.oin} --purpose {ring.purpose} --signal {ring.signal_id}"
        console.print(f"Waarvoor: {ring.purpose}. Wil je dan iets vertellen? {told}", markup=False)


def _call_line(call: OwnCall, case: str | None) -> str:
    about = "" if case is None else f", jullie zaak {case}"
    return f"{call.call_id}  {call.purpose}  {call.team}  tot en met {day_nl(call.asked_until)}{about}"


def _ring_document(own: OwnRing) -> dict[str, Any]:
    text = render("call.received", {"organisation": own.ring.caller.name})
    return {**own.ring.model_dump(mode="json", by_alias=True), "caseRef": own.case_ref, "received_nl": text}
