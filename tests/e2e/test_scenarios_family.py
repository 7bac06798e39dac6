"""Who in a family is shown to whom: Suzan's brother (4) and Trudy's family (7), on real processes.

Each test reads as Given, When, Then; what is printed is what a worker reads. The tests share one region.
"""

import json
import secrets
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

from broker.protocol.families import Family
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.region_desks import (
    GGZ,
    INDEX,
    RECLASSERING,
    VERSLAVINGSZORG,
    ZVH,
    RegionDesks,
    between,
    day,
    gives_signal,
    says_yes,
    told,
)
from tests.simulators.requesting import HUISARTS, POLITIE
from tests.simulators.wire_partner import WirePartner

ADULT = {"purpose": "volwassene", "ground": "TOEST"}
MELDING = {"purpose": "vt-melding", "ground": "WMO-5.1.6"}


def looks(
    partner: WirePartner, person: str, *, parents: Sequence[str] = (), members: Sequence[str] = (),
    proof: dict[str, Any] | None = None,
) -> httpx.Response:  # fmt: skip
    """Return the answer to a look at this person with his household."""
    made = partner.evaluate("check", {Family.NLBSN: [person, *members], Family.FAM: parents})
    return partner.post("/v1/household-checks", {**partner.checking(made), "proof": proof})


def reads(answer: dict[str, Any]) -> str:
    """Return everything that stands on the screen, without the number of the signal."""
    return json.dumps({**answer, "signalId": None}, sort_keys=True)


def shown(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return which organisations are shown, and why each."""
    return [(one["holder"]["oin"], one["kind"]) for one in answer["matches"]]


def proof(kind: str, *, until: str | None = None) -> dict[str, Any]:
    """Return a proof of today, as the broker gets it."""
    return {"kind": kind, "reference": secrets.token_hex(32), "since": day(0), "endsOn": until}


def decides_himself(desks: RegionDesks, request: str) -> None:
    """At addiction care a colleague may not read it; the professional who is named opens it."""
    opens = ("request", "read", request)
    assert "Bij jullie beslist de behandelaar zelf, per persoon." in desks.tells_refused(VERSLAVINGSZORG, *opens)
    desks.run(VERSLAVINGSZORG, "request", "forward", request, "--team", "team-1", "--to-worker", "bram")
    assert "Is er hulp voor de broer" in desks.run(VERSLAVINGSZORG, *opens, worker="bram").output


def is_known_to_the_reclassering(desks: RegionDesks, person: str, *, parents: Sequence[str] = ()) -> None:
    """The reclassering has a signal about this person, in the purpose of the test region, which any class may use."""
    reclassering = desks.partner(RECLASSERING, purpose="proefregio", ground="TEST-PROEFREGIO")
    told(reclassering.register(subject=person, parents=parents))


def rings_of_the_reclassering(desks: RegionDesks) -> int:
    """Return how many are waiting for the reclassering to call."""
    return len(desks.tells(RECLASSERING, "oproepen", "list")["rings"])


def test_scenario_4_the_school_never_reads_of_the_reclassering(desks: RegionDesks) -> None:
    """Given a brother with the reclassering, when others look at Suzan, then they read what they read of any child."""
    # Given: Suzan's brother, an adult, is known to the reclassering; another child's brother to nobody.
    suzan, brother, other, nobody = (secrets.token_hex(8) for _ in range(4))
    mother, another = secrets.token_hex(8), secrets.token_hex(8)
    is_known_to_the_reclassering(desks, brother, parents=[mother])
    # Given: the wijkteam is involved with both children.
    for child, parent in ((suzan, mother), (other, another)):
        gives_signal(desks.partner(WIJKTEAM, **INDEX), child, parents=[parent])
    # When: the school gives a signal about each, and looks. Then: the wijkteam, and not one letter more about Suzan.
    school = desks.partner(SCHOOL, **INDEX)
    families = ((suzan, brother, mother), (other, nobody, another))
    signals = [gives_signal(school, child, parents=[parent]) for child, _, parent in families]
    assert [shown(one) for one in signals] == [[(WIJKTEAM, "person")]] * 2
    assert reads(signals[0]) == reads(signals[1])
    looked = [told(looks(school, child, parents=[parent], members=[one])) for child, one, parent in families]
    assert reads(looked[0]) == reads(looked[1])
    # When: Veilig Thuis looks on a report, with the brother in the household. Then: it reads of no reclassering either.
    veilig_thuis = desks.partner(VEILIG_THUIS, **MELDING)
    looked = [
        told(looks(veilig_thuis, child, parents=[parent], members=[one], proof=proof("melding")))
        for child, one, parent in families
    ]
    assert shown(looked[0]) == [(WIJKTEAM, "person")]
    assert reads(looked[0]) == reads(looked[1])
    # Then: it was there to be found: the zorg- en veiligheidshuis, which the law lets, has it asked to call.
    before = rings_of_the_reclassering(desks)
    zvh = desks.partner(ZVH, purpose="casusoverleg", ground="WGS-ZVH")
    made = zvh.evaluate("oproep", {Family.NLBSN: [brother]})
    told(zvh.post("/v1/calls", {**zvh.checking(made), "proof": proof("zvh_besluit", until=day(30))}))
    assert rings_of_the_reclassering(desks) == before + 1


def test_scenario_4_addiction_care_may_answer_and_may_refuse(desks: RegionDesks) -> None:
    """Given a police report, when Veilig Thuis asks addiction care, then answering is a right, and no is an answer."""
    # Given: the police told Veilig Thuis, which reads it.
    text = desks.file(POLITIE, "text.txt", "Vannacht is de broer van Suzan gewelddadig geweest.")
    tells = ("--purpose", "vt-melding", "--ground", "WPG-18", *between(VEILIG_THUIS), "--category", "veiligheid")
    report = desks.sends(POLITIE, "tell", *tells, "--text", text)
    assert "Vannacht is de broer" in desks.run(VEILIG_THUIS, "request", "read", report).output
    # When: it asks addiction care, and the professional himself refuses. Then: that is allowed, and he reads so.
    number = desks.file(VEILIG_THUIS, "number", "VT-2026-0451")
    question = desks.file(VEILIG_THUIS, "question.txt", "Is er hulp voor de broer, en sinds wanneer?")
    asks = (
        "request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", *between(VERSLAVINGSZORG),
        "--category", "hulp", "--text", question, "--proof", f"melding:{day(0)}", "--proof-number", number,
    )  # fmt: skip
    asked = desks.sends(VEILIG_THUIS, *asks)
    decides_himself(desks, asked)
    refuses = ("answer", asked, "--kind", "declined", "--reason", "professional_secrecy")
    before = desks.follows()
    refused = desks.run(VERSLAVINGSZORG, *refuses, worker="bram").output
    assert refused.startswith("Vastgelegd: niet gedeeld (dat mag).")
    # Then: Veilig Thuis reads that it was not shared, that this is allowed, and not why; and nothing follows from it.
    read = desks.tells(VEILIG_THUIS, "request", "read", asked)
    assert (read["request"]["state"], read["request"]["answer"]["reason"]) == ("declined", None)
    assert desks.follows() - before == Counter([(VEILIG_THUIS, "answer")])
    # When: Veilig Thuis asks again, with a new reason. Then: he may answer now, on the law, and it is read.
    again = desks.sends(VEILIG_THUIS, *asks)
    decides_himself(desks, again)
    answer = desks.file(VERSLAVINGSZORG, "answer.txt", "Sinds april, elke week.")
    answers = ("answer", again, "--kind", "all", "--category", "hulp", "--ground", "WMO-5.2.6", "--text", answer)
    desks.run(VERSLAVINGSZORG, *answers, worker="bram")
    assert "Sinds april, elke week." in desks.run(VEILIG_THUIS, "request", "read", again).output


def is_involved_with_trudy(desks: RegionDesks, oin: str, trudy: str, *, shows_to: str) -> None:
    """An organisation is involved with Trudy, and she said yes to showing that to this other one."""
    partner = desks.partner(oin, **ADULT)
    says_yes(partner, trudy, parties=[shows_to])
    gives_signal(partner, trudy)


def test_scenario_7_each_yes_of_trudy_opens_the_one_she_names(desks: RegionDesks) -> None:
    """Given two holders, when Trudy says yes to one of them, then the wijkteam is shown that one, and not the other."""
    # Given: her general practitioner and the ggz are involved, which they may show each other, and nobody else.
    trudy = secrets.token_hex(8)
    for oin, to in ((HUISARTS, GGZ), (GGZ, HUISARTS)):
        is_involved_with_trudy(desks, oin, trudy, shows_to=to)
    # When: the wijkteam looks, in the index for youths or for an adult, without a yes. Then: refused, and why.
    for purpose in (INDEX, ADULT):
        refused = looks(desks.partner(WIJKTEAM, **purpose), trudy)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:sluis:problem:refused")
        assert refused.json()["detail"].startswith("Dit mag je hier niet opvragen, omdat ")
        assert refused.json()["possible"]
    # When: she says yes to the general practitioner. Then: he is shown; nobody learns that the ggz is involved too.
    team = desks.partner(WIJKTEAM, **ADULT)
    says_yes(team, trudy, parties=[HUISARTS])
    assert shown(told(looks(team, trudy))) == [(HUISARTS, "person")]
    # When: she says yes to the ggz as well. Then: both are shown.
    says_yes(team, trudy, parties=[GGZ])
    assert {oin for oin, _ in shown(told(looks(team, trudy)))} == {HUISARTS, GGZ}


def test_scenario_7_the_grandchild_is_signalled_and_trudy_stays_unseen(desks: RegionDesks) -> None:
    """Given a grandchild at Trudy's, when it is signalled by itself, then nobody reads of Trudy or of her daughter."""
    # Given: wijkteam and general practitioner are involved with Trudy, the reclassering with her daughter.
    trudy, daughter, child = (secrets.token_hex(8) for _ in range(3))
    others = [secrets.token_hex(8) for _ in range(3)]
    for oin, to in ((WIJKTEAM, HUISARTS), (HUISARTS, WIJKTEAM)):
        is_involved_with_trudy(desks, oin, trudy, shows_to=to)
    is_known_to_the_reclassering(desks, daughter, parents=[trudy])
    # When: the kindcheck: the wijkteam gives a signal about the grandchild, and about one of whom nothing is known.
    families = ((child, daughter, trudy), others)
    for grandchild, mother, _ in families:
        given = gives_signal(desks.partner(WIJKTEAM, **INDEX), grandchild, parents=[mother])
        assert given["matches"] == []
    # Then: the school, with a signal of its own, reads of the wijkteam for that child, and the same of both.
    school, veilig_thuis = desks.partner(SCHOOL, **INDEX), desks.partner(VEILIG_THUIS, **MELDING)
    signals = [gives_signal(school, grandchild, parents=[mother]) for grandchild, mother, _ in families]
    assert shown(signals[0]) == [(WIJKTEAM, "person")]
    assert reads(signals[0]) == reads(signals[1])
    # Then: so does Veilig Thuis, which on a report looks at the whole household, mother and grandmother with it.
    looked = [
        told(looks(veilig_thuis, grandchild, parents=[mother], members=[mother, grandmother], proof=proof("melding")))
        for grandchild, mother, grandmother in families
    ]
    assert shown(looked[0]) == [(WIJKTEAM, "person")]
    assert reads(looked[0]) == reads(looked[1])
    # Then: with Trudy's yes the general practitioner is shown, and still nothing of her daughter.
    assert shown(told(looks(desks.partner(WIJKTEAM, **ADULT), trudy))) == [(HUISARTS, "person")]
