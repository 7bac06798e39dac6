"""The oproep and the telephone, on real processes: a GGZ team is involved, Veilig Thuis works on a melding.

Each test reads as Given, When, Then; the texts are those on the screen.
"""

import datetime
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from broker.protocol.families import Family
from broker.protocol.own_ids import CHANCE_BYTES, own_id
from broker.protocol.problems import render
from tests.simulators.enrolled import NAMES, SCHOOL, VEILIG_THUIS, Enrolled
from tests.simulators.region import Region, running_region
from tests.simulators.wire_partner import WirePartner

GGZ = SCHOOL
SENT = (
    "Je oproep is verstuurd. Wie betrokken is en contact mag opnemen, belt je zelf. Heb je vóór {date} niets gehoord? "
    "Dan weet je **niet** of er iemand betrokken is."
)
RECEIVED = "Veilig Thuis Gelderland-Midden heeft een vraag over iemand bij wie jij betrokken bent. Wil je bellen?"


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """A region in which a GGZ institution takes part."""
    enrolled = Enrolled(names={**NAMES, GGZ: ("Ggz De Sluis", "ggz")})
    with running_region(tmp_path_factory.mktemp("calls") / "region", enrolled=enrolled) as running:
        yield running


@pytest.fixture
def ggz(region: Region) -> WirePartner:
    """A treating team of the GGZ."""
    return region.partner(GGZ)


@pytest.fixture
def veilig_thuis(region: Region) -> WirePartner:
    """A worker of Veilig Thuis."""
    return replace(region.partner(VEILIG_THUIS), purpose="vt-melding", ground="WMO-5.1.6")


def today() -> datetime.date:
    """Return the day of the machine, by which the broker's process goes."""
    return datetime.datetime.now(datetime.UTC).date()


def melding() -> dict[str, Any]:
    """Return a melding of last week, whose number only Veilig Thuis can read."""
    since = today() - datetime.timedelta(7)
    return {"kind": "melding", "reference": "e" * 64, "since": since.isoformat(), "endsOn": None}


def told(answer: httpx.Response) -> dict[str, Any]:
    """Return what an answer says, once it is one."""
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def is_involved(ggz: WirePartner, child: str) -> str:
    """The GGZ has a signal on a child; return its id."""
    signal = told(ggz.register(subject=child))["signalId"]
    assert isinstance(signal, str)
    return signal


def sends_an_oproep(asker: WirePartner, child: str) -> dict[str, Any]:
    """Return what Veilig Thuis reads of its oproep about a child."""
    made = asker.evaluate("oproep", {Family.NLBSN: [child]})
    return told(asker.post("/v1/calls", {**asker.checking(made), "proof": melding()}))


def rings(ggz: WirePartner, signal: str) -> list[dict[str, Any]]:
    """Return what asks the GGZ to call about this signal."""
    return [ring for ring in told(ggz.get("/v1/calls/rings"))["rings"] if ring["signalId"] == signal]


def decides(ggz: WirePartner, ring: str, choice: str) -> dict[str, Any]:
    """Return what the GGZ reads once it has decided."""
    return told(ggz.post(f"/v1/calls/rings/{ring}/answers", {**statement(ggz), "answer": choice, "team": None}))


def statement(partner: WirePartner, **members: object) -> dict[str, Any]:
    """Return the body of an act without tokens."""
    key = own_id(partner.oin, secrets.token_bytes(CHANCE_BYTES))
    command = {"idempotencyKey": key, "controller": partner.oin, "caseRef": None}
    return {**command, **members}


@pytest.mark.parametrize("choice", ["accept", "decline"])
def test_the_ggz_decides_itself_and_veilig_thuis_reads_the_same(
    veilig_thuis: WirePartner, ggz: WirePartner, choice: str
) -> None:
    """Given a melding and a GGZ that is involved, when Veilig Thuis sends an oproep, the GGZ chooses."""
    # Given: the GGZ treats a child; a second child is treated by nobody.
    signal = is_involved(ggz, f"child {choice}")
    # When: Veilig Thuis sends an oproep about each.
    sent, nothing = (sends_an_oproep(veilig_thuis, f"{who} {choice}") for who in ("child", "other child"))
    # Then: both answers say the same, in the words of the screen.
    assert sent["text"] == nothing["text"]
    assert render(sent["text"]["id"], sent["text"]["params"]) == SENT.format(**sent["text"]["params"])
    # Then: the team of the GGZ is asked, and does not read yet how to reach who asks.
    (ring,) = rings(ggz, signal)
    assert render("call.received", {"organisation": ring["caller"]["name"]}) == RECEIVED
    assert ring["caller"]["contact"] is None
    before = told(veilig_thuis.get("/v1/calls"))
    # When: it decides.
    (decided,) = decides(ggz, ring["ringId"], choice)["rings"]
    # Then: who will call reads the number; and Veilig Thuis reads what it read before.
    assert (decided["caller"]["contact"] is not None) == (choice == "accept")
    assert told(veilig_thuis.get("/v1/calls")) == before


def test_veilig_thuis_phones_and_the_ggz_knows_who_calls(veilig_thuis: WirePartner, ggz: WirePartner) -> None:
    """Given a call that was announced, when the GGZ hears the belcode, it knows who calls, and answers orally."""
    # Given: Veilig Thuis phones.
    asked = {
        "purpose": "vt-melding", "grounds": ["WMO-5.1.6"], "team": "team-1", "to": GGZ, "toTeam": "team-1",
        "signalId": None, "categories": ["veiligheid"], "level": 3, "proof": melding(),
    }  # fmt: skip
    (call,) = told(veilig_thuis.post("/v1/phone-calls", statement(veilig_thuis, **asked)))["phoneCalls"]
    # When: somebody else says a code. Then: nothing is told.
    wrong = f"{(int(call['code']) + 1) % 10**6:06d}"
    refused = ggz.post("/v1/phone-calls/verifications", statement(ggz, code=wrong))
    assert refused.json()["type"] == "urn:sluis:problem:belcode-wrong"
    # When: the right one is said. Then: the GGZ reads who calls.
    (known,) = told(ggz.post("/v1/phone-calls/verifications", statement(ggz, code=call["code"])))["phoneCalls"]
    assert known["caller"]["name"] == "Veilig Thuis Gelderland-Midden"
    # When: it has answered. Then: one act says so, and both sides read it.
    answered = {"categories": ["veiligheid"], "level": 3, "grounds": ["WMO-5.2.6"], "signalId": None, "proof": None}
    path = f"/v1/phone-calls/{call['callId']}/oral-answers"
    assert told(ggz.post(path, statement(ggz, **answered)))["text"]["id"] == "phone.oral"
    listed = told(veilig_thuis.get("/v1/phone-calls"))["phoneCalls"]
    assert listed[0]["oral"]["categories"] == ["veiligheid"]
