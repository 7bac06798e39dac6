"""An organisation says where it hears that it is time; an address inside is refused, recorded, and never kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.domain.errors import ApprovalError, ApproverIsRequesterError, RefusedError
from broker.domain.requests import Approval
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from broker.flows.set_webhook import set_webhook
from broker.protocol.webhook_messages import SetWebhook
from tests.simulators.asking import Asker
from tests.simulators.broker_world import World, a_world, approval, held_in, log_size, requester
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI


@pytest.fixture
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core that commits at once; webhooks are kept in databases only."""
    async with a_world(getattr(request, "param", "sqlite"), tmp_path, policy=policy) as running:
        yield running


async def put(world: World, url: str | None, seed: str = "", *, agreed: bool = True) -> Answered:
    """Say where the GI hears that it is time, with a colleague who agrees."""
    asker = world.asker(GI, seed=seed)
    return await put_as(world, asker, url, approval(asker) if agreed else None)


async def put_as(world: World, asker: Asker, url: str | None, by: Approval | None) -> Answered:
    """Say where events go, with this approval."""
    return await set_webhook(
        command=SetWebhook.model_validate(asker.command(url=url)), requester=requester(asker), approval=by,
        insecure_loopback=False, policies=world.policies, clock=world.clock, registers=world.documents,
        rosters=world.documents, signals=world.signals, answers=world.answers, log=world.log,
    )  # fmt: skip


@pytest.mark.parametrize("world", DATABASES, indirect=True)
async def test_an_organisation_turns_events_on_and_off(world: World) -> None:
    """The newest address counts; none at all turns them off."""
    for number, url in enumerate(("https://a.example.org/hook", "https://b.example.org/hook")):
        assert (await put(world, url, str(number))).result["text"] == {"id": "webhook.on", "params": {}}
        assert held_in(world).rows("SELECT organisation, url FROM webhooks") == [(GI, url)]
    assert (await put(world, None)).result["text"] == {"id": "webhook.off", "params": {}}
    assert held_in(world).rows("SELECT organisation FROM webhooks") == []


@pytest.mark.parametrize("url", ["https://127.0.0.1/hook", "http://example.org/hook", "https://[::1]/hook"])
async def test_a_private_address_is_refused_and_recorded(world: World, url: str) -> None:
    """It is a problem of its own with a Dutch text, an entry of the log, and changes nothing."""
    size = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await put(world, url)
    assert refused.value.document["type"] == "urn:sluis:problem:webhook-address"
    assert await log_size(world) == size + 1
    assert held_in(world).rows("SELECT organisation FROM webhooks") == []


async def test_nobody_alone_says_where_events_go(world: World) -> None:
    """Setting, changing and ending it takes a second person, as a problem of its own, recorded, without effect."""
    size = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await put(world, "https://a.example.org/hook", agreed=False)
    assert refused.value.document["type"] == "urn:sluis:problem:webhook-needs-approval"
    assert (await log_size(world), held_in(world).rows("SELECT url FROM webhooks")) == (size + 1, [])
    await put(world, "https://a.example.org/hook", "agreed")
    for url in ("https://b.example.org/hook", None):
        with pytest.raises(RefusedError):
            await put(world, url, f"alone {url}", agreed=False)
    assert held_in(world).rows("SELECT url FROM webhooks") == [("https://a.example.org/hook",)]


async def test_nobody_agrees_with_himself_about_where_events_go(world: World) -> None:
    """Who sets it does not approve it, and a worker who is no approver does not either: nothing is recorded of it."""
    asker = world.asker(GI)
    himself = Approval(organisation=GI, worker=requester(asker).worker, role="approver", jti="j" * 32)
    size = await log_size(world)
    for one, error in ((himself, ApproverIsRequesterError), (replace(himself, worker="nobody"), ApprovalError)):
        with pytest.raises(error):
            await put_as(world, asker, "https://a.example.org/hook", one)
    assert (await log_size(world), held_in(world).rows("SELECT url FROM webhooks")) == (size, [])
