"""`sluis-connect custodian-reports` and `probe`: plain Dutch, and an exit code that a task scheduler can act on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from connectors import watch_commands
from connectors.cli import command_line
from connectors.custodian_reports import CustodianReport, Told
from connectors.probes import ProbeReport, pairs_of
from tests.simulators.partner_world import PartnerWorld, partner_world

TERMS = ("--worker", "anna", "--purpose", "proefregio", "--ground", "TEST-PROEFREGIO", "--team", "team-1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PartnerWorld]:
    """Hold two partners."""
    with partner_world(tmp_path) as made:
        yield made


def run(*words: object) -> Result:
    """Return what a command came to."""
    given = [str(word) for word in words]
    return CliRunner().invoke(command_line(given), given)


def test_a_pair_is_made_handed_over_and_joined(world: PartnerWorld, tmp_path: Path) -> None:
    """One makes it, the other joins it from the file, which nobody else can read; both have the same pair."""
    first, second = world.folders["wijkteam"], world.folders["gi"]
    out = tmp_path / "pair.json"
    made = run("probe", "new", "--org", first.path, "--with", second.settings.oin, "--out", out)
    assert (made.exit_code, out.stat().st_mode & 0o077) == (0, 0)
    assert run("probe", "join", out, "--org", second.path).exit_code == 0
    assert [pair.id for pair in pairs_of(first)] == [pair.id for pair in pairs_of(second)]
    assert run("probe", "join", out, "--org", second.path).exit_code == 2


@pytest.mark.parametrize(
    ("report", "code", "told"),
    [
        (ProbeReport(done=2, missed=(), missed_by_other=(), not_done=()), 0, "2 proefstappen"),
        (ProbeReport(done=1, missed=("0.1",), missed_by_other=(), not_done=()), 1, "Alarm: bij proefstap 0.1"),
        (ProbeReport(done=0, missed=(), missed_by_other=("0.2",), not_done=()), 1, "Alarm: de andere organisatie"),
        (ProbeReport(done=0, missed=(), missed_by_other=(), not_done=("0.0",)), 1, "niet gelukt"),
    ],
)
def test_a_run_says_what_came_of_it(
    world: PartnerWorld, monkeypatch: pytest.MonkeyPatch, report: ProbeReport, code: int, told: str
) -> None:
    """A miss, here or there, and what was not done are exit 1, each in its own words."""

    async def ran(*_: object, **__: object) -> ProbeReport:
        return report

    monkeypatch.setattr(watch_commands, "run_probes", ran)
    org = world.folders["gi"].path
    shown = run("probe", "run", "--org", org, *TERMS)
    assert (shown.exit_code, told in shown.stdout) == (code, True)
    listed = run("probe", "run", "--org", org, *TERMS, "--json")
    assert (listed.exit_code, json.loads(listed.stdout)["calm"]) == (code, report.calm)


@pytest.mark.parametrize(
    ("how", "text", "code"),
    [
        ({}, "2 keer iets.", 0),
        ({"kind": "withheld"}, "2 keer iets.", 1),
        ({"alarms": ("fork",)}, "Alarm", 1),
        ({"blind": True}, "ziet het logboek nu niet", 1),
        ({"seen_at": None, "blind": True}, "nog nooit", 1),
        ({"unwitnessed": True}, "meekijkende organisaties", 1),
        ({"hidden": (3,)}, "niet laat zien", 1),
    ],
)
def test_reports_are_shown_with_counts_and_names(
    world: PartnerWorld, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], text: str, code: int
) -> None:
    """What is normal is exit 0; an alarm, blindness, silence of witnesses, or what must not happen, is exit 1."""
    kind = how.get("kind", "unspent")
    told = Told(custodian="c", kind=kind, count=2, text_nl="2 keer iets.", fresh=2, workers={"Anna": 2}, entries=(4,))
    counts = {"issued": 9, "cited": 7, "unspent": 2, "open": 0}
    members: dict[str, Any] = {
        "seen_at": 9, "witnessed_at": 9, "blind": False, "unwitnessed": False, "hidden": (), "alarms": (),
        **{name: value for name, value in how.items() if name != "kind"},
    }  # fmt: skip
    report = CustodianReport(custodian="c", counts=counts, told=(told,), store=1, newest=7, **members)

    async def fetched(*_: object, **__: object) -> list[CustodianReport]:
        return [report]

    monkeypatch.setattr(watch_commands, "fetch_reports", fetched)
    words = ("custodian-reports", "--org", world.folders["gi"].path, "--worker", "fatma")
    shown = run(*words)
    assert shown.exit_code == code
    assert all(words in shown.stdout for words in ("9 zoekbewijzen", "2 keer iets.", "Anna: 2", text))
    listed = json.loads(run(*words, "--json").stdout)
    assert (listed[0]["told"][0]["workers"], listed[0]["calm"]) == ({"Anna": 2}, code == 0)
