"""The broker's log as a custodian has seen it: no fork, rollback or hiding passes, and nothing of it is forgotten."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from audit.merkle import EMPTY_TREE
from audit.note import parse_note
from broker.custodian import findings, followed, monitor, watched
from broker.custodian.errors import RefusedError
from broker.custodian.followed import FollowedTree
from broker.custodian.watched import is_blind
from tests.simulators.custodian import BROKER, CUSTODIANS, batch
from tests.simulators.watched_broker import WatchedWorld, WatchNetwork, other_log, watched_pair
from tests.unit.audit.log_simulator import LogInMemory


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Hold two custodians that watch one log of some entries."""
    with watched_pair(tmp_path) as made:
        for _ in range(9):
            made.broker.enter("policy", {})
        yield made


def alarms(world: WatchedWorld) -> list[str]:
    """Return the alarms that stand at the first custodian."""
    return [alarm.kind for alarm in followed.standing_alarms(world.pair.custodians[0].store)]


def blind(world: WatchedWorld) -> bool:
    """Return whether the first custodian hands out nothing but urgent tickets."""
    custodian = world.pair.custodians[0]
    return is_blind(custodian.store, custodian.watching, now=world.clock.now)


async def test_the_tree_is_rebuilt_from_every_entry(world: WatchedWorld) -> None:
    """After a look the custodian has the very tree of the log, and can prove each size of it."""
    tree = FollowedTree(world.pair.custodians[0].store)
    assert tree.head() == EMPTY_TREE
    await world.look()
    assert tree.head() == world.broker.log.head()
    world.broker.enter("policy", {})
    await world.look()
    assert tree.head() == world.broker.log.head()


async def test_another_tree_of_the_same_size_is_a_fork(world: WatchedWorld) -> None:
    """One size has one root; the alarm keeps both signed notes as evidence, and stands once."""
    await world.look()
    world.broker.shown = other_log(world.broker.log, keep=4)
    await world.look()
    await world.look()
    (alarm,) = followed.standing_alarms(world.pair.custodians[0].store)
    assert alarm.kind == followed.FORK
    assert world.broker.log.latest_note() in alarm.evidence
    assert world.broker.shown.latest_note() in alarm.evidence


async def test_a_larger_tree_that_does_not_hold_the_old_one_is_a_fork(world: WatchedWorld) -> None:
    """A checkpoint that grows from another past than ours does not pass, though its key signed it."""
    await world.look()
    forked = other_log(world.broker.log, keep=4)
    world.broker.shown = forked.grow(len(forked.leaves) + 2)
    await world.look()
    assert alarms(world) == [followed.FORK]
    assert FollowedTree(world.pair.custodians[0].store).head() == world.broker.log.head()


async def test_a_page_that_was_cut_off_on_its_way_is_asked_again_first(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page that does not fit is no alarm yet; the same page twice is."""
    await world.look()
    world.broker.enter("policy", {})
    honest = world.broker.page(9)
    page = json.loads(honest)
    page["entries"][0]["leaf"] = world.broker.log.leaves[0].decode()
    answers = iter([json.dumps(page).encode()])
    real = monitor._get

    async def once(*args: object, **named: object) -> bytes:
        return next(answers, None) or await real(*args, **named)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(monitor, "_get", once)
    await world.look()
    assert alarms(world) == []
    assert FollowedTree(world.pair.custodians[0].store).size() == 10


async def test_a_smaller_log_is_a_rollback(world: WatchedWorld) -> None:
    """A log that was put back from a backup is noticed by everybody who followed it."""
    await world.look()
    world.broker.shown = LogInMemory(world.broker.log.key).grow(5, lambda index: world.broker.log.leaves[index])
    await world.look()
    assert alarms(world) == [followed.ROLLED_BACK]


async def test_a_witness_that_saw_another_tree_shows_the_fork(world: WatchedWorld) -> None:
    """Two views of one log, one for us and one for the witness, do not pass, though each holds by itself."""
    world.broker.show_witness(other_log(world.broker.log, keep=4))
    await world.look()
    assert alarms(world) == [followed.FORK]


async def test_a_witness_that_goes_on_seeing_more_shows_what_is_hidden(world: WatchedWorld) -> None:
    """For a quarter of an hour it is a delay; after that the broker hides entries from us."""
    world.broker.show_witness()
    world.broker.shown = LogInMemory(world.broker.log.key).grow(5, lambda index: world.broker.log.leaves[index])
    await world.look()
    world.clock.pass_seconds(monitor.HIDDEN_S)
    await world.look()
    assert alarms(world) == []
    world.clock.pass_seconds(1)
    await world.look()
    assert alarms(world) == [followed.HIDDEN]


async def test_a_delay_that_ends_is_no_alarm(world: WatchedWorld) -> None:
    """What was behind and caught up begins anew."""
    world.broker.show_witness()
    world.broker.shown = LogInMemory(world.broker.log.key).grow(5, lambda index: world.broker.log.leaves[index])
    await world.look()
    world.broker.shown = None
    world.clock.pass_seconds(monitor.HIDDEN_S)
    await world.look()
    world.clock.pass_seconds(monitor.HIDDEN_S)
    await world.look()
    assert (alarms(world), blind(world)) == ([], False)


async def test_a_witness_that_says_nothing_that_can_be_read_is_none(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a checkpoint that the log itself signed counts against it; anything else proves nothing."""
    monkeypatch.setattr(world.broker.witness, "cosigned_checkpoint", lambda _: "nothing\n")
    await world.look()
    assert (alarms(world), blind(world)) == ([], False)


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"checkpoint":"x","entries":[]}', b'{"checkpoint":1,"entries":[]}'])
async def test_what_is_no_page_only_leaves_the_custodian_blind(world: WatchedWorld, answer: bytes) -> None:
    """It is signed by nobody, so it proves nothing; after an hour of it no ticket is handed out."""
    await world.look()
    world.broker.answer = answer
    world.clock.pass_seconds(3600)
    await world.look()
    assert (alarms(world), blind(world)) == ([], False)
    world.clock.pass_seconds(1)
    await world.look()
    assert (alarms(world), blind(world)) == ([], True)


@pytest.mark.parametrize("change", ["entries", "leaf", "actor", "key"])
async def test_a_page_with_a_part_that_is_wrong_is_not_taken_over(world: WatchedWorld, change: str) -> None:
    """Fewer entries than the checkpoint says, a leaf or an opening that cannot be read: nothing of it is taken."""
    page = json.loads(world.broker.page(0))
    wrong = {
        "entries": page["entries"][:-1],
        "leaf": [{**page["entries"][0], "leaf": "x"}, *page["entries"][1:]],
        "actor": [{"leaf": page["entries"][0]["leaf"]}, *page["entries"][1:]],
        "key": [{**page["entries"][0], "actor": {"key": 1, "payload": ""}}, *page["entries"][1:]],
    }
    world.broker.answer = json.dumps({**page, "entries": wrong[change]}).encode()
    await world.look()
    assert (alarms(world), FollowedTree(world.pair.custodians[0].store).size()) == ([], 0)


async def test_while_an_alarm_stands_only_urgent_tickets_are_handed_out(world: WatchedWorld) -> None:
    """A log that is not what it was gets no tickets; a child in danger does not wait, and the FG is told."""
    await world.look()
    world.broker.shown = other_log(world.broker.log, keep=4)
    await world.look()
    with pytest.raises(RefusedError, match="log-not-watched"):
        world.pair.ask(0, world.partners[0], batch())
    world.pair.ask(0, world.partners[0], batch(budget_class="urgent"))
    assert world.findings() == [("urgent-unwatched", world.partners[0].oin)]


async def test_each_use_of_the_reserve_for_danger_is_told_to_the_fg(world: WatchedWorld) -> None:
    """In sight of the log too: an urgent ticket is one finding about its worker, asked again no second; others none."""
    await world.look()
    body = batch(budget_class="urgent")
    for one in (body, body, batch()):
        world.pair.ask(0, world.partners[0], one)
    assert world.findings() == [("urgent", world.partners[0].oin)]
    (told,) = findings.of_organisation(world.pair.custodians[0].store, world.partners[0].oin, after=0)
    assert told.worker == world.partners[0].sub("anna", BROKER)


async def test_nothing_is_charged_while_no_ticket_is_handed_out(world: WatchedWorld) -> None:
    """What was refused costs nothing: the same batch is served when the log is back in sight."""
    await world.look()
    world.broker.down = True
    world.clock.pass_seconds(3601)
    body = batch()
    with pytest.raises(RefusedError, match="log-not-watched"):
        world.pair.ask(0, world.partners[0], body)
    assert world.pair.custodians[0].store.rows("SELECT count(*) FROM bucket") == [(0,)]
    world.broker.down = False
    await world.look()
    world.pair.ask(0, world.partners[0], body)


async def test_a_person_clears_an_alarm_and_the_log_is_followed_anew(world: WatchedWorld) -> None:
    """The alarm stays written with the reason; every ticket is matched again, and nothing is told twice."""
    store = world.pair.custodians[0].store
    world.broker.cite(world.tickets())
    world.tickets()
    world.clock.pass_seconds(1501)
    await world.look()
    world.broker.shown = other_log(world.broker.log, keep=4)
    await world.look()
    world.broker.shown = None
    before = world.findings()
    assert followed.clear_alarms(store, because="broker restored by hand", now=world.clock.now) == 1
    assert followed.clear_alarms(store, because="again", now=world.clock.now) == 0
    await world.look()
    assert (alarms(world), world.matched(), world.findings()) == ([], [9, None], before)
    assert store.rows("SELECT because FROM alarm") == [("broker restored by hand",)]


async def test_what_a_rollback_took_away_is_told_after_the_alarm_was_cleared(world: WatchedWorld) -> None:
    """A ticket whose entry is gone is no longer matched: it is told as unspent once the log was seen whole."""
    world.broker.cite(world.tickets())
    await world.look()
    world.broker.shown, world.broker.witness_down = other_log(world.broker.log, keep=4), True
    await world.look()
    store = world.pair.custodians[0].store
    assert followed.clear_alarms(store, because="the broker restored a backup", now=world.clock.now) == 1
    world.broker.down = True
    world.clock.pass_seconds(4000)
    await world.look()
    assert world.findings() == []
    world.broker.down = False
    await world.look()
    assert (world.matched(), world.findings()) == ([None], [("unspent", world.partners[0].oin)])


async def test_following_anew_accuses_nobody_of_what_was_forgotten_here(world: WatchedWorld) -> None:
    """Tickets of long ago are remembered no more, which is no sign that they were never handed out."""
    world.broker.cite(world.tickets())
    await world.look()
    world.clock.pass_seconds(91 * 86_400)
    world.broker.enter("policy", {})
    for _ in range(2):
        await world.look()
    assert world.matched() == []
    store = world.pair.custodians[0].store
    followed.raise_alarm(store, followed.HIDDEN, "", now=world.clock.now)
    followed.clear_alarms(store, because="a witness was restored", now=world.clock.now)
    world.broker.cite([(CUSTODIANS[0], "f" * 32), (CUSTODIANS[1], "f" * 32)])
    await world.look()
    assert world.findings() == [("never-issued", world.partners[0].oin)]


async def test_a_restart_or_a_wrong_clock_gives_no_new_hour_out_of_sight(world: WatchedWorld) -> None:
    """When it began to watch is kept; what was noted while the clock stood ahead says nothing about now."""
    store = world.pair.custodians[0].store
    began = world.clock.now
    watching = watched.begin(store, max_blind_s=3600, now=began)
    for restarted_after in (0, 1800, 3700):
        watching = watched.begin(store, max_blind_s=3600, now=began + restarted_after)
        assert watched.is_blind(store, watching, now=began + restarted_after) is (restarted_after > 3600)
    followed.caught_up(store, now=began + 86_400 * 365, witnessed=True)
    assert watched.is_blind(store, watching, now=began + 3700)
    followed.caught_up(store, now=began + 3690, witnessed=True)
    assert not watched.is_blind(store, watching, now=began + 3700)


async def test_witnesses_who_say_nothing_are_not_counted_as_agreeing(world: WatchedWorld) -> None:
    """The log was followed to its end all the same; since when nobody confirmed it is known."""
    store = world.pair.custodians[0].store
    world.broker.show_witness()
    await world.look()
    agreed = world.clock.now
    world.broker.witness_down = True
    world.clock.pass_seconds(100)
    await world.look()
    assert (store.number(followed.FOLLOWED_AT), store.number(followed.WITNESSED_AT)) == (agreed + 100, agreed)


@pytest.mark.parametrize("endless", ["long", "slow"])
async def test_an_answer_without_end_keeps_nobody_waiting(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch, endless: str
) -> None:
    """It is cut off by its length and by the time it takes, and everything else is looked at all the same."""
    monkeypatch.setattr(monitor, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(monitor, "MAX_ANSWER", 10_000)

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            if endless == "slow":
                await asyncio.sleep(0.01)
            yield b"0" * (1 if endless == "slow" else 1000)

    monkeypatch.setattr(WatchNetwork, "_broker", lambda *_: httpx.Response(200, content=chunks()))
    world.tickets()
    await world.look()
    own = world.pair.custodians[0].store
    assert own.number(followed.FOLLOWED_AT) is None
    assert own.rows("SELECT count(*) FROM issued WHERE log_index IS NOT NULL") == [(1,)]


async def test_a_log_longer_than_one_look_goes_on_at_the_next(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was followed stays; the custodian counts as caught up only at the end."""
    monkeypatch.setattr(monitor, "MAX_PAGES", 2)
    store = world.pair.custodians[0].store
    await world.look()
    assert (FollowedTree(store).size(), store.number(followed.FOLLOWED_AT)) == (8, None)
    await world.look()
    assert (FollowedTree(store).size(), store.number(followed.FOLLOWED_AT)) == (9, world.clock.now)


async def test_what_was_seen_is_kept_as_it_was_signed(world: WatchedWorld) -> None:
    """The newest note stands in the store whole, so that it can be shown to others."""
    await world.look()
    kept = followed.newest_note(world.pair.custodians[0].store)
    assert kept is not None
    assert parse_note(kept.encode()) == parse_note(world.broker.log.latest_note().encode())
