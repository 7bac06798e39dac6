"""`sluis-broker verify`: whether everything that the log holds is there, or erased by the entry that says so."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.cli import app
from tests.simulators.served_world import copy_world, make_template, run_cli


@pytest.fixture
def broker(tmp_path: Path) -> Path:
    """The folder of a broker that has started once: its log holds one entry."""
    copy_world(make_template(tmp_path / "template"), tmp_path / "world")
    folder = tmp_path / "world" / "broker"
    run_cli("config", "check", folder)
    return folder


def _run(broker: Path, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["verify", str(broker), *options])
    return result.exit_code, result.stdout, result.stderr


def test_a_whole_log_holds_and_a_lost_row_is_an_alarm(broker: Path) -> None:
    """Exit 0 with every group counted; 1 where the policy's witnesses saw nothing of it, or where a row is gone."""
    code, text, _ = _run(broker, "--json")
    assert (code, json.loads(text)["seen"], json.loads(text)["cosignedSize"]) == (1, False, None)
    policy = broker / "log-policy"
    policy.write_text(policy.read_text().replace("quorum w1", "quorum none"))
    code, text, _ = _run(broker, "--json")
    whole = {"ok": 5, "erased": 0, "MISSING": 0, "MISMATCH": 0}
    assert (code, json.loads(text)["groups"], json.loads(text)["signed"]) == (0, whole, True)
    with closing(sqlite3.connect(broker / "broker.sqlite")) as connection, connection:
        connection.execute("DELETE FROM log_payload_keys WHERE grp = 'actor'")
    code, text, _ = _run(broker, "--json")
    assert (code, json.loads(text)["alarms"]) == (1, [{"index": 0, "group": "actor", "state": "MISSING"}])
    assert "holds: False" in _run(broker)[1]


@pytest.mark.parametrize("harm", ["payload-keys/1.key", "log-policy", "broker.sqlite"])
def test_what_cannot_be_read_is_bad_input_and_named(broker: Path, harm: str) -> None:
    """Without keys, policy or database there is no answer, and what to do is said: never that it holds."""
    (broker / harm).unlink()
    code, text, told = _run(broker)
    assert (code, text) == (2, "")
    assert told.startswith("sluis-broker: ")
