"""Tasks of a team with a term: what the law and the region give so many days for, seen by that team alone (D6, D8).

A task says what kind of term runs and until when. It is about a match of the team's own organisation, or about a report
or order that only its own organisation can read back; never about a person.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class TaskKind(StrEnum):
    """The id of the term in the documents, which is also what a screen names it by."""

    WEIGHING = "weging"
    """Veilig Thuis weighs a report."""
    INVESTIGATION = "onderzoek"
    ORDER = "huisverbod"
    """A temporary exclusion order: until its last day something is possible on that ground, after it nothing is."""
    FIRST_MONITOR = "eerste_monitor"
    SECOND_MONITOR = "tweede_monitor"
    """Whether it holds a year after the last incident; a new report makes that day later."""
    REACTION = "reactie"
    """The casusregisseur answers to a new report."""


ON_A_MATCH = frozenset({TaskKind.FIRST_MONITOR, TaskKind.SECOND_MONITOR, TaskKind.REACTION})
"""These are about a match, by its id; the others about a report or order, by the reference its holder gave it."""
MONITORS = (TaskKind.FIRST_MONITOR, TaskKind.SECOND_MONITOR)


class TaskState(StrEnum):
    """How a task stands, in the words its team reads; but for `gedaan` it follows from the day."""

    OPEN = "open"
    DONE = "gedaan"
    LATE = "te_laat"
    OVER = "voorbij"
    """Of an exclusion order alone: its last day has passed, and nothing can be done about that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamTask:
    """A task as it stands. `due_on` is its last day: the earlier of what law and region say, where both do.

    Attributes:
        about: id of a match, or the reference of a report or order: an HMAC under the organisation's own key.
        statutory_on, regional_on: the last day by the law and by the region's own term; None where it has none.
        told_on: the day on which its team had a notice that it is late.
    """

    id: str
    organisation: str
    team: str
    kind: TaskKind
    about: str
    started_on: date
    due_on: date
    statutory_on: date | None
    regional_on: date | None
    done_on: date | None = None
    told_on: date | None = None

    @property
    def match_id(self) -> str | None:
        """The match it is about, None where it is about none."""
        return self.about if self.kind in ON_A_MATCH else None

    def state_on(self, day: date) -> TaskState:
        """Return how it stands on this day; its last day is still in time."""
        if self.done_on is not None:
            return TaskState.DONE
        if day <= self.due_on:
            return TaskState.OPEN
        return TaskState.OVER if self.kind is TaskKind.ORDER else TaskState.LATE


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTask:
    """A change: a term runs for a team, unless that very term runs already; of one report it runs once and no more.

    `must_be_new` makes stale a decision that saw none, and told its asker so.
    """

    task: TeamTask
    must_be_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTask:
    """A change: an open task has a later last day; stale when its last day is not what the decision saw."""

    task_id: str
    was: date
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishTask:
    """A change: somebody of the team did it; stale when somebody else did already."""

    task_id: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLate:
    """A change: its team was told on this day that its last day has passed."""

    task_id: str
    on: date


TaskChange = StartTask | MoveTask | FinishTask | MarkLate
