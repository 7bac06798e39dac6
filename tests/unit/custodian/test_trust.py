"""Whom a custodian trusts: its own registrars, its own enrolments, rosters that hold under the register in force."""

import json
from pathlib import Path

import pytest

from broker.custodian import folder
from broker.custodian.errors import ImportRefusedError, RefusedError, StoreError
from broker.protocol.errors import MalformedError, ProtocolError, SignatureError
from broker.protocol.roster import Worker, roster_document
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey
from tests.simulators.custodian import (
    CUSTODIANS,
    REGISTRARS,
    CustodianPair,
    SimulatedPartner,
    batch,
    import_register,
    make_folder,
    register_text,
    seeded_key,
)

A = CUSTODIANS[0]
OTHER = SimulatedPartner(oin="00000001001234560002")


@pytest.mark.parametrize("number", [1, 0, -1])
def test_a_register_that_is_not_newer_is_refused(pair: CustodianPair, partner: SimulatedPartner, number: int) -> None:
    """A party takes only a number higher than the one it has."""
    with pytest.raises((ImportRefusedError, MalformedError)):
        import_register(pair.folders[0], register_text([partner], number=number), now=pair.clock.now)
    register = pair.custodians[0].trust.current().register
    assert register is not None
    assert register.number == 1


@pytest.mark.parametrize(
    "signers",
    [
        [],
        REGISTRARS[:1],
        [REGISTRARS[0], seeded_key("a third registrar")],
        [seeded_key("broker's registrar 1"), seeded_key("broker's registrar 2")],
    ],
)
def test_a_register_needs_two_of_the_own_registrars(
    pair: CustodianPair, partner: SimulatedPartner, signers: list[SigningKey]
) -> None:
    """Registrars that someone else pinned, the broker included, cannot change whom this custodian serves."""
    with pytest.raises(SignatureError):
        import_register(pair.folders[0], register_text([partner], number=2, signers=signers), now=1)


def test_a_stored_register_is_verified_at_every_load(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Whoever changes the register in the database stops the custodian and cannot widen what it serves."""
    store = pair.custodians[0].store
    forged = register_text([partner, OTHER], number=9, signers=REGISTRARS[:1])
    store.change("INSERT INTO register VALUES (9, ?, 1)", forged)
    store.set_number("trust_revision", 99)
    with pytest.raises(StoreError):
        pair.ask(0, partner, batch())


def test_a_roster_number_must_rise(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """An older or equal roster never replaces a newer one."""
    trust = pair.custodians[0].trust
    with pytest.raises(ImportRefusedError):
        trust.import_roster(partner.roster(A, number=1))
    assert trust.import_roster(partner.roster(A, number=2)).number == 2
    with pytest.raises(ImportRefusedError):
        trust.import_roster(partner.roster(A, number=1))


def test_a_worker_who_left_the_roster_is_unknown(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """The new roster holds from the next request on."""
    pair.ask(0, partner, batch())
    fewer = SimulatedPartner(workers={"bram": "worker"})
    pair.custodians[0].trust.import_roster(fewer.roster(A, number=2))
    with pytest.raises(RefusedError, match="worker-unknown"):
        pair.ask(0, partner, batch())


def test_only_an_enrolled_organisation_has_a_roster(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A roster is imported after enrolment, and an organisation is enrolled once, with its own roster."""
    trust = pair.custodians[0].trust
    import_register(pair.folders[0], register_text([partner, OTHER], number=2), now=1)
    with pytest.raises(ImportRefusedError, match="not enrolled"):
        trust.import_roster(OTHER.roster(A))
    with pytest.raises(ImportRefusedError, match="another organisation"):
        trust.enrol(OTHER.oin, partner.roster(A), now=1)
    with pytest.raises(ImportRefusedError, match="already"):
        trust.enrol(partner.oin, partner.roster(A), now=1)
    trust.enrol(OTHER.oin, OTHER.roster(A), now=1)
    assert OTHER.oin in trust.current().rosters


def test_a_roster_of_an_unknown_organisation_is_refused(pair: CustodianPair) -> None:
    """Nobody outside the register can be enrolled, and a roster without an OIN names nobody."""
    trust = pair.custodians[0].trust
    with pytest.raises(ImportRefusedError, match="not in the register"):
        trust.enrol(OTHER.oin, OTHER.roster(A), now=1)
    nameless = json.loads(OTHER.roster(A))
    nameless["document"]["oin"] = 5
    with pytest.raises(ImportRefusedError, match="not in the register"):
        trust.import_roster(json.dumps(nameless).encode())


def test_a_roster_for_another_audience_is_refused(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A roster made for the other custodian, whose ids differ, is not taken."""
    with pytest.raises(ProtocolError):
        pair.custodians[0].trust.import_roster(partner.roster(CUSTODIANS[1], number=2))


def test_every_worker_has_an_id_at_the_broker(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Without `brokerSub` no ticket could name the worker, so such a roster is refused; an approver needs none."""
    trust = pair.custodians[0].trust
    for role, number in (("approver", 2), ("worker", 3)):
        worker = Worker(sub="w" * 26, roles=frozenset([role]), broker_sub=None)
        document = roster_document(oin=partner.oin, audience=A, number=number, workers=[worker], teams=[])
        text = document.with_signature(partner.oin, partner.key).encode()
        if role == "approver":
            assert trust.import_roster(text).number == 2
        else:
            with pytest.raises(MalformedError, match="brokerSub"):
                trust.import_roster(text)
    with pytest.raises(RefusedError, match="worker-unknown"):
        pair.ask(0, partner, batch(), sub="w" * 26)


def test_a_key_that_left_the_register_vouches_for_no_roster(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """When the register replaces an organisation's key, its old roster falls until it signs a new one."""
    document = json.loads(register_text([partner], number=2))["document"]
    fresh = seeded_key("the partner's new key")
    document["organisations"][0]["signingKeys"] = [fresh.public.jwk()]
    signed = signed_register(document)
    import_register(pair.folders[0], signed, now=1)
    with pytest.raises(RefusedError, match="worker-unknown"):
        pair.ask(0, partner, batch(), key=fresh)


def test_an_organisation_that_left_the_register_is_unknown(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """An organisation that the registrars removed is refused, its enrolment and roster notwithstanding."""
    import_register(pair.folders[0], register_text([OTHER], number=2), now=1)
    with pytest.raises(RefusedError, match="organisation-unknown"):
        pair.ask(0, partner, batch())


def test_without_a_register_nobody_is_known(tmp_path: Path) -> None:
    """A new custodian serves nobody."""
    path = make_folder(tmp_path / "a", A)
    with folder.open_trust(path) as (_, trust):
        assert trust.current().register is None
        with pytest.raises(RefusedError, match="organisation-unknown"):
            trust.current().sizes(OTHER.oin, "check")


def signed_register(document: dict[str, object]) -> bytes:
    """Return a register document with both registrars' signatures."""
    signed = SignedDocument(document=document, signatures=())
    for key in REGISTRARS:
        signed = signed.with_signature(key.public.kid, key)
    return signed.encode()
