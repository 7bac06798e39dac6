"""`make check`: every stage in order, seconds of each and of the slowest files in `build/check/stages.json`.

It ends with where the time went and one closing line.

Runs on the system's Python with its standard library, because the first stage makes the environment the others run in.
A stage that cannot run counts as failed; nothing is skipped. All stages run, so that one call shows everything wrong.
"""

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "check"
JUNIT = OUT / "junit.xml"
COVERAGE = OUT / "coverage.json"
BIN = ROOT / ".venv" / "bin"
STAGE_TIMEOUT_SECONDS = 1650
SLOWEST = 10
"""Files of tests that are named with their seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One command; it holds when the command exits with 0 and `and_then` finds nothing to say."""

    name: str
    command: tuple[str, ...]
    and_then: Callable[[], list[str]] = field(default=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a stage came to."""

    name: str
    ok: bool
    seconds: float


def stages() -> list[Stage]:
    """Return the stages of `make check` in order."""
    tests = (
        "-m",
        "pytest",
        "-n",
        "auto",
        "--dist",
        "worksteal",  # a worker keeps a file of tests, and with it what the file's fixtures set up, while it can
        f"--junitxml={JUNIT}",
        "-p",
        "tests.check.covering",
        "--covered",
        str(COVERAGE),
    )
    return [
        Stage(name="set-up", command=(sys.executable, "-m", "tests.check.bootstrap", "dev")),
        Stage(name="system-packages", command=(sys.executable, "-m", "tests.check.system_packages")),
        Stage(name="format", command=(f"{BIN}/ruff", "format", "--check", ".")),
        Stage(name="lint", command=(f"{BIN}/ruff", "check", ".")),
        Stage(name="spelling", command=(f"{BIN}/codespell",)),
        Stage(name="types", command=(f"{BIN}/mypy",)),
        Stage(name="imports", command=(f"{BIN}/lint-imports", "--no-cache")),
        Stage(name="dependencies", command=(f"{BIN}/deptry", ".")),
        Stage(name="tests", command=(f"{BIN}/python", *tests), and_then=tests_not_run),
        Stage(name="critical-coverage", command=(f"{BIN}/python", "-m", "tests.check.critical", str(COVERAGE))),
        Stage(name="redlines", command=(f"{BIN}/python", "-m", "tests.check.redlines", "--results", str(JUNIT))),
    ]


def carry_out(stage: Stage) -> Outcome:
    """Return how the stage ended, its output passed through."""
    print(f"\n== {stage.name}", flush=True)
    began = time.monotonic()
    try:
        done = subprocess.run(stage.command, cwd=ROOT, check=False, timeout=STAGE_TIMEOUT_SECONDS).returncode == 0
        faults = stage.and_then() if done else ["failed"]
    except (OSError, subprocess.TimeoutExpired, ET.ParseError) as error:
        faults = [f"could not run: {type(error).__name__}"]
    for fault in faults:
        print(f"{stage.name}: {fault}", flush=True)
    return Outcome(name=stage.name, ok=not faults, seconds=round(time.monotonic() - began, 1))


def tests_not_run() -> list[str]:
    """Return a sentence for each test that was collected and not carried out: a missing part fails, it never skips."""
    cases = ET.parse(JUNIT).getroot().iter("testcase")  # noqa: S314 - pytest wrote this file a moment ago
    return [
        f"skipped: {case.get('classname')}::{case.get('name')}" for case in cases if case.find("skipped") is not None
    ]


def count_tests() -> int:
    """Return how many tests the last run carried out, 0 when there was none."""
    if not JUNIT.is_file():
        return 0
    return sum(1 for _ in ET.parse(JUNIT).getroot().iter("testcase"))  # noqa: S314 - our own file, as above


def slowest_files(limit: int = SLOWEST) -> list[tuple[str, float, int]]:
    """Return the files whose tests took longest in the last run: path, seconds of all its tests, their number."""
    if not JUNIT.is_file():
        return []
    taken: dict[str, list[float]] = {}
    for case in ET.parse(JUNIT).getroot().iter("testcase"):  # noqa: S314 - our own file, as above
        path = f"{(case.get('classname') or '').replace('.', '/')}.py"
        taken.setdefault(path, []).append(float(case.get("time") or 0))
    longest_first = sorted(taken.items(), key=lambda file: -sum(file[1]))
    return [(path, round(sum(seconds), 1), len(seconds)) for path, seconds in longest_first[:limit]]


def where_the_time_went(outcomes: list[Outcome], slowest: list[tuple[str, float, int]]) -> list[str]:
    """Return a line for each stage and each of the slowest files; files share the processors, stages do not."""
    stages_lines = [f"{outcome.seconds:8.1f} s  {outcome.name}" for outcome in outcomes]
    return ["where the time went:", *stages_lines, *(f"{took:8.1f} s  {path} ({many})" for path, took, many in slowest)]


def closing_line(outcomes: list[Outcome], tests: int, seconds: float) -> str:
    """Return the last line of `make check`."""
    failed = [outcome.name for outcome in outcomes if not outcome.ok]
    return f"check: failed: {', '.join(failed)}" if failed else f"check: ok {tests} tests, {seconds:.0f} s"


def main() -> int:
    """Run every stage and return 0 when all hold, else 1."""
    OUT.mkdir(parents=True, exist_ok=True)
    for left_over in (JUNIT, COVERAGE):
        left_over.unlink(missing_ok=True)
    began = time.monotonic()
    outcomes: list[Outcome] = []
    for stage in stages():
        outcomes.append(carry_out(stage))
        if stage.name in {"set-up", "system-packages"} and not outcomes[-1].ok:
            break
    seconds, tests, slowest = time.monotonic() - began, count_tests(), slowest_files()
    report = {
        "schema": "check/v1",
        "ok": all(outcome.ok for outcome in outcomes),
        "tests": tests,
        "seconds": round(seconds, 1),
        "stages": [{"name": each.name, "ok": each.ok, "seconds": each.seconds} for each in outcomes],
        "slowest": [{"file": path, "seconds": took, "tests": many} for path, took, many in slowest],
    }
    (OUT / "stages.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print("", *where_the_time_went(outcomes, slowest), sep="\n", flush=True)
    print(f"\n{closing_line(outcomes, tests, seconds)}", flush=True)
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
