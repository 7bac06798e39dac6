"""Phone mode as a worker uses it: announce a call, know who calls, note an answer. `client.phoning` has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broker.protocol.phone_messages import (
    NoteOralAnswer,
    PhoneCallShown,
    PhoneCallsResult,
    StartPhoneCall,
    VerifyCaller,
)
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome
from connectors.desk import Desk
from connectors.errors import CaseError, ReceiptError
from connectors.stated_proof import StatedProof
from connectors.told_requests import named

_PATH = "/v1/phone-calls"
LEVEL = 3
"""Nature and period: what is usually told on the phone. Content needs what content needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a call, or an answer to it, is about: data categories, up to a level, on these grounds."""

    categories: Sequence[str]
    grounds: Sequence[str]
    level: int = LEVEL
    signal_id: str | None = None
    proof: StatedProof | None = None


@dataclass(frozen=True, slots=True)
class Phoning:
    """The phone calls of one worker's client."""

    desk: Desk

    async def start(self, *, to: str, to_team: str, team: str, purpose: str, about: About) -> PhoneCallShown:
        """Return the call that is announced, with its belcode. Raises CaseError, RefusedError, NotDoneError."""
        members = {"purpose": purpose, "team": team, "to": to, "to_team": to_team, **self._members(about)}
        return await self._stated(StartPhoneCall, members, kind="request", path=_PATH)

    async def verify(self, code: str) -> PhoneCallShown:
        """Return who calls. Raises CaseError: no six digits. RefusedError: the code does not count. NotDoneError."""
        return await self._stated(VerifyCaller, {"code": code}, kind="request", path=f"{_PATH}/verifications")

    async def note(self, call_id: str, about: About) -> PhoneCallShown:
        """Return the call once it stands that it was answered, without what was said.

        Raises:
            CaseError: the id is none. RefusedError: it may not be told, or was noted before. NotDoneError.
        """
        if not is_id(call_id):
            raise CaseError("call", "must be 32 lower-case hex characters")
        return await self._stated(
            NoteOralAnswer, self._members(about), kind="answer", path=f"{_PATH}/{call_id}/oral-answers"
        )

    async def calls(self) -> tuple[PhoneCallShown, ...]:
        """Return the newest calls of the own organisation. Raises RefusedError, NotDoneError, ReceiptError."""
        outcome = await self.desk.delivery.read(_PATH, worker=self.desk.composer.worker)
        return tuple(self._told(outcome))

    async def _stated(self, model: type[Any], members: dict[str, Any], *, kind: str, path: str) -> PhoneCallShown:
        command = self.desk.composer.statement(model, members, kind=kind, path=path, local={})
        told = self._told(await self.desk.delivery.send(command))
        if len(told) != 1:
            raise ReceiptError("one phone call")
        return told[0]

    def _told(self, outcome: Outcome) -> list[PhoneCallShown]:
        """Return the calls in an answer, each side by the name that the own register has."""
        if not isinstance(outcome.details, PhoneCallsResult):
            raise ReceiptError("phone calls")
        register = self.desk.folder.register
        return [
            call.model_copy(update={"caller": named(call.caller, register), "receiver": named(call.receiver, register)})
            for call in outcome.details.phone_calls
        ]

    def _members(self, about: About) -> dict[str, Any]:
        mac = self.desk.folder.case_ref_key.mac
        return {
            "categories": list(about.categories),
            "grounds": list(about.grounds),
            "level": about.level,
            "signal_id": about.signal_id,
            "proof": None if about.proof is None else about.proof.members(mac),
        }
