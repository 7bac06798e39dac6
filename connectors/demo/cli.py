"""`sluis-connect demo`: plays the demonstration on real processes and ends with 0 only if everything it claims holds.

Exit codes: 0 all of it holds, 1 something does not, 2 it could not begin.
"""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from connectors.demo.errors import DemoError, ProcessError, WorkFolderError
from connectors.demo.performance import Wishes, perform
from connectors.demo.processes import end_on_signals
from connectors.errors import ConnectorError

DOES_NOT_HOLD, BAD_INPUT = 1, 2
_ROOT = Path(__file__).resolve().parents[2]
_SHARED = _ROOT.parent / "shared" / "data" / "gba-v-proefpersonen.csv"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Persons in GBA-V format; without it the test persons beside this project, else a generated file.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Wiped first, if it is ours.")] = Path("build/demo"),
    only: Annotated[
        str | None, typer.Option("--only", help="mieke: her scenario and nothing else, and said so.")
    ] = None,
    plant: Annotated[
        bool, typer.Option("--plant-leak", help="Put a number in the broker's log: the run must fail.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report instead of the story.")] = False,
) -> None:
    """Set up a region in DIR, play Mieke and a real file, and check from outside what happened."""
    if only not in {None, "mieke"}:
        _end(BAD_INPUT, "--only knows one word: mieke")
    if data is not None and not data.is_file():
        _end(BAD_INPUT, "--data is no file")
    chosen = data or (_SHARED if _SHARED.is_file() else None)
    end_on_signals()
    tell = _nobody if as_json else typer.echo
    if only is not None:
        tell("Alleen Mieke: de andere scenario's en het echte bestand zijn overgeslagen")
    try:
        report = perform(Wishes(out=out, data=chosen, only_mieke=only is not None, plant_leak=plant), tell)
    except WorkFolderError as error:
        _end(BAD_INPUT, str(error))
    except ProcessError as error:
        _end(DOES_NOT_HOLD, f"gestopt: {error}")
    except (DemoError, ConnectorError) as error:
        _end(DOES_NOT_HOLD, f"dit klopt niet: {error}")
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        typer.echo(
            f"demo: alles klopt, {len(report['steps'])} stappen, {report['duration_s']} s, zie {out}/report.json"
        )


def _nobody(_: str) -> None:
    """Tell nobody: the report alone is printed."""


def _end(code: int, why: str) -> NoReturn:
    typer.echo(f"demo: {why}", err=True)
    raise typer.Exit(code)
