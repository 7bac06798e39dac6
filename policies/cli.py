"""``sluis-policy``: check the documents, explain one decision.

Exit status: 0 what the command says holds, 1 it does not, 2 bad input.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from policies.bundle import Bundle
from policies.errors import ConvenantError, FactsError, InsecureTestBundleWarning
from policies.explain import explain as explain_decision
from policies.facts import Json
from policies.load import load_bundle
from policies.question import read_question

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Convenanten als code: controleren en uitleggen.")

Directory = Annotated[Path | None, typer.Argument(help="Folder of documents; the shipped ones when left out.")]
TestBundle = Annotated[bool, typer.Option("--insecure-test-bundle", help="Also load test/, whose grounds are not law.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Facts = Annotated[
    str, typer.Option("--facts", help="JSON file with the facts of decision/v1, or - for standard input.")
]
Documents = Annotated[Path | None, typer.Option("--documents", help="Folder of documents instead of the shipped ones.")]


@app.command()
def check(directory: Directory = None, insecure_test_bundle: TestBundle = False, as_json: AsJson = False) -> None:
    """Every document was read, checked and compiled, or the first error is named."""
    if directory is not None and not directory.is_dir():
        _fail("directory: must be an existing folder", status=2)
    bundle = _load(directory, insecure_test_bundle=insecure_test_bundle)
    summary = _summary(bundle)
    if as_json:
        sys.stdout.write(json.dumps(summary, ensure_ascii=False) + "\n")
        return
    console = Console(soft_wrap=True, highlight=False)
    for name, value in summary.items():
        console.print(f"{name}: {escape(str(value))}")


@app.command()
def explain(
    facts: Facts,
    documents: Documents = None,
    insecure_test_bundle: TestBundle = False,
    as_json: AsJson = False,
) -> None:
    """The decision on these facts is printed with its rule and its Dutch explanation."""
    try:
        ask, hit = read_question(_read_json(facts))
    except (OSError, ValueError):
        _fail("facts: must be a readable JSON file", status=2)
    except FactsError as error:
        _fail(str(error), status=2)
    bundle = _load(documents, insecure_test_bundle=insecure_test_bundle)
    point = bundle.decision_point()
    decision = point.may_ask(ask) if hit is None else point.may_see(ask, hit)
    if as_json:
        sys.stdout.write(json.dumps(decision.record(), ensure_ascii=False, sort_keys=True) + "\n")
        return
    Console(soft_wrap=True, highlight=False).print(escape(explain_decision(bundle, decision)))


def main() -> None:
    """Run ``sluis-policy``."""
    app()


def _load(directory: Path | None, *, insecure_test_bundle: bool) -> Bundle:
    """The bundle; on error its one line on standard error and exit 1."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InsecureTestBundleWarning)
        try:
            bundle = load_bundle(directory, insecure_test_bundle=insecure_test_bundle)
        except ConvenantError as error:
            _fail(str(error), status=1)
    for warning in caught:
        sys.stderr.write(f"warning: {warning.message}\n")
    return bundle


def _summary(bundle: Bundle) -> dict[str, Json]:
    return {
        "bundle": bundle.sha256,
        "documents": [*(convenant.label for convenant in bundle.convenants)],
        "purposes": [*sorted(bundle.purposes)],
        "rules": len(bundle.clauses),
        "lines": len(bundle.lines),
    }


def _read_json(source: str) -> Json:
    text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    content: Json = json.loads(text)
    return content


def _fail(message: str, *, status: int) -> NoReturn:
    sys.stderr.write(f"sluis-policy: {message}\n")
    raise typer.Exit(status)
