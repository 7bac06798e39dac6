"""Erasing own entries: two people, one entry, the FG told, and nothing learned of anybody else's."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from audit.receipt import Receipt
from broker.domain.changes import Task
from broker.domain.erasures import KEPT_S, MAX_ENTRIES, VALID_S, ErasureState
from broker.domain.errors import (
    AlreadyErasedError,
    AnswerWithheldError,
    ControllerUnknownError,
    FieldRuleError,
    NotDoneError,
    NotFoundError,
    RefusedError,
    RoleNotAllowedError,
    StorageError,
)
from broker.domain.review import REVIEWED_DAYS
from broker.log_ports import GroupStatus
from tests.simulators.asking import Asker, household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, held_in, log_size, tasks_of
from tests.simulators.enrolled import GEMEENTE, GI, WIJKTEAM
from tests.simulators.memory_entries import MemoryRotation

GROUPS = ["meta", "actor", "subject"]
ALL = (*GROUPS, "hits", "shielded")
STAYS = {"hits": GroupStatus.OK, "shielded": GroupStatus.OK}
LOOK = household(subject="child")
_SEEDS = count()


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


def _person(world: World, role: str = "privacyfunctionaris", oin: str = GI) -> Asker:
    return world.asker(oin, role=role, seed=f"{role} {next(_SEEDS)}")


def _body(asker: Asker, *ranges: tuple[int, int, list[str]], **changed: object) -> dict[str, Any]:
    listed = [{"first": first, "last": last, "groups": groups} for first, last, groups in ranges]
    return {**asker.command(ground="AVG-17.1.d", decisionRef="a" * 64, ranges=listed), **changed}


async def _erase(world: World, *ranges: tuple[int, int, list[str]], oin: str = GI) -> str:
    first, second = _person(world, oin=oin), _person(world, "approver", oin=oin)
    body = _body(first, *ranges)
    await world.propose_erasure(first, body)
    await world.confirm_erasure(second, body["idempotencyKey"], _body(second, *ranges))
    return str(body["idempotencyKey"])


async def _statuses(world: World, index: int) -> dict[str, GroupStatus]:
    (entry,) = await world.entries.opened([index], ALL)
    return {group: opened.status for group, opened in entry.groups.items()}


async def _payload(world: World, index: int, group: str) -> Mapping[str, Any]:
    (entry,) = await world.entries.opened([index], [group])
    payload = entry.payload(group)
    assert payload is not None
    return payload


async def test_two_people_erase_by_one_entry_and_the_fg_is_told(world: World) -> None:
    """Proposed nothing is erased; confirmed by another, what was named is gone, by an entry that lists it."""
    asker = world.asker(GI)
    await world.register(asker, LOOK)
    first, second = _person(world), _person(world, "approver")
    body = _body(first, (0, 0, GROUPS))
    proposed = await world.propose_erasure(first, body)
    assert set((await _statuses(world, 0)).values()) == {GroupStatus.OK}
    done = await world.confirm_erasure(second, body["idempotencyKey"], _body(second, (0, 0, GROUPS)))
    assert (proposed.result["outcome"], done.result["outcome"], await log_size(world)) == ("done", "done", 3)
    assert await _statuses(world, 0) == dict.fromkeys(GROUPS, GroupStatus.ERASED) | STAYS
    (entry,) = await world.entries.opened([2], ["meta", "actor"])
    meta, actor = await _payload(world, 2, "meta"), await _payload(world, 2, "actor")
    assert entry.kind == "erasure"
    assert meta["erased"] == [{"from": 0, "to": 0, "groups": GROUPS}]
    assert meta["erasure"] == {"id": body["idempotencyKey"], "ground": "AVG-17.1.d", "decision_ref": "a" * 64}
    assert (actor["worker"], actor["proposer"]) == ("approver-2000", "privacyfunctionaris-2000")
    today = world.clock.today()
    assert tasks_of(world) == [
        Task(kind=kind, organisation=GI, due_on=today) for kind in ("fg-erasure-proposed", "fg-erased")
    ]
    (known,) = await world.erasures.erasures(organisation=GI)
    assert (known.state, known.entry_index, known.decided_by) == (ErasureState.ERASED, 2, "approver-2000")
    assert await world.erasures.erasures(organisation=WIJKTEAM) == ()


async def test_the_proposal_is_an_entry_that_erases_nothing(world: World) -> None:
    """Proposing is recorded with its list, as a plan and not as something that was erased."""
    await world.register(world.asker(GI), LOOK)
    first = _person(world)
    await world.propose_erasure(first, _body(first, (0, 0, ["subject", "actor"])))
    (entry,) = await world.entries.opened([1], ["meta"])
    meta = await _payload(world, 1, "meta")
    assert (entry.kind, "erased" in meta) == ("review", False)
    assert meta["erasure"]["ranges"] == [{"from": 0, "to": 0, "groups": ["actor", "subject"]}]


async def test_keys_that_opened_older_copies_are_destroyed(world: World) -> None:
    """After it only a new key exists; everything that was not erased still opens."""
    await world.register(world.asker(GI), LOOK)
    await world.register(world.asker(WIJKTEAM), LOOK)
    await _erase(world, (0, 0, ["actor"]))
    assert await _statuses(world, 0) == dict.fromkeys(ALL, GroupStatus.OK) | {"actor": GroupStatus.ERASED}
    for index in range(1, await log_size(world)):
        assert set((await _statuses(world, index)).values()) == {GroupStatus.OK}
    if isinstance(world.ledger, MemoryBroker):
        assert world.ledger.keys.epochs == (2,)
    else:
        assert held_in(world).rows("SELECT DISTINCT epoch FROM log_payload_keys") == [(2,)]
        assert held_in(world).rows("SELECT epoch FROM doomed_epochs") == []


@pytest.mark.parametrize("role", ["worker", "approver", "fg"])
async def test_only_a_privacyfunctionaris_proposes(world: World, role: str) -> None:
    """A worker, an approver and the FG, who supervises, do not."""
    await world.register(world.asker(GI), LOOK)
    asker = _person(world, role)
    with pytest.raises(RoleNotAllowedError):
        await world.propose_erasure(asker, _body(asker, (0, 0, ["actor"])))


@pytest.mark.parametrize("role", ["worker", "fg"])
async def test_only_a_mandated_second_confirms(world: World, role: str) -> None:
    """Neither a worker nor the FG, who never decides, is the second person."""
    await world.register(world.asker(GI), LOOK)
    first, second = _person(world), _person(world, role)
    body = _body(first, (0, 0, ["actor"]))
    await world.propose_erasure(first, body)
    with pytest.raises(RoleNotAllowedError):
        await world.confirm_erasure(second, body["idempotencyKey"], _body(second, (0, 0, ["actor"])))
    assert set((await _statuses(world, 0)).values()) == {GroupStatus.OK}


async def test_nobody_is_both_people(world: World) -> None:
    """The same person with another key and even another role is refused, and nothing is erased."""
    await world.register(world.asker(GI), LOOK)
    first = _person(world)
    body = _body(first, (0, 0, ["actor"]))
    await world.propose_erasure(first, body)
    with pytest.raises(RefusedError) as refused:
        await world.confirm_erasure(first, body["idempotencyKey"], _body(first, (0, 0, ["actor"])))
    assert refused.value.document["textId"] == "approval.own"
    assert refused.value.receipt
    assert set((await _statuses(world, 0)).values()) == {GroupStatus.OK}


async def test_what_is_not_ones_own_is_not_there(world: World) -> None:
    """Another organisation's entry, one beyond the log and one of the broker itself are refused alike."""
    await world.register(world.asker(GI), LOOK)
    await world.register(world.asker(WIJKTEAM), LOOK)
    await world.sweep(always_recorded=True)
    asker = _person(world)
    for index in (1, 2, 99):
        with pytest.raises(NotFoundError):
            await world.propose_erasure(asker, _body(asker, (index, index, ["actor"])))
    assert await log_size(world) == 3


async def test_a_proposal_of_another_organisation_is_not_there(world: World) -> None:
    """Its id says nothing to others, and an id that nobody has is answered the same."""
    await world.register(world.asker(GI), LOOK)
    first, stranger = _person(world), _person(world, "approver", oin=WIJKTEAM)
    body = _body(first, (0, 0, ["actor"]))
    await world.propose_erasure(first, body)
    for erasure_id in (body["idempotencyKey"], "0" * 32):
        with pytest.raises(NotFoundError):
            await world.confirm_erasure(stranger, erasure_id, _body(stranger, (0, 0, ["actor"])))


async def test_the_controller_must_be_the_one_of_the_entry(world: World) -> None:
    """A controller that is not the organisation's is refused, and entries of another one are not there."""
    await world.register(world.asker(GI), LOOK)
    asker = _person(world)
    with pytest.raises(ControllerUnknownError):
        await world.propose_erasure(asker, _body(asker, (0, 0, ["actor"]), controller=GEMEENTE))


async def test_what_was_erased_is_not_erased_again(world: World) -> None:
    """Named again it is refused openly, also where what says whose it is was erased; the rest can still go."""
    await world.register(world.asker(GI), LOOK)
    await _erase(world, (0, 0, ["meta", "actor"]))
    asker, stranger = _person(world), _person(world, oin=WIJKTEAM)
    with pytest.raises(AlreadyErasedError):
        await world.propose_erasure(asker, _body(asker, (0, 0, ["actor", "subject"])))
    with pytest.raises(NotFoundError):
        await world.propose_erasure(stranger, _body(stranger, (0, 0, ["actor", "subject"])))
    await _erase(world, (0, 0, ["subject"]))
    assert await _statuses(world, 0) == dict.fromkeys(GROUPS, GroupStatus.ERASED) | STAYS


async def test_two_proposals_for_one_entry_erase_it_once(world: World) -> None:
    """The second confirmation finds it erased, changes nothing and says so."""
    await world.register(world.asker(GI), LOOK)
    first, second = _person(world), _person(world, "approver")
    bodies = [_body(first, (0, 0, ["actor"])) for _ in range(2)]
    for body in bodies:
        await world.propose_erasure(first, body)
    await world.confirm_erasure(second, bodies[0]["idempotencyKey"], _body(second, (0, 0, ["actor"])))
    with pytest.raises(AlreadyErasedError):
        await world.confirm_erasure(second, bodies[1]["idempotencyKey"], _body(second, (0, 0, ["actor"])))


@pytest.mark.parametrize("group", GROUPS)
async def test_what_says_that_something_was_erased_stays(world: World, group: str) -> None:
    """Neither what an erasure and its proposal say nor who decided is erased by a next one."""
    await world.register(world.asker(GI), LOOK)
    await _erase(world, (0, 0, ["subject"]))
    asker = _person(world)
    for index in (1, 2):
        with pytest.raises(FieldRuleError, match="reviewed, exported or erased"):
            await world.propose_erasure(asker, _body(asker, (index, index, [group])))
    assert set((await _statuses(world, 2)).values()) == {GroupStatus.OK}


@pytest.mark.parametrize(
    "ranges",
    [
        [(1, 0, ["actor"])],
        [(1, 1, ["actor"]), (0, 0, ["actor"])],
        [(0, 1, ["actor"]), (1, 2, ["meta"])],
        [(0, MAX_ENTRIES, ["actor"])],
    ],
)
async def test_a_list_that_two_people_cannot_oversee_is_refused(
    world: World, ranges: list[tuple[int, int, list[str]]]
) -> None:
    """Ranges go up, stand apart, and name no more entries than a person can look at."""
    asker = _person(world)
    with pytest.raises(FieldRuleError, match="ranges"):
        await world.propose_erasure(asker, _body(asker, *ranges))


@pytest.mark.parametrize(
    "changed",
    [{"ground": "AVG-17.1.a"}, {"decisionRef": "b" * 64}, {"ranges": [{"first": 0, "last": 0, "groups": ["meta"]}]}],
)
async def test_the_second_signs_what_the_first_proposed(world: World, changed: dict[str, object]) -> None:
    """Another list, ground or decision is another erasure: refused, and nothing is erased."""
    await world.register(world.asker(GI), LOOK)
    first, second = _person(world), _person(world, "approver")
    body = _body(first, (0, 0, ["actor"]))
    await world.propose_erasure(first, body)
    with pytest.raises(FieldRuleError, match="proposed"):
        await world.confirm_erasure(second, body["idempotencyKey"], _body(second, (0, 0, ["actor"]), **changed))
    assert set((await _statuses(world, 0)).values()) == {GroupStatus.OK}


async def test_a_proposal_that_lay_too_long_is_over(world: World) -> None:
    """A month later nobody can confirm it: what was looked at then may be something else now."""
    await world.register(world.asker(GI), LOOK)
    first = _person(world)
    body = _body(first, (0, 0, ["actor"]))
    await world.propose_erasure(first, body)
    world.clock.move(VALID_S + 1)
    second = _person(world, "approver")
    with pytest.raises(NotFoundError):
        await world.confirm_erasure(second, body["idempotencyKey"], _body(second, (0, 0, ["actor"])))


async def test_asked_again_it_is_answered_and_not_done_again(world: World) -> None:
    """Both requests are idempotent by their key, like every other."""
    await world.register(world.asker(GI), LOOK)
    first, second = _person(world), _person(world, "approver")
    body, confirming = _body(first, (0, 0, ["actor"])), _body(second, (0, 0, ["actor"]))
    await world.propose_erasure(first, body)
    await world.confirm_erasure(second, body["idempotencyKey"], confirming)
    assert (await world.propose_erasure(first, body)).replayed
    assert (await world.confirm_erasure(second, body["idempotencyKey"], confirming)).replayed
    assert await log_size(world) == 3


@pytest.mark.parametrize("group", ["meta", "actor"])
async def test_a_kept_answer_is_erased_with_its_entry(world: World, group: str) -> None:
    """What was kept to be answered again goes with `meta` or `actor`; that it was done stays, so it has one effect."""
    asker = world.asker(GI)
    body = asker.registration(LOOK)
    await world.send_registration(asker, body)
    assert (await world.again(asker, body["idempotencyKey"])).replayed
    await _erase(world, (0, 0, [group]))
    size = await log_size(world)
    for ask in (world.again(asker, body["idempotencyKey"]), world.send_registration(asker, body)):
        with pytest.raises(AnswerWithheldError) as withheld:
            await ask
        receipt = Receipt.from_wire(dict(withheld.value.receipt))
        assert set(receipt.openings) == {"meta", "actor"} - {group}
        assert withheld.value.signal_id is None
    fresh = world.asker(GI, seed="new tickets")
    with pytest.raises(AnswerWithheldError):
        await world.send_registration(fresh, fresh.registration(LOOK, idempotencyKey=body["idempotencyKey"]))
    assert await log_size(world) == size


async def test_what_is_an_alarm_is_not_erased_away(world: World) -> None:
    """A group that is MISSING or MISMATCH stays the alarm it is: not done, and recorded so."""
    await world.register(world.asker(GI), LOOK)
    if isinstance(world.ledger, MemoryBroker):
        del world.ledger.log.payloads[0, "subject"]
    else:
        held_in(world).write("DELETE FROM log_payload_keys WHERE grp = 'subject'")
    asker = _person(world)
    with pytest.raises(NotDoneError):
        await world.propose_erasure(asker, _body(asker, (0, 0, ["subject"])))
    assert (await _payload(world, 1, "meta"))["outcome"] == "error"


async def test_keys_that_could_not_be_destroyed_are_destroyed_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure stands and is told; what was cut off is finished when it is tried again."""
    await world.register(world.asker(GI), LOOK)

    async def failing(_: object) -> int:
        raise StorageError

    with monkeypatch.context() as broken:
        broken.setattr(type(world.keys), "finish", failing)
        await _erase(world, (0, 0, ["actor"]))
    assert (await _statuses(world, 0))["actor"] is GroupStatus.ERASED
    assert await world.keys.finish() == 1
    assert await world.keys.finish() == 0
    assert isinstance(world.keys, MemoryRotation) is isinstance(world.ledger, MemoryBroker)


async def test_what_was_kept_long_enough_is_erased_by_the_sweep(world: World) -> None:
    """After the term the content of an entry goes by the same path, all five groups, by an entry that lists it."""
    await world.register(world.asker(GI), LOOK)
    await _erase(world, (0, 0, ["subject"]))
    world.clock.move(KEPT_S)
    await world.register(world.asker(WIJKTEAM), LOOK, endsOn="2032-06-01")
    assert (await world.sweep(vouched_at=world.clock.now())).erased == 0
    world.clock.move(2)
    swept = await world.sweep(vouched_at=world.clock.now())
    assert (swept.erased, swept.more) == (3, True)
    size = await log_size(world)
    meta = await _payload(world, size - 1, "meta")
    assert meta["erased"] == [
        {"from": 0, "to": 0, "groups": ["meta", "actor", "hits", "shielded"]},
        {"from": 1, "to": 1, "groups": list(ALL)},
        {"from": 2, "to": 2, "groups": ["actor", "subject", "hits", "shielded"]},
    ]
    gone = dict.fromkeys(ALL, GroupStatus.ERASED)
    assert [await _statuses(world, index) for index in range(4)] == [
        gone, gone, gone | {"meta": GroupStatus.OK}, dict.fromkeys(ALL, GroupStatus.OK)
    ]  # fmt: skip
    again = await world.sweep(vouched_at=world.clock.now())
    assert (again.erased, again.recorded) == (0, False)
    await world.keys.finish()
    assert await _statuses(world, 3) == dict.fromkeys(ALL, GroupStatus.OK)


async def test_an_entry_that_says_no_longer_whose_it_is_is_nobodys(world: World) -> None:
    """Where the actor was lost past the log, it is as if the entry were another's."""
    await world.register(world.asker(GI), LOOK)
    if isinstance(world.ledger, MemoryBroker):
        del world.ledger.log.payloads[0, "actor"]
    else:
        held_in(world).write("DELETE FROM log_payload_keys WHERE grp = 'actor'")
    asker = _person(world)
    with pytest.raises(NotFoundError):
        await world.propose_erasure(asker, _body(asker, (0, 0, ["meta"])))


async def test_the_fg_reads_who_proposed_and_who_decided(world: World) -> None:
    """Both entries stand among the organisation's acts, beside the one of which something was erased."""
    await world.register(world.asker(GI), LOOK)
    before = await world.acts.acts(organisation=GI, since=0, until=world.clock.now() + 1)
    await _erase(world, (0, 0, GROUPS))
    after = await world.acts.acts(organisation=GI, since=0, until=world.clock.now() + 1)
    assert [act.kind for act in after if act.index > 0] == ["review", "erasure"]
    assert [act.index for act in before] == [0]
    assert await world.acts.acts(organisation=WIJKTEAM, since=0, until=world.clock.now() + 1) == ()


async def test_an_act_that_may_still_be_reviewed_is_not_erased(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For 92 days nothing of an act is erased: without it, what it makes stand out would not stand out any more."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", REVIEWED_DAYS * 86_400)
    await world.register(world.asker(GI), LOOK)
    world.clock.move(REVIEWED_DAYS * 86_400 - 1)
    asker, stranger = _person(world), _person(world, oin=WIJKTEAM)
    with pytest.raises(FieldRuleError, match="92 days"):
        await world.propose_erasure(asker, _body(asker, (0, 0, ["subject"])))
    with pytest.raises(NotFoundError):
        await world.propose_erasure(stranger, _body(stranger, (0, 0, ["subject"])))
    world.clock.move(1)
    await _erase(world, (0, 0, ["subject"]))
    assert (await _statuses(world, 0))["subject"] is GroupStatus.ERASED


@pytest.mark.parametrize("left", ["the organisation", "the role", "no roster"])
async def test_who_left_since_is_no_first_of_two_people(world: World, left: str) -> None:
    """A proposal of one who may propose none any more waits for nobody; another privacyfunctionaris proposes anew."""
    await world.register(world.asker(GI), LOOK)
    first, second = _person(world), _person(world, "approver")
    body = _body(first, (0, 0, ["actor"]))
    await world.propose_erasure(first, body)
    roster = world.documents.rosters[GI]
    workers = {name: one for name, one in roster.workers.items() if "privacyfunctionaris" not in one.roles}
    if left == "the role":
        (sub,) = set(roster.workers) - set(workers)
        workers[sub] = replace(roster.workers[sub], roles=frozenset({"worker", "fg"}))
    rosters = dict(world.documents.rosters) | {GI: replace(roster, workers=workers)}
    if left == "no roster":
        del rosters[GI]
    world.documents.rosters = rosters
    with pytest.raises(NotFoundError):
        await world.confirm_erasure(second, body["idempotencyKey"], _body(second, (0, 0, ["actor"])))
    assert set((await _statuses(world, 0)).values()) == {GroupStatus.OK}
