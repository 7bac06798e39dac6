"""A team's tasks over the real broker: what runs is told in Dutch with its last day, and each step is proven."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

import connectors.client
from connectors.cli import command_line
from connectors.client import SluisClient
from connectors.errors import CaseError
from connectors.task_commands import BY_LAW, KIND_NL
from connectors.team_tasks import TeamTasks
from policies.load import SHIPPED
from tests.simulators.enrolled import VEILIG_THUIS
from tests.simulators.reviewing_partner import ReviewingPartner, reviewing_partner
from tests.simulators.served_world import make_template


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder, ready to serve."""
    return make_template(tmp_path_factory.mktemp("template") / "world")


@pytest.fixture
async def partner(template: Path, tmp_path: Path) -> AsyncIterator[ReviewingPartner]:
    """The folder of Veilig Thuis beside a served broker."""
    async with reviewing_partner(template, tmp_path, oin=VEILIG_THUIS) as running:
        yield running


async def run(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """Return what a command line printed, run on a thread of its own beside the broker's loop."""
    surroundings = partner.surroundings
    monkeypatch.setattr(connectors.client, "Surroundings", lambda: surroundings)
    whole = ["tasks", *words, "--org", str(partner.folder.path), "--worker", "anna"]
    invoke = functools.partial(CliRunner().invoke, command_line(whole), whole)
    return await asyncio.to_thread(invoke)


def proof_file(folder: Path, **members: str | None) -> str:
    """Return a file with the proof of an exclusion order, or of what else these members say."""
    order = {"kind": "huisverbod", "reference": "HV-2026-17", "since": "2026-11-22", "ends_on": "2026-12-02"}
    file = folder / "proof.json"
    file.write_text(json.dumps({**order, **members}), encoding="utf-8")
    return str(file)


async def test_an_order_is_recorded_extended_and_lifted(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its last day stands on the screen; it can be made later before it ends, to 28 days; lifted it is done."""
    order = proof_file(tmp_path)
    whole = ("--purpose", "huisverbod", "--ground", "WTH", "--team", "team-1", "--proof", order)
    started = await run(partner, monkeypatch, "start", *whole)
    assert started.exit_code == 0, started.output
    assert "huisverbod loopt tot en met  2 december 2026  open" in started.output
    assert "volgens de wet 2 december 2026" in started.output
    assert "Bewijs nagekeken" in started.output
    assert "HV-2026-17" not in started.output
    listed = json.loads((await run(partner, monkeypatch, "list", "--proof", order, "--json")).output)
    (task,) = listed["tasks"]
    other = proof_file(tmp_path, reference="HV-2026-18")
    assert "huisverbod loopt" not in (await run(partner, monkeypatch, "list", "--proof", other)).output
    longer = await run(partner, monkeypatch, "extend", task["taskId"], "2026-12-20")
    assert "huisverbod loopt tot en met  20 december 2026  open" in longer.output
    too_long = await run(partner, monkeypatch, "extend", task["taskId"], "2026-12-21")
    assert (too_long.exit_code, "ten hoogste 28 dagen" in too_long.output) == (1, True)
    done = await run(partner, monkeypatch, "done", task["taskId"])
    assert "Vastgelegd dat deze taak klaar is." in done.output
    assert "gedaan" in (await run(partner, monkeypatch, "list")).output


async def test_wrong_input_never_leaves_and_what_is_refused_says_why(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A proof that does not count is refused with what can be done; an id that is none, or no day, ends with 2."""
    old = proof_file(tmp_path, since="2026-10-01", ends_on="2026-10-11")
    whole = ("--purpose", "huisverbod", "--ground", "WTH", "--team", "team-1", "--proof", old)
    refused = await run(partner, monkeypatch, "start", *whole, "--json")
    assert refused.exit_code == 1
    assert "Is het huisverbod voorbij?" in refused.output
    before = partner.world.leaves
    async with SluisClient(partner.folder, worker="anna", surroundings=partner.surroundings) as client:
        with pytest.raises(CaseError):
            await TeamTasks(client.desk).close("../matches")
        with pytest.raises(CaseError):
            await TeamTasks(client.desk).listed(after="F" * 32)
    assert (await run(partner, monkeypatch, "extend", "f" * 32, "morgen")).exit_code == 2
    assert (await run(partner, monkeypatch, "done", "no-id")).exit_code == 2
    assert partner.world.leaves == before
    unknown = await run(partner, monkeypatch, "done", "f" * 32)
    assert (unknown.exit_code, "niet van jouw organisatie" in unknown.output) == (1, True)


async def test_a_long_list_goes_on(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Twenty-two tasks come as twenty, the first that ends first, and where to go on."""
    for number in range(11):
        melding = proof_file(tmp_path, kind="melding", reference=f"VT-{number}", ends_on=None)
        whole = ("--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--team", "team-1", "--proof", melding)
        assert (await run(partner, monkeypatch, "start", *whole)).exit_code == 0
    first = json.loads((await run(partner, monkeypatch, "list", "--json")).output)
    due = [task["dueOn"] for task in first["tasks"]]
    assert (len(due), due) == (20, sorted(due))
    rest = await run(partner, monkeypatch, "list", "--after", first["moreAfter"])
    assert rest.output.count("melding of besluit van 22 november 2026") == 2
    assert "ga verder met --after" in (await run(partner, monkeypatch, "list")).output


def test_only_a_term_of_the_law_is_called_the_laws() -> None:
    """Where the documents say that a term is where Sluis begins, the screen does not say that the law has it."""
    terms = YAML(typ="safe", pure=True).load(SHIPPED / "lex/opvolging.yaml")["termijnen"]
    ours = {one["id"] for one in terms if one["bron"].startswith("Uitgangspunt van Sluis")}
    assert ours & set(KIND_NL) == set(KIND_NL) - BY_LAW
    assert {one["id"] for one in terms} - ours >= BY_LAW
