"""`review export`: entries of the own organisation as files with their proofs. The broker records every export."""

import asyncio
import datetime
from pathlib import Path
from typing import Annotated

import typer

from audit.errors import ExportError
from audit.export.bundle import RECEIPT
from audit.export.folder import write_folder, write_zip
from connectors.command_line import (
    BAD_INPUT,
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    entry_document,
    errors_end_the_command,
    notices,
    print_json,
    receipt_line,
)
from connectors.dates import first_second
from connectors.exchange import Exchange, Surroundings
from connectors.exporting import Asked, Exported, export_entries
from connectors.folder import PartnerFolder
from connectors.typed import DAY, typed_day


def add_to(review: typer.Typer) -> None:
    """`export` stands among the commands of the review."""
    review.command("export")(export)


def export(
    *,
    org: OrgFolder,
    worker: WorkerId,
    made: Annotated[str, typer.Option("--format", help="csv, json-ldv, json-adl, fhir or pdf")],
    reason: Annotated[str, typer.Option("--reason", help="Why, as a short name; it stands in the log.")],
    since: Annotated[datetime.date, typer.Option(parser=typed_day, metavar=DAY, help="The first day.")],
    until: Annotated[datetime.date, typer.Option(parser=typed_day, metavar=DAY, help="The last day.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder, or a new file if it ends in .zip.")],
    after: Annotated[int | None, typer.Option("--after", help="Go on after this entry of the log.")] = None,
    as_json: AsJson = False,
) -> None:
    """Export entries of the own organisation, at most 200, with what proves them; the export is recorded itself."""
    if out.exists():
        notices.print(f"Fout: {out} bestaat al", markup=False)
        raise typer.Exit(BAD_INPUT)
    asked = Asked(
        format=made,
        reason=reason,
        since=first_second(since),
        until=first_second(until + datetime.timedelta(days=1)),
        after=after,
    )

    async def run(folder: PartnerFolder) -> Exported:
        async with Exchange(folder, Surroundings()) as exchange:
            return await export_entries(folder, exchange, asked, worker=worker)

    with errors_end_the_command():
        exported = asyncio.run(run(PartnerFolder(org)))
    _keep(exported, out)
    _tell(exported, out, as_json=as_json)


def _keep(exported: Exported, out: Path) -> None:
    if exported.files is None:
        return
    try:
        (write_zip if out.suffix == ".zip" else write_folder)(exported.files, out)
    except ExportError:
        notices.print(f"Fout: {out} kan niet worden geschreven", markup=False)
        raise typer.Exit(BAD_INPUT) from None


def _tell(exported: Exported, out: Path, *, as_json: bool) -> None:
    written = None if exported.files is None else str(out)
    if as_json:
        told = {"entries": exported.entries, "out": written, "moreAfter": exported.more_after}
        kept = {} if written is None else {"path": f"{written}/{RECEIPT}"}
        print_json({**told, "receipt": entry_document(exported.entry) | kept})
        return
    if written is None:
        console.print("In deze periode staan er geen regels van jouw organisatie in het logboek.")
    else:
        console.print(f"{exported.entries} regels met hun bewijs staan in {written}", markup=False)
    if exported.more_after is not None:
        console.print(f"Er zijn er meer: ga verder met --after {exported.more_after}")
    console.print(receipt_line(exported.entry), markup=False)
