"""After an erasure no key exists that opens a copy of what was erased: not in files, server logs or an old backup."""

import hashlib
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit.entry import GROUPS
from audit.errors import SealError
from audit.key_ring import KeyRing
from audit.seal import open_group
from audit.stored_log import StoredLog
from broker.flows.policy import PolicyInForce
from broker.log_ports import GroupStatus
from policies import InsecureTestBundleWarning, load_bundle
from tests.simulators.asking import household
from tests.simulators.broker_world import World, a_world, held_in
from tests.simulators.clock import SeededRandomness
from tests.simulators.databases import DATABASES, Database, databases, on_server
from tests.simulators.enrolled import GI, WIJKTEAM, worker_id

KEY_BYTES = 32
ERASED = ("meta", "actor", "subject")


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


class NotedRandomness(SeededRandomness):
    """Notes every 32 random bytes it gave: among them is every group key."""

    def __init__(self) -> None:
        super().__init__(11)
        self.keys: list[bytes] = []

    def bytes(self, count: int) -> bytes:
        """Return unpredictable bytes, and note them if they can be a key."""
        given = super().bytes(count)
        if count == KEY_BYTES:
            self.keys.append(given)
        return given


def _files(database: Database, folder: Path) -> Iterator[bytes]:
    """Give every file of the database: pages, write-ahead log and temporary files."""
    roots = [folder]
    if not (folder / "broker.sqlite").exists():
        databases.cluster.administer("CHECKPOINT")
        (oid,) = database.rows("SELECT oid::text FROM pg_database WHERE datname = current_database()")[0]
        data = databases.cluster.folder / "data"
        roots = [data / "base" / oid, data / "base" / "pgsql_tmp", data / "pg_wal", folder]
    for path in (path for root in roots for path in sorted(root.rglob("*"))):
        if path.is_file() and "kek" not in path.parts:
            yield path.read_bytes()


def _holds_any(texts: Iterator[bytes], wanted: list[bytes]) -> list[int]:
    return sorted({position for text in texts for position, one in enumerate(wanted) if one in text})


def _policy() -> PolicyInForce:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return PolicyInForce.of(load_bundle(insecure_test_bundle=True))


async def _erased(world: World) -> None:
    ranges = [{"first": 0, "last": 0, "groups": list(ERASED)}]
    first = world.asker(GI, role="privacyfunctionaris", seed="first")
    second = world.asker(GI, role="approver", seed="second")
    stated = {"ground": "AVG-17.1.d", "decisionRef": hashlib.sha256(b"decision").hexdigest(), "ranges": ranges}
    body = first.command(**stated)
    await world.propose_erasure(first, body)
    await world.confirm_erasure(second, body["idempotencyKey"], second.command(**stated))


def _opens(database: Database, keys: KeyRing, index: int, group: str) -> bool:
    with database.session() as connection:
        row = StoredLog(connection).sealed_row(index, group)
    if row is None:
        return False
    for epoch in keys.epochs:
        try:
            key = keys.unwrap(row.wrapped_key, epoch=epoch, index=index, group=group)
            open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
        except SealError:
            continue
        return True
    return False


@contextmanager
def _backup(kind: str, folder: Path, to: Path) -> Iterator[Database]:
    """Hold a backup of the database as it is now, put back beside it: of a server what `pg_basebackup` takes of it."""
    to.mkdir()
    if kind == "sqlite":
        for path in folder.glob("broker.sqlite*"):
            shutil.copy(path, to / path.name)
        yield databases.new(kind, to)
        return
    (name,) = databases.new(kind, folder).rows("SELECT current_database()")[0]
    with databases.cluster.base_backup() as restored:
        yield on_server(restored, name)


@pytest.mark.parametrize("kind", DATABASES)
async def test_no_key_of_a_group_ever_touches_a_disk(tmp_path: Path, kind: str) -> None:
    """In pages, write-ahead log and every file beside them no group key stands unwrapped, erased or not."""
    randomness = NotedRandomness()
    async with a_world(kind, tmp_path, policy=_policy(), randomness=randomness) as world:
        asker = world.asker(GI)
        body = asker.registration(household(subject="child"))
        await world.send_registration(asker, body)
        await world.register(world.asker(WIJKTEAM), household(subject="child"))
        await world.again(asker, body["idempotencyKey"])
        assert len(randomness.keys) >= 2 * len(GROUPS)
        assert _holds_any(_files(held_in(world), tmp_path), randomness.keys) == []
        await _erased(world)
        assert _holds_any(_files(held_in(world), tmp_path), randomness.keys) == []
        wrapped = held_in(world).rows("SELECT wrapped FROM log_payload_keys WHERE idx = 1 AND grp = 'meta'")[0][0]
        assert _holds_any(_files(held_in(world), tmp_path), [bytes(wrapped)]) == [0], "the search finds what is there"


@pytest.mark.parametrize("kind", DATABASES)
async def test_an_old_backup_opens_no_more(tmp_path: Path, kind: str) -> None:
    """A backup from before holds every wrapped key, and with every key that still exists none of them opens."""
    policy = _policy()
    live = tmp_path / "live"
    live.mkdir()
    async with a_world(kind, live, policy=policy) as world:
        await world.register(world.asker(GI), household(subject="child"))
        await world.register(world.asker(WIJKTEAM), household(subject="child"))
        old_secret = (live / "kek" / "1.key").read_bytes()
    with _backup(kind, live, tmp_path / "backup") as backup:
        await _opens_no_more(backup, kind, live, policy, old_secret)


async def _opens_no_more(backup: Database, kind: str, live: Path, policy: PolicyInForce, old_secret: bytes) -> None:
    async with a_world(kind, live, policy=policy) as world:
        assert _opens(backup, KeyRing.open(live / "kek"), 0, "meta"), "before the erasure the backup opens"
        await _erased(world)
        keys = KeyRing.open(live / "kek")
        assert keys.epochs == (2,)
        assert [group for index in (0, 1) for group in GROUPS if _opens(backup, keys, index, group)] == []
        assert not any(old_secret in path.read_bytes() for path in (live / "kek").iterdir())
        assert old_secret not in b"".join(_files(held_in(world), live))
        entries = await world.entries.opened(range(4), GROUPS)
        states = {(one.index, group): opened.status for one in entries for group, opened in one.groups.items()}
        erased = {place for place, status in states.items() if status is not GroupStatus.OK}
        assert erased == {(0, group) for group in ERASED}


@pytest.mark.parametrize("kind", DATABASES)
async def test_a_copy_from_before_says_without_a_key_nothing_of_who_asked_what(tmp_path: Path, kind: str) -> None:
    """In pages and write-ahead log no worker, path, body, status or signal that was shown stands beside an entry."""
    live = tmp_path / "live"
    live.mkdir()
    async with a_world(kind, live, policy=_policy()) as world:
        await world.register(world.asker(WIJKTEAM), household(subject="child"))
        answered = await world.register(world.asker(GI), household(subject="child"))
        assert answered.result["outcome"] == "shown"
        assert b"/v1/signals" not in b"".join(_files(held_in(world), live))
        query = "SELECT worker, target, body_sha256, status, rests_on, valid_until, signal_id FROM answers"
        assert held_in(world).rows(query) == [("", "", "", "", "", None, None)] * 2
        rows = held_in(world).rows("SELECT * FROM answers")
        assert worker_id(GI, "worker") not in str(rows)
        assert str(answered.result["signalId"]) not in str(rows)
