"""A broker on a server of PostgreSQL: set up by the same commands, and refused where it would be unsafe."""

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker import cli
from broker.settings import FILE_NAME, InsecureSettingWarning, Settings
from broker.store.connection import SingleWriter
from tests.simulators.databases import at, databases
from tests.simulators.postgres_cluster import OWNER, SERVICE
from tests.simulators.served_world import copy_world, make_template, run_cli


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder on a server, ready to serve."""
    return make_template(tmp_path_factory.mktemp("template") / "world", kind="postgresql")


@pytest.fixture
def broker(template: Path, tmp_path: Path) -> Path:
    """A copy of that folder for one test, with a copy of its database."""
    copy_world(template, tmp_path / "world")
    return tmp_path / "world" / "broker"


def _settings(broker: Path, old: str, new: str) -> None:
    file = broker / FILE_NAME
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def _refusal(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.stderr
    return result.exit_code, result.stderr


def test_a_broker_on_a_server_would_start(broker: Path) -> None:
    """Made, migrated and given its documents by the commands of the README of operators."""
    assert run_cli("config", "check", broker) == "ok\n"
    assert run_cli("migrate", broker) == "ok\n"
    assert run_cli("config", "check", broker) == "ok\n"


def test_a_broker_never_serves_as_the_owner(broker: Path) -> None:
    """A role that may rewrite the log is refused at the start, with what to do."""
    _settings(broker, f'database = "postgresql://{SERVICE}@', f'database = "postgresql://{OWNER}@')
    code, sentence = _refusal("config", "check", broker)
    assert code == 2
    assert "may rewrite the log" in sentence
    code, sentence = _refusal("migrate", broker)
    assert (code, "fewer rights" in sentence) == (2, True)


@pytest.mark.parametrize("owner", ["", 'database_owner = "elsewhere.sqlite"'])
def test_a_server_is_migrated_by_its_owner_only(broker: Path, owner: str) -> None:
    """Without the owner's address nothing is migrated, and the setting is named."""
    line = next(one for one in (broker / FILE_NAME).read_text("utf-8").splitlines() if one.startswith("database_owner"))
    _settings(broker, line, owner)
    code, sentence = _refusal("migrate", broker)
    assert code == 2
    assert "database_owner" in sentence


def test_a_second_broker_on_one_database_is_refused(broker: Path) -> None:
    """While another writes, a broker does not start, and says so."""
    with pytest.warns(InsecureSettingWarning):
        database = at(Settings.read(broker).database, broker)
    with closing(SingleWriter(database.address)):
        code, sentence = _refusal("config", "check", broker)
    assert (code, "another broker" in sentence) == (2, True)


def test_a_server_that_is_away_is_told_and_nothing_is_shown_of_it(broker: Path, tmp_path: Path) -> None:
    """No server: each command says that the database cannot be used, in words of ours."""
    _settings(broker, f"host={databases.cluster.folder}", f"host={tmp_path}")
    for command in (("config", "check", broker), ("migrate", broker)):
        code, sentence = _refusal(*command)
        assert (code, "database" in sentence) == (2, True)
        assert str(tmp_path) not in sentence
    register = tmp_path / "world" / "register.json"
    code, sentence = _refusal("register", "import", broker, register)
    assert (code, "not available" in sentence) == (1, True)
