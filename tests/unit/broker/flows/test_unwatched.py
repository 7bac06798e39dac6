"""What is disclosed while nobody watches the log: nothing after a while, but in acute danger (ADR 24)."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from audit.receipt import Receipt
from broker.domain.errors import NotDoneError, RecordedError, WithdrawalNeedsReviewError
from broker.flows import unwatched
from broker.flows.policy import PolicyInForce
from broker.store.log_writer import Cosignature
from tests.simulators.asking import household
from tests.simulators.broker_memory import NoWitnesses
from tests.simulators.broker_world import STORES, World, a_world, log_size, matches_of, tasks_of
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, WIJKTEAM, Enrolled
from tests.simulators.following_up import coordinated, listed, matches_of_side, opened, who
from tests.simulators.team_tasks import listed as tasks_listed

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())
HOUR = 3600


class Away(NoWitnesses):
    """Witnesses that can be away; `up` brings them back."""

    def __init__(self) -> None:
        self.up = True

    def quorum_met(self, cosignatures: Any) -> bool:  # noqa: ANN401 - as the port has it
        """Whether they are there."""
        assert all(isinstance(one, Cosignature) for one in cosignatures)
        return self.up


async def _long_unwatched(world: World, witnesses: Away) -> None:
    """Both organisations are involved, and nobody has watched the log for more than an hour since."""
    await world.register(world.asker(GI), CHILD)
    witnesses.up = False
    await world.register(world.asker(WIJKTEAM), CHILD)
    world.clock.move(HOUR + 1)


def _reason(refused: RecordedError) -> tuple[str, str]:
    meta = json.loads(Receipt.from_wire(dict(refused.receipt)).openings["meta"].payload)
    return meta["outcome"], meta["reason"]


@pytest.mark.parametrize("store", STORES)
async def test_after_an_hour_without_witnesses_nobody_is_looked_up(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:
    """A check is not done: said so in plain words, recorded, never told as nothing, and no ticket is spent."""
    witnesses = Away()
    async with a_world(store, tmp_path, policy=policy, witnesses=witnesses) as world:
        await _long_unwatched(world, witnesses)
        asker, before = world.asker(WIJKTEAM, seed="later"), await log_size(world)
        body = asker.check(LOOK)
        with pytest.raises(NotDoneError) as stopped:
            await world.send_check(asker, body)
        assert stopped.value.document["type"] == "urn:sluis:problem:log-uncosigned"
        assert _reason(stopped.value) == ("error", "uncosigned")
        assert await log_size(world) == before + 1
        witnesses.up = True
        with pytest.raises(NotDoneError):  # its entry is the first that witnesses see again
            await world.send_check(asker, body)
        assert len(matches_of(await world.send_check(asker, body))) == 1


async def test_the_stop_says_nothing_about_who_is_involved(tmp_path: Path, policy: PolicyInForce) -> None:
    """With and without somebody to find, the same words: it is decided before anything is looked up."""
    documents = []
    for at, involved in enumerate((CHILD, household(subject="other", parents=("father",)))):
        witnesses = Away()
        async with a_world("memory", tmp_path / str(at), policy=policy, witnesses=witnesses) as world:
            await world.register(world.asker(GI), involved)
            witnesses.up = False
            await world.register(world.asker(WIJKTEAM), CHILD)
            world.clock.move(HOUR + 1)
            with pytest.raises(NotDoneError) as stopped:
                await world.check(world.asker(WIJKTEAM, seed="later"), LOOK)
            documents.append(stopped.value.document)
    assert documents[0] == documents[1]


@pytest.mark.parametrize("look", ["list", "open", "unknown", "inbox", "coordinated", "tasks"])
async def test_nobody_is_told_of_a_match_unwatched(tmp_path: Path, policy: PolicyInForce, look: str) -> None:
    """A match names who else is involved, a notice that somebody is: both wait, known or unknown alike."""
    witnesses = Away()
    async with a_world("memory", tmp_path, policy=policy, witnesses=witnesses) as world:
        enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
        world.documents.in_force, world.documents.rosters = enrolled.register(), enrolled.rosters()
        await world.register(world.asker(GI), CHILD)
        witnesses.up = False
        await world.register(world.asker(WIJKTEAM), CHILD)
        (match,) = await matches_of_side(world, GI)
        world.clock.move(HOUR + 1)
        worker, coordinator = who(world, GI), who(world, GEMEENTE, role="matchcoordinator")
        looks = {
            "list": lambda: listed(world, worker),
            "open": lambda: opened(world, worker, match["matchId"]),
            "unknown": lambda: opened(world, worker, "f" * 32),
            "inbox": lambda: world.inbox(worker),
            "coordinated": lambda: coordinated(world, coordinator),
            "tasks": lambda: tasks_listed(world, worker),
        }
        with pytest.raises(NotDoneError) as stopped:
            await looks[look]()
        assert _reason(stopped.value) == ("error", "uncosigned")
        world.clock.move(-2)
        assert len(await matches_of_side(world, GI)) == 1


async def test_a_shorter_outage_stops_nothing(tmp_path: Path, policy: PolicyInForce) -> None:
    """Up to the hour a check is answered, marked uncosigned."""
    witnesses = Away()
    async with a_world("memory", tmp_path, policy=policy, witnesses=witnesses) as world:
        await _long_unwatched(world, witnesses)
        world.clock.move(-2)
        assert len(matches_of(await world.check(world.asker(WIJKTEAM, seed="later"), LOOK))) == 1


async def test_what_discloses_nobody_goes_on(tmp_path: Path, policy: PolicyInForce) -> None:
    """Own signals are listed, renewed, and withdrawn after their review; a registration, which asks, is not done."""
    witnesses = Away()
    async with a_world("memory", tmp_path, policy=policy, witnesses=witnesses) as world:
        await _long_unwatched(world, witnesses)
        asker = world.asker(GI, seed="later")
        listed = (await world.list(asker)).result["signals"]
        assert isinstance(listed, list)
        await world.renew(asker, listed[0]["signalId"], (world.clock.today() + datetime.timedelta(days=60)).isoformat())
        with pytest.raises(WithdrawalNeedsReviewError):
            # It gave its holder a match a moment ago.
            await world.withdraw(asker, listed[0]["signalId"])
        with pytest.raises(NotDoneError) as stopped:
            await world.register(asker, household(subject="other", parents=()))
        assert _reason(stopped.value) == ("error", "uncosigned")


async def test_acute_danger_is_never_stopped_and_each_is_noted_to_the_fg(
    tmp_path: Path, policy: PolicyInForce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an exception `acuut` the question goes on, and the FG of the organisation gets a task for each."""
    witnesses = Away()
    async with a_world("memory", tmp_path, policy=policy, witnesses=witnesses) as world:
        await _long_unwatched(world, witnesses)
        # No request brings an exception yet, so the questions of this test count as if they did.
        monkeypatch.setattr(unwatched, "ACUTE", "none")
        assert len(matches_of(await world.check(world.asker(WIJKTEAM, seed="later"), LOOK))) == 1
        await world.register(world.asker(GI, seed="later"), household(subject="other", parents=()))
        noted = [(task.kind, task.organisation) for task in tasks_of(world)]
        assert noted == [(unwatched.TASK, WIJKTEAM), (unwatched.TASK, GI)]
