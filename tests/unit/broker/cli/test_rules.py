"""Which policy a broker starts with: a validly signed release, or a switch that says it is not one."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker import cli
from broker.rules import read_rules
from broker.settings import FILE_NAME, InsecureSettingWarning, Settings, SettingsError
from policies import Bundle, load_bundle
from policies.release import Release
from tests.simulators.served_world import make_template, run_cli, served_world
from tests.simulators.signing_people import DAY, OFFICER, PARTY, key_of, released, signers_file
from tests.unit.policies.arnhem import VIRA, changed_documents

SWITCH = "insecure_test_bundle = true"
SIGNED = 'policy_release = "release.json"\npolicy_signers = "signers.json"'


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder, ready to serve."""
    return make_template(tmp_path_factory.mktemp("template") / "world")


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The shipped documents."""
    return load_bundle()


@pytest.fixture
def broker(template: Path, tmp_path: Path, bundle: Bundle) -> Path:
    """A folder whose broker decides with a signed release."""
    folder = Path(shutil.copytree(template, tmp_path / "world")) / "broker"
    signers_file(folder)
    (folder / "release.json").write_bytes(released(bundle).encode())
    _settings(folder, SWITCH, SIGNED)
    return folder


def _settings(broker: Path, old: str, new: str) -> None:
    path = broker / FILE_NAME
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _refusal(broker: Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["config", "check", str(broker)])
    return result.exit_code, result.stderr


def test_a_signed_release_starts(broker: Path) -> None:
    """A release of two people is taken, without a word of warning."""
    assert run_cli("config", "check", broker) == "ok\n"
    assert _refusal(broker) == (0, "")


def _unsigned(broker: Path) -> None:
    release = Release.parse((broker / "release.json").read_bytes())
    one = replace(release, signatures=()).signed(key_of(OFFICER), "bundle")
    (broker / "release.json").write_bytes(one.encode())


def _forged(broker: Path) -> None:
    raw = (broker / "release.json").read_bytes()
    (broker / "release.json").write_bytes(raw.replace(b'"registered_on":"2026', b'"registered_on":"2025'))


def _other_bundle(broker: Path) -> None:
    raw = (broker / "release.json").read_bytes()
    (broker / "release.json").write_bytes(raw.replace(b"Afspraken verwijsindex", b"Afspraken verwijsindxx"))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_unsigned, "too few signed"),
        (_forged, "does not hold"),
        (_other_bundle, "must be the hash of the bundle"),
        (lambda broker: (broker / "release.json").unlink(), "policy_release"),
        (lambda broker: (broker / "signers.json").unlink(), "policy_signers"),
        (lambda broker: _settings(broker, 'policy_signers = "signers.json"', ""), "policy_signers"),
        (lambda broker: _settings(broker, SIGNED, ""), "policy_release"),
        (lambda broker: _settings(broker, SIGNED, f"{SIGNED}\n{SWITCH}"), "insecure"),
        (lambda broker: _settings(broker, SIGNED, f"{SIGNED}\npolicy_earlier = ['missing.json']"), "policy_earlier"),
    ],
    ids=range(9),
)
def test_a_policy_that_is_not_signed_does_not_start(broker: Path, harm: Callable[[Path], None], told: str) -> None:
    """A broken signature, too few of them, another bundle, or none and no switch: a sentence, and no broker."""
    harm(broker)
    code, sentence = _refusal(broker)
    assert code == 2
    assert told in sentence


def test_the_shipped_examples_need_their_switch(broker: Path) -> None:
    """Documents that nobody signed decide only where somebody said so, with a warning."""
    _settings(broker, SIGNED, "insecure_unsigned_bundle = true")
    with pytest.warns(InsecureSettingWarning):
        settings = Settings.read(broker)
    rules = read_rules(settings, today=DAY)
    assert (rules.activation.mark, rules.activation.signed) == ("unsigned", None)


def test_a_bundle_of_which_nothing_holds_any_more_does_not_start(broker: Path) -> None:
    """When every agreement has ended there is nothing to decide with, and the broker says so."""
    with pytest.raises(SettingsError, match="document holds on this day"):
        read_rules(Settings.read(broker), today=date(2090, 1, 1))


async def test_another_release_comes_in_the_place_of_the_one_before(
    broker: Path, tmp_path: Path, bundle: Bundle
) -> None:
    """The log gets one entry per release; one that was signed in place of another bundle is refused."""
    newer = load_bundle(changed_documents(tmp_path / "docs", (VIRA, "titel: Afspraken", "titel: Nieuwe afspraken")))
    for release, entries in ((released(bundle), 1), (released(newer, bundle), 2), (released(newer, bundle), 2)):
        (broker / "release.json").write_bytes(release.encode())
        async with served_world(broker.parent, broker.parent) as world:
            assert world.rows("SELECT count(*) FROM log_entries") == [(entries,)]
            assert world.rows("SELECT count(*) FROM bundles") == [(entries,)]
    (broker / "release.json").write_bytes(released(bundle, None).encode())
    with ThreadPoolExecutor(max_workers=1) as thread:
        code, sentence = thread.submit(_refusal, broker).result()
    assert (code, "in place of another bundle" in sentence) == (2, True)
    assert PARTY not in sentence
