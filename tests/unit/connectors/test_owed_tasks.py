"""What follows from acts over the real broker: in Dutch with its last day, in the role it is for, and ended once."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import connectors.client
from connectors.cli import command_line
from connectors.client import SluisClient
from connectors.errors import CaseError
from connectors.owed_tasks import OwedTasks
from tests.simulators.asking import household
from tests.simulators.calling import call_body
from tests.simulators.enrolled import VEILIG_THUIS
from tests.simulators.reviewing_partner import ReviewingPartner, reviewing_partner
from tests.simulators.served_world import make_template

TELL = "Vertel de betrokkene dat je informatie hebt gedeeld"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder, ready to serve."""
    return make_template(tmp_path_factory.mktemp("template") / "world")


@pytest.fixture
async def partner(template: Path, tmp_path: Path) -> AsyncIterator[ReviewingPartner]:
    """The folder of Veilig Thuis beside a served broker."""
    async with reviewing_partner(template, tmp_path, oin=VEILIG_THUIS) as running:
        yield running


async def run(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, *words: str, worker: str = "anna") -> Result:
    """Return what a command line printed, run on a thread of its own beside the broker's loop."""
    surroundings = partner.surroundings
    monkeypatch.setattr(connectors.client, "Surroundings", lambda: surroundings)
    whole = ["tasks", *words, "--org", str(partner.folder.path), "--worker", worker]
    invoke = functools.partial(CliRunner().invoke, command_line(whole), whole)
    return await asyncio.to_thread(invoke)


async def called(partner: ReviewingPartner, seed: str) -> None:
    """Veilig Thuis asked whoever is involved with a child to call: the family is to be told of that."""
    asker = partner.world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6", seed=seed)
    asked = household(subject="child", parents=["mother"], members=[])
    sent = await partner.world.send(asker.post("/v1/calls", call_body(asker, asked)))
    assert sent.status_code == 200, sent.content


async def test_what_is_owed_is_listed_in_dutch_and_ended(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asked reads that the family must be told, and by when; done it is on nobody's list, and no id any more."""
    await called(partner, "owed")
    listed = json.loads((await run(partner, monkeypatch, "owed", "--json")).output)
    (task,) = [one for one in listed["tasks"] if one["kind"] == "informeer_betrokkene"]
    assert (task["since"], task["signalId"], listed["moreAfter"]) == ("2026-11-22", None, None)
    shown = await run(partner, monkeypatch, "owed")
    assert f"{task['taskId']}  uiterlijk 20 december 2026  {TELL}" in shown.output
    assert "Bewijs nagekeken" in shown.output
    none = await run(partner, monkeypatch, "owed", "--role", "fg", worker="frank")
    assert "hoeft voor jou nu niets te gebeuren" in none.output
    done = await run(partner, monkeypatch, "owed-done", task["taskId"])
    assert (done.exit_code, "Vastgelegd dat dit gedaan is." in done.output) == (0, True)
    assert TELL not in (await run(partner, monkeypatch, "owed")).output
    again = await run(partner, monkeypatch, "owed-done", task["taskId"])
    assert (again.exit_code, "niet van jouw organisatie" in again.output) == (1, True)


async def test_a_long_list_goes_on(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than twenty the first twenty come, and where to go on."""
    for number in range(21):
        await called(partner, f"owed {number}")
    first = json.loads((await run(partner, monkeypatch, "owed", "--json")).output)
    assert (len(first["tasks"]), first["moreAfter"]) == (20, first["tasks"][-1]["taskId"])
    assert "ga verder met --after" in (await run(partner, monkeypatch, "owed")).output
    assert TELL in (await run(partner, monkeypatch, "owed", "--after", first["moreAfter"])).output


async def test_wrong_input_never_leaves(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that is none, and a role that this worker does not have, end here."""
    before = partner.world.leaves
    async with SluisClient(partner.folder, worker="anna", surroundings=partner.surroundings) as client:
        with pytest.raises(CaseError):
            await OwedTasks(client.desk).finish("../signals")
        with pytest.raises(CaseError):
            await OwedTasks(client.desk).listed(after="F" * 32)
    assert (await run(partner, monkeypatch, "owed-done", "no-id")).exit_code == 2
    assert (await run(partner, monkeypatch, "owed", "--role", "fg")).exit_code == 2
    assert partner.world.leaves == before
