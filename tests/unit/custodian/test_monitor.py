"""A custodian that follows the broker's log: every ticket in one entry, and what is not told to the FG (D2)."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.entry import Opening
from broker.custodian import citations, findings, issued, reporting
from broker.custodian.followed import FOLLOWED_AT
from broker.custodian.grants import accept
from broker.custodian.issued import UNKNOWN_BEFORE
from tests.simulators.custodian import BROKER, CUSTODIANS, batch, grant_of, grant_text
from tests.simulators.watched_broker import OTHER, WatchedWorld, WatchNetwork, watched_pair

A, B = CUSTODIANS
QUARTER = 900
TICKET_S = 600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Hold two custodians that watch one log."""
    with watched_pair(tmp_path) as made:
        yield made


async def test_every_ticket_is_matched_to_its_entry(world: WatchedWorld) -> None:
    """Both custodians find their ticket in the one entry that cites it, over several pages, and report nothing."""
    for _ in range(6):
        world.broker.enter("policy", {})
        world.broker.cite(world.tickets())
    for at in (0, 1):
        await world.look(at)
        assert world.matched(at) == [1, 3, 5, 7, 9, 11]
        assert world.findings(at) == []


async def test_a_ticket_that_no_entry_cites_is_told_after_a_quarter_of_an_hour(world: WatchedWorld) -> None:
    """Not before it ended fifteen minutes ago, once, with the worker, and to its own organisation only."""
    world.tickets(operation="check")
    world.clock.pass_seconds(TICKET_S + QUARTER)
    await world.look()
    assert world.findings() == []
    world.clock.pass_seconds(1)
    await world.look()
    await world.look()
    assert world.findings() == [("unspent", world.partners[0].oin)]
    store = world.pair.custodians[0].store
    (told,) = findings.of_organisation(store, world.partners[0].oin, after=0)
    assert told.worker == world.partners[0].sub("anna", "broker.demo.sluis.test")
    assert findings.of_organisation(store, OTHER, after=0) == []


async def test_nothing_is_told_of_a_log_that_could_not_be_seen(world: WatchedWorld) -> None:
    """While the broker is away no ticket counts as unspent: that it is not in the log is not known."""
    world.tickets()
    world.broker.down = True
    world.clock.pass_seconds(TICKET_S + QUARTER + 1)
    await world.look()
    assert world.findings() == []
    world.broker.down = False
    await world.look()
    assert [kind for kind, _ in world.findings()] == ["unspent"]


async def test_a_ticket_that_comes_back_after_all_is_told_too(world: WatchedWorld) -> None:
    """A command that waited in an outbox gets its ticket again: the FG hears that the reported one was used."""
    body = batch()
    tickets = world.tickets(body=body)
    world.clock.pass_seconds(TICKET_S + QUARTER + 1)
    await world.look()
    assert world.tickets(body=body) == tickets
    world.broker.cite(tickets)
    await world.look()
    assert [kind for kind, _ in world.findings()] == ["unspent", "cited-later"]
    assert issued.counts_of(world.pair.custodians[0].store, world.partners[0].oin, since=0) == {
        "issued": 1, "cited": 1, "unspent": 0, "open": 0
    }  # fmt: skip


async def test_a_ticket_of_a_grant_may_come_back_as_long_as_the_grant_holds(world: WatchedWorld) -> None:
    """An import's ticket is not missed before its grant has ended, whoever of the organisation brings it back."""
    partner = world.partners[0]
    grant = grant_of(partner)
    for custodian in world.pair.custodians:
        accept(custodian.store, custodian.trust.current(), grant_text(partner, grant), custodian=custodian.settings.id,
               now=world.clock.now)  # fmt: skip
    asked: dict[str, Any] = {"operation": "register", "budget_class": "import", "grant_id": grant.id}
    first, _second = world.tickets(**asked), world.tickets(**asked)
    world.clock.pass_seconds(5 * 86_400)
    await world.look()
    world.broker.cite(first, kind="signal", worker="bram")
    await world.look()
    assert (world.findings(), world.matched()) == ([], [0, None])
    world.clock.pass_seconds(grant.expires_at - world.clock.now + QUARTER + 1)
    await world.look()
    assert [kind for kind, _ in world.findings()] == ["unspent"]


def _unknown(world: WatchedWorld) -> None:
    world.broker.cite([(A, secrets.token_hex(16)), (B, secrets.token_hex(16))])


def _twice(world: WatchedWorld) -> None:
    tickets = world.tickets()
    world.broker.cite(tickets)
    world.broker.cite(tickets)


def _other_organisation(world: WatchedWorld) -> None:
    world.broker.cite(world.tickets(), partner=world.partners[1])


def _twice_by_another(world: WatchedWorld) -> None:
    tickets = world.tickets()
    world.broker.cite(tickets)
    world.broker.cite(tickets, partner=world.partners[1])


def _other_organisation_of_another_kind(world: WatchedWorld) -> None:
    world.broker.cite(world.tickets(operation="check"), kind="signal", partner=world.partners[1])


BOTH = [(kind, place) for kind in ("other-organisation", "other-use") for place in (0, 1)]


def _before_it_was_issued(world: WatchedWorld) -> None:
    world.broker.enter("policy", {})
    world.broker.dated = world.clock.now - 6 * 366 * 86_400
    world.broker.cite(world.tickets())


def _other_kind(world: WatchedWorld) -> None:
    world.broker.cite(world.tickets(operation="check"), kind="signal")


def _other_worker(world: WatchedWorld) -> None:
    world.broker.cite(world.tickets(), worker="bram")


def _over(world: WatchedWorld) -> None:
    tickets = world.tickets()
    world.clock.pass_seconds(TICKET_S + citations.LATE_S + 1)
    world.broker.cite(tickets)


def _without_ours(world: WatchedWorld) -> None:
    world.broker.cite(world.tickets()[1:])


def _withheld(world: WatchedWorld) -> None:
    world.broker.openings.pop(world.broker.cite(world.tickets()))


def _untrue(world: WatchedWorld) -> None:
    index = world.broker.cite(world.tickets())
    key = world.broker.openings[index].key
    world.broker.openings[index] = Opening(key=key, payload=b"{}")


def _unreadable(world: WatchedWorld) -> None:
    index = world.broker.cite(world.tickets())
    world.broker.openings[index] = Opening(key=world.broker.openings[index].key, payload=bytes(4096))


@pytest.mark.parametrize(
    ("does", "found"),
    [
        (_unknown, [("never-issued", 0)]),
        (_twice, [("cited-twice", 0)]),
        (_other_organisation, [("other-organisation", 0), ("other-organisation", 1)]),
        (_other_organisation_of_another_kind, BOTH),
        (_twice_by_another, [("cited-twice", 0), ("cited-twice", 1)]),
        (_before_it_was_issued, [("other-use", 0), ("time", None)]),
        (_other_kind, [("other-use", 0)]),
        (_other_worker, [("other-use", 0)]),
        (_over, [("other-use", 0)]),
        (_without_ours, [("without-us", 0)]),
        (_withheld, [("withheld", None)]),
        (_untrue, [("withheld", None)]),
        (_unreadable, [("withheld", None)]),
    ],
)
async def test_what_a_broker_does_with_tickets_is_told(
    world: WatchedWorld, does: Any, found: list[tuple[str, int | None]]  # noqa: ANN401 - a function of the world
) -> None:  # fmt: skip
    """Each misuse of a ticket is a finding about the organisation it concerns, once, however often is looked."""
    does(world)
    await world.look()
    await world.look()
    told = [(kind, "" if place is None else world.partners[place].oin) for kind, place in found]
    assert world.findings() == told


@pytest.mark.parametrize(
    "actor",
    [
        {},
        {"schema": "entry-actor/v1", "organisation": None, "worker": "w", "tickets": []},
        {"schema": "entry-actor/v1", "organisation": OTHER, "worker": "w", "tickets": "none"},
        {"schema": "entry-actor/v1", "organisation": OTHER, "worker": "w", "tickets": [{"id": "0" * 32}]},
        {"schema": "entry-actor/v1", "organisation": OTHER, "worker": "w", "tickets": [{"custodian": A, "id": "x"}]},
    ],
)
async def test_an_actor_that_does_not_say_who_asked_is_withheld(world: WatchedWorld, actor: dict[str, object]) -> None:
    """A payload that is true to its leaf and says nothing counts as none."""
    world.broker.enter("check", actor)
    await world.look()
    assert world.findings() == [("withheld", "")]


async def test_renewing_and_withdrawing_use_no_ticket(world: WatchedWorld) -> None:
    """An entry that cites no ticket at all is nothing to tell."""
    world.broker.cite([], kind="signal")
    await world.look()
    assert world.findings() == []


@pytest.mark.parametrize(
    ("after_s", "told"), [(0, []), (TICKET_S + citations.LATE_S + 1, ["unknown"]), (33 * 86_400, ["never-issued"])]
)
async def test_after_a_restore_an_unknown_ticket_is_no_accusation(
    world: WatchedWorld, after_s: int, told: list[str]
) -> None:  # fmt: skip
    """It may be of before: told as such while a grant of then can hold, and not at all for the first minutes."""
    world.pair.custodians[0].store.set_number(UNKNOWN_BEFORE, world.clock.now)
    world.clock.pass_seconds(after_s)
    _unknown(world)
    await world.look()
    assert [kind for kind, _ in world.findings()] == told


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b'{"store":1,"findings":[{"number":0}]}',
        b'{"store":1,"findings":[{"number":true}]}',
        b'{"store":"1","findings":[]}',
    ],
)
async def test_what_is_no_list_of_findings_is_not_kept(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """The other custodian's words are parsed as strangely as anybody's, and stop nothing else."""
    monkeypatch.setattr(reporting, "peer_findings", lambda *_, **__: answer)
    world.broker.cite(world.tickets())
    await world.look()
    assert world.matched() == [0]
    assert world.pair.custodians[0].store.rows("SELECT count(*) FROM peer_finding") == [(0,)]


@pytest.mark.parametrize("status", [404, 503])
async def test_a_party_that_refuses_is_no_answer(
    world: WatchedWorld, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Whatever the broker says instead of a page, nothing of it counts as seen."""
    monkeypatch.setattr(WatchNetwork, "_broker", lambda *_: httpx.Response(status))
    await world.look()
    assert world.pair.custodians[0].store.number(FOLLOWED_AT) is None


async def test_the_other_custodian_hears_everything(world: WatchedWorld) -> None:
    """What one found is kept by the other too, each thing once, over as many looks as there are."""
    _unknown(world)
    await world.look(1)
    for _ in range(2):
        await world.look(0)
    rows = world.pair.custodians[0].store.rows("SELECT peer, document FROM peer_finding")
    assert [(peer, json.loads(document)["kind"]) for peer, document in rows] == [(B, "never-issued")]


async def test_a_custodian_that_was_restored_is_heard_from_its_first_finding_on(world: WatchedWorld) -> None:
    """Its new store numbers anew: nothing it finds is taken for what the old one had found."""
    _unknown(world)
    _unknown(world)
    await world.look(1)
    await world.look(0)
    other = world.pair.custodians[1].store
    with other.transaction():
        for table in ("finding", "state", "followed_node", "followed_note", "sqlite_sequence"):
            other.change(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    _unknown(world)
    await world.look(1)
    for _ in range(2):
        await world.look(0)
    rows = world.pair.custodians[0].store.rows("SELECT number FROM peer_finding ORDER BY store = ?, number", 0)
    assert sorted(number for (number,) in rows) == [1, 1, 2, 2, 3]


async def test_old_tickets_and_findings_are_forgotten_by_both_clocks(world: WatchedWorld) -> None:
    """A clock that runs ahead forgets nothing; once the log's own time is as late, both go."""
    store = world.pair.custodians[0].store
    world.broker.cite(world.tickets())
    _unknown(world)
    await world.look()
    world.clock.step_wall(500 * 86_400)
    await world.look()
    assert (len(world.matched()), len(world.findings())) == (1, 1)
    world.broker.cite([], kind="signal")
    await world.look()
    await world.look()
    assert (world.matched(), world.findings(), store.rows("SELECT count(*) FROM issued")) == ([], [], [(0,)])


@pytest.mark.parametrize("does", [_other_organisation_of_another_kind, _twice_by_another])
async def test_neither_organisation_reads_the_workers_of_the_other(world: WatchedWorld, does: Any) -> None:  # noqa: ANN401 - a function of the world
    """Whose ticket it was reads its own worker and purpose; whose entry it is reads its own worker alone (D17)."""
    does(world)
    await world.look()
    store = world.pair.custodians[0].store
    owner, other = (
        [one for one in findings.all_after(store, 0) if one.organisation == partner.oin] for partner in world.partners
    )
    assert owner
    assert {(one.worker, one.purpose) for one in owner} == {(world.partners[0].sub("anna", BROKER), "verwijsindex")}
    assert {(one.worker, one.purpose, one.ticket, one.issued_at) for one in other} == {
        (world.partners[1].sub("anna", BROKER), None, None, None)
    }
    assert [(one.kind, one.entry, one.entry_time) for one in owner] == [
        (one.kind, one.entry, one.entry_time) for one in other
    ]
