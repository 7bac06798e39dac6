"""`sluis-connect tasks owed` and `owed-done`: what follows from acts, by when, and that it was done."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from broker.protocol.days_nl import day_nl
from broker.protocol.owed_messages import OwedResult, ShownOwed
from broker.protocol.problems import render
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
from connectors.owed_tasks import OwedTasks
from connectors.workers import role_for

Role = Annotated[
    Literal["worker", "approver", "privacyfunctionaris", "fg"] | None,
    typer.Option("--role", help="Whose tasks: in which of your roles you ask, where you have more than one."),
]
WHEN_NL = {"open": "", "vandaag": "VANDAAG, ", "te_laat": "TE LAAT, "}
"""What stands before the last day."""
_OWING = ("worker", "approver", "privacyfunctionaris", "fg")
OwedId = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, as `tasks owed` prints it.")]


def list_owed(
    *, org: OrgFolder, worker: WorkerId, role: Role = None, after: After = None, as_json: AsJson = False
) -> None:
    """List what follows from acts and is still to be done, the first that is due first."""
    _one(org, worker, role, lambda owed: owed.listed(after=after), as_json=as_json)


def finish_owed(task: OwedId, *, org: OrgFolder, worker: WorkerId, role: Role = None, as_json: AsJson = False) -> None:
    """Say that what followed from an act is done."""
    _one(org, worker, role, lambda owed: owed.finish(task), as_json=as_json)


def _one(
    org: Path, worker: str, role: str | None, act: Callable[[OwedTasks], Awaitable[Outcome]], *, as_json: bool
) -> None:  # fmt: skip
    with errors_end_the_command():
        taken = role_for(PartnerFolder(org), worker, role, among=_OWING)

        async def run() -> Outcome:
            async with SluisClient(org, worker=worker, role=taken) as client:
                return await act(OwedTasks(client.desk, role=taken))

        outcome = done(run, as_json=as_json)
    _, more = told_by(outcome)
    if as_json:
        print_json({"results": [outcome_document(outcome)], "tasks": owed_documents(outcome), "moreAfter": more})
        return
    print_owed(outcome)
    if more is not None:
        console.print(f"Er is meer: ga verder met --after {more}", markup=False)
    for receipt in outcome.receipts:
        console.print(receipt_line(receipt), markup=False)


def told_by(outcome: Outcome) -> tuple[list[ShownOwed], str | None]:
    """Return the tasks in an answer, and after which one the list goes on."""
    told = outcome.details if isinstance(outcome.details, OwedResult) else None
    return ([], None) if told is None else (told.found, told.more_after)


def owed_documents(outcome: Outcome) -> list[dict[str, object]]:
    """Return the tasks in an answer as JSON shows them."""
    return [one.model_dump(mode="json", by_alias=True) for one in told_by(outcome)[0]]


def print_owed(outcome: Outcome) -> None:
    """What an answer says of tasks is on the screen, each on a line."""
    console.print(outcome.text_nl, markup=False)
    for one in told_by(outcome)[0]:
        console.print(_line(one), markup=False)


def _line(one: ShownOwed) -> str:
    """Return one task as a line: by when, what, since which day, about which own signal, and whether it is his."""
    about = () if one.signal_id is None else (f"signaal {one.signal_id}",)
    for_another = ("een ander moet dit afronden: jij was erbij betrokken",) if one.own_act else ()
    what, when = render(one.text.id, one.text.params), f"{WHEN_NL[one.state]}uiterlijk {day_nl(one.due_on)}"
    return "  ".join([one.task_id, when, what, f"sinds {day_nl(one.since)}", *about, *for_another])
