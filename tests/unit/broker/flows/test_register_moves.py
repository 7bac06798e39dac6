"""Another organisation is suspended while somebody looks: it is not told of by the register of before."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from broker.domain.errors import NotFoundError, RefusedError
from broker.flows.policy import PolicyInForce
from broker.ports import REGISTER
from broker.protocol.register import Register
from tests.simulators.broker_memory import MemoryDocuments
from tests.simulators.broker_world import World, a_world, held_in
from tests.simulators.calling import call, decide, list_own_rings, rings_in
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import notices_of
from tests.simulators.phoning import phone_calls_in, start, verify
from tests.simulators.requesting import Desk, shown
from tests.unit.broker.flows.test_calling import ASKED, involved, veilig_thuis
from tests.unit.broker.flows.test_letters_that_hold import refused

SUSPENDED = Enrolled(suspended=frozenset({VEILIG_THUIS}))


@pytest.fixture
async def world(tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on SQLite: what is decided again does not depend on the database."""
    async with a_world("sqlite", tmp_path, policy=policy) as running:
        yield running


def moves_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The register that is read next was in force a moment ago: the newer one is imported by another process."""
    honest, moved = type(world.documents).register, list[bool]()

    async def register(documents: MemoryDocuments) -> Register:
        read = await honest(documents)
        if not moved:
            moved.append(True)
            documents.in_force = SUSPENDED.register()
            for key in (REGISTER.key, VEILIG_THUIS.encode()):
                query = "INSERT INTO version_stamps (kind, key, version) VALUES (?, ?, 1)"
                held_in(world).write(query, REGISTER.kind.value, key)
        return read

    monkeypatch.setattr(MemoryDocuments, "register", register)


async def _lists(world: World, _: str) -> None:
    assert rings_in(await list_own_rings(world, world.asker(SCHOOL, seed="lists"))) == []


async def _accepts(world: World, ring: str) -> None:
    with pytest.raises(NotFoundError):
        await decide(world, world.asker(SCHOOL, seed="accepts"), ring, "accept")


async def _fetches(world: World, _: str) -> None:
    assert [kind for kind, _ in await notices_of(world, SCHOOL) if kind == "call"] == []


@pytest.mark.parametrize("looks", [_lists, _accepts, _fetches])
async def test_who_was_suspended_a_moment_ago_asks_nobody(
    world: World, looks: Callable[[World, str], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look that began before is decided again by the newer register: no ring, no card, no notice."""
    await involved(world)
    await call(world, veilig_thuis(world), ASKED)
    (ring,) = rings_in(await list_own_rings(world, world.asker(SCHOOL)))
    moves_once(world, monkeypatch)
    await looks(world, ring["ringId"])


async def test_who_was_suspended_a_moment_ago_is_nobody_on_the_phone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code that is said at that moment proves nothing any more."""
    (started,) = phone_calls_in(await start(world, world.asker(VEILIG_THUIS)))
    moves_once(world, monkeypatch)
    with pytest.raises(RefusedError) as refused:
        await verify(world, world.asker(SCHOOL), started["code"])
    assert refused.value.document["type"] == "urn:sluis:problem:caller-suspended"


@pytest.mark.parametrize("looks", ["fetch", "list"])
async def test_who_was_suspended_a_moment_ago_is_read_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch, looks: str
) -> None:
    """Its letter is withheld at that moment, and its line says no more than that."""
    desk = Desk(world)
    request = await desk.sent()
    moves_once(world, monkeypatch)
    if looks == "fetch":
        assert await refused(desk.fetch(request, by=WIJKTEAM)) == "letter-withheld"
    else:
        (line,) = shown(await desk.list(by=WIJKTEAM))
        assert (line["state"], line["categories"]) == ("withheld", [])
