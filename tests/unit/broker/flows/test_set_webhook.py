"""An organisation says where it hears that it is time; an address inside is refused, recorded, and never kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.domain.errors import RefusedError
from broker.flows.outcome import Answered
from broker.flows.policy import PolicyInForce
from broker.flows.set_webhook import set_webhook
from broker.protocol.webhook_messages import SetWebhook
from tests.simulators.broker_world import World, a_world, held_in, log_size, requester
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core that commits at once; webhooks are kept in databases only."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running


async def put(world: World, url: str | None, seed: str = "") -> Answered:
    """Say where the GI hears that it is time."""
    asker = world.asker(GI, seed=seed)
    return await set_webhook(
        command=SetWebhook.model_validate(asker.command(url=url)), requester=requester(asker),
        insecure_loopback=False, policies=world.policies, clock=world.clock, registers=world.documents,
        signals=world.signals, answers=world.answers, log=world.log,
    )  # fmt: skip


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
