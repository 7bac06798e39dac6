"""Blinding, evaluating, verifying and combining: what a partner, a custodian and the broker do with tokens."""

import copy
import pickle
from collections.abc import Callable

import pytest

from broker.protocol import voprf
from broker.protocol.epochs import CustodianKey, EpochDescriptor
from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.families import Family
from broker.protocol.redacted import Redacted
from broker.protocol.ristretto import InvalidPointError, InvalidScalarError, Point, Scalar, group
from broker.protocol.tokens import (
    BatchError,
    Blinded,
    BlindState,
    Evaluation,
    Identifier,
    IndexKey,
    PersonToken,
    ProofError,
    SecretShare,
    blind,
    evaluate_batch,
    random_points,
    token_index,
    verify_and_combine,
)
from tests.simulators.two_custodians import NAMES, TwoCustodians, seeded

PERSON = Identifier(Family.NLBSN, b"sluis/nlbsn/v1\x00999990019")
OTHER = Identifier(Family.NLBSN, b"sluis/nlbsn/v1\x00999990408")
ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 9496 §4


@pytest.fixture
def custodians() -> TwoCustodians:
    """Return two custodians with a key for persons."""
    return TwoCustodians()


def blinded(custodians: TwoCustodians, *identifiers: Identifier) -> list[Blinded]:
    """Return identifiers blinded afresh."""
    return [blind(identifier, custodians.random) for identifier in identifiers]


def test_tokens_are_those_of_the_whole_key(custodians: TwoCustodians) -> None:
    """Two shares, each proven, give k times the hashed identifier, in the order asked."""
    tokens = custodians.tokens([PERSON, OTHER])
    for identifier, token in zip((PERSON, OTHER), tokens, strict=True):
        hashed = voprf.hash_to_group(identifier.reveal(), voprf.Mode.VOPRF)
        assert token.reveal() == group().mul(custodians.whole_key.scalar, hashed)


def test_the_same_person_has_one_token_and_many_blinded_points(custodians: TwoCustodians) -> None:
    """A custodian cannot see that two points are the same person; the tokens are equal all the same."""
    first, second = blinded(custodians, PERSON, PERSON)
    assert first.point != second.point
    left, right = custodians.tokens([PERSON, PERSON])
    assert left == right


def test_a_threshold_scheme_changes_no_client() -> None:
    """With Shamir shares and their coefficients 2 and -1, the same client code gives k times the hash."""
    random = seeded(5)
    key, slope = (group().random_scalar(random) for _ in range(2))
    first = group().scalar_add(key, slope)  # f(1) of f(z) = key + slope * z
    shares = dict(zip(NAMES, (SecretShare(first), SecretShare(group().scalar_add(first, slope))), strict=True))
    coefficients = [Scalar(number.to_bytes(32, "little")) for number in (2, ORDER - 1)]
    keys = tuple(
        CustodianKey(id=name, public_share=shares[name].public, coefficient=coefficient)
        for name, coefficient in zip(NAMES, coefficients, strict=True)
    )
    descriptor = EpochDescriptor(epoch=1, family=Family.NLBSN, custodians=keys, threshold=2)
    asked = blind(PERSON, random)
    evaluations = {name: evaluate_batch(share, [asked.point], random) for name, share in shares.items()}

    (token,) = verify_and_combine([asked], evaluations, descriptor)

    assert descriptor.public_key == SecretShare(key).public
    assert token.reveal() == group().mul(key, voprf.hash_to_group(PERSON.reveal(), voprf.Mode.VOPRF))


def test_padding_is_proven_and_gives_no_token(custodians: TwoCustodians) -> None:
    """A batch padded with random points gives the tokens of the real ones only; padding alone gives none."""
    padding = random_points(7, custodians.random)
    asked = blinded(custodians, PERSON)
    tokens = verify_and_combine(
        asked, custodians.evaluations([asked[0].point, *padding]), custodians.descriptor, padding=padding
    )
    assert tokens == custodians.tokens([PERSON])
    assert verify_and_combine([], custodians.evaluations(padding), custodians.descriptor, padding=padding) == []
    assert len(set(padding)) == 7
    assert all(group().is_valid_point(point) for point in padding)


def altered(evaluation: Evaluation, **changes: object) -> Evaluation:
    """Return an evaluation with another part."""
    parts = {"answers": evaluation.answers, "proof": evaluation.proof, **changes}
    return Evaluation(**parts)  # type: ignore[arg-type] # the tests hand in what a hostile custodian might


@pytest.mark.parametrize("hostile", NAMES)
def test_each_custodians_proof_is_checked(custodians: TwoCustodians, hostile: str) -> None:
    """An answer of either custodian that was made with another key is refused, with whichever proof it comes."""
    asked = blinded(custodians, PERSON, OTHER)
    points = [item.point for item in asked]
    honest = custodians.evaluations(points)
    wrong_key = evaluate_batch(SecretShare.generate(custodians.random), points, custodians.random)
    swapped = honest[hostile].answers[::-1]
    for answer in (
        wrong_key,
        altered(honest[hostile], answers=wrong_key.answers),
        altered(honest[hostile], answers=(honest[hostile].answers[0], wrong_key.answers[1])),
        altered(honest[hostile], answers=swapped),
        altered(honest[hostile], proof=wrong_key.proof),
        altered(honest[hostile], answers=tuple(points)),
    ):
        with pytest.raises(ProofError):
            verify_and_combine(asked, {**honest, hostile: answer}, custodians.descriptor)


def test_custodians_cannot_swap_places(custodians: TwoCustodians) -> None:
    """Each custodian is held to its own public share, though the sum of swapped answers would be the same."""
    asked = blinded(custodians, PERSON)
    honest = custodians.evaluations([asked[0].point])
    swapped = {NAMES[0]: honest[NAMES[1]], NAMES[1]: honest[NAMES[0]]}
    with pytest.raises(ProofError):
        verify_and_combine(asked, swapped, custodians.descriptor)


def test_altered_padding_answers_are_noticed(custodians: TwoCustodians) -> None:
    """A custodian that answers the padding wrongly is found out too: padding may not tell it what is real."""
    padding = random_points(1, custodians.random)
    asked = blinded(custodians, PERSON)
    honest = custodians.evaluations([asked[0].point, *padding])
    answers = (honest[NAMES[0]].answers[0], padding[0])
    with pytest.raises(ProofError):
        verify_and_combine(
            asked,
            {**honest, NAMES[0]: altered(honest[NAMES[0]], answers=answers)},
            custodians.descriptor,
            padding=padding,
        )


@pytest.mark.parametrize("answer", [b"", bytes(31), bytes(32), b"\xff" * 32], ids=["empty", "short", "identity", "off"])
def test_answers_off_the_group_are_refused(custodians: TwoCustodians, answer: bytes) -> None:
    """An answer that is no canonical point, or the identity, is refused before any answer is used."""
    asked = blinded(custodians, PERSON)
    honest = custodians.evaluations([asked[0].point])
    hostile = {**honest, NAMES[1]: altered(honest[NAMES[1]], answers=(Point(answer),))}
    with pytest.raises(InvalidPointError):
        verify_and_combine(asked, hostile, custodians.descriptor)


@pytest.mark.parametrize("proof", [b"", bytes(64), bytes(63), b"\xff" * 64], ids=["empty", "zero", "short", "large"])
def test_malformed_proofs_are_refused(custodians: TwoCustodians, proof: bytes) -> None:
    """A proof that is not two canonical scalars is refused."""
    asked = blinded(custodians, PERSON)
    honest = custodians.evaluations([asked[0].point])
    with pytest.raises(InvalidScalarError):
        verify_and_combine(asked, {**honest, NAMES[0]: altered(honest[NAMES[0]], proof=proof)}, custodians.descriptor)


def test_a_proof_of_another_batch_is_refused(custodians: TwoCustodians) -> None:
    """An earlier answer with its good proof does not pass for an answer to these points."""
    earlier, asked = blinded(custodians, PERSON), blinded(custodians, PERSON)
    replayed = custodians.evaluations([earlier[0].point])
    with pytest.raises(ProofError):
        verify_and_combine(asked, replayed, custodians.descriptor)


def test_batches_must_fit_what_was_asked(custodians: TwoCustodians) -> None:
    """Another number of answers, another set of custodians, or no points at all are refused."""
    asked = blinded(custodians, PERSON, OTHER)
    honest = custodians.evaluations([item.point for item in asked])
    one_short = altered(honest[NAMES[0]], answers=honest[NAMES[0]].answers[:1])
    one_long = altered(honest[NAMES[0]], answers=honest[NAMES[0]].answers * 2)
    for evaluations in (
        {**honest, NAMES[0]: one_short},
        {**honest, NAMES[0]: one_long},
        {NAMES[0]: honest[NAMES[0]]},
        {**honest, "custodian-c.demo.sluis.test": honest[NAMES[0]]},
        {},
    ):
        with pytest.raises(BatchError):
            verify_and_combine(asked, evaluations, custodians.descriptor)
    with pytest.raises(BatchError):
        verify_and_combine([], honest, custodians.descriptor)


def test_a_blinded_parent_is_not_combined_as_a_person(custodians: TwoCustodians) -> None:
    """Points of one family are never combined under another family's descriptor."""
    parent = Identifier(Family.FAM, b"sluis/fam/v1\x00999990019")
    asked = blinded(custodians, parent)
    with pytest.raises(BatchError, match="family"):
        verify_and_combine(asked, custodians.evaluations([asked[0].point]), custodians.descriptor)


def test_a_token_that_would_be_the_identity_is_refused(custodians: TwoCustodians) -> None:
    """Were the weighted answers to cancel out, there would be no token rather than one for everybody."""
    share = custodians.shares[NAMES[0]]
    negative = SecretShare(group().scalar_sub(Scalar(bytes(32)), share.scalar))
    keys = tuple(
        CustodianKey(id=name, public_share=held.public) for name, held in zip(NAMES, (share, negative), strict=True)
    )
    # Such a descriptor cannot be made, so the check is reached by going round its construction.
    descriptor = copy.copy(custodians.descriptor)
    object.__setattr__(descriptor, "custodians", keys)
    asked = blinded(custodians, PERSON)
    answers = {
        name: evaluate_batch(held, [asked[0].point], custodians.random)
        for name, held in zip(NAMES, (share, negative), strict=True)
    }
    with pytest.raises(ProtocolError):
        verify_and_combine(asked, answers, descriptor)


@pytest.mark.parametrize(
    "points",
    [[], [bytes(32)], [b"\xff" * 32], [bytes(31)], [group().mul_base(Scalar(b"\x02" + bytes(31))), bytes(32)]],
    ids=["none", "identity", "off", "short", "second is bad"],
)
def test_a_custodian_evaluates_only_points_of_the_group(custodians: TwoCustodians, points: list[bytes]) -> None:
    """A custodian's share never meets a point off the group: the whole batch is refused."""
    with pytest.raises(MalformedError):
        evaluate_batch(custodians.shares[NAMES[0]], points, custodians.random)


def test_an_input_hashed_to_the_identity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were an input to map to the identity, there would be no point to blind rather than one that tells what it is."""
    monkeypatch.setattr(
        voprf, "expand_message", lambda _message, _tag: bytes(64)
    )  # which the map takes to the identity
    with pytest.raises(InvalidPointError, match="input"):
        voprf.hash_to_group(b"anything", voprf.Mode.VOPRF)


def test_a_batch_has_a_largest_size(custodians: TwoCustodians, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch larger than the proof can number is refused before any work."""
    monkeypatch.setattr("broker.protocol.tokens.MAX_BATCH", 1)
    with pytest.raises(BatchError):
        evaluate_batch(custodians.shares[NAMES[0]], random_points(2, custodians.random), custodians.random)
    assert voprf.MAX_BATCH == 2**16 - 1


@pytest.mark.parametrize("share", [bytes(32), bytes(31), b"\xff" * 32], ids=["zero", "short", "not reduced"])
def test_a_share_is_a_scalar_other_than_zero(share: bytes) -> None:
    """A share that would map everybody to one token, or has two serialisations, is refused."""
    with pytest.raises(InvalidScalarError):
        SecretShare(share)


SECRETS: list[Callable[[], Redacted]] = [
    lambda: PERSON,
    lambda: SecretShare.generate(seeded(1)),
    lambda: BlindState(bytes(range(32))),
    lambda: PersonToken(group().mul_base(Scalar(b"\x02" + bytes(31)))),
    lambda: IndexKey(bytes(range(32))),
]


@pytest.mark.parametrize("make", SECRETS, ids=lambda make: type(make()).__name__)
def test_secret_values_show_nothing_and_are_not_pickled(make: Callable[[], Redacted]) -> None:
    """No representation of a secret value holds any of its bytes, and it cannot be pickled or deep-copied."""
    secret = make()
    raw = secret.reveal()
    for shown in (repr(secret), str(secret), f"{secret}", repr([secret]), repr({secret: secret})):
        assert raw.hex() not in shown
        assert repr(raw) not in shown
        assert repr(raw[:8])[2:-1] not in shown
    assert repr(secret) == f"{type(secret).__name__}(redacted)"
    for escape in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            escape(secret)


@pytest.mark.parametrize("make", SECRETS, ids=lambda make: type(make()).__name__)
def test_secret_values_compare_by_class_and_bytes(make: Callable[[], Redacted]) -> None:
    """Secret values are equal only to the same bytes of the same class, and hash alike."""
    secret = make()
    assert secret == make()
    assert hash(secret) == hash(make())
    assert secret != Redacted(secret.reveal())
    assert secret != secret.reveal()


def test_a_blinded_identifier_shows_no_point(custodians: TwoCustodians) -> None:
    """What a client holds of a blinded identifier does not print the point either."""
    (asked,) = blinded(custodians, PERSON)
    assert repr(asked) == "Blinded(family=nlbsn, redacted)"


def test_family_codes_are_fixed() -> None:
    """The codes in an index never change: an index of yesterday must be found tomorrow."""
    assert {family.value: family.code for family in Family} == {"nlbsn": 1, "fam": 2, "addr": 3, "dmk": 4}


def test_indexes_of_two_brokers_differ(custodians: TwoCustodians) -> None:
    """Who holds another index key cannot look a token up."""
    (token,) = custodians.tokens([PERSON])
    mine, theirs = IndexKey(bytes(32)), IndexKey(b"\x01" * 32)
    assert token_index(mine, 1, Family.NLBSN, token) != token_index(theirs, 1, Family.NLBSN, token)


def test_derived_keys_depend_on_seed_info_and_mode() -> None:
    """Another seed, info or mode gives another key; a message may be empty."""
    keys = {
        voprf.derive_key(seed, info, mode)
        for seed in (bytes(32), b"\x01" * 32)
        for info in (b"", b"a")
        for mode in voprf.Mode
    }
    assert len(keys) == 8


def test_prove_refuses_a_batch_without_answers(custodians: TwoCustodians) -> None:
    """Nothing is proven about a batch whose points and answers differ in number."""
    share = custodians.shares[NAMES[0]]
    statement = voprf.Statement(public=share.public, points=random_points(2, custodians.random), answers=())
    with pytest.raises(BatchError):
        voprf.prove(share.scalar, statement, custodians.random)
