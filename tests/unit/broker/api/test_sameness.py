"""For an observer who is not entitled, no signal, a hidden one and a shielded one are the same world (D8).

The worlds share keys, seeds, clock and log up to the moment the asker comes; they differ in one signal of the GI only.
Then the asker does the same in each, and everything he can observe is compared byte for byte. Masked are only the
commitments to groups he cannot open and what follows from them by hashing and signing: in a real world these are fresh
randomness each time. Their lengths count.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.asking import Sent, household
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.served_world import ServedWorld, served_world

FAMILY = household(subject="child", parents=["mother", "father"])
GROUNDS = {"verwijsindex": "JW-7.1.4.1", "proefregio": "TEST-PROEFREGIO"}
DETAILS = {
    "verwijsindex": {
        "ageQuarter": "2040-01-01",
        "assessment": {"on": "2026-11-20", "by": "worker"},
        "informing": {"state": "informed", "reason": None, "reviewOn": None},
    },
    "proefregio": {},
}
HIDDEN_COMMITMENTS = re.compile(r"^(subject|hits|shielded) [0-9a-f]{64}$", re.MULTILINE)
HASHES_AND_SIGNATURES = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")


def _absent(world: ServedWorld) -> None:
    for table, column in (("sealed_tokens", "signal_id"), ("signal_tokens", "signal_id"), ("signals", "id")):
        world.write(f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM signals WHERE organisation = ?)", GI)  # noqa: S608 - names of tables of ours


def _shielded(world: ServedWorld) -> None:
    world.write("UPDATE signals SET shielded = true WHERE organisation = ?", GI)


def _excluded(world: ServedWorld) -> None:
    query = "INSERT INTO signal_exclusions (signal_id, organisation, worker) SELECT id, ?, '' FROM signals"
    world.write(query, WIJKTEAM)


def _as_it_is(_: ServedWorld) -> None:
    """Leave the signal of the GI where it is."""


def _masked(body: bytes) -> str:
    """Return a body with what is fresh randomness in a real world replaced by as many `x`."""
    text = body.decode()
    if not text.startswith("{"):
        return HASHES_AND_SIGNATURES.sub(lambda found: "x" * len(found[0]), text)
    document = json.loads(text)
    if "receipt" in document:
        receipt = document["receipt"]
        receipt["leaf"] = HIDDEN_COMMITMENTS.sub(lambda found: found[1] + " " + "x" * 64, receipt["leaf"])
        receipt["proof"] = HASHES_AND_SIGNATURES.sub(lambda found: "x" * len(found[0]), receipt["proof"])
    return json.dumps(document)


async def _observed(world: ServedWorld, oin: str, purpose: str) -> list[Any]:
    """Return everything an organisation observes when it registers, checks, asks again, lists and withdraws."""
    asker = world.asker(oin, purpose=purpose, ground=GROUNDS[purpose])
    began = world.leaves
    registration = asker.registration(FAMILY, **DETAILS[purpose])
    check = asker.check({**FAMILY, "members": []})
    seen = [await _answer(world, asker.post("/v1/signals", registration, approved=True))]
    own = world.rows("SELECT id FROM signals WHERE organisation = ?", oin)[0][0]
    seen += [await _answer(world, asker.post("/v1/household-checks", check)) for _ in range(2)]
    paths = (f"/v1/answers/{check['idempotencyKey']}", "/v1/signals", "/checkpoint")
    seen += [await _answer(world, asker.get(path)) for path in paths]
    withdrawal = asker.post(f"/v1/signals/{own}/withdrawal", asker.command(reason="mistake"))
    seen.append(await _answer(world, withdrawal))
    return [*seen, ("leaves and time", world.leaves - began, world.clock.now(), world.clock.monotonic())]


async def _answer(world: ServedWorld, sent: Sent) -> tuple[Any, ...]:
    answer = await world.send(sent)
    headers = sorted(answer.headers.multi_items())
    return answer.status_code, headers, len(answer.content), _masked(answer.content)


async def _world(
    template: Path, folder: Path, change: Callable[[ServedWorld], None], *, oin: str, purpose: str
) -> list[Any]:
    """Return what an asker observes where the GI registered first, and then something about its signal changed."""
    async with served_world(template, folder) as before:
        gi = before.asker(GI, purpose=purpose, ground=GROUNDS[purpose])
        body = gi.registration(FAMILY, **DETAILS[purpose])
        answer = await before.send(gi.post("/v1/signals", body, approved=True))
        assert answer.status_code == 200, answer.text
    async with served_world(template, folder, seed=7) as world:
        change(world)
        return await _observed(world, oin, purpose)


@pytest.mark.parametrize(
    ("oin", "purpose", "change"),
    [
        pytest.param(SCHOOL, "verwijsindex", _as_it_is, id="the-holder-never-shows-itself-to-this-class"),
        pytest.param(WIJKTEAM, "proefregio", _shielded, id="shielded"),
        pytest.param(WIJKTEAM, "proefregio", _excluded, id="this-asker-is-excluded"),
        pytest.param(SCHOOL, "verwijsindex", _shielded, id="shielded-and-never-shown"),
    ],
)
async def test_what_may_not_be_seen_is_as_if_it_were_not_there(
    template: Path, tmp_path: Path, oin: str, purpose: str, change: Callable[[ServedWorld], None]
) -> None:
    """Status, headers, lengths, bodies, own openings, leaf count and time equal those of a world without the signal."""
    hidden = await _world(template, tmp_path / "hidden", change, oin=oin, purpose=purpose)
    absent = await _world(template, tmp_path / "absent", _absent, oin=oin, purpose=purpose)
    for in_hidden, in_absent in zip(hidden, absent, strict=True):
        assert in_hidden == in_absent


@pytest.mark.parametrize("oin", [WIJKTEAM, VEILIG_THUIS])
async def test_what_may_be_seen_is_seen(template: Path, tmp_path: Path, oin: str) -> None:
    """The control: where the same signal may be shown, the same comparison finds a difference, at equal lengths."""
    shown = await _world(template, tmp_path / "shown", _as_it_is, oin=oin, purpose="verwijsindex")
    absent = await _world(template, tmp_path / "absent", _absent, oin=oin, purpose="verwijsindex")
    assert shown[1][3] != absent[1][3]
    assert GI in shown[1][3]
    assert shown[1][:3] == absent[1][:3]
