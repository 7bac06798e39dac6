"""Working with own signals and receipts: list, renew, withdraw, verify again."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from broker.protocol.days_nl import day_nl
from connectors.answers import Outcome
from connectors.caseload_report import (
    draft_documents,
    looked_documents,
    print_drafts,
    print_looked,
    print_to_look_at,
)
from connectors.client import SluisClient
from connectors.command_line import (
    NOT_DONE,
    ApproverId,
    AsJson,
    OrgFolder,
    WorkerId,
    case_words,
    console,
    entry_document,
    errors_end_the_command,
    explanation,
    failure_document,
    outcome_document,
    print_json,
    print_outcome,
    print_unfinished,
    receipt_line,
)
from connectors.conclusions import Resumed
from connectors.errors import CaseError, NotDoneError, RefusedError
from connectors.folder import PartnerFolder
from connectors.look_later import Looked, LookLater
from connectors.receipts import verify_stored
from connectors.typed import DAY, typed_day

receipt = typer.Typer(no_args_is_help=True, help="Receipts that were kept.")

STATE_NL = {"active": "actief", "frozen": "bevroren", "withdrawn": "ingetrokken", "ended": "geëindigd"}
SignalId = Annotated[str, typer.Argument(metavar="SIGNAL", help="The signal's id, as `list` prints it.")]


def add_to(app: typer.Typer) -> None:
    """The signal commands stand in this command line."""
    app.command("list")(list_signals)
    app.command()(renew)
    app.command()(withdraw)
    app.command()(resume)
    app.command()(drafts)
    app.add_typer(receipt, name="receipt")


def list_signals(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the organisation's own signals."""
    with errors_end_the_command():
        outcome = _one(SluisClient(org, worker=worker), lambda client: client.list_signals(), as_json=as_json)
    if as_json:
        return
    with PartnerFolder(org).casebook() as book:
        for signal in outcome.signals:
            stands = f"{STATE_NL[signal.state]}  tot en met {day_nl(signal.ends_on)}"
            line = f"{signal.signal_id}  {signal.purpose}  {signal.team}  {stands}"
            console.print(f"{line}  {case_words(book.case_refs([signal.signal_id]))}", markup=False)


def renew(
    signal: SignalId,
    *,
    org: OrgFolder,
    worker: WorkerId,
    ends_on: Annotated[datetime.date, typer.Option("--ends-on", parser=typed_day, metavar=DAY)],
    approver: ApproverId = None,
    as_json: AsJson = False,
) -> None:
    """Give an own signal a new end date."""
    with errors_end_the_command():
        client = SluisClient(org, worker=worker, approver=approver)
        _one(client, lambda client: client.renew(signal, ends_on=ends_on), as_json=as_json)


def withdraw(
    signal: SignalId,
    *,
    org: OrgFolder,
    worker: WorkerId,
    reason: Annotated[Literal["mistake", "no_longer_needed"], typer.Option("--reason")],
    approver: ApproverId = None,
    as_json: AsJson = False,
) -> None:
    """End an own signal."""
    with errors_end_the_command():
        client = SluisClient(org, worker=worker, approver=approver)
        _one(client, lambda client: client.withdraw(signal, reason=reason), as_json=as_json)


def resume(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """Finish every command that was sent, or nearly, and has no receipt yet."""

    async def all_of_them(client: SluisClient) -> Resumed:
        async with client:
            return await client.resume()

    with errors_end_the_command():
        client = SluisClient(org, worker=worker)
        resumed = asyncio.run(all_of_them(client))
        with client.folder.casebook() as book:
            later = LookLater(book, client.folder.outbox_key)
            looked, to_look_at = later.untold(), later.count()
            _tell_resumed(resumed, looked, to_look_at, as_json=as_json)
            later.told(*(one.signal_id for one in looked))
    if resumed.unfinished:
        raise typer.Exit(NOT_DONE)


def drafts(*, org: OrgFolder, as_json: AsJson = False) -> None:
    """List the rows that are not registered until a person has judged them and it is known whether the family knows."""
    with errors_end_the_command():
        with PartnerFolder(org).casebook() as book:
            found = book.drafts()
        if as_json:
            print_json({"drafts": draft_documents(found)})
        else:
            print_drafts(found, to=console)


@receipt.command("verify")
def receipt_verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of the folder `receipts`.")],
    *,
    org: OrgFolder,
    as_json: AsJson = False,
) -> None:
    """Verify kept receipts anew: receipt, request, answer and tickets, offline, under this folder's own log policy."""
    with errors_end_the_command():
        policy = PartnerFolder(org).log_policy
        # A typing error is none of a broker's lies: the alarm is for a receipt that is there and does not hold.
        if not all(file.is_file() for file in files):
            raise CaseError("FILE", "must be a file that is there and can be read")
        entries = [verify_stored(file, policy=policy) for file in files]
    if as_json:
        print_json({"receipts": [entry_document(entry) for entry in entries]})
        return
    for entry in entries:
        console.print(receipt_line(entry), markup=False)


def _tell_resumed(resumed: Resumed, looked: list[Looked], to_look_at: int, *, as_json: bool) -> None:
    if as_json:
        failed = [failure_document(one.row, one.error) for one in resumed.unfinished]
        told = {"looked": looked_documents(looked), "to_look_at": to_look_at}
        print_json({"resumed": [outcome_document(outcome) for outcome in resumed.outcomes], "failed": failed, **told})
        return
    for outcome in resumed.outcomes:
        print_outcome(outcome)
    print_unfinished(resumed.unfinished)
    if not (resumed.outcomes or resumed.unfinished):
        console.print("Er wacht niets.", markup=False)
    print_looked(looked)
    print_to_look_at(to_look_at, budget_spent=False)


def _one(client: SluisClient, act: Callable[[SluisClient], Awaitable[Outcome]], *, as_json: bool) -> Outcome:
    async def run() -> Outcome:
        async with client:
            return await act(client)

    try:
        outcome = asyncio.run(run())
    except (NotDoneError, RefusedError) as error:
        if as_json:
            print_json({"failed": [failure_document("", error)]})
        else:
            for line in explanation(error):
                console.print(line, markup=False)
        raise typer.Exit(1) from None
    if as_json:
        print_json({"results": [outcome_document(outcome)]})
    else:
        print_outcome(outcome)
    return outcome
