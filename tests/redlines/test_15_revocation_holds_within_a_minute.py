"""After revocation of a worker, organisation, token or key no request is accepted after 60 s."""

import dataclasses

import httpx

from tests.simulators.asking import household
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled, key
from tests.simulators.served_world import ServedWorld, import_documents, run_cli

FAMILY = household(subject="child", parents=["mother"])
SECONDS = 60


def _problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("urn:sluis:problem:")


async def test_a_suspended_organisation_is_refused(world: ServedWorld) -> None:
    """A register in which an organisation is suspended, imported beside the running broker, counts within a minute."""
    assert (await world.register(WIJKTEAM, FAMILY)).status_code == 200
    suspended = Enrolled(number=2, suspended=frozenset({WIJKTEAM}))
    import_documents(world.folder / "broker", suspended, folder=world.folder, rosters=None)
    world.clock.move(SECONDS)
    answers = [
        await world.check(WIJKTEAM, {**FAMILY, "members": []}),
        await world.register(WIJKTEAM, FAMILY),
        await world.send(world.asker(WIJKTEAM).get("/v1/signals")),
        await world.send(world.asker(WIJKTEAM).get("/v1/organisations")),
    ]
    assert {_problem(answer) for answer in answers} == {"organisation-suspended"}
    assert (await world.register(GI, FAMILY)).status_code == 200


async def test_a_worker_who_left_is_refused(world: ServedWorld) -> None:
    """A roster without a worker, imported beside the running broker, ends his access."""
    assert (await world.register(WIJKTEAM, FAMILY)).status_code == 200
    roster = Enrolled().roster_document(WIJKTEAM, without=frozenset({"worker"}), number=2)
    (world.folder / "roster.json").write_bytes(roster.encode())
    run_cli("roster", "import", world.folder / "broker", world.folder / "roster.json")
    world.clock.move(SECONDS)
    assert _problem(await world.check(WIJKTEAM, {**FAMILY, "members": []})) == "worker-unknown"


async def test_an_approver_who_left_approves_nothing(world: ServedWorld) -> None:
    """An approval by somebody who is no approver any more stops the request."""
    roster = Enrolled().roster_document(WIJKTEAM, without=frozenset({"approver"}), number=2)
    (world.folder / "roster.json").write_bytes(roster.encode())
    run_cli("roster", "import", world.folder / "broker", world.folder / "roster.json")
    world.clock.move(SECONDS)
    asker = world.asker(WIJKTEAM)
    answer = await world.send(asker.post("/v1/signals", asker.registration(FAMILY), approved=True))
    assert _problem(answer) == "approval-invalid"


async def test_a_key_that_was_replaced_signs_nothing(world: ServedWorld) -> None:
    """After a register with another key for an organisation, what the old key signs is refused, rosters included."""
    replaced = Enrolled(number=2)
    document = replaced.register_document().document
    new = key("the new key of the wijkteam").public.jwk()
    lines = [{**line, "signingKeys": [new]} if line["oin"] == WIJKTEAM else line for line in document["organisations"]]
    signed = dataclasses.replace(
        replaced.register_document(), document={**document, "organisations": lines}, signatures=()
    )
    for number in (1, 2):
        signing = key(f"registrar {number}")
        signed = signed.with_signature(signing.public.kid, signing)
    (world.folder / "register.json").write_bytes(signed.encode())
    run_cli("register", "import", world.folder / "broker", world.folder / "register.json")
    world.clock.move(SECONDS)
    assert _problem(await world.register(WIJKTEAM, FAMILY)) == "request-token-key-unknown"


async def test_an_older_register_cannot_bring_back_access(world: ServedWorld) -> None:
    """A register with a number that is not higher is refused, so a suspension cannot be undone by replaying it."""
    broker = world.folder / "broker"
    import_documents(broker, Enrolled(number=3, suspended=frozenset({WIJKTEAM})), folder=world.folder, rosters=None)
    for number in (1, 3):
        (world.folder / "register.json").write_bytes(Enrolled(number=number).register_document().encode())
        run_cli("register", "import", broker, world.folder / "register.json", code=1)
    assert _problem(await world.register(WIJKTEAM, FAMILY)) == "organisation-suspended"


async def test_a_token_is_of_no_use_after_its_end(world: ServedWorld) -> None:
    """A request token that was made in time and sent too late is refused, and a used one stays used."""
    asker = world.asker(WIJKTEAM)
    sent = asker.post("/v1/signals", asker.registration(FAMILY))
    assert (await world.send(sent)).status_code == 200
    late = asker.post("/v1/signals", asker.registration(FAMILY))
    world.clock.move(300 + SECONDS)
    assert _problem(await world.send(late)) == "request-token-expired"
    assert _problem(await world.send(sent)) == "request-token-expired"


async def test_a_key_of_an_old_epoch_is_not_used(world: ServedWorld) -> None:
    """Tokens of another epoch than the one in use are refused, with tickets that would cover them."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY, epoch=2)
    body["tickets"] = asker.tickets("register", FAMILY, epoch=2)
    assert _problem(await world.send(asker.post("/v1/signals", body))) == "epoch-unknown"
