"""`sluis-connect matches`: who else is involved, and how far one is with them."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from broker.protocol.match_messages import MatchesResult, ShownMatch
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.command_line import (
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    errors_end_the_command,
    explanation,
    failure_document,
    outcome_document,
    print_json,
    receipt_line,
)
from connectors.dates import day_of
from connectors.errors import NotDoneError, RefusedError
from connectors.folder import PartnerFolder
from connectors.following import Following
from connectors.match_lines import for_team, match_lines, team_name
from connectors.stated_proof import read_proof

Told = TypeVar("Told")
matches = typer.Typer(no_args_is_help=True, help="Who else is involved, and how far you are with them.")

MatchId = Annotated[str, typer.Argument(metavar="MATCH", help="The match's id, as `matches list` prints it.")]
After = Annotated[str | None, typer.Option("--after", help="Go on after this id.")]


def add_to(app: typer.Typer) -> None:
    """The follow-up commands stand in this command line."""
    app.add_typer(matches, name="matches")


@matches.command("list")
def list_matches(
    *,
    org: OrgFolder,
    worker: WorkerId,
    after: After = None,
    everything: Annotated[bool, typer.Option("--all", help="Also other teams' matches, and closed ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the matches of the own teams, what is due first in front. As JSON one page of all own matches."""
    if as_json:
        _one(org, worker, lambda following: following.matches(after=after), as_json=as_json)
        return

    async def run() -> tuple[list[Outcome], datetime.date]:
        async with SluisClient(org, worker=worker) as client:
            today = day_of(int(client.desk.surroundings.now()))
            return [page async for page in Following(client.desk).pages(after=after)], today

    with errors_end_the_command():
        pages, today = done(run, as_json=as_json)
    found = [one for page in pages if isinstance(page.details, MatchesResult) for one in page.details.found]
    folder = PartnerFolder(org)
    with folder.casebook() as book:
        shown, left_out = for_team(found, book.teams().get(worker, frozenset()), everything=everything)
    console.print(pages[0].text_nl if shown or not left_out else "Voor jullie team is er nu niets.", markup=False)
    _print_matches(shown, folder, today=today)
    if left_out:
        console.print(f"Van andere teams, of klaar: {left_out}. Laat ze zien met --all.", markup=False)
    for receipt in (one for page in pages for one in page.receipts):
        console.print(receipt_line(receipt), markup=False)


@matches.command("open")
def open_match(match: MatchId, *, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """Show one match with whom to call; from then on it is read."""
    _one(org, worker, lambda following: following.open(match), as_json=as_json)


@matches.command("state")
def change_state(
    match: MatchId,
    state: Annotated[Literal["contact_gehad", "werken_al_samen", "afspraken_gemaakt", "klaar"], typer.Argument()],
    *,
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Say how far you are; `werken_al_samen` mutes what follows with that team on this household."""
    _one(org, worker, lambda following: following.change(match, state), as_json=as_json)


@matches.command()
def casusregisseur(
    match: MatchId,
    who: Annotated[str, typer.Argument(metavar="wij|zij|OIN", help="The own team, the other one, or its number.")],
    team: Annotated[str | None, typer.Argument(metavar="TEAM", help="Its code, after a number only.")] = None,
    *,
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Say which of the two teams leads the one plan for the household, in the place of who leads it now."""

    async def appoint(following: Following) -> Outcome:
        shown = await following.shown(match)
        if shown.casusregisseur is not None and not as_json:
            console.print(f"Casusregisseur tot nu toe: {team_name(shown.casusregisseur)}", markup=False)
        named = following.side(shown, who, team=team)
        return await following.appoint(
            match, organisation=named.organisation, team=named.team, was=shown.casusregisseur
        )  # fmt: skip

    _one(org, worker, appoint, as_json=as_json)


@matches.command("new-report")
def new_report(
    match: MatchId,
    *,
    org: OrgFolder,
    worker: WorkerId,
    proof: Annotated[Path, typer.Option("--proof", help="File with kind, reference and since of the report.")],
    as_json: AsJson = False,
) -> None:
    """Tell the casusregisseur, as Veilig Thuis, that a new police report came in, and no more."""
    with errors_end_the_command():
        stated = read_proof(proof)
    _one(org, worker, lambda following: following.tell_new_report(match, proof=stated), as_json=as_json)


def _one(
    org: OrgFolder, worker: WorkerId, act: Callable[[Following], Awaitable[Outcome]], *, as_json: bool
) -> None:  # fmt: skip
    async def run() -> Outcome:
        async with SluisClient(org, worker=worker) as client:
            return await act(Following(client.desk))

    with errors_end_the_command():
        outcome = done(run, as_json=as_json)
    if as_json:
        details = None if outcome.details is None else outcome.details.model_dump(mode="json", by_alias=True)
        print_json({"results": [{**outcome_document(outcome), "details": details}]})
        return
    console.print(outcome.text_nl, markup=False)
    if isinstance(outcome.details, MatchesResult):
        _print_matches(outcome.details.found, PartnerFolder(org))
    for receipt in outcome.receipts:
        console.print(receipt_line(receipt), markup=False)


def _print_matches(
    found: Iterable[ShownMatch], folder: PartnerFolder, *, today: datetime.date | None = None
) -> None:  # fmt: skip
    with folder.casebook() as book:
        for match in found:
            cases, own = book.case_refs(match.signals), folder.settings.oin
            for line in match_lines(match, cases=cases, own=own, today=today):
                console.print(line, markup=False)


def done(run: Callable[[], Coroutine[Any, Any, Told]], *, as_json: bool) -> Told:
    """Return what was told; what was refused or not done ends the command with exit code 1."""
    try:
        return asyncio.run(run())
    except (NotDoneError, RefusedError) as error:
        if as_json:
            print_json({"failed": [failure_document("", error)]})
        else:
            for line in explanation(error):
                console.print(line, markup=False)
        raise typer.Exit(1) from None
