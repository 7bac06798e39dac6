"""Tasks that follow from acts, as those who owe them find and end them: whose each is, and under which id."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from broker.domain.changes import Task
from broker.domain.requests import APPROVER, PRIVACYFUNCTIONARIS, WORKER

FG = "fg"
OWING_ROLES = frozenset({WORKER, APPROVER, PRIVACYFUNCTIONARIS, FG})
"""Who has tasks of this kind at all."""
_TO_FG = "fg-"
_TO_REVIEW = "review-"
_FG_TOO = frozenset({"disclosed-unwatched"})
"""What the FG is told under another name."""
_BY_A_COLLEAGUE = frozenset({"beoordeel_uitzondering", "beoordeel_spoed", "bevestig_afscherming"})
"""Duties of the documents that take a second person, whoever of the colleagues that is (D11)."""
_JUDGED_DUTIES = frozenset({"beoordeel_uitzondering", "beoordeel_spoed"})
JUDGED = frozenset({"review-exception", "review-withdrawal", "review-named-oneself"}) | _JUDGED_DUTIES
"""What ends by the verdict on the act that it follows from, where there is one to judge."""
_DAY_DIGITS = 8
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedTask:
    """A task that is not done: `number` is its row and is told to nobody, for it counts the tasks of everybody.

    `entry` is the index of the own act's entry that it follows from; None where that is none of this organisation.
    """

    number: int
    id: str
    task: Task
    created_at: int
    entry: int | None = None

    def is_for_another(self, worker: str) -> bool:
        """Return whether somebody else than this person says that it is done: it is about an act of his own."""
        return takes_another(self.task.kind) and worker in self.task.makers

    @property
    def by_verdict(self) -> bool:
        """Whether the verdict on its act ends it, and nobody's word that somebody looked."""
        return self.entry is not None and self.task.kind in JUDGED


def of_role(kind: str, role: str) -> bool:
    """Return whether a task of this kind is for who asks in this role, before what it is about is looked at."""
    if kind.startswith(_TO_FG) or kind in _FG_TOO:
        return role == FG
    if kind.startswith(_TO_REVIEW):
        return role in {PRIVACYFUNCTIONARIS, APPROVER}
    return role in {WORKER, APPROVER}


def takes_another(kind: str) -> bool:
    """Return whether a task of this kind is to look at what somebody did, so that it is never ended by himself."""
    return kind.startswith((_TO_FG, _TO_REVIEW)) or kind in _FG_TOO | _BY_A_COLLEAGUE


def owed_ids(tasks: Iterable[Task], *, entry: int) -> list[str]:
    """Return the ids of the tasks of one entry: the day each is due, and what tells it from all others.

    They say nothing of other organisations' tasks, and nothing of other signals' ones. In the order of their ids the
    first that is due comes first.

    Args:
        tasks: as they are written with the entry, in that order.
        entry: the index of the entry.
    """
    alike: Counter[tuple[str, ...]] = Counter()
    found = []
    for task in tasks:
        what = (task.organisation, task.kind, task.signal_id or "", task.due_on.isoformat())
        digest = hashlib.sha256("\n".join(("owed-task", str(entry), *what, str(alike[what]))).encode()).hexdigest()
        found.append(f"{task.due_on.toordinal():0{_DAY_DIGITS}x}{digest}"[:_ID_DIGITS])
        alike[what] += 1
    return found
