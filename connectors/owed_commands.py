"""`sluis-connect tasks owed` and `owed-done`: what follows from acts, by when, and that it was done."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from broker.protocol.owed_messages import OwedResult
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.command_line import (
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    errors_end_the_command,
    outcome_document,
    print_json,
    receipt_line,
)
from connectors.folder import PartnerFolder
from connectors.follow_up_commands import After, done
from connectors.owed_lines import About, about_of, line_of, next_of, owed_documents, owed_in
from connectors.owed_tasks import OwedTasks
from connectors.workers import role_for

Role = Annotated[
    Literal["worker", "approver", "privacyfunctionaris", "fg"] | None,
    typer.Option("--role", help="Whose tasks: in which of your roles you ask, where you have more than one."),
]
_OWING = ("worker", "approver", "privacyfunctionaris", "fg")
OwedId = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, as `tasks owed` prints it.")]


def list_owed(
    *, org: OrgFolder, worker: WorkerId, role: Role = None, after: After = None, as_json: AsJson = False
) -> None:
    """List what follows from acts and is still to be done, the first that is due first."""
    _one(org, worker, role, lambda owed: owed.listed(after=after), as_json=as_json, listing=True)


def finish_owed(task: OwedId, *, org: OrgFolder, worker: WorkerId, role: Role = None, as_json: AsJson = False) -> None:
    """Say that what followed from an act is done."""
    _one(org, worker, role, lambda owed: owed.finish(task), as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What was told, and what the folder knows of it."""

    outcome: Outcome
    about: dict[str, About]


def _one(
    org: Path, worker: str, role: str | None, act: Callable[[OwedTasks], Awaitable[Outcome]], *, as_json: bool,
    listing: bool = False,
) -> None:  # fmt: skip
    with errors_end_the_command():
        taken = role_for(PartnerFolder(org), worker, role, among=_OWING)

        async def run() -> _Told:
            async with SluisClient(org, worker=worker, role=taken) as client:
                outcome = await act(OwedTasks(client.desk, role=taken))
                return _Told(outcome=outcome, about=about_of(client.desk, outcome))

        told = done(run, as_json=as_json)
    outcome, more = told.outcome, more_after(told.outcome)
    if as_json:
        tasks = owed_documents(owed_in(outcome), told.about)
        print_json({"results": [outcome_document(outcome)], "tasks": tasks, "moreAfter": more})
        return
    print_owed(outcome, told.about if listing else {}, role=taken)
    if more is not None:
        console.print(f"Er is meer: ga verder met --after {more}", markup=False)
    for receipt in outcome.receipts:
        console.print(receipt_line(receipt), markup=False)


def more_after(outcome: Outcome) -> str | None:
    """Return after which task the list in an answer goes on."""
    return outcome.details.more_after if isinstance(outcome.details, OwedResult) else None


def print_owed(outcome: Outcome, about: Mapping[str, About], *, role: str) -> None:
    """What an answer says of tasks is on the screen, each on a line, and under it what to type."""
    console.print(outcome.text_nl, markup=False)
    for one in owed_in(outcome):
        known = about.get(one.task_id, About())
        console.print(line_of(one, known), markup=False)
        if one.task_id in about:
            console.print(f"    {next_of(one, known, role=role)}", markup=False)
