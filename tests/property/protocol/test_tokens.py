"""Properties of tokens: for any key, any identifiers and any change to an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.protocol import voprf
from broker.protocol.epochs import EpochDescriptor
from broker.protocol.errors import ProtocolError
from broker.protocol.families import Family
from broker.protocol.ristretto import Point, Scalar, group
from broker.protocol.tokens import Evaluation, Identifier, blind, random_points, verify_and_combine
from tests.simulators.two_custodians import NAMES, TwoCustodians, seeded

ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 9496 §4
SEEDS = st.integers(0, 2**64 - 1)
MESSAGES = st.binary(max_size=200)
SMALL = settings(max_examples=25, deadline=None)
CUSTODIANS = TwoCustodians()


@SMALL
@given(seed=SEEDS, messages=st.lists(MESSAGES, min_size=1, max_size=4), padding=st.integers(0, 4))
def test_a_split_key_is_the_whole_key(seed: int, messages: list[bytes], padding: int) -> None:
    """For any key, an additive split gives the tokens that the whole key would give, padding or not."""
    custodians = TwoCustodians(seed=seed)
    blinds = [blind(Identifier(Family.NLBSN, message), custodians.random) for message in messages]
    points = random_points(padding, custodians.random)
    evaluations = custodians.evaluations([*(item.point for item in blinds), *points])
    tokens = verify_and_combine(blinds, evaluations, custodians.descriptor, padding=points)
    key = custodians.whole_key.scalar
    expected = [group().mul(key, voprf.hash_to_group(message, voprf.Mode.VOPRF)) for message in messages]
    assert [token.reveal() for token in tokens] == expected


@SMALL
@given(message=MESSAGES, seeds=st.lists(SEEDS, min_size=2, max_size=6, unique=True))
def test_blinding_is_random(message: bytes, seeds: list[int]) -> None:
    """The same input is another point each time, so that points cannot be linked."""
    identifier = Identifier(Family.NLBSN, message)
    points = {blind(identifier, seeded(seed)).point for seed in seeds}
    assert len(points) == len(seeds)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 4 * 32 - 1), bit=st.integers(0, 7), name=st.sampled_from(NAMES))
def test_any_changed_bit_of_an_answer_or_proof_is_refused(place: int, bit: int, name: str) -> None:
    """Whichever bit of either custodian's two answers or its proof is changed, nothing is combined."""
    blinds = [blind(Identifier(Family.NLBSN, text), seeded(1)) for text in (b"a", b"b")]
    honest = CUSTODIANS.evaluations([item.point for item in blinds])
    raw = bytearray(b"".join(honest[name].answers) + honest[name].proof)
    raw[place] ^= 1 << bit
    changed = Evaluation(answers=(Point(bytes(raw[:32])), Point(bytes(raw[32:64]))), proof=bytes(raw[64:]))
    with pytest.raises(ProtocolError):
        verify_and_combine(blinds, {**honest, name: changed}, CUSTODIANS.descriptor)


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
def test_a_point_that_is_read_has_one_serialisation(raw: bytes) -> None:
    """Bytes that are read as a point come back from arithmetic as the same bytes."""
    if group().is_valid_point(raw):
        one = Scalar((1).to_bytes(32, "little"))
        assert group().mul(one, Point(raw)) == raw


@settings(max_examples=200, deadline=None)
@given(number=st.integers(0, 2**256 - 1) | st.integers(ORDER - 3, ORDER + 3) | st.integers(0, 3))
def test_scalars_are_read_exactly_below_the_order(number: int) -> None:
    """A scalar is read if and only if it is from 1 to the order less one."""
    raw = number.to_bytes(32, "little")
    try:
        accepted = group().parse_scalar(raw) == raw
    except ProtocolError:
        accepted = False
    assert accepted == (1 <= number < ORDER)


@SMALL
@given(seed=SEEDS, epoch=st.integers(1, 2**32 - 1), family=st.sampled_from(Family))
def test_any_ceremony_makes_a_descriptor_that_reads_back(seed: int, epoch: int, family: Family) -> None:
    """For any shares, epoch and family, the descriptor survives its canonical form and names the whole key."""
    custodians = TwoCustodians(family=family, epoch=epoch, seed=seed)
    assert EpochDescriptor.parse(custodians.descriptor.canonical()) == custodians.descriptor
    assert custodians.descriptor.public_key == custodians.whole_key.public
