"""Webhooks over the served application: an organisation sets its address, the operator sees what died."""

from tests.simulators.enrolled import GI
from tests.simulators.served_world import ServedWorld, run_cli


async def test_an_organisation_sets_its_webhook_and_the_operator_sees_what_died(world: ServedWorld) -> None:
    """An address on the internet is kept, one inside is refused; a dead letter is shown with organisation and event."""
    gi = world.asker(GI)
    kept = await world.send(gi.post("/v1/webhook", gi.command(url="https://hook.example.org/sluis"), approved=True))
    assert (kept.status_code, kept.json()["result"]["text"]["id"]) == (200, "webhook.on")
    refused = await world.send(gi.post("/v1/webhook", gi.command(url="https://169.254.169.254/latest/"), approved=True))
    assert refused.json()["type"] == "urn:sluis:problem:webhook-address"
    assert "169.254" not in refused.text
    statement = "INSERT INTO webhook_deliveries (id, organisation, url, made_at, tries) VALUES (?, ?, ?, ?, ?)"
    world.write(statement, "f" * 32, GI, "https://hook.example.org/sluis", world.clock.now(), 5)
    key, dead, letter = run_cli("webhooks", world.folder / "broker").splitlines()
    assert key.startswith('key {"')
    assert (dead, letter) == ("dead 1", f"{GI}  {'f' * 32}  2026-11-22 11:00 UTC  5 times")
