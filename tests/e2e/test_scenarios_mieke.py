"""What follows when Mieke's teams know of each other: scenario 1, on real processes, at desks of the partners.

Each test reads as Given, When, Then; what is printed is what a worker reads. The tests share one region.
"""

import secrets

from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM, worker_id
from tests.simulators.region_desks import INDEX, RegionDesks, between, day, gives_signal, judged, told


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
