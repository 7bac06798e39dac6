"""Setting up: the partner's folder, its workers and rosters, and the documents it trusts."""

from pathlib import Path
from typing import Annotated

import typer

from broker.protocol import strict_json
from broker.protocol.signing_keys import b64url
from connectors.command_line import AsJson, Folder, console, errors_end_the_command, print_json
from connectors.errors import FolderError
from connectors.folder import PartnerFolder, Pins, read_jwk, registrar_pins
from connectors.settings import Party, Settings
from connectors.workers import add_worker, read_teams, remove_worker, sign_roster

worker = typer.Typer(no_args_is_help=True, help="The workers of this organisation.")
roster = typer.Typer(no_args_is_help=True, help="Rosters: who works here, signed for one audience.")
trust = typer.Typer(no_args_is_help=True, help="Documents that others signed and this folder verifies.")

DocumentFile = Annotated[Path, typer.Argument(metavar="FILE")]


def add_to(app: typer.Typer) -> None:
    """The set-up commands stand in this command line."""
    app.command()(init)
    app.command()(organisation)
    app.add_typer(worker, name="worker")
    app.add_typer(roster, name="roster")
    app.add_typer(trust, name="trust")


def init(
    folder: Folder,
    *,
    oin: Annotated[str, typer.Option("--oin", help="The organisation's number, 20 digits.")],
    name: Annotated[str, typer.Option("--name")],
    broker: Annotated[str, typer.Option("--broker", metavar="ID=URL")],
    custodian: Annotated[list[str], typer.Option("--custodian", metavar="ID=URL")],
    custodian_key: Annotated[
        list[str], typer.Option("--custodian-key", metavar="ID=JWKFILE", help="The key it signs epochs with.")
    ],
    registrar: Annotated[list[Path], typer.Option("--registrar", metavar="JWKFILE", help="At least two.")],
    log_policy: Annotated[Path, typer.Option("--log-policy", metavar="FILE")],
    purpose_families: Annotated[
        list[str] | None,
        typer.Option("--purpose-families", metavar="PURPOSE=FAMILY,FAMILY", help="Where not nlbsn and fam."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the partner's folder with fresh keys, and pin whom it trusts."""
    with errors_end_the_command():
        families = dict(_pair(text, "purpose-families") for text in purpose_families or [])
        settings = _settings(oin, name, broker, custodian, {key: text.split(",") for key, text in families.items()})
        keys = dict(_pair(text, "custodian-key") for text in custodian_key)
        pins = Pins(
            registrars=registrar_pins(registrar),
            custodians={party: read_jwk(Path(path)) for party, path in keys.items()},
        )
        made = PartnerFolder.create(folder, settings, pins=pins, log_policy=log_policy.read_text("utf-8"))
        document = _own_part(made)
    if as_json:
        print_json(document)
    else:
        console.print(f"{name}: map gemaakt, met sleutel {made.signing_key.public.kid}", markup=False)


def organisation(folder: Folder) -> None:
    """Print this organisation's own part of its register line, as JSON: number, name and public keys."""
    with errors_end_the_command():
        print_json(_own_part(PartnerFolder(folder)))


@worker.command("add")
def worker_add(
    folder: Folder,
    *,
    local_id: Annotated[str, typer.Option("--local-id")],
    name: Annotated[str, typer.Option("--name")],
    role: Annotated[list[str], typer.Option("--role", help="worker, approver, privacyfunctionaris or fg.")],
    team: Annotated[list[str] | None, typer.Option("--team", help="Code of a team: nobody reviews his own.")] = None,
) -> None:
    """Add a worker; sign and hand in rosters again afterwards."""
    with errors_end_the_command():
        add_worker(PartnerFolder(folder), local_id=local_id, name=name, roles=role, teams=team or ())


@worker.command("remove")
def worker_remove(folder: Folder, *, local_id: Annotated[str, typer.Option("--local-id")]) -> None:
    """Take a worker who leaves off the rosters; sign and hand them in again afterwards."""
    with errors_end_the_command():
        remove_worker(PartnerFolder(folder), local_id=local_id)
    console.print(
        f"{local_id} staat niet meer op de lijst. Teken de roosters opnieuw en lever ze in. Heeft een collega de "
        "signalen nog niet? Draag ze over: sluis-connect handover COLLEGA --of-nobody.",
        markup=False,
    )


@roster.command("sign")
def roster_sign(
    folder: Folder,
    *,
    audience: Annotated[list[str], typer.Option("--audience", help="The id of the broker or of a custodian.")],
    out: Annotated[list[Path], typer.Option("--out", help="Where it goes; one for each audience.")],
    teams: Annotated[Path | None, typer.Option("--teams", help="Contact cards as a JSON list, for the broker.")] = None,
) -> None:
    """Write the signed roster for one audience; each has a higher number than the last."""
    with errors_end_the_command():
        opened = PartnerFolder(folder)
        cards = [] if teams is None else read_teams(strict_json.loads(teams.read_bytes(), field="teams"))
        if len(audience) != len(out):
            raise FolderError("out", "must be given once for each --audience, in the same order")
        for party, path in zip(audience, out, strict=True):
            path.write_bytes(sign_roster(opened, audience=party, teams=cards).encode())


@trust.command("import-register")
def import_register(
    folder: Folder,
    file: DocumentFile,
    epoch_file: Annotated[Path | None, typer.Option("--epoch", metavar="FILE", help="Take this epoch too.")] = None,
    excluded_file: Annotated[
        Path | None, typer.Option("--excluded", metavar="FILE", help="Take this list of excluded addresses too.")
    ] = None,
) -> None:
    """Take a register of organisations that two registrars signed; a running connector sees it at once."""
    with errors_end_the_command():
        register = PartnerFolder(folder).import_register(file.read_bytes())
    console.print(f"register {register.number} overgenomen", markup=False)
    if epoch_file is not None:
        import_epoch(folder, epoch_file)
    if excluded_file is not None:
        import_excluded(folder, excluded_file)


@trust.command("import-excluded")
def import_excluded(folder: Folder, file: DocumentFile) -> None:
    """Take the list of addresses that never become a token: shelters and institutions."""
    with errors_end_the_command():
        listed = PartnerFolder(folder).import_excluded(file.read_bytes())
    console.print(f"lijst {listed.number} overgenomen: {len(listed.addresses)} uitgezonderde adressen", markup=False)


@trust.command("import-epoch")
def import_epoch(folder: Folder, file: DocumentFile) -> None:
    """Take the epoch descriptors that every custodian signed."""
    with errors_end_the_command():
        epoch = PartnerFolder(folder).import_epoch(file.read_bytes())
    console.print(f"epoch {epoch.epoch} overgenomen", markup=False)


def _settings(oin: str, name: str, broker: str, custodians: list[str], families: dict[str, list[str]]) -> Settings:
    try:
        return Settings(
            oin=oin,
            name=name,
            broker=_party(broker, "broker"),
            custodians=tuple(_party(text, "custodian") for text in custodians),
            families=families,
        )
    except ValueError:
        raise FolderError("init", "an option breaks a rule: OIN of 20 digits, id=URL, two custodians") from None


def _party(text: str, field: str) -> Party:
    name, url = _pair(text, field)
    return Party(id=name, url=url.rstrip("/"))


def _pair(text: str, field: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise FolderError(field, "must be NAME=VALUE")
    return name, value


def _own_part(folder: PartnerFolder) -> dict[str, object]:
    sealing = folder.sealing_key
    return {
        "oin": folder.settings.oin,
        "name": folder.settings.name,
        "signingKeys": [folder.signing_key.public.jwk()],
        "sealingKeys": [{"kid": sealing.kid, "x25519": b64url(sealing.public)}],
    }
