"""What a serving broker sweeps by itself, and how its operator asks for more."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.api import housekeeping
from broker.api.housekeeping import Housekeeping
from broker.domain.errors import LogUnavailableError, StorageError
from broker.store.sweep_requests import SweepRequest
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.retention_oracle import check_ended
from tests.simulators.served_world import ServedWorld, copy_world, run_cli

CHILD = household(subject="child")
DAY = 86_400


def keeper(world: ServedWorld) -> Housekeeping:
    """Return the housekeeping of a running broker."""
    found: Housekeeping = world.app.state.housekeeping
    return found


def oracle(world: ServedWorld) -> int:
    """Hold if log and state say the same; the number of entries of kind `retention` is returned."""
    return check_ended(world.database, world.folder / "broker" / "payload-keys")


async def test_what_is_due_is_swept_at_its_pace(world: ServedWorld) -> None:
    """At its pace a broker ends what is due, and writes its one entry also when nothing is."""
    await world.register(GI, CHILD, endsOn="2026-11-22")
    world.clock.move(DAY)
    await world.send(world.asker(WIJKTEAM).get("/v1/signals"))
    assert [await keeper(world).sweep_once() for _ in range(2)] == [True, True]
    assert world.rows("SELECT state, withdrawal_reason FROM signals") == [("ended", "expiry")]
    assert oracle(world) == 2


async def test_a_clock_some_days_fast_ends_no_running_signal(world: ServedWorld) -> None:
    """Between two acts of partners our clock may jump: what still runs at the newest act is not ended by it."""
    await world.register(GI, CHILD, endsOn="2026-11-22")
    world.clock.move(5 * DAY)
    assert await keeper(world).sweep_once()
    assert (world.rows("SELECT state FROM signals"), oracle(world)) == ([("active",)], 1)
    world.clock.move(-5 * DAY)
    assert (await world.register(WIJKTEAM, CHILD)).json()["result"]["outcome"] == "shown"


async def test_a_clock_that_nobody_vouches_for_ends_nothing(
    world: ServedWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """When no partner asked anything for a week, our clock may be wrong: nothing is ended by it, and that is said."""
    await world.register(GI, CHILD, endsOn="2026-11-22")
    world.clock.move(8 * DAY)
    assert not await keeper(world).sweep_once()
    assert "if the clock is right" in caplog.text
    assert world.rows("SELECT state FROM signals") == [("active",)]
    await world.register(WIJKTEAM, household(subject="other"))
    assert await keeper(world).sweep_once()
    assert world.rows("SELECT state FROM signals ORDER BY registered_on")[0] == ("ended",)


async def test_an_empty_log_is_left_alone(world: ServedWorld) -> None:
    """Before the first act there is nothing to end and no entry."""
    assert not await keeper(world).sweep_once()
    assert world.leaves == 0


async def test_imported_signals_have_their_turn_at_the_pace(world: ServedWorld) -> None:
    """Before the first act nothing is written; then as many entries each time, and who was there is told of a match."""
    await keeper(world).meet_imported()
    assert world.leaves == 0
    await world.register(GI, CHILD)
    asker = world.asker(WIJKTEAM)
    tickets = asker.tickets("register", CHILD, grants=("a" * 32,) * 2, issued_at=asker.now, lifetime_s=86_400)
    answer = await world.send(asker.post("/v1/signals", asker.registration(CHILD, tickets=tickets)))
    assert answer.json()["result"]["text"]["id"] == "signal.stored_import"
    for _ in range(2):
        before = world.leaves
        await keeper(world).meet_imported()
        assert world.leaves == before + housekeeping.MEETINGS
    for oin, kinds in ((GI, ["match"]), (WIJKTEAM, [])):
        own = world.asker(oin)
        fetched = await world.send(own.post("/v1/inbox", own.command(had=[])))
        assert [one["kind"] for one in fetched.json()["result"]["notices"]] == kinds
    assert oracle(world) == 0


async def test_a_turn_that_fails_ends_no_other(
    world: ServedWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every turn of a pace is tried, and what failed is said."""
    await world.register(GI, CHILD)
    tried: list[str] = []

    async def fails(**_: object) -> str:
        tried.append("once")
        raise StorageError

    monkeypatch.setattr(housekeeping, "meet_imported", fails)
    await keeper(world).meet_imported()
    assert len(tried) == housekeeping.MEETINGS
    assert caplog.text.count("the meeting of an imported signal failed: StorageError") == housekeeping.MEETINGS


async def test_a_request_in_the_folder_is_carried_out_and_answered(world: ServedWorld) -> None:
    """Who can enter the broker's folder asks for a sweep and reads what it did; the request is gone then."""
    for name in ("one", "two", "three"):
        await world.register(GI, household(subject=name), endsOn="2026-11-22")
    world.clock.move(DAY)
    folder = world.folder / "broker"
    request = SweepRequest(id="a" * 32, batch=2)
    request.leave(folder)
    await keeper(world).answer_request()
    assert request.answered(folder) == {
        "day": "2026-11-23",
        "ended": {"expiry": 3, "age": 0, "rules": 0, "consent": 0},
        "frozen": 0,
        "entries": 2,
        "ticketsForgotten": 0,
        "rowsForgotten": 0,
        "entriesErased": 0,
    }
    assert SweepRequest(id="b" * 32, batch=2).answered(folder) is None
    assert SweepRequest.waiting(folder, most=24) is None
    assert (folder / "sweep.answer").stat().st_mode & 0o777 == 0o600
    assert oracle(world) == 2


async def test_a_sweep_by_hand_is_recorded_when_nothing_is_due(world: ServedWorld) -> None:
    """Who counts entries learns that an operator swept, and not whether anything had ended."""
    await world.register(GI, CHILD)
    assert await keeper(world).sweep_all(batch=24) == {
        "day": "2026-11-22",
        "ended": {"expiry": 0, "age": 0, "rules": 0, "consent": 0},
        "frozen": 0,
        "entries": 1,
        "ticketsForgotten": 0,
        "rowsForgotten": 0,
        "entriesErased": 0,
    }
    assert oracle(world) == 1


async def test_a_request_is_carried_out_once_by_one_at_a_time(world: ServedWorld) -> None:
    """However many look for it at once, a request has one answer, and it is about everything that was due."""
    for name in ("one", "two", "three"):
        await world.register(GI, household(subject=name), endsOn="2026-11-22")
    world.clock.move(DAY)
    request = SweepRequest(id="f" * 32, batch=2)
    request.leave(world.folder / "broker")
    await asyncio.gather(*(keeper(world).answer_request() for _ in range(3)))
    answer = request.answered(world.folder / "broker")
    assert answer is not None
    assert (answer["ended"], oracle(world)) == ({"expiry": 3, "age": 0, "rules": 0, "consent": 0}, 2)


@pytest.mark.parametrize("text", ["", "{", '{"id": "x"}', '{"id": "x", "batch": 25}', '{"id": "x", "batch": 0}'])
async def test_what_is_no_request_is_left_alone(world: ServedWorld, text: str) -> None:
    """A file that holds no request starts no sweep and stops nothing."""
    (world.folder / "broker" / "sweep.request").write_text(text, encoding="ascii")
    await keeper(world).answer_request()
    assert not (world.folder / "broker" / "sweep.answer").exists()


class BrokenReading:
    """A store that cannot be read."""

    async def due(self, **_: object) -> tuple[()]:
        """Fail."""
        raise StorageError

    async def resting_on(self, *_: object, **__: object) -> tuple[()]:
        """Fail."""
        raise StorageError

    async def forgettable_tickets(self, **_: object) -> tuple[()]:
        """Fail."""
        raise StorageError

    async def forgettable_chunks(self, **_: object) -> tuple[()]:
        """Fail."""
        raise StorageError

    async def overdue_rows(self, **_: object) -> tuple[()]:
        """Fail."""
        raise StorageError

    async def expired_payloads(self, **_: object) -> tuple[()]:
        """Fail."""
        raise StorageError

    async def newest_act_at(self) -> int | None:
        """Fail."""
        raise StorageError


async def test_a_sweep_that_failed_is_answered_so(world: ServedWorld) -> None:
    """A request that could not be carried out is answered with the kind of failure, never as done."""
    keeper(world)._retention = BrokenReading()
    folder = world.folder / "broker"
    request = SweepRequest(id="a" * 32, batch=2)
    request.leave(folder)
    await keeper(world).answer_request()
    assert request.answered(folder) == {"error": "StorageError"}


@asynccontextmanager
async def hurried(monkeypatch: pytest.MonkeyPatch, world: ServedWorld) -> AsyncIterator[None]:
    """Hold a second housekeeping running that does everything at once."""
    monkeypatch.setattr(housekeeping, "PACE_S", 0.0)
    monkeypatch.setattr(housekeeping, "LOOK_S", 0.0)
    async with keeper(world).kept():
        yield


async def test_it_goes_on_by_itself_until_the_broker_stops(world: ServedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries at the pace and answers to requests come without anybody's act, and end with the broker."""
    await world.register(GI, CHILD, endsOn="2026-11-22")
    world.clock.move(DAY)
    request = SweepRequest(id="c" * 32, batch=1)
    request.leave(world.folder / "broker")
    async with asyncio.timeout(120), hurried(monkeypatch, world):
        while request.answered(world.folder / "broker") is None or oracle(world) == 0:
            await world.clock.sleep(0)
    size = world.leaves
    await asyncio.sleep(0)
    assert (world.leaves, oracle(world) > 0) == (size, True)


async def test_a_failure_does_not_end_the_housekeeping(
    world: ServedWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails is said without its text, and the next turn comes."""
    monkeypatch.setattr(keeper(world), "_retention", BrokenReading())
    (world.folder / "broker" / "sweep.answer").mkdir()
    SweepRequest(id="d" * 32, batch=1).leave(world.folder / "broker")
    async with asyncio.timeout(120), hurried(monkeypatch, world):
        while caplog.text.count("a sweep failed: StorageError") < 4 or "was not answered" not in caplog.text:
            await world.clock.sleep(0)


async def test_the_command_asks_the_broker_that_serves(world: ServedWorld) -> None:
    """While a broker serves, `sluis-broker sweep` has it sweep and prints what it did."""
    await world.register(GI, CHILD, endsOn="2026-11-22")
    world.clock.move(DAY)
    loop = asyncio.get_running_loop()
    said = await loop.run_in_executor(None, run_cli, "sweep", world.folder / "broker", "--json")
    assert json.loads(said.splitlines()[-1])["ended"] == {"expiry": 1, "age": 0, "rules": 0, "consent": 0}
    assert oracle(world) == 1


async def test_the_command_says_when_the_broker_could_not(world: ServedWorld) -> None:
    """A failure of the serving broker is a failure of the command: exit code 1, nothing is told as done."""
    keeper(world)._retention = BrokenReading()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, lambda: run_cli("sweep", world.folder / "broker", "--json", code=1))


def test_the_command_sweeps_alone_when_no_broker_serves(template: Path, tmp_path: Path) -> None:
    """Without a serving broker the command holds the signer itself; an answer of an earlier one is not its own."""
    copy_world(template, tmp_path / "world")
    folder = tmp_path / "world" / "broker"
    policy = (folder / "log-policy").read_text(encoding="utf-8").splitlines()[0]
    (folder / "log-policy").write_text(f"{policy}\nquorum none\n", encoding="utf-8")
    SweepRequest(id="e" * 32, batch=1).answer(folder, {"error": "of an earlier one"})
    said = run_cli("sweep", folder, "--batch", 3)
    assert "entries: 1" in said
    assert not (folder / "sweep.request").exists()


def test_the_command_needs_a_broker(tmp_path: Path) -> None:
    """A folder without a broker is bad input."""
    run_cli("sweep", tmp_path, code=2)


class LostKeys:
    """Keys of which every step fails, and is counted."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def renew_when_old(self) -> bool:
        """Fail."""
        self.asked.append("renew")
        raise StorageError

    async def finish(self) -> int:
        """Fail."""
        self.asked.append("finish")
        raise LogUnavailableError


async def test_what_fails_at_a_pace_stops_nothing_else_of_it(
    world: ServedWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A sweep that cannot be done keeps no key alive: each is tried by itself, and what failed is said."""
    keys = LostKeys()
    monkeypatch.setattr(keeper(world), "_retention", BrokenReading())
    monkeypatch.setattr(keeper(world), "_keys", keys)
    await keeper(world).keep_once()
    assert keys.asked == ["renew", "finish"]
    for failed in ("a sweep failed: StorageError", "a new key-encryption key failed: StorageError",
                   "the destruction of keys failed: LogUnavailableError"):  # fmt: skip
        assert failed in caplog.text
