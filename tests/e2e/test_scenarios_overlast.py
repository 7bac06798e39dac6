"""A resident who causes nuisance, in Amsterdam: scenario 2 of the domain page, over a broker that serves.

Each test reads as Given, When, Then; what is printed is what a worker reads.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulators.asking import Asker, household
from tests.simulators.calling import call_body
from tests.simulators.consenting import answer, record
from tests.simulators.served_desks import Desks, desks_template, served_desks
from tests.unit.policies.amsterdam import AMSTELVEEN, BUURTTEAM, CORPORATIE, POLITIE

AMSTERDAM = {
    BUURTTEAM: ("Buurtteam Amsterdam", "wijkteam"),
    AMSTELVEEN: ("Wijkteam Amstelveen", "wijkteam"),
    CORPORATIE: ("Woningcorporatie Amsterdam", "woningcorporatie"),
    POLITIE: ("Politie eenheid Amsterdam", "politie"),
}
DECISION = "wpg_besluit:2026-11-01:2027-10-31"
TELLS = (
    "tell", "--purpose", "overlast", "--ground", "WPG-20", "--team", "team-1", "--to-team", "team-1",
    "--category", "veiligheid", "--to",
)  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker that knows the parties of the Amsterdam convenant."""
    return desks_template(tmp_path_factory.mktemp("amsterdam") / "world", AMSTERDAM)


@pytest.fixture
async def desks(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desks]:
    """The broker, serving, and the desks of its organisations."""
    async with served_desks(template, tmp_path, monkeypatch, names=AMSTERDAM) as running:
        yield running


def told(response: httpx.Response) -> dict[str, Any]:
    """Return what an answer says, once it is one."""
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["result"]
    return result


def signals(desks: Desks) -> int:
    """Return how many signals the index holds."""
    return int(desks.world.rows("SELECT count(*) FROM signals")[0][0])


async def with_consent(desks: Desks, asker: Asker) -> None:
    """The zorgcoördinator has the resident's yes, which a second person approved."""
    stated = record(asker, answer(), person="resident", parties=[AMSTELVEEN], purpose="overlast")
    (consent,) = told(await desks.world.send(asker.post("/v1/consents", stated, approved=True)))["consents"]
    assert [party["state"] for party in consent["parties"]] == ["given"]


async def resident_says_yes(desks: Desks, oin: str, *, to: str) -> str:
    """Return the id of an organisation's record: the resident said yes to telling this other one about safety."""
    yes = {
        "who": "de bewoner", "capacity": "person", "answer": "given", "until": "2027-05-01",
        "proof": {"kind": "paper", "reference": "map 12"},
    }  # fmt: skip
    stated = {
        "purpose": "overlast", "team": "team-1", "categories": ["veiligheid"], "parties": [to], "age": "from23",
        "age_ends_on": None, "unable": False, "contested": False, "answers": [yes], "confirmation": "given",
        "review_on": None,
    }  # fmt: skip
    approved = ("--approver", "carla")
    recorded = await desks.tells(oin, "consent", "record", desks.file(oin, "yes.json", stated), *approved)
    return str(recorded["consents"][0]["consentId"])


async def test_scenario_2_a_question_is_routed_to_the_corporatie(desks: Desks) -> None:
    """Given a nuisance, when the zorgcoördinator asks the corporatie whom the resident named, then it may answer."""
    asks = (
        "request", "send", "--purpose", "overlast", "--ground", "TOEST", "--team", "team-1", "--to-team", "team-1",
        "--category", "veiligheid", "--text", desks.file(BUURTTEAM, "question.txt", "Is er eerder overlast gemeld?"),
        "--to",
    )  # fmt: skip
    # When: the resident was not asked. Then: refused, and nothing waits.
    await desks.tells_refused(BUURTTEAM, *asks, CORPORATIE)
    assert (await desks.tells(CORPORATIE, "request", "list"))["requests"] == []
    # When: the resident said yes to the corporatie. Then: it is asked, and nobody else is on that yes.
    yes = await resident_says_yes(desks, BUURTTEAM, to=CORPORATIE)
    await desks.tells_refused(BUURTTEAM, *asks, AMSTELVEEN, "--consent", yes)
    sent = await desks.tells(BUURTTEAM, *asks, CORPORATIE, "--consent", yes)
    request = sent["results"][0]["requests"][0]["requestId"]
    assert "Is er eerder overlast gemeld?" in (await desks.run(CORPORATIE, "request", "read", request)).output
    # When: the corporatie answers. Then: only on what the resident told it, and the zorgcoördinator reads it.
    text = desks.file(CORPORATIE, "answer.txt", "Twee meldingen, in mei en in juni.")
    answers = ("answer", request, "--kind", "all", "--category", "veiligheid", "--ground", "TOEST", "--text", text)
    await desks.tells_refused(CORPORATIE, *answers)
    own = await resident_says_yes(desks, CORPORATIE, to=BUURTTEAM)
    await desks.run(CORPORATIE, *answers, "--consent", own)
    assert "Twee meldingen, in mei" in (await desks.run(BUURTTEAM, "request", "read", request)).output
    # When: the corporatie itself asks. Then: refused; it answers, and asks nothing. No index entry was made.
    turned = [word if word != BUURTTEAM else CORPORATIE for word in asks]
    await desks.tells_refused(CORPORATIE, *turned, BUURTTEAM, "--consent", own)
    assert signals(desks) == 0


async def test_scenario_2_the_corporatie_is_shown_the_way_and_stays_out_of_the_index(desks: Desks) -> None:
    """Given a nuisance, when the corporatie tries the verwijsindex, then it reads why not, and what the way is."""
    # Given: a wijkteam is involved with the resident.
    told(await desks.world.register(AMSTELVEEN, household(subject="resident")))
    before = signals(desks)
    # When: the corporatie looks in the verwijsindex. Then: the law does not name it; the way that is open comes first.
    officer = desks.world.asker(CORPORATIE, purpose="verwijsindex", ground="JW-7.1.4.1")
    home = household(subject=None, members=(), address="home")
    refused = await desks.world.send(officer.post("/v1/household-checks", {**officer.check(home), "proof": None}))
    assert refused.status_code == 403, refused.text
    problem = refused.json()
    assert problem["textId"] == "vraag.not-a-listed-category"
    assert problem["possible"][0]["textId"] == "kan.overleg-zorg-en-overlast"
    # When: the zorgcoördinator calls the overleg together, first without the resident's yes.
    asker = desks.world.asker(BUURTTEAM, purpose="overlast", ground="TOEST")
    resident = household(subject="resident", members=())
    without = await desks.world.send(asker.post("/v1/calls", call_body(asker, resident)))
    assert without.status_code == 403, without.text
    await with_consent(desks, asker)
    told(await desks.world.send(asker.post("/v1/calls", call_body(asker, resident))))
    # Then: who is involved is asked, at his own desk; the corporatie is not, and nothing was added to the index.
    rings = (await desks.tells(AMSTELVEEN, "oproepen", "list"))["rings"]
    assert [ring["caller"]["name"] for ring in rings] == ["Buurtteam Amsterdam"]
    assert (await desks.tells(CORPORATIE, "oproepen", "list"))["rings"] == []
    assert signals(desks) == before


async def test_scenario_2_the_police_tell_on_a_decision_only(desks: Desks) -> None:
    """Given a decision for this cooperation, when the police tell, then the team reads it; without, nobody does."""
    text = desks.file(POLITIE, "text.txt", "Drie meldingen van overlast in oktober.")
    # When: no decision is named. Then: nothing is told, and what is missing is said.
    refused = await desks.tells_refused(POLITIE, *TELLS, BUURTTEAM, "--text", text)
    assert "Dit kan wel:" in refused
    assert (await desks.tells(BUURTTEAM, "request", "list"))["requests"] == []
    # When: the decision is named. Then: the zorgcoördinator reads it.
    proven = ("--proof", DECISION, "--proof-number", desks.file(POLITIE, "number", "besluit 2026-7"))
    sent = await desks.tells(POLITIE, *TELLS, BUURTTEAM, "--text", text, *proven)
    request = sent["results"][0]["requests"][0]["requestId"]
    assert "Drie meldingen van overlast" in (await desks.run(BUURTTEAM, "request", "read", request)).output
    # When: the decision has ended, or another ground than a decision is cited. Then: refused.
    ended = ("--proof", "wpg_besluit:2025-11-01:2026-10-31", "--proof-number", proven[-1])
    await desks.tells_refused(POLITIE, *TELLS, BUURTTEAM, "--text", text, *ended)
    consent = ["TOEST" if word == "WPG-20" else word for word in TELLS]
    await desks.tells_refused(POLITIE, *consent, BUURTTEAM, "--text", text, *proven)
    # When: it is told to the corporatie. Then: refused, and nothing waits there.
    await desks.tells_refused(POLITIE, *TELLS, CORPORATIE, "--text", text, *proven)
    assert (await desks.tells(CORPORATIE, "request", "list"))["requests"] == []
    assert signals(desks) == 0


async def test_scenario_2_the_corporatie_tells_with_the_resident_s_yes(desks: Desks) -> None:
    """Given a nuisance, when the resident says yes, then the corporatie tells the team; without a yes it may not."""
    text = desks.file(CORPORATIE, "text.txt", "Twee keer wateroverlast bij de buren.")
    tells = ["TOEST" if word == "WPG-20" else word for word in TELLS]
    # When: nobody asked the resident. Then: refused.
    await desks.tells_refused(CORPORATIE, *tells, BUURTTEAM, "--text", text)
    # When: the resident says yes to the team. Then: the zorgcoördinator reads it, and no index entry is made.
    consent = await resident_says_yes(desks, CORPORATIE, to=BUURTTEAM)
    sent = await desks.tells(CORPORATIE, *tells, BUURTTEAM, "--text", text, "--consent", consent)
    request = sent["results"][0]["requests"][0]["requestId"]
    assert "Twee keer wateroverlast" in (await desks.run(BUURTTEAM, "request", "read", request)).output
    # When: it is told to the police on the same yes. Then: refused.
    await desks.tells_refused(CORPORATIE, *tells, POLITIE, "--text", text, "--consent", consent)
    assert signals(desks) == 0
