"""Bad input ends `make region` with 2 before anything is started; the sentence names the rule and never a value."""

from pathlib import Path

import pytest

from tests.region.assessments import AssessmentsError, made_up, read_assessments, write_assessments
from tests.region.runner import BAD_INPUT, DAY, main
from tests.simulators.gba_v import generate_odd

GOOD = generate_odd(1, 60, crowd=10)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "cannot be read"),
        (GOOD.replace(";", ",").encode(), "is the delimiter"),
        (GOOD.encode("latin-1", errors="replace"), "is not UTF-8"),
        (GOOD.replace("01.01.20", "01.01.21", 1).encode(), "must have the column 01.01.20 exactly once"),
        (GOOD[:-20].encode(), "it was cut off"),
        (GOOD[: GOOD.rindex(";", 0, -40)].encode() + b"\n", "another number of cells"),
        ((GOOD + GOOD.partition("\n")[2]).encode(), "must not use a label twice"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, rule: str
) -> None:
    """Nothing is registered from half a file."""
    data = tmp_path / "data.csv"
    if content is not None:
        data.write_bytes(content)
    assert main(["--data", str(data), "--out", str(tmp_path / "out")]) == BAD_INPUT
    assert rule in capsys.readouterr().out
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.parametrize("day", ["2026-13-01", "morgen", "2024-12-31", "2031-01-01"])
def test_a_day_outside_the_agreement_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str) -> None:
    """A day on which the example agreement does not hold gives no verwijsindex."""
    with pytest.raises(SystemExit) as ended:
        main(["--date", day, "--out", str(tmp_path / "out")])
    assert ended.value.code == BAD_INPUT
    assert "--date" in capsys.readouterr().err


def test_a_folder_that_is_not_ours_is_not_wiped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what an earlier run made is removed."""
    work = tmp_path / "out" / "work"
    work.mkdir(parents=True)
    (work / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert main(["--out", str(tmp_path / "out")]) == BAD_INPUT
    assert (work / "thesis.txt").is_file()
    assert "choose another" in capsys.readouterr().out


def test_a_side_file_comes_back_as_written(tmp_path: Path) -> None:
    """Made from the labels alone: the same labels and day give the same file, with every state in it."""
    labels = [f"Lg01_{number}" for number in range(200)]
    made = made_up(labels, DAY)
    assert made == made_up(labels, DAY)
    assert {line["informed"] for line in made.values()} >= {"", "yes", "danger_to_child", "investigation"}
    assert any(not line["assessed_on"] for line in made.values())
    write_assessments(tmp_path / "side.csv", made)
    assert read_assessments(tmp_path / "side.csv") == made


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"label;assessed_on;assessed_by;informed\na;b;c;d\n", "must have the columns"),
        (b"label,assessed_on,assessed_by\na,2026-01-01,x\n", "must have the columns"),
        (b"label,assessed_on,assessed_by,informed\na,2026-01-01,x\n", "must have the columns"),
        (b"label,assessed_on,assessed_by,informed\na,2026-01-01,x,yes,more\n", "must have the columns"),
        (b"label,assessed_on,assessed_by,informed\na,gisteren,x,yes\n", "must be a day"),
        (b"label,assessed_on,assessed_by,informed\na,,,\na,,,\n", "twice"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_side_file_that_breaks_a_rule_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    """The line and the rule are named."""
    side = tmp_path / "side.csv"
    side.write_bytes(content)
    with pytest.raises(AssessmentsError, match=rule):
        read_assessments(side)
    assert main(["--assessments", str(side), "--out", str(tmp_path / "out"), "--persons", "60"]) == BAD_INPUT
