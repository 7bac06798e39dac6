"""Working with cases: register signals and look who is involved, for one case or a whole file."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from connectors.answers import Outcome
from connectors.case_run import Report, run_cases
from connectors.caseload_report import tell
from connectors.cases import Case
from connectors.client import SluisClient
from connectors.command_line import (
    ApproverId,
    AsJson,
    Families,
    Grounds,
    OrgFolder,
    Purpose,
    Team,
    WorkerId,
    errors_end_the_command,
)
from connectors.errors import SourceError
from connectors.registering import Pace, Registering, forget_what_was_told, register_caseload
from connectors.sources.assessments import with_assessments
from connectors.sources.case_file import read_bsn_file, read_case_file
from connectors.sources.caseload import Caseload, write_rejects
from connectors.sources.csv_file import read_csv
from connectors.sources.gba_v import SELF_BSN, read_gba_v
from connectors.stated_proof import read_proof
from connectors.typed import DAY, typed_day


class Source(StrEnum):
    """The formats a caseload can have."""

    CSV = "csv"
    GBA_V = "gba-v"
    CASE = "case"


SourceOption = Annotated[Source, typer.Option("--source", help="The format of FILE.")]
SourceFile = Annotated[Path, typer.Argument(metavar="FILE")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first so many persons of the file.")]
Rows = Annotated[Path | None, typer.Option("--rows", help="Only the rows named in this file, one per line.")]
Assessments = Annotated[
    Path | None,
    typer.Option("--assessments", help="Who judged each youth: label,assessed_on,assessed_by,informed."),
]
Rejects = Annotated[Path | None, typer.Option("--rejects", help="Where rejected rows go: row,field,rule.")]
Parallel = Annotated[int, typer.Option("--parallel", min=1, max=32, help="Cases under way at once.")]
ProofFile = Annotated[
    Path | None,
    typer.Option("--proof", help="A JSON file with the proof of a task in law: kind, reference, since, ends_on."),
]
Urgent = Annotated[bool, typer.Option("--urgent", help="There is danger: take from the reserve, reviewed afterwards.")]


def add_to(app: typer.Typer) -> None:
    """The case commands stand in this command line."""
    app.command()(register)
    app.command()(check)
    app.command()(oproep)


def register(
    file: SourceFile,
    *,
    source: SourceOption,
    org: OrgFolder,
    purpose: Purpose,
    ground: Grounds,
    worker: WorkerId,
    approver: ApproverId = None,
    team: Team = None,
    ends_on: Annotated[datetime.date | None, typer.Option("--ends-on", parser=typed_day, metavar=DAY)] = None,
    families: Families = None,
    limit: Limit = None,
    rows: Rows = None,
    assessments: Assessments = None,
    grant: Annotated[Path | None, typer.Option("--grant", help="Import under this grant, and look nobody up.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report only; nothing is sent.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish what had no receipt, do the rest, then look at what was imported.")
    ] = False,
    look_at_most: Annotated[int | None, typer.Option("--look-at-most", min=0, help="Of imported households.")] = None,
    rejects: Rejects = None,
    parallel: Parallel = 8,
    urgent: Urgent = False,
    as_json: AsJson = False,
) -> None:
    """Register a signal for every case of a file; without a grant, registering also tells who else is involved."""
    with errors_end_the_command():
        report = Report()
        caseload = _read(file, source, limit, rows, assessments)
        client = SluisClient(org, worker=worker, approver=approver, urgent=urgent)
        wanted = Registering(
            purpose=purpose,
            grounds=tuple(ground),
            team=team,
            ends_on=ends_on,
            families=client.folder.settings.families_of(purpose) if families is None else _families(families),
        )
        pace = Pace(parallel=parallel, resume=resume, look_at_most=look_at_most, dry_run=dry_run)
        caseload, elements = asyncio.run(register_caseload(client, caseload, wanted, report, pace, grant_file=grant))
        if rejects is not None:
            write_rejects(rejects, caseload.rejected)
        tell(caseload, report, as_json=as_json, more={"dry_run": dry_run, "elements": elements})
        forget_what_was_told(client.folder, report)
    raise typer.Exit(report.exit_code(caseload))


def check(
    *,
    org: OrgFolder,
    purpose: Purpose,
    ground: Grounds,
    worker: WorkerId,
    approver: ApproverId = None,
    team: Team = None,
    source: Annotated[Source | None, typer.Option("--source", help="The format of --file.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A caseload in the format of --source.")] = None,
    case: Annotated[Path | None, typer.Option("--case", help="A JSON file with one case.")] = None,
    bsn_file: Annotated[Path | None, typer.Option("--bsn-file", help="A file with one BSN per line.")] = None,
    families: Families = None,
    limit: Limit = None,
    rows: Rows = None,
    proof: ProofFile = None,
    rejects: Rejects = None,
    parallel: Parallel = 8,
    urgent: Urgent = False,
    as_json: AsJson = False,
) -> None:
    """Look who is involved with a household. Identifiers come from a file, never from the command line."""
    with errors_end_the_command():
        caseload = _asked(source, file, case=case, bsn_file=bsn_file, limit=limit, rows=rows)
        client = SluisClient(org, worker=worker, approver=approver, urgent=urgent)
        used = None if families is None else _families(families)
        stated = None if proof is None else read_proof(proof)

        async def one(asked: Case) -> Outcome:
            return await client.check(asked, purpose=purpose, grounds=ground, team=team, families=used, proof=stated)

        code = _ask_each(client, caseload, one, parallel=parallel, rejects=rejects, as_json=as_json)
    raise typer.Exit(code)


def oproep(
    *,
    org: OrgFolder,
    purpose: Purpose,
    ground: Grounds,
    worker: WorkerId,
    approver: ApproverId = None,
    team: Team = None,
    case: Annotated[Path | None, typer.Option("--case", help="A JSON file with one case.")] = None,
    bsn_file: Annotated[Path | None, typer.Option("--bsn-file", help="A file with one BSN per line.")] = None,
    families: Families = None,
    proof: ProofFile = None,
    urgent: Urgent = False,
    as_json: AsJson = False,
) -> None:
    """Ask whoever is involved with a household to call. What is printed is the same whoever that is."""
    with errors_end_the_command():
        caseload = _asked(None, None, case=case, bsn_file=bsn_file, limit=None, rows=None)
        client = SluisClient(org, worker=worker, approver=approver, urgent=urgent)
        used = None if families is None else _families(families)
        stated = None if proof is None else read_proof(proof)

        async def one(asked: Case) -> Outcome:
            return await client.calling.call(
                asked, purpose=purpose, grounds=ground, team=team, families=used, proof=stated
            )  # fmt: skip

        code = _ask_each(client, caseload, one, parallel=1, rejects=None, as_json=as_json)
    raise typer.Exit(code)


def _ask_each(
    client: SluisClient,
    caseload: Caseload,
    one: Callable[[Case], Awaitable[Outcome]],
    *,
    parallel: int,
    rejects: Path | None,
    as_json: bool,
) -> int:
    """Return the exit code, once each case was asked and what became of it was told."""
    report = Report()
    asyncio.run(_checked(client, caseload.cases, one, report, parallel=parallel))
    if rejects is not None:
        write_rejects(rejects, caseload.rejected)
    tell(caseload, report, as_json=as_json, more={"dry_run": False})
    return report.exit_code(caseload)


def _asked(
    source: Source | None,
    file: Path | None,
    *,
    case: Path | None,
    bsn_file: Path | None,
    limit: int | None,
    rows: Path | None,
) -> Caseload:
    given = [path for path in (file, case, bsn_file) if path is not None]
    if len(given) != 1 or (file is None) != (source is None):
        raise SourceError("must be given as --source with --file, as --case, or as --bsn-file")
    if bsn_file is not None:
        return read_bsn_file(bsn_file)
    return _read(given[0], source or Source.CASE, limit, rows)


def _read(
    file: Path, source: Source, limit: int | None, rows: Path | None, assessments: Path | None = None
) -> Caseload:
    today = datetime.datetime.now(datetime.UTC).date()
    name = SELF_BSN if source is Source.GBA_V else "bsn"
    if source is Source.CSV:
        caseload = read_csv(file, today=today, limit=limit)
    elif source is Source.GBA_V:
        caseload = read_gba_v(file, today=today, limit=limit)
    else:
        caseload = read_case_file(file)
    if rows is not None:
        caseload = caseload.chosen(set(rows.read_text("utf-8").split()))
    if assessments is not None:
        caseload = with_assessments(caseload, assessments, today=today)
    return caseload.one_subject_each(field=name)


def _families(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


async def _checked(
    client: SluisClient,
    cases: Sequence[Case],
    one: Callable[[Case], Awaitable[Outcome]],
    report: Report,
    *,
    parallel: int,
) -> None:
    async with client:
        await run_cases(cases, one, report, parallel=parallel)
