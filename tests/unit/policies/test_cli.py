"""``sluis-policy``: its output and its exit status."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policies.cli import app, main
from tests.unit.policies.arnhem import VIRA, changed_documents
from tests.unit.policies.test_records import GOOD

runner = CliRunner()


def test_check_accepts_the_shipped_documents() -> None:
    """The documents we ship pass their own check."""
    result = runner.invoke(app, ["check", "--json"])
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert {"lex@2026.1.0", "vira@2026.1.0", "arnhem-hg@2026.1.0", "aa@2026.1.0"} <= set(summary["documents"])
    assert len(summary["bundle"]) == 64


def test_check_prints_for_people_too() -> None:
    """Without --json the same facts stand one per line."""
    result = runner.invoke(app, ["check"])
    assert result.exit_code == 0
    assert "'verwijsindex'" in result.stdout


def test_check_names_the_first_error(tmp_path: Path) -> None:
    """A wrong document ends the check with 1 and its place on standard error."""
    folder = changed_documents(tmp_path, (VIRA, "voorbeeld: true", "voorbeeld: true\nkleur: rood"))
    result = runner.invoke(app, ["check", str(folder)])
    assert result.exit_code == 1
    assert f"{VIRA}:" in result.stderr
    assert "kleur" in result.stderr


def test_check_of_no_folder_is_bad_input(tmp_path: Path) -> None:
    """A folder that is not there is bad input."""
    assert runner.invoke(app, ["check", str(tmp_path / "weg")]).exit_code == 2


def test_the_test_bundle_is_announced() -> None:
    """The insecure switch is said out loud on standard error."""
    result = runner.invoke(app, ["check", "--insecure-test-bundle"])
    assert result.exit_code == 0
    assert "warning: test documents are loaded" in result.stderr


def test_explain_reads_facts_and_speaks_dutch(tmp_path: Path) -> None:
    """Facts in a file are decided and explained."""
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({**GOOD, "standing": "none"}), encoding="utf-8")
    result = runner.invoke(app, ["explain", "--facts", str(facts)])
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "Dit mag je hier niet opvragen, omdat je organisatie zelf geen actief signaal heeft"
    )


def test_explain_prints_the_record_of_a_hit() -> None:
    """Facts with a hit on standard input give the decision/v1 record of may_see."""
    hit = {
        "holder": "00000099000000002000", "holder_class": "gi", "kind": "person", "purpose": "verwijsindex",
        "ground": "JW-7.1.4.1", "shielded": False, "excluded": False,
    }  # fmt: skip
    result = runner.invoke(app, ["explain", "--facts", "-", "--json"], input=json.dumps({**GOOD, "hit": hit}))
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert (record["question"], record["outcome"], record["rule"]) == ("may_see", "permit", "vira@2026.1.0/zien")


@pytest.mark.parametrize("text", ["", "[]", '{"bsn": "999990408"}'])
def test_facts_that_are_no_facts_are_bad_input(text: str) -> None:
    """Bad facts end with 2 and are not repeated."""
    result = runner.invoke(app, ["explain", "--facts", "-"], input=text)
    assert result.exit_code == 2
    assert "999990408" not in result.stderr


def test_a_missing_facts_file_is_bad_input(tmp_path: Path) -> None:
    """A file that is not there is bad input."""
    assert runner.invoke(app, ["explain", "--facts", str(tmp_path / "weg.json")]).exit_code == 2


def test_main_is_the_console_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console script runs the same commands."""
    monkeypatch.setattr("sys.argv", ["sluis-policy", "check", "--json"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
