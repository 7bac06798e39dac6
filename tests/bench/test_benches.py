"""Every bench works: run once at a tiny size, with its bars off, for ratios are judged by `make bench` alone."""

import json
from pathlib import Path

import pytest

from tests.bench import __main__ as runner
from tests.bench.measure import FULL, TINY, Bar, Report, Size, median, median_ratio


@pytest.mark.parametrize("name", runner.BENCHES)
def test_a_bench_runs_and_leaves_its_report(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bench prints each ratio and leaves ratio, rounds and the disk's speed; at this size it misses no bar."""
    assert runner.main([name], TINY, tmp_path) == 0
    report = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert (report["schema"], report["name"], report["size"]) == ("bench/v1", name, "tiny")
    assert report["bars"]
    assert all(bar["ratio"] > 0 for bar in report["bars"])
    assert report["rounds"]
    assert report["fdatasync"]["before"]["p50_us"] > 0
    printed = capsys.readouterr().out
    assert all(bar["name"] in printed for bar in report["bars"])
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.json"]


def report_of(ratio: float) -> Report:
    """Return a report with one bar of at least 0.85."""
    return Report(bars=[Bar(name="share", ratio=ratio, at_least=0.85)], rounds=[{"a": 1.0}])


@pytest.mark.parametrize(("ratio", "code"), [(0.86, 0), (0.84, 1)])
def test_a_missed_bar_fails_the_run(
    ratio: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At full size a missed bar makes the command fail and is named; a reached one does not."""

    def bench(_size: Size, _folder: Path) -> Report:
        return report_of(ratio)

    monkeypatch.setattr(runner, "BENCHES", {"trial": bench})
    assert runner.main([], FULL, tmp_path) == code
    assert ("MISSED" in capsys.readouterr().out) == bool(code)
    assert json.loads((tmp_path / "trial.json").read_text(encoding="utf-8"))["ok"] is not bool(code)


def test_an_unknown_bench_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is no bench runs nothing and is not taken for success."""
    assert runner.main(["nonsense"], FULL, tmp_path) == 2
    assert "tokens" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bars_hold_on_their_side_and_at_the_bar_itself() -> None:
    """At least and at most are both inclusive, and a bar may have either."""
    assert [Bar(name="", ratio=ratio, at_least=1.0).held for ratio in (0.9, 1.0, 1.1)] == [False, True, True]
    assert [Bar(name="", ratio=ratio, at_most=1.0).held for ratio in (0.9, 1.0, 1.1)] == [True, True, False]


def test_the_median_of_ratios_is_made_round_by_round() -> None:
    """One round in which the machine slept on one side does not move the result."""
    rounds = [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 6.0}, {"a": 100.0, "b": 2.0}]
    assert median_ratio(rounds, "a", "b") == 0.5
    assert median(rounds, "a") == 3.0
