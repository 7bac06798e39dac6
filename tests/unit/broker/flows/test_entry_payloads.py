"""Payloads keep to their fixed sizes, whatever was found."""

from audit.entry import GROUPS, PAYLOAD_BYTES
from audit.seal import seal_entry
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import HITS_ROOM, MAX_HANDLES, SHIELDED_ROOM, Recording, entry_payloads

ACT = Act(
    type="check_household",
    kind="check",
    sha256="0" * 64,
    requester=Requester(
        organisation="0" * 20, worker="w" * 64, role="worker", parent_org="0" * 20, acr="a" * 64, jti="0" * 32
    ),
    controller="0" * 20,
    counts={"nlbsn": 13},
)


def test_more_handles_than_fit_are_counted() -> None:
    """The handles that fit stand in the entry in order, the others as a number; the entry can always be sealed."""
    handles = [f"{at:032x}" for at in range(70)]
    recording = Recording(outcome="nothing", bundle="0" * 64, register=1, document={}, handles=handles)
    payloads = entry_payloads(ACT, recording)
    subject = payloads["subject"]
    assert subject["handles"] == [f"{at:032x}" for at in range(MAX_HANDLES)]
    assert (subject["own"], subject["omitted"]) == (0, 70 - MAX_HANDLES)
    assert set(payloads) == set(GROUPS)
    assert seal_entry("check", payloads).kind == "check"


def test_own_handles_come_first_and_are_counted() -> None:
    """Which signals are the asker's own is told apart from those he hit, and none of them is left out."""
    hits = [f"{at:032x}" for at in range(MAX_HANDLES)]
    own = ["f" * 32, "e" * 32]
    recording = Recording(outcome="nothing", bundle="0" * 64, register=1, document={}, handles=hits, own_handles=own)
    payloads = entry_payloads(ACT, recording)
    handles = payloads["subject"]["handles"]
    assert isinstance(handles, list)
    assert (payloads["subject"]["own"], handles[:3]) == (2, ["e" * 32, "f" * 32, hits[0]])
    assert (len(handles), payloads["subject"]["omitted"]) == (MAX_HANDLES, 2)
    assert seal_entry("check", payloads).kind == "check"


def test_the_room_for_decisions_is_that_of_the_log() -> None:
    """What the flows fill is what the log pads, a mark and the rounding of our count apart."""
    for kind in ("check", "signal"):
        assert PAYLOAD_BYTES[kind]["hits"] > HITS_ROOM
        assert PAYLOAD_BYTES[kind]["shielded"] > SHIELDED_ROOM
