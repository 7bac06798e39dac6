"""Rosters: who works at an organisation, as one audience knows them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.roster import ContactCard, ContactCards, Roster, Worker, cards_document, roster_document
from broker.protocol.signed_document import SignedDocument
from tests.simulators.custodian import SimulatedPartner, seeded_key

PARTNER = SimulatedPartner()
ORGANISATION = PARTNER.organisation()
AUDIENCE = "broker.demo.sluis.test"
WORKERS = [
    Worker(sub="w1", roles=frozenset({"worker", "approver"}), broker_sub=None),
    Worker(sub="w2", roles=frozenset({"fg"}), broker_sub="b2"),
]
CARDS = [
    ContactCard(
        code="team-1",
        display_name="Wijkteam Noord",
        phone="026-1234567",
        working_days="ma-vr",
        after_hours_phone="0800-2000",
        stand_in="Wijkteam Zuid",
    ),
    ContactCard(
        code="team-2",
        display_name="Wijkteam Zuid",
        phone="026-7654321",
        working_days="ma-do",
        after_hours_phone=None,
        stand_in=None,
    ),
]


def document(**changes: Any) -> SignedDocument:  # noqa: ANN401 - any wrong value
    """Return an unsigned roster that holds, but for the changes."""
    made = roster_document(oin=PARTNER.oin, audience=AUDIENCE, number=3, workers=WORKERS, teams=CARDS)
    return SignedDocument(document={**made.document, **changes}, signatures=())


def read(unsigned: SignedDocument, *, signer: str = PARTNER.oin) -> Roster:
    """Return the roster after the organisation signed it."""
    text = unsigned.with_signature(signer, PARTNER.key).encode()
    return Roster.read(text, audience=AUDIENCE, organisation=ORGANISATION)


def test_a_roster_comes_back_as_it_was_made() -> None:
    """Workers and contact cards are read as they were stated, by their ids."""
    roster = read(document())
    assert (roster.oin, roster.audience, roster.number) == (PARTNER.oin, AUDIENCE, 3)
    assert roster.workers == {worker.sub: worker for worker in WORKERS}
    assert roster.teams == {card.code: card for card in CARDS}


def test_approval_by_the_meldcode_is_asked_unless_the_roster_says_no() -> None:
    """A roster that is silent asks a second person for every exception; only a plain "false" says otherwise."""
    assert read(document()).meldcode_approval
    assert read(document(meldcodeApproval=True)).meldcode_approval
    assert not read(document(meldcodeApproval=False)).meldcode_approval
    without = roster_document(
        oin=PARTNER.oin, audience=AUDIENCE, number=3, workers=WORKERS, teams=CARDS, meldcode_approval=False
    )
    assert without.document == document(meldcodeApproval=False).document


def test_only_the_organisation_itself_signs() -> None:
    """A stranger's signature, another name, or none at all is refused."""
    stranger = document().with_signature(PARTNER.oin, seeded_key("a stranger")).encode()
    for text in (stranger, document().encode()):
        with pytest.raises(SignatureError):
            Roster.read(text, audience=AUDIENCE, organisation=ORGANISATION)
    with pytest.raises(SignatureError):
        read(document(), signer="someone")


def test_a_key_that_is_being_replaced_still_signs() -> None:
    """Any of the organisation's keys in the register may sign, the older as well as the newer."""
    newer = seeded_key("newer").public
    organisation = replace(ORGANISATION, signing_keys={newer.kid: newer, **ORGANISATION.signing_keys})
    text = document().with_signature(PARTNER.oin, PARTNER.key).encode()
    assert Roster.read(text, audience=AUDIENCE, organisation=organisation).number == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"oin": "00000001001234560002"},
        {"oin": "x"},
        {"audience": "custodian-a.demo.sluis.test"},
        {"audience": None},
        {"number": 0},
        {"more": 1},
        {"meldcodeApproval": "no"},
        {"meldcodeApproval": None},
        {"workers": None},
        {"workers": [WORKERS[0].document()] * 2},
        {"workers": [{**WORKERS[0].document(), "roles": ["director"]}]},
        {"workers": [{**WORKERS[0].document(), "sub": ""}]},
        {"workers": [{**WORKERS[0].document(), "brokerSub": ""}]},
        {"workers": [{**WORKERS[0].document(), "sub": f"w{at}", "brokerSub": "one"} for at in range(2)]},
        {"workers": [{**WORKERS[0].document(), "sub": f"w{at}"} for at in range(101)]},
        {"teams": [CARDS[0].document()] * 2},
        {"teams": [{**CARDS[0].document(), "phone": ""}]},
        {"teams": [{**CARDS[0].document(), "standIn": "x" * 81}]},
        {"teams": [1]},
    ],
)
def test_a_roster_that_breaks_a_rule_is_refused(changes: dict[str, Any]) -> None:
    """Own organisation, this audience, each worker and team once, no more workers than the register's cap."""
    with pytest.raises(MalformedError):
        read(document(**changes))


def signed_cards(**changes: Any) -> str:  # noqa: ANN401 - any wrong value
    """Return the organisation's cards with its signature, but for the changes."""
    made = cards_document(oin=PARTNER.oin, number=3, teams=CARDS)
    changed = SignedDocument(document={**made.document, **changes}, signatures=())
    return changed.with_signature(PARTNER.oin, PARTNER.key).encode().decode()


def test_cards_are_signed_by_themselves_and_say_what_the_roster_says() -> None:
    """Whoever gets the cards from a roster reads them without it; a roster that says something else is refused."""
    roster = read(document(cards=signed_cards()))
    assert roster.cards == signed_cards()
    assert ContactCards.read(roster.cards, organisation=ORGANISATION).teams == roster.teams
    assert read(document()).cards is None
    for wrong in (1, None, signed_cards(teams=[CARDS[0].document()])):
        with pytest.raises(MalformedError):
            read(document(cards=wrong))


@pytest.mark.parametrize(
    "changes", [{"oin": "00000001001234560002"}, {"number": 0}, {"more": 1}, {"teams": [CARDS[0].document()] * 2}]
)
def test_cards_that_break_a_rule_are_refused(changes: dict[str, Any]) -> None:
    """Own organisation, a number, each team once, and nothing else."""
    with pytest.raises(MalformedError):
        ContactCards.read(signed_cards(**changes), organisation=ORGANISATION)


def test_cards_of_a_stranger_are_refused() -> None:
    """Only a key that the register states for the organisation counts."""
    text = cards_document(oin=PARTNER.oin, number=3, teams=CARDS).with_signature(PARTNER.oin, seeded_key("x")).encode()
    with pytest.raises(SignatureError):
        ContactCards.read(text, organisation=ORGANISATION)


def test_a_name_never_stands_in_a_roster() -> None:
    """A worker is an id and roles: a roster holds no member for a person's name."""
    assert set(json.loads(json.dumps(WORKERS[0].document()))) == {"sub", "roles", "brokerSub"}
