"""A broker is set up by commands, and one that lacks something refuses to start and says what to do."""

import json
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit.signer import LocalSigner
from broker import cli
from broker.api.serving import server_config
from broker.settings import FILE_NAME, LOG_KEY, OFFLINE_PRIVATE_KEY
from tests.simulators.asking import epoch_document, household
from tests.simulators.enrolled import WIJKTEAM, Enrolled
from tests.simulators.served_world import ServedWorld, make_template, run_cli, served_world


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder, ready to serve."""
    return make_template(tmp_path_factory.mktemp("template") / "world")


@pytest.fixture
def broker(template: Path, tmp_path: Path) -> Path:
    """A copy of that folder for one test."""
    return Path(shutil.copytree(template, tmp_path / "world")) / "broker"


def _refusal(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    return result.exit_code, result.stderr


def test_init_makes_keys_that_only_their_owner_can_reach(template: Path) -> None:
    """Every key has mode 0600 in a folder of mode 0700, and the offline half stands outside it."""
    broker = template / "broker"
    assert (broker / "keys").stat().st_mode & 0o777 == 0o700
    assert (broker / "payload-keys").stat().st_mode & 0o777 == 0o700
    keys = [*(broker / "keys").iterdir(), *(broker / "payload-keys").iterdir(), template / "offline.key"]
    assert len(keys) == 6
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)


def test_init_says_to_take_the_offline_key_away(template: Path, tmp_path: Path) -> None:
    """The one file with which tokens could be read is named with what to do, and nothing else secret is printed."""
    pins = ["--registrar", template / "registrar-1.jwk", "--registrar", template / "registrar-2.jwk"]
    for name in ("custodian-a.demo.sluis.test", "custodian-b.demo.sluis.test"):
        pins += ["--custodian", f"{name}={template / f'{name}.jwk'}"]
    identity = ["--id", "b.example", "--public-url", "http://b.example", "--bind", "127.0.0.1:1"]
    arguments = [str(part) for part in ("init", tmp_path / "b", *identity, *pins, "--json")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0
    assert "offline" in result.stderr
    assert (tmp_path / "b" / OFFLINE_PRIVATE_KEY).stat().st_mode & 0o777 == 0o600
    assert json.loads(result.stdout)["vkey"].startswith("b.example/log+")


@pytest.mark.parametrize("folder", ["", "keys"])
def test_no_broker_starts_beside_its_offline_key(broker: Path, template: Path, folder: str) -> None:
    """While the key that opens every token is in the broker's folder, it does not start and says what to do."""
    shutil.copy(template / "offline.key", broker / folder / OFFLINE_PRIVATE_KEY)
    for command in (("serve",), ("config", "check")):
        code, sentence = _refusal(*command, broker)
        assert code == 2
        assert OFFLINE_PRIVATE_KEY in sentence
        assert "take it offline" in sentence


@pytest.mark.parametrize("place", ["b/private.key", "b/keys/private.key", "nowhere/private.key", "there.key"])
def test_the_offline_key_goes_to_a_new_file_elsewhere(template: Path, tmp_path: Path, place: str) -> None:
    """Where it cannot stand, or would stand in the broker's folder after all, no broker is made."""
    (tmp_path / "there.key").write_text("mine", encoding="ascii")
    pins = ["--registrar", template / "registrar-1.jwk", "--registrar", template / "registrar-2.jwk"]
    for name in ("custodian-a.demo.sluis.test", "custodian-b.demo.sluis.test"):
        pins += ["--custodian", f"{name}={template / f'{name}.jwk'}"]
    identity = ["--id", "b.example", "--public-url", "http://b.example", "--bind", "127.0.0.1:1"]
    code, sentence = _refusal("init", tmp_path / "b", *identity, *pins, "--offline-key-out", tmp_path / place)
    assert (code, "--offline-key-out" in sentence) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["there.key"]
    assert (tmp_path / "there.key").read_text(encoding="ascii") == "mine"


def test_init_never_overwrites(broker: Path, template: Path) -> None:
    """A folder that holds a broker stays as it is."""
    pins = ["--registrar", template / "registrar-1.jwk", "--registrar", template / "registrar-2.jwk"]
    pins += ["--custodian", f"a={template / 'registrar-1.jwk'}", "--custodian", f"b={template / 'registrar-2.jwk'}"]
    before = {path: path.read_bytes() for path in (broker / "keys").iterdir()}
    identity = ["--id", "b.example", "--public-url", "http://b.example", "--bind", "127.0.0.1:1"]
    code, told = _refusal("init", broker, *identity, *pins)
    assert code == 2
    assert "holds a broker already" in told
    assert {path: path.read_bytes() for path in (broker / "keys").iterdir()} == before


@pytest.mark.parametrize(
    "custodian", ["no-equals-sign", "../../outside=FILE", "UPPER=FILE", "a/b=FILE"], ids=["form", "up", "case", "slash"]
)
def test_init_writes_no_file_where_a_name_points(template: Path, tmp_path: Path, custodian: str) -> None:
    """A party's name that is no DNS-like name makes nothing at all."""
    pins = ["--registrar", template / "registrar-1.jwk", "--registrar", template / "registrar-2.jwk"]
    pins += ["--custodian", custodian.replace("FILE", str(template / "registrar-1.jwk"))]
    pins += ["--custodian", f"b={template / 'registrar-2.jwk'}"]
    identity = ["--id", "b.example", "--public-url", "http://b.example", "--bind", "127.0.0.1:1"]
    code, _ = _refusal("init", tmp_path / "new", *identity, *pins)
    assert code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_complete_broker_would_start(broker: Path) -> None:
    """`config check` holds on a folder that has everything."""
    assert run_cli("config", "check", broker).splitlines()[-1] == "ok"


def _remove(name: str) -> Callable[[Path], None]:
    return lambda broker: (broker / name).unlink()


def _open_up(name: str) -> Callable[[Path], None]:
    return lambda broker: (broker / name).chmod(0o755 if name == "keys" else 0o644)


def _write(name: str, text: str) -> Callable[[Path], None]:
    def write(broker: Path) -> None:
        (broker / name).write_text(text, encoding="utf-8")

    return write


def _edit(old: str, new: str) -> Callable[[Path], None]:
    def edit(broker: Path) -> None:
        path = broker / FILE_NAME
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return edit


def _another_log(broker: Path) -> None:
    vkey = LocalSigner.create(broker / "other.key", "other/log").encode()
    _write("log-policy", f"log {vkey}\nquorum none\n")(broker)


def _lost_state(broker: Path) -> None:
    (broker / "keys" / f"{LOG_KEY}.state").unlink()


def _older_database(broker: Path) -> None:
    (broker / "broker.sqlite").unlink()
    for name in ("broker.sqlite-wal", "broker.sqlite-shm"):
        (broker / name).unlink(missing_ok=True)
    run_cli("migrate", broker)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_remove("keys/index.key"), "index.key"),
        (_remove("keys/offline.pub"), "offline.pub"),
        (_remove("payload-keys/1.key"), "payload_keys"),
        (_open_up("payload-keys/1.key"), "payload_keys"),
        (_remove("keys/log.key"), "log key"),
        (_lost_state, "log key"),
        (_open_up("keys"), "0700"),
        (_open_up("keys/index.key"), "0600"),
        (_open_up("keys/log.key"), "log key"),
        (_write("keys/index.key", "short"), "32 bytes"),
        (_remove("log-policy"), "log_policy"),
        (_write("log-policy", "nonsense\n"), "log_policy"),
        (_another_log, "another log"),
        (_remove("trust/registrar-1.jwk"), "registrars"),
        (_write("trust/registrar-1.jwk", "{}"), "registrars"),
        (_edit("registrar-2.jwk", "registrar-1.jwk"), "twice"),
        (_edit('id = "', 'colour = "blue"\nid = "'), "colour"),
        (_remove("broker.sqlite"), "migrate"),
        (_write("broker.sqlite", ""), "migrate"),
        (_older_database, "import"),
        (_remove(FILE_NAME), "sluis-broker init"),
    ],
    ids=range(21),
)
def test_a_broker_that_lacks_something_does_not_start(broker: Path, harm: Callable[[Path], None], told: str) -> None:
    """Whatever is missing, weak or contradictory stops the start with a sentence that says what to do."""
    harm(broker)
    code, sentence = _refusal("config", "check", broker)
    assert code == 2
    assert told in sentence
    assert "Traceback" not in sentence


@pytest.mark.parametrize("command", [("config", "check"), ("serve",), ("verify",)], ids=["check", "serve", "verify"])
def test_a_folder_without_payload_keys_is_named_and_never_made_anew(broker: Path, command: tuple[str, ...]) -> None:
    """New keys open nothing of the log that is there: the sentence names the setting and says restore, not `init`."""
    (broker / "payload-keys" / "1.key").unlink()
    code, sentence = _refusal(*command, broker)
    assert (code, "payload_keys" in sentence, "restore" in sentence, "init" in sentence) == (2, True, True, False)
    assert list((broker / "payload-keys").iterdir()) == []


async def test_a_database_that_was_put_back_does_not_start(template: Path, tmp_path: Path) -> None:
    """A database older than what the signer released would fork the log: the broker refuses, and says so."""
    async with served_world(template, tmp_path / "world") as world:
        answer = await world.register(WIJKTEAM, household(subject="child"))
        assert answer.status_code == 200
    broker = tmp_path / "world" / "broker"
    for name in ("broker.sqlite-wal", "broker.sqlite-shm"):
        (broker / name).unlink(missing_ok=True)
    shutil.copy(template / "broker" / "broker.sqlite", broker / "broker.sqlite")
    with ThreadPoolExecutor(max_workers=1) as thread:
        code, sentence = thread.submit(_refusal, "config", "check", broker).result()
    assert (code, "disagree" in sentence) == (2, True)


@pytest.mark.parametrize("kind", ["register", "roster", "epoch"])
def test_a_document_that_does_not_hold_changes_nothing(broker: Path, tmp_path: Path, kind: str) -> None:
    """Malformed, unsigned and older documents are refused with their own exit codes."""
    documents = {
        "register": Enrolled(number=2).register_document(),
        "roster": Enrolled().roster_document(WIJKTEAM, number=2),
        "epoch": epoch_document(2),
    }
    file = tmp_path / "document.json"
    file.write_bytes(b"{}")
    assert _refusal(kind, "import", broker, file)[0] == 2
    file.write_bytes(type(documents[kind])(document=documents[kind].document, signatures=()).encode())
    assert _refusal(kind, "import", broker, file)[0] == 1
    file.write_bytes(documents[kind].encode())
    assert _refusal(kind, "import", broker, file)[0] == 0
    code, told = _refusal(kind, "import", broker, file)
    assert (code, "not higher" in told) == (1, True)


def test_a_roster_of_a_stranger_is_refused(broker: Path, tmp_path: Path) -> None:
    """Who is not in the register has no roster here."""
    names = {"9" * 20: ("Stranger", "wijkteam")}
    file = tmp_path / "roster.json"
    file.write_bytes(Enrolled(names=names).roster_document("9" * 20).encode())
    code, told = _refusal("roster", "import", broker, file)
    assert (code, "not in the register" in told) == (1, True)


async def test_it_is_served_by_uvloop_and_httptools(template: Path, tmp_path: Path) -> None:
    """The loop and the parser are those of D15; access lines and the server's name are not written."""
    async with served_world(template, tmp_path / "served") as world:
        assert isinstance(world, ServedWorld)
        config = server_config(world.app)
    assert (config.loop, config.http, config.access_log, config.server_header) == ("uvloop", "httptools", False, False)
    config.load()
    assert config.http_protocol_class.__name__ == "HttpToolsProtocol"
    assert config.get_loop_factory().__module__.startswith("uvloop")


def test_an_address_that_is_taken_is_told(broker: Path) -> None:
    """When somebody else listens on the address, nothing is opened and one sentence says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _edit("127.0.0.1:8801", f"127.0.0.1:{taken.getsockname()[1]}")(broker)
        code, sentence = _refusal("serve", broker)
    assert code == 2
    assert "in use" in sentence


def test_a_configuration_that_is_no_text_is_told(broker: Path) -> None:
    """A damaged file is named, and nothing of it is shown."""
    (broker / FILE_NAME).write_bytes(b"\xff\xfe\x00")
    code, sentence = _refusal("config", "check", broker)
    assert (code, "broker.toml" in sentence) == (2, True)


def test_a_register_file_that_is_not_there_is_told(broker: Path, tmp_path: Path) -> None:
    """A path with a typing error is named."""
    code, sentence = _refusal("register", "import", broker, tmp_path / "nowhere.json")
    assert (code, "nowhere.json" in sentence) == (2, True)


def test_custodians_that_did_not_make_the_key_are_refused(broker: Path, template: Path) -> None:
    """When the pinned custodians are not those of the epoch in use, the broker does not start."""
    shutil.copy(template / "registrar-1.jwk", broker / "trust" / "extra.jwk")
    _edit("[custodians]", '[custodians]\n"custodian-c.demo.sluis.test" = "trust/extra.jwk"')(broker)
    code, _ = _refusal("config", "check", broker)
    assert code == 2
