"""A colleague who is kept from a signal by name neither reads, changes nor overrules what she consented to.

He is mostly a relative: what he records of her without proof counts for nobody but himself until a colleague saw it.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.consents import Answer, Capacity, ConsentEvent
from broker.domain.errors import NotFoundError, RefusedError
from broker.domain.signals import SignalState
from broker.flows.kept_consents import KeptFrom, SeenConsents
from broker.flows.policy import PolicyInForce
from tests.property.broker.test_consents import a_consent
from tests.simulators.asking import household
from tests.simulators.broker_world import World, a_world, exclude, matches_of, requester, signals_of, tasks_of
from tests.simulators.consenting import (
    HUISARTS,
    adult,
    answer,
    approved,
    caring,
    consents_of,
    involved,
    listed,
    record,
    recorded,
    send_record,
    withdrawn,
)
from tests.simulators.enrolled import WIJKTEAM, worker_id

RELATIVE = "relative"
APPROVER = worker_id(HUISARTS, "approver")


async def kept(world: World, *, worker: str = RELATIVE) -> tuple[str, str]:
    """Return the ids of a doctor's signal that is kept from his colleague, and of the yes that it rests on."""
    doctor = await involved(caring(world), HUISARTS)
    (mine,) = signals_of(await world.list(doctor))
    (yes,) = await listed(world, replace(doctor, seed="lists"))
    await exclude(world, str(mine["signalId"]), organisation=HUISARTS, worker=worker)
    return str(mine["signalId"]), str(yes["consentId"])


async def his_no(world: World, *, approve: bool = False, **changed: Any) -> str:  # noqa: ANN401 - members of a body
    """The relative records a no of her; returns the record's id."""
    asker = replace(adult(world, HUISARTS, seed="his no"), purpose=changed.get("purpose", "volwassene"))
    body = record(asker, answer(said="refused"), worker=RELATIVE, **{"parties": [WIJKTEAM], **changed})
    told = await send_record(world, asker, body, approval=approved(asker) if approve else None, worker=RELATIVE)
    (shown,) = consents_of(told)
    assert [one["state"] for one in shown["parties"]] == ["refused"]
    return str(shown["consentId"])


async def doctor_is_seen(world: World, when: str) -> bool:
    """Return whether the wijkteam sees the doctor, on the yes of both."""
    looks = adult(world, WIJKTEAM, seed=f"looks {when}")
    return bool(matches_of(await world.check(looks, household(subject="trudy", members=()))))


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core over a store in memory, and one over a database."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running


async def test_he_reads_no_record_of_a_colleague_about_her(world: World) -> None:
    """The list is empty, as in the world where nothing was recorded; an act on the record is one on nothing."""
    _, yes = await kept(world)
    asker = adult(world, HUISARTS, seed="relative")
    assert await listed(world, asker, worker=RELATIVE) == []
    with pytest.raises(NotFoundError):
        await withdrawn(world, replace(asker, seed="takes back"), yes, worker=RELATIVE)
    colleague = await listed(world, replace(asker, seed="colleague"), worker="a-colleague")
    assert [one["parties"][0]["state"] for one in colleague] == ["given"]


async def test_his_no_counts_for_nobody_else(world: World) -> None:
    """He reads it as anybody reads his own; the signal is still shown, and its team is asked to look."""
    signal_id, yes = await kept(world)
    await recorded(world, adult(world, WIJKTEAM, seed="yes"), answer())
    assert await doctor_is_seen(world, "before")
    mine = await his_no(world)
    assert await doctor_is_seen(world, "after")
    own = await world.signals.own(organisation=HUISARTS, signal_id=signal_id)
    assert own is not None
    assert own.signal.state is SignalState.ACTIVE
    assert [task.kind for task in tasks_of(world) if task.signal_id == signal_id].count("signal-consent-no") == 1
    his = await listed(world, adult(world, HUISARTS, seed="his list"), worker=RELATIVE)
    assert [(one["consentId"], one["parties"][0]["state"]) for one in his] == [(mine, "refused")]
    theirs = await listed(world, adult(world, HUISARTS, seed="their list"), worker="a-colleague")
    assert {one["consentId"]: one["parties"][0]["state"] for one in theirs} == {mine: "unknown", yes: "given"}


async def test_his_no_for_something_else_has_the_team_look_too(world: World) -> None:
    """The signal is for another purpose: nothing of it rests on this, and its team is told all the same."""
    signal_id, _ = await kept(world)
    await his_no(world, purpose="casusoverleg", categories=["hulp"])
    assert [task.kind for task in tasks_of(world) if task.signal_id == signal_id].count("signal-consent-no") == 1


async def test_his_no_is_hers_once_a_colleague_saw_it(world: World) -> None:
    """Approved by one who is not kept from the signal it counts as any no: the signal ends."""
    signal_id, _ = await kept(world)
    await his_no(world, approve=True)
    own = await world.signals.own(organisation=HUISARTS, signal_id=signal_id)
    assert own is not None
    assert own.signal.state is SignalState.ENDED


async def test_an_approver_who_is_kept_from_it_too_vouches_for_nothing(world: World) -> None:
    """Two relatives are one: the signal stays."""
    signal_id, _ = await kept(world)
    await exclude(world, signal_id, organisation=HUISARTS, worker=APPROVER)
    await his_no(world, approve=True)
    own = await world.signals.own(organisation=HUISARTS, signal_id=signal_id)
    assert own is not None
    assert own.signal.state is SignalState.ACTIVE


async def test_he_asks_as_in_the_world_without_the_signal(world: World) -> None:
    """His own no closes his own look, and the words are those of a no."""
    await kept(world, worker=worker_id(HUISARTS, "worker"))
    said = []
    for person in ("trudy", "somebody else"):
        asker = adult(world, HUISARTS, seed=f"no of {person}")
        body = record(asker, answer(said="refused"), person=person, parties=[WIJKTEAM])
        await send_record(world, asker, body)
        with pytest.raises(RefusedError) as refused:
            await world.check(replace(asker, seed=f"asks {person}"), household(subject=person, members=()))
        said.append(refused.value.document["textId"])
    assert said[0] == said[1]


async def test_he_cites_no_record_of_a_colleague_about_her(world: World) -> None:
    """What a letter or a call of his names is an unknown id; a colleague cites it, and each his own."""
    _, yes = await kept(world)
    mine = await his_no(world)
    asker = adult(world, HUISARTS, seed="cites")
    for worker, reads in ((RELATIVE, {mine}), ("a-colleague", {yes, mine})):
        seen = SeenConsents(world.consents, requester(asker, worker=worker))
        found = {one for one in (yes, mine) if await seen.own(organisation=HUISARTS, consent_id=one) is not None}
        assert found == reads


def test_what_he_answers_is_his_alone_only_about_her() -> None:
    """About anybody else it is as anybody's."""
    event = ConsentEvent(at=1, who="a", capacity=Capacity.PERSON, answer=Answer.REFUSED)
    nobody = KeptFrom(worker=RELATIVE, persons=frozenset(), of_approver=frozenset(), approved=False)
    assert nobody.marked([event], None) == (event,)
    assert nobody.seen([a_consent(event)], None) == (a_consent(event),)
