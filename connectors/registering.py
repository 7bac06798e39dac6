"""A whole caseload: what stands already is left alone, what nobody judged stays here, the rest is registered."""

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from broker.protocol.grant import Grant
from connectors.answers import Outcome
from connectors.case_run import Report, brake_of_an_import, look_at_imported, resume_first, run_cases
from connectors.casebook import Draft
from connectors.cases import Case
from connectors.client import SluisClient
from connectors.command_line import notices
from connectors.folder import PartnerFolder
from connectors.grants import shortage
from connectors.look_later import LookLater
from connectors.sources.caseload import Caseload, Remark

ACTIVE_RULE = "must not have an active signal already; go on with --resume"
WAITING_RULE = "must not wait in the outbox already; go on with --resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """How the cases of a file are registered: for what, until when, with which identifiers, under which grant."""

    purpose: str
    grounds: tuple[str, ...]
    team: str | None
    ends_on: datetime.date | None
    families: tuple[str, ...]
    grant: Grant | None = None

    def team_of(self, case: Case) -> str:
        """Return the team of a case, "" where none is stated."""
        return self.team or case.team or ""

    def by(self, client: SluisClient) -> Callable[[Case], Awaitable[Outcome]]:
        """Return how this client registers one case."""

        async def register(case: Case) -> Outcome:
            return await client.register(
                case,
                purpose=self.purpose,
                grounds=self.grounds,
                team=self.team,
                ends_on=self.ends_on,
                families=self.families,
                grant=self.grant,
            )

        return register


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a run goes: so many cases at once, on from the outbox or not, and how many households it looks at."""

    parallel: int
    resume: bool
    look_at_most: int | None
    dry_run: bool


async def register_caseload(
    client: SluisClient,
    caseload: Caseload,
    wanted: Registering,
    report: Report,
    pace: Pace,
    *,
    grant_file: Path | None,
) -> tuple[Caseload, dict[str, int]]:
    """Return what of the caseload was to be registered, with its elements; the report says what became of it.

    Raises:
        GrantError: the grant cannot be used here; nothing was sent.
    """
    async with client:
        if grant_file is not None:
            wanted = replace(wanted, grant=client.grant(grant_file, purpose=wanted.purpose))
        # (1) What stands already, and what no person has judged, is not sent.
        caseload = without_active(client, caseload, wanted, report, resume=pace.resume)
        caseload = without_drafts(client, caseload, wanted, report, keep=not pace.dry_run)
        elements = client.elements_of(caseload.cases, families=wanted.families)
        if pace.dry_run:
            return caseload, elements
        _warn_of_a_small_grant(wanted, elements)
        # (2) What is under way is finished first, then comes the rest.
        cases = list(caseload.cases)
        if pace.resume:
            cases = await resume_first(client, cases, report, purpose=wanted.purpose, team=wanted.team)
        brake = None if wanted.grant is None else brake_of_an_import(pace.parallel)
        await run_cases(cases, wanted.by(client), report, parallel=pace.parallel, brake=brake)
        # (3) Who else is involved with what was imported is asked with ordinary checks, as far as their budget goes.
        if pace.resume:
            await look_at_imported(client, report, parallel=pace.parallel, at_most=pace.look_at_most)
        report.looked, report.to_look_at = client.later.untold(), client.later.count()
    return caseload, elements


def without_active(
    client: SluisClient, caseload: Caseload, wanted: Registering, report: Report, *, resume: bool
) -> Caseload:
    """Return the caseload without what stands or waits in the outbox already: rejected, or skipped on a resume."""
    active, waiting = set[str](), set[str]()
    in_outbox = client.waiting_persons()
    for case in caseload.cases:
        team = wanted.team_of(case)
        if client.has_active_signal(case, purpose=wanted.purpose, team=team):
            active.add(case.row)
        elif client.person(case, purpose=wanted.purpose, team=team) in in_outbox and not resume:
            waiting.add(case.row)
    kept = tuple(case for case in caseload.cases if case.row not in active | waiting)
    if resume:
        report.skipped.extend(case.row for case in caseload.cases if case.row in active)
        return replace(caseload, cases=kept)
    doubled = [
        Remark(row=case.row, field="case_ref", rule=ACTIVE_RULE if case.row in active else WAITING_RULE)
        for case in caseload.cases
        if case.row in active | waiting
    ]
    return replace(caseload, cases=kept, rejected=(*caseload.rejected, *doubled))


def without_drafts(
    client: SluisClient, caseload: Caseload, wanted: Registering, report: Report, *, keep: bool
) -> Caseload:
    """Return the caseload without the rows that nobody judged, where the purpose asks it; they stay here as drafts."""
    if wanted.purpose not in client.folder.settings.judged:
        return caseload
    today = datetime.datetime.now(datetime.UTC).date()
    drafts = {case.row: _draft(case, wanted, today) for case in caseload.cases if _missing(case)}
    report.drafts.extend(drafts.values())
    if keep:
        client.keep_drafts([(case, drafts[case.row]) for case in caseload.cases if case.row in drafts])
    return replace(caseload, cases=tuple(case for case in caseload.cases if case.row not in drafts))


def _warn_of_a_small_grant(wanted: Registering, elements: dict[str, int]) -> None:
    """Who imports reads beforehand that the file asks more than the grant has in all: custodians refuse the rest."""
    over = {} if wanted.grant is None else shortage(wanted.grant, elements)
    if over:
        more = ", ".join(f"{count} {family}" for family, count in over.items())
        notices.print(f"Let op: dit bestand vraagt meer dan de toestemming heeft ({more} te veel).", markup=False)


def forget_what_was_told(folder: PartnerFolder, report: Report) -> None:
    """What was printed of imported households is not told a second time."""
    with folder.casebook() as book:
        LookLater(book, folder.outbox_key).told(*(one.signal_id for one in report.looked))


def _missing(case: Case) -> tuple[str, ...]:
    parts = {"assessment": case.assessment, "informing": case.informing}
    return tuple(name for name, stated in parts.items() if stated is None)


def _draft(case: Case, wanted: Registering, today: datetime.date) -> Draft:
    return Draft(
        row=case.row,
        case_ref=case.case_ref,
        purpose=wanted.purpose,
        team=wanted.team_of(case),
        missing=_missing(case),
        noted_on=today,
    )
