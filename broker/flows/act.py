"""What somebody asks the broker to do, in the terms an entry records: whose act, about what, with how much."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from broker.domain.requests import Approval, Requester
from broker.domain.signals import Signal
from broker.flows.canonical import sha256_of
from broker.ports import AnswerKey
from broker.protocol.call_messages import CallHolders
from broker.protocol.erasure_messages import ConfirmErasure, EraseEntries
from broker.protocol.families import Family
from broker.protocol.messages import CheckHousehold, Command, RegisterSignal, RenewSignal, WithdrawSignal

EMPTY_BODY_SHA256 = hashlib.sha256(b"").hexdigest()
"""What stands for the body of a request without one."""


def request_sha256(command: Command) -> str:
    """Return hex SHA-256 of the canonical JSON (RFC 8785) of the body without tickets (docs/formats.md section 6)."""
    body = command.model_dump(mode="json", by_alias=True, exclude={"tickets"})
    return sha256_of(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One request as its entry records it. `type` is the name of the flow, `kind` the kind of the log entry.

    `key` is None for a request without an idempotency key; `counts` says how many tokens per family came;
    `proof_reference` is the organisation's own for the proof it states, `case_ref` its own for the case it is about.
    """

    type: str
    kind: str
    sha256: str
    requester: Requester
    approval: Approval | None = None
    key: AnswerKey | None = None
    controller: str
    purpose: str | None = None
    grounds: tuple[str, ...] = ()
    team: str | None = None
    epoch: int | None = None
    counts: Mapping[str, int]
    ends_on: date | None = None
    proof_reference: str | None = None
    case_ref: str | None = None

    @classmethod
    def registering(cls, command: RegisterSignal, requester: Requester, approval: Approval | None) -> Self:
        """Return the act of registering a signal."""
        household = command.household
        sha256 = request_sha256(command)
        return cls(
            type="register_signal",
            kind="signal",
            sha256=sha256,
            requester=requester,
            approval=approval,
            key=_key(requester, command, "register_signal", sha256),
            controller=command.controller,
            purpose=command.purpose,
            grounds=tuple(command.grounds),
            team=command.team,
            epoch=command.epoch,
            counts=_counts(nlbsn=1, fam=len(household.parents), addr=int(household.address is not None)),
            ends_on=command.ends_on,
        )

    @classmethod
    def checking(cls, command: CheckHousehold, requester: Requester, approval: Approval | None) -> Self:
        """Return the act of looking who is involved with a household, or of asking them to call."""
        household = command.household
        verb, kind = ("call_holders", "oproep") if isinstance(command, CallHolders) else ("check_household", "check")
        sha256 = request_sha256(command)
        persons = int(household.subject is not None) + len(household.members)
        return cls(
            type=verb,
            kind=kind,
            sha256=sha256,
            requester=requester,
            approval=approval,
            key=_key(requester, command, verb, sha256),
            controller=command.controller,
            purpose=command.purpose,
            grounds=tuple(command.grounds),
            team=command.team,
            epoch=command.epoch,
            counts=_counts(nlbsn=persons, fam=len(household.parents), addr=int(household.address is not None)),
            proof_reference=None if command.proof is None else command.proof.reference,
        )

    @classmethod
    def on_own_signal(
        cls, verb: str, command: RenewSignal | WithdrawSignal, requester: Requester, signal_id: str
    ) -> Self:
        """Return the act of renewing or withdrawing an own signal, of which nothing is known yet."""
        sha256 = request_sha256(command)
        return cls(
            type=verb,
            kind="signal",
            sha256=sha256,
            requester=requester,
            key=_key(requester, command, f"{verb}:{signal_id}", sha256),
            controller=command.controller,
            counts={},
            ends_on=command.ends_on if isinstance(command, RenewSignal) else None,
        )

    def about(self, signal: Signal) -> Self:
        """Return the act with what its own signal says."""
        return replace(
            self, purpose=signal.purpose, grounds=(signal.ground,), team=signal.team, epoch=signal.epoch
        )  # fmt: skip

    @classmethod
    def erasing(cls, verb: str, command: EraseEntries, requester: Requester, target: str) -> Self:
        """Return the act of proposing or confirming an erasure."""
        sha256 = request_sha256(command)
        return cls(
            type=verb,
            kind="erasure" if isinstance(command, ConfirmErasure) else "review",
            sha256=sha256,
            requester=requester,
            key=_key(requester, command, f"{verb}:{target}", sha256),
            controller=command.controller,
            counts={},
        )

    @classmethod
    def listing(cls, requester: Requester) -> Self:
        """Return the act of reading the own signals; the organisation itself is the controller of that reading."""
        return cls(
            type="list_signals",
            kind="read",
            sha256=EMPTY_BODY_SHA256,
            requester=requester,
            controller=requester.organisation,
            counts={},
        )

    @classmethod
    def exporting(cls, requester: Requester) -> Self:
        """Return the act of taking own entries away; the organisation itself is the controller of that."""
        return replace(cls.listing(requester), type="export_acts", kind="export")

    @classmethod
    def reviewing(cls, verb: str, command: Command, requester: Requester) -> Self:
        """Return the act of stating something about others' acts."""
        sha256 = request_sha256(command)
        return cls(
            type=verb,
            kind="review",
            sha256=sha256,
            requester=requester,
            key=_key(requester, command, verb, sha256),
            controller=command.controller,
            counts={},
        )

    @classmethod
    def stating(
        cls, verb: str, kind: str, command: Command, requester: Requester, *, target: str = "",
        approval: Approval | None = None, purpose: str | None = None, grounds: tuple[str, ...] = (),
        team: str | None = None,
    ) -> Self:  # fmt: skip
        """Return an act without tokens, on something by its id.

        Args:
            verb: the name of the flow.
            kind: of the entry.
            target: id of what it is done to, where there is one.
        """
        sha256 = request_sha256(command)
        return cls(
            type=verb,
            kind=kind,
            sha256=sha256,
            requester=requester,
            approval=approval,
            key=_key(requester, command, f"{verb}:{target}" if target else verb, sha256),
            controller=command.controller,
            purpose=purpose,
            grounds=grounds,
            team=team,
            counts={},
            case_ref=command.case_ref,
        )

    @classmethod
    def reading(cls, verb: str, requester: Requester) -> Self:
        """Return the act of reading what is recorded; the organisation itself is the controller of that reading."""
        return replace(cls.listing(requester), type=verb)

    def families(self) -> frozenset[str]:
        """Return the families of identifiers the request used."""
        return frozenset(self.counts)


def _key(requester: Requester, command: Command, target: str, sha256: str) -> AnswerKey:
    return AnswerKey(
        organisation=requester.organisation,
        idempotency_key=command.idempotency_key,
        worker=requester.worker,
        target=target,
        body_sha256=sha256,
    )


def _counts(*, nlbsn: int, fam: int, addr: int) -> Mapping[str, int]:
    counts = {Family.NLBSN.value: nlbsn, Family.FAM.value: fam, Family.ADDR.value: addr}
    return {family: count for family, count in counts.items() if count}
