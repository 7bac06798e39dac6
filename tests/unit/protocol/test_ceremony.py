"""The ceremony: a key that nobody ever holds, and custodians that try to cheat."""

import dataclasses
from typing import Any

import pytest

from broker.protocol.ceremony import (
    CeremonyError,
    CeremonyNonce,
    Commitment,
    Opening,
    Place,
    check_possession,
    commit,
    commitment_digest,
    finish,
    open_share,
)
from broker.protocol.epochs import DescriptorError, SecretShare
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.ristretto import InvalidPointError, InvalidScalarError, Point, Scalar, group
from tests.simulators.two_custodians import NAMES, TwoCustodians, seeded


@pytest.fixture
def custodians() -> TwoCustodians:
    """Return two custodians whose ceremony went well."""
    return TwoCustodians()


def attempt(place: Place, share: SecretShare, seed: int = 9) -> tuple[Commitment, Opening]:
    """Return one custodian's honest documents for a share of its choice."""
    random = seeded(seed)
    commitment, nonce = commit(place, share, random)
    return commitment, open_share(place, share, nonce, random)


def forged_opening(place: Place, public: Point, proof: bytes) -> tuple[Commitment, Opening]:
    """Return documents for a public share whose secret the custodian does not know."""
    nonce = bytes(32)
    opening = Opening(place=place, public_share=public, nonce=nonce, proof=proof)
    return Commitment(place=place, digest=commitment_digest(place, public, nonce)), opening


def test_every_custodian_computes_the_same_descriptor(custodians: TwoCustodians) -> None:
    """The order in which documents arrive does not matter: the descriptor has one form."""
    again = finish(custodians.commitments[::-1], custodians.openings[::-1])
    assert again.canonical() == custodians.descriptor.canonical()
    assert [key.id for key in again.custodians] == sorted(NAMES)
    assert again.threshold == 2


def test_a_share_chosen_after_seeing_the_other_is_refused(custodians: TwoCustodians) -> None:
    """A custodian that opens another share than it promised, to cancel its peer's, is refused (rogue key)."""
    mine = SecretShare.generate(seeded(77))
    chosen = group().sub(mine.public, custodians.shares[NAMES[0]].public)
    _, opening = forged_opening(custodians.places[1], chosen, custodians.openings[1].proof)
    with pytest.raises(CeremonyError, match="does not match the commitment"):
        finish(custodians.commitments, [custodians.openings[0], opening])


def test_a_rogue_share_promised_beforehand_fails_for_want_of_its_secret(custodians: TwoCustodians) -> None:
    """Even with a matching commitment, nobody can prove possession of a share made from its peer's."""
    mine = SecretShare.generate(seeded(77))
    chosen = group().sub(mine.public, custodians.shares[NAMES[0]].public)
    _, honest = attempt(custodians.places[1], mine)
    commitment, opening = forged_opening(custodians.places[1], chosen, honest.proof)
    with pytest.raises(CeremonyError, match="proof of possession"):
        finish([custodians.commitments[0], commitment], [custodians.openings[0], opening])


def test_a_copied_share_is_refused(custodians: TwoCustodians) -> None:
    """A custodian cannot pass its peer's share and proof for its own."""
    theirs = custodians.openings[0]
    commitment, opening = forged_opening(custodians.places[1], theirs.public_share, theirs.proof)
    with pytest.raises(CeremonyError, match="proof of possession"):
        finish([custodians.commitments[0], commitment], [theirs, opening])


def test_two_custodians_with_one_secret_are_no_split(custodians: TwoCustodians) -> None:
    """Even who knows the same secret and proves it cannot make a key of two equal shares."""
    commitment, opening = attempt(custodians.places[1], custodians.shares[NAMES[0]])
    with pytest.raises(DescriptorError, match="must differ"):
        finish([custodians.commitments[0], commitment], [custodians.openings[0], opening])


def test_shares_that_cancel_out_are_no_key(custodians: TwoCustodians) -> None:
    """Two colluding custodians cannot make a key that is zero, which would give everybody one token."""
    negative = SecretShare(group().scalar_sub(Scalar(bytes(32)), custodians.shares[NAMES[0]].scalar))
    commitment, opening = attempt(custodians.places[1], negative)
    with pytest.raises(DescriptorError, match="must not cancel out"):
        finish([custodians.commitments[0], commitment], [custodians.openings[0], opening])


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(custodian=NAMES[0], epoch=2, family=Family.NLBSN),
        Place(custodian=NAMES[0], epoch=1, family=Family.FAM),
        Place(custodian=NAMES[1], epoch=1, family=Family.NLBSN),
    ],
    ids=["epoch", "family", "custodian"],
)
def test_a_proof_holds_for_one_place_only(custodians: TwoCustodians, elsewhere: Place) -> None:
    """A proof of possession replayed for another epoch, family or custodian does not hold."""
    opening = custodians.openings[0]
    check_possession(opening)
    with pytest.raises(CeremonyError, match="proof of possession"):
        check_possession(dataclasses.replace(opening, place=elsewhere))


def test_a_proof_holds_for_one_ceremony_only(custodians: TwoCustodians) -> None:
    """A proof is bound to the nonce of its commitment, so one of an earlier attempt does not hold."""
    share = custodians.shares[NAMES[0]]
    commitment, later = attempt(custodians.places[0], share)
    replayed = dataclasses.replace(later, proof=custodians.openings[0].proof)
    with pytest.raises(CeremonyError, match="proof of possession"):
        finish([commitment, custodians.commitments[1]], [replayed, custodians.openings[1]])


def test_missing_extra_and_repeated_documents_are_refused(custodians: TwoCustodians) -> None:
    """Every custodian commits once and opens once; nobody else does, and none may be left out."""
    commitments, openings = custodians.commitments, custodians.openings
    third_commitment, third_opening = attempt(
        Place(custodian="custodian-c", epoch=1, family=Family.NLBSN), SecretShare.generate(seeded(3))
    )
    for promised, opened in (
        (commitments, openings[:1]),
        (commitments[:1], openings),
        ([*commitments, third_commitment], openings),
        (commitments, [*openings, third_opening]),
        ([*commitments, commitments[0]], openings),
        (commitments, [*openings, openings[0]]),
        ([], []),
    ):
        with pytest.raises(CeremonyError):
            finish(promised, opened)


def test_one_custodian_alone_makes_no_key(custodians: TwoCustodians) -> None:
    """A key of one share would be held by somebody."""
    with pytest.raises(DescriptorError, match="threshold"):
        finish(custodians.commitments[:1], custodians.openings[:1])


def test_documents_of_two_families_or_epochs_make_no_key(custodians: TwoCustodians) -> None:
    """Shares of different families or epochs are never one key."""
    for place in (
        Place(custodian=NAMES[1], epoch=1, family=Family.FAM),
        Place(custodian=NAMES[1], epoch=2, family=Family.NLBSN),
    ):
        commitment, opening = attempt(place, SecretShare.generate(seeded(3)))
        with pytest.raises(CeremonyError, match="one epoch and one family"):
            finish([custodians.commitments[0], commitment], [custodians.openings[0], opening])


def test_a_commitment_hides_the_share_and_needs_its_nonce(custodians: TwoCustodians) -> None:
    """Two commitments to one share differ, and only the right nonce of the right size opens one."""
    place, share = custodians.places[0], custodians.shares[NAMES[0]]
    first, _ = commit(place, share, custodians.random)
    second, _ = commit(place, share, custodians.random)
    assert first.digest != second.digest
    for nonce in (bytes(32), b""):
        changed = dataclasses.replace(custodians.openings[0], nonce=nonce)
        with pytest.raises(CeremonyError):
            finish(custodians.commitments, [changed, custodians.openings[1]])


def test_malformed_openings_are_refused(custodians: TwoCustodians) -> None:
    """A share off the group and a proof that is not two scalars are refused as such."""
    opening = custodians.openings[0]
    with pytest.raises(InvalidPointError):
        check_possession(dataclasses.replace(opening, public_share=Point(bytes(32))))
    for proof in (b"", bytes(64), b"\xff" * 64, opening.proof + b"\x00"):
        with pytest.raises(InvalidScalarError):
            check_possession(dataclasses.replace(opening, proof=proof))


def test_documents_read_back(custodians: TwoCustodians) -> None:
    """Commitments and openings survive a file, byte for byte."""
    for commitment in custodians.commitments:
        assert Commitment.parse(commitment.canonical()) == commitment
    for opening in custodians.openings:
        assert Opening.parse(opening.canonical().decode()) == opening


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "ceremony-commitment/v1"},
        {"epoch": 0},
        {"family": "bsn"},
        {"custodian": "a/b"},
        {"custodian": "UPPER"},
        {"publicShare": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"nonce": "AAAA"},
        {"proof": "AAAA"},
        {"proof": 1},
        {"extra": 1},
    ],
    ids=repr,
)
def test_openings_are_read_strictly(custodians: TwoCustodians, changes: dict[str, Any]) -> None:
    """An opening with a wrong schema, type, size or member is refused."""
    with pytest.raises(MalformedError):
        Opening.parse({**custodians.openings[0].to_mapping(), **changes})


@pytest.mark.parametrize("epoch", [0, 2**32, True], ids=repr)
def test_a_place_has_an_epoch_of_four_bytes(epoch: int) -> None:
    """No document is made for an epoch that an index cannot hold."""
    with pytest.raises(DescriptorError):
        Place(custodian="a", epoch=epoch, family=Family.NLBSN)


def test_the_nonce_is_not_shown() -> None:
    """The nonce hides the share until the opening, so it prints nothing."""
    assert repr(CeremonyNonce(bytes(32))) == "CeremonyNonce(redacted)"
