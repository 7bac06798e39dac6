"""`make redlines`: the fifteen red lines, each with the tests that hold it, and whether they do.

`python -m tests.check.redlines` runs the tests of `tests/redlines`; `--results FILE` reads the outcome of a run that
already was (pytest's JUnit file). Exit 1 when a line that is not open has no test or a test of it did not pass, and
when a line marked open has tests, because then its mark is out of date.
"""

import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "redlines"
PACKAGE = "tests.redlines."


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLine:
    """One line that must always hold; `open_until` names the issue that brings its subject."""

    number: int
    text: str
    open_until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A red line with its tests and whether it is held."""

    line: RedLine
    tests: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def word(self) -> str:
        """How the line stands: `held`, `open (...)`, or what is wrong."""
        if self.line.open_until:
            return "OPEN BUT TESTED" if self.tests else f"open ({self.line.open_until})"
        if not self.tests:
            return "NO TEST"
        return "FAILED" if self.failed else "held"

    @property
    def ok(self) -> bool:
        """Whether the line is held, or rightly marked open."""
        return self.word == "held" or self.word.startswith("open (")


def red_lines(folder: Path) -> list[RedLine]:
    """Return the lines of `red_lines.toml` in order."""
    entries = tomllib.loads((folder / "red_lines.toml").read_text(encoding="utf-8"))["line"]
    return [RedLine(number=each["number"], text=each["text"], open_until=each.get("open")) for each in entries]


def passed_by_test(results: Path) -> dict[str, bool]:
    """Return for each red line test of a JUnit file, as `test_NN_name::test`, whether it was run and passed."""
    outcome: dict[str, bool] = {}
    for case in ET.parse(results).getroot().iter("testcase"):  # noqa: S314 - pytest wrote this file a moment ago
        owner = case.get("classname") or ""
        if owner.startswith(PACKAGE):
            name = f"{owner.removeprefix(PACKAGE)}::{case.get('name')}"
            outcome[name] = not any(case.find(word) is not None for word in ("failure", "error", "skipped"))
    return outcome


def judge(lines: list[RedLine], outcome: dict[str, bool]) -> list[Verdict]:
    """Return a verdict for each line; its tests are those of `test_NN_*.py`."""
    verdicts = []
    for line in lines:
        own = sorted(name for name in outcome if name.startswith(f"test_{line.number:02d}_"))
        failed = tuple(name for name in own if not outcome[name])
        verdicts.append(Verdict(line=line, tests=tuple(own), failed=failed))
    return verdicts


def run_tests(results: Path) -> None:
    """Run the tests of the red lines, writing what came of them to `results`."""
    command = [sys.executable, "-m", "pytest", "-q", str(FOLDER), f"--junitxml={results}"]
    subprocess.run(command, cwd=ROOT, check=False)


def show(verdict: Verdict) -> None:
    """Print one line, its standing and the tests that hold it."""
    print(f"{verdict.line.number:2d}. {verdict.word}: {verdict.line.text}")
    for module in sorted({name.partition("::")[0] for name in verdict.tests}):
        tests = [name for name in verdict.tests if name.startswith(f"{module}::")]
        print(f"      tests/redlines/{module.partition('.')[0]}.py ({len(tests)} tests)")
    for name in verdict.failed:
        print(f"      not passed: {name}")


def main(arguments: list[str]) -> int:
    """Print the fifteen lines and return 0 when each is held or rightly open."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "junit.xml"
        if arguments[:1] == ["--results"]:
            results = Path(arguments[1])
        else:
            run_tests(results)
        if not results.is_file():
            print("redlines: the tests did not run")
            return 1
        verdicts = judge(red_lines(FOLDER), passed_by_test(results))
    for verdict in verdicts:
        show(verdict)
    held = sum(verdict.word == "held" for verdict in verdicts)
    wrong = [str(verdict.line.number) for verdict in verdicts if not verdict.ok]
    print(f"redlines: {held} of {len(verdicts)} held" + (f", NOT HELD: {', '.join(wrong)}" if wrong else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
