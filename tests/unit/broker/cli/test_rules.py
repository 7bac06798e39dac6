"""Which policy a broker starts with: a validly signed release, or a switch that says it is not one."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broker import cli
from broker.protocol.messages import WireReceipt
from broker.protocol.signing_keys import b64url_bytes
from broker.rules import read_rules
from broker.settings import FILE_NAME, InsecureSettingWarning, Settings, SettingsError
from policies import Bundle, load_bundle
from policies.release import Release
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.served_world import ServedWorld, make_template, run_cli, served_world
from tests.simulators.signing_people import DAY, OFFICER, PARTY, key_of, released, signers_file
from tests.unit.policies.arnhem import VIRA, changed_documents

SWITCH = "insecure_test_bundle = true"
MIEKE = {
    "ageQuarter": "2027-01-01",
    "endsOn": "2026-12-01",
    "assessment": {"on": "2026-11-20", "by": "worker-1000"},
    "informing": {"state": "informed", "reason": None, "reviewOn": None},
}
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


def test_a_release_of_tomorrow_does_not_start(broker: Path) -> None:
    """A statement says when it was made: one that was made after today is wrong, or our clock is."""
    with pytest.raises(SettingsError, match="registered after today"):
        read_rules(Settings.read(broker), today=date(2026, 11, 21))
    assert read_rules(Settings.read(broker), today=DAY).activation.mark == "signed"


def test_a_clause_is_shown_with_its_tests_where_they_are_at_hand(
    broker: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The tables of a release stand in a folder of their own; wrong ones are said and not shown, and stop nothing."""
    assert read_rules(Settings.read(broker), today=DAY).tested() is None
    changed_documents(broker / "tables")
    _settings(broker, SIGNED, f'{SIGNED}\npolicy_tables = "tables/documents"')
    tested = read_rules(Settings.read(broker), today=DAY).tested
    decided = tested()
    assert decided is not None
    assert decided["vira@2026.1.0/kijken"]
    assert tested() is decided
    (broker / "tables" / "documents" / "stuk.tabel.yml").write_text("schema: beslistabel/v1\n", encoding="utf-8")
    assert read_rules(Settings.read(broker), today=DAY).tested() is None
    assert "stuk.tabel.yml" in caplog.text


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


def _earlier(broker: Path, release: Release) -> None:
    """Name this release as one that was in force before."""
    (broker / "earlier.json").write_bytes(release.encode())
    if "policy_earlier" not in (broker / FILE_NAME).read_text(encoding="utf-8"):
        _settings(broker, SIGNED, f"{SIGNED}\npolicy_earlier = ['earlier.json']")


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped documents in which wijkteams may not look in Arnhem."""
    old = "handelingen: [check]\n    vragend: [wijkteam, gi"
    change = (VIRA, old, "handelingen: [check]\n    vragend: [gi")
    return load_bundle(changed_documents(tmp_path_factory.mktemp("newer"), change))


async def test_another_release_comes_in_the_place_of_the_one_before(
    broker: Path, bundle: Bundle, newer: Bundle
) -> None:
    """The log gets one entry per release; one that was signed in place of another bundle is refused."""
    _earlier(broker, released(bundle))
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


def _understated(release: Release, **changed: Any) -> bytes:  # noqa: ANN401 - fields of a release
    """Return the release in which two people signed for less than it opens."""
    understated = replace(release, signatures=(), **changed)
    for name in (OFFICER, PARTY):
        understated = understated.signed(key_of(name), "bundle")
    return understated.encode()


def test_what_opens_is_counted_by_the_broker_itself(broker: Path, bundle: Bundle, newer: Bundle) -> None:
    """A release that says it opens nothing, or that another comparison was made, is refused however it was signed."""
    closing = released(newer, bundle)
    (broker / "release.json").write_bytes(_understated(released(bundle), openings=0))
    assert "comparison with the bundle it replaces" in _refusal(broker)[1]
    (broker / "release.json").write_bytes(released(newer).encode())
    assert _refusal(broker)[0] == 0
    _earlier(broker, released(newer))
    opening = released(bundle, newer)
    assert opening.openings > 0
    for lie in (_understated(opening, openings=0), _understated(opening, openings=0, diff=closing.diff)):
        (broker / "release.json").write_bytes(lie)
        code, sentence = _refusal(broker)
        assert (code, "comparison with the bundle it replaces" in sentence) == (2, True)
    (broker / "release.json").write_bytes(opening.encode())
    assert _refusal(broker) == (0, "")


def test_a_release_whose_predecessor_is_not_at_hand_does_not_start(broker: Path, bundle: Bundle, newer: Bundle) -> None:
    """What opens cannot be counted without the bundle it is compared with; once in force, it need not be any more."""
    (broker / "release.json").write_bytes(released(newer, bundle).encode())
    code, sentence = _refusal(broker)
    assert (code, "policy_earlier" in sentence) == (2, True)
    _earlier(broker, released(bundle))
    assert _refusal(broker)[0] == 0
    _settings(broker, "policy_earlier = ['earlier.json']", "")
    assert _refusal(broker)[0] == 0


@asynccontextmanager
async def _serving(broker: Path) -> AsyncIterator[ServedWorld]:
    async with served_world(broker.parent, broker.parent) as world:
        yield world


async def _taken_up(world: ServedWorld, *, code: int = 0) -> str:
    """Return what the operator's command says, while the broker serves."""
    command = partial(CliRunner().invoke, cli.app, ["policy", "activate", str(world.folder / "broker")])
    result = await asyncio.get_running_loop().run_in_executor(None, command)
    assert result.exit_code == code, result.output
    return result.output


async def _decided_with(world: ServedWorld) -> str:
    asker = world.asker(GI, purpose="verwijsindex", ground="JW-7.1.4.1")
    answer = await world.send(asker.post("/v1/signals", asker.registration(household(subject=asker.id()), **MIEKE)))
    body = answer.json()
    opening = WireReceipt.model_validate(body["receipt"]).openings["meta"]
    return str(json.loads(b64url_bytes(opening.payload, field="payload"))["decision"]["bundle"])


async def test_a_release_comes_into_force_while_the_broker_serves(broker: Path, bundle: Bundle, newer: Bundle) -> None:
    """Put in place and taken up by command: recorded, then every decision, page and report names it; no restart."""
    async with _serving(broker) as world:
        assert await _decided_with(world) == bundle.sha256
        (broker / "release.json").write_bytes(released(newer, bundle).encode())
        assert await _decided_with(world) == bundle.sha256
        assert f"policy {newer.sha256}: in force from entry 3 on" in await _taken_up(world)
        assert await _decided_with(world) == newer.sha256
        assert (await world.client.get("/health/ready")).json()["bundleSha256"] == newer.sha256
        asker = world.asker(WIJKTEAM)
        shown = await world.send(asker.get("/v1/convenants/vira/2026.1.0"))
        assert shown.json()["bundleSha256"] == newer.sha256
        changed = await world.send(asker.get(f"/v1/policy/diff?earlier={bundle.sha256}"))
        assert (changed.json()["new"], changed.json()["openings"]) == (newer.sha256, 0)
        assert "was in force already" in await _taken_up(world)
        assert world.rows("SELECT sha256 FROM bundles ORDER BY number") == [(bundle.sha256,), (newer.sha256,)]


async def test_whatever_is_wrong_with_another_release_the_one_in_force_stays(
    broker: Path, bundle: Bundle, newer: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    """Unsigned, of another predecessor, understated, malformed, missing: told in a sentence, and nothing changes."""
    right = released(newer, bundle)
    wrong = {
        b"{": "must be JSON",
        replace(right, signatures=right.signatures[:1]).encode(): "too few signed",
        released(newer).encode(): "in place of another bundle",
        _understated(released(newer, bundle), diff="0" * 64): "comparison with the bundle it replaces",
    }
    async with _serving(broker) as world:
        for raw, told in wrong.items():
            (broker / "release.json").write_bytes(raw)
            assert told in await _taken_up(world, code=2)
            assert await _decided_with(world) == bundle.sha256
        (broker / "release.json").unlink()
        await _taken_up(world, code=2)
        (broker / FILE_NAME).write_text("= no toml", encoding="utf-8")
        world.app.state.activation.result = {}
        renewed = await world.app.state.activation.renew()
        assert renewed["refused"]["rule"] == "is not TOML"
        assert await _decided_with(world) == bundle.sha256
        assert world.rows("SELECT count(*) FROM bundles") == [(1,)]
    assert caplog.text.count("the policy in force stays") == 6
    assert PARTY not in caplog.text


async def test_an_insecure_bundle_says_so_again(
    template: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Taking up what nobody signed warns as the start did, and changes nothing that was in force."""
    async with served_world(template, tmp_path / "world") as world:
        renewed = await world.app.state.activation.renew()
        assert (renewed["mark"], renewed["entry"]) == ("test", None)
    assert "never use this broker for real people" in caplog.text
    assert "their grounds are not law" in caplog.text


async def test_what_cannot_be_recorded_does_not_come_into_force(broker: Path, bundle: Bundle, newer: Bundle) -> None:
    """With a database that refuses the entry the command fails, and the broker goes on with what was in force."""
    async with _serving(broker) as world:
        world.write("ALTER TABLE bundles RENAME COLUMN activated_at TO elsewhere")
        (broker / "release.json").write_bytes(released(newer, bundle).encode())
        assert "not available" in await _taken_up(world, code=1)
        assert await _decided_with(world) == bundle.sha256
        world.write("ALTER TABLE bundles RENAME COLUMN elsewhere TO activated_at")
        await _taken_up(world)
        assert await _decided_with(world) == newer.sha256


def test_without_a_serving_broker_the_command_starts_it_once(broker: Path, bundle: Bundle, newer: Bundle) -> None:
    """The entry is written by the command itself; the next start finds it in force."""
    assert f"policy {bundle.sha256}: in force from entry 0 on" in run_cli("policy", "activate", broker)
    (broker / "release.json").write_bytes(released(newer, bundle).encode())
    _earlier(broker, released(bundle))
    said = json.loads(run_cli("policy", "activate", broker, "--json").splitlines()[-1])
    assert said == {"bundleSha256": newer.sha256, "mark": "signed", "entry": 1}
    assert "was in force already" in run_cli("policy", "activate", broker)


async def test_a_broker_whose_policy_has_ended_is_not_ready(broker: Path) -> None:
    """Nothing is decided any more, so nobody is sent there: the report says that it is the policy."""
    async with _serving(broker) as world:
        assert (await world.client.get("/health/ready")).json()["policy"] is True
        world.clock.move(50 * 365 * 86_400)
        ready = await world.client.get("/health/ready")
        assert (ready.status_code, ready.json()["ready"], ready.json()["policy"]) == (503, False, False)
