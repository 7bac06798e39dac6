"""Two custodians in memory: the real ceremony, the real evaluation, no network and no budgets.

`TwoCustodians(family, epoch, seed)` makes both shares repeatably; `tokens(identifiers)` is the whole client side.
"""

import random
from collections.abc import Sequence

from broker.protocol.ceremony import Commitment, Opening, Place, commit, finish, open_share
from broker.protocol.epochs import EpochDescriptor, SecretShare
from broker.protocol.families import Family
from broker.protocol.ristretto import Point, RandomBytes, group
from broker.protocol.tokens import Evaluation, Identifier, PersonToken, blind, evaluate_batch, verify_and_combine

NAMES = ("custodian-a.demo.sluis.test", "custodian-b.demo.sluis.test")


def seeded(seed: int) -> RandomBytes:
    """Return a repeatable source of random bytes."""
    return random.Random(seed).randbytes


class TwoCustodians:
    """The shares of one family's key in one epoch, and everything its custodians answer."""

    def __init__(self, *, family: Family = Family.NLBSN, epoch: int = 1, seed: int = 1) -> None:
        """Hold two fresh shares and the descriptor that the ceremony made of them."""
        self.random = seeded(seed)
        self.places = [Place(custodian=name, epoch=epoch, family=family) for name in NAMES]
        self.shares = {name: SecretShare.generate(self.random) for name in NAMES}
        self.commitments, self.openings = self._ceremony()
        self.descriptor: EpochDescriptor = finish(self.commitments, self.openings)

    @property
    def whole_key(self) -> SecretShare:
        """Return k = k_A + k_B, which nobody holds outside tests."""
        left, right = (self.shares[name].scalar for name in NAMES)
        return SecretShare(group().scalar_add(left, right))

    def evaluations(self, points: Sequence[Point]) -> dict[str, Evaluation]:
        """Return what both custodians answer to a batch."""
        return {name: evaluate_batch(share, points, self.random) for name, share in self.shares.items()}

    def tokens(self, identifiers: Sequence[Identifier]) -> list[PersonToken]:
        """Return the tokens of identifiers, blinded afresh."""
        blinds = [blind(identifier, self.random) for identifier in identifiers]
        return verify_and_combine(blinds, self.evaluations([item.point for item in blinds]), self.descriptor)

    def _ceremony(self) -> tuple[list[Commitment], list[Opening]]:
        promised = [commit(place, self.shares[place.custodian], self.random) for place in self.places]
        openings = [
            open_share(place, self.shares[place.custodian], nonce, self.random)
            for place, (_, nonce) in zip(self.places, promised, strict=True)
        ]
        return [commitment for commitment, _ in promised], openings
