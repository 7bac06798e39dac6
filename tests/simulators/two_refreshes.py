"""A refresh between the two custodians in memory: the real exchange, step by step, so that a test can spoil each."""

import hashlib
from dataclasses import dataclass, field

from broker.protocol.epochs import EpochDescriptor, SecretShare
from broker.protocol.refresh import (
    Begun,
    RefreshCommitment,
    Refreshed,
    RefreshOpening,
    RefreshPlace,
    begin,
    conclude,
    open_exchange,
)
from tests.simulators.two_custodians import NAMES, TwoCustodians


@dataclass(slots=True)
class TwoRefreshes:
    """Both sides of one refresh, up to their openings."""

    custodians: TwoCustodians
    refresh: int = 1
    basis: bytes = b""
    begun: dict[str, Begun] = field(default_factory=dict)
    commitments: list[RefreshCommitment] = field(default_factory=list)
    openings: list[RefreshOpening] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Commit, then open."""
        self.basis = self.basis or hashlib.sha256(self.custodians.descriptor.canonical()).digest()
        for place in self.custodians.places:
            at = RefreshPlace(place=place, refresh=self.refresh, basis=self.basis)
            commitment, self.begun[place.custodian] = begin(at, self.custodians.random)
            self.commitments.append(commitment)
        self.openings = [
            open_exchange(self.begun[name], self.custodians.shares[name], self.custodians.random) for name in NAMES
        ]

    def concluded(self, name: str, *, share: SecretShare | None = None) -> Refreshed:
        """Return what one custodian comes to. Raises RefreshError."""
        return conclude(
            self.begun[name],
            share or self.custodians.shares[name],
            self.custodians.descriptor,
            commitments=self.commitments,
            openings=self.openings,
        )

    def take(self) -> EpochDescriptor:
        """Both custodians use their new shares; return the descriptor, which both computed alike."""
        made = {name: self.concluded(name) for name in NAMES}
        first, second = (made[name].descriptor for name in NAMES)
        assert first == second
        self.custodians.shares = {name: one.share for name, one in made.items()}
        self.custodians.descriptor = first
        return first
