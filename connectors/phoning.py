"""Phone mode as a worker uses it: announce a call, know who calls, note an answer. `client.phoning` has it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from broker.protocol.call_statement import StatedCall
from broker.protocol.errors import SignatureError
from broker.protocol.messages import Contact
from broker.protocol.phone_messages import (
    NoteOralAnswer,
    PhoneCallShown,
    PhoneCallsResult,
    StartPhoneCall,
    VerifyCaller,
)
from broker.protocol.request_signing import SKEW_S, is_id
from connectors.answers import Outcome, VerifiedEntry
from connectors.contacts import Contacts, contact_of
from connectors.desk import Desk
from connectors.directory import directory
from connectors.errors import CaseError, ConnectorError, ReceiptError
from connectors.following import Following, Sides
from connectors.outbox import NOW
from connectors.stated_proof import StatedProof
from connectors.told_requests import named

_PATH = "/v1/phone-calls"
OLD_S = 3600
"""Seconds that a statement vouches for who calls: as long as a belcode, and an outbox that waited as long."""
LEVEL = 3
"""Nature and period: what is usually told on the phone. Content needs what content needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a call, or an answer to it, is about: data categories, up to a level, on these grounds.

    `consent_id` and `exception_id` are own ones that it rests on; `match_id` an own match, of a call only.
    """

    categories: Sequence[str]
    grounds: Sequence[str]
    level: int = LEVEL
    signal_id: str | None = None
    proof: StatedProof | None = None
    consent_id: str | None = None
    exception_id: str | None = None
    match_id: str | None = None


@dataclass(frozen=True, slots=True)
class Phoning:
    """The phone calls of one worker's client; `receipts` are the proofs of what was done with it, the newest last."""

    desk: Desk
    receipts: list[VerifiedEntry] = field(default_factory=list)

    async def start(
        self, *, to: str, to_team: str, team: str, purpose: str, about: About, tells: bool = False
    ) -> PhoneCallShown:
        """Return the call that is announced, with its belcode. Raises CaseError, RefusedError, NotDoneError.

        Args:
            to: OIN of who is called.
            to_team: which team of it.
            team: the own one.
            purpose: a purpose id.
            about: what it is about.
            tells: whether the call is made to tell, and not to ask: only then can it rest on an exception.
        """
        if about.exception_id is not None and not tells:
            raise CaseError("exception", "is for a call that tells")
        call_id, folder = self.desk.new_own_id(), self.desk.folder
        stated = StatedCall(call_id=call_id, caller_team=team, receiver=to, receiver_team=to_team, purpose=purpose)
        members = {
            "idempotency_key": call_id,
            "kind": "telling" if tells else "request",
            "match_id": about.match_id,
            "purpose": purpose,
            "team": team,
            "to": to,
            "to_team": to_team,
            "statement": stated.signed(
                folder.signing_key, organisation=folder.settings.oin, at=self.desk.surroundings.now()
            ),
            **self._members(about),
        }
        return self._about(
            call_id,
            await self._stated(StartPhoneCall, members, kind="answer" if tells else "request", path=_PATH, now=True),
        )

    async def verify(self, code: str) -> PhoneCallShown:
        """Return who calls, as that organisation itself states.

        Raises:
            CaseError: no six digits. RefusedError: the code does not count. NotDoneError.
            ReceiptError: the broker says who calls, and that organisation does not, or it called somebody else.
        """
        call = await self._stated(VerifyCaller, {"code": code}, kind="request", path=f"{_PATH}/verifications", now=True)
        if call.side != "received" or not self._is_fresh(self._stated_at(call)):
            raise ReceiptError("who calls")
        return call

    async def note(self, call_id: str, about: About) -> PhoneCallShown:
        """Return the call once it stands that it was answered, without what was said.

        Raises:
            CaseError: the id is none. RefusedError: it may not be told, or was noted before. NotDoneError.
        """
        if not is_id(call_id):
            raise CaseError("call", "must be 32 lower-case hex characters")
        noted = await self._stated(
            NoteOralAnswer, self._members(about), kind="answer", path=f"{_PATH}/{call_id}/oral-answers"
        )
        return self._about(call_id, noted)

    async def calls(self) -> tuple[PhoneCallShown, ...]:
        """Return the newest calls of the own organisation. Raises RefusedError, NotDoneError, ReceiptError."""
        outcome = await self.desk.delivery.read(_PATH, worker=self.desk.composer.worker)
        return tuple(self._told(outcome))

    async def sides(self, match_id: str) -> Sides:
        """Return between which two teams a call about this own match goes. Raises as `Following.sides`."""
        return await Following(self.desk).sides(match_id)

    async def card_of(self, call: PhoneCallShown) -> Contact | None:
        """Return the card that the team signed which is to be called now; None where there is none, or nobody calls.

        What it has not got yet is fetched. That it cannot be is no reason not to call.
        """
        if call.side != "made" or call.code is None:
            return None
        contacts = Contacts(self.desk.book, self.desk.folder)
        if contacts.cards_of(call.receiver.oin) is None:
            with suppress(ConnectorError):
                contacts.keep(await directory(self.desk))
        cards = contacts.cards_of(call.receiver.oin)
        card = None if cards is None else cards.teams.get(call.receiver.team)
        return None if card is None else contact_of(card)

    async def _stated(
        self, model: type[Any], members: dict[str, Any], *, kind: str, path: str, now: bool = False
    ) -> PhoneCallShown:
        # Nobody calls, or is on the line, when a call or a code is carried out days later.
        local = {NOW: "1"} if now else {}
        command = self.desk.composer.statement(model, members, kind=kind, path=path, local=local)
        outcome = await self.desk.delivery.send(command)
        self.receipts.extend(outcome.receipts)
        told = self._told(outcome)
        if len(told) != 1:
            raise ReceiptError("one phone call")
        return told[0]

    def _about(self, call_id: str, told: PhoneCallShown) -> PhoneCallShown:
        """Return what is told of this very call. Raises ReceiptError: it is about another."""
        if told.call_id != call_id:
            raise ReceiptError("this phone call")
        return told

    def _told(self, outcome: Outcome) -> list[PhoneCallShown]:
        """Return the calls in an answer, each side by the name that the own register has."""
        if not isinstance(outcome.details, PhoneCallsResult):
            raise ReceiptError("phone calls")
        register = self.desk.folder.register
        told = []
        for call in outcome.details.phone_calls:
            at = self._stated_at(call)
            names = {"caller": named(call.caller, register), "receiver": named(call.receiver, register)}
            # A code to compare with, and a number to call back, only of who states the call.
            code = call.code if self._is_fresh(at) else None
            held = {} if at is not None else {"contact": None, "statement": None}
            told.append(call.model_copy(update={**names, "code": code, **held}))
        return told

    def _stated_at(self, call: PhoneCallShown) -> int | None:
        """Return when the calling organisation itself stated this call, in unix seconds; None where it did not.

        A call that it really made to anybody else vouches for no voice here.
        """
        caller = self.desk.folder.register.organisations.get(call.caller.oin)
        if caller is None or not caller.active or not self._is_own(call):
            return None
        if call.statement is None or call.purpose is None:
            return None
        stated = StatedCall(
            call_id=call.call_id,
            caller_team=call.caller.team,
            receiver=call.receiver.oin,
            receiver_team=call.receiver.team,
            purpose=call.purpose,
        )
        try:
            return stated.stated_at(call.statement, caller)
        except SignatureError:
            return None

    def _is_own(self, call: PhoneCallShown) -> bool:
        """Return whether it is a call of another organisation to the own one, or of the own one to another."""
        own, other = (call.receiver, call.caller) if call.side == "received" else (call.caller, call.receiver)
        oin = self.desk.folder.settings.oin
        return own.oin == oin != other.oin

    def _is_fresh(self, at: int | None) -> bool:
        """Return whether a call was stated of late by the own clock: an old one may be served under another voice."""
        now = self.desk.surroundings.now()
        return at is not None and now - OLD_S <= at <= now + SKEW_S

    def _members(self, about: About) -> dict[str, Any]:
        mac = self.desk.folder.case_ref_key.mac
        return {
            "categories": list(about.categories),
            "grounds": list(about.grounds),
            "level": about.level,
            "signal_id": about.signal_id,
            "consent_id": about.consent_id,
            "exception_id": about.exception_id,
            "proof": None if about.proof is None else about.proof.members(mac),
        }
