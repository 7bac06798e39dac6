"""The partners' side of one run: `python -m tests.region.partners ORDER.json` registers or checks, and prints JSON.

Each organisation reads the file itself, through its own folder and the SDK, as a case system would.
"""

import asyncio
import datetime
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from connectors.answers import Outcome
from connectors.cases import Assessment, Case, DeferralReason, Informing
from connectors.client import SluisClient
from connectors.command_line import failure_document, outcome_document, remark_documents
from connectors.errors import CaseError, ConnectorError, NotDoneError, RefusedError
from connectors.exchange import Surroundings
from connectors.sources.caseload import DUPLICATE_RULE, Remark
from connectors.sources.gba_v import SELF_BSN, read_gba_v
from tests.region.cast import APPROVER, GROUNDS, WORKER, team_of

PARALLEL = 6
_ROUNDS = 8
_DAYS_DEFERRED = 28
_REASONS: Mapping[str, DeferralReason] = {
    "danger_to_child": "danger_to_child",
    "danger_to_other": "danger_to_other",
    "not_reachable": "not_reachable",
    "investigation": "investigation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one process has to do: one verb, for these organisations (folder by slug), about these rows of each."""

    verb: str
    purpose: str
    day: datetime.date
    seconds: int
    file: Path
    assessments: Mapping[str, Mapping[str, str]]
    folders: Mapping[str, Path]
    grants: Mapping[str, Path]
    rows: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, path: Path) -> "Order":
        """Return the order in a file that the runner wrote."""
        members: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            verb=members["verb"],
            purpose=members["purpose"],
            day=datetime.date.fromisoformat(members["day"]),
            seconds=members["seconds"],
            file=Path(members["file"]),
            assessments=members["assessments"],
            folders={slug: Path(folder) for slug, folder in members["folders"].items()},
            grants={slug: Path(grant) for slug, grant in members["grants"].items()},
            rows=members["rows"],
        )

    def assessed(self, case: Case) -> Case:
        """Return the case with what its holder decided about this person, and the team that works with him."""
        decided = self.assessments.get(case.row, {})
        on, by = decided.get("assessed_on", "").strip(), decided.get("assessed_by", "").strip()
        return replace(
            case,
            team=team_of(case.row),
            assessment=Assessment(on=datetime.date.fromisoformat(on), by=by) if on and by else None,
            informing=self._informing(decided.get("informed", "").strip()),
        )

    def _informing(self, stated: str) -> Informing | None:
        """Return what `informed` says: yes, or the reason why not yet; anything else says nothing."""
        if stated == "yes":
            return Informing(informed=True)
        if stated not in _REASONS:
            return None
        review = self.day + datetime.timedelta(days=_DAYS_DEFERRED)
        return Informing(informed=False, reason=_REASONS[stated], review_on=review)


@dataclass(slots=True, kw_only=True)
class Told:
    """What became of the rows of one organisation."""

    results: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)
    reported: list[dict[str, str]] = field(default_factory=list)

    def done(self) -> set[str]:
        """Return the rows that were carried out."""
        return {result["row"] for result in self.results}


async def carry_out(order: Order, slug: str) -> Told:
    """Return what became of this organisation's rows; a row that was not done is asked again, as a worker would."""
    chosen = set(order.rows[slug])
    told = Told()
    caseload = read_gba_v(order.file, today=order.day).chosen(chosen)
    told.reported = remark_documents(caseload.reported)
    told.rejected = remark_documents(caseload.rejected)
    approver = APPROVER if order.verb == "register" and slug.startswith("wijkteam") else None
    clock = Surroundings(clock=lambda: time.time() + order.seconds)
    async with SluisClient(order.folders[slug], worker=WORKER, approver=approver, surroundings=clock) as client:
        file, grounds = order.grants.get(slug), [GROUNDS[order.purpose]]
        grant = None if file is None else client.grant(file, purpose=order.purpose)

        async def one(case: Case) -> Outcome:
            if order.verb == "check":
                return await client.check(case, purpose=order.purpose, grounds=grounds)
            return await client.register(case, purpose=order.purpose, grounds=grounds, grant=grant)

        holding: dict[object, Case] = {}
        later: list[Case] = []
        for case in map(order.assessed, caseload.cases):
            if case.subject in holding:
                later.append(case)
            holding.setdefault(case.subject, case)
        await _ask_all(client, list(holding.values()), one, told)
        # One number is one subject: a later row counts only where no earlier one could be registered.
        for case in later:
            if holding[case.subject].row in told.done():
                told.rejected += remark_documents([Remark(row=case.row, field=SELF_BSN, rule=DUPLICATE_RULE)])
                continue
            await _ask_all(client, [case], one, told)
            holding[case.subject] = case
    return told


async def _ask_all(
    client: SluisClient, cases: Sequence[Case], one: Callable[[Case], Awaitable[Outcome]], told: Told
) -> None:
    """Every case is carried out or refused; what was not done is asked again, and what waits is resumed."""
    by_row = {case.row: case for case in cases}
    gate = asyncio.Semaphore(PARALLEL)
    again = list(cases)
    waits = False

    def ended(row: str, error: ConnectorError) -> None:
        nonlocal waits
        if isinstance(error, RefusedError):
            told.refused.append(failure_document(row, error) | {"field": error.problem.members.get("field")})
        elif isinstance(error, CaseError):
            told.refused.append(failure_document(row, error) | {"field": error.field})
        elif isinstance(error, NotDoneError) and not error.resumable:
            again.append(by_row[row])
        else:
            waits = True

    async def guarded(case: Case) -> None:
        async with gate:
            try:
                told.results.append(outcome_document(await one(case)))
            except ConnectorError as error:
                ended(case.row, error)

    for _ in range(_ROUNDS):
        now, again[:], waits = list(again), [], False
        await asyncio.gather(*(guarded(case) for case in now))
        waits = False
        resumed = await client.resume()
        told.results += [outcome_document(outcome) for outcome in resumed.outcomes]
        for unfinished in resumed.unfinished:
            ended(unfinished.row, unfinished.error)
        if not again and not waits:
            return
    raise NotDoneError("not-done")


async def _everybody(order: Order) -> dict[str, Any]:
    slugs = list(order.folders)
    told = await asyncio.gather(*(carry_out(order, slug) for slug in slugs))
    return {slug: asdict(one) for slug, one in zip(slugs, told, strict=True)}


def main() -> None:
    """Carry out the order and print what became of every row; no identifier is in it."""
    try:
        told = asyncio.run(_everybody(Order.read(Path(sys.argv[1]))))
    except ConnectorError as error:
        sys.exit(f"partners: {error}")
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
