"""The SDK: register a signal, look who is involved, renew, withdraw, list. `docs/connector.md` shows it in ten lines.

    case ──► blind ──► custodians A, B ──► combine ──► outbox ──► broker ──► receipt verified and kept ──► Outcome

Whatever is returned came with a receipt that holds. Whatever was not carried out raises NotDoneError or RefusedError.
"""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from broker.protocol.messages import CheckHousehold, Message, RegisterSignal, RenewSignal, WithdrawSignal
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome
from connectors.cases import Case
from connectors.conclusions import Resumed, Unfinished
from connectors.delivery import Delivery
from connectors.errors import CaseError, CaseMismatchError, ConnectorError, FolderError, case_error
from connectors.evaluation import evaluate
from connectors.exchange import Exchange, Surroundings
from connectors.folder import PartnerFolder
from connectors.household import Asked, to_check, to_register
from connectors.outbox import Command, Outbox
from connectors.signal_terms import assessment_members, informing_members, last_day, quarter_of
from connectors.workers import roles_of


class SluisClient:
    """One worker of one organisation at work; use it as an asynchronous context."""

    def __init__(
        self,
        folder: PartnerFolder | Path,
        *,
        worker: str,
        approver: str | None = None,
        controller: str | None = None,
        urgent: bool = False,
        surroundings: Surroundings | None = None,
    ) -> None:
        """Open the folder for this worker, known by his local id.

        Args:
            approver: local id of the colleague who approves what is registered or asked.
            controller: OIN of the controller; the own organisation where none is given (D17).
            urgent: take from the small reserve for danger; it is reviewed within 24 hours (D2).

        Raises:
            FolderError: the folder cannot be used, or the worker is not in it.
        """
        self.folder = folder if isinstance(folder, PartnerFolder) else PartnerFolder(folder)
        if "worker" not in roles_of(self.folder, worker):
            raise FolderError("worker", "does not have the role worker")
        self._worker = worker
        self._approver = approver
        self._controller = controller or self.folder.settings.oin
        self._urgent = urgent
        self._surroundings = surroundings or Surroundings()
        self._exchange = Exchange(self.folder, self._surroundings)
        self._book = self.folder.casebook()
        self._outbox = Outbox(self.folder.outbox_path, self.folder.outbox_key)
        self._delivery = Delivery(self.folder, self._exchange, self._outbox, self._book)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close connections and databases."""
        await self._exchange.aclose()
        self._outbox.forget()
        self._outbox.close()
        self._book.close()

    async def register(
        self,
        case: Case,
        *,
        purpose: str,
        grounds: Sequence[str],
        team: str | None = None,
        ends_on: datetime.date | None = None,
        families: Sequence[str] | None = None,
    ) -> Outcome:
        """Return who else is involved, after the own signal was stored; registering is asking (D5).

        Args:
            ends_on: the last day; where neither it nor the case has one, a year from today, and never beyond the
                quarter in which an age-bound purpose ends.
            families: of identifiers, where they differ from the folder's setting for this purpose.

        Raises:
            CaseError, RefusedError, NotDoneError: nothing is registered, or `resume` will tell.
        """
        self._same_person(case)
        asked = to_register(case, self._families(purpose, families), exclusion=self.folder.without_excluded)
        quarter = quarter_of(self.folder, case, purpose)
        household, evaluated, tickets = await self._evaluated(asked, "register", purpose)
        household.pop("members")
        members = {
            **self._asking(case, purpose, grounds, team),
            "epoch": self.folder.epoch.epoch,
            "household": household,
            "ends_on": last_day(case, stated=ends_on, quarter=quarter, now=self._surroundings.now()),
            "age_quarter": quarter,
            "assessment": assessment_members(self.folder, case.assessment),
            "informing": informing_members(case.informing),
            "tickets": [],
        }
        command = self._command(
            RegisterSignal, members, kind="signal", effect="register", path="/v1/signals", case=case
        )
        return await self._delivery.send(replace(command, evaluation=evaluated, tickets=tickets))

    async def check(
        self,
        case: Case,
        *,
        purpose: str,
        grounds: Sequence[str],
        team: str | None = None,
        families: Sequence[str] | None = None,
    ) -> Outcome:
        """Return who else is involved with this household.

        A household with more members than one message carries is asked about in several; all of them are done or none
        is shown.

        Raises:
            CaseError, RefusedError, NotDoneError: it was not carried out, and nothing is known.
        """
        self._same_person(case)
        questions = to_check(case, self._families(purpose, families), exclusion=self.folder.without_excluded)
        # Every part has its tokens before any of them leaves; together they are one group.
        evaluated = [await self._evaluated(asked, "check", purpose) for asked in questions]
        group, parts = self._surroundings.new_id(), []
        for place, (household, body, tickets) in enumerate(evaluated, start=1):
            members = {
                **self._asking(case, purpose, grounds, team),
                "epoch": self.folder.epoch.epoch,
                "household": household,
                "tickets": [],
            }
            command = self._command(
                CheckHousehold, members, kind="check", effect="check", path="/v1/household-checks", case=case
            )
            part = replace(command, group=group, part=place, parts=len(evaluated))
            parts.append(replace(part, evaluation=body, tickets=tickets))
        return await self._delivery.send(*parts)

    async def renew(self, signal_id: str, *, ends_on: datetime.date) -> Outcome:
        """Return once the own signal has this end date. Raises RefusedError, NotDoneError."""
        command = self._command(
            RenewSignal,
            {"ends_on": ends_on},
            kind="signal",
            effect="renew",
            path=_signal_path(signal_id, "renewal"),
            signal_id=signal_id,
        )
        return await self._delivery.send(command)

    async def withdraw(self, signal_id: str, *, reason: str) -> Outcome:
        """Return once the own signal has ended; `reason` is `mistake` or `no_longer_needed`.

        Raises:
            RefusedError: a signal that was used to look is reviewed first (D5). NotDoneError.
        """
        command = self._command(
            WithdrawSignal,
            {"reason": reason},
            kind="signal",
            effect="withdraw",
            path=_signal_path(signal_id, "withdrawal"),
            signal_id=signal_id,
        )
        return await self._delivery.send(command)

    async def list_signals(self) -> Outcome:
        """Return the organisation's own signals as the broker has them. Raises RefusedError, NotDoneError."""
        return await self._delivery.list_own(worker=self._worker)

    async def resume(self) -> Resumed:
        """Return what became of every command that had no receipt yet, in the order they were made.

        One that fails stops no other; those that were refused or still wait stand beside the outcomes.
        """
        outcomes, unfinished = [], []
        for parts in self._outbox.waiting():
            try:
                outcomes.append(await self._delivery.resume(parts))
            except ConnectorError as error:
                unfinished.append(Unfinished(row=parts[0].local.get("row") or "", error=error))
        return Resumed(outcomes=tuple(outcomes), unfinished=tuple(unfinished))

    def has_active_signal(self, case: Case, *, purpose: str, team: str) -> bool:
        """Return whether this case has an active signal here, by its case reference."""
        return (
            case.case_ref is not None
            and self._book.active_signal(case_ref=case.case_ref, purpose=purpose, team=team) is not None
        )

    async def _evaluated(
        self, asked: Asked, operation: str, purpose: str
    ) -> tuple[dict[str, Any], str, tuple[str, ...]]:
        evaluated = await evaluate(
            self._exchange,
            self.folder,
            asked.identifiers,
            operation=operation,
            budget_class="urgent" if self._urgent else operation,
            purpose=purpose,
            worker=self._worker,
        )
        return asked.placed(evaluated.tokens), evaluated.body, evaluated.tickets

    def _asking(self, case: Case, purpose: str, grounds: Sequence[str], team: str | None) -> dict[str, Any]:
        chosen = team or case.team
        if chosen is None:
            raise CaseError("team", "must not be empty")
        return {"purpose": purpose, "grounds": list(grounds), "team": chosen}

    def _command(
        self,
        model: type[Message],
        members: dict[str, Any],
        *,
        kind: str,
        effect: str,
        path: str,
        case: Case | None = None,
        signal_id: str | None = None,
    ) -> Command:
        key = self._surroundings.new_id()
        case_ref = None if case is None else case.case_ref
        mac = self.folder.case_ref_key.mac
        stated = {
            "idempotency_key": key,
            "controller": self._controller,
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
            kind=kind,
            effect=effect,
            path=path,
            worker=self._worker,
            approver=self._approver,
            body=body,
            tickets=(),
            evaluation="",
            local={
                "row": case.row if case is not None else None,
                "case_ref": case_ref,
                "signal_id": signal_id,
                "person_mac": None if case is None else self._person_mac(case),
            },
        )

    def _families(self, purpose: str, families: Sequence[str] | None) -> Sequence[str]:
        return self.folder.settings.families_of(purpose) if families is None else families

    def _person_mac(self, case: Case) -> str | None:
        if case.subject is None:
            return None
        return self.folder.case_ref_key.mac(b"person\x00" + case.subject.reveal()).hex()

    def _same_person(self, case: Case) -> None:
        """Stop a wrong number before anything leaves: the case record says whom the case is about (T27)."""
        known = None if case.case_ref is None else self._book.person_of(case.case_ref)
        mac = self._person_mac(case)
        if known is not None and mac is not None and known.hex() != mac:
            raise CaseMismatchError("bsn", "must be that of the organisation's own case")


def _signal_path(signal_id: str, act: str) -> str:
    """Return the address of an act on an own signal. Raises CaseError: no id of ours."""
    if not is_id(signal_id):
        raise CaseError("signal", "must be 32 lower-case hex characters")
    return f"/v1/signals/{signal_id}/{act}"
