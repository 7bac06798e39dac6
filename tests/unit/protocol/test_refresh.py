"""A refresh of shares, and custodians or strangers who try to cheat in it."""

import dataclasses
from typing import Any

import pytest

from broker.protocol import schnorr
from broker.protocol.epochs import CustodianKey, DescriptorError, EpochDescriptor, EpochDocument, SecretShare
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.refresh import (
    RefreshCommitment,
    RefreshError,
    RefreshOpening,
    RefreshPlace,
    begin,
    commitment_digest,
    conclude,
    open_exchange,
)
from broker.protocol.ristretto import InvalidPointError, InvalidScalarError, Scalar, group
from tests.simulators.two_custodians import NAMES, TwoCustodians, seeded
from tests.simulators.two_refreshes import TwoRefreshes

A, B = NAMES


@pytest.fixture
def made() -> TwoRefreshes:
    """Return a refresh in which both were honest."""
    return TwoRefreshes(TwoCustodians())


def test_both_compute_the_same_descriptor_of_the_same_key(made: TwoRefreshes) -> None:
    """The public shares are new, their sum is what it was, and each custodian's new share is behind its own."""
    old = made.custodians.descriptor
    new = made.take()
    assert new.public_key == old.public_key
    assert {key.public_share for key in new.custodians}.isdisjoint(key.public_share for key in old.custodians)
    assert [made.custodians.shares[key.id].public for key in new.custodians] == [
        key.public_share for key in new.custodians
    ]


def test_the_order_of_documents_does_not_matter(made: TwoRefreshes) -> None:
    """However the documents arrive, the result is the same."""
    first = made.concluded(A)
    made.commitments.reverse()
    made.openings.reverse()
    assert made.concluded(A) == first


def test_a_part_chosen_after_seeing_the_others_is_refused(made: TwoRefreshes) -> None:
    """A custodian that opens another part than it promised, to steer the amount, is refused."""
    _, other = begin(made.begun[B].place, seeded(99))
    made.openings[1] = open_exchange(other, made.custodians.shares[B], seeded(98))
    with pytest.raises(RefreshError, match="does not match the commitment"):
        made.concluded(A)


def test_who_does_not_hold_the_share_in_force_takes_no_place(made: TwoRefreshes) -> None:
    """A stranger between the two, who knows neither share, cannot open in a custodian's name."""
    commitment, mine = begin(made.begun[B].place, seeded(99))
    made.commitments[1] = commitment
    made.openings[1] = open_exchange(mine, SecretShare.generate(seeded(97)), seeded(98))
    with pytest.raises(RefreshError, match="the share in force does not hold"):
        made.concluded(A)


def test_who_does_not_know_its_part_is_refused(made: TwoRefreshes) -> None:
    """A part copied from the other, whose secret it does not know, is refused."""
    honest, copied = made.openings
    digest = commitment_digest(copied.place, honest.exchange, copied.nonce)
    made.commitments[1] = RefreshCommitment(place=copied.place, digest=digest)
    made.openings[1] = dataclasses.replace(copied, exchange=honest.exchange)
    with pytest.raises(RefreshError, match="its part in the exchange does not hold"):
        made.concluded(A)


@pytest.mark.parametrize("kept", [(0,), (1,), (0, 0), (0, 1, 1), ()])
@pytest.mark.parametrize("what", ["commitments", "openings"])
def test_one_document_of_each_is_needed(made: TwoRefreshes, what: str, kept: tuple[int, ...]) -> None:
    """A document that is missing, there twice or another's ends the refresh."""
    listed = getattr(made, what)
    setattr(made, what, [listed[at] for at in kept])
    with pytest.raises(RefreshError, match="not one commitment and one opening"):
        made.concluded(A)


@pytest.mark.parametrize("change", ["refresh", "basis", "epoch", "family"])
@pytest.mark.parametrize("what", ["commitments", "openings"])
def test_documents_of_another_refresh_are_refused(made: TwoRefreshes, what: str, change: str) -> None:
    """What was exchanged for another number, start, epoch or family cannot be replayed here."""
    place = made.begun[B].place
    changed = {
        "refresh": dataclasses.replace(place, refresh=2),
        "basis": dataclasses.replace(place, basis=bytes(32)),
        "epoch": dataclasses.replace(place, place=dataclasses.replace(place.place, epoch=9)),
        "family": dataclasses.replace(place, place=dataclasses.replace(place.place, family=Family.FAM)),
    }[change]
    listed = getattr(made, what)
    listed[1] = dataclasses.replace(listed[1], place=changed)
    with pytest.raises(RefreshError, match="not all for this refresh"):
        made.concluded(A)


def test_a_wrong_share_of_our_own_makes_nothing(made: TwoRefreshes) -> None:
    """A custodian whose own opening was not made with its share in force refuses itself."""
    made.openings[0] = open_exchange(made.begun[A], SecretShare.generate(seeded(5)), seeded(6))
    with pytest.raises(RefreshError, match=f"{A}: the proof of holding"):
        made.concluded(A)


def _three() -> EpochDescriptor:
    keys = tuple(
        CustodianKey(id=name, public_share=SecretShare.generate(seeded(at)).public) for at, name in enumerate("abc")
    )
    return EpochDescriptor(epoch=1, family=Family.NLBSN, custodians=keys, threshold=3)


def _weighted() -> EpochDescriptor:
    first, second = TwoCustodians().descriptor.custodians
    two = Scalar((2).to_bytes(32, "little"))
    keys = (dataclasses.replace(first, coefficient=two), second)
    return dataclasses.replace(TwoCustodians().descriptor, custodians=keys)


@pytest.mark.parametrize("descriptor", [_three(), _weighted()], ids=["three", "weighted"])
def test_only_two_additive_shares_are_refreshed(made: TwoRefreshes, descriptor: EpochDescriptor) -> None:
    """Where shares are not simply added up by two, moving an amount would change the key: refused."""
    with pytest.raises(RefreshError, match="two custodians add up"):
        conclude(
            made.begun[A],
            made.custodians.shares[A],
            descriptor,
            commitments=made.commitments,
            openings=made.openings,
        )


def test_documents_read_back(made: TwoRefreshes) -> None:
    """What is exchanged is read as what was written."""
    commitment, opening = made.commitments[0], made.openings[0]
    assert RefreshCommitment.parse(commitment.to_mapping()) == commitment
    assert RefreshOpening.parse(opening.to_mapping()) == opening


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("schema", "refresh-opening/v2"),
        ("refresh", 0),
        ("refresh", "1"),
        ("basis", "AAAA"),
        ("exchange", "A" * 43),
        ("exchangeProof", "AAAA"),
        ("holderProof", None),
        ("nonce", ""),
        ("family", "other"),
        ("more", 1),
    ],
)
def test_what_is_no_opening_is_refused(made: TwoRefreshes, member: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    """A member that is missing a rule, or is not known, is an error that names it."""
    with pytest.raises((MalformedError, InvalidPointError)):
        RefreshOpening.parse({**made.openings[0].to_mapping(), member: value})


def test_what_is_no_json_is_refused() -> None:
    """A text that is no JSON object is no commitment."""
    with pytest.raises(MalformedError):
        RefreshCommitment.parse(b"[]")


@pytest.mark.parametrize(("refresh", "basis"), [(0, bytes(32)), (2**32, bytes(32)), (True, bytes(32)), (1, bytes(31))])
def test_a_place_keeps_its_rules(refresh: int, basis: bytes) -> None:
    """The number fits four bytes and is not 0; the start is one hash."""
    place = TwoCustodians().places[0]
    with pytest.raises(DescriptorError):
        RefreshPlace(place=place, refresh=refresh, basis=basis)


def test_secrets_show_nothing(made: TwoRefreshes) -> None:
    """What a custodian keeps prints no secret."""
    begun = made.begun[A]
    assert begun.secret.reveal().hex() not in repr(begun)
    assert repr(begun.secret) == "ExchangeSecret(redacted)"


def test_a_proof_holds_for_its_point_and_context_only() -> None:
    """Knowing a scalar is shown for one point in one context; a changed or malformed proof shows nothing."""
    share = SecretShare.generate(seeded(1))
    proof = schnorr.prove(share.scalar, context=b"here", random=seeded(2))
    assert schnorr.holds(proof, share.public, context=b"here")
    assert not schnorr.holds(proof, share.public, context=b"there")
    assert not schnorr.holds(proof, SecretShare.generate(seeded(3)).public, context=b"here")
    assert not schnorr.holds(proof[32:] + proof[:32], share.public, context=b"here")
    with pytest.raises(InvalidScalarError):
        schnorr.holds(bytes(64), share.public, context=b"here")


def _document(descriptor: EpochDescriptor, *, epoch: int = 1, refresh: int = 0) -> EpochDocument:
    return EpochDocument(epoch=epoch, descriptors=(descriptor,), refresh=refresh)


def test_a_refresh_takes_the_place_of_what_it_refreshes(made: TwoRefreshes) -> None:
    """A higher number under the same key replaces, the same or a lower one does not; a later epoch always does."""
    old = _document(made.custodians.descriptor)
    new = _document(made.take(), refresh=1)
    assert new.replaces(old)
    assert not old.replaces(new)
    assert not new.replaces(new)
    assert _document(TwoCustodians(epoch=2, seed=4).descriptor, epoch=2).replaces(new)
    assert not old.replaces(_document(TwoCustodians(epoch=2, seed=4).descriptor, epoch=2))


def test_a_refresh_that_changes_the_key_is_refused(made: TwoRefreshes) -> None:
    """A document that calls itself a refresh and does not add up to the key in force is refused, signed or not."""
    old = _document(made.custodians.descriptor)
    forged = _document(TwoCustodians(seed=5).descriptor, refresh=1)
    with pytest.raises(DescriptorError, match="must add up to the key"):
        forged.replaces(old)
    first, second = old.descriptors[0].custodians
    moved = group().mul_base(SecretShare.generate(seeded(8)).scalar)
    keys = (dataclasses.replace(first, public_share=group().add(first.public_share, moved)), second)
    tilted = dataclasses.replace(old.descriptors[0], custodians=keys)
    with pytest.raises(DescriptorError, match="must add up to the key"):
        _document(tilted, refresh=1).replaces(old)


def test_a_refresh_keeps_families_and_custodians(made: TwoRefreshes) -> None:
    """No family is added or dropped and no custodian or coefficient is exchanged under the name of a refresh."""
    old = _document(made.custodians.descriptor)
    with pytest.raises(DescriptorError, match="families"):
        _document(TwoCustodians(family=Family.FAM).descriptor, refresh=1).replaces(old)
    with pytest.raises(DescriptorError, match="custodians"):
        _document(_three(), refresh=1).replaces(old)
    with pytest.raises(DescriptorError, match="custodians"):
        _document(_weighted(), refresh=1).replaces(old)


@pytest.mark.parametrize("refresh", [-1, 2**32, True])
def test_the_number_of_a_refresh_fits_four_bytes(refresh: int) -> None:
    """A number that does not fit is refused."""
    with pytest.raises(DescriptorError, match="refresh"):
        _document(TwoCustodians().descriptor, refresh=refresh)


def test_a_document_does_not_say_that_it_is_no_refresh() -> None:
    """0 in the document would be a second form of the same document: refused."""
    members = {**_document(TwoCustodians().descriptor).to_mapping(), "refresh": 0}
    with pytest.raises(MalformedError):
        EpochDocument.from_mapping(members)
