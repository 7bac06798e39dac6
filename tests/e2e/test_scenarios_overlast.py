"""A resident who causes nuisance, in Amsterdam: scenario 2 of the domain page, on real processes.

Each test reads as Given, When, Then; what is printed is what a worker reads. The tests share one region.
"""

import secrets
from collections.abc import Iterator

import pytest

from broker.protocol.families import Family
from tests.simulators.region_desks import RegionDesks, calls, day, region_desks, says_yes, told
from tests.unit.policies.amsterdam import AMSTELVEEN, BUURTTEAM, CORPORATIE, POLITIE

AMSTERDAM = {
    BUURTTEAM: ("Buurtteam Amsterdam", "wijkteam"),
    AMSTELVEEN: ("Wijkteam Amstelveen", "wijkteam"),
    CORPORATIE: ("Woningcorporatie Amsterdam", "woningcorporatie"),
    POLITIE: ("Politie eenheid Amsterdam", "politie"),
}
TELLS = (
    "tell", "--purpose", "overlast", "--ground", "WPG-20", "--team", "team-1", "--to-team", "team-1",
    "--category", "veiligheid", "--to",
)  # fmt: skip


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionDesks]:
    """The parties of the Amsterdam convenant at their desks, around a broker that serves."""
    with region_desks(tmp_path_factory.mktemp("amsterdam") / "region", AMSTERDAM) as running:
        yield running


def resident_says_yes(desks: RegionDesks, oin: str, *, to: str) -> str:
    """Return the id of an organisation's record: the resident said yes to telling this other one about safety."""
    yes = {
        "who": "de bewoner", "capacity": "person", "answer": "given", "until": day(150),
        "proof": {"kind": "paper", "reference": "map 12"},
    }  # fmt: skip
    stated = {
        "purpose": "overlast", "team": "team-1", "categories": ["veiligheid"], "parties": [to], "age": "from23",
        "age_ends_on": None, "unable": False, "contested": False, "answers": [yes], "confirmation": "given",
        "review_on": None,
    }  # fmt: skip
    file = desks.file(oin, "yes.json", stated)
    return str(desks.tells(oin, "consent", "record", file, "--approver", "carla")["consents"][0]["consentId"])


def test_scenario_2_a_question_is_routed_to_the_corporatie(desks: RegionDesks) -> None:
    """Given a nuisance, when the zorgcoördinator asks the corporatie whom the resident named, then it may answer."""
    asks = (
        "request", "send", "--purpose", "overlast", "--ground", "TOEST", "--team", "team-1", "--to-team", "team-1",
        "--category", "veiligheid", "--text", desks.file(BUURTTEAM, "question.txt", "Is er eerder overlast gemeld?"),
        "--to",
    )  # fmt: skip
    signals = desks.signals()
    # When: the resident was not asked. Then: refused, and nothing waits.
    desks.tells_refused(BUURTTEAM, *asks, CORPORATIE)
    assert desks.letters(CORPORATIE, sender=BUURTTEAM) == []
    # When: the resident said yes to the corporatie. Then: it is asked, and nobody else is on that yes.
    yes = resident_says_yes(desks, BUURTTEAM, to=CORPORATIE)
    desks.tells_refused(BUURTTEAM, *asks, AMSTELVEEN, "--consent", yes)
    sent = desks.tells(BUURTTEAM, *asks, CORPORATIE, "--consent", yes)
    request = sent["results"][0]["requests"][0]["requestId"]
    assert "Is er eerder overlast gemeld?" in desks.run(CORPORATIE, "request", "read", request).output
    # When: the corporatie answers. Then: only on what the resident told it, and the zorgcoördinator reads it.
    text = desks.file(CORPORATIE, "answer.txt", "Twee meldingen, in mei en in juni.")
    answers = ("answer", request, "--kind", "all", "--category", "veiligheid", "--ground", "TOEST", "--text", text)
    desks.tells_refused(CORPORATIE, *answers)
    own = resident_says_yes(desks, CORPORATIE, to=BUURTTEAM)
    desks.run(CORPORATIE, *answers, "--consent", own)
    assert "Twee meldingen, in mei" in desks.run(BUURTTEAM, "request", "read", request).output
    # When: the corporatie itself asks. Then: refused; it answers, and asks nothing. No index entry was made.
    turned = [word if word != BUURTTEAM else CORPORATIE for word in asks]
    desks.tells_refused(CORPORATIE, *turned, BUURTTEAM, "--consent", own)
    assert desks.signals() == signals


def test_scenario_2_the_corporatie_is_shown_the_way_and_stays_out_of_the_index(desks: RegionDesks) -> None:
    """Given a nuisance, when the corporatie tries the verwijsindex, then it reads why not, and what the way is."""
    # Given: a wijkteam is involved with the resident.
    resident = secrets.token_hex(8)
    told(desks.partner(AMSTELVEEN, purpose="proefregio", ground="TEST-PROEFREGIO").register(subject=resident))
    before = desks.signals()
    # When: the corporatie looks in the verwijsindex. Then: the law does not name it; the way that is open comes first.
    officer = desks.partner(CORPORATIE, purpose="verwijsindex", ground="JW-7.1.4.1")
    made = officer.evaluate("check", {Family.ADDR: ["the resident's home"]})
    refused = officer.post("/v1/household-checks", officer.checking(made))
    assert refused.status_code == 403, refused.text
    problem = refused.json()
    assert problem["textId"] == "vraag.not-a-listed-category"
    assert problem["possible"][0]["textId"] == "kan.overleg-zorg-en-overlast"
    # When: the zorgcoördinator calls the overleg together, first without the resident's yes.
    asker = desks.partner(BUURTTEAM, purpose="overlast", ground="TOEST")
    without = calls(asker, resident)
    assert without.status_code == 403, without.text
    says_yes(asker, resident, parties=[AMSTELVEEN])
    told(calls(asker, resident))
    # Then: who is involved is asked, at his own desk; the corporatie is not, and nothing was added to the index.
    rings = desks.tells(AMSTELVEEN, "oproepen", "list")["rings"]
    assert [ring["caller"]["name"] for ring in rings] == ["Buurtteam Amsterdam"]
    assert desks.tells(CORPORATIE, "oproepen", "list")["rings"] == []
    assert desks.signals() == before


def test_scenario_2_the_police_tell_on_a_decision_only(desks: RegionDesks) -> None:
    """Given a decision for this cooperation, when the police tell, then the team reads it; without, nobody does."""
    text = desks.file(POLITIE, "text.txt", "Drie meldingen van overlast in oktober.")
    signals = desks.signals()
    # When: no decision is named. Then: nothing is told, and what is missing is said.
    assert "Dit kan wel:" in desks.tells_refused(POLITIE, *TELLS, BUURTTEAM, "--text", text)
    assert desks.letters(BUURTTEAM, sender=POLITIE) == []
    # When: the decision is named. Then: the zorgcoördinator reads it.
    number = ("--proof-number", desks.file(POLITIE, "number", "besluit 2026-7"))
    proven = ("--text", text, "--proof", f"wpg_besluit:{day(-20)}:{day(300)}", *number)
    sent = desks.tells(POLITIE, *TELLS, BUURTTEAM, *proven)
    request = sent["results"][0]["requests"][0]["requestId"]
    assert "Drie meldingen van overlast" in desks.run(BUURTTEAM, "request", "read", request).output
    # When: the decision has ended, or another ground than a decision is cited. Then: refused.
    ended = ("--text", text, "--proof", f"wpg_besluit:{day(-300)}:{day(-20)}", *number)
    desks.tells_refused(POLITIE, *TELLS, BUURTTEAM, *ended)
    consent = ["TOEST" if word == "WPG-20" else word for word in TELLS]
    desks.tells_refused(POLITIE, *consent, BUURTTEAM, *proven)
    # When: it is told to the corporatie. Then: refused, and nothing waits there.
    desks.tells_refused(POLITIE, *TELLS, CORPORATIE, *proven)
    assert desks.letters(BUURTTEAM, sender=POLITIE) == [request]
    assert desks.letters(CORPORATIE, sender=POLITIE) == []
    assert desks.signals() == signals


def test_scenario_2_the_corporatie_tells_with_the_resident_s_yes(desks: RegionDesks) -> None:
    """Given a nuisance, when the resident says yes, then the corporatie tells the team; without a yes it may not."""
    text, signals = desks.file(CORPORATIE, "text.txt", "Twee keer wateroverlast bij de buren."), desks.signals()
    tells = ["TOEST" if word == "WPG-20" else word for word in TELLS]
    # When: nobody asked the resident. Then: refused.
    desks.tells_refused(CORPORATIE, *tells, BUURTTEAM, "--text", text)
    # When: the resident says yes to the team. Then: the zorgcoördinator reads it, and no index entry is made.
    consent = resident_says_yes(desks, CORPORATIE, to=BUURTTEAM)
    sent = desks.tells(CORPORATIE, *tells, BUURTTEAM, "--text", text, "--consent", consent)
    request = sent["results"][0]["requests"][0]["requestId"]
    assert "Twee keer wateroverlast" in desks.run(BUURTTEAM, "request", "read", request).output
    # When: it is told to the police on the same yes. Then: refused.
    desks.tells_refused(CORPORATIE, *tells, POLITIE, "--text", text, "--consent", consent)
    # When: the resident takes the yes back. Then: nothing is told on it any more, and the screen says that.
    back = {"who": "de bewoner", "capacity": "person", "parties": [], "by": "phone"}
    desks.run(CORPORATIE, "consent", "withdraw", consent, desks.file(CORPORATIE, "back.json", back))
    over = desks.tells_refused(CORPORATIE, *tells, BUURTTEAM, "--text", text, "--consent", consent)
    assert over.startswith("De toestemming geldt niet meer. Je bericht is niet verstuurd.")
    assert desks.signals() == signals
