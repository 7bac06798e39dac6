"""What follows when Mieke's teams know of each other: scenario 1, on real processes, at desks of the partners.

Each test reads as Given, When, Then; what is printed is what a worker reads. The tests share one region.
"""

import datetime
import json
import secrets
from dataclasses import replace
from typing import Any

import httpx

from broker.protocol.signing_keys import b64url_bytes
from policies.workdays import working_day_after
from tests.simulators.enrolled import GEMEENTE, GEMEENTE_NOORD_HOLLAND, GI, SCHOOL, WIJKTEAM, worker_id
from tests.simulators.region_desks import (
    INDEX,
    JEUGDTEAM,
    MOEDERORGANISATIE,
    RegionDesks,
    between,
    day,
    gives_signal,
    judged,
    told,
)


def reached(desks: RegionDesks, oin: str, signal_id: str) -> list[tuple[str, str]]:
    """Return by which team and telephone an organisation is told to reach the other side of this signal's matches."""
    cards = [one["involved"]["holder"]["contact"] for one in desks.matches(oin, signal_id)]
    return [(card["displayName"], card["phone"]) for card in cards]


def hands_over(desks: RegionDesks, oin: str, to: str) -> int:
    """The first worker of an organisation hands over all of his in one act; return how many that were."""
    colleague = desks.person(oin, to)
    members = {"idempotencyKey": secrets.token_hex(16), "controller": oin, "caseRef": None}
    stated = {**members, "of": worker_id(oin, "worker"), "to": colleague}
    return int(told(desks.partner(oin, **INDEX).post("/v1/signal-handovers", stated))["handedOver"])


def test_scenario_1_a_handover_changes_who_is_reached_and_not_the_last_day(desks: RegionDesks) -> None:
    """Given a match, when a worker leaves, then the other side reaches his team, and the two years run on."""
    # Given: guardian and wijkteam have a signal about Mieke.
    mieke = secrets.token_hex(8)
    theirs, own = (gives_signal(desks.partner(oin, **INDEX), mieke)["signalId"] for oin in (GI, WIJKTEAM))
    ((team, phone),) = reached(desks, GI, theirs)
    (before,) = [one for one in desks.tells(WIJKTEAM, "list")["results"][0]["signals"] if one["signalId"] == own]
    # When: the worker hands over all of his in one act, and the team has another telephone.
    handed = hands_over(desks, WIJKTEAM, "anna")
    desks.is_reached_at(WIJKTEAM, f"{phone}1")
    # Then: the guardian reads how the same team is reached now, and nothing else of the signal has changed.
    assert reached(desks, GI, theirs) == [(team, f"{phone}1")]
    (after,) = [one for one in desks.tells(WIJKTEAM, "list")["results"][0]["signals"] if one["signalId"] == own]
    assert after == before
    # Then: it is the colleague's, who may hand it on; whoever left has none.
    assert hands_over(desks, WIJKTEAM, "anna") == 0
    assert f"Aantal: {handed}" in desks.run(WIJKTEAM, "handover", "bram").output


def test_scenario_1_content_goes_to_the_guardian_on_an_order_only(desks: RegionDesks) -> None:
    """Given a match, when the wijkteam tells the guardian, then it takes an order of the court that still runs."""
    text = desks.file(WIJKTEAM, "text.txt", "Mieke komt sinds mei niet meer op school.")
    number = ("--proof-number", desks.file(WIJKTEAM, "number", "C/05/2026-17"))
    law = ("--purpose", "gi-maatregel", "--ground", "JW-7.3.11-4", *between(GI), "--category", "veiligheid")
    tells, before = ("tell", *law, "--text", text), desks.letters(GI, sender=WIJKTEAM)
    # When: no order is named, or one that has ended, or another ground. Then: refused, and the guardian has nothing.
    assert "Dit kan wel:" in desks.tells_refused(WIJKTEAM, *tells)
    desks.tells_refused(WIJKTEAM, *tells, "--proof", f"maatregel:{day(-300)}:{day(-1)}", *number)
    running = ("--proof", f"maatregel:{day(-30)}:{day(200)}", *number)
    desks.tells_refused(WIJKTEAM, *("TOEST" if word == "JW-7.3.11-4" else word for word in tells), *running)
    assert desks.letters(GI, sender=WIJKTEAM) == before
    # When: the order runs. Then: the guardian reads it; to the school it is told on no order.
    told_to = desks.sends(WIJKTEAM, *tells, *running)
    assert "Mieke komt sinds mei" in desks.run(GI, "request", "read", told_to).output
    desks.tells_refused(WIJKTEAM, *(SCHOOL if word == GI else word for word in tells), *running)


def test_scenario_1_a_signal_holds_no_reason_and_is_not_given_alone(desks: RegionDesks) -> None:
    """Given a worry, when a worker gives a signal, then a second person agrees, and why stays in the own file."""
    wijkteam, mieke = desks.partner(WIJKTEAM, **INDEX), secrets.token_hex(8)
    before = desks.signals()
    # When: nobody agreed. Then: refused, and the screen says whom to ask.
    alone = wijkteam.post("/v1/signals", judged(wijkteam, mieke))
    assert (alone.status_code, alone.json()["type"]) == (403, "urn:sluis:problem:refused")
    assert "leidinggevende" in str(alone.json()["possible"])
    # When: he writes down why. Then: there is no place for it, in what is sent or in what is kept.
    stated = {**judged(wijkteam, mieke), "reason": "verwaarlozing"}
    why = wijkteam.post("/v1/signals", stated, approved=True)
    assert (why.status_code, why.json()["type"]) == (400, "urn:sluis:problem:malformed-request")
    assert "verwaarlozing" not in why.text
    assert desks.signals() == before
    # When: the team leader agreed. Then: the other side reads who is involved and how to reach them, and nothing else.
    theirs = gives_signal(desks.partner(GI, **INDEX), mieke)["signalId"]
    gives_signal(wijkteam, mieke)
    (match,) = desks.matches(GI, theirs)
    assert set(match["involved"]) == {"kind", "level", "holder"}
    assert set(match["involved"]["holder"]) == {"oin", "name", "team", "contact"}
    assert (match["involved"]["level"], match["casusregisseur"]) == (2, None)


def actor_in(answer: httpx.Response) -> dict[str, Any]:
    """Return who acted, as the entry of the log says it and the answer opens it to him."""
    opened = answer.json()["receipt"]["openings"]["actor"]
    actor: dict[str, Any] = json.loads(b64url_bytes(opened["payload"], field="payload"))
    return actor


def test_scenario_1_a_jeugdteam_acts_under_its_moederorganisatie(desks: RegionDesks) -> None:
    """Given a jeugdteam that the register has under its moederorganisatie, then it acts as that and as no other."""
    jeugdteam, mieke = desks.partner(JEUGDTEAM, **INDEX), secrets.token_hex(8)
    body, before = judged(jeugdteam, mieke), desks.signals()
    # When: it names no moederorganisatie, or another one. Then: refused, and there is no signal.
    for other in (None, GI):
        refused = replace(jeugdteam, parent_org=other).post("/v1/signals", body, approved=True)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:sluis:problem:parent-org-mismatch")
        assert refused.json()["detail"].startswith("De moederorganisatie in dit verzoek is niet de organisatie")
    assert desks.signals() == before
    # When: the team leader did not agree. Then: refused, and the screen says whom to ask.
    alone = jeugdteam.post("/v1/signals", judged(jeugdteam, mieke))
    assert (alone.status_code, "leidinggevende" in str(alone.json()["possible"])) == (403, True)
    # When: she gives the signal under its moederorganisatie, and the team leader agreed.
    given = jeugdteam.post("/v1/signals", judged(jeugdteam, mieke), approved=True)
    # Then: it is kept, and the log says for which moederorganisatie, who asked, and who agreed.
    assert told(given)["text"]["id"] == "signal.stored"
    actor = actor_in(given)
    assert (actor["organisation"], actor["parent_org"]) == (JEUGDTEAM, MOEDERORGANISATIE)
    assert worker_id(JEUGDTEAM, "worker") in str(actor)
    assert worker_id(JEUGDTEAM, "approver") in str(actor)


def lines_of(desks: RegionDesks, oin: str, match_id: str) -> list[dict[str, Any]]:
    """Return what a municipality's coordinator reads of this match, as his own command prints it."""
    found = desks.listed(oin, "coordinated", worker="mara")
    return [one for one in found if one["matchId"] == match_id]


def test_scenario_1_both_teams_and_both_municipalities_are_told(desks: RegionDesks) -> None:
    """Given a guardian of another region, when the jeugdteam gives a signal, both teams and both regievoerders know."""
    # Given: a live signal of the guardian.
    guardian, jeugdteam, mieke = desks.partner(GI, **INDEX), desks.partner(JEUGDTEAM, **INDEX), secrets.token_hex(8)
    theirs = gives_signal(guardian, mieke)["signalId"]
    # When: the jeugdteam gives one too, with the team leader's agreement.
    own = gives_signal(jeugdteam, mieke)["signalId"]
    # Then: each reads whom to call and nothing else; nobody leads the plan yet; the clock of five working days runs.
    ((of_team,), (of_guardian,)) = (desks.matches(oin, one) for oin, one in ((JEUGDTEAM, own), (GI, theirs)))
    for match, other in ((of_team, GI), (of_guardian, JEUGDTEAM)):
        assert set(match["involved"]) == {"kind", "level", "holder"}
        assert set(match["involved"]["holder"]) == {"oin", "name", "team", "contact"}
        assert (match["involved"]["level"], match["involved"]["holder"]["oin"]) == (2, other)
        assert (match["state"], match["casusregisseur"]) == ("nieuw", None)
        assert match["dueOn"] == working_day_after(datetime.date.fromisoformat(match["madeOn"]), 5).isoformat()
    # Then: the municipality of Arnhem and the guardian's own both read who is to call whom by when, of no household.
    for oin in (GEMEENTE, GEMEENTE_NOORD_HOLLAND):
        assert (
            "twee teams gaan contact zoeken"
            in desks.run(oin, "inbox", "--role", "matchcoordinator", worker="mara").output
        )
        (line,) = lines_of(desks, oin, of_team["matchId"])
        assert {side["organisation"] for side in line["sides"]} == {GI, JEUGDTEAM}
        assert (line["dueOn"], line["contacted"], line["overdue"]) == (of_team["dueOn"], False, False)
        assert not {own, theirs} & set(str(line).split("'"))
    # When: the two spoke, and one of them says so. Then: both municipalities see that there was contact.
    desks.run(GI, "matches", "state", of_guardian["matchId"], "contact_gehad")
    for oin in (GEMEENTE, GEMEENTE_NOORD_HOLLAND):
        assert [one["contacted"] for one in lines_of(desks, oin, of_team["matchId"])] == [True]
