"""`sluis-connect review`: for privacyfunctionaris and FG; and for each worker, what is recorded about himself."""

import datetime
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated

import typer

from connectors import export_commands
from connectors.command_line import NOT_DONE, AsJson, OrgFolder, WorkerId, console, errors_end_the_command, notices
from connectors.folder import PartnerFolder
from connectors.review_client import ReviewClient, Reviewed, published_log
from connectors.review_pdf import as_pdf, check_renderer
from connectors.review_report import as_csv, as_html, monthly_report
from connectors.review_telling import Ask, erasure_line, midnight, moment, resumed_of, told
from connectors.typed import DAY, typed_day

review = typer.Typer(no_args_is_help=True, help="Look through what was done, judge it, and report on it.")

Role = Annotated[str | None, typer.Option("--role", help="privacyfunctionaris or fg, for who is both.")]
DOES_NOT_HOLD = 1
LOG_ALARM_NL = "ALARM: het gepubliceerde logboek klopt NIET. Bewaar deze map, en licht de FG en de toezichthouder in."
Use = Annotated[str, typer.Option("--use", help="view, search, print or export; it is recorded.")]
Day = Annotated[datetime.date | None, typer.Option(parser=typed_day, metavar=DAY)]
Word = Annotated[str | None, typer.Option()]


def add_to(app: typer.Typer) -> None:
    """The review commands stand in this command line."""
    export_commands.add_to(review)
    app.add_typer(review, name="review")


@review.command()
def queue(
    *, org: OrgFolder, worker: WorkerId, role: Role = None, after: int | None = None, as_json: AsJson = False
) -> None:
    """List what stands out and waits for a verdict, each with its last day."""
    told(org, worker, role, lambda client: client.queue(after=after), as_json=as_json)


@review.command("acts")
def acts(
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    since: Day = None,
    until: Day = None,
    of: Annotated[str | None, typer.Option("--of", help="Local id of the worker whose acts to list.")] = None,
    purpose: Word = None,
    ground: Word = None,
    bundle: Word = None,
    outcome: Word = None,
    kind: Annotated[str | None, typer.Option(help="check, signal, exception, read, ...")] = None,
    after: int | None = None,
    use: Use = "view",
    as_json: AsJson = False,
) -> None:
    """List the acts of a period (the last 28 days), of everybody or of one worker."""
    filters = {"purpose": purpose, "ground": ground, "bundle": bundle, "outcome": outcome, "kind": kind}
    period = {"since": midnight(since), "until": midnight(until), "after": after, "use": use}

    def ask(client: ReviewClient) -> Awaitable[Reviewed]:
        return client.acts(**period, **filters, worker=None if of is None else client.id_of(of))

    told(org, worker, role, ask, as_json=as_json)


@review.command()
def household(
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="The id of an own signal, as `list` prints it.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    use: Use = "view",
    as_json: AsJson = False,
) -> None:
    """List what concerns one own signal: own acts and, for the FG, who was told of it."""
    reviewed, _ = told(org, worker, role, lambda client: client.household(signal, use=use), as_json=as_json)
    if not as_json:
        for one in reviewed.result.extracts or ():
            text = f"{one.index}  {moment(one.at)}  organisatie {one.organisation}  zag dit signaal"
            console.print(text, markup=False)


@review.command()
def own(*, org: OrgFolder, worker: WorkerId, after: int | None = None, as_json: AsJson = False) -> None:
    """Show this worker what is recorded about himself."""
    told(org, worker, None, lambda client: client.own(after=after), as_json=as_json)


@review.command()
def verdict(
    act: int,
    word: Annotated[str, typer.Argument(help="in_order, asked or not_in_order")],
    *,
    reason: Annotated[str, typer.Option(help="work_explains, colleague_confirmed, no_case, wrong_ground, ...")],
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Judge an act; never one's own, never one's own team's."""
    ask: Ask = lambda client: client.verdict(act, word, reason=reason)  # noqa: E731 - named for its type
    told(org, worker, "privacyfunctionaris", ask, as_json=as_json)


@review.command()
def resume(*, org: OrgFolder, worker: WorkerId, role: Role = None, as_json: AsJson = False) -> None:
    """Send again, under its own key, whatever a reviewer stated that has no receipt yet."""
    resumed = resumed_of(org, worker, role, as_json=as_json)
    if resumed.unfinished:
        raise typer.Exit(NOT_DONE)


@review.command()
def rejudge(
    verdict_index: Annotated[int, typer.Argument(metavar="VERDICT", help="Index of the entry of the verdict.")],
    *,
    agrees: Annotated[bool, typer.Option("--agrees/--disagrees")],
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Say, as FG, whether a verdict would have been one's own; the verdict stays."""
    told(org, worker, "fg", lambda client: client.rejudge(verdict_index, agrees=agrees), as_json=as_json)


@review.command()
def notes(
    kind: Annotated[str, typer.Argument(help="verdicts, rejudgements, threshold-changes, samples or log-checks")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    after: int | None = None,
    as_json: AsJson = False,
) -> None:
    """List what reviewers stated."""
    reviewed, _ = told(org, worker, role, lambda client: client.stated(kind, after=after), as_json=as_json)
    if not as_json:
        for one in reviewed.result.notes or ():
            console.print(f"{one.index}  {moment(one.at)}  {one.kind} {one.about}: {one.body}", markup=False)


@review.command()
def thresholds(*, org: OrgFolder, worker: WorkerId, role: Role = None, as_json: AsJson = False) -> None:
    """Show the thresholds by which acts stand out."""
    reviewed, _ = told(org, worker, role, lambda client: client.thresholds(), as_json=as_json)
    if not as_json:
        for one in reviewed.result.thresholds or ():
            changed = "" if one.changed_at is None else f", veranderd op {moment(one.changed_at)} ({one.reason})"
            console.print(f"{one.name}: {one.value} (van {one.least} tot {one.most}){changed}", markup=False)


@review.command()
def threshold(
    name: str,
    value: int,
    *,
    reason: Annotated[str, typer.Option(help="too_many_unfounded, too_few_found, working_hours_changed, ...")],
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Give a threshold another value, with a reason."""
    ask: Ask = lambda client: client.change_threshold(name, value, reason=reason)  # noqa: E731 - named for its type
    told(org, worker, "privacyfunctionaris", ask, as_json=as_json)


@review.command()
def sample(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    as_json: AsJson = False,
) -> None:
    """Close a past month; from the next day on, draw its sample, which `sluis-audit sample` can draw again."""
    reviewed, _ = told(org, worker, role, lambda client: client.sample(month), as_json=as_json)
    drawn = reviewed.result.sample
    if drawn is not None and not as_json:
        numbers = ", ".join(map(str, drawn.drawn)) or "nog niet getrokken"
        console.print(f"{len(drawn.population)} handelingen, steekproef: {numbers}", markup=False)
        again = ", ".join(map(str, drawn.rejudge)) or "geen"
        console.print(f"Door de FG opnieuw te beoordelen: {again}", markup=False)
        console.print(f"Bewijsstuk: {reviewed.path}", markup=False)


@review.command()
def accounts(
    *, org: OrgFolder, worker: WorkerId, role: Role = None, use: Use = "view", as_json: AsJson = False
) -> None:
    """List who is on the roster, and when he last did anything: who still needs an account?"""
    reviewed, names = told(org, worker, role, lambda client: client.accounts(use=use), as_json=as_json)
    if not as_json:
        for one in reviewed.result.accounts or ():
            last = (
                "nooit in het afgelopen halfjaar" if one.last_act_on is None else f"voor het laatst {one.last_act_on}"
            )
            console.print(f"{names.get(one.worker, one.worker)}  {', '.join(one.roles)}  {last}", markup=False)


@review.command()
def erasures(
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    after: int | None = None,
    use: Use = "view",
    as_json: AsJson = False,
) -> None:
    """List what of the own entries was proposed to be erased, and what was, by which two people."""
    ask: Ask = lambda client: client.erasures(after=after, use=use)  # noqa: E731 - named for its type
    reviewed, names = told(org, worker, role, ask, as_json=as_json)
    if not as_json:
        for one in reviewed.result.erasures or ():
            console.print(erasure_line(one, names), markup=False)


@review.command("log-check")
def log_check(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The published log.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    as_json: AsJson = False,
) -> None:
    """Verify the published log under the own policy, and note whether it held; exit 1 where it did not."""
    with errors_end_the_command():
        checked = published_log(PartnerFolder(org), directory)
    told(org, worker, role, lambda client: client.note_log(checked), as_json=as_json)
    if not checked.holds:
        for line in (LOG_ALARM_NL, *checked.problems):
            notices.print(line, markup=False)
        raise typer.Exit(DOES_NOT_HOLD)


@review.command()
def report(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    role: Role = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report here, to read and print.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write its figures here.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write the report here as a tagged PDF.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count a month, and write the report of two pages."""
    use = "export" if csv is not None else "print" if html is not None or pdf is not None else "view"
    if pdf is not None:
        with errors_end_the_command():
            check_renderer()
    reviewed, names = told(org, worker, role, lambda client: client.report(month, use=use), as_json=as_json)
    made = monthly_report(
        organisation=PartnerFolder(org).settings.name,
        month=month,
        figures=reviewed.result.figures or (),
        checks=reviewed.result.notes or (),
        names=names,
    )
    if html is not None:
        html.write_text(as_html(made), encoding="utf-8")
    if csv is not None:
        csv.write_text(as_csv(made), encoding="utf-8")
    if pdf is not None:
        pdf.write_bytes(as_pdf(made, made_at=int(time.time())))
    if not as_json:
        for row in made.rows:
            console.print(f"{row.name}: {row.value}", markup=False)
