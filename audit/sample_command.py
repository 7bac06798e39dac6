"""`sluis-audit sample`: draw a sample again, from files alone."""

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from audit.errors import AuditError
from audit.sample_check import SampleReport, check_sample, read_stated
from audit.verify import parse_policy

_DOES_NOT_HOLD, _BAD_INPUT = 1, 2


def sample(
    directory: Annotated[Path, typer.Argument(help="A published log.")],
    policy: Annotated[Path, typer.Option("--policy", help="Your own policy file: log, witnesses, quorum.")],
    closed: Annotated[Path, typer.Option("--closed", help="The stored receipt of the answer that closed the month.")],
    drawn: Annotated[Path, typer.Option("--drawn", help="The stored receipt of the answer that drew its sample.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,  # noqa: FBT002 - typer turns it into a flag
) -> None:
    """Draw a month's sample again, and say whether the log itself picked it."""
    if not directory.is_dir():
        _fail("there is no such folder")
    try:
        trusted = parse_policy(policy.read_text("utf-8"))
        files = [read_stated(path.read_bytes(), trusted) for path in (closed, drawn)]
    except AuditError as error:
        _fail(str(error))
    except (OSError, UnicodeDecodeError):
        _fail("a file cannot be read")
    report = check_sample(directory, trusted, closed=files[0], drawn=files[1])
    _print(report, as_json=as_json)
    if not report.holds:
        raise typer.Exit(_DOES_NOT_HOLD)


def _print(report: SampleReport, *, as_json: bool) -> None:
    wire: dict[str, object] = {
        "holds": report.holds,
        "organisation": report.organisation,
        "month": report.month,
        "population": report.population,
        "drawn": list(report.drawn),
        "seedSize": report.seed_size,
        "delayS": report.delay_s,
        "cosignedBy": list(report.cosigned_by),
        "problems": list(report.problems),
    }
    if as_json:
        typer.echo(json.dumps(wire))
        return
    for member, value in wire.items():
        shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
        typer.echo(f"{member}: {shown}")


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"sluis-audit: {message}\n")
    raise typer.Exit(_BAD_INPUT)
