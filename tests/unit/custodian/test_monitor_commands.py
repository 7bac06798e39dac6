"""`sluis-custodian monitor`: set up, shown, cleared; and who cannot watch as he is set up does not start."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.custodian import folder, followed
from broker.custodian.cli import app
from broker.custodian.errors import FolderError
from broker.custodian.log_keys import LOG_KEY
from broker.custodian.monitor_folder import open_monitor
from broker.custodian.watch_settings import FILE, LOG_POLICY, WatchSettings
from tests.simulators.custodian import CUSTODIANS, CustodianPair
from tests.unit.audit.log_simulator import LogInMemory, policy_text, witness_key

B = CUSTODIANS[1]


def run(*words: object) -> Result:
    """Return what a command came to."""
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Return the file of a log policy."""
    file = tmp_path / "policy"
    file.write_text(policy_text(LogInMemory().key.verifier, witness_key().verifier, quorum="w1"))
    return file


def configured(pair: CustodianPair, policy: Path, *more: object) -> Result:
    """Configure the first custodian, with the other one as its peer."""
    peer = ("--peer", f"{B}=https://{B}", "--peer-key", f"{B}={pair.folders[1] / 'custodian.pub.jwk'}")
    watched = ("--broker-url", "https://broker.example/", "--log-policy", policy)
    return run("monitor", "configure", pair.folders[0], *watched, *peer, *more)


def test_a_custodian_is_set_up_to_watch(pair: CustodianPair, policy: Path) -> None:
    """The settings stand in the folder, the peer's key is pinned, and the next start opens a monitor."""
    assert configured(pair, policy, "--poll-s", 7).exit_code == 0
    settings = WatchSettings.load(pair.folders[0])
    assert settings is not None
    assert (settings.broker_url, settings.poll_s, settings.peers[0].id) == ("https://broker.example", 7, B)
    with open_monitor(pair.folders[0], pair.custodians[0]) as monitor:
        assert monitor is not None
        assert monitor.log.policy.witnesses == monitor.policy.witnesses
        assert monitor.log.policy.log.key.name == f"{CUSTODIANS[0]}/log"


def test_without_it_nothing_is_watched(pair: CustodianPair) -> None:
    """A custodian that was not set up has no monitor."""
    with open_monitor(pair.folders[0], pair.custodians[0]) as monitor:
        assert monitor is None


@pytest.mark.parametrize(
    "more", [("--peer", "x=y"), ("--peer", "x"), ("--poll-s", 0), ("--max-blind-s", 1), ("--broker-url", "nowhere")]
)
def test_settings_that_break_a_rule_are_refused(pair: CustodianPair, policy: Path, more: tuple[object, ...]) -> None:
    """Field and rule are named, and nothing stands in the folder."""
    assert configured(pair, policy, *more).exit_code in {1, 2}
    assert WatchSettings.load(pair.folders[0]) is None


def test_a_policy_that_is_none_is_refused(pair: CustodianPair, tmp_path: Path) -> None:
    """A custodian never starts to watch by a file that names no log."""
    (tmp_path / "policy").write_text("log nothing\n")
    assert configured(pair, tmp_path / "policy").exit_code == 1


def test_a_custodian_that_cannot_watch_as_it_is_set_up_does_not_start(pair: CustodianPair, policy: Path) -> None:
    """A damaged setting, a lost policy or a lost key of the own log stops the start, and says what to do."""
    configured(pair, policy)
    path = pair.folders[0]
    text = (path / FILE).read_text()
    for broken in ("x", "unknown = 1\n"):
        (path / FILE).write_text(broken)
        with pytest.raises(FolderError, match=FILE):
            WatchSettings.load(path)
    (path / FILE).write_text(text)
    kept = (path / LOG_POLICY).read_bytes()
    (path / LOG_POLICY).unlink()
    with pytest.raises(FolderError, match=LOG_POLICY), open_monitor(path, pair.custodians[0]):
        raise AssertionError
    (path / LOG_POLICY).write_bytes(kept)
    (path / LOG_KEY).unlink()
    with pytest.raises(FolderError, match=r"log\.key"), open_monitor(path, pair.custodians[0]):
        raise AssertionError


def test_what_was_seen_is_shown_and_an_alarm_is_exit_1(pair: CustodianPair) -> None:
    """Without an alarm 0; with one 1, until a person cleared it with a reason."""
    path, store = pair.folders[0], pair.custodians[0].store
    assert json.loads(run("monitor", "show", path, "--json").stdout)["alarms"] == []
    followed.raise_alarm(store, followed.FORK, "note", now=pair.clock.now)
    shown = run("monitor", "show", path)
    assert (shown.exit_code, "ALARM fork" in shown.stdout) == (1, True)
    assert run("monitor", "clear", path, "--because", " ").exit_code == 2
    assert "cleared 1" in run("monitor", "clear", path, "--because", "known restore").stdout
    assert run("monitor", "show", path).exit_code == 0


def test_the_own_log_survives_a_check_of_the_folder(pair: CustodianPair) -> None:
    """The public key of the own log stands beside the custodian's own, for its witnesses."""
    folder.check(pair.folders[0])
    assert (pair.folders[0] / "log.vkey").read_text().startswith(f"{CUSTODIANS[0]}/log+")
