"""`sluis-connect vocabulary` and `organisations`: the words and numbers that other commands ask for."""

from typing import Annotated

import typer

from broker.protocol.policy_messages import Vocabulary
from broker.protocol.roster import ROLES
from connectors.client import SluisClient
from connectors.command_line import AsJson, OrgFolder, WorkerId, console, errors_end_the_command, print_json
from connectors.directory import KnownOrganisation, organisations
from connectors.folder import PartnerFolder
from connectors.follow_up_commands import done
from connectors.vocabulary import one_purpose, others, own_rows, purposes_of, vocabulary
from connectors.workers import role_for, roles_of

Wanted = Annotated[str | None, typer.Option("--purpose", help="What may be done for this purpose, and on what.")]
_MORE_NL = "Wat je voor een doel mag, en op welke grond: sluis-connect vocabulary --purpose DOEL"


def add_to(app: typer.Typer) -> None:
    """These commands stand in this command line."""
    app.command("vocabulary")(show_vocabulary)
    app.command("organisations")(show_organisations)


def show_vocabulary(*, org: OrgFolder, worker: WorkerId, purpose: Wanted = None, as_json: AsJson = False) -> None:
    """Show which purposes, grounds, kinds of data and proofs there are, and what your organisation may do with them."""

    async def run() -> Vocabulary:
        role = _any_role(org, worker)
        async with SluisClient(org, worker=worker, role=role) as client:
            return await vocabulary(client.desk, role=role)

    with errors_end_the_command():
        words, folder = done(run, as_json=as_json), PartnerFolder(org)
        own = folder.register.organisations[folder.settings.oin].org_class
        rows = own_rows(words, own, purpose)
        told = (
            [*purposes_of(words, own), *others(words), _MORE_NL]
            if purpose is None
            else one_purpose(words, rows, purpose)
        )
    if as_json:
        allowed = [row.model_dump(mode="json", by_alias=True) for row in rows]
        print_json({**words.model_dump(mode="json", by_alias=True), "allowed": allowed})
        return
    for line in told:
        console.print(line, markup=False)


def show_organisations(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """Show every organisation with its OIN, and its teams with code and phone; the signed cards are kept here.

    Numbers in later answers are held against what the organisation itself signed, from then on.
    """

    async def run() -> list[KnownOrganisation]:
        role = _any_role(org, worker)
        async with SluisClient(org, worker=worker, role=role) as client:
            return await organisations(client.desk, role=role)

    with errors_end_the_command():
        found = done(run, as_json=as_json)
    if as_json:
        print_json({"organisations": [one.document() for one in found]})
        return
    for line in (line for one in found for line in one.lines()):
        console.print(line, markup=False)


def _any_role(org: OrgFolder, worker: WorkerId) -> str:
    """Return one of his roles: whoever works here may look these up. Raises FolderError: he has left."""
    folder = PartnerFolder(org)
    own = sorted(roles_of(folder, worker))
    return role_for(folder, worker, own[0] if own and "worker" not in own else None, among=sorted(ROLES))
