"""``sluis-policy``: check, explain, test and show documents; compare, replay, sign and prove bundles.

Exit status: 0 what the command says holds, 1 it does not, 2 bad input.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from policies import cli_bundles
from policies.bundle import Bundle
from policies.cli_input import (
    BAD_INPUT,
    DOES_NOT_HOLD,
    AsJson,
    Directory,
    Documents,
    TestBundle,
    fail,
    open_bundle,
    read_text,
    refusals,
    say,
)
from policies.errors import FactsError
from policies.explain import explain as explain_decision
from policies.facts import Json
from policies.findings import WRONG, findings
from policies.load import SHIPPED
from policies.question import read_question
from policies.render import render_page
from policies.tables import read_tables, run_tables
from policies.typed import Commands

app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, help="Convenanten als code: controleren en uitleggen."
)

Facts = Annotated[
    str, typer.Option("--facts", help="JSON file with the facts of decision/v1, or - for standard input.")
]


@app.command()
def check(directory: Directory = None, *, insecure_test_bundle: TestBundle = False, as_json: AsJson = False) -> None:
    """Every document was read, checked and compiled, and no clause is dead; or the first error is named."""
    bundle = open_bundle(directory, insecure_test_bundle=insecure_test_bundle)
    found = findings(bundle)
    summary = _summary(bundle)
    if as_json:
        say({**summary, "findings": [finding.document() for finding in found]})
    else:
        console = Console(soft_wrap=True, highlight=False)
        for name, value in summary.items():
            console.print(f"{name}: {escape(str(value))}")
        for finding in found:
            console.print(f"{finding.kind}: {escape(finding.where)} {finding.says}")
    if any(finding.kind in WRONG for finding in found):
        raise typer.Exit(DOES_NOT_HOLD)


@app.command()
def explain(
    facts: Facts,
    *,
    documents: Documents = None,
    insecure_test_bundle: TestBundle = False,
    as_json: AsJson = False,
) -> None:
    """The decision on these facts is printed with its rule and its Dutch explanation."""
    try:
        ask, hit = read_question(json.loads(read_text(facts, "facts")))
    except ValueError:
        fail("facts: must be a readable JSON file", status=BAD_INPUT)
    except FactsError as error:
        fail(str(error), status=BAD_INPUT)
    bundle = open_bundle(documents, insecure_test_bundle=insecure_test_bundle)
    point = bundle.decision_point()
    decision = point.may_ask(ask) if hit is None else point.may_see(ask, hit)
    if as_json:
        say(decision.record())
        return
    Console(soft_wrap=True, highlight=False).print(escape(explain_decision(bundle, decision)))


@app.command("test")
def run_decision_tables(
    directory: Directory = None, *, insecure_test_bundle: TestBundle = False, as_json: AsJson = False
) -> None:
    """Every row beside the documents is decided as written, every rule decides one and every duty is expected."""
    bundle = open_bundle(directory, insecure_test_bundle=insecure_test_bundle)
    with refusals(status=BAD_INPUT):
        rows = read_tables(directory or SHIPPED, with_tests=insecure_test_bundle)
        result = run_tables(bundle, rows)
    if as_json:
        say(result.document())
    else:
        for miss in result.misses:
            wanted, got = miss.expected, miss.got
            sys.stdout.write(f"{miss.row.table}: {miss.row.name}: {wanted} expected, {got} decided\n")
        for rule in result.undecided:
            sys.stdout.write(f"{rule}: decides no row\n")
        for duty in result.unexpected:
            sys.stdout.write(f"{duty}: no row expects this duty\n")
        sys.stdout.write(
            f"{result.rows} rows, {len(result.misses)} otherwise, {len(result.undecided)} rules untested, "
            f"{len(result.unexpected)} duties\n"
        )
    if not result.holds:
        raise typer.Exit(DOES_NOT_HOLD)


@app.command()
def render(
    document: Annotated[str, typer.Argument(help="The document, as id@version.")],
    *,
    documents: Documents = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the page here; else to standard output.")] = None,
    insecure_test_bundle: TestBundle = False,
) -> None:
    """The document is shown as a Dutch page: each clause with its ground, its conditions and what tests it."""
    bundle = open_bundle(documents, insecure_test_bundle=insecure_test_bundle)
    folder = SHIPPED if documents is None else documents
    with refusals(status=BAD_INPUT):
        rows = read_tables(folder, with_tests=insecure_test_bundle) if folder.is_dir() else ()
        page = render_page(bundle, document, run_tables(bundle, rows).decided)
    if out is None:
        sys.stdout.write(page)
        return
    cli_bundles.write(out, page.encode("utf-8"))


def main() -> None:
    """Run ``sluis-policy``."""
    app()


def _summary(bundle: Bundle) -> dict[str, Json]:
    return {
        "bundle": bundle.sha256,
        "documents": [*(convenant.label for convenant in bundle.convenants)],
        "purposes": [*sorted(bundle.purposes)],
        "rules": len(bundle.clauses),
        "lines": len(bundle.lines),
    }


cli_bundles.add_to(app)
