"""All runs over one file, from the command line to `report.json`."""

import argparse
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from connectors.demo.errors import DemoError, WorkFolderError
from connectors.demo.region import Region
from connectors.demo.work_folder import WorkFolder
from connectors.errors import SourceError
from tests.region.assessments import AssessmentsError
from tests.region.cast import ORGANISATIONS
from tests.region.counting import Plan
from tests.region.given import Given
from tests.region.playing import Stage
from tests.region.processes import OwnAddresses, RegionProcesses
from tests.region.report import difference, run_document
from tests.simulators.databases import DATABASES
from tests.simulators.postgres_cluster import running_cluster

EQUAL, MISMATCH, BAD_INPUT = 0, 1, 2
ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 7, 1)
"""Where none is given; a fixed day, so that two runs over one file say the same."""
_AGREED = (date(2025, 1, 1), date(2030, 12, 31))
"""The days on which the example agreement of the verwijsindex holds."""

Tell = Callable[[str], None]


def main(words: Sequence[str]) -> int:
    """Return the exit code of a whole region."""
    asked = _options(words)
    try:
        report = play(asked, tell=_say)
    except (SourceError, AssessmentsError, WorkFolderError, OSError) as error:
        _say(f"region: {error}")
        return BAD_INPUT
    except DemoError as error:
        _say(f"region: {error}")
        return MISMATCH
    return EQUAL if report["equal"] else MISMATCH


def play(asked: argparse.Namespace, *, tell: Tell) -> dict[str, Any]:
    """Return the report, which stands in `report.json` too.

    Raises:
        SourceError, AssessmentsError, WorkFolderError: bad input; nothing was started.
        DemoError: it could not be carried out.
    """
    began = time.monotonic()
    out = asked.out.resolve()
    scratch = WorkFolder.fresh(out / "work")
    (out / "report.json").unlink(missing_ok=True)
    given = Given.prepare(asked, scratch.path, out)
    with RegionProcesses() as processes, ExitStack() as held:
        cluster = held.enter_context(running_cluster()) if asked.store == "postgresql" else None
        addresses = OwnAddresses()
        set_up = WorkFolder.fresh(scratch.path / "set-up")
        Region(set_up, processes, addresses, partners=ORGANISATIONS).set_up()
        tell(f"Set up: broker, two custodians, witness, {len(ORGANISATIONS)} organisations ({_since(began)})")
        stage = Stage(
            data=given.data,
            rows=given.rows(),
            assessments=given.assessments,
            set_up=set_up,
            runs=scratch.path / "runs",
            addresses=addresses,
            processes=processes,
            cluster=cluster,
            plant_loss=asked.plant_loss,
        )
        plans = given.plans()[:1] if asked.plant_loss else given.plans()
        runs = [_run(stage, given, plan, number, tell) for number, plan in enumerate(plans, start=1)]
    report = _report(given, runs, store=asked.store, seconds=time.monotonic() - began)
    (out / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    said = "equal" if report["equal"] else "NOT EQUAL"
    tell(f"region: {said}, {len(runs)} runs, {_since(began)}, see {out.name}/report.json")
    return report


def _report(given: Given, runs: list[dict[str, Any]], *, store: str, seconds: float) -> dict[str, Any]:
    return {
        "schema": "region-report/v1",
        "equal": all(run["equal"] for run in runs),
        "data_sha256": hashlib.sha256(given.data.read_bytes()).hexdigest(),
        "generated": given.generated,
        "store": store,
        "assessments_sha256": hashlib.sha256(given.side_file.read_bytes()).hexdigest(),
        "doubled": given.base.doubled,
        "runs": runs,
        "duration_s": round(seconds, 1),
    }


def _run(stage: Stage, given: Given, plan: Plan, number: int, tell: Tell) -> dict[str, Any]:
    began = time.monotonic()
    counted = given.count(plan)
    found = stage.play(plan, number=number)
    document = run_document(plan, counted, found)
    said = ", ".join(f"{amount} {kind}" for kind, amount in document["counts"]["found"].items())
    state = "equal" if document["equal"] else "NOT EQUAL"
    tell(
        f"{plan.purpose}, {len(plan.excluded)} addresses excluded, mute above {plan.mute_above}: "
        f"{found.registered} signals, {found.checked} checks; {said}: {state} ({_since(began)})"
    )
    for line in difference(counted, found):
        tell(f"  {line}")
    if document["equal"]:
        shutil.rmtree(stage.runs / f"run-{number}")
    return document


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make region", description=__doc__)
    parser.add_argument("--data", type=Path, help="a file in GBA-V format; a generated one where none is given")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "region")
    parser.add_argument("--date", type=date.fromisoformat, default=DAY)
    parser.add_argument("--assessments", type=Path, help="label,assessed_on,assessed_by,informed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--persons", type=int, default=120)
    parser.add_argument(
        "--store", choices=DATABASES, default="sqlite", help="the broker's database; the server is started here"
    )
    parser.add_argument("--plant-loss", action="store_true", help="lose some tokens in the first run: it must fail")
    asked = parser.parse_args(words)
    if not _AGREED[0] <= asked.date <= _AGREED[1]:
        parser.error(f"--date must be from {_AGREED[0]} to {_AGREED[1]}, when the agreement of the verwijsindex holds")
    return asked


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"
