"""The broker starts with settings that are complete and known, or says what to do."""

from pathlib import Path
from typing import Any

import pytest

from broker.settings import FILE_NAME, InsecureSettingWarning, Settings, SettingsError, encode
from broker.store.address import PostgresServer, SqliteFile, address_of

GOOD: dict[str, Any] = {
    "id": "broker.demo.sluis.test",
    "public_url": "http://127.0.0.1:8801",
    "bind": "127.0.0.1:8801",
    "registrars": ["trust/registrar-1.jwk", "trust/registrar-2.jwk"],
    "witness_url": "http://127.0.0.1:8804",
    "custodians": {"custodian-a.demo.sluis.test": "trust/a.jwk", "custodian-b.demo.sluis.test": "trust/b.jwk"},
}


def _read(folder: Path, members: dict[str, Any]) -> Settings:
    (folder / FILE_NAME).write_text(encode(members), encoding="utf-8")
    return Settings.read(folder)


def test_settings_come_back_as_written(tmp_path: Path) -> None:
    """Paths are relative to the folder, and the rest has the defaults of D7."""
    settings = _read(tmp_path, GOOD)
    assert settings.path(Path(settings.database)) == tmp_path / "broker.sqlite"
    assert (settings.host, settings.port) == ("127.0.0.1", 8801)
    assert settings.effective_tick_ms == 200
    assert settings.address_mute_above == 12
    assert settings.log_origin == "broker.demo.sluis.test/log"


def test_a_database_is_a_file_or_a_server(tmp_path: Path) -> None:
    """A server is named with the role to serve as, and never with its password: that is a file of libpq's."""
    url = "postgresql://sluis%20service@db.example.nl/sluis?sslmode=verify-full&passfile=/run/secrets/pass"
    settings = _read(tmp_path, {**GOOD, "database": url})
    address = address_of(settings.database, folder=tmp_path)
    assert address == PostgresServer(url=url)
    assert address.role == "sluis service"
    assert address_of("other.sqlite", folder=tmp_path) == SqliteFile(path=tmp_path / "other.sqlite")


@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"witness_url"}))
def test_a_missing_setting_is_named(tmp_path: Path, name: str) -> None:
    """Each setting without a default must be there; the error says which one is not."""
    with pytest.raises(SettingsError, match=f"{name}: is missing"):
        _read(tmp_path, {key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "Broker!"),
        ("public_url", "ftp://broker"),
        ("public_url", "http://broker/path"),
        ("public_url", "http://broker?x=1"),
        ("bind", "8801"),
        ("bind", "127.0.0.1:0"),
        ("bind", "127.0.0.1:70000"),
        ("registrars", ["one.jwk"]),
        ("registrars", [""]),
        ("custodians", {"custodian-a": "a.jwk"}),
        ("custodians", {"Custodian A": "a.jwk", "b": "b.jwk"}),
        ("witness_url", 7),
        ("tick_ms", 0),
        ("tick_ms", "200"),
        ("address_mute_above", 0),
        ("address_mute_above", 13),
        ("insecure_test_bundle", "yes"),
        ("unknown_setting", "x"),
        ("database", ""),
        ("database", 7),
        ("database", "postgresql:sluis"),
        ("database", "postgresql://host/sluis"),
        ("database", "postgresql://role@host/"),
        ("database", "postgresql://role:secret@localhost/sluis"),
        ("database", "postgresql://role@localhost/sluis?password=secret"),
        ("database", "postgresql://role@localhost/sluis?sslpassword=secret"),
        ("database", "postgresql://role@localhost/sluis?user=owner"),
        ("database", "postgres://role:secret@localhost/sluis"),
        ("database", "mysql://role@localhost/sluis"),
        ("database", "postgresql://role@db.example.nl/sluis"),
        ("database", "postgresql://role@db.example.nl/sluis?sslmode=require"),
        ("database", "postgresql://role@/sluis?host=/run/postgresql,db.example.nl"),
        ("database", "postgresql://role@localhost/sluis?hostaddr=192.0.2.1"),
        ("database_owner", "postgresql://owner:secret@localhost/sluis"),
    ],
)
def test_a_wrong_setting_refuses_to_start(tmp_path: Path, name: str, value: object) -> None:
    """A value that breaks its rule, or a setting nobody knows, stops the start and is named."""
    with pytest.raises(SettingsError) as caught:
        _read(tmp_path, {**GOOD, name: value})
    assert caught.value.field.split(".")[0] == name
    assert caught.value.advice


def test_the_value_of_a_wrong_setting_is_not_shown(tmp_path: Path) -> None:
    """A secret that was pasted into the wrong setting does not appear in the error."""
    with pytest.raises(SettingsError) as caught:
        _read(tmp_path, {**GOOD, "bind": "correct horse battery"})
    assert "horse" not in str(caught.value)


def test_a_missing_or_broken_file_says_what_to_do(tmp_path: Path) -> None:
    """Without a readable configuration the error names the command that makes one."""
    with pytest.raises(SettingsError, match="sluis-broker init"):
        Settings.read(tmp_path)
    (tmp_path / FILE_NAME).write_text("= nonsense", encoding="utf-8")
    with pytest.raises(SettingsError, match="TOML"):
        Settings.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("insecure_tick_ms", 0),
        ("insecure_test_bundle", True),
        ("insecure_unsigned_bundle", True),
        ("insecure_webhook_loopback", True),
    ],
)
def test_an_insecure_switch_warns(tmp_path: Path, name: str, value: object) -> None:
    """A switch that makes the broker unsafe works only with a warning that says so."""
    with pytest.warns(InsecureSettingWarning, match=name):
        settings = _read(tmp_path, {**GOOD, name: value})
    assert settings.effective_tick_ms == (0 if name == "insecure_tick_ms" else 200)


def test_settings_cannot_change_while_running(tmp_path: Path) -> None:
    """Settings are read once and are frozen."""
    settings = _read(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, "tick_ms", 1000)  # noqa: B010 - the type checker forbids what this test tries


def test_a_text_that_could_break_out_of_the_file_is_not_written() -> None:
    """Quotes and control characters never reach the configuration file."""
    with pytest.raises(SettingsError):
        encode({"id": 'a"\nb = "c'})
