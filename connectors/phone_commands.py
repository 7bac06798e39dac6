"""`sluis-connect bel`: I call now, somebody calls me, I answered. Three acts, each in seconds."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from broker.protocol.phone_messages import PhoneCallShown
from broker.protocol.problems import render
from connectors.client import SluisClient
from connectors.command_line import (
    ApproverId,
    AsJson,
    CaseRef,
    Grounds,
    OrgFolder,
    Purpose,
    WorkerId,
    console,
    errors_end_the_command,
    print_json,
)
from connectors.contacts import contact_line
from connectors.dates import HERE
from connectors.errors import CaseError
from connectors.phoning import LEVEL, About, Phoning
from connectors.stated_proof import read_proof

T = TypeVar("T")
UNSTATED = "niet door de beller zelf getekend: bel terug op een nummer dat je kent"
bel = typer.Typer(no_args_is_help=True, help="Phone calls: announce one, know who calls, note that it was answered.")

Categories = Annotated[list[str], typer.Option("--category", help="A data category, as `vocabulary` names it.")]
Level = Annotated[int, typer.Option("--level", min=1, max=4, help="The highest level that is spoken of.")]
OwnTeam = Annotated[str, typer.Option("--team", help="The own team's code.")]
ProofFile = Annotated[Path | None, typer.Option("--proof", help="A JSON file with the proof of a task in law.")]
Signal = Annotated[str | None, typer.Option("--signal", help="The own signal that it rests on.")]
Match = Annotated[str | None, typer.Option("--match", help="The own match that it rests on.")]
Consent = Annotated[str | None, typer.Option("--consent", help="The own record of consent that it rests on.")]
ToldOn = Annotated[str | None, typer.Option("--exception", help="The own exception, as `exception list` prints it.")]
Tells = Annotated[bool, typer.Option("--tell", help="Call to tell something, not to ask.")]


def add_to(app: typer.Typer) -> None:
    """The phone commands stand in this command line."""
    app.add_typer(bel, name="bel")


@bel.command("nu")
def start(
    *,
    org: OrgFolder,
    worker: WorkerId,
    to: Annotated[str, typer.Option("--to", metavar="OIN", help="Whom to call, as `organisations` names it.")],
    to_team: Annotated[str, typer.Option("--to-team", help="Its team, as `organisations` names it.")],
    team: OwnTeam,
    purpose: Purpose,
    ground: Grounds,
    category: Categories,
    level: Level = LEVEL,
    tells: Tells = False,
    proof: ProofFile = None,
    signal: Signal = None,
    match: Match = None,
    consent: Consent = None,
    exception: ToldOn = None,
    approver: ApproverId = None,
    case: CaseRef = None,
    as_json: AsJson = False,
) -> None:
    """I call now: print the belcode to say on the phone."""
    with errors_end_the_command():
        stated = None if proof is None else read_proof(proof)
        about = About(
            categories=category, grounds=ground, level=level, proof=stated, signal_id=signal, match_id=match,
            consent_id=consent, exception_id=exception,
        )  # fmt: skip
        client = SluisClient(org, worker=worker, approver=approver, case_ref=case)
        call = _run(
            client,
            lambda phoning: phoning.start(to=to, to_team=to_team, team=team, purpose=purpose, about=about, tells=tells),
        )
        _print([call], "phone.made", as_json=as_json)


@bel.command("controleer")
def verify(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The six digits that the caller says.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Somebody calls: print who it is, if the code holds. It works once."""
    with errors_end_the_command():
        call = _run(SluisClient(org, worker=worker), lambda phoning: phoning.verify(code.replace(" ", "")))
        _print([call], "phone.verified", as_json=as_json)


@bel.command("mondeling")
def note(
    *,
    org: OrgFolder,
    worker: WorkerId,
    ground: Grounds,
    call: Annotated[
        str | None, typer.Option("--call", help="Which call; the newest that was verified where none is named.")
    ] = None,
    category: Annotated[list[str] | None, typer.Option("--category", help="Where less was told than asked.")] = None,
    level: Annotated[int | None, typer.Option("--level", min=1, max=4, help="Where it was not the one asked.")] = None,
    proof: ProofFile = None,
    signal: Signal = None,
    consent: Consent = None,
    exception: ToldOn = None,
    approver: ApproverId = None,
    case: CaseRef = None,
    as_json: AsJson = False,
) -> None:
    """I answered on the phone: note in what and on which ground, never what was said."""
    with errors_end_the_command():
        stated = None if proof is None else read_proof(proof)

        async def noted(phoning: Phoning) -> PhoneCallShown:
            answered = chosen(await phoning.calls(), call)
            about = About(
                categories=category or answered.categories, grounds=ground, level=level or answered.level,
                proof=stated, signal_id=signal, consent_id=consent, exception_id=exception,
            )  # fmt: skip
            return await phoning.note(answered.call_id, about)

        _print(
            [_run(SluisClient(org, worker=worker, approver=approver, case_ref=case), noted)],
            "phone.oral",
            as_json=as_json,
        )


@bel.command("lijst")
def list_calls(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the newest calls of the own organisation, with the belcodes that count."""
    with errors_end_the_command():
        calls = _run(SluisClient(org, worker=worker), lambda phoning: phoning.calls())
        _print(calls, "phone.list", as_json=as_json)


def _run(client: SluisClient, act: Callable[[Phoning], Awaitable[T]]) -> T:
    async def run() -> T:
        async with client:
            return await act(client.phoning)

    return asyncio.run(run())


def chosen(calls: Sequence[PhoneCallShown], call_id: str | None) -> PhoneCallShown:
    """Return the call that was answered. Raises CaseError: there is none to choose."""
    asked = [call for call in calls if call.side == "received" and call.kind == "request" and not call.withheld]
    received = [call for call in asked if call_id in (None, call.call_id)]
    open_ones = [call for call in received if call.oral is None] if call_id is None else received
    verified = [call for call in open_ones if call.verified_at is not None]
    chosen = next(iter((*verified, *open_ones)), None)
    if chosen is None:
        raise CaseError("call", "is no call to the own organisation that waits for an answer")
    return chosen


def _print(calls: Sequence[PhoneCallShown], text: str, *, as_json: bool) -> None:
    if as_json:
        documents = [call.model_dump(mode="json", by_alias=True) for call in calls]
        print_json({"phone_calls": documents, "text_nl": render(text, {})})
        return
    console.print(render(text, {}), markup=False)
    for call in calls:
        for line in lines_of(call):
            console.print(line, markup=False)


def lines_of(call: PhoneCallShown) -> list[str]:
    """Return how a call is printed."""
    other = call.receiver if call.side == "made" else call.caller
    direction = "aan" if call.side == "made" else "van"
    unstated = call.side == "received" and call.statement is None and not call.withheld
    unsigned = f"  [{UNSTATED}]" if unstated else ""
    lines = [f"{call.call_id}  {direction} {other.name}, {other.team}  {', '.join(call.categories)}{unsigned}"]
    if call.withheld:
        lines.append(render("phone.withheld", {}))
    if call.code is not None:
        until = datetime.datetime.fromtimestamp(call.code_until, HERE)
        lines.append(f"Belcode {call.code[:3]} {call.code[3:]}, geldig tot {until:%H:%M}")
    if call.side == "received" and call.verified_at is not None and call.contact is not None:
        contact = call.contact
        lines.append(f"Terugbellen: {contact_line(contact)}")
    return lines
