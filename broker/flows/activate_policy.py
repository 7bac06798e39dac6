"""Bring a policy bundle into force: the log says which one, in place of which, and who signed for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from broker.domain.changes import ActivateBundle
from broker.domain.errors import PolicyNotSuccessorError
from broker.ports import BUNDLE, BundleHistory, Clock, Committed, Log, Proposal, SignalStore, StampKey, StampKind, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What people signed about a bundle (`release/v1`); they stand by key and role, never by name."""

    replaces: str | None
    registered_on: str
    openings: int
    diff: str
    signers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A bundle that this broker is to decide with; `mark` says what it is where nobody signed it."""

    bundle: str
    mark: Literal["signed", "unsigned", "test"]
    signed: Signed | None = None


async def activate_policy(
    *, activation: Activation, bundles: BundleHistory, signals: SignalStore, clock: Clock, log: Log
) -> Committed | None:
    """The bundle is in force, and what was decided with another one is stale; None when it already was.

    Raises:
        PolicyNotSuccessorError: it was signed in place of another bundle than the one in force; nothing changed.
        NotRecordedError, StaleDecisionError: nothing changed.
    """
    # (1) The same one again changes nothing, and needs no entry.
    if await bundles.bundle_in_force() == activation.bundle:
        return None
    async with log.turn() as turn:
        return await _in_turn(activation, bundles=bundles, signals=signals, clock=clock, turn=turn)


async def _in_turn(
    activation: Activation, *, bundles: BundleHistory, signals: SignalStore, clock: Clock, turn: Turn
) -> Committed:
    # (2) What people compared it with is what it replaces; a broker without history takes any.
    stamps = await signals.stamps((StampKey(kind=StampKind.POLICY, key=BUNDLE),))
    before = await bundles.bundle_in_force()
    if activation.signed is not None and before not in (None, activation.signed.replaces):
        raise PolicyNotSuccessorError
    # (3) Entry and change in one transaction, before anything is decided with it.
    change = ActivateBundle(sha256=activation.bundle, at=clock.now())
    payloads = {"meta": _meta(activation, before)}
    return await turn.commit(Proposal(kind="policy", payloads=payloads, relies_on=stamps, changes=(change,)))


def _meta(activation: Activation, before: str | None) -> Mapping[str, object]:
    signed = activation.signed
    return {
        "schema": "entry-policy/v1",
        "bundle": activation.bundle,
        "replaces": before,
        "mark": activation.mark,
        "release": None
        if signed is None
        else {
            "registered_on": signed.registered_on,
            "openings": {"count": signed.openings, "diff": signed.diff},
            "signed_by": [{"kid": kid, "role": role} for kid, role in signed.signers],
        },
    }
