"""Wire models of a team's tasks: which term runs, until when, and how it stands (docs/formats.md section 6)."""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.messages import Command, Grounds, StatutoryProof, Telling, WireReceipt
from broker.protocol.wire_types import Day, Id, Message, Sha256, Word

TASKS_PER_PAGE = 20
"""Tasks in one answer at most; who gets as many asks on after `moreAfter`."""


class StartTerms(Command):
    """Start what runs since a report or an exclusion order, for a team that does not look or ask yet."""

    purpose: Word
    grounds: Grounds
    team: Word
    proof: StatutoryProof


class CloseTask(Command):
    """Say that a task is done; of an exclusion order, that it was lifted."""


class ExtendTask(Command):
    """Say until which day an exclusion order was extended."""

    ends_on: Day


class ShownTask(Message):
    """A task as its team sees it: about a match, or about a report or order by its own reference, never a person.

    `due_on` is the earlier of the last day by the law and the one by the region, where both state one.
    """

    task_id: Id
    kind: Word
    team: Word
    match_id: Id | None
    reference: Sha256 | None
    started_on: Day
    due_on: Day
    statutory_on: Day | None
    regional_on: Day | None
    done_on: Day | None
    state: Literal["open", "gedaan", "te_laat", "voorbij"]


class TasksResult(Telling):
    """Tasks of the own team, in the order of their ids; `more_after` goes on from there."""

    schema_: Literal["tasks/v1"] = Field(alias="schema")
    found: Annotated[list[ShownTask], Field(max_length=TASKS_PER_PAGE)]
    more_after: Id | None


class TasksAnswer(Message):
    """The whole body of an answer that shows tasks."""

    result: TasksResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
