"""`sluis-connect inbox`: fetch what waits, and show each team its own; what a team has not seen is never read away."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

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
from connectors.folder import PartnerFolder
from connectors.follow_up_commands import done
from connectors.following import Following
from connectors.notice_book import KeptNotice, NoticeBook, moment_nl
from connectors.workers import role_for

COORDINATOR = "matchcoordinator"
LEFT_NL = "Opdrachten die nog niet klaar zijn, en wachten:"

NOTICE_NL = {
    "match": "ook betrokken: sluis-connect matches open",
    "new_report": "er is een nieuwe politiemelding: bel Veilig Thuis over match",
    "task_overdue": "de termijn van een taak is voorbij: sluis-connect tasks list, taak",
    "follow_up_overdue": "de termijn van een taak is voorbij, bij match",
    "shield_alert": "iemand keek naar een gezin met jullie afgeschermde signaal",
    "request": "vraag om informatie: sluis-connect request read",
    "answer": "antwoord op jullie vraag: sluis-connect request read",
    "delivery": "een andere organisatie vertelt iets, lees het nu: sluis-connect request read",
    "call": "vraag om te bellen: sluis-connect oproepen list, vraag",
    "consent_withdrawn": "er is geen toestemming meer voor",
    "consent_refused": "iemand legde een nee van de bewoner vast; kijk of dit signaal kan blijven:",
    "taken_back": "een collega trok in wat jullie team vroeg of deelde: sluis-connect request list, vraag",
    "request_expired": "niemand heeft op tijd geantwoord: sluis-connect request list, vraag",
    "wrongly_made": "wat een ander over betrokkenheid meldde klopte niet; het gaat om jullie signaal",
    "exception_told": "melding van een ander over",
    "casusregisseur": "jullie team is nu casusregisseur: sluis-connect matches open",
    "casusregisseur_other": "een ander team is casusregisseur: sluis-connect matches open",
    "exception_rejected": "een beoordelaar van de ander vond dat dit niet zonder toestemming gedeeld mocht worden:",
    "coordinated": "twee teams gaan contact zoeken: sluis-connect coordinated, match",
    "match_overdue": "nog geen contact: sluis-connect coordinated, match",
}
Role = Annotated[
    Literal["worker", "matchcoordinator"] | None, typer.Option("--role", help="Whose notices; of who has both roles.")
]


def add_to(app: typer.Typer) -> None:
    """This command stands in this command line."""
    app.command()(inbox)


def inbox(
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    offline: Annotated[bool, typer.Option("--offline", help="Show what was fetched before; fetch nothing.")] = False,
    fetch_only: Annotated[
        bool, typer.Option("--fetch-only", help="Show nothing, and read nothing: for a clock that runs by itself.")
    ] = False,
    all_teams: Annotated[bool, typer.Option("--all", help="Show other teams' notices too; they stay unread.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch one page of what waits, and show what is for the worker's own teams; that is read from then on.

    Who is in no team sees all of it. Fetch on a fixed clock, with --fetch-only: then nobody's notices are read away.
    """
    with errors_end_the_command():
        taken = role_for(PartnerFolder(org), worker, role, among=("worker", COORDINATOR))

        async def run() -> tuple[Outcome | None, list[KeptNotice], int]:
            async with SluisClient(org, worker=worker, role=taken) as client:
                following = Following(client.desk, role=taken)
                outcome = None if offline else await following.fetch()
                return outcome, following.unread(), client.left()

        outcome, unread, left = done(run, as_json=as_json)
        with PartnerFolder(org).casebook() as book:
            teams = book.teams().get(worker, frozenset()) if taken == "worker" else frozenset()
            own = [] if fetch_only else [one for one in unread if not teams or one.team in teams]
            others = [one for one in unread if one not in own]
            shown = [one for one in unread if one in own or (all_teams and not fetch_only)]
            kept = NoticeBook(book, role=taken)
            _print(
                outcome, shown, others=len(others), fetched_at=kept.fetched_at(), fetch_only=fetch_only, as_json=as_json
            )
            if left and not as_json:
                console.print(f"{LEFT_NL} {left}. Maak ze af met: sluis-connect resume", markup=False)
            # Read only once it was printed: a crash before shows it again.
            kept.read([one.id for one in own])


def _print(
    outcome: Outcome | None, shown: Sequence[KeptNotice], *, others: int, fetched_at: int | None, fetch_only: bool,
    as_json: bool,
) -> None:  # fmt: skip
    if as_json:
        listed = [{"id": one.id, "kind": one.kind, "team": one.team, "about": one.about, "at": one.at} for one in shown]
        results = [] if outcome is None else [outcome_document(outcome)]
        print_json({"notices": listed, "others": others, "results": results})
        return
    for one in shown:
        console.print(f"{one.when}  {one.team}  {NOTICE_NL.get(one.kind, one.kind)}  {one.about}", markup=False)
    if outcome is None:
        console.print(_as_of(fetched_at), markup=False)
    if fetch_only:
        console.print(f"Opgehaald. Nog ongelezen: {others}.", markup=False)
    elif not shown and fetched_at is not None:
        console.print("Er is niets nieuws.", markup=False)
    if others and not fetch_only:
        console.print(f"Nog ongelezen, voor andere teams: {others}. Laat ze zien met --all.", markup=False)
    for receipt in () if outcome is None else outcome.receipts:
        console.print(receipt_line(receipt), markup=False)


def _as_of(fetched_at: int | None) -> str:
    """Return how old it is what stands here: what came later, or did not come through, is not nothing."""
    if fetched_at is None:
        return "Hier is nog nooit iets opgehaald. Je weet nu dus niet of er iets is."
    return f"Laatst opgehaald op {moment_nl(fetched_at)}. Wat daarna kwam, staat hier niet bij."
