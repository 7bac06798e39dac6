"""`sluis-connect tasks`: which terms run for your team, until when, and that something is done."""

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from broker.protocol.days_nl import day_nl
from broker.protocol.task_messages import ShownTask, TasksResult
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.command_line import (
    AsJson,
    Grounds,
    OrgFolder,
    Purpose,
    WorkerId,
    console,
    errors_end_the_command,
    outcome_document,
    print_json,
    receipt_line,
)
from connectors.dates import HERE
from connectors.follow_up_commands import After, done
from connectors.owed_commands import finish_owed, list_owed, owed_documents, print_owed, told_by
from connectors.owed_tasks import OwedTasks
from connectors.stated_proof import StatedProof, read_proof
from connectors.team_tasks import TeamTasks
from connectors.typed import typed_day

tasks = typer.Typer(no_args_is_help=True, help="Which terms run for your team, and until when.")
tasks.command("owed")(list_owed)
tasks.command("owed-done")(finish_owed)

TaskId = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, as `tasks list` prints it.")]
Proof = Annotated[Path, typer.Option("--proof", help="File with kind, reference, since and ends_on.")]

KIND_NL = {
    "weging": "melding wegen",
    "onderzoek": "onderzoek afronden",
    "huisverbod": "huisverbod loopt tot en met",
    "eerste_monitor": "afspraken evalueren (eerste keer)",
    "tweede_monitor": "afspraken evalueren (laatste keer)",
    "reactie": "reageren op de nieuwe melding",
}
BY_LAW = frozenset({"weging", "onderzoek", "huisverbod"})
"""Whose term stands in a law; of the others the documents say that it is where Sluis begins."""
STATE_NL = {"open": "open", "gedaan": "gedaan", "te_laat": "TE LAAT", "voorbij": "voorbij"}


def add_to(app: typer.Typer) -> None:
    """The commands about tasks stand in this command line."""
    app.add_typer(tasks, name="tasks")


@tasks.command("list")
def list_tasks(
    *,
    org: OrgFolder,
    worker: WorkerId,
    after: After = None,
    proof: Annotated[Path | None, typer.Option("--proof", help="Only tasks about the report or order in it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks of your team, the first that ends first, and before them what you owe after your acts."""
    stated = _read(proof)
    # Who goes on with a page, or asks about one report, has seen what he owes.
    whole = after is None and proof is None
    _one(org, worker, lambda team: team.listed(after=after), as_json=as_json, proof=stated, owed=whole)


@tasks.command()
def start(
    *,
    org: OrgFolder,
    worker: WorkerId,
    purpose: Purpose,
    ground: Grounds,
    team: Annotated[str, typer.Option("--team", help="The code of the team that weighs it.")],
    proof: Proof,
    as_json: AsJson = False,
) -> None:
    """Start what runs since a report or an exclusion order; a check or oproep that states it does so too."""
    with errors_end_the_command():
        stated = read_proof(proof)
    _one(
        org, worker, lambda tasks: tasks.start(purpose=purpose, grounds=ground, team=team, proof=stated),
        as_json=as_json,
    )  # fmt: skip


@tasks.command("done")
def close(task: TaskId, *, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """Say that a task is done; of an exclusion order, that it was lifted."""
    _one(org, worker, lambda team: team.close(task), as_json=as_json)


@tasks.command()
def extend(
    task: TaskId,
    ends_on: Annotated[datetime.date, typer.Argument(parser=typed_day, metavar="DAY", help="The new last day.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    as_json: AsJson = False,
) -> None:
    """Say until which day an exclusion order was extended: before it ends, and to at most 28 days."""
    _one(org, worker, lambda team: team.extend(task, ends_on), as_json=as_json)


def _read(proof: Path | None) -> StatedProof | None:
    with errors_end_the_command():
        return None if proof is None else read_proof(proof)


def _one(
    org: OrgFolder,
    worker: WorkerId,
    act: Callable[[TeamTasks], Awaitable[Outcome]],
    *,
    as_json: bool,
    proof: StatedProof | None = None,
    owed: bool = False,
) -> None:
    async def run() -> _Told:
        async with SluisClient(org, worker=worker) as client:
            team = TeamTasks(client.desk)
            outcome = await act(team)
            owes = await OwedTasks(client.desk).listed() if owed else None
            today = datetime.datetime.fromtimestamp(client.desk.surroundings.now(), HERE).date()
            return _Told(outcome=outcome, found=team.about(outcome, proof), owed=owes, today=today)

    with errors_end_the_command():
        told = done(run, as_json=as_json)
    (_print_json if as_json else _print)(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What was told of the team's tasks, and of what the worker owes where that was asked too."""

    outcome: Outcome
    found: list[ShownTask]
    owed: Outcome | None
    today: datetime.date

    @property
    def more_after(self) -> str | None:
        """After which task the list goes on."""
        details = self.outcome.details
        return details.more_after if isinstance(details, TasksResult) else None

    @property
    def outcomes(self) -> list[Outcome]:
        """All that was asked."""
        return [self.outcome, *([] if self.owed is None else [self.owed])]


def _print_json(told: _Told) -> None:
    shown = [task.model_dump(mode="json", by_alias=True) for task in told.found]
    document = {
        "results": [outcome_document(one) for one in told.outcomes], "tasks": shown, "moreAfter": told.more_after,
    }  # fmt: skip
    owes = {} if told.owed is None else {"owed": owed_documents(told.owed), "owedMoreAfter": told_by(told.owed)[1]}
    print_json({**document, **owes})


def _print(told: _Told) -> None:
    if told.owed is not None:
        print_owed(told.owed)
        if told_by(told.owed)[1] is not None:
            console.print("Er is meer: bekijk alles met `sluis-connect tasks owed`.", markup=False)
        console.print("", markup=False)
    console.print(told.outcome.text_nl, markup=False)
    for task in told.found:
        console.print(_line(task, told.today), markup=False)
    if told.more_after is not None:
        console.print(f"Er is meer: ga verder met --after {told.more_after}", markup=False)
    for receipt in (receipt for one in told.outcomes for receipt in one.receipts):
        console.print(receipt_line(receipt), markup=False)


def _line(task: ShownTask, today: datetime.date) -> str:
    """Return one task as a line: until when, what, how it stands, and whose last day that is."""
    last_day = task.state == "open" and task.due_on == today
    state = "VANDAAG" if last_day else STATE_NL[task.state]
    first = "volgens de wet" if task.kind in BY_LAW else "uitgangspunt van Sluis"
    by = [
        f"{whose} {day_nl(day)}"
        for whose, day in ((first, task.statutory_on), ("in jullie regio", task.regional_on))
        if day is not None
    ]
    about = f"match {task.match_id}" if task.match_id else f"melding of besluit van {day_nl(task.started_on)}"
    parts = [task.task_id, task.team, KIND_NL.get(task.kind, task.kind), day_nl(task.due_on), state]
    return "  ".join([*parts, about, *by])
