"""Whoever sends an oproep reads the same in every world: nobody there, nobody to ring, whatever holders do (D5, D8).

The worlds share keys, seeds and clock; they differ in what stands on the household and in what its holders do. The
asker's organisation does the same in each: it sends, asks again, lists, fetches its inbox, and its privacyfunctionaris
reviews and exports, before the holders act and after. All of it is compared. Masked are ids and keys that are fresh
randomness, and the commitments, hashes and signatures that follow from groups the asker cannot open; what is opened
counts.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from broker.protocol.signing_keys import b64url_bytes
from tests.simulators.asking import Asker, Sent, household
from tests.simulators.calling import call_body
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, Enrolled
from tests.simulators.served_world import ServedWorld, import_documents, served_world

FAMILY = household(subject="child", parents=["mother"])
ASKED = {**FAMILY, "members": []}
DAY_S = 86_400
RANDOM = re.compile(r"[0-9a-f]{64}|[0-9a-f]{32}|[A-Za-z0-9+/_-]{40,}={0,2}")
HOLDERS = (GI, SCHOOL)

WORLDS: Mapping[str, tuple[str, str]] = {
    "nobody is involved": ("absent", "list"),
    "nobody does anything": ("there", "list"),
    "the holder will call": ("there", "accept"),
    "the holder will not call": ("there", "decline"),
    "another team is asked": ("there", "forward"),
    "the signal is shielded": ("shielded", "list"),
    "the asker is excluded": ("excluded", "list"),
}


def _told(value: Any, name: str = "") -> Any:  # noqa: ANN401 - any value of a JSON text
    """Return what a JSON value tells: openings decoded, randomness and what is hashed from it as many `x`."""
    if isinstance(value, dict):
        return {key: _told(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_told(one, name) for one in value]
    if not isinstance(value, str):
        return value
    if name == "payload":
        value = b64url_bytes(value, field=name).decode()
    return RANDOM.sub(lambda found: "x" * len(found[0]), value)


async def _read(world: ServedWorld, sent: Sent) -> tuple[Any, ...]:
    answer = await world.send(sent)
    assert answer.status_code == 200, answer.text
    body = _told(answer.json()) if answer.text.startswith("{") else RANDOM.sub("x", answer.text)
    return sent.path, sorted(answer.headers.multi_items()), len(answer.content), json.dumps(body)


async def _everything(world: ServedWorld, asker: Asker, call: Mapping[str, Any]) -> list[Any]:
    """Return everything that the asker's organisation can read."""
    now = world.clock.now()
    reviewer = world.asker(VEILIG_THUIS, role="privacyfunctionaris", seed="review")
    since, until = now - 2 * DAY_S, now + DAY_S
    seen = [
        await _read(world, asker.post("/v1/calls", call)),
        await _read(world, asker.get(f"/v1/answers/{call['idempotencyKey']}")),
        await _read(world, asker.get("/v1/calls")),
        await _read(world, asker.post("/v1/inbox", asker.command(had=[]))),
        await _read(world, asker.get("/v1/signals")),
        await _read(world, asker.get("/checkpoint")),
    ]
    paths = (
        "/v1/review/queue",
        "/v1/review/own-acts",
        f"/v1/review/acts?since={since}&until={until}&use=view",
        f"/v1/review/exports?format=json-adl&reason=audit&since={since}&until={until}",
    )
    seen += [await _read(world, reviewer.get(path)) for path in paths]
    return [*seen, ("leaves and time", world.leaves, world.clock.now())]


async def _act(world: ServedWorld, oin: str, act: str, *, rung: int) -> None:
    """A holder looks at what rings it, and then once more or decides: two entries of kind inbox each."""
    holder = world.asker(oin, seed="holder")
    listed = await world.send(holder.get("/v1/calls/rings"))
    rings = listed.json()["result"]["rings"]
    assert len(rings) == rung
    if act == "list":
        assert (await world.send(holder.get("/v1/calls/rings"))).status_code == 200
        return
    (ring,) = rings
    body = holder.command(answer=act, team="team-2" if act == "forward" else None)
    decided = await world.send(holder.post(f"/v1/calls/rings/{ring['ringId']}/answers", body))
    assert decided.status_code == 200, decided.text


def _change(world: ServedWorld, state: str) -> None:
    if state == "absent":
        for table in ("match_signals", "match_sides", "matches"):
            world.write(f"DELETE FROM {table}")  # noqa: S608 - names of tables of ours
        for table, column in (("sealed_tokens", "signal_id"), ("signal_tokens", "signal_id"), ("signals", "id")):
            world.write(f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM signals)")  # noqa: S608 - names of tables of ours
    elif state == "shielded":
        world.write("UPDATE signals SET shielded = true")
    elif state == "excluded":
        query = "INSERT INTO signal_exclusions (signal_id, organisation, worker) SELECT id, ?, '' FROM signals"
        world.write(query, VEILIG_THUIS)


async def _observed(template: Path, folder: Path, state: str, act: str) -> list[Any]:
    """Return all that the asker's organisation reads in this world, right after sending and after the holders acted."""
    async with served_world(template, folder) as before:
        for oin in HOLDERS:
            assert (await before.register(oin, FAMILY)).status_code == 200
    import_documents(folder / "broker", Enrolled(number=2, teams=("team-1", "team-2")), folder=folder, rosters=2)
    async with served_world(template, folder, seed=7, witness_up=True) as world:
        _change(world, state)
        asker = world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6")
        call = call_body(asker, ASKED)
        seen = await _everything(world, asker, call)
        for oin in HOLDERS:
            await _act(world, oin, act, rung=int(state == "there"))
        seen += await _everything(world, asker, call)
        world.clock.move(10 * DAY_S)
        asker.now = world.clock.now()
        return [*seen, await _read(world, asker.get("/v1/calls"))]


_nobody: dict[Path, list[Any]] = {}
"""What is read where nobody is involved, by the template of the world: it is the same for every other world."""


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "nobody is involved"])
async def test_the_asker_reads_the_same_whatever_holders_do(template: Path, tmp_path: Path, name: str) -> None:
    """Bodies, lengths, headers, counts, openings, review, exports and time are those of a world where nobody is."""
    if template not in _nobody:
        _nobody[template] = await _observed(template, tmp_path / "nobody", *WORLDS["nobody is involved"])
    nobody = _nobody[template]
    other = await _observed(template, tmp_path / "other", *WORLDS[name])
    for in_other, in_nobody in zip(other, nobody, strict=True):
        assert in_other == in_nobody
