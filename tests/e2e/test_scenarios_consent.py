"""What residents allow, and telling when they do not: scenarios 3, 7 and 10, on real processes, by commands.

Each test reads as Given, When, Then; what is printed is what a worker reads.
"""

import datetime
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.enrolled import VEILIG_THUIS
from tests.simulators.enrolled import WIJKTEAM as SOCIAL_WORK
from tests.simulators.gba_v import official_number
from tests.simulators.region import Region, in_this_process, run
from tests.simulators.region_desks import judged, told
from tests.simulators.scenario_partners import ScenarioPartner, enrol

WIJKTEAM, HUISARTS, POLITIE = "00000099000000008100", "00000099000000008200", "00000099000000008300"
PEOPLE = {
    WIJKTEAM: ("Wijkteam Renkum", "wijkteam"),
    HUISARTS: ("Huisartsenpraktijk De Brug", "huisarts"),
    POLITIE: ("Politie Oost", "politie"),
}
TRUDY = official_number(83)
LOOK = ("--purpose", "volwassene", "--ground", "TOEST", "--team", "team-1", "--families", "nlbsn")
SIX = ("consent_tried", "conscience", "no_other_way", "serious_harm", "averts_harm", "least_possible")


@pytest.fixture(scope="module")
def partners(region: Region, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ScenarioPartner]:
    """A wijkteam, a general practitioner and the police, enrolled everywhere."""
    with in_this_process():
        return enrol(region, tmp_path_factory.mktemp("partners"), PEOPLE)


def day(days: int) -> str:
    """Return the day so many days from now."""
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)).isoformat()


def statement(*parties: str, purpose: str = "volwassene", **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a statement
    """Return what a worker writes down: Trudy, herself, says yes on paper."""
    stated = {
        "purpose": purpose,
        "team": "team-1",
        "categories": ["betrokkenheid"],
        "parties": list(parties),
        "age": "from23",
        "age_ends_on": None,
        "unable": False,
        "contested": False,
        "answers": [
            {
                "who": "mevrouw T.",
                "capacity": "person",
                "answer": "given",
                "proof": {"kind": "paper", "reference": "map 12"},
                "until": day(200),
            }
        ],
        "confirmation": "given",
        "review_on": None,
    }
    return {**stated, **changed}


def own_case(partner: ScenarioPartner) -> Path:
    """Return the file in which this partner has Trudy's number."""
    return partner.file("trudy", {"bsn": TRUDY, "caseRef": "zaak-trudy"})


def test_scenario_3_chayenne_advice_leaves_a_counter(region: Region, partners: dict[str, ScenarioPartner]) -> None:
    """Advice is a counter and nothing else; a consent that comes later is recorded, and taken back by telephone."""
    # Given an intern begeleider who is worried about Chayenne.
    # When she notes that she asked Veilig Thuis for advice.
    # Then nothing leaves her organisation: no entry, no signal, no command, only a number goes up.
    # When a wijkteam gives a signal about Chayenne afterwards.
    # Then it finds nobody.
    # When Chayenne's mother, who has custody, later says yes to the general practitioner and to school social work.
    # Then that is recorded for exactly these two, and it is over from the minute in which she rings to take it back.
    team = partners[WIJKTEAM]
    before = region.asked_leaves()
    counted = json.loads(run("sluis-connect", "advice", "--org", team.folder, "--json"))
    again = json.loads(run("sluis-connect", "advice", "--org", team.folder, "--json"))
    assert again["asked"] == counted["asked"] + 1
    assert region.asked_leaves() == before

    wijkteam = replace(region.partner(SOCIAL_WORK), purpose="verwijsindex", ground="JW-7.1.4.1")
    afterwards = wijkteam.post("/v1/signals", judged(wijkteam, "chayenne"), approved=True)
    assert told(afterwards)["outcome"] == "nothing"

    mother = {
        "who": "moeder van C.", "capacity": "guardian", "answer": "given", "custody": "gezagsregister",
        "custody_ref": "uittreksel",
        "proof": {"kind": "spoken", "spoken_with": "bert"}, "until": day(90),
    }  # fmt: skip
    young = {"age": "under12", "age_ends_on": f"{datetime.datetime.now(datetime.UTC).year + 3}-01-01", "guardians": 1}
    named = (HUISARTS, SOCIAL_WORK)
    stated = statement(*named, purpose="afstemmen", categories=["schoolgang"], answers=[mother], **young)
    record = team.does("consent", "record", team.file("moeder", stated))["consents"][0]
    assert {party["oin"]: party["state"] for party in record["parties"]} == dict.fromkeys(named, "given")
    back = {"who": "moeder van C.", "capacity": "guardian", "parties": [], "by": "phone"}
    over = team.does("consent", "withdraw", record["consentId"], team.file("terug", back))
    assert over["text_nl"].startswith("Ingetrokken om ")
    assert [party["state"] for party in over["consents"][0]["parties"]] == ["withdrawn"] * 2


def test_scenario_7_trudy_opens_what_she_names(partners: dict[str, ScenarioPartner]) -> None:
    """Without Trudy's yes nobody looks; with it the named holder is shown, until she takes it back."""
    # Given a general practitioner who is involved with Trudy (70), and who recorded her yes.
    # When the wijkteam looks who is involved without a yes of hers.
    # Then that is refused, with a reason.
    # When she says yes to the wijkteam, and a second person approves the record.
    # Then the general practitioner is shown, with how to reach him; she has a confirmation that says how to stop it.
    # When she takes it back.
    # Then nobody looks any more.
    team, doctor = partners[WIJKTEAM], partners[HUISARTS]
    doctor.does("consent", "record", doctor.file("ja", statement(WIJKTEAM)), "--case", own_case(doctor))
    case = {
        "bsn": TRUDY, "caseRef": "patient-1", "team": "team-1", "endsOn": day(150),
        "assessment": {"on": day(0), "by": "anna"}, "informing": {"informed": True},
    }  # fmt: skip
    doctor.does("register", "--source", "case", doctor.file("patient", case), *LOOK)

    looks = ("check", "--case", own_case(team), *LOOK)
    refused = team.does(*looks, expect=1)
    assert refused["failed"][0]["problem"] == "refused"
    assert refused["failed"][0]["text_nl"].startswith("Dit mag je hier niet opvragen, omdat ")

    words = ("consent", "record", team.file("ja", statement(HUISARTS)), "--case", own_case(team))
    record = team.does(*words, "--approver", "carla")["consents"][0]
    shown = team.does(*looks)["results"][0]
    assert [match["holder"]["oin"] for match in shown["matches"]] == [HUISARTS]
    letter = run(
        "sluis-connect", "consent", "letter", record["consentId"], "--org", team.folder, "--worker", "anna",
        "--phone", "026 111 2222", "--out", team.folder / "brieven",
    )  # fmt: skip
    assert "U kunt uw ja altijd intrekken. Bel 026 111 2222." in letter
    assert (team.folder / "brieven" / f"bevestiging-{record['consentId'][:8]}.html").exists()

    back = {"who": "mevrouw T.", "capacity": "person", "parties": [], "by": "phone"}
    team.does("consent", "withdraw", record["consentId"], team.file("terug", back))
    assert team.does(*looks, expect=1)["failed"][0]["problem"] == "refused"


def test_scenario_10_a_documented_exception(
    region: Region, partners: dict[str, ScenarioPartner], tmp_path: Path
) -> None:
    """To Veilig Thuis it is a right in law; to the police it takes six answers, a colleague, and an approval."""
    # Given a nurse at the general practitioner's whose patient refuses consent, with a baby at home.
    # When she looks for the exception "BW 7:448" and says she wants to tell Veilig Thuis.
    # Then it is none: the law lets her tell Veilig Thuis, and that is what she reads; and so she does.
    # When she wants to tell the police, and one of the six answers, the colleague, the day on which the patient is
    # told, or the approval is missing.
    # Then nothing is sent.
    # When all six are there, a colleague was consulted and a second person approves.
    # Then it is an entry with a review task; only the FG reads the dossier, with the commitment of that entry.
    # When she tells the police without it. Then nothing is sent.
    # When she tells them with it. Then they read exactly what she wrote.
    doctor = partners[HUISARTS]
    fg = tmp_path / "fg.key"
    run("sluis-connect", "exception", "key", "--org", doctor.folder, "--key", fg)
    dossier = {
        "answers": dict.fromkeys(SIX, "canary-dossier-text"), "consulted": "bert", "tell_on": day(20),
        "meldcode_step": 4,
    }  # fmt: skip
    stated = {
        "type": "cvp", "recipient": "veilig_thuis", "team": "team-1", "category": "veiligheid", "level": 3,
        "reason": "danger_to_child", "dossier": dossier,
    }  # fmt: skip
    invoke = ("exception", "invoke")
    refused = doctor.does(*invoke, doctor.file("vt", stated), "--approver", "carla", expect=1)
    assert "Veilig Thuis" in json.dumps(refused, ensure_ascii=False)
    words = tmp_path / "words.txt"
    words.write_text("De baby is nu niet veilig.", encoding="utf-8")
    to = ("--team", "team-1", "--to-team", "team-1", "--category", "veiligheid", "--text", words, "--to")
    by_law = doctor.does("tell", "--purpose", "vt-melding", "--ground", "WMO-5.2.6", *to, VEILIG_THUIS)
    assert by_law["results"][0]["outcome"] == "sent"

    police = {**stated, "recipient": "politie"}
    for name, missing in (
        ("six", {"answers": {**dict.fromkeys(SIX, "canary-dossier-text"), "conscience": ""}}),
        ("colleague", {"consulted": None}),
        ("moment", {"tell_on": None}),
    ):
        halved = {**police, "dossier": {**dossier, **missing}}
        doctor.does(*invoke, doctor.file(name, halved), "--approver", "carla", expect=1)
    doctor.does(*invoke, doctor.file("alone", police), expect=1)
    assert doctor.does("exception", "list")["exceptions"] == []

    patient = ("--case", own_case(doctor))
    told = doctor.does(*invoke, doctor.file("heel", police), "--approver", "carla", *patient)["exceptions"][0]
    assert (told["ground"], told["dossier"], told["persons"]) == ("CVP", "complete", 1)
    tasks = region.database.rows("SELECT kind FROM tasks WHERE organisation = ?", HUISARTS)
    assert ("review-exception",) in tasks
    body = str(region.database.rows("SELECT body FROM exceptions WHERE id = ?", told["exceptionId"])[0][0])
    assert "canary" not in body
    sealed = [path for path in (doctor.folder / "dossiers").iterdir() if path.name.split(".")[0] in body]
    assert len(sealed) == 1
    assert b"canary" not in sealed[0].read_bytes()
    read = run("sluis-connect", "exception", "read", sealed[0], "--key", fg)
    assert read.splitlines()[0] == sealed[0].name.split(".")[0]
    assert "canary-dossier-text" in read

    tell = ("tell", "--purpose", "nood", "--ground", "CVP", *to, POLITIE)
    assert doctor.does(*tell, expect=1)["failed"][0]["problem"] == "refused"
    assert partners[POLITIE].does("request", "list")["requests"] == []
    sent = doctor.does(*tell, "--exception", told["exceptionId"])["results"][0]["requests"][0]
    letter = partners[POLITIE].does("request", "read", sent["requestId"])["letter"]
    assert letter["text"] == "De baby is nu niet veilig."
