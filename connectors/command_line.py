"""What every command shares: exit codes, options, errors as one line, results as text or JSON."""

import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.problems import render
from connectors.answers import Outcome, VerifiedEntry
from connectors.errors import (
    CaseError,
    ConnectorError,
    FolderError,
    GrantError,
    NotDoneError,
    RefusedError,
    SourceError,
)
from connectors.sources.caseload import Remark
from connectors.terminal import Terminal, json_text
from connectors.typed import no_file

if TYPE_CHECKING:
    # Set-up commands end in milliseconds less without the wire models.
    from connectors.conclusions import Unfinished

DONE, NOT_DONE, BAD_INPUT, SOME_REJECTED = 0, 1, 2, 3

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The partner's folder.")]
OrgFolder = Annotated[Path, typer.Option("--org", metavar="DIR", help="The partner's folder.")]
WorkerId = Annotated[str, typer.Option("--worker", help="Local id of the worker who asks.")]
ApproverId = Annotated[str | None, typer.Option("--approver", help="Local id of the colleague who approves.")]
CaseRef = Annotated[
    str | None,
    typer.Option(
        "--case-ref",
        callback=no_file,
        help="Reference of the own case it is about, no file; only an HMAC of it leaves.",
    ),
]
Purpose = Annotated[str, typer.Option("--purpose", help="What it is for, as `vocabulary` names it.")]
Grounds = Annotated[
    list[str], typer.Option("--ground", help="Why it may be done, as `vocabulary --purpose P` names it; at most three.")
]
Team = Annotated[str | None, typer.Option("--team", help="The team's code; rows may state their own.")]
Families = Annotated[
    str | None, typer.Option("--families", help="Families of identifiers, by commas, instead of the folder's setting.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

KIND_NL = {
    "person": "dezelfde persoon",
    "member": "iemand uit het huishouden",
    "family": render("match.other_child", {}),
    "address": "iemand op hetzelfde adres",
}
_LEVEL_WITH_CONTACT = 2
UNKNOWN_WORD = "vraag.outside-vocabulary"
WORDS_NL = "Welke woorden er zijn: sluis-connect vocabulary, en voor een doel: sluis-connect vocabulary --purpose DOEL"
_UNWRITTEN = "cases.sqlite or outbox.sqlite: cannot be read or written: is the disk full, or is another command busy?"
console, notices = Terminal(), Terminal(stderr=True)


@contextmanager
def errors_end_the_command() -> Iterator[None]:
    """Turn an error of ours into one line and the exit code it deserves."""
    try:
        yield
    except (FolderError, SourceError, CaseError, GrantError, MalformedError) as error:
        notices.print(f"Fout: {error}", markup=False)
        raise typer.Exit(BAD_INPUT) from None
    except (ConnectorError, ProtocolError) as error:
        for line in explanation(error):
            notices.print(line, markup=False)
        raise typer.Exit(NOT_DONE) from None
    except OSError as error:
        notices.print(f"Fout: {error.strerror}", markup=False)
        raise typer.Exit(BAD_INPUT) from None
    except UnicodeDecodeError:
        notices.print("Fout: a file that was named must be text in UTF-8", markup=False)
        raise typer.Exit(BAD_INPUT) from None
    except sqlite3.Error:
        # Its own words may hold what was to be written. Nothing is known of what was asked, so it is not done.
        notices.print(f"Fout: {_UNWRITTEN}", markup=False)
        raise typer.Exit(NOT_DONE) from None


@contextmanager
def told_as(*, as_json: bool) -> Iterator[None]:
    """Print what was refused or not done as JSON where that is asked for; `errors_end_the_command` has the rest."""
    try:
        yield
    except (NotDoneError, RefusedError) as error:
        if not as_json:
            raise
        print_json({"failed": [failure_document("", error)]})
        raise typer.Exit(NOT_DONE) from None


def explanation(error: Exception) -> list[str]:
    """Return what a worker must know of an error, in Dutch."""
    if isinstance(error, RefusedError):
        lines = [error.text_nl, *(f"Dit kan wel: {text}" for text in error.problem.possible)]
        lines += [WORDS_NL] if error.problem.text_id == UNKNOWN_WORD else []
        return lines if error.receipt is None else [*lines, receipt_line(error.receipt)]
    if isinstance(error, NotDoneError):
        reason = [] if error.problem is None else [f"Antwoord van {error.party}: {error.problem.text_nl}"]
        waits = ["Het verzoek wacht in de outbox; ga verder met: sluis-connect resume"] if error.resumable else []
        return [error.text_nl, *reason, *waits]
    return [str(error)]


def receipt_line(entry: VerifiedEntry) -> str:
    """Return one line about a verified receipt."""
    rule = entry.decision.get("rule")
    decided = f", regel {rule}" if isinstance(rule, str) else ""
    return f"Bewijs nagekeken: logregel {entry.index}, {entry.cosigned_nl}{decided}"


def print_outcome(outcome: Outcome) -> None:
    """Print what the worker reads about one case."""
    if outcome.row:
        console.print(f"[bold]{outcome.row}[/bold]")
    console.print(outcome.text_nl, markup=False)
    from connectors.contacts import contact_line  # noqa: PLC0415 - needs the wire models, as what is printed did

    for match in outcome.matches:
        contact = match.holder.contact
        line = f"- {match.holder.name}"
        if contact is not None and match.level >= _LEVEL_WITH_CONTACT:
            line += f", {contact_line(contact)}"
        console.print(f"{line}: {KIND_NL[match.kind]}", markup=False)
    if outcome.signal_id is not None:
        console.print(f"Jullie signaal: {outcome.signal_id}", markup=False)
    for receipt in outcome.receipts:
        console.print(receipt_line(receipt), markup=False)


def case_words(cases: Sequence[str]) -> str:
    """Return of which own cases something is, in words; the own case system knows who they are."""
    if not cases:
        return "Jullie zaak is hier niet bekend"
    return f"Jullie {'zaak' if len(cases) == 1 else 'zaken'} {', '.join(cases)}"


def print_unfinished(unfinished: "Iterable[Unfinished]") -> None:
    """Print what did not end well, each with its row and the reason."""
    for one in unfinished:
        if one.row:
            console.print(f"[bold]{one.row}[/bold]")
        for line in explanation(one.error):
            console.print(line, markup=False)


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json_text(document) + "\n")


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON members; it holds no identifier and no token."""
    return {
        "row": outcome.row,
        "outcome": outcome.outcome,
        "text_nl": outcome.text_nl,
        "signal_id": outcome.signal_id,
        "matches": [match.model_dump(mode="json", by_alias=True) for match in outcome.matches],
        "signals": [signal.model_dump(mode="json", by_alias=True) for signal in outcome.signals],
        "receipts": [entry_document(entry) for entry in outcome.receipts],
    }


def entry_document(entry: VerifiedEntry) -> dict[str, Any]:
    """Return a verified entry as JSON members."""
    return {
        "index": entry.index,
        "kind": entry.kind,
        "path": f"receipts/{entry.index}.json",
        "verified": True,
        "status": entry.status,
        "cosigned_by": list(entry.cosigned_by),
        "witnesses": entry.witnesses,
        "uncosigned_since": entry.uncosigned_since,
        "bundle_sha256": entry.bundle_sha256,
        "outcome": entry.outcome,
        "decision": dict(entry.decision),
    }


def failure_document(row: str, error: ConnectorError) -> dict[str, Any]:
    """Return what became of a case that was refused or not done."""
    facts: dict[str, Any]
    if isinstance(error, RefusedError):
        receipt = None if error.receipt is None else entry_document(error.receipt)
        facts = {"outcome": "refused", "problem": error.problem.id, "text_nl": error.text_nl, "party": error.party}
        return {"row": row, **facts, "possible": list(error.problem.possible), "receipt": receipt}
    if isinstance(error, NotDoneError):
        facts = {"outcome": "not_done", "problem": error.problem_id, "text_nl": error.text_nl, "party": error.party}
        reason = None if error.problem is None else error.problem.id
        return {"row": row, **facts, "resumable": error.resumable, "reason": reason}
    return {"row": row, "outcome": "not_done", "problem": "malformed-request", "text_nl": str(error), "party": None}


def remark_documents(remarks: Sequence[Remark]) -> list[dict[str, str]]:
    """Return rows, fields and rules as JSON members."""
    return [{"row": remark.row, "field": remark.field, "rule": remark.rule} for remark in remarks]
