"""Import grants: one person proposes, another approves; custodians accept what both stated."""

import datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.protocol.grant import SignedGrant
from connectors.command_line import AsJson, OrgFolder, Purpose, console, errors_end_the_command, print_json
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder, write_durably
from connectors.grants import approve, parse_elements, propose
from connectors.typed import DAY, typed_day

grant = typer.Typer(no_args_is_help=True, help="Grants for importing a caseload.")

Worker = Annotated[str, typer.Option("--worker", help="Local id of the person who states it.")]
Out = Annotated[Path, typer.Option("--out", help="Where the grant goes.")]


def add_to(app: typer.Typer) -> None:
    """The grant commands stand in this command line."""
    app.add_typer(grant, name="grant")


@grant.command("propose")
def grant_propose(
    *,
    org: OrgFolder,
    purpose: Purpose,
    elements: Annotated[
        str, typer.Option("--elements", metavar="FAMILY=N,...", help="Exact counts; `register --dry-run` tells them.")
    ],
    expires_on: Annotated[
        datetime.date,
        typer.Option("--expires-on", parser=typed_day, metavar=DAY, help="Its last day, at most 31 from now."),
    ],
    worker: Worker,
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Propose a grant for exactly so many elements; a second person has to approve it."""
    with errors_end_the_command():
        proposed = propose(
            PartnerFolder(org),
            worker=worker,
            purpose=purpose,
            elements=parse_elements(elements),
            expires_on=expires_on,
            surroundings=Surroundings(),
        )
        write_durably(out, proposed.encode())
    _tell(proposed, "Voorgesteld. Laat een collega dit goedkeuren met `sluis-connect grant approve`.", as_json=as_json)


@grant.command("approve")
def grant_approve(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What was proposed.")],
    *,
    org: OrgFolder,
    worker: Worker,
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Approve what a colleague proposed; then hand it to every custodian."""
    with errors_end_the_command():
        folder = PartnerFolder(org)
        approved = approve(folder, file.read_bytes(), worker=worker, surroundings=Surroundings())
        write_durably(out, approved.encode())
    _tell(approved, "Goedgekeurd. Stuur dit bestand naar elke sleutelbewaarder.", as_json=as_json)


def _tell(signed: SignedGrant, next_nl: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"grant": signed.grant.document(), "statements": len(signed.statements)})
        return
    asked = ", ".join(f"{count} {family}" for family, count in signed.grant.elements.items())
    line = f"Importtoestemming {signed.grant.id}: {asked}, doel {signed.grant.purpose}"
    console.print(f"{line}, tot en met {signed.grant.expires_on}.", markup=False)
    console.print(next_nl, markup=False)
