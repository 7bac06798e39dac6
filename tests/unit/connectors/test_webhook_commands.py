"""`sluis-connect webhook` over a broker that serves, and the receiver of docs/connector.md on what it really sends."""

import json
import re
from pathlib import Path
from typing import Any

from broker.domain.webhooks import event_body
from broker.material import read_webhook_key
from broker.protocol.party_signing import SCHEME, sign_party_request
from broker.protocol.request_signing import Target
from tests.simulators.asking import BROKER
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS
from tests.simulators.served_desks import Desks
from tests.simulators.served_world import run_cli

URL = "https://hook.example.org/sluis"
AGREED = ("--approver", "carla")
_PAGE = (Path(__file__).resolve().parents[3] / "docs" / "connector.md").read_text("utf-8")
(EXAMPLE,) = (one for one in re.findall(r"```python\n(.*?)```", _PAGE, flags=re.DOTALL) if "class Receiver" in one)


async def test_an_organisation_sets_shows_and_ends_its_webhook(desks: Desks) -> None:
    """What was set is shown to its own organisation alone; off is off."""
    said = (await desks.run(VEILIG_THUIS, "webhook", "set", URL, *AGREED)).output
    assert said.startswith("Vanaf nu krijgt dit adres elk kwartier een bericht")
    assert (await desks.tells(VEILIG_THUIS, "webhook", "show"))["url"] == URL
    assert URL in (await desks.run(VEILIG_THUIS, "webhook", "show")).output
    assert (await desks.tells(SCHOOL, "webhook", "show"))["url"] is None
    assert (await desks.tells(VEILIG_THUIS, "webhook", "off", *AGREED))["text_nl"].startswith(
        "Er gaan geen berichten meer"
    )
    assert "Haal het postvak zelf op" in (await desks.run(VEILIG_THUIS, "webhook", "show")).output


async def test_nobody_alone_says_where_events_go(desks: Desks) -> None:
    """Without a colleague who approves it is refused, in words that say what to do, and nothing is changed."""
    for stated in (("set", URL), ("off",)):
        assert "Laat een collega die mag goedkeuren meetekenen" in await desks.tells_refused(
            VEILIG_THUIS, "webhook", *stated
        )
    assert (await desks.tells(VEILIG_THUIS, "webhook", "show"))["url"] is None


async def test_an_address_inside_is_refused(desks: Desks) -> None:
    """The broker's own network is no place for events; what is in force stays in force."""
    await desks.run(VEILIG_THUIS, "webhook", "set", URL, *AGREED)
    refused = await desks.tells_refused(VEILIG_THUIS, "webhook", "set", "https://169.254.169.254/latest/", *AGREED)
    assert "Naar dit adres sturen we niets" in refused
    assert (await desks.tells(VEILIG_THUIS, "webhook", "show"))["url"] == URL


async def test_what_nobody_took_is_listed_for_its_own_organisation(desks: Desks) -> None:
    """The newest first, with when and how often; another organisation's are not told."""
    await desks.run(VEILIG_THUIS, "webhook", "set", URL, *AGREED)
    assert "aangenomen of nog onderweg" in (await desks.run(VEILIG_THUIS, "webhook", "dead-letters")).output
    statement = "INSERT INTO webhook_deliveries (id, organisation, url, made_at, tries) VALUES (?, ?, ?, ?, ?)"
    for oin, letter, at in ((VEILIG_THUIS, "a", 0), (VEILIG_THUIS, "b", 900), (SCHOOL, "c", 0)):
        desks.world.write(statement, letter * 32, oin, URL, desks.world.clock.now() + at, 5)
    listed = (await desks.tells(VEILIG_THUIS, "webhook", "dead-letters"))["dead"]
    assert [one["eventId"] for one in listed] == ["b" * 32, "a" * 32]
    printed = (await desks.run(VEILIG_THUIS, "webhook", "dead-letters")).output
    assert "Er is niets verloren" in printed
    assert f"{'a' * 32}  22-11-2026 12:00  5 keer geprobeerd" in printed
    assert "c" * 32 not in printed


async def test_the_documented_receiver_takes_what_the_broker_sends_once_and_nothing_else(desks: Desks) -> None:
    """Signed by the printed key, for this organisation, address and body, within its minutes, and not a second time."""
    namespace: dict[str, Any] = {}
    exec(compile(EXAMPLE, "docs/connector.md", "exec"), namespace)  # noqa: S102 - the documented example is what is tested
    folder, now = desks.world.folder / "broker", desks.world.clock.now()
    printed = run_cli("webhooks", folder).splitlines()[0].removeprefix("key ")
    receiver = namespace["Receiver"](broker=BROKER, key=printed, own_oin=VEILIG_THUIS, own_url=URL)
    body = event_body(source=BROKER, event_id="e" * 32, at=now)

    def signed(oin: str = VEILIG_THUIS, url: str = URL, jti: str = "1" * 32) -> str:
        target = Target(audience=oin, method="POST", url=url)
        key = read_webhook_key(folder / "keys")
        return SCHEME + sign_party_request(key, party=BROKER, target=target, body=body, jti=jti, now=now)

    assert receiver.status(signed(), body, now=now) == 204
    assert receiver.status(signed(), body, now=now) == 401
    assert receiver.status(signed(jti="2" * 32), body, now=now + 1) == 204
    for header, came, at in (
        (None, body, now),
        (signed(oin=SCHOOL, jti="3" * 32), body, now),
        (signed(url="https://other.example.org/", jti="4" * 32), body, now),
        (signed(jti="5" * 32), body + b" ", now),
        (signed(jti="6" * 32), body, now + 3_600),
    ):
        assert receiver.status(header, came, now=at) == 401
    assert json.loads(body)["type"] == "nl.sluis.postvak.ophalen"
