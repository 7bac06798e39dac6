"""A mutant counts as noticed because a test saw what it changed, and for no other reason: a small project shows it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
[tool.mutmut]
source_paths = ["small"]
only_mutate = ["small/sums.py"]
also_copy = ["judged"]
pytest_add_cli_args = ["-p", "no:randomly"]
pytest_add_cli_args_test_selection = ["judged"]

[tool.pytest.ini_options]
pythonpath = ["."]
"""
SUMS = """
def seen(left, right):
    return left + right


def run(number):
    return number - 1
"""
FIXTURE = """
import pytest

@pytest.fixture(scope="session")
def kept():
    return 3
"""
FIRST = """
from small.sums import run, seen

def test_seen(kept):
    assert seen(kept, 2) == 5

def test_run(kept):
    run(kept)
"""
LAST = """
from small.sums import run

def test_run_again(kept):
    run(kept)
"""


def test_what_no_test_sees_is_not_noticed(tmp_path: Path) -> None:
    """Every change of a function that is held is noticed, and none of one that is only run, whichever test ran last."""
    for name, text in (
        ("pyproject.toml", SETTINGS), ("small/__init__.py", ""), ("small/sums.py", SUMS),
        ("judged/conftest.py", FIXTURE), ("judged/test_first.py", FIRST), ("judged/test_last.py", LAST),
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CHILDREN": "1"}
    command = [sys.executable, "-m", "tests.check.mutant_run"]
    ran = subprocess.run(command, cwd=tmp_path, check=False, env=environment, capture_output=True, text=True)
    noted = tmp_path / "mutants" / "small" / "sums.py.meta"
    assert noted.is_file(), ran.stdout + ran.stderr
    fates = json.loads(noted.read_text(encoding="utf-8"))["exit_code_by_key"]
    by_function = {name: {fates[each] for each in fates if f"x_{name}__" in each} for name in ("seen", "run")}
    assert by_function == {"seen": {1}, "run": {0}}, ran.stdout + ran.stderr
