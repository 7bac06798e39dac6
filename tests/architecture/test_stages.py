"""`make check` itself: a stage that fails, cannot run or skips something is never reported as good."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT
from tests.check import critical, mutate, redlines, stages
from tests.check.redlines import RedLine
from tests.check.stages import Outcome, Stage


def junit(path: Path, *cases: str) -> Path:
    """Write a JUnit file with these test cases and return its path."""
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", encoding="utf-8")
    return path


def case(owner: str, name: str, inside: str = "") -> str:
    """Return one test case of a JUnit file."""
    return f'<testcase classname="{owner}" name="{name}">{inside}</testcase>'


@pytest.mark.parametrize(
    "command",
    [(sys.executable, "-c", "raise SystemExit(1)"), ("/absent/program",)],
    ids=["fails", "is missing"],
)
def test_a_stage_that_fails_or_is_missing_is_not_good(command: tuple[str, ...]) -> None:
    """A tool that is not there counts as a failed stage, not as one to pass over."""
    assert stages.carry_out(Stage(name="trial", command=command)).ok is False


def test_a_stage_that_ends_well_is_good() -> None:
    """Exit code 0 and nothing to remark make a stage good."""
    assert stages.carry_out(Stage(name="trial", command=(sys.executable, "-c", ""))).ok is True


def test_a_remark_after_a_good_command_makes_the_stage_fail() -> None:
    """A run of tests that skipped one has exit code 0 and is not good."""
    stage = Stage(name="trial", command=(sys.executable, "-c", ""), and_then=lambda: ["skipped: one"])
    assert stages.carry_out(stage).ok is False


def test_skipped_tests_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that was collected and not carried out is found in pytest's own report."""
    skipped = case("tests.unit.a", "test_two", "<skipped/>")
    monkeypatch.setattr(stages, "JUNIT", junit(tmp_path / "junit.xml", case("tests.unit.a", "test_one"), skipped))
    assert stages.tests_not_run() == ["skipped: tests.unit.a::test_two"]
    assert stages.count_tests() == 2


def test_the_closing_line_is_the_promised_one() -> None:
    """Others read the last line of `make check`, so its form is fixed."""
    good = Outcome(name="lint", ok=True, seconds=1.0)
    bad = Outcome(name="types", ok=False, seconds=1.0)
    assert stages.closing_line([good], 12, 3.4) == "check: ok 12 tests, 3 s"
    assert stages.closing_line([good, bad], 12, 3.4) == "check: failed: types"


def test_where_the_time_went_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stage and each of the slowest files is told with its seconds, so that nobody has to measure anew."""
    timed = [
        f'<testcase classname="tests.unit.{file}" name="{name}" time="{seconds}"/>'
        for file, name, seconds in [("a", "one", 0.25), ("b", "two", 3.5), ("a", "three", 0.5), ("c", "four", 0.1)]
    ]
    monkeypatch.setattr(stages, "JUNIT", junit(tmp_path / "junit.xml", *timed))
    assert stages.slowest_files(2) == [("tests/unit/b.py", 3.5, 1), ("tests/unit/a.py", 0.8, 2)]
    told = stages.where_the_time_went([Outcome(name="lint", ok=True, seconds=1.0)], stages.slowest_files(1))
    assert [line.split() for line in told[1:]] == [["1.0", "s", "lint"], ["3.5", "s", "tests/unit/b.py", "(1)"]]
    monkeypatch.setattr(stages, "JUNIT", tmp_path / "absent.xml")
    assert stages.slowest_files() == []


def test_continuous_integration_runs_what_a_developer_runs() -> None:
    """`.ci/run` is executable, hands on the exit code and runs `make check`."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert text.rstrip().endswith("exec make check")


def test_every_target_of_the_interfaces_is_listed() -> None:
    """`make help` names the targets others rely on."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    targets = {line.split()[0] for line in listed.splitlines() if line.strip()}
    assert {
        "demo",
        "check",
        "bench",
        "campaign",
        "region",
        "redlines",
        "readme",
        "mutate",
        "clean-root",
        "lock",
    } <= targets


LINES = [
    RedLine(number=1, text="held", open_until=None),
    RedLine(number=2, text="broken", open_until=None),
    RedLine(number=3, text="untested", open_until=None),
    RedLine(number=4, text="open", open_until="issue 9"),
    RedLine(number=5, text="open but tested", open_until="issue 9"),
]


def test_a_red_line_is_held_by_tests_that_passed_and_by_nothing_else(tmp_path: Path) -> None:
    """A line without tests, with a failed or a skipped one, or with an outdated mark is not held."""
    outcome = redlines.passed_by_test(
        junit(
            tmp_path / "junit.xml",
            case("tests.redlines.test_01_values", "test_a"),
            case("tests.redlines.test_02_order", "test_b"),
            case("tests.redlines.test_02_order", "test_c", "<skipped/>"),
            case("tests.redlines.test_05_worlds", "test_d"),
            case("tests.unit.test_03_other", "test_e"),
        )
    )
    verdicts = redlines.judge(LINES, outcome)
    words = [verdict.word for verdict in verdicts]
    assert words == ["held", "FAILED", "NO TEST", "open (issue 9)", "OPEN BUT TESTED"]
    assert [verdict.ok for verdict in verdicts] == [True, False, False, True, False]


def test_there_are_fifteen_red_lines() -> None:
    """The list is complete and in order, and every file of tests belongs to one of its lines."""
    lines = redlines.red_lines(redlines.FOLDER)
    assert [line.number for line in lines] == list(range(1, 16))
    numbers = {int(path.name[5:7]) for path in redlines.FOLDER.glob("test_*.py")}
    assert numbers <= {line.number for line in lines}


def test_red_lines_without_results_are_not_held(tmp_path: Path) -> None:
    """When the tests left no report, `make redlines` says so and fails."""
    assert redlines.main(["--results", str(tmp_path / "absent.xml")]) == 1


def test_a_line_or_branch_that_no_test_runs_is_found() -> None:
    """Critical modules are judged by lines and by branches, and an unmeasured one is no good one."""
    report = {
        "files": {
            "a.py": {"missing_lines": [], "missing_branches": []},
            "b.py": {"missing_lines": [3], "missing_branches": []},
            "c.py": {"missing_lines": [], "missing_branches": [[3, 5]]},
        }
    }
    modules = {"a.py": ["a.py"], "b.py": ["b.py"], "c*.py": ["c.py"], "d.py": ["d.py"], "e.py": []}
    assert critical.uncovered(modules, report) == [
        "e.py: names no module",
        "b.py: lines [3], branches all",
        "c.py: lines all, branches 3->5",
        "d.py: not measured",
    ]


def test_the_critical_modules_include_keys_tokens_and_decisions() -> None:
    """The list of `pyproject.toml` covers the log, the tokens, the flows and the decision engine."""
    patterns = set(critical.critical_modules(ROOT))
    assert {"audit/merkle.py", "audit/note.py", "audit/seal.py", "broker/flows/*.py", "policies/engine.py"} <= patterns


def test_mutants_are_counted_by_module_and_compared_with_the_baseline() -> None:
    """A module that scores lower than before, or was never scored, fails; what a time-out ends counts as noticed."""
    fates = {
        "audit.merkle.x_leaf__mutmut_1": "killed",
        "audit.merkle.x_leaf__mutmut_2": "survived",
        "audit.note.xǁKeyǁsign__mutmut_1": "timeout",
    }
    modules = mutate.summarise(fates)
    assert modules["audit/merkle.py"] == {
        "mutants": 2,
        "noticed": 1,
        "unchecked": 0,
        "equivalent": 0,
        "score": 50.0,
        "unnoticed": ["audit.merkle.x_leaf__mutmut_2"],
    }
    wanted = ["audit/merkle.py", "audit/note.py"]
    assert mutate.compare(modules, {"audit/merkle.py": 50.0, "audit/note.py": 100.0}, wanted) == []
    assert [fault.partition(":")[0] for fault in mutate.compare(modules, {"audit/merkle.py": 50.1}, wanted)] == wanted
    assert mutate.compare({}, {}, wanted) == ["no mutant was made"]
    stopped = mutate.summarise({"audit.merkle.x_leaf__mutmut_1": "not checked"})
    assert "did not pass" in mutate.compare(stopped, {"audit/merkle.py": 0.0}, wanted)[0]


def test_mutation_can_be_pointed_at_modules() -> None:
    """The place where `make mutate` writes its modules is in `pyproject.toml`, once."""
    assert (ROOT / "pyproject.toml").read_text(encoding="utf-8").count(f"\n{mutate.PLACE}\n") == 1
