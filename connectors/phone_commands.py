"""`sluis-connect bel`: I call now, somebody calls me, I answered. Three acts, each in seconds."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from broker.protocol.messages import Contact
from broker.protocol.phone_messages import PhoneCallShown
from broker.protocol.problems import render
from connectors.answers import VerifiedEntry
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
    receipt_line,
)
from connectors.errors import CaseError
from connectors.letter_input import typed_sides
from connectors.phone_lines import call_lines
from connectors.phoning import LEVEL, About, Phoning
from connectors.stated_proof import read_proof

bel = typer.Typer(no_args_is_help=True, help="Phone calls: announce one, know who calls, note that it was answered.")

Categories = Annotated[list[str], typer.Option("--category", help="A data category, as `vocabulary` names it.")]
Level = Annotated[int, typer.Option("--level", min=1, max=4, help="The highest level that is spoken of.")]
OwnTeam = Annotated[str | None, typer.Option("--team", help="The own team's code; of a match the one it is of.")]
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
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="OIN", help="Whom to call, as `organisations` names it; of a match it is the other team's."
        ),
    ] = None,
    to_team: Annotated[str | None, typer.Option("--to-team", help="Its team, as `organisations` names it.")] = None,
    team: OwnTeam = None,
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

        async def announced(phoning: Phoning) -> Sequence[PhoneCallShown]:
            sides = typed_sides(team, to, to_team) if match is None else await phoning.sides(match)
            if match is not None and (to not in (None, sides.to) or to_team not in (None, sides.to_team)):
                raise CaseError("to", "must be the other team of this match, or left out")
            call = await phoning.start(
                to=sides.to, to_team=sides.to_team, team=sides.team, purpose=purpose, about=about, tells=tells
            )
            return (call,)

        _print(_run(client, announced), "phone.made", as_json=as_json)


@bel.command("controleer")
def verify(
    code: Annotated[list[str], typer.Argument(metavar="CODE", help="The six digits that the caller says.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Somebody calls: print who it is, if the code holds. It works once."""
    with errors_end_the_command():
        said = "".join(code).replace(" ", "")
        if re.fullmatch(r"[0-9]{6}", said, flags=re.ASCII) is None:
            raise CaseError("code", "is not six digits: ask the caller to say them again")
        told = _run(SluisClient(org, worker=worker), lambda phoning: _one(phoning.verify(said)))
        _print(told, "phone.verified", as_json=as_json)


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

        async def noted(phoning: Phoning) -> Sequence[PhoneCallShown]:
            answered = chosen(await phoning.calls(), call)
            about = About(
                categories=category or answered.categories, grounds=ground, level=level or answered.level,
                proof=stated, signal_id=signal, consent_id=consent, exception_id=exception,
            )  # fmt: skip
            return (await phoning.note(answered.call_id, about),)

        _print(
            _run(SluisClient(org, worker=worker, approver=approver, case_ref=case), noted),
            "phone.oral",
            as_json=as_json,
        )


@bel.command("lijst")
def list_calls(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the newest calls of the own organisation, with the belcodes that count."""
    with errors_end_the_command():
        told = _run(SluisClient(org, worker=worker), lambda phoning: phoning.calls())
        _print(told, "phone.list", as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of phone calls, the signed card of whom to call by the call's id, and the proof of what was done."""

    calls: Sequence[PhoneCallShown]
    cards: Mapping[str, Contact]
    receipts: Sequence[VerifiedEntry]


def _run(client: SluisClient, act: Callable[[Phoning], Awaitable[Sequence[PhoneCallShown]]]) -> Told:
    async def run() -> Told:
        async with client:
            phoning = client.phoning
            calls = await act(phoning)
            cards = {call.call_id: card for call in calls if (card := await phoning.card_of(call)) is not None}
            return Told(calls=calls, cards=cards, receipts=tuple(phoning.receipts))

    return asyncio.run(run())


async def _one(call: Awaitable[PhoneCallShown]) -> Sequence[PhoneCallShown]:
    return (await call,)


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


def _print(told: Told, text: str, *, as_json: bool) -> None:
    if as_json:
        documents = [call.model_dump(mode="json", by_alias=True) for call in told.calls]
        print_json({"phone_calls": documents, "text_nl": render(text, {})})
        return
    console.print(render(text, {}), markup=False)
    for call in told.calls:
        for line in call_lines(call, card=told.cards.get(call.call_id)):
            console.print(line, markup=False)
    for receipt in told.receipts:
        console.print(receipt_line(receipt), markup=False)
