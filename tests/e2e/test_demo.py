"""The demonstration as a user starts it: one command, real processes, and what it leaves behind."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 400.0
MIEKE = 11
"""Steps of the first scenario."""
UNDECIDED = {
    "inbox", "matches list", "matches state", "matches casusregisseur", "oproepen list", "oproepen accept",
    "request read", "consent record", "consent withdraw", "coordinated",
}  # fmt: skip
"""What one does with what came to the own organisation: no rule has to permit it."""
STEP_MEMBERS = {
    "n",
    "actor_org",
    "actor_role",
    "action",
    "purpose",
    "outcome",
    "level",
    "rule_ids",
    "ground",
    "bundle_sha256",
    "text_nl",
    "leaf_index",
    "receipt_path",
    "receipt_verified",
}  # fmt: skip - the members of report/v1, in its order


def play(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Return the demonstration after it ended."""
    command = [str(Path(sys.executable).with_name("sluis-connect")), "demo", "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd=ROOT)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder and the output of one whole run on the generated file."""
    from connectors.demo.gba_v_generator import generate  # noqa: PLC0415 - the slow fixture alone needs it

    folder = tmp_path_factory.mktemp("demo")
    data = folder / "persons.csv"
    data.write_text(generate(seed=7, persons=60), encoding="utf-8")
    done = play(folder / "out", "--data", str(data))
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return folder / "out", done.stdout


@pytest.fixture(scope="module")
def report(played: tuple[Path, str]) -> dict[str, Any]:
    """Return the report of that run."""
    return dict(json.loads((played[0] / "report.json").read_text(encoding="utf-8")))


def test_every_step_is_reported_with_its_rule_and_verified_receipt(
    played: tuple[Path, str], report: dict[str, Any]
) -> None:
    """A step states who did what, the deciding rule, and a receipt that is there and was verified."""
    folder, _ = played
    assert [step["n"] for step in report["steps"]] == list(range(1, len(report["steps"]) + 1))
    for step in report["steps"]:
        assert step.keys() == STEP_MEMBERS
        assert step["receipt_verified"] is True
        assert (folder / step["receipt_path"]).is_file()
        assert step["rule_ids"] or step["outcome"] == "refused" or step["action"] in UNDECIDED
    indexes = [step["leaf_index"] for step in report["steps"]]
    assert indexes[:MIEKE] == list(range(1, MIEKE + 1))  # the first entry is the policy
    assert indexes == sorted(set(indexes))


def test_mieke_ends_as_the_policy_says(report: dict[str, Any]) -> None:
    """Both see organisation and contact; corporatie, unapproved worker and searcher without a signal are refused."""
    steps = report["steps"][:MIEKE]
    outcomes = [step["outcome"] for step in steps]
    expected = "nothing nothing refused shown shown shown nothing shown shown refused refused"
    assert outcomes == expected.split()
    assert {step["level"] for step in steps if step["outcome"] == "shown"} == {2}
    assert {step["level"] for step in steps if step["outcome"] != "shown"} == {0}


def test_people_follow_up_call_ask_and_answer(report: dict[str, Any]) -> None:
    """From a match to contact and one casusregisseur; after a melding an oproep, a question and its answer."""
    acted = [(step["action"], step["outcome"]) for step in report["steps"][MIEKE:]]
    for wanted in (
        ("matches state", "done"), ("matches casusregisseur", "done"), ("oproep", "sent"), ("oproepen accept", "done"),
        ("request send", "sent"), ("answer", "sent"), ("request read", "shown"),
        ("consent record", "done"), ("check", "refused"), ("check", "shown"), ("consent withdraw", "done"),
    ):  # fmt: skip
        assert wanted in acted
    assert [outcome for action, outcome in acted if action == "check"][-3:] == ["refused", "shown", "refused"]


def test_advice_is_a_counter_and_nothing_else(report: dict[str, Any]) -> None:
    """Asking Veilig Thuis for advice is no step: no entry, no signal, no identifier; the demonstration holds that."""
    assert report["advice"] == {"asked": 1}
    assert all("advice" not in step["action"] for step in report["steps"])


def test_the_real_file_gives_what_a_plaintext_count_gives(report: dict[str, Any]) -> None:
    """Two partners find what the count finds, with at least one same person and one sibling."""
    found = report["real_input"]
    assert found["persons"] == 50
    assert found["equal_to_plaintext_count"] is True
    assert found["matches"]["person"] >= 1
    assert found["matches"]["family"] >= 1


def test_nothing_leaks_and_the_control_finds_everything(report: dict[str, Any]) -> None:
    """The search that finds every value at the partners finds none at the services."""
    scan = report["scan"]
    assert scan.keys() == {"files", "bytes", "patterns", "hits", "control_hits"}
    assert scan["hits"] == 0
    assert scan["control_hits"] > 100
    assert scan["patterns"] > 1000


def test_the_layout_and_the_log_are_for_others_to_check(played: tuple[Path, str], report: dict[str, Any]) -> None:
    """The folder holds what interfaces promise, and the published log verifies again by its own command."""
    folder, _ = played
    for name in ("broker", "custodian-a", "custodian-b", "witness", "captures", "log"):
        assert (folder / name).is_dir()
    assert len(list((folder / "partners").iterdir())) == 7
    assert len(list((folder / "captures").glob("*.bin"))) == 4
    verify = [str(Path(sys.executable).with_name("sluis-audit")), "verify", str(folder / "log")]
    done = subprocess.run(
        [*verify, "--policy", str(folder / "log" / "policy"), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    verified = json.loads(done.stdout)
    assert (verified["size"], verified["root"]) == (report["log"]["size"], report["log"]["root"])
    assert report["log"]["cosigned_by"]


def test_the_report_holds_no_identifier(played: tuple[Path, str]) -> None:
    """Numbers, names and addresses of residents stand in no report."""
    folder, _ = played
    text = (folder / "report.json").read_text(encoding="utf-8")
    for line in (folder / "partners" / "wijkteam-arnhem" / "dossiers" / "gba-v.txt").read_text("utf-8").splitlines():
        for part in line.split("\t"):
            assert len(part) < 8 or part not in text


def test_custodians_share_nothing_with_the_broker(played: tuple[Path, str]) -> None:
    """No key file or trust file of a custodian stands at the broker or at the other custodian, byte for byte."""
    folder, _ = played
    secrets = {
        name: {path.read_bytes() for path in (folder / name / "keys").rglob("*") if path.is_file()}
        for name in ("broker", "custodian-a", "custodian-b", "witness")
        if (folder / name / "keys").is_dir()
    }
    assert len(secrets) >= 3
    every = [content for held in secrets.values() for content in held]
    assert len(every) == len(set(every))


def test_a_planted_line_makes_the_run_fail(tmp_path: Path) -> None:
    """One log line with a number is found, named by its file, and ends the demonstration with 1."""
    done = play(tmp_path / "out", "--only", "mieke", "--plant-leak")
    assert done.returncode == 1, done.stderr[-3000:]
    assert "LEK: broker/service.log: 1" in done.stdout
    assert "999902611" not in done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["scan"]["hits"] == 1


def test_the_readme_shows_what_the_demonstration_prints(played: tuple[Path, str]) -> None:
    """After masking times, sizes and hashes, the README's block is the real output, some steps shortened."""
    from connectors.demo.readme import README, block, excerpt, masked  # noqa: PLC0415 - beside the one test that reads it

    _, output = played
    assert masked(block(README.read_text(encoding="utf-8"), "make demo")) == masked(excerpt(output))


@pytest.mark.parametrize(
    "options", [("--only", "everything"), ("--data", "no-such-file.csv"), ("--out", "docs")], ids=lambda it: it[0]
)
def test_bad_input_is_told_and_changes_nothing(tmp_path: Path, options: tuple[str, str]) -> None:
    """A word, a file or a folder that cannot be ends with 2 and one line."""
    done = play(tmp_path / "out", *options)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
