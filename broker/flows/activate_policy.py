"""Bring a policy bundle into force: the log says which one, in place of which, and who signed for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from broker.domain.changes import ActivateBundle
from broker.domain.errors import PolicyNotSuccessorError, StaleDecisionError, StorageError
from broker.flows.policy import PoliciesByVersion, PolicyInForce
from broker.ports import BUNDLE, BundleHistory, Clock, Committed, Log, Proposal, SignalStore, StampKey, StampKind, Turn

_IN_FORCE = StampKey(kind=StampKind.POLICY, key=BUNDLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What people signed about a bundle (`release/v1`); they stand by key and role, never by name."""

    statement: str
    replaces: str | None
    registered_on: date
    openings: int
    diff: str
    signers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """How a bundle comes into force; `mark` says what it is where nobody signed it."""

    mark: Literal["signed", "unsigned", "test"]
    signed: Signed | None = None


async def activate_policy(
    *, policy: PolicyInForce, activation: Activation, policies: PoliciesByVersion, bundles: BundleHistory,
    signals: SignalStore, clock: Clock, log: Log,
) -> Committed | None:  # fmt: skip
    """The policy is in force, and what was decided with another one is stale; None when it already was.

    One caller at a time. On any error what was in force still is.

    Raises:
        PolicyNotSuccessorError: it was signed in place of another bundle than the one in force; nothing changed.
        NotRecordedError, StaleDecisionError: nothing changed; after LogUnavailableError the log itself says which
            of the two is in force, and each decision goes by that.
    """
    # (1) The same one again, by the same signatures or none, changes nothing and needs no entry.
    change = _change(policy, activation, at=clock.now())
    history = await bundles.activations()
    if history and replace(history[-1], at=change.at) == change:
        (stamp,) = await signals.stamps((_IN_FORCE,))
        policies.hold(stamp.version, policy)
        policies.settle(stamp.version)
        return None
    async with log.turn() as turn:
        return await _in_turn(
            policy, activation, policies=policies, bundles=bundles, signals=signals, clock=clock, turn=turn
        )  # fmt: skip


async def _in_turn(
    policy: PolicyInForce, activation: Activation, *, policies: PoliciesByVersion, bundles: BundleHistory,
    signals: SignalStore, clock: Clock, turn: Turn,
) -> Committed:  # fmt: skip
    # (2) What people compared it with is what it replaces; a broker without history takes any.
    (stamp,) = await signals.stamps((_IN_FORCE,))
    history = await bundles.activations()
    check_follows(policy, activation, history)
    # (3) It is at hand before its entry is: what reads the new version decides with it at once, and nothing before.
    coming = stamp.version + 1
    policies.hold(coming, policy)
    # (4) Entry and change in one transaction.
    change = _change(policy, activation, at=clock.now())
    payloads = {"meta": _meta(policy, activation, history[-1].sha256 if history else None)}
    try:
        committed = await turn.commit(Proposal(kind="policy", payloads=payloads, relies_on=(stamp,), changes=(change,)))
    except (StorageError, StaleDecisionError):
        policies.drop(coming)
        raise
    # (5) The one before decides nothing any more.
    policies.settle(coming)
    return committed


def check_follows(policy: PolicyInForce, activation: Activation, history: Sequence[ActivateBundle]) -> None:
    """Hold only for a policy that may come after those that were in force.

    Raises:
        PolicyNotSuccessorError: nobody signed it and somebody signed one before, it was signed in place of another
            bundle or before the release in force was, or it is a release that was in force and was replaced.
    """
    signed = activation.signed
    if signed is None:
        if any(one.mark == "signed" for one in history):
            raise PolicyNotSuccessorError("is missing, and this broker has decided by signed releases before")
        return
    if not history:
        return
    if history[-1].sha256 not in (signed.replaces, policy.sha256):
        raise PolicyNotSuccessorError("was signed in place of another bundle than the one in force")
    # Going back takes people who sign for it: an old file alone, put in place again, brings nothing back.
    if any(one.statement == signed.statement for one in history):
        raise PolicyNotSuccessorError("was in force before, and another one took its place")
    if any(one.registered_on is not None and one.registered_on > signed.registered_on for one in history):
        raise PolicyNotSuccessorError("was signed before the release in force was")


def _change(policy: PolicyInForce, activation: Activation, *, at: int) -> ActivateBundle:
    signed = activation.signed
    return ActivateBundle(
        sha256=policy.sha256,
        at=at,
        mark=activation.mark,
        statement=None if signed is None else signed.statement,
        registered_on=None if signed is None else signed.registered_on,
    )


def _meta(policy: PolicyInForce, activation: Activation, before: str | None) -> Mapping[str, object]:
    signed = activation.signed
    return {
        "schema": "entry-policy/v1",
        "bundle": policy.sha256,
        "replaces": before,
        "mark": activation.mark,
        "release": None
        if signed is None
        else {
            "statement": signed.statement,
            "registered_on": signed.registered_on.isoformat(),
            "openings": {"count": signed.openings, "diff": signed.diff},
            "signed_by": [{"kid": kid, "role": role} for kid, role in signed.signers],
        },
    }
