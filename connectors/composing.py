"""What a worker wants becomes a command: checked against the message's own rules before anything of it leaves."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from broker.protocol.messages import CheckHousehold, Message, RegisterSignal
from broker.protocol.request_signing import is_id
from connectors.cases import Case
from connectors.errors import CaseError, case_error
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder
from connectors.outbox import Command
from connectors.signal_terms import assessment_members, informing_members, last_day, quarter_of
from connectors.stated_proof import StatedProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """For what is asked: the purpose, its grounds, and the team; rows may state their own team.

    `proof` is that of a task in law, for who looks without a signal of his own.
    """

    purpose: str
    grounds: Sequence[str]
    team: str | None
    proof: StatedProof | None = None

    def members(self, case: Case) -> dict[str, Any]:
        """Return the members of a message. Raises CaseError: no team."""
        chosen = self.team or case.team
        if chosen is None:
            raise CaseError("team", "must not be empty")
        return {"purpose": self.purpose, "grounds": list(self.grounds), "team": chosen}


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Composes the commands of one worker of a folder; tickets are added when they are sent."""

    folder: PartnerFolder
    surroundings: Surroundings
    worker: str
    approver: str | None
    controller: str
    case_ref: str | None = None

    def registration(
        self, case: Case, household: Mapping[str, Any], asking: Asking, *, ends_on: datetime.date | None
    ) -> Command:
        """Return the command that registers a signal about this case. Raises CaseError."""
        quarter = quarter_of(self.folder, case, asking.purpose)
        now = self.surroundings.now()
        members = {
            **asking.members(case),
            "epoch": self.folder.epoch.epoch,
            "household": {name: value for name, value in household.items() if name != "members"},
            "ends_on": last_day(case, stated=ends_on, quarter=quarter, now=now),
            "age_quarter": quarter,
            "assessment": assessment_members(self.folder, case.assessment),
            "informing": informing_members(case.informing, now=now),
            "tickets": [],
        }
        return self._command(RegisterSignal, members, effect="register", path="/v1/signals", case=case)

    def question(self, case: Case, household: Mapping[str, Any], asking: Asking) -> Command:
        """Return the command that looks who is involved with this household. Raises CaseError."""
        members = {
            **asking.members(case),
            "epoch": self.folder.epoch.epoch,
            "household": dict(household),
            "proof": None if asking.proof is None else asking.proof.members(self.folder.case_ref_key.mac),
            "tickets": [],
        }
        return self._command(CheckHousehold, members, effect="check", path="/v1/household-checks", case=case)

    def call(self, case: Case, household: Mapping[str, Any], asking: Asking) -> Command:
        """Return the command that asks whoever is involved with this household to call. Raises CaseError."""
        question = self.question(case, household, asking)
        return replace(question, kind="oproep", effect="call", path="/v1/calls")

    def change(
        self, model: type[Message], members: Mapping[str, Any], *, effect: str, signal_id: str, act: str
    ) -> Command:
        """Return the command that changes an own signal. Raises CaseError: the id is none of ours."""
        if not is_id(signal_id):
            raise CaseError("signal", "must be 32 lower-case hex characters")
        path = f"/v1/signals/{signal_id}/{act}"
        return self._command(model, dict(members), effect=effect, path=path, signal_id=signal_id)

    def statement(
        self, model: type[Message], members: Mapping[str, Any], *, kind: str, path: str, local: Mapping[str, str | None]
    ) -> Command:
        """Return a command without tokens that changes nothing in the casebook.

        Args:
            kind: of its entry.
            local: own notes beside it, which never leave.

        Raises:
            CaseError: a member breaks its rule.
        """
        command = self._command(model, dict(members), effect="state", path=path)
        return replace(command, kind=kind, local={**command.local, **local})

    def person_mac(self, case: Case) -> str | None:
        """Return whom a case is about, as an HMAC in hex that only this organisation can compare."""
        if case.subject is None:
            return None
        return self.folder.case_ref_key.mac(b"person\x00" + case.subject.reveal()).hex()

    def _command(
        self,
        model: type[Message],
        members: dict[str, Any],
        *,
        effect: str,
        path: str,
        case: Case | None = None,
        signal_id: str | None = None,
    ) -> Command:
        key = self.surroundings.new_id()
        case_ref = self.case_ref if case is None else case.case_ref
        mac = self.folder.case_ref_key.mac
        stated = {
            "idempotency_key": key,
            "controller": self.controller,
            "case_ref": None if case_ref is None else mac(b"case\x00" + case_ref.encode()).hex(),
            **members,
        }
        try:
            message = model.model_validate(stated)
        except ValidationError as error:
            raise case_error(error) from None
        body = message.model_dump(mode="json", by_alias=True)
        body.pop("tickets", None)
        return Command(
            key=key,
            kind="check" if effect == "check" else "signal",
            effect=effect,
            path=path,
            worker=self.worker,
            approver=self.approver,
            body=body,
            tickets=(),
            evaluation="",
            local={
                "row": case.row if case is not None else None,
                "case_ref": case_ref,
                "signal_id": signal_id,
                "person_mac": None if case is None else self.person_mac(case),
            },
        )
