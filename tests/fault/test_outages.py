"""What fails around the broker never looks like an answer, and never stops more than it must."""

from pathlib import Path

import httpx

from audit.errors import ForkError
from audit.merkle import TreeHead
from audit.signer import Successor
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.served_world import ServedWorld, served_world

FAMILY = household(subject="child", parents=["mother"])


def _problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("urn:sluis:problem:")


async def test_without_a_witness_answers_go_on_and_say_so(world: ServedWorld) -> None:
    """A witness that is down costs the cosignature, not the answer; the receipt says since when."""
    first = await world.register(WIJKTEAM, FAMILY)
    second = await world.register(GI, FAMILY)
    assert (first.status_code, second.status_code) == (200, 200)
    since = first.json()["receipt"]["uncosignedSince"]
    assert since is not None
    assert second.json()["receipt"]["uncosignedSince"] == since
    assert (await world.client.get("/health/ready")).json()["uncosignedSince"] == since


async def test_when_the_witness_is_back_earlier_entries_are_covered(template: Path, tmp_path: Path) -> None:
    """An answer asked for again after the witness came back has a cosigned receipt."""
    async with served_world(template, tmp_path / "world") as down:
        body = down.asker(WIJKTEAM).registration(FAMILY)
        first = await down.send(down.asker(WIJKTEAM).post("/v1/signals", body))
    async with served_world(template, tmp_path / "world", witness_up=True, seed=2) as up:
        up.askers = down.askers
        await up.register(GI, FAMILY)
        again = await up.send(up.asker(WIJKTEAM).get(f"/v1/answers/{body['idempotencyKey']}"))
    assert first.json()["receipt"]["uncosignedSince"] is not None
    assert again.json()["receipt"]["uncosignedSince"] is None
    assert again.json()["result"] == first.json()["result"]


async def test_a_restart_keeps_signals_used_tokens_and_spent_tickets(template: Path, tmp_path: Path) -> None:
    """What was acknowledged is there after a restart, and what was used stays used."""
    async with served_world(template, tmp_path / "world") as before:
        asker = before.asker(WIJKTEAM)
        body = asker.registration(FAMILY)
        sent = asker.post("/v1/signals", body)
        first = await before.send(sent)
    async with served_world(template, tmp_path / "world", seed=2) as after:
        after.askers = before.askers
        replayed = await after.send(sent)
        repeated = await after.send(asker.post("/v1/signals", body))
        seen = await after.register(GI, FAMILY)
        other = {**asker.registration(household(subject="x", parents=["y"])), "tickets": body["tickets"]}
        respent = await after.send(asker.post("/v1/signals", other))
    assert _problem(replayed) == "request-token-replayed"
    assert repeated.json()["result"] == first.json()["result"]
    assert seen.json()["result"]["outcome"] == "shown"
    assert _problem(respent) == "ticket-spent"


async def test_a_log_that_contradicts_its_signer_stops(world: ServedWorld) -> None:
    """When the signer refuses, nothing is disclosed any more: 503 for everybody, until somebody looks."""
    await world.register(WIJKTEAM, FAMILY)

    def refuse(head: TreeHead, _: Successor | None = None) -> None:
        raise ForkError(f"not the head that was released: {head.size}")

    signer = world.app.state.edge.log._ledger._signer
    world.app.state.edge.log._ledger._signer = _Refusing(signer, refuse)
    answers = [await world.register(GI, FAMILY) for _ in range(2)]
    world.app.state.edge.log._ledger._signer = signer
    answers.append(await world.register(GI, FAMILY))
    assert {(answer.status_code, _problem(answer)) for answer in answers} == {(503, "log-unavailable")}
    assert world.leaves == 1


class _Refusing:
    """A signer whose own state says something else than the database."""

    def __init__(self, signer: object, settle: object) -> None:
        self._signer = signer
        self.settle = settle

    def __getattr__(self, name: str) -> object:
        return getattr(self._signer, name)


async def test_without_its_documents_the_broker_is_not_ready(world: ServedWorld) -> None:
    """When the register cannot be read, readiness is 503 and requests are not done; live it still is."""
    with world.database.session() as other:
        other.execute("ALTER TABLE registers RENAME TO gone")
        ready = await world.client.get("/health/ready")
        unreadable = await world.client.get("/health/live")
        answer = await world.register(WIJKTEAM, FAMILY)
        other.execute("ALTER TABLE gone RENAME TO registers")
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "database": False})
    assert (answer.status_code, _problem(answer)) == (503, "storage-unavailable")
    assert unreadable.status_code == 200
    assert (await world.register(WIJKTEAM, FAMILY)).status_code == 200


async def test_a_log_that_cannot_be_read_gives_no_checkpoint(world: ServedWorld) -> None:
    """Without its checkpoints the log is not published and the broker not ready; nothing else is said."""
    sent = world.asker(WIJKTEAM).get("/checkpoint")
    with world.database.session() as other:
        for table in ("log_checkpoints", "log_entries"):
            other.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
        answer = await world.send(sent)
        ready = await world.client.get("/health/ready")
    assert (answer.status_code, _problem(answer)) == (503, "log-unavailable")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
