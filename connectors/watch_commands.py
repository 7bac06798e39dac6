"""Watching that the broker is honest: what custodians tell the FG, and probes that two partners keep between them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from broker.protocol.problems import render
from connectors.command_line import (
    NOT_DONE,
    ApproverId,
    AsJson,
    Grounds,
    OrgFolder,
    Purpose,
    WorkerId,
    console,
    errors_end_the_command,
    print_json,
)
from connectors.custodian_reports import CustodianReport, fetch_reports, note_looked_into
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder, write_durably
from connectors.probes import ProbeTerms, join_pair, new_pair, run_probes

probe = typer.Typer(no_args_is_help=True, help="Probes that two partners keep between them.")


def add_to(app: typer.Typer) -> None:
    """The commands of watching stand in this command line."""
    app.command("custodian-reports")(custodian_reports)
    app.add_typer(probe, name="probe")


def custodian_reports(
    *,
    org: OrgFolder,
    worker: WorkerId,
    looked_into: Annotated[bool, typer.Option("--looked-into", help="Note what is told now as looked into.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what every custodian tells the FG about tickets; exit 1 where somebody has to look at it now."""
    with errors_end_the_command():
        reports = asyncio.run(fetch_reports(org, worker=worker))
        if looked_into:
            note_looked_into(PartnerFolder(org), reports)
    if as_json:
        print_json([_document(report) for report in reports])
    else:
        for report in reports:
            _print(report)
    if not all(report.calm for report in reports):
        raise typer.Exit(NOT_DONE)


def _document(report: CustodianReport) -> dict[str, object]:
    told = [
        {"kind": one.kind, "count": one.count, "fresh": one.fresh, "text_nl": one.text_nl, "workers": dict(one.workers),
         "entries": list(one.entries)}
        for one in report.told
    ]  # fmt: skip
    return {
        "custodian": report.custodian,
        "seen_at": report.seen_at,
        "witnessed_at": report.witnessed_at,
        "blind": report.blind,
        "unwitnessed": report.unwitnessed,
        "hidden": list(report.hidden),
        "alarms": list(report.alarms),
        "counts": dict(report.counts),
        "told": told,
        "calm": report.calm,
    }


def _print(report: CustodianReport) -> None:
    console.print(f"[bold]{report.custodian}[/bold]")
    counts = {name: str(count) for name, count in report.counts.items()}
    console.print(render("watch.counts", counts), markup=False)
    for text_id, holds in (
        ("watch.never_seen", not report.seen_at), ("watch.blind", report.seen_at and report.blind),
        ("watch.unwitnessed", report.unwitnessed), ("watch.hidden", report.hidden),
    ):  # fmt: skip
        if holds:
            console.print(render(text_id, {}), markup=False)
    if report.alarms:
        console.print(render("watch.alarm", {}), markup=False)
    for one in report.told:
        console.print(f"- {one.text_nl}", markup=False)
        for name, count in sorted(one.workers.items()):
            console.print(f"  {name}: {count}", markup=False)


@probe.command("new")
def probe_new(
    *,
    org: OrgFolder,
    other: Annotated[str, typer.Option("--with", metavar="OIN", help="The organisation that probes with this one.")],
    out: Annotated[Path, typer.Option("--out", help="The file for the other organisation; it is secret.")],
    every_days: Annotated[int, typer.Option("--every-days", min=1, max=90)] = 7,
) -> None:
    """Begin a probe pair; hand the file to the other organisation yourself, never through the broker."""
    with errors_end_the_command():
        text = new_pair(PartnerFolder(org), other=other, every_days=every_days, surroundings=Surroundings())
        out.touch(mode=0o600, exist_ok=False)
        write_durably(out, text)
        out.chmod(0o600)
    console.print(render("probe.made", {}), markup=False)


@probe.command("join")
def probe_join(file: Annotated[Path, typer.Argument(metavar="FILE")], *, org: OrgFolder) -> None:
    """Take part in the pair that the other organisation made."""
    with errors_end_the_command():
        join_pair(PartnerFolder(org), file.read_bytes())
    console.print(render("probe.joined", {}), markup=False)


@probe.command("run")
def probe_run(
    *,
    org: OrgFolder,
    worker: WorkerId,
    purpose: Purpose,
    ground: Grounds,
    team: Annotated[str, typer.Option("--team")],
    approver: ApproverId = None,
    as_json: AsJson = False,
) -> None:
    """Carry out what is due, hourly; exit 1 where a probe was missed, here or by the other organisation."""
    with errors_end_the_command():
        terms = ProbeTerms(worker=worker, approver=approver, purpose=purpose, grounds=tuple(ground), team=team)
        report = asyncio.run(run_probes(PartnerFolder(org), terms))
    if as_json:
        print_json({
            "done": report.done, "missed": list(report.missed), "missed_by_other": list(report.missed_by_other),
            "not_done": list(report.not_done), "calm": report.calm,
        })  # fmt: skip
    else:
        console.print(render("probe.done", {"count": str(report.done)}), markup=False)
        for text_id, steps in (
            ("probe.missed", report.missed), ("probe.missed_by_other", report.missed_by_other),
            ("probe.not_done", report.not_done),
        ):  # fmt: skip
            if steps:
                console.print(render(text_id, {"steps": ", ".join(steps)}), markup=False)
    if not report.calm or report.not_done:
        raise typer.Exit(NOT_DONE)
