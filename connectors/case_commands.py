"""Working with cases: register signals and look who is involved, for one case or a whole file."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from connectors.answers import Outcome
from connectors.cases import Case
from connectors.client import SluisClient
from connectors.command_line import (
    NOT_DONE,
    SOME_REJECTED,
    ApproverId,
    AsJson,
    Families,
    Grounds,
    OrgFolder,
    Purpose,
    Team,
    WorkerId,
    errors_end_the_command,
    failure_document,
    notices,
    outcome_document,
    print_json,
    print_outcome,
    print_unfinished,
    remark_documents,
)
from connectors.conclusions import Unfinished
from connectors.errors import ConnectorError, SourceError
from connectors.sources.case_file import read_bsn_file, read_case_file
from connectors.sources.caseload import Caseload, Remark, write_rejects
from connectors.sources.csv_file import read_csv
from connectors.sources.gba_v import SELF_BSN, read_gba_v

ACTIVE_RULE = "must not have an active signal already; go on with --resume"


class Source(StrEnum):
    """The formats a caseload can have."""

    CSV = "csv"
    GBA_V = "gba-v"
    CASE = "case"


SourceOption = Annotated[Source, typer.Option("--source", help="The format of FILE.")]
SourceFile = Annotated[Path, typer.Argument(metavar="FILE")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first so many persons of the file.")]
Rows = Annotated[Path | None, typer.Option("--rows", help="Only the rows named in this file, one per line.")]
Rejects = Annotated[Path | None, typer.Option("--rejects", help="Where rejected rows go: row,field,rule.")]
Parallel = Annotated[int, typer.Option("--parallel", min=1, max=32, help="Cases under way at once.")]
Urgent = Annotated[bool, typer.Option("--urgent", help="There is danger: take from the reserve, reviewed afterwards.")]


@dataclass(slots=True)
class Report:
    """What became of every row, in the order of the file."""

    done: dict[str, Outcome] = field(default_factory=dict)
    failed: dict[str, ConnectorError] = field(default_factory=dict)
    resumed: list[Outcome] = field(default_factory=list)
    unfinished: list[Unfinished] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def exit_code(self, caseload: Caseload) -> int:
        """Return what the command ends with."""
        if self.failed or self.unfinished:
            return NOT_DONE
        return SOME_REJECTED if caseload.rejected else 0


def add_to(app: typer.Typer) -> None:
    """The case commands stand in this command line."""
    app.command()(register)
    app.command()(check)


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
    ends_on: Annotated[datetime.datetime | None, typer.Option("--ends-on", formats=["%Y-%m-%d"])] = None,
    families: Families = None,
    limit: Limit = None,
    rows: Rows = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report only; nothing is sent.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish what had no receipt, then do the rest.")] = False,
    rejects: Rejects = None,
    parallel: Parallel = 8,
    urgent: Urgent = False,
    as_json: AsJson = False,
) -> None:
    """Register a signal for every case of a file; registering also tells who else is involved."""
    with errors_end_the_command():
        caseload = _read(file, source, limit, rows)
        client = None if dry_run else SluisClient(org, worker=worker, approver=approver, urgent=urgent)
        report = Report()
        if client is not None:
            day = None if ends_on is None else ends_on.date()
            used = _families(families)

            async def one(case: Case) -> Outcome:
                return await client.register(
                    case, purpose=purpose, grounds=ground, team=team, ends_on=day, families=used
                )

            caseload = _without_active(client, caseload, purpose, team, report, resume=resume)
            report = asyncio.run(_run(client, caseload.cases, one, report, parallel=parallel, resume=resume))
        if rejects is not None:
            write_rejects(rejects, caseload.rejected)
        _tell(caseload, report, as_json=as_json, dry_run=dry_run)
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
    rejects: Rejects = None,
    parallel: Parallel = 8,
    urgent: Urgent = False,
    as_json: AsJson = False,
) -> None:
    """Look who is involved with a household. Identifiers come from a file, never from the command line."""
    with errors_end_the_command():
        caseload = _asked(source, file, case=case, bsn_file=bsn_file, limit=limit, rows=rows)
        client = SluisClient(org, worker=worker, approver=approver, urgent=urgent)
        used = _families(families)

        async def one(asked: Case) -> Outcome:
            return await client.check(asked, purpose=purpose, grounds=ground, team=team, families=used)

        report = asyncio.run(_run(client, caseload.cases, one, Report(), parallel=parallel, resume=False))
        if rejects is not None:
            write_rejects(rejects, caseload.rejected)
        _tell(caseload, report, as_json=as_json, dry_run=False)
    raise typer.Exit(report.exit_code(caseload))


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


def _read(file: Path, source: Source, limit: int | None, rows: Path | None) -> Caseload:
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
    return caseload.one_subject_each(field=name)


def _families(text: str | None) -> list[str] | None:
    return None if text is None else [word for word in text.split(",") if word]


def _without_active(
    client: SluisClient, caseload: Caseload, purpose: str, team: str | None, report: Report, *, resume: bool
) -> Caseload:
    """Return the caseload without cases whose signal stands already: skipped on a resume, rejected otherwise."""
    active = {
        case.row
        for case in caseload.cases
        if client.has_active_signal(case, purpose=purpose, team=team or case.team or "")
    }
    kept = tuple(case for case in caseload.cases if case.row not in active)
    if resume:
        report.skipped.extend(case.row for case in caseload.cases if case.row in active)
        return Caseload(cases=kept, rejected=caseload.rejected, reported=caseload.reported)
    doubled = [
        Remark(row=case.row, field="case_ref", rule=ACTIVE_RULE) for case in caseload.cases if case.row in active
    ]
    return Caseload(cases=kept, rejected=(*caseload.rejected, *doubled), reported=caseload.reported)


async def _run(
    client: SluisClient,
    cases: Sequence[Case],
    one: Callable[[Case], Awaitable[Outcome]],
    report: Report,
    *,
    parallel: int,
    resume: bool,
) -> Report:
    """Return the report after every case was done or failed, a few at a time so that they share the broker's ticks."""
    gate = asyncio.Semaphore(parallel)
    async with client:
        if resume:
            resumed = await client.resume()
            report.resumed.extend(resumed.outcomes)
            report.unfinished.extend(resumed.unfinished)
            # What still waits is not asked a second time under another key, and what was refused is not asked again.
            told = {outcome.row for outcome in resumed.outcomes} | {one.row for one in resumed.unfinished}
            cases = [case for case in cases if case.row not in told]
        with Progress(console=notices, transient=True) as progress:
            task = progress.add_task("bezig", total=len(cases))

            async def guarded(case: Case) -> None:
                async with gate:
                    try:
                        report.done[case.row] = await one(case)
                    except ConnectorError as error:
                        report.failed[case.row] = error
                    progress.advance(task)

            await asyncio.gather(*(guarded(case) for case in cases))
    return report


def _tell(caseload: Caseload, report: Report, *, as_json: bool, dry_run: bool) -> None:
    outcomes = [report.done[case.row] for case in caseload.cases if case.row in report.done]
    if as_json:
        print_json(_document(caseload, report, outcomes, dry_run=dry_run))
        return
    for outcome in (*report.resumed, *outcomes):
        print_outcome(outcome)
    failed = [
        Unfinished(row=case.row, error=report.failed[case.row]) for case in caseload.cases if case.row in report.failed
    ]
    print_unfinished((*report.unfinished, *failed))
    for remark in caseload.rejected:
        notices.print(f"Afgewezen: {remark.row}, {remark.field}: {remark.rule}", markup=False)
    for remark in caseload.reported:
        notices.print(f"Niet gebruikt: {remark.row}, {remark.field}: {remark.rule}", markup=False)
    counts = f"{len(caseload.cases)} gelezen, {len(outcomes) + len(report.resumed)} gedaan"
    counts += (
        f", {len(failed) + len(report.unfinished)} niet gedaan of geweigerd, {len(caseload.rejected)} rijen afgewezen"
    )
    notices.print(counts, markup=False)


def _document(caseload: Caseload, report: Report, outcomes: list[Outcome], *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "read": [case.row for case in caseload.cases],
        "results": [outcome_document(outcome) for outcome in outcomes],
        "resumed": [outcome_document(outcome) for outcome in report.resumed],
        "skipped": report.skipped,
        "failed": [
            *(failure_document(one.row, one.error) for one in report.unfinished),
            *(failure_document(row, error) for row, error in report.failed.items()),
        ],
        "rejected": remark_documents(caseload.rejected),
        "reported": remark_documents(caseload.reported),
    }
