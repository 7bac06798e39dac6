"""Properties of a refresh: for any key, family and number of refreshes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.protocol import voprf
from broker.protocol.epochs import EpochDocument
from broker.protocol.families import Family
from broker.protocol.ristretto import group
from broker.protocol.tokens import Identifier
from tests.simulators.two_custodians import NAMES, TwoCustodians
from tests.simulators.two_refreshes import TwoRefreshes

SEEDS = st.integers(0, 2**64 - 1)
SMALL = settings(max_examples=20, deadline=None)


@SMALL
@given(seed=SEEDS, family=st.sampled_from(Family), message=st.binary(max_size=50), times=st.integers(1, 3))
def test_tokens_stay_equal_and_shares_do_not(seed: int, family: Family, message: bytes, times: int) -> None:
    """However often the shares are refreshed, every token is the one before and every share is another."""
    custodians = TwoCustodians(family=family, seed=seed)
    identifier, key = Identifier(family, message), custodians.whole_key
    (before,) = custodians.tokens([identifier])
    shares = [custodians.shares[name] for name in NAMES]
    for refresh in range(1, times + 1):
        TwoRefreshes(custodians, refresh).take()
        shares += [custodians.shares[name] for name in NAMES]
    assert custodians.tokens([identifier]) == [before]
    assert before.reveal() == group().mul(key.scalar, voprf.hash_to_group(message, voprf.Mode.VOPRF))
    assert len({share.reveal() for share in shares}) == len(shares)
    assert custodians.whole_key == key


@SMALL
@given(seed=SEEDS)
def test_an_old_share_and_a_new_one_are_no_key(seed: int) -> None:
    """One custodian's old share with the other's new one does not give the key, either way round."""
    custodians = TwoCustodians(seed=seed)
    key, old = custodians.whole_key, dict(custodians.shares)
    TwoRefreshes(custodians).take()
    for name, other in (NAMES, NAMES[::-1]):
        mixed = group().scalar_add(old[name].scalar, custodians.shares[other].scalar)
        assert mixed != key.scalar


@SMALL
@given(seed=SEEDS)
def test_what_was_exchanged_holds_neither_share_nor_amount(seed: int) -> None:
    """In everything that travels stands no share, old or new, and not the amount that moved."""
    custodians = TwoCustodians(seed=seed)
    old = dict(custodians.shares)
    made = TwoRefreshes(custodians)
    made.take()
    wire = b"".join(opening.encoded() + opening.exchange_proof + opening.holder_proof for opening in made.openings)
    wire += b"".join(commitment.digest for commitment in made.commitments)
    amount = group().scalar_sub(custodians.shares[NAMES[0]].scalar, old[NAMES[0]].scalar)
    secrets = [amount, *(share.reveal() for held in (old, custodians.shares) for share in held.values())]
    assert not any(secret in wire for secret in secrets)


@SMALL
@given(seed=SEEDS, epoch=st.integers(1, 2**32 - 1), refresh=st.integers(0, 2**32 - 1))
def test_any_document_reads_back(seed: int, epoch: int, refresh: int) -> None:
    """Whatever its number, an epoch document is read as what it was, and 0 does not stand in it."""
    descriptor = TwoCustodians(epoch=epoch, seed=seed).descriptor
    document = EpochDocument(epoch=epoch, descriptors=(descriptor,), refresh=refresh)
    assert EpochDocument.from_mapping(document.to_mapping()) == document
    assert ("refresh" in document.to_mapping()) == (refresh > 0)
