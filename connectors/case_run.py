"""Many cases in one run: a few at a time, with a brake for what no further case would fare better with."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.answers import Outcome
from connectors.casebook import Draft
from connectors.cases import Case
from connectors.client import SluisClient
from connectors.command_line import NOT_DONE, SOME_REJECTED, notices
from connectors.conclusions import Unfinished
from connectors.errors import ConnectorError, NotDoneError, RefusedError
from connectors.final_problems import NEVER_SENT, OF_A_GRANT
from connectors.look_later import Looked, ToLook
from connectors.sources.caseload import Caseload

T = TypeVar("T")
BUDGET_SPENT = "budget-exhausted"
_LEAST_IN_A_ROW = 8
_OVER = NEVER_SENT | {"ticket-expired"}
"""How a registration of an import ends that was never carried out: it may be made anew, under a grant that holds."""


@dataclass(slots=True)
class Report:
    """What became of every row, in the order of the file; of an import also what is still to be looked at."""

    done: dict[str, Outcome] = field(default_factory=dict)
    failed: dict[str, ConnectorError] = field(default_factory=dict)
    resumed: list[Outcome] = field(default_factory=list)
    unfinished: list[Unfinished] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    looked: list[Looked] = field(default_factory=list)
    to_look_at: int = 0
    budget_spent: bool = False

    def exit_code(self, caseload: Caseload) -> int:
        """Return what the command ends with."""
        if self.failed or self.unfinished or self.not_asked:
            return NOT_DONE
        return SOME_REJECTED if caseload.rejected else 0


class Brake:
    """Ends a run that cannot go on: at one of these problems, or at the same failure so many times in a row."""

    def __init__(self, *, at: frozenset[str], in_a_row: int) -> None:
        self._at = at
        self._limit = max(in_a_row, _LEAST_IN_A_ROW)
        self._last, self._times = "", 0
        self.pulled = False

    def note(self, error: ConnectorError | None) -> None:
        """The run goes on after this, or it does not. A case that is wrong by itself says nothing about others."""
        problem = "" if error is None else problem_of(error)
        self._times = self._times + 1 if problem and problem == self._last else int(bool(problem))
        self._last = problem
        if problem in self._at or self._times >= self._limit:
            self.pulled = True


def problem_of(error: ConnectorError) -> str:
    """Return the id of the problem behind an error, "" for a case that breaks a rule by itself."""
    if isinstance(error, RefusedError):
        return error.problem.id
    if isinstance(error, NotDoneError):
        return error.problem_id if error.problem is None else error.problem.id
    return ""


async def run_cases(
    cases: Sequence[Case],
    one: Callable[[Case], Awaitable[Outcome]],
    report: Report,
    *,
    parallel: int,
    brake: Brake | None = None,
) -> None:
    """Every case was done, failed, or was not asked because the brake was pulled; it all stands in the report."""

    async def act(case: Case) -> ConnectorError | None:
        try:
            report.done[case.row] = await one(case)
        except ConnectorError as error:
            report.failed[case.row] = error
            return error
        return None

    left = await _shared(cases, act, parallel=parallel, brake=brake, what="bezig")
    report.not_asked.extend(case.row for case in left)


async def resume_first(
    client: SluisClient, cases: Sequence[Case], report: Report, *, purpose: str, team: str | None
) -> list[Case]:
    """Return the cases that are still to be asked, once everything in the outbox was finished as far as it could be.

    What still waits is not asked a second time under another key, and what was refused is not asked again; only what
    ended with its grant, without being carried out, is made anew.
    """
    resumed = await client.resume()
    whose = [client.person(case, purpose=purpose, team=team or case.team or "") for case in cases]
    over = {one.person for one in resumed.unfinished if _is_over(one.error)}
    report.resumed.extend(resumed.outcomes)
    report.unfinished.extend(
        one for one in resumed.unfinished if not (one.person in over and one.person in whose)
    )  # fmt: skip
    return [case for person, case in zip(whose, cases, strict=True) if person not in resumed.persons or person in over]


async def look_at_imported(client: SluisClient, report: Report, *, parallel: int, at_most: int | None) -> None:
    """Imported households were looked at, the oldest first, until the budget for checks was spent.

    A household whose check waits in the outbox is left to the next resume: a second check would be paid as well.
    """

    async def act(entry: ToLook) -> ConnectorError | None:
        try:
            await client.look(entry)
        except ConnectorError as error:
            report.budget_spent = report.budget_spent or problem_of(error) == BUDGET_SPENT
            # A recorded refusal stands in the list as what was told; whatever else went wrong is said here, and the
            # household stays on the list.
            told = isinstance(error, RefusedError) and error.receipt is not None
            if not told and problem_of(error) != BUDGET_SPENT:
                report.unfinished.append(Unfinished(row=entry.case.row, error=error))
            return error
        return None

    brake = Brake(at=frozenset({BUDGET_SPENT}), in_a_row=parallel)
    under_way = client.waiting_looks()
    listed = [entry for entry in client.later.waiting() if entry.signal_id not in under_way]
    await _shared(listed[:at_most], act, parallel=parallel, brake=brake, what="kijken")


def brake_of_an_import(parallel: int) -> Brake:
    """Return the brake of an import: what a custodian says of the grant holds for every further row."""
    return Brake(at=OF_A_GRANT, in_a_row=parallel)


async def _shared(
    items: Iterable[T],
    act: Callable[[T], Awaitable[ConnectorError | None]],
    *,
    parallel: int,
    brake: Brake | None,
    what: str,
) -> list[T]:
    """Return the items nobody acted on; a few workers share the rest, so that they share the broker's ticks too."""
    listed = list(items)
    waiting, left = iter(listed), list[T]()
    with notices.bar(what, total=len(listed)) as advance:

        async def work() -> None:
            for item in waiting:
                if brake is not None and brake.pulled:
                    left.append(item)
                    continue
                error = await act(item)
                if brake is not None:
                    brake.note(error)
                advance()

        await asyncio.gather(*(work() for _ in range(min(parallel, len(listed)))))
    return left


def _is_over(error: ConnectorError) -> bool:
    return isinstance(error, RefusedError) and error.problem.id in _OVER
