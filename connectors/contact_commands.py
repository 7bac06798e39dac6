"""`sluis-connect night-card`, `ownerless`, `handover` and `coordinated`: who is reached, and who sees to what."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from broker.protocol.match_messages import CoordinatedMatch, CoordinatedResult
from broker.protocol.owner_messages import HandOverSignals, OwnersResult
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.command_line import (
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    errors_end_the_command,
    outcome_document,
    print_json,
    receipt_line,
)
from connectors.contacts import Contacts
from connectors.coordinated_lines import coordinated_lines
from connectors.folder import PartnerFolder
from connectors.follow_up_commands import After, done
from connectors.night_card import NightCard, night_card
from connectors.review_pdf import check_renderer
from connectors.workers import pairwise_id

COORDINATOR = "matchcoordinator"


def add_to(app: typer.Typer) -> None:
    """The commands about contact and owners stand in this command line."""
    app.command("night-card")(print_night_card)
    app.command()(ownerless)
    app.command()(handover)
    app.command()(coordinated)


def print_night_card(
    *,
    org: OrgFolder,
    worker: WorkerId,
    html: Annotated[Path | None, typer.Option("--html", help="Write it here, to print.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write it here as a tagged PDF.")] = None,
) -> None:
    """Print whom to call outside office hours; no household is on it."""

    async def run() -> tuple[NightCard, int]:
        async with SluisClient(org, worker=worker) as client:
            return await night_card(client.desk), int(client.desk.surroundings.now())

    with errors_end_the_command():
        card, now = done(run, as_json=False)
        # What needs nothing else first: at night a page that can be printed is worth more than an error.
        if html is not None:
            html.write_text(card.html(), encoding="utf-8")
        if pdf is not None:
            check_renderer()
            pdf.write_bytes(card.pdf(made_at=now))
        if html is None and pdf is None:
            console.print(card.text(), markup=False)


def ownerless(*, org: OrgFolder, worker: WorkerId, after: After = None, as_json: AsJson = False) -> None:
    """List the own signals to which nobody on the roster sees."""
    path = "/v1/ownerless-signals" + ("" if after is None else f"?after={after}")
    outcome = _read(org, worker, path, role="worker", as_json=as_json)
    if isinstance(outcome.details, OwnersResult) and not as_json:
        for one in outcome.details.found:
            console.print(f"{one.signal_id}  {one.purpose}  {one.team}  tot en met {one.ends_on}", markup=False)
        if outcome.details.more_after is not None:
            console.print(f"Er is meer: ga verder met --after {outcome.details.more_after}", markup=False)


def handover(
    to: Annotated[str, typer.Argument(metavar="TO", help="Local id of the colleague who sees to them from now on.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    of_nobody: Annotated[
        bool, typer.Option("--of-nobody", help="Those that nobody sees to, instead of one's own.")
    ] = False,
    of: Annotated[
        str | None, typer.Option("--of", metavar="WORKER", help="Those of this colleague, as approver.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand over all of one's signals in one act, a colleague's as approver, or take up those that nobody sees to."""
    role = "worker" if of is None else "approver"

    async def run() -> Outcome:
        async with SluisClient(org, worker=worker, role=role) as client:
            folder = client.folder

            def known(local_id: str) -> str:
                return pairwise_id(folder.pairwise_key, audience=folder.settings.broker.id, local_id=local_id)

            members = {"of": None if of_nobody else known(of or worker), "to": known(to)}
            command = client.desk.composer.statement(
                HandOverSignals, members, kind="admin", path="/v1/signal-handovers", local={}
            )
            return await client.desk.delivery.send(replace(command, role=role))

    with errors_end_the_command():
        outcome = done(run, as_json=as_json)
    _tell(outcome, as_json=as_json)
    if isinstance(outcome.details, OwnersResult) and not as_json:
        console.print(f"Aantal: {outcome.details.handed_over}", markup=False)


def coordinated(
    *,
    org: OrgFolder,
    worker: WorkerId,
    after: After = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that had contact.")] = False,
    as_json: AsJson = False,
) -> None:
    """List, as matchcoordinator, who is to contact whom, what is late first; nothing of the household.

    As JSON one page; else every page from there.
    """
    outcomes: list[Outcome] = []
    found: list[CoordinatedMatch] = []
    more = after
    while not outcomes or (more is not None and not as_json):
        path = "/v1/coordinated-matches" + ("" if more is None else f"?after={more}")
        outcomes.append(_read(org, worker, path, role=COORDINATOR, as_json=as_json, tell=as_json))
        details = outcomes[-1].details
        found += details.found if isinstance(details, CoordinatedResult) else []
        more = details.more_after if isinstance(details, CoordinatedResult) else None
    if as_json:
        return
    console.print(outcomes[0].text_nl, markup=False)
    folder = PartnerFolder(org)
    with folder.casebook() as book:
        for line in coordinated_lines(found, contacts=Contacts(book, folder), everything=everything):
            console.print(line, markup=False)
    for receipt in (one for outcome in outcomes for one in outcome.receipts):
        console.print(receipt_line(receipt), markup=False)


def _read(org: Path, worker: str, path: str, *, role: str, as_json: bool, tell: bool = True) -> Outcome:
    async def run() -> Outcome:
        async with SluisClient(PartnerFolder(org), worker=worker, role=role) as client:
            return await client.desk.delivery.read(path, worker=worker, role=role)

    with errors_end_the_command():
        outcome = done(run, as_json=as_json)
    if tell:
        _tell(outcome, as_json=as_json)
    return outcome


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        details = None if outcome.details is None else outcome.details.model_dump(mode="json", by_alias=True)
        print_json({"results": [{**outcome_document(outcome), "details": details}]})
        return
    console.print(outcome.text_nl, markup=False)
    for receipt in outcome.receipts:
        console.print(receipt_line(receipt), markup=False)
