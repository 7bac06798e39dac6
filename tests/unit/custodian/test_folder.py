"""The folder of a custodian: configuration, keys and store, each checked before anything is served."""

import sqlite3
from pathlib import Path

import pytest

from broker.custodian import folder, schema
from broker.custodian.budget_time import BudgetTime
from broker.custodian.clock import SystemClock, unix_seconds
from broker.custodian.errors import FolderError, StoreError
from broker.custodian.settings import Settings
from broker.custodian.store import Store
from tests.simulators.custodian import BROKER, CUSTODIANS, REGISTRARS, make_folder, public_url, seeded_key

A = CUSTODIANS[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the folder of a new custodian."""
    return make_folder(tmp_path / "a", A)


def members(**changes: object) -> dict[str, object]:
    """Return the members of a custodian.toml that holds, but for the changes."""
    good: dict[str, object] = {
        "id": A,
        "public_url": public_url(A),
        "bind": "127.0.0.1:8001",
        "broker_id": BROKER,
        "registrars": [key.public.jwk() for key in REGISTRARS],
    }
    return good | changes


def test_settings_survive_their_own_toml(path: Path) -> None:
    """What `init` wrote is what is read again."""
    settings = Settings.load(path)
    assert settings == Settings.checked(members(bind="127.0.0.1:0"))
    assert settings.address == ("127.0.0.1", 0)
    assert Settings.checked(members(bind="[::1]:8001")).address == ("::1", 8001)
    assert set(settings.registrar_keys) == {key.public.kid for key in REGISTRARS}


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"id": "Custodian A"},
        {"id": BROKER},
        {"public_url": "custodian-a"},
        {"public_url": "https://custodian-a/"},
        {"public_url": "https://user:secret@custodian-a"},
        {"bind": "8001"},
        {"bind": "localhost:65536"},
        {"bind": 8001},
        {"broker_id": ""},
        {"registrars": []},
        {"registrars": [REGISTRARS[0].public.jwk()]},
        {"registrars": [REGISTRARS[0].public.jwk()] * 2},
        {"registrars": [REGISTRARS[0].public.jwk(), REGISTRARS[1].public.jwk() | {"kid": "x"}]},
        {"registrars": [REGISTRARS[0].public.jwk(), REGISTRARS[1].public.jwk() | {"d": "x"}]},
    ],
)
def test_settings_that_do_not_hold_are_refused(changes: dict[str, object]) -> None:
    """An unknown key, a malformed value, too few or equal registrars: refuse to start."""
    with pytest.raises(FolderError, match=r"custodian\.toml"):
        Settings.checked(members(**changes))


def test_a_missing_member_is_refused() -> None:
    """Nothing has a default: a member that is missing is named."""
    for name in members():
        with pytest.raises(FolderError, match=name):
            Settings.checked({key: value for key, value in members().items() if key != name})


@pytest.mark.parametrize("text", ["not toml", "id = 1\nid = 2"])
def test_a_file_that_is_no_toml_is_refused(path: Path, text: str) -> None:
    """A damaged custodian.toml says so, without its content."""
    (path / "custodian.toml").write_text(text)
    with pytest.raises(FolderError, match="is not TOML"):
        Settings.load(path)


def test_a_folder_is_made_once(path: Path) -> None:
    """An existing custodian is never overwritten."""
    before = (path / "keys" / "signing.jwk").read_bytes()
    with pytest.raises(FolderError, match="already"):
        make_folder(path, A)
    assert (path / "keys" / "signing.jwk").read_bytes() == before
    assert folder.signing_key(path) == seeded_key(A)


def test_keys_must_be_private(path: Path) -> None:
    """Keys that others can read, or that are missing or damaged, stop the custodian with what to do."""
    keys, signing = path / "keys", path / "keys" / "signing.jwk"
    signing.chmod(0o644)
    with pytest.raises(FolderError, match="mode 0600"):
        folder.check(path)
    signing.write_text("{}")
    signing.chmod(0o600)
    with pytest.raises(FolderError, match="private Ed25519 JWK"):
        folder.check(path)
    signing.unlink()
    with pytest.raises(FolderError, match="run init first"):
        folder.check(path)
    keys.chmod(0o750)
    with pytest.raises(FolderError, match="mode 0700"):
        folder.check(path)
    keys.rmdir()
    with pytest.raises(FolderError, match="run init first"):
        folder.check(path)


def test_the_store_is_durable(path: Path) -> None:
    """Every commit reaches the disk: WAL with `synchronous=FULL`, in strict tables, in a file only the owner reads."""
    assert (path / "custodian.sqlite").stat().st_mode & 0o077 == 0
    store = Store(path / "custodian.sqlite")
    assert store.rows("PRAGMA journal_mode") == [("wal",)]
    assert store.rows("PRAGMA synchronous") == [(2,)]
    assert store.rows("PRAGMA foreign_keys") == [(1,)]
    loose = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 ORDER BY name"
    assert store.rows(loose) == [("sqlite_schema",), ("sqlite_sequence",)]
    with pytest.raises(StoreError):
        store.change("INSERT INTO state VALUES ('x', 'not a number')")
    store.close()


def test_a_store_of_another_program_is_refused(path: Path) -> None:
    """A store that is missing, no SQLite file, or newer than this program is refused."""
    with pytest.raises(FolderError, match="run init first"):
        Store(path / "other.sqlite")
    (path / "junk.sqlite").write_bytes(b"no database, but long enough to be read as one" * 20)
    with pytest.raises(StoreError):
        Store(path / "junk.sqlite")
    with sqlite3.connect(path / "custodian.sqlite") as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.STEPS) + 1}")
    connection.close()
    with pytest.raises(FolderError, match="newer version"):
        Store(path / "custodian.sqlite")


def test_a_broken_transaction_leaves_nothing(path: Path) -> None:
    """Whatever goes wrong inside, the transaction is undone, and what SQLite says stays inside."""
    store = Store(path / "custodian.sqlite")

    def interrupted(error: Exception) -> None:
        with store.transaction():
            store.set_number("x", 1)
            raise error

    def nested() -> None:
        with store.transaction(), store.transaction():
            store.set_number("x", 1)

    def undone_by_sqlite() -> None:
        with store.transaction():
            store.set_number("x", 1)
            store.change("ROLLBACK")
            store.rows("SELECT nothing FROM nowhere")

    with pytest.raises(ZeroDivisionError):
        interrupted(ZeroDivisionError())
    with pytest.raises(StoreError):
        interrupted(sqlite3.OperationalError())
    with pytest.raises(StoreError):
        nested()
    with pytest.raises(StoreError):
        undone_by_sqlite()
    assert store.number("x") is None
    store.close()


def test_the_system_clock_reads_both_times(path: Path) -> None:
    """The machine's clocks are in microseconds, and a budget time made with them runs."""
    clock = SystemClock()
    assert unix_seconds(clock) > 1_700_000_000
    before = clock.monotonic_us()
    store = Store(path / "custodian.sqlite")
    budget_time = BudgetTime(store, clock)
    assert 0 <= budget_time.now_us(store) <= clock.monotonic_us() - before + 1
    store.close()
