"""A whole region on real processes: six organisations, four runs, every match that of the plaintext count."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.databases import DATABASES
from tests.simulators.gba_v import generate_odd

ROOT = Path(__file__).resolve().parents[2]
_LONGEST_S = 900.0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file with every oddity."""
    path = tmp_path_factory.mktemp("data") / "odd.csv"
    path.write_text(generate_odd(3, 60, crowd=24), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=DATABASES)
def report(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one `make region` over it reported on each kind of database, having ended with 0."""
    out = tmp_path_factory.mktemp("region")
    command = [sys.executable, "-m", "tests.region", "--data", str(data), "--out", str(out), "--store", request.param]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (out / "report.json").read_text(encoding="utf-8")
    numbers = set(re.findall(r"9999[0-9]{5}", data.read_text(encoding="utf-8")))
    assert numbers
    assert not [number for number in numbers if number in text]
    return dict(json.loads(text))


def kinds(run: dict[str, Any]) -> Counter[str]:
    """Return how many matches of each kind were found."""
    return Counter(match["kind"] for match in run["found"])


def test_every_match_is_the_one_expected(report: dict[str, Any]) -> None:
    """In all four runs; with matches of every kind, and far more checked pairs that do not match."""
    assert report["equal"]
    assert [run["purpose"] for run in report["runs"]] == ["proefregio", "verwijsindex", "proefregio", "proefregio"]
    assert all(run["expected"] == run["found"] and run["equal"] for run in report["runs"])
    assert min(kinds(report["runs"][0])[kind] for kind in ("person", "member", "family", "address")) >= 20
    assert all(run["counts"]["pairs_without_match"] >= 1_000 for run in report["runs"])


def test_the_verwijsindex_knows_two_kinds_and_an_age(report: dict[str, Any]) -> None:
    """Only youths who were assessed, and whose family knows or why not, are registered; nobody is found by address."""
    run = report["runs"][1]
    assert kinds(run).keys() == {"person", "family"}
    assert {one["reason"] for one in run["rejected"]} >= {"age", "assessment", "informing", "deceased"}
    assert run["date"] == "2026-07-01"
    assert 0 < run["counts"]["signals"] < report["runs"][0]["counts"]["signals"]


def test_an_excluded_address_and_a_crowded_one_say_nothing(report: dict[str, Any]) -> None:
    """Both take away matches by address and nothing else."""
    base, _, excluded, mute = report["runs"]
    for run in (excluded, mute):
        assert 0 <= kinds(run)["address"] < kinds(base)["address"]
        assert {**kinds(run), "address": 0} == {**kinds(base), "address": 0}
    assert excluded["excluded_addresses"]
    assert mute["mute_threshold"] < base["mute_threshold"] == 12
    assert mute["counts"]["checks_with_a_mute_address"] > base["counts"]["checks_with_a_mute_address"] > 0


def test_tokens_that_got_lost_are_noticed(data: Path, tmp_path: Path) -> None:
    """Where the database loses tokens between registering and checking, the run ends with 1 and says what."""
    command = [sys.executable, "-m", "tests.region", "--data", str(data), "--out", str(tmp_path), "--plant-loss"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "missing match:" in done.stdout
    (run,) = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["runs"]
    assert run["counts"]["missing"] > 0
    assert run["counts"]["surplus"] == 0
    assert not run["equal"]


def test_one_number_on_two_rows_is_one_subject(report: dict[str, Any]) -> None:
    """It is reported by label, and where two organisations hold the rows they find the same person."""
    assert report["doubled"]
    run = report["runs"][0]
    for first, second in report["doubled"]:
        pairs = {(one["checker_row"], one["holder_row"]) for one in run["found"] if one["kind"] == "person"}
        holders = [set(run["holders"][label]) for label in (first, second)]
        rejected = {one["row"] for one in run["rejected"]}
        assert (first, second) in pairs or holders[0] == holders[1] or {first, second} & rejected
