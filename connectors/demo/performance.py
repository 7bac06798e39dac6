"""One whole run of the demonstration, from an empty folder to `report.json`."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.demo import story
from connectors.demo.acts import Acted, Advice, Scene
from connectors.demo.errors import ClaimError
from connectors.demo.outside_checks import ScanResult, Watch, plant_leak, publish_and_verify, verify_every_receipt
from connectors.demo.play import Played, Stage
from connectors.demo.processes import Processes
from connectors.demo.real_input import Found, RealInput, play_real_input, residents
from connectors.demo.region import SERVICE_LOG, Region
from connectors.demo.relay import Relays
from connectors.demo.scenario_mieke import Step
from connectors.demo.scenario_suzan import CONTENT
from connectors.demo.scenarios import MIEKE, SCENARIOS, Scenarios
from connectors.demo.work_folder import WorkFolder

SCHEMA = "report/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody asked for: the file of real input (or a generated one), or Mieke alone; a planted leak."""

    out: Path
    data: Path | None = None
    only_mieke: bool = False
    plant_leak: bool = False


@dataclass(slots=True, kw_only=True)
class _Told:
    """What has been shown so far, for the report."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    advice: int = 0
    real_input: dict[str, Any] | None = None


def perform(wishes: Wishes, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the report of a run in which everything held; it stands in `report.json` too.

    Raises:
        ClaimError: something did not hold; `report.json` is there if the leak scan was reached.
        WorkFolderError, ProcessError: nothing can be said.
    """
    started = time.monotonic()
    work = WorkFolder.fresh(wishes.out)
    told = _Told()
    with Relays(work.captures) as relays, Processes() as processes:
        region = Region(work, processes, relays)
        region.set_up()
        given = None if wishes.only_mieke else RealInput.prepare(wishes.data, work)
        region.start()
        tell(f"Opgezet en gestart: broker, twee sleutelbewaarders, meekijker, zeven partners ({_since(started)})")
        people, homes = ([], []) if given is None else residents(given.file)
        watch = Watch(work, people, homes, letters=() if wishes.only_mieke else CONTENT)
        numbers = itertools.count(1)
        stage, scene = Stage(work, processes, relays, numbers), Scene(work, processes, numbers)
        _play_scenes(MIEKE if wishes.only_mieke else SCENARIOS, stage, scene, told, tell)
        if given is not None:
            told.real_input = _play_file(given, work, processes, tell)
        log = publish_and_verify(work, processes)
        receipts = verify_every_receipt(work)
        if wishes.plant_leak:
            plant_leak(work.party("broker") / SERVICE_LOG)
        # The services still run, so that their write-ahead logs are there to be searched.
        relays.write()
        scan = watch.finish()
    for line in story.of_outside_checks(log, receipts, scan):
        tell(line)
    report = {
        "schema": SCHEMA,
        "steps": told.steps,
        "advice": {"asked": told.advice},
        "real_input": told.real_input,
        "log": log.document(),
        "scan": scan.document(),
        "duration_s": round(time.monotonic() - started, 1),
    }
    (work.path / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _hold_scan(scan)
    return report


def _play_scenes(scenarios: Scenarios, stage: Stage, scene: Scene, told: _Told, tell: Callable[[str], None]) -> None:
    for title, steps in scenarios:
        tell(title)
        for step in steps:
            if isinstance(step, Advice):
                told.advice += 1
                for line in story.of_advice(step, scene.advise(step)):
                    tell(line)
                continue
            played: Played | Acted = stage.play(step) if isinstance(step, Step) else scene.play(step)
            told.steps.append(played.document(scene.work))
            for line in story.of_step(played) if isinstance(played, Played) else story.of_act(played):
                tell(line)


def _play_file(given: RealInput, work: WorkFolder, processes: Processes, tell: Callable[[str], None]) -> dict[str, Any]:
    found: Found = play_real_input(given, work, processes)
    for line in story.of_real_input(given, found):
        tell(line)
    return found.document(given)


def _hold_scan(scan: ScanResult) -> None:
    if scan.services.hits:
        raise ClaimError("nothing that identifies a person is on the side of broker, custodians and witness")
    if not scan.holds:
        raise ClaimError("the same search finds every value in the partners' own folders")


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"
