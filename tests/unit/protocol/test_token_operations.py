"""How much of the group a token costs: counted between Python and libsodium, on both libraries.

These numbers are the design's (issue 3): the client pays 1 map, 6 multiplications, 5 additions and 1 inverse for a
token of two custodians, a custodian 2 multiplications and 1 addition, and each a constant per batch. One operation more
per token would be a tenth of a region's load.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from broker.protocol.epochs import SecretShare
from broker.protocol.families import Family
from broker.protocol.ristretto import Group
from broker.protocol.tokens import Blinded, Evaluation, Identifier, blind, evaluate_batch, verify_and_combine
from tests.simulators.counting_library import counting_bundled_group, counting_system_group
from tests.simulators.two_custodians import NAMES, TwoCustodians

SIZES = pytest.mark.parametrize("size", [1, 2, 32, 100])
COUNTERS: dict[str, Callable[[], tuple[Group, Counter[str]]]] = {
    "system": counting_system_group,
    "bundled": counting_bundled_group,
}
PER_BATCH_CUSTODIAN = Counter(multiply=2, multiply_base=2, reduce=2, scalar_sub=1, scalar_mul=1)
"""A batch of a custodian: its public share, the combined answer, the two commitments, nonce and challenge, response."""
PER_BATCH_CLIENT = Counter(multiply=3, multiply_base=1, reduce=3)
"""A batch of one custodian at the client: both commitments; both halves of the proof read, and the challenge."""


@pytest.fixture(params=COUNTERS)
def counts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return what libsodium computes from here on; everything of the protocol computes with this library."""
    curve, counted = COUNTERS[request.param]()
    for module in ("epochs", "tokens", "voprf"):
        monkeypatch.setattr(f"broker.protocol.{module}.group", lambda: curve)
    return counted


def identifiers(size: int) -> list[Identifier]:
    """Return so many different identifiers."""
    return [Identifier(Family.NLBSN, b"sluis/nlbsn/v1\x00%09d" % number) for number in range(size)]


def batch(size: int) -> tuple[TwoCustodians, list[Blinded], dict[str, Evaluation]]:
    """Return a batch of two custodians that was answered."""
    custodians = TwoCustodians()
    blinds = [blind(identifier, custodians.random) for identifier in identifiers(size)]
    return custodians, blinds, custodians.evaluations([item.point for item in blinds])


@SIZES
def test_blinding_costs_one_map_and_one_multiplication(counts: Counter[str], size: int) -> None:
    """A blinded point costs the map, one multiplication, and a random scalar; no reading of what was just computed."""
    custodians, asked = TwoCustodians(), identifiers(size)
    counts.clear()
    for identifier in asked:
        blind(identifier, custodians.random)
    assert counts == Counter(map=size, multiply=size, reduce=size)


@SIZES
def test_a_custodian_pays_two_multiplications_and_one_addition(counts: Counter[str], size: int) -> None:
    """Evaluating and proving costs 2 multiplications and 1 addition a point, the first point saving its addition."""
    custodians, blinds, _ = batch(size)
    points = [item.point for item in blinds]
    counts.clear()
    evaluate_batch(custodians.shares[NAMES[0]], points, custodians.random)
    per_token = Counter(multiply=2 * size, add=size - 1, reduce=size)
    assert counts == per_token + PER_BATCH_CUSTODIAN


@SIZES
def test_a_client_pays_five_multiplications_five_additions_and_one_inverse(counts: Counter[str], size: int) -> None:
    """Verifying two custodians and combining costs 5 multiplications, 5 additions and 1 inverse for every token."""
    # Per custodian the first point of both sums saves its addition, and both commitments cost one each: nothing beside.
    custodians, blinds, evaluations = batch(size)
    counts.clear()
    verify_and_combine(blinds, evaluations, custodians.descriptor)
    per_token = Counter(multiply=(4 + 1) * size, add=(4 + 1) * size, invert=size, reduce=2 * size)
    assert counts == per_token + PER_BATCH_CLIENT + PER_BATCH_CLIENT


@SIZES
def test_a_token_costs_the_client_what_the_design_says(counts: Counter[str], size: int) -> None:
    """From identifier to token: 1 map, 6 multiplications, 5 additions, 1 inverse, and 8 multiplications a batch."""
    custodians = TwoCustodians()
    counts.clear()
    blinds = [blind(identifier, custodians.random) for identifier in identifiers(size)]
    blinding = counts.copy()
    evaluations = custodians.evaluations([item.point for item in blinds])
    counts.clear()
    verify_and_combine(blinds, evaluations, custodians.descriptor)
    counts.update(blinding)
    multiplications = counts["multiply"] + counts["multiply_base"]
    assert (counts["map"], multiplications, counts["add"], counts["invert"]) == (size, 6 * size + 8, 5 * size, size)
    assert counts["read"] == counts["sub"] == 0


def test_padding_costs_no_unblinding(counts: Counter[str]) -> None:
    """Padding is proven, at 4 multiplications and 4 additions each, and never combined."""
    custodians, blinds, evaluations = batch(8)
    counts.clear()
    verify_and_combine(blinds[:3], evaluations, custodians.descriptor, padding=[item.point for item in blinds[3:]])
    assert counts == (
        Counter(multiply=4 * 8 + 3, add=4 * 8 + 3, invert=3, reduce=2 * 8) + PER_BATCH_CLIENT + PER_BATCH_CLIENT
    )


def test_what_is_counted_is_what_is_computed(counts: Counter[str]) -> None:
    """The counters stand on the way to C: one multiplication more is one more in the counts."""
    share = SecretShare(bytes([2]) + bytes(31))
    counts.clear()
    assert share.public == share.public
    assert counts == Counter(multiply_base=2)
