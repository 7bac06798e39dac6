"""Acceptance on real processes: Mieke (1), Suzan without requests (4), and what follows a new report (15).

Each test reads as a privacy officer would tell it; screen texts are those that workers read, in Dutch.
"""

import datetime
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx

from broker.protocol.families import Family
from broker.protocol.problems import render
from broker.protocol.roster import Worker
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.region import Region, in_this_process, run
from tests.simulators.wire_partner import WirePartner

TODAY = datetime.datetime.now(datetime.UTC).date().isoformat()
AFTER = {"eerste_monitor": 89, "tweede_monitor": 364}
"""Of each evaluation, how many days it is away at least: three months, and a year."""


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
    # When: somebody wants to be rid of it before they spoke. Then: it stays, and he reads what to do first.
    unspoken = does(guardian, f"/v1/matches/{match_id}/state", state="klaar")
    assert (unspoken.status_code, unspoken.json()["type"]) == (409, "urn:sluis:problem:match-no-contact")
    assert "Bel eerst het andere team." in unspoken.json()["detail"]
    # When: they spoke on the telephone. Then: one click says so, on one's own side.
    changed = reads(does(guardian, f"/v1/matches/{match_id}/state", state="contact_gehad"))
    assert changed["state"] == "contact_gehad"
    closed = does(school, f"/v1/matches/{match_id}/state", state="klaar")
    assert (closed.status_code, closed.json()["type"]) == (404, "urn:sluis:problem:not-found")


def coordinator_of(region: Region, folder: Path) -> WirePartner:
    """The municipality takes part, and has somebody who sees to it that teams contact each other; return him."""
    coordinator = Worker(sub="coordinator-1", roles=frozenset({"matchcoordinator"}), broker_sub=None)
    enrolled = Enrolled(
        number=region.next_number(), names={**NAMES, GEMEENTE: ("Gemeente Arnhem", "gemeente")},
        others={GEMEENTE: (coordinator,)}, teams=("team-1", "matchcoordinatie"),
    )  # fmt: skip
    roster = enrolled.roster_document(GEMEENTE, number=region.next_number())
    (folder / "roster.json").write_bytes(roster.encode())
    with in_this_process():
        region.publish_register(enrolled, folder / "register.json")
        run("sluis-broker", "register", "import", region.path("broker"), folder / "register.json")
        run("sluis-broker", "roster", "import", region.path("broker"), folder / "roster.json")
    return replace(region.partner(GEMEENTE, worker=coordinator.sub), role="matchcoordinator")


def coordinated(coordinator: WirePartner, match_id: str) -> list[dict[str, Any]]:
    """Return what the coordinator is shown of this match."""
    found: list[dict[str, Any]] = []
    path = "/v1/coordinated-matches"
    while True:
        result = reads(coordinator.get(path))
        found += result["found"]
        if result["moreAfter"] is None:
            return [one for one in found if one["matchId"] == match_id]
        path = f"/v1/coordinated-matches?after={result['moreAfter']}"


def test_the_municipality_sees_that_two_teams_are_to_call_and_no_household(region: Region, tmp_path: Path) -> None:
    """Scenario 1. Given two teams with Mieke, the matchcoordinator sees who calls whom by when, and nothing else."""
    # Given: the municipality's coordinator, and two teams that were told of each other.
    coordinator = coordinator_of(region, tmp_path)
    child = secrets.token_hex(8)
    guardian, wijkteam = in_index(region, GI), in_index(region, WIJKTEAM)
    gives_signal(guardian, child)
    inbox(guardian)
    signal = gives_signal(wijkteam, child, approved=True)
    (match,) = matches(wijkteam, signal["signalId"])
    # Then: he has a notice and a line, with teams, how far they are, and the day; no household, kind or telephone.
    assert ("coordinated", match["matchId"]) in inbox(coordinator)
    (line,) = coordinated(coordinator, match["matchId"])
    assert set(line) == {"matchId", "sides", "madeOn", "dueOn", "contacted", "overdue", "casusregisseurs"}
    assert [set(side) for side in line["sides"]] == [{"organisation", "name", "team", "state"}] * 2
    assert (line["dueOn"], line["contacted"], line["overdue"]) == (match["dueOn"], False, False)
    # And: the match itself is not his to open, nor is it told to anybody else of the municipality.
    for somebody in (coordinator, replace(coordinator, role="worker")):
        assert somebody.get(f"/v1/matches/{match['matchId']}").status_code in (403, 404)
    refused = replace(coordinator, role="worker").get("/v1/coordinated-matches")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:sluis:problem:role-not-allowed")
    # When: one of the two says that they spoke. Then: he need not ask.
    reads(does(guardian, f"/v1/matches/{match['matchId']}/state", state="contact_gehad"))
    (line,) = coordinated(coordinator, match["matchId"])
    assert line["contacted"] is True


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
    assert [one["holder"]["oin"] for one in looked["matches"]] == [WIJKTEAM]
    for one in looked["matches"]:
        assert set(one) == {"kind", "level", "holder"}
        assert one["level"] == 2
    assert matches(wijkteam, signal["signalId"]) == []
    # And: nobody learns from it that Veilig Thuis looked.
    given = gives_signal(school, child)
    assert VEILIG_THUIS not in [one["involved"]["holder"]["oin"] for one in matches(school, given["signalId"])]


def tasks(partner: WirePartner) -> list[dict[str, Any]]:
    """Return the tasks of his team."""
    found: list[dict[str, Any]] = []
    path = "/v1/tasks"
    while True:
        result = reads(partner.get(path))
        found += result["found"]
        if result["moreAfter"] is None:
            return found
        path = f"/v1/tasks?after={result['moreAfter']}"


def days_from_today(days: int) -> str:
    """Return a day so many days from today."""
    return (datetime.date.fromisoformat(TODAY) + datetime.timedelta(days=days)).isoformat()


def looks_on(partner: WirePartner, child: str, order: dict[str, Any]) -> httpx.Response:
    """Return the answer to a look of Veilig Thuis that rests on an exclusion order."""
    made = partner.evaluate("check", {Family.NLBSN: [child]})
    return partner.post("/v1/household-checks", {**partner.checking(made), "proof": order})


def test_an_exclusion_order_is_a_ground_for_ten_days_or_until_it_was_extended(region: Region) -> None:
    """Scenario 4. Given an order against Suzan's brother, when its last day has passed, then nothing is asked on it."""
    # Given: the wijkteam is involved, and an order of nine days ago, of which Veilig Thuis states 28 days at once.
    child = secrets.token_hex(8)
    gives_signal(in_index(region, WIJKTEAM), child, approved=True)
    veilig_thuis = worker_of(region, VEILIG_THUIS, purpose="huisverbod", ground="WTH")
    order = {"kind": "huisverbod", "reference": secrets.token_hex(32)}
    order |= {"since": days_from_today(-9), "endsOn": days_from_today(19)}
    # When: it looks. Then: it reads which team to call, and its own team has the last day: tomorrow, day ten.
    looked = reads(looks_on(veilig_thuis, child, order))
    assert [one["holder"]["oin"] for one in looked["matches"]] == [WIJKTEAM]
    (task,) = [one for one in tasks(veilig_thuis) if one["reference"] == order["reference"]]
    assert (task["kind"], task["dueOn"], task["state"]) == ("huisverbod", days_from_today(1), "open")
    # When: the mayor extended it. Then: that is recorded, to 28 days and no further.
    about = f"/v1/tasks/{task['taskId']}/extension"
    too_long = does(veilig_thuis, about, endsOn=days_from_today(20))
    assert too_long.json()["type"] == "urn:sluis:problem:task-too-long"
    assert too_long.json()["detail"].startswith("Zo lang kan dit huisverbod niet duren: ten hoogste 28 dagen")
    longer = reads(does(veilig_thuis, about, endsOn=days_from_today(19)))
    assert longer["found"][0]["dueOn"] == days_from_today(19)
    # When: it was lifted. Then: nothing is looked up on it any more, and the screen says what is possible.
    reads(does(veilig_thuis, f"/v1/tasks/{task['taskId']}/closing"))
    refused = looks_on(veilig_thuis, child, order)
    assert refused.json()["type"] == "urn:sluis:problem:refused"
    assert "Is het huisverbod voorbij? Dan mag op deze grond niets meer." in str(refused.json()["possible"])
    # And: so it is with an order of eleven days ago that nobody extended, however many days are stated.
    old = {**order, "reference": secrets.token_hex(32), "since": days_from_today(-11), "endsOn": days_from_today(17)}
    assert looks_on(veilig_thuis, child, old).json()["type"] == "urn:sluis:problem:refused"
    # And: no other organisation has any task of it.
    assert [one for one in tasks(in_index(region, WIJKTEAM)) if one["kind"] == "huisverbod"] == []


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
    reads(does(wijkteam, f"{about}/casusregisseur", organisation=WIJKTEAM, team="team-1", was=None))
    # And: the other team is told so, and nobody replaces it without having seen that it leads.
    assert ("casusregisseur_other", match["matchId"]) in inbox(veilig_thuis)
    inbox(wijkteam)
    unseen = does(veilig_thuis, f"{about}/casusregisseur", organisation=VEILIG_THUIS, team="team-1", was=None)
    assert (unseen.status_code, unseen.json()["type"]) == (409, "urn:sluis:problem:casusregisseur-changed")
    (seen,) = [one for one in matches(veilig_thuis, own["signalId"]) if one["matchId"] == match["matchId"]]
    assert seen["casusregisseur"]["name"] == NAMES[WIJKTEAM][0]
    inbox(school)
    # When: a new report came in. Then: nothing happens by itself.
    assert inbox(wijkteam) == []
    # When: the worker presses the button. Then: the casusregisseur alone has a notice.
    agreed = reads(does(wijkteam, f"{about}/state", state="afspraken_gemaakt"))
    assert render(agreed["text"]["id"], {}).startswith("Vastgelegd dat er afspraken zijn.")
    told = reads(does(veilig_thuis, f"{about}/new-reports", proof=proof))
    assert render(told["text"]["id"], {}).startswith("De casusregisseur krijgt bericht")
    assert inbox(wijkteam) == [("new_report", match["matchId"])]
    assert inbox(school) == []
    # And: Veilig Thuis weighs that report by its region's clock, 24 hours, beside the law's five working days.
    own_tasks = {one["kind"]: one for one in tasks(veilig_thuis) if one["reference"] == proof["reference"]}
    weighing = own_tasks["weging"]
    assert (weighing["dueOn"], weighing["regionalOn"]) == (days_from_today(1), days_from_today(1))
    assert weighing["statutoryOn"] > weighing["dueOn"]
    assert own_tasks["onderzoek"]["dueOn"] == days_from_today(70)
    # And: the casusregisseur answers within five working days, and evaluates after three months and a year.
    running = {one["kind"]: one for one in tasks(wijkteam) if one["matchId"] == match["matchId"]}
    assert set(running) == {"reactie", *AFTER}
    assert all(running[kind]["dueOn"] > days_from_today(days) for kind, days in AFTER.items())
    # When: they spoke. Then: that is the answer, and the task is done; the school has none of all this.
    reads(does(wijkteam, f"{about}/state", state="contact_gehad"))
    assert {one["kind"]: one["state"] for one in tasks(wijkteam)}["reactie"] == "gedaan"
    assert tasks(school) == []
