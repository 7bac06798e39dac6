"""The oproep at the desk of who is asked, over a broker that serves: read it, decide, and the asker reads the same."""

import datetime
from typing import Any

import pytest

from connectors.casebook import OwnSignal
from connectors.contacts import Contacts
from connectors.errors import CaseError, RefusedError
from tests.simulators.asking import household
from tests.simulators.calling import call_body
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import HUISARTS
from tests.simulators.served_desks import Desks
from tests.unit.connectors.test_contacts import listed


async def rung(desks: Desks, child: str = "child") -> dict[str, Any]:
    """Return the ring at the huisarts about a child, after an oproep of Veilig Thuis."""
    registered = await desks.world.register(HUISARTS, household(subject=child))
    assert registered.status_code == 200, registered.text
    asker = desks.world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6")
    sent = await desks.world.send(asker.post("/v1/calls", call_body(asker, household(subject=child, members=[]))))
    assert sent.status_code == 200, sent.text
    signal = registered.json()["result"]["signalId"]
    rings = (await desks.tells(HUISARTS, "oproepen", "list"))["rings"]
    (ring,) = [one for one in rings if one["signalId"] == signal]
    assert isinstance(ring, dict)
    return ring


async def test_who_accepts_reads_the_number_and_who_asked_reads_nothing_new(desks: Desks) -> None:
    """The question is shown without a number; once accepted the number is there; the asker's list never changes."""
    ring = await rung(desks)
    assert "Wil je bellen?" in ring["received_nl"]
    assert ring["caller"]["contact"] is None
    before = (await desks.run(VEILIG_THUIS, "oproepen", "sent")).output
    assert "Hoor je niets? Dan weet je" in before
    accepted = (await desks.run(HUISARTS, "oproepen", "accept", ring["ringId"])).output
    assert accepted.startswith("Je kunt nu bellen.")
    assert "Waarvoor: vt-melding." in accepted
    assert f"sluis-connect bel nu --tell --to {VEILIG_THUIS} --purpose vt-melding" in accepted.replace("\n", " ")
    assert "Bewijs nagekeken: logregel" in accepted
    assert "Bel Veilig Thuis Gelderland-Midden: Team 1 Veilig Thuis Gelderland-Midden, 026 000 0000" in accepted
    assert "026 000 0000" in (await desks.run(HUISARTS, "oproepen", "list")).output
    assert (await desks.run(VEILIG_THUIS, "oproepen", "sent")).output == before
    (sent,) = (await desks.tells(VEILIG_THUIS, "oproepen", "sent"))["calls"]
    assert set(sent) == {"callId", "purpose", "team", "caseRef", "askedUntil"}
    again = await desks.tells_refused(HUISARTS, "oproepen", "decline", ring["ringId"])
    assert "Over deze oproep is al beslist." in again


async def test_declining_is_a_right_and_forwarding_stays_inside(desks: Desks) -> None:
    """A decline says what the law says and shows no number; a forwarded ring is at the other team, still waiting."""
    first, second = await rung(desks), await rung(desks, "other")
    declined = await desks.tells(HUISARTS, "oproepen", "decline", first["ringId"])
    assert declined["text_nl"].startswith("Vastgelegd: jullie bellen niet. Wettelijk mag je weigeren.")
    assert "Volgens de meldcode hoor je te melden bij acute of structurele onveiligheid." in declined["text_nl"]
    assert (declined["state"], declined["caller"]["contact"]) == ("declined", None)
    forwarded = await desks.tells(HUISARTS, "oproepen", "forward", second["ringId"], "team-2")
    assert (forwarded["team"], forwarded["state"]) == ("team-2", "waiting")
    refused = await desks.run(HUISARTS, "oproepen", "forward", second["ringId"], "team-9", expect=1)
    assert "026" not in refused.output


async def test_an_oproep_of_another_reads_as_none_and_a_malformed_id_never_leaves(desks: Desks) -> None:
    """Who is not asked cannot decide; what is no id is named here, and the broker hears nothing."""
    ring = await rung(desks)
    async with desks.client(WIJKTEAM) as client:
        with pytest.raises(RefusedError) as refused:
            await client.calling.accept(ring["ringId"])
        assert refused.value.problem.id == "not-found"
        before = desks.world.leaves
        with pytest.raises(CaseError, match="32 lower-case hex"):
            await client.calling.decline("../calls")
        assert desks.world.leaves == before
    await desks.run(WIJKTEAM, "oproepen", "accept", "F" * 32, expect=2)


async def test_every_page_is_read_once(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full page is asked on after its last; nothing is told twice and nothing is left out."""
    for child in ("one", "two", "three"):
        await rung(desks, child)
    async with desks.client(HUISARTS) as holder, desks.client(VEILIG_THUIS) as asker:
        whole = await holder.calling.rings(), await asker.calling.sent()
        monkeypatch.setattr("connectors.calling.CALLS_PER_PAGE", 1)
        paged = await holder.calling.rings(), await asker.calling.sent()
    assert paged == whole
    assert [len(page) for page in whole] == [3, 3]


async def test_an_own_case_stands_beside_the_oproep(desks: Desks) -> None:
    """Where the casebook knows the signal, its reference is shown here; it never left."""
    ring = await rung(desks)
    known = OwnSignal(
        signal_id=ring["signalId"], case_ref="patient 17", purpose="proefregio", team="team-1",
        ends_on=datetime.date(2027, 5, 1), state="active", receipt=None,
    )  # fmt: skip
    async with desks.client(HUISARTS) as client:
        client.desk.book.put_signal(known)
        (own,) = await client.calling.rings()
    assert own.case_ref == "patient 17"
    assert "jullie zaak patient 17" in (await desks.run(HUISARTS, "oproepen", "list")).output


async def test_an_oproep_that_was_sent_says_about_which_own_case(desks: Desks) -> None:
    """The casebook knows the case by the HMAC that left; an oproep of which it does not is listed without one."""
    ring = await rung(desks)
    known = OwnSignal(
        signal_id=ring["signalId"], case_ref="zaak 4", purpose="vt-melding", team="team-1",
        ends_on=datetime.date(2027, 5, 1), state="active", receipt=None,
    )  # fmt: skip
    assert "jullie zaak" not in (await desks.run(VEILIG_THUIS, "oproepen", "sent")).output
    async with desks.client(VEILIG_THUIS) as client:
        client.desk.book.put_signal(known)
        reference = client.desk.folder.case_ref_key.mac(b"case\x00zaak 4").hex()
    desks.world.write("UPDATE calls SET case_ref = ?", reference)
    assert "jullie zaak zaak 4" in (await desks.run(VEILIG_THUIS, "oproepen", "sent")).output


async def test_who_accepts_reads_a_number_that_changed_since_the_last_fetch(desks: Desks) -> None:
    """The signed cards are fetched anew before a decision; one that still differs is said, and no number is made up."""
    ring = await rung(desks)
    (entry,) = listed(VEILIG_THUIS, signer=VEILIG_THUIS, of=VEILIG_THUIS).organisations
    async with desks.client(HUISARTS) as client:
        Contacts(client.desk.book, client.desk.folder)
        with client.desk.book.transaction() as database:
            database.execute("INSERT INTO contact_cards VALUES (?, 0, ?)", (VEILIG_THUIS, entry.cards))
    accepted = (await desks.run(HUISARTS, "oproepen", "accept", ring["ringId"])).output
    assert "Bel Veilig Thuis Gelderland-Midden: Team 1" in accepted
    async with desks.client(HUISARTS) as client:
        with client.desk.book.transaction() as database:
            query = "UPDATE contact_cards SET number = 9, document = ? WHERE oin = ?"
            database.execute(query, (entry.cards, VEILIG_THUIS))
    shown = (await desks.run(HUISARTS, "oproepen", "list")).output.replace("\n", " ")
    assert "tekende zelf een ander nummer dan Sluis noemt. Zoek het nummer zelf op" in shown
    assert "026 " not in shown.replace("2026 ", "")
