"""Registering under an import grant: the signal is stored, and nobody else is looked up (D2)."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from audit.verify import Receipt
from broker.domain.errors import KeyReusedError, NotFoundError, RefusedError, TicketSpentError
from broker.flows.outcome import Answered
from broker.protocol.errors import TicketError
from tests.simulators import broker_world
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, matches_of, requester, signals_of
from tests.simulators.enrolled import GI, WIJKTEAM

CHILD = household(subject="child", parents=("mother",), address="home")
LOOKED = {**CHILD, "members": []}
GRANT, OTHER_GRANT = "0" * 31 + "1", "0" * 31 + "2"


def imported(asker: Asker, *, grants: Sequence[str | None] = (GRANT, GRANT), ago: int = 0) -> dict[str, Any]:
    """Return the body of a registration with tickets of a grant, issued so many seconds ago."""
    tickets = asker.tickets("register", CHILD, grants=grants, issued_at=asker.now - ago, lifetime_s=10 * 86_400)
    return asker.registration(CHILD, tickets=tickets)


def meta_of(receipt: object) -> dict[str, Any]:
    """Return what an entry says to the asker."""
    assert isinstance(receipt, dict)
    payload = Receipt.from_wire(receipt).openings["meta"].payload
    members: dict[str, Any] = json.JSONDecoder().raw_decode(payload.decode())[0]
    return members


class NeverAsked:
    """The signals of a world, in which looking up tokens of others is a failure."""

    def __init__(self, signals: object) -> None:
        self._signals = signals

    def __getattr__(self, name: str) -> object:
        assert name != "look_up", "an import looked somebody up"
        return getattr(self._signals, name)


async def test_an_import_stores_the_signal_and_looks_nobody_up(world: World) -> None:
    """Where another organisation is involved the import says nothing of it, and its text says that nobody looked."""
    await world.register(world.asker(GI), CHILD)
    asker = world.asker(WIJKTEAM)
    kept, world.signals = world.signals, NeverAsked(world.signals)  # type: ignore[assignment]  # it is the store but for one method
    answer = await world.send_registration(asker, imported(asker))
    world.signals = kept
    assert (answer.result["outcome"], matches_of(answer)) == ("done", [])
    assert answer.result["text"] == {"id": "signal.stored_import", "params": {}}
    assert meta_of(answer.receipt)["shown"] == []


async def test_an_import_reads_the_same_whoever_is_involved(world: World) -> None:
    """The answer to an import is one and the same with and without a signal of another organisation."""
    first, second = world.asker(WIJKTEAM), world.asker(GI, seed="2")
    alone = await world.send_registration(first, imported(first))
    beside = await world.send_registration(second, imported(second))
    assert _without_id(alone) == _without_id(beside)


async def test_what_was_imported_is_found_and_gives_standing(world: World) -> None:
    """An imported signal is found by others at once, and lets its holder look with an ordinary check afterwards."""
    asker = world.asker(WIJKTEAM)
    await world.send_registration(asker, imported(asker))
    found = await world.register(world.asker(GI), CHILD)
    assert [match["kind"] for match in matches_of(found)] == ["person"]
    looked = await world.check(asker, LOOKED)
    assert [match["holder"]["oin"] for match in matches_of(looked)] == [GI]


async def test_an_import_is_no_look_and_can_be_taken_back(world: World) -> None:
    """Nobody was seen, so an imported mistake is withdrawn without a review."""
    await world.register(world.asker(GI), CHILD)
    asker = world.asker(WIJKTEAM)
    signal_id = str((await world.send_registration(asker, imported(asker))).result["signalId"])
    assert (await world.withdraw(asker, signal_id)).result["outcome"] == "done"


async def test_the_entry_records_the_grant(world: World) -> None:
    """The log says under which grant a signal came; an ordinary registration names none."""
    asker = world.asker(WIJKTEAM)
    under = await world.send_registration(asker, imported(asker))
    ordinary = await world.register(world.asker(GI), CHILD)
    assert (meta_of(under.receipt)["grant"], meta_of(ordinary.receipt)["grant"]) == (GRANT, None)
    assert (meta_of(under.receipt)["outcome"], meta_of(ordinary.receipt)["outcome"]) == ("done", "shown")


@pytest.mark.parametrize("grants", [(GRANT, OTHER_GRANT), (GRANT, None), (None, GRANT)])
async def test_both_tickets_are_of_one_grant(world: World, grants: Sequence[str | None]) -> None:
    """A grant that only one custodian accepted, or two different ones, register nothing."""
    asker = world.asker(WIJKTEAM)
    tickets = [asker.tickets("register", CHILD, grants=(grant, grant))[at] for at, grant in enumerate(grants)]
    with pytest.raises(TicketError, match="ticket-foreign"):
        await world.send_registration(asker, asker.registration(CHILD, tickets=tickets))
    assert signals_of(await world.list(asker)) == []


@pytest.mark.parametrize("operation", ["register", "check", "oproep"])
async def test_a_grant_is_no_way_to_look(world: World, operation: str) -> None:
    """A check with tickets of a grant is refused with a reason of its own, whatever they were issued for."""
    asker = world.asker(WIJKTEAM)
    await world.send_registration(asker, imported(asker))
    tickets = asker.tickets(operation, LOOKED, grants=(GRANT, GRANT))
    with pytest.raises(TicketError, match="ticket-of-grant"):
        await world.check(asker, LOOKED, tickets=tickets)


async def test_tickets_of_a_grant_wait_and_are_spent_once(world: World) -> None:
    """Days after they were issued tickets of a grant still register, one signal each."""
    asker = world.asker(WIJKTEAM)
    body = imported(asker, ago=9 * 86_400)
    assert (await world.send_registration(asker, body)).result["outcome"] == "done"
    other = household(subject="other", parents=("mother",), address="home")
    with pytest.raises(TicketSpentError):
        await world.send_registration(asker, {**body, "idempotencyKey": asker.id(), "household": other})


async def test_an_import_may_be_refused_like_any_registration(world: World) -> None:
    """Policy judges every row: what may not be registered is refused openly, recorded with its grant."""
    asker = world.asker(GI, purpose="proefregio", ground="GEEN")
    with pytest.raises(RefusedError) as refused:
        await world.send_registration(asker, imported(asker))
    assert meta_of(refused.value.receipt)["grant"] == GRANT
    assert signals_of(await world.list(world.asker(GI, seed="3"))) == []


async def test_a_colleague_learns_of_a_key_only_that_it_was_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored or refused, a row sent again by a colleague carries nothing out, and another's tickets serve nobody."""
    stored, refused = world.asker(WIJKTEAM), world.asker(GI, purpose="proefregio", ground="GEEN")
    sent = [(asker, imported(asker)) for asker in (stored, refused)]
    await world.send_registration(stored, sent[0][1])
    with pytest.raises(RefusedError):
        await world.send_registration(refused, sent[1][1])
    monkeypatch.setattr(broker_world, "requester", lambda asker: replace(requester(asker), worker="c" * 26))
    for asker, body in sent:
        with pytest.raises(KeyReusedError):
            await world.send_registration(asker, body)
        with pytest.raises(NotFoundError):
            await world.again(asker, body["idempotencyKey"])
        with pytest.raises(TicketError, match="ticket-foreign"):
            await world.send_registration(asker, imported(asker))
    assert len(signals_of(await world.list(stored))) == 1


def _without_id(answer: Answered) -> dict[str, object]:
    return {name: value for name, value in answer.result.items() if name != "signalId"}


async def test_one_team_never_stores_one_person_twice_in_a_tick(world: World) -> None:
    """Two imports of one child in the same tick, by two processes of one team, store it once."""
    askers = [world.asker(WIJKTEAM, seed=seed) for seed in ("1", "2")]
    ended = await asyncio.gather(
        *(world.send_registration(asker, imported(asker)) for asker in askers), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["Answered", "SignalExistsError"]
    assert len(signals_of(await world.list(askers[0]))) == 1
