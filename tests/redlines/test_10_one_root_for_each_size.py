"""Red line 10: no two roots for one tree size; each checkpoint extends all earlier ones and those held by witnesses.

Every checkpoint that left, to whomever, is held against the leaves: it states the root of their beginning.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.merkle import leaf_hash, root_of
from audit.policy_file import Policy, parse_policy
from audit.receipt import Receipt
from audit.verify import verify_checkpoint
from audit.witness import WitnessStore
from broker.custodian import followed
from broker.custodian.errors import RefusedError
from broker.settings import FILE_NAME, SettingsError
from tests.simulators.asking import household
from tests.simulators.clock import TestClock
from tests.simulators.custodian import batch
from tests.simulators.databases import databases
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM
from tests.simulators.served_world import ServedWorld, make_template, served_world, witness_of
from tests.simulators.watched_broker import other_log, watched_pair
from tests.unit.broker.api.test_custodian_feed import ask


def policy_of(world: ServedWorld) -> Policy:
    """Return the log and witness that everybody holds it by."""
    return parse_policy((world.folder / "broker" / "log-policy").read_text())


def child(number: int) -> dict[str, Any]:
    """Return a household that no other number has."""
    return household(subject=f"child {number}", parents=[f"mother {number}"])


async def register(world: ServedWorld, oin: str, number: int, *, run: int = 1) -> httpx.Response:
    """Return the answer to a registration; each run of a broker has ids of its own."""
    asker = world.asker(oin, seed=f"run {run}")
    return await world.send(asker.post("/v1/signals", asker.registration(child(number))))


def note_of(answer: httpx.Response) -> str:
    """Return the checkpoint under which an answer was given."""
    assert answer.status_code == 200, answer.text
    return Receipt.from_wire(answer.json()["receipt"]).proof.note


def held(world: ServedWorld) -> list[str]:
    """Return what the database and the witness hold."""
    notes = [str(note) for (note,) in world.rows("SELECT note FROM log_checkpoints")]
    witnessed = WitnessStore(world.folder / "witness.sqlite").note(policy_of(world).log.key.name)
    return notes if witnessed is None else [*notes, witnessed]


def all_hold(world: ServedWorld, notes: Iterable[str]) -> int:
    """Return how many sizes these checkpoints state; each states the root of the log's own beginning."""
    leaves = [leaf_hash(bytes(leaf)) for (leaf,) in world.rows("SELECT leaf FROM log_entries ORDER BY idx")]
    heads = {verify_checkpoint(note, policy_of(world)).checkpoint.head for note in notes}
    roots = {head.size: root_of(leaves[: head.size]) for head in heads}
    assert all(roots[head.size] == head.root for head in heads)
    assert len(roots) == len(heads)
    return len(roots)


async def test_every_checkpoint_that_left_extends_all_earlier_ones(template: Path, tmp_path: Path) -> None:
    """Under many requests at once and over a restart: receipts, feed, witness and database state one history."""
    clock, notes = TestClock(), []
    for seed in (1, 2):
        async with served_world(template, tmp_path / "world", witness_up=True, seed=seed, clock=clock) as world:
            asked = [register(world, oin, seed, run=seed) for oin in (WIJKTEAM, GI, SCHOOL)]
            notes += [note_of(answer) for answer in await asyncio.gather(*asked)]
            for number in range(3):
                notes.append(note_of(await register(world, WIJKTEAM, 10 * seed + number, run=seed)))
                notes.append((await ask(world, number, at=100 * seed + number)).json()["checkpoint"])
            assert all_hold(world, [*notes, *held(world)]) >= 4 * seed


async def test_a_log_that_was_put_back_does_not_go_on(template: Path, tmp_path: Path) -> None:
    """A database of before, beside a signer that knows what left, is not served: that would be a second root."""
    path, clock = tmp_path / "world", TestClock()
    async with served_world(template, path, clock=clock) as world:
        note_of(await register(world, WIJKTEAM, 1))
    with _backup(path / "broker") as put_back:
        async with served_world(template, path, clock=clock, seed=2) as world:
            note_of(await register(world, WIJKTEAM, 2, run=2))
        put_back()
        with pytest.raises(SettingsError, match="disagree"):
            async with served_world(template, path, clock=clock, seed=3):
                raise AssertionError


@contextmanager
def _backup(broker: Path) -> Iterator[Callable[[], None]]:
    """Hold a backup of the database as it is now; what is given puts it in the place of the one that went on."""
    if (broker / "broker.sqlite").exists():
        shutil.copytree(broker, broker.with_name("backup"))

        def put_back_files() -> None:
            for file in broker.with_name("backup").glob("broker.sqlite*"):
                shutil.copy(file, broker / file.name)

        yield put_back_files
        return
    live = databases.cluster.folder
    with databases.cluster.base_backup() as restored:

        def put_back_server() -> None:
            file = broker / FILE_NAME
            text = file.read_text(encoding="utf-8").replace(f"host={live}", f"host={restored.folder}")
            file.write_text(text, encoding="utf-8")

        yield put_back_server


@pytest.fixture(scope="module")
def of_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template whose database is a file, so that it can be copied and put back."""
    return make_template(tmp_path_factory.mktemp("of-files") / "template")


async def put_back_whole(template: Path, tmp_path: Path, clock: TestClock) -> Path:
    """Return the world of a broker whose database and signer were put back together, behind its witness."""
    path = tmp_path / "world"
    async with served_world(template, path, clock=clock, witness_up=True) as world:
        note_of(await register(world, WIJKTEAM, 1))
    shutil.copytree(path / "broker", tmp_path / "backup")
    async with served_world(template, path, clock=clock, witness_up=True, seed=2) as world:
        assert verify_checkpoint(note_of(await register(world, WIJKTEAM, 2, run=2)), policy_of(world)).quorum_met
    shutil.rmtree(path / "broker")
    shutil.copytree(tmp_path / "backup", path / "broker")
    return path


async def test_with_its_signer_put_back_too_it_is_not_served(of_files: Path, tmp_path: Path) -> None:
    """What no broker can see of itself, its witness proves: it refuses to start, and says what is wrong."""
    clock = TestClock()
    path = await put_back_whole(of_files, tmp_path, clock)
    with pytest.raises(SettingsError, match="a witness holds its checkpoint of 3 entries, and the database has fewer"):
        async with served_world(of_files, path, clock=clock, witness_up=True, seed=3):
            raise AssertionError


async def test_a_witness_reached_later_stops_it_before_anything_is_told(of_files: Path, tmp_path: Path) -> None:
    """Started while its witnesses were away it serves; the first tick that reaches one is not told, and none after."""
    clock = TestClock()
    path = await put_back_whole(of_files, tmp_path, clock)
    async with served_world(of_files, path, clock=clock, seed=3) as world:
        world.network.reached = witness_of(path)
        answers = [await register(world, WIJKTEAM, number, run=3) for number in (3, 4)]
        assert [answer.status_code for answer in answers] == [503, 503]
        (entries,) = world.rows("SELECT count(*) FROM log_entries")[0]
    assert entries == 3, "the tick that found out; nothing was written after it"


async def test_a_broker_of_before_discloses_nothing_until_it_hears_a_witness(of_files: Path, tmp_path: Path) -> None:
    """Its own cosignatures were put back with it: an hour after its newest entry they are worth nothing."""
    clock = TestClock()
    path = await put_back_whole(of_files, tmp_path, clock)
    clock.move(3601)
    async with served_world(of_files, path, clock=clock, seed=3) as world:
        answer = await register(world, WIJKTEAM, 3, run=3)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:sluis:problem:log-uncosigned")


async def test_a_custodian_that_followed_one_history_gives_no_ticket_to_another(tmp_path: Path) -> None:
    """A fork that the log's own key signed stops the custodian that saw the other side, also after a restart."""
    with watched_pair(tmp_path) as world:
        for _ in range(5):
            world.broker.enter("policy", {})
        await world.look()
        world.broker.shown = other_log(world.broker.log, keep=2)
        await world.look()
        assert [one.kind for one in followed.standing_alarms(world.pair.custodians[0].store)] == [followed.FORK]
        with pytest.raises(RefusedError, match="log-not-watched"):
            world.pair.ask(0, world.partners[0], batch())
