"""What the commands of ``sluis-policy`` have in common: how a bundle is named, and how an error ends a command."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from policies.bundle import Bundle
from policies.errors import ConvenantError, InsecureTestBundleWarning
from policies.facts import Json
from policies.release import bundle_at

DOES_NOT_HOLD = 1
BAD_INPUT = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
TestBundle = Annotated[bool, typer.Option("--insecure-test-bundle", help="Also load test/, whose grounds are not law.")]
Documents = Annotated[
    Path | None, typer.Option("--documents", help="Folder of documents or release instead of the shipped documents.")
]
Directory = Annotated[Path | None, typer.Argument(help="Folder of documents; the shipped ones when left out.")]


def open_bundle(path: Path | None, *, insecure_test_bundle: bool = False) -> Bundle:
    """The bundle; on error its one line on standard error and the exit status."""
    if path is not None and not path.exists():
        fail("bundle: must be an existing folder or file", status=BAD_INPUT)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InsecureTestBundleWarning)
        with refusals():
            bundle = bundle_at(path, insecure_test_bundle=insecure_test_bundle)
    for warning in caught:
        sys.stderr.write(f"warning: {warning.message}\n")
    return bundle


@contextmanager
def refusals(status: int = DOES_NOT_HOLD) -> Iterator[None]:
    """Turn an error of ours into its one line on standard error and this exit status."""
    try:
        yield
    except ConvenantError as error:
        fail(str(error), status=status)


def read_text(source: str, what: str) -> str:
    """The text of a file, or of standard input for ``-``; on error its one line and exit 2."""
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        fail(f"{what}: must be a readable file", status=BAD_INPUT)


def say(document: Json) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n")


def fail(message: str, *, status: int) -> NoReturn:
    """One line on standard error, and the end with this status."""
    sys.stderr.write(f"sluis-policy: {message}\n")
    raise typer.Exit(status)
