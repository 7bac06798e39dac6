"""What `make check` measures: no line or branch of a critical module passes for run that no test ran."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT
from tests.check.critical import critical_modules, uncovered

PROJECT = {
    "pyproject.toml": '[tool.sluis]\ncritical_modules = ["kept/*.py"]\n',
    "kept/__init__.py": '"""A package."""\n',
    "kept/idle.py": "NEVER = 1\n",
    "kept/gate.py": """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol


def passes(who):
    if who == "nobody":
        return False
    for each in who:
        if each == "x":
            break
    return True


class Port:
    def asked(self):
        ...
""",
    "test_gate.py": """import pytest


@pytest.mark.parametrize(("who", "told"), [("nobody", False), ("x", True)])
def test_gate(who, told):
    from kept.gate import passes

    assert passes(who) is told
""",
}


def measured(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Return a run of the tests of a small project, which leaves its report in the folder."""
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.check.covering", "--covered", "report.json"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_no_worker_ran_is_named_and_what_any_ran_is_not(tmp_path: Path) -> None:
    """Two workers run a branch each; a module nobody imports and branches nobody took are what is left."""
    done = measured(tmp_path, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert uncovered(critical_modules(tmp_path), report) == [
        "kept/gate.py: lines all, branches 10->13, 11->10",
        "kept/idle.py: not measured",
    ]


def test_a_module_imported_too_early_stops_the_run(tmp_path: Path) -> None:
    """What cannot be measured is said before any test runs, and no report is left to be believed."""
    (tmp_path / "early.py").write_text("import kept.gate\n", encoding="utf-8")
    done = measured(tmp_path, "-p", "early")
    assert done.returncode != 0
    assert "imported before anybody could measure it: kept, kept.gate" in done.stdout + done.stderr
    assert not (tmp_path / "report.json").exists()
