"""`sluis-connect exception` and `advice`: tell where no law allows it, and ask advice without telling about anybody."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from broker.protocol.exception_messages import ExceptionShown
from broker.protocol.problems import render
from connectors.advice import count_advice
from connectors.client import SluisClient
from connectors.command_line import (
    ApproverId,
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    errors_end_the_command,
    print_json,
    told_as,
)
from connectors.consents import one_person, read_statement
from connectors.dossiers import as_text, check_replaces, fg_key, fingerprint, open_dossier, pin_fg_key
from connectors.exceptions import Exceptions
from connectors.folder import PartnerFolder
from connectors.sealing import SealingKey

T = TypeVar("T")
exception = typer.Typer(no_args_is_help=True, help="Exceptions: telling without consent where no law allows it.")

Statement = Annotated[Path, typer.Argument(metavar="FILE", help="A JSON file: to whom, which type, the dossier.")]
ExceptionId = Annotated[str, typer.Argument(metavar="EXCEPTION", help="Its id, as `exception list` prints it.")]
KeyFile = Annotated[Path, typer.Option("--key", help="The FG's private key, kept outside the folder.")]


def add_to(app: typer.Typer) -> None:
    """The exception commands stand in this command line."""
    app.add_typer(exception, name="exception")
    app.command()(advice)


@exception.command("key")
def make_key(
    *,
    org: OrgFolder,
    key: KeyFile,
    replaces: Annotated[
        str | None, typer.Option("--replaces", help="The digits of the FG's key before this one, where there is one.")
    ] = None,
) -> None:
    """Make the key that dossiers are sealed to; only the FG has the private half, and notes the digits."""
    with errors_end_the_command():
        folder = PartnerFolder(org)
        check_replaces(folder, replaces)
        made = SealingKey.create(key).public
        pin_fg_key(folder, made, replaces=replaces)
        console.print(_sealed_to(made), markup=False)


@exception.command("invoke")
def invoke(
    file: Statement,
    *,
    org: OrgFolder,
    worker: WorkerId,
    approver: ApproverId = None,
    case: Annotated[
        Path | None, typer.Option("--case", help="A JSON file with one case: the persons that it is about.")
    ] = None,
    signal: Annotated[str | None, typer.Option("--signal", help="An own signal, about the person.")] = None,
    as_json: AsJson = False,
) -> None:
    """Invoke an exception. Where a law already lets you tell, it is refused, with what you can do.

    A letter rests on it only about whom it names.
    """
    with errors_end_the_command(), told_as(as_json=as_json):
        stated = read_statement(file)
        about = None if case is None else one_person(case)
        told, text = _run(
            org, worker, lambda exceptions: exceptions.invoke(stated, case=about, signal_id=signal), approver=approver
        )  # fmt: skip
        _print([told], text, as_json=as_json)
        _say_key(org, stated.get("dossier"), as_json=as_json)


@exception.command("complete")
def complete(
    exception_id: ExceptionId, file: Statement, *, org: OrgFolder, worker: WorkerId, as_json: AsJson = False
) -> None:
    """Bring the rest of an acute exception, within a day; FILE holds the dossier."""
    with errors_end_the_command(), told_as(as_json=as_json):
        stated = read_statement(file)
        told, text = _run(org, worker, lambda exceptions: exceptions.complete(exception_id, dict(stated)))
        _print([told], text, as_json=as_json)
        _say_key(org, stated, as_json=as_json)


@exception.command("list")
def list_own(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the own exceptions, and what each still owes."""
    with errors_end_the_command(), told_as(as_json=as_json):
        own = _run(org, worker, lambda exceptions: exceptions.list_own())
        _print(own, render("exception.list", {}), as_json=as_json)


@exception.command("read")
def read(
    dossier: Annotated[Path, typer.Argument(metavar="DOSSIER", help="A file of the folder `dossiers`.")],
    *,
    key: KeyFile,
) -> None:
    """Open a dossier, as FG; its commitment is that of the entry."""
    with errors_end_the_command():
        opened = open_dossier(dossier, key=SealingKey.read(key))
        console.print(opened.commitment, markup=False)
        console.print(as_text(opened), markup=False)


def advice(*, org: OrgFolder, as_json: AsJson = False) -> None:
    """Note that advice was asked of Veilig Thuis: a counter of this organisation, and nothing else anywhere."""
    with errors_end_the_command():
        month, count = count_advice(PartnerFolder(org))
        if as_json:
            print_json({"month": month, "asked": count})
            return
        console.print(render("advice.asked", {}), markup=False)


def _run(org: OrgFolder, worker: str, act: Callable[[Exceptions], Awaitable[T]], *, approver: str | None = None) -> T:
    async def run() -> T:
        async with SluisClient(org, worker=worker, approver=approver) as client:
            return await act(client.exceptions)

    return asyncio.run(run())


def _say_key(org: OrgFolder, dossier: object, *, as_json: bool) -> None:
    """Whoever wrote a dossier sees for which key it was sealed: the FG knows his own digits."""
    if dossier is not None and not as_json:
        console.print(_sealed_to(fg_key(PartnerFolder(org))), markup=False)


def _sealed_to(public: bytes) -> str:
    return f"Dossiers gaan op slot met de sleutel van de FG: {fingerprint(public)}"


def _print(told: list[ExceptionShown] | tuple[ExceptionShown, ...], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"exceptions": [one.model_dump(mode="json", by_alias=True) for one in told], "text_nl": text})
        return
    console.print(text, markup=False)
    for one in told:
        owed = "  de rest volgt nog" if one.rest_due is not None else ""
        console.print(f"{one.exception_id}  {one.type}  {one.recipient}  {one.ground}{owed}", markup=False)
