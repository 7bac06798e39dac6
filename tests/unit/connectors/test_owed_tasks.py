"""What follows from acts over the real broker: in Dutch with its last day, in the role it is for, and ended once."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import connectors.client
from broker.protocol.owed_messages import ShownOwed
from connectors.cli import command_line
from connectors.client import SluisClient
from connectors.errors import CaseError
from connectors.owed_commands import _line
from connectors.owed_tasks import OwedTasks
from tests.simulators.asking import household
from tests.simulators.calling import call_body
from tests.simulators.enrolled import VEILIG_THUIS
from tests.simulators.reviewing_partner import ReviewingPartner, reviewing_partner
from tests.simulators.served_world import make_template
from tests.unit.connectors.test_team_tasks import proof_file

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
    both = (await run(partner, monkeypatch, "list")).output
    assert (both.count(TELL), "bekijk alles met `sluis-connect tasks owed`" in both) == (20, True)
    shown = json.loads((await run(partner, monkeypatch, "list", "--json")).output)
    assert (shown["owed"], shown["owedMoreAfter"]) == (first["tasks"], first["moreAfter"])


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


async def test_one_list_shows_what_runs_and_what_is_owed(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """First what the worker owes, then his team's terms; what is due today, or late, says so in capitals."""
    await called(partner, "owed")
    order = proof_file(tmp_path)
    whole = ("--purpose", "huisverbod", "--ground", "WTH", "--team", "team-1", "--proof", order)
    assert (await run(partner, monkeypatch, "start", *whole)).exit_code == 0
    both = (await run(partner, monkeypatch, "list")).output
    assert (
        0 < both.index(f"  uiterlijk 20 december 2026  {TELL}") < both.index("huisverbod loopt tot en met  2 december")
    )
    assert both.count("Bewijs nagekeken") == 2
    assert "VANDAAG" not in both
    assert "TE LAAT, " not in both
    assert TELL not in (await run(partner, monkeypatch, "list", "--proof", order)).output
    assert TELL not in (await run(partner, monkeypatch, "list", "--after", "0" * 32)).output
    partner.world.clock.move(10 * 86_400)
    today = (await run(partner, monkeypatch, "list")).output
    assert "2 december 2026  VANDAAG" in today
    partner.world.clock.move(18 * 86_400)
    assert f"  VANDAAG, uiterlijk 20 december 2026  {TELL}" in (await run(partner, monkeypatch, "list")).output
    partner.world.clock.move(86_400)
    late = (await run(partner, monkeypatch, "list")).output
    assert f"  TE LAAT, uiterlijk 20 december 2026  {TELL}" in late


def test_what_is_another_persons_says_so() -> None:
    """Who had a part in an act reads that somebody else ends what looks at it."""
    shown = {
        "taskId": "0" * 32, "kind": "review-withdrawal", "text": {"id": "owed.review_withdrawal", "params": {}},
        "signalId": "a" * 32, "since": "2026-11-22", "dueOn": "2026-12-06", "state": "open", "ownAct": True,
    }  # fmt: skip
    mine = _line(ShownOwed.model_validate(shown))
    assert mine.endswith(f"signaal {'a' * 32}  een ander moet dit afronden: jij was erbij betrokken")
    assert "een ander moet dit afronden" not in _line(ShownOwed.model_validate({**shown, "ownAct": False}))
