"""`sluis-connect keys`: the keys that letters go by, other organisations' and the own."""

import time
from typing import Annotated

import typer

from broker.protocol.register import Organisation
from connectors.command_line import Folder, console, errors_end_the_command
from connectors.dates import day_of
from connectors.errors import CaseError
from connectors.folder import PartnerFolder
from connectors.key_pins import KeyPins, PinnedKeys
from connectors.key_rotation import retire_sealing_keys, rotate_sealing_key

keys = typer.Typer(no_args_is_help=True, help="The keys that letters go by: other organisations', and the own.")

Of = Annotated[str, typer.Option("--of", help="OIN of the organisation.")]


def add_to(app: typer.Typer) -> None:
    """These commands stand in this command line."""
    app.add_typer(keys, name="keys")


@keys.command("show")
def show_keys(folder: Folder, oin: Of) -> None:
    """Show the digits of an organisation's keys: read them to each other by telephone."""
    with errors_end_the_command():
        organisation = _organisation(PartnerFolder(folder), oin)
        console.print(PinnedKeys.of(organisation).fingerprint, markup=False)


@keys.command("accept")
def accept_keys(
    folder: Folder, oin: Of, fingerprint: Annotated[str, typer.Option("--fingerprint", help="4 groups of 5 digits.")]
) -> None:
    """Take over the changed keys of an organisation, once somebody there read you these digits."""
    with errors_end_the_command():
        opened = PartnerFolder(folder)
        organisation = _organisation(opened, oin)
        with opened.casebook() as book:
            KeyPins(book).accept(organisation, fingerprint=fingerprint)
        console.print(f"De sleutels van {organisation.name} zijn overgenomen.", markup=False)


@keys.command("rotate")
def rotate(folder: Folder) -> None:
    """Make a new sealing key; the registrars get it by `sluis-connect organisation`. The old opens what still comes."""
    with errors_end_the_command():
        key = rotate_sealing_key(PartnerFolder(folder).path)
    console.print(f"Nieuwe sleutel {key.kid}. Geef de registerregel door aan de registerbeheerders.", markup=False)


@keys.command("retire")
def retire(folder: Folder) -> None:
    """Destroy old sealing keys that nothing can be sealed to any more."""
    with errors_end_the_command():
        opened = PartnerFolder(folder)
        with opened.casebook() as book:
            gone, later = retire_sealing_keys(
                opened.path, book, stated=set(opened.organisation.sealing_keys), today=day_of(int(time.time()))
            )
    for kid in gone:
        console.print(f"Sleutel {kid} is vernietigd.", markup=False)
    for kid, day in later.items():
        console.print(f"Sleutel {kid} kan weg vanaf {day}.", markup=False)


def _organisation(folder: PartnerFolder, oin: str) -> Organisation:
    found = folder.register.organisations.get(oin)
    if found is None:
        raise CaseError("of", "must be an organisation of the register")
    return found
