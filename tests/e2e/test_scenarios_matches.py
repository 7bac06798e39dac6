"""Acceptance on real processes: Mieke (1), Suzan without requests (4), and a new report for the casusregisseur (15).

Each test reads as a privacy officer would tell it; screen texts are those that workers read, in Dutch.
"""

import datetime
import secrets
from dataclasses import replace
from typing import Any, cast

import httpx

from broker.protocol.families import Family
from broker.protocol.problems import render
from tests.simulators.enrolled import GEMEENTE, GI, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.region import Region
from tests.simulators.wire_partner import WirePartner

TODAY = datetime.datetime.now(datetime.UTC).date().isoformat()


def worker_of(region: Region, oin: str, *, purpose: str, ground: str) -> WirePartner:
    """Return somebody at work there, for this purpose."""
    return replace(region.partner(oin), purpose=purpose, ground=ground)


def in_index(region: Region, oin: str) -> WirePartner:
    """Return somebody who works with the verwijsindex."""
    return worker_of(region, oin, purpose="verwijsindex", ground="JW-7.1.4.1")


def gives_signal(partner: WirePartner, child: str, *, approved: bool = False) -> dict[str, Any]:
    """He gives a signal about this child, judged and with the family informed; return what he reads."""
    terms = {
        "ageQuarter": "2040-01-01",
        "assessment": {"on": TODAY, "by": "worker"},
        "informing": {"state": "informed", "reason": None, "reviewOn": None},
    }
    answer = partner.post("/v1/signals", {**partner.registration(subject=child), **terms}, approved=approved)
    return reads(answer)


def reads(answer: httpx.Response) -> dict[str, Any]:
    """Return what stands on the screen after an act that was carried out."""
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json()["result"])


def does(partner: WirePartner, path: str, **members: object) -> httpx.Response:
    """Return the answer to an act of his."""
    shared = {"idempotencyKey": secrets.token_hex(16), "controller": partner.oin, "caseRef": None}
    return partner.post(path, {**shared, **members})


def inbox(partner: WirePartner) -> list[tuple[str, str]]:
    """Return of what kind the notices are that wait for him, and what they are about."""
    had: list[str] = []
    found: list[dict[str, Any]] = []
    while True:
        result = reads(does(partner, "/v1/inbox", had=had))
        found += result["notices"]
        had = [one["id"] for one in result["notices"]]
        if not result["notices"]:
            return [(one["kind"], one["about"]) for one in found]


def matches(partner: WirePartner, signal_id: str) -> list[dict[str, Any]]:
    """Return his matches on this own signal."""
    found: list[dict[str, Any]] = []
    path = "/v1/matches"
    while True:
        result = reads(partner.get(path))
        found += result["found"]
        if result["moreAfter"] is None:
            return [one for one in found if signal_id in one["signals"]]
        path = f"/v1/matches?after={result['moreAfter']}"


def test_mieke_two_organisations_are_told_of_each_other(region: Region) -> None:
    """Scenario 1. Given a guardian of Mieke in another region, when the wijkteam gives a signal, both may call."""
    # Given: the GI already has a signal about Mieke.
    child = secrets.token_hex(8)
    guardian, wijkteam, school = (in_index(region, oin) for oin in (GI, WIJKTEAM, SCHOOL))
    given = gives_signal(guardian, child)
    assert given["text"]["id"] == "signal.stored"
    inbox(guardian)
    # When: the wijkteam gives a signal, and the team leader agrees.
    told = gives_signal(wijkteam, child, approved=True)
    assert render(told["text"]["id"], {}).startswith("Je signaal is opgeslagen. Deze organisaties zijn ook betrokken.")
    # Then: both see the other's team and telephone, and nothing else; the guardian has one notice.
    ((kind, match_id),) = inbox(guardian)
    assert kind == "match"
    for side, own, other in ((guardian, given, WIJKTEAM), (wijkteam, told, GI)):
        (match,) = matches(side, own["signalId"])
        assert (match["matchId"], match["involved"]["holder"]["oin"]) == (match_id, other)
        assert match["involved"]["holder"]["contact"]["phone"]
        assert (match["state"], match["casusregisseur"]) == ("nieuw", None)
        assert datetime.date.fromisoformat(match["dueOn"]) > datetime.date.fromisoformat(match["madeOn"])
    # And: the matchcoordinator of the municipality is told that two teams are to contact each other.
    query = "SELECT kind FROM notices WHERE about = ? AND organisation = ?"
    assert region.database.rows(query, match_id, GEMEENTE) == [("coordinated",)]
    # And: the school, to which a guardian never shows himself, reads that there is nothing of him, and has no match.
    also = gives_signal(school, child)
    assert [one["involved"]["holder"]["oin"] for one in matches(school, also["signalId"])] == [WIJKTEAM]
    # When: they spoke on the telephone. Then: one click says so, on one's own side.
    changed = reads(does(guardian, f"/v1/matches/{match_id}/state", state="contact_gehad"))
    assert changed["state"] == "contact_gehad"
    closed = does(school, f"/v1/matches/{match_id}/state", state="klaar")
    assert (closed.status_code, closed.json()["type"]) == (404, "urn:sluis:problem:not-found")


def test_suzan_veilig_thuis_looks_after_a_report_and_leaves_no_match(region: Region) -> None:
    """Scenario 4. Given a police report, when Veilig Thuis looks, it reads which teams to call and no more."""
    # Given: the wijkteam is involved with Suzan, and Veilig Thuis has a police report.
    child = secrets.token_hex(8)
    wijkteam, school = in_index(region, WIJKTEAM), in_index(region, SCHOOL)
    signal = gives_signal(wijkteam, child, approved=True)
    veilig_thuis = worker_of(region, VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6")
    proof = {"kind": "melding", "reference": secrets.token_hex(32), "since": TODAY, "endsOn": None}
    # When: it looks on that report, without a signal of its own.
    made = veilig_thuis.evaluate("check", {Family.NLBSN: [child]})
    looked = reads(veilig_thuis.post("/v1/household-checks", {**veilig_thuis.checking(made), "proof": proof}))
    # Then: who may be shown is shown with its team's card, and a look makes no match, nor a notice.
    for one in looked["matches"]:
        assert set(one) == {"kind", "level", "holder"}
        assert one["level"] == 2
    assert matches(wijkteam, signal["signalId"]) == []
    # And: nobody learns from it that Veilig Thuis looked.
    given = gives_signal(school, child)
    assert VEILIG_THUIS not in [one["involved"]["holder"]["oin"] for one in matches(school, given["signalId"])]


def test_a_new_report_reaches_the_casusregisseur_by_a_button(region: Region) -> None:
    """Scenario 15. Given a plan with a casusregisseur, when a new report comes in, Veilig Thuis tells him alone."""
    # Given: Veilig Thuis, the wijkteam and the school are involved, and the wijkteam leads the plan.
    child = secrets.token_hex(8)
    wijkteam, school, veilig_thuis = (in_index(region, oin) for oin in (WIJKTEAM, SCHOOL, VEILIG_THUIS))
    gives_signal(wijkteam, child, approved=True)
    gives_signal(school, child)
    own = gives_signal(veilig_thuis, child)
    (match,) = [
        one for one in matches(veilig_thuis, own["signalId"]) if one["involved"]["holder"]["oin"] == WIJKTEAM
    ]  # fmt: skip
    about = f"/v1/matches/{match['matchId']}"
    proof = {"kind": "melding", "reference": secrets.token_hex(32), "since": TODAY, "endsOn": None}
    # Before anybody leads the plan there is nobody to tell, and that is said.
    too_early = does(veilig_thuis, f"{about}/new-reports", proof=proof)
    assert too_early.json()["type"] == "urn:sluis:problem:casusregisseur-missing"
    assert "receipt" in too_early.json()
    reads(does(wijkteam, f"{about}/casusregisseur", organisation=WIJKTEAM, team="team-1"))
    for side in (wijkteam, school):
        inbox(side)
    # When: a new report came in. Then: nothing happens by itself.
    assert inbox(wijkteam) == []
    # When: the worker presses the button. Then: the casusregisseur alone has a notice.
    told = reads(does(veilig_thuis, f"{about}/new-reports", proof=proof))
    assert render(told["text"]["id"], {}).startswith("De casusregisseur krijgt bericht")
    assert inbox(wijkteam) == [("new_report", match["matchId"])]
    assert inbox(school) == []
