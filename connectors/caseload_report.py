"""What became of a caseload, as text for a worker or as JSON: rows, fields and rules, never a value."""

from collections.abc import Mapping
from typing import Any

from broker.protocol.identifiers import ELFPROEF
from broker.protocol.problems import render
from connectors.answers import Outcome
from connectors.case_run import Report
from connectors.casebook import Draft
from connectors.command_line import (
    failure_document,
    notices,
    outcome_document,
    print_json,
    print_outcome,
    print_unfinished,
    remark_documents,
)
from connectors.conclusions import Unfinished
from connectors.look_later import Looked
from connectors.sources.caseload import Caseload
from connectors.terminal import Terminal

_STORED_NL = render("signal.stored_import", {})
MISSING_NL = {"assessment": "wie deze jongere heeft beoordeeld, en wanneer", "informing": "of het gezin dit weet"}


def tell(caseload: Caseload, report: Report, *, as_json: bool, more: Mapping[str, object]) -> None:
    """A person, or a program, was told what became of every row. `more` goes into the JSON."""
    outcomes = [report.done[case.row] for case in caseload.cases if case.row in report.done]
    failed = [
        Unfinished(row=case.row, error=report.failed[case.row]) for case in caseload.cases if case.row in report.failed
    ]
    if as_json:
        print_json({**more, **_document(caseload, report, outcomes, failed)})
        return
    for outcome in (*report.resumed, *outcomes):
        # Ten thousand times "stored, nobody looked" is no news; what an import stored is counted below.
        if outcome.text_nl != _STORED_NL:
            print_outcome(outcome)
    print_unfinished((*report.unfinished, *failed))
    print_looked(report.looked)
    for remark in caseload.rejected:
        notices.print(f"Afgewezen: {remark.row}, {remark.field}: {told_nl(remark.rule)}", markup=False)
    for remark in caseload.reported:
        notices.print(f"Niet gebruikt: {remark.row}, {remark.field}: {told_nl(remark.rule)}", markup=False)
    print_drafts(report.drafts)
    if report.not_asked:
        notices.print(f"Gestopt: {_rows(len(report.not_asked))} niet meer gevraagd. Er is niets kwijt.", markup=False)
    counts = f"{len(caseload.cases)} gelezen, {len(outcomes) + len(report.resumed)} gedaan"
    counts += (
        f", {len(failed) + len(report.unfinished)} niet gedaan of geweigerd, {len(caseload.rejected)} rijen afgewezen"
    )
    notices.print(counts, markup=False)
    print_to_look_at(report.to_look_at, budget_spent=report.budget_spent)


def print_drafts(drafts: list[Draft], *, to: Terminal = notices) -> None:
    """Print what stays here until a person has judged it."""
    for draft in drafts:
        missing = " en ".join(MISSING_NL[name] for name in draft.missing)
        to.print(f"Concept, niet verstuurd: {draft.row}. Vul in {missing}.", markup=False)


def told_nl(rule: str) -> str:
    """Return a rule that a row broke as a worker reads it; files with rejected rows keep the rule itself."""
    return render("bsn.elfproef", {}) if rule == ELFPROEF else rule


def print_looked(looked: list[Looked]) -> None:
    """Print what looks at imported households told, one that was refused with its reason."""
    for one in looked:
        if isinstance(one.conclusion, Outcome):
            print_outcome(one.conclusion)
        else:
            print_unfinished([Unfinished(row=one.row, error=one.conclusion)])


def print_to_look_at(households: int, *, budget_spent: bool) -> None:
    """Print how many imported households nobody looked at yet, and how to go on."""
    if not households:
        return
    many = "1 huishouden" if households == 1 else f"{households} huishoudens"
    if budget_spent:
        first = "Het budget om te kijken is nu op."
        notices.print(f"{first} Nog te bekijken: {many}. Ga later verder met --resume; er gaat niets verloren.")
    else:
        notices.print(f"Nog niet bekeken wie er nog meer betrokken is: {many}. Ga verder met --resume.")


def draft_documents(drafts: list[Draft]) -> list[dict[str, Any]]:
    """Return drafts as JSON members."""
    return [
        {
            "row": one.row,
            "case_ref": one.case_ref,
            "purpose": one.purpose,
            "team": one.team or None,
            "missing": list(one.missing),
            "noted_on": one.noted_on.isoformat(),
        }
        for one in drafts
    ]


def looked_documents(looked: list[Looked]) -> list[dict[str, Any]]:
    """Return what looks told as JSON members: an outcome, or why it was refused."""
    return [
        outcome_document(one.conclusion)
        if isinstance(one.conclusion, Outcome)
        else failure_document(one.row, one.conclusion)
        for one in looked
    ]


def _document(caseload: Caseload, report: Report, outcomes: list[Outcome], failed: list[Unfinished]) -> dict[str, Any]:
    return {
        "read": [case.row for case in caseload.cases],
        "results": [outcome_document(outcome) for outcome in outcomes],
        "resumed": [outcome_document(outcome) for outcome in report.resumed],
        "skipped": report.skipped,
        "failed": [failure_document(one.row, one.error) for one in (*report.unfinished, *failed)],
        "not_asked": report.not_asked,
        "rejected": remark_documents(caseload.rejected),
        "reported": remark_documents(caseload.reported),
        "drafts": draft_documents(report.drafts),
        "looked": looked_documents(report.looked),
        "to_look_at": report.to_look_at,
    }


def _rows(count: int) -> str:
    return "1 rij is" if count == 1 else f"{count} rijen zijn"
