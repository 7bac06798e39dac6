"""Whom one calls is what the register and the organisation itself say; what the broker says instead is not shown."""

from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from broker.protocol.call_messages import Caller, Ring, RingsResult
from broker.protocol.directory_messages import Directory, DirectoryEntry
from broker.protocol.match_messages import CoordinatedMatch, CoordinatedResult, CoordinatedSide, MatchesResult
from broker.protocol.messages import Contact, TextRef
from broker.protocol.roster import ContactCard, cards_document
from connectors.answers import Outcome
from connectors.contacts import UNSIGNED, Contacts, UnsignedContact, contact_line, contact_of
from connectors.coordinated_lines import coordinated_lines
from tests.simulators.asking import household
from tests.simulators.enrolled import NAMES, VEILIG_THUIS, WIJKTEAM, key
from tests.simulators.reviewing_partner import Bridged
from tests.simulators.served_desks import Desks, enrolled_desks

CARD = ContactCard(
    code="team-1", display_name="Team 1", phone="026 111 1111", working_days="ma-vr", after_hours_phone=None,
    stand_in=None,
)  # fmt: skip
FALSE = Contact(
    display_name="Team 1", phone="06 66666666", working_days="ma-vr", after_hours_phone=None, stand_in=None
)  # fmt: skip
TEXT = TextRef(id="call.rings", params={})
DAY = "2026-11-22"


class Broken(Bridged):
    """The way to a broker whose directory is this, whatever it says."""

    def __init__(self, *given: Any, status: int, body: bytes) -> None:  # noqa: ANN401 - as the way to it is made
        super().__init__(*given)
        self.status, self.body = status, body

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the broker's answer, or the directory."""
        if request.url.path == "/v1/organisations":
            return httpx.Response(self.status, content=self.body)
        return await super().handle_async_request(request)


def listed(oin: str = WIJKTEAM, *, number: int = 1, signer: str = WIJKTEAM, of: str = WIJKTEAM) -> Directory:
    """Return a directory in which one organisation has cards, signed by this one."""
    cards = cards_document(oin=of, number=number, teams=[replace(CARD, phone=f"026 {number}")])
    text = cards.with_signature(of, key(signer)).encode().decode()
    entry = DirectoryEntry(oin=oin, name="x", org_class="wijkteam", teams=[], cards=text)
    return Directory(register_number=1, organisations=[entry])


def outcome_of(details: Any) -> Outcome:  # noqa: ANN401 - a telling of any schema
    """Return an outcome that tells this."""
    return Outcome(
        row="", outcome="done", text_nl="", matches=(), signal_id=None, signals=(), receipts=(), details=details
    )  # fmt: skip


def contacts_at(desks: Desks) -> Contacts:
    """Return the cards that Veilig Thuis keeps."""
    folder = desks.folder(VEILIG_THUIS)
    return Contacts(folder.casebook(), folder)


async def test_a_match_shows_the_number_that_the_team_signed(desks: Desks) -> None:
    """Before the inbox was fetched a number is marked as not signed; after, it is the team's own."""
    for oin in (WIJKTEAM, VEILIG_THUIS):
        assert (await desks.world.register(oin, household(subject="child"))).status_code == 200
    assert UNSIGNED in (await desks.run(VEILIG_THUIS, "matches", "list")).output
    await desks.run(VEILIG_THUIS, "inbox", "--fetch-only")
    shown = (await desks.run(VEILIG_THUIS, "matches", "list")).output
    assert "026 000 0000 (ma-vr)" in shown
    assert UNSIGNED not in shown
    assert UNSIGNED not in (await desks.run(VEILIG_THUIS, "night-card")).output
    async with desks.client(VEILIG_THUIS) as client:
        outcome = await client.desk.delivery.read("/v1/matches", worker="anna")
        assert isinstance(outcome.details, MatchesResult)
        (match,) = outcome.details.found
        lie = match.involved.holder.model_copy(update={"name": "Veilig Thuis", "contact": FALSE})
        told = match.model_copy(update={"involved": match.involved.model_copy(update={"holder": lie})})
        misled = replace(outcome, details=outcome.details.model_copy(update={"found": [told]}))
        assert contacts_at(desks).told(misled) == outcome


async def test_only_what_an_organisation_signed_is_kept_and_never_an_older_one(desks: Desks) -> None:
    """A number that goes back, another signer, another organisation's cards, or no cards at all change nothing."""
    contacts = contacts_at(desks)
    contacts.keep(listed(signer=VEILIG_THUIS))
    contacts.keep(listed(VEILIG_THUIS))
    contacts.keep(listed("9" * 20, of="9" * 20))
    assert [contacts.cards_of(oin) for oin in (WIJKTEAM, VEILIG_THUIS, "9" * 20)] == [None, None, None]
    for number, newest in ((2, 2), (1, 2), (3, 3)):
        contacts.keep(listed(number=number))
        cards = contacts.cards_of(WIJKTEAM)
        assert cards is not None
        assert (cards.number, cards.teams["team-1"].phone) == (newest, f"026 {newest}")


async def test_cards_of_a_key_that_was_replaced_count_no_more(desks: Desks) -> None:
    """Once the register states another key, what the former signed is as good as not signed."""
    contacts = contacts_at(desks)
    contacts.keep(listed())
    newer = replace(enrolled_desks(), number=2, keys={WIJKTEAM: ("a key of the wijkteam that is new",)})
    desks.folder(VEILIG_THUIS).import_register(newer.register_document().encode())
    assert contacts.cards_of(WIJKTEAM) is None


async def test_a_directory_that_cannot_be_had_ends_no_inbox(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fetched before goes on; a night card is not made of half a directory."""
    for status, body in ((200, b"{"), (200, b'{"registerNumber": 1}'), (503, b"")):
        network = Broken(desks.world.app, desks.loop, status=status, body=body)
        monkeypatch.setattr(
            "connectors.client.Surroundings", lambda network=network: replace(desks.surroundings, transport=network)
        )
        assert "Er is niets nieuws." in (await desks.run(VEILIG_THUIS, "inbox")).output
        await desks.run(VEILIG_THUIS, "night-card", expect=1)


async def test_who_asks_to_be_called_is_reached_at_a_number_of_his_own(desks: Desks) -> None:
    """Of an oproep any team's signed card will do; another number is not shown, an unsigned one is marked."""
    contacts = contacts_at(desks)

    def caller(stated: Contact | None, oin: str = WIJKTEAM) -> Caller:
        ring = Ring.model_construct(
            ring_id="a" * 32, signal_id="b" * 32, team="team-1", purpose="vt-melding", state="accepted",
            asked_until=DAY, caller=Caller(oin=oin, name="Veilig Thuis", contact=stated),
        )  # fmt: skip
        rings = RingsResult.model_construct(schema_="rings/v1", outcome="done", text=TEXT, rings=[ring])
        details = contacts.told(outcome_of(rings)).details
        assert isinstance(details, RingsResult)
        return details.rings[0].caller

    unsigned = caller(FALSE)
    assert isinstance(unsigned.contact, UnsignedContact)
    assert (unsigned.name, contact_line(unsigned.contact)) == (
        NAMES[WIJKTEAM][0],
        f"Team 1, 06 66666666 (ma-vr) [{UNSIGNED}]",
    )
    contacts.keep(listed())
    signed = contact_of(replace(CARD, phone="026 1"))
    assert caller(signed).contact == signed
    assert contact_line(signed) == "Team 1, 026 1 (ma-vr)"
    assert [caller(FALSE).contact, caller(None).contact] == [None, None]
    assert caller(None, "9" * 20).name == f"onbekende organisatie {'9' * 20}"


async def test_a_coordinator_reads_the_registers_names(desks: Desks) -> None:
    """Of the two teams that are to contact each other, too."""
    both = (WIJKTEAM, VEILIG_THUIS)
    sides = [CoordinatedSide(organisation=oin, name="x", team="team-1", state="nieuw") for oin in both]
    match = CoordinatedMatch.model_construct(
        match_id="a" * 32, sides=sides, made_on=DAY, due_on=DAY, contacted=False, overdue=False, casusregisseurs=0
    )  # fmt: skip
    details = CoordinatedResult.model_construct(
        schema_="coordinated/v1", outcome="done", text=TEXT, found=[match], more_after=None
    )  # fmt: skip
    told = contacts_at(desks).told(outcome_of(details)).details
    assert isinstance(told, CoordinatedResult)
    assert [side.name for side in told.found[0].sides] == [NAMES[oin][0] for oin in both]


def coordinated(match_id: str, **changed: Any) -> CoordinatedMatch:  # noqa: ANN401 - members of a match
    """Return a match as its coordinator is told it."""
    both = (WIJKTEAM, VEILIG_THUIS)
    sides = [CoordinatedSide(organisation=oin, name=NAMES[oin][0], team="team-1", state="nieuw") for oin in both]
    day = date.fromisoformat(DAY)
    members = {"made_on": day, "due_on": day, "contacted": False, "overdue": False, "casusregisseurs": 1, **changed}
    return CoordinatedMatch.model_construct(match_id=match_id, sides=sides, **members)


async def test_a_coordinator_reads_what_is_late_first_and_whom_to_call(desks: Desks) -> None:
    """Late, then what waits by its last day, then if asked what had contact; with the signed numbers of both."""
    contacts = contacts_at(desks)
    contacts.keep(listed())
    found = [
        coordinated("spoke", contacted=True),
        coordinated("waits"),
        coordinated("sooner", due_on=date(2026, 1, 1)),
        coordinated("late", overdue=True, casusregisseurs=2),
    ]

    def ids(*, everything: bool) -> list[str]:
        lines = coordinated_lines(found, contacts=contacts, everything=everything)
        return [line.split("  ", 1)[0] for line in lines if "  " in line.strip() and not line.startswith(" ")]

    assert ids(everything=False) == ["late", "sooner", "waits"]
    assert ids(everything=True) == ["late", "sooner", "waits", "spoke"]
    lines = list(coordinated_lines(found, contacts=contacts, everything=False))
    assert lines[0] == "late  TE LAAT: er moest uiterlijk 22 november 2026 contact zijn"
    assert lines[1] == f"  {NAMES[WIJKTEAM][0]} team-1 (nieuw): Team 1, 026 1 (ma-vr)"
    assert lines[2] == f"  {NAMES[VEILIG_THUIS][0]} team-1 (nieuw): geen nummer bekend: haal eerst de inbox op"
    assert (
        lines[3] == "  Er zijn 2 casusregisseurs. Misschien weten zij niet van elkaar: noem de een niet bij de ander."
    )
    assert lines[-1] == "Contact geweest: 1. Laat ze zien met --all."
    assert list(coordinated_lines([], contacts=contacts, everything=False)) == ["Er wacht niets op contact."]
