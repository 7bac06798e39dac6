"""A region without a convenant: scenario 11 of the domain page, over a broker that serves.

Each test reads as Given, When, Then; what is printed is what a worker reads.
"""

import datetime
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from policies import Bundle, InsecureTestBundleWarning, Permit, Refusal, load_bundle
from policies.question import read_question
from policies.replay import replay
from tests.simulators.asking import Asker, household
from tests.simulators.calling import call_body
from tests.simulators.consenting import answer, record
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.served_desks import Desks, desks_template, served_desks
from tests.unit.policies.amsterdam import AA_DOCUMENT, AMSTELVEEN, BUURTTEAM, POLITIE
from tests.unit.policies.arnhem import changed_documents

PARTIES = {
    BUURTTEAM: ("Buurtteam Amsterdam", "wijkteam"),
    AMSTELVEEN: ("Wijkteam Amstelveen", "wijkteam"),
    POLITIE: ("Politie eenheid Amsterdam", "politie"),
    WIJKTEAM: ("Wijkteam Arnhem", "wijkteam"),
}
DECISION = "wpg_besluit:2026-11-01:2027-10-31"
TELLS = (
    "tell", "--purpose", "overlast", "--ground", "WPG-20", "--team", "team-1", "--to-team", "team-1",
    "--category", "veiligheid", "--proof", DECISION, "--to",
)  # fmt: skip
ARNHEM_JOINS = (
    "partijen:\n  - {id: wijkteam-arnhem, naam: Wijkteam Arnhem, klasse: wijkteam, oin: '00000099000000001000',"
    " toegetreden_op: 2026-12-01, uitgetreden_op: null, via: regio}\n"
)
NEXT_MONTH = datetime.date(2026, 12, 2)


@pytest.fixture
async def desks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desks]:
    """A broker that knows parties of Amsterdam and a wijkteam of Arnhem, and their desks."""
    template = desks_template(tmp_path / "template", PARTIES)
    async with served_desks(template, tmp_path, monkeypatch, names=PARTIES) as running:
        yield running


def in_force(documents: Path | None = None) -> Bundle:
    """Return the documents that the broker decides with, or a later version of them."""
    with pytest.warns(InsecureTestBundleWarning):
        return load_bundle(documents, insecure_test_bundle=True)


def decide(bundle: Bundle, facts: Any, *, day: datetime.date) -> Permit | Refusal:  # noqa: ANN401 - facts as a record has them
    """Return the decision on these facts on another day."""
    ask, _ = read_question(facts)
    return bundle.decision_point().may_ask(replace(ask, day=day))


async def test_scenario_11_a_convenant_binds_its_parties_only(desks: Desks, tmp_path: Path) -> None:
    """Given Amsterdam's convenant, when it is used towards Arnhem, then it is refused, also when Arnhem joins later."""
    # Given: the police of Amsterdam may tell a team of Amsterdam on the convenant.
    text = desks.file(POLITIE, "text.txt", "Drie meldingen van overlast in oktober.")
    given = ("--text", text, "--proof-number", desks.file(POLITIE, "number", "besluit 2026-7"))
    await desks.tells(POLITIE, *TELLS, BUURTTEAM, *given)
    # When: they tell a team of Arnhem, which is no party. Then: refused, and the ways in law are named.
    failed = (await desks.tells(POLITIE, *TELLS, WIJKTEAM, *given, expect=1))["failed"][0]
    assert "omdat er voor deze ontvanger geen afspraak of wet is" in failed["text_nl"]
    assert any("Wmo 2015, artikel 5.2.6" in way for way in failed["possible"])
    assert (await desks.tells(WIJKTEAM, "request", "list"))["requests"] == []
    # When: Arnhem joins next month. Then: from that day the new version lets it, and the old one does not.
    record = failed["receipt"]["decision"]
    first = in_force()
    later = in_force(
        changed_documents(
            tmp_path, (AA_DOCUMENT, "versie: 2026.1.0", "versie: 2026.2.0"), (AA_DOCUMENT, "partijen:\n", ARNHEM_JOINS)
        )
    )
    assert isinstance(decide(later, record["facts"], day=NEXT_MONTH), Permit)
    assert isinstance(decide(first, record["facts"], day=NEXT_MONTH), Refusal)
    # Then: yesterday's decision names the version it was made with, and is made again the same.
    assert record["bundle"] == first.sha256 != later.sha256
    assert replay(first, [record]).counts == {"reproduced": 1}
    assert replay(later, [record]).changed == 0


def told(response: httpx.Response) -> dict[str, Any]:
    """Return what an answer says, once it is one."""
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["result"]
    return result


async def called(desks: Desks, asker: Asker) -> httpx.Response:
    """Return the answer to an oproep for a casusoverleg about a resident who said yes."""
    stated = record(asker, answer(), person="resident", parties=[AMSTELVEEN], purpose="casusoverleg")
    told(await desks.world.send(asker.post("/v1/consents", stated, approved=True)))
    body = call_body(asker, household(subject="resident", members=()))
    return await desks.world.send(asker.post("/v1/calls", body))


async def test_scenario_11_a_team_of_arnhem_is_not_called_together(desks: Desks) -> None:
    """Given two teams that are involved, when Amsterdam calls a casusoverleg, then only its own party is asked."""
    # Given: Amstelveen, a party, and Arnhem, which is none, are involved with the same resident.
    for oin in (AMSTELVEEN, WIJKTEAM):
        told(await desks.world.register(oin, household(subject="resident")))
    # When: Amsterdam calls. Then: Amstelveen reads it, Arnhem nothing, and Amsterdam not whom it reached.
    sent = told(await called(desks, desks.world.asker(BUURTTEAM, purpose="casusoverleg", ground="TOEST")))
    assert sent["text"]["id"] == "call.sent"
    asked = {oin: (await desks.tells(oin, "oproepen", "list"))["rings"] for oin in (AMSTELVEEN, WIJKTEAM)}
    assert [len(rings) for rings in asked.values()] == [1, 0]
    # When: Arnhem calls. Then: refused, with the ways in law.
    refused = await called(desks, desks.world.asker(WIJKTEAM, purpose="casusoverleg", ground="TOEST", seed="calls"))
    assert refused.status_code == 403, refused.text
    problem = refused.json()
    assert problem["textId"] == "vraag.not-a-party"
    assert {"kan.zvh", "kan.veilig-thuis"} <= {way["textId"] for way in problem["possible"]}
