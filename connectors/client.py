"""The SDK: register a signal, look who is involved, renew, withdraw, list. `docs/connector.md` shows it in ten lines.

    case ──► blind ──► custodians A, B ──► combine ──► outbox ──► broker ──► receipt verified and kept ──► Outcome

Whatever is returned came with a receipt that holds. Whatever was not carried out raises NotDoneError or RefusedError.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from broker.protocol.grant import Grant
from broker.protocol.messages import RenewSignal, WithdrawSignal
from connectors.answers import Outcome
from connectors.calling import Calling
from connectors.casebook import Draft
from connectors.cases import Case
from connectors.composing import Asking, Composer
from connectors.conclusions import Resumed
from connectors.consents import Consents
from connectors.delivery import Delivery
from connectors.desk import Desk
from connectors.errors import AlreadyWaitsError, FolderError
from connectors.exceptions import Exceptions
from connectors.exchange import Exchange, Surroundings
from connectors.folder import PartnerFolder
from connectors.grants import elements_of, own_grant
from connectors.handing_over import Hand
from connectors.household import Asked, to_register
from connectors.look_later import LookLater, ToLook
from connectors.outbox import Outbox, Person
from connectors.phoning import Phoning
from connectors.resuming import resume_all
from connectors.stated_proof import StatedProof
from connectors.workers import roles_of

_UNDER_WAY_S = 60
"""Seconds within which a command that was begun is taken for one that still runs."""


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
        role: str = "worker",
        case_ref: str | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """Open the folder for this worker, known by his local id.

        Args:
            approver: local id of the colleague who approves what is registered or asked.
            controller: OIN of the controller; the own organisation where none is given (D17).
            role: in which role; another than a worker's reads only what is for it.
            case_ref: of the own case that all of it is about, where no case is given; it leaves as an HMAC.
            urgent: take from the small reserve for danger; it is reviewed within 24 hours (D2).

        Raises:
            FolderError: the folder cannot be used, or the worker is not in it.
        """
        self.folder = folder if isinstance(folder, PartnerFolder) else PartnerFolder(folder)
        if role not in roles_of(self.folder, worker):
            own = ", ".join(sorted(roles_of(self.folder, worker))) or "none"
            raise FolderError("worker", f"does not have the role {role}, but: {own}; a colleague who has it does this")
        self._worker = worker
        self._approver = approver
        self._surroundings = surroundings or Surroundings()
        self._composer = Composer(
            folder=self.folder,
            surroundings=self._surroundings,
            worker=worker,
            approver=approver,
            controller=controller or self.folder.settings.oin,
            case_ref=case_ref,
        )
        self._exchange = Exchange(self.folder, self._surroundings)
        self._book = self.folder.casebook()
        self._outbox = Outbox(self.folder.outbox_path, self.folder.outbox_key)
        self.later = LookLater(self._book, self.folder.outbox_key)
        self._delivery = Delivery(self.folder, self._exchange, self._outbox, self._book)
        self.desk = Desk(
            folder=self.folder,
            exchange=self._exchange,
            surroundings=self._surroundings,
            composer=self._composer,
            delivery=self._delivery,
            book=self._book,
            urgent=urgent,
        )
        self.calling, self.phoning = Calling(self.desk), Phoning(self.desk)
        self.consents = Consents(self.desk)
        self.exceptions = Exceptions(self.desk)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    def left(self) -> int:
        """Return how many commands of this folder wait for `resume`: begun more than a minute ago, and not ended."""
        return self._outbox.left(before=int(self._surroundings.now()) - _UNDER_WAY_S)

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
        grant: Grant | None = None,
    ) -> Outcome:
        """Return who else is involved, after the own signal was stored; registering is asking (D5).

        Args:
            ends_on: the last day; where neither it nor the case has one, a year from today, and never beyond the
                quarter in which an age-bound purpose ends.
            families: of identifiers, where they differ from the folder's setting for this purpose.
            grant: an import grant, from `grant`. Then nobody is looked up: the outcome is `done`, and the household
                waits for `look`.

        Raises:
            CaseError, RefusedError, NotDoneError: nothing is registered, or `resume` will tell.
            AlreadyWaitsError: an earlier registration of this person waits; `resume` ends it.
        """
        self.desk.check_same_person(case)
        self._no_other_waits(case, purpose=purpose, team=team)
        used, asking = self._families(purpose, families), Asking(purpose=purpose, grounds=grounds, team=team)
        asked = self._registering(case, used)
        if grant is not None:
            return await self.desk.import_row(case, asked, asking, grant, ends_on=ends_on, families=used)
        household, evaluated, tickets = await self.desk.evaluated(asked, "register", purpose)
        command = self._composer.registration(case, household, asking, ends_on=ends_on)
        return await self._delivery.send(replace(command, evaluation=evaluated, tickets=tickets))

    async def check(
        self,
        case: Case,
        *,
        purpose: str,
        grounds: Sequence[str],
        team: str | None = None,
        families: Sequence[str] | None = None,
        proof: StatedProof | None = None,
    ) -> Outcome:
        """Return who else is involved with this household.

        A household with more members than one message carries is asked about in several; all of them are done or none
        is shown.

        Args:
            proof: of a task in law, for who has no signal of his own on this household.

        Raises:
            CaseError, RefusedError, NotDoneError: it was not carried out, and nothing is known.
        """
        asking = Asking(purpose=purpose, grounds=grounds, team=team, proof=proof)
        return await self.desk.check(case, asking, families=self._families(purpose, families))

    async def look(self, entry: ToLook) -> Outcome:
        """Return who else is involved with an imported household, by an ordinary check of it.

        What it told stands in `later.untold()` until `later.told` says that a person has read it.

        Raises:
            RefusedError, NotDoneError: as `check`; without a budget the household goes on waiting.
        """
        asking = Asking(purpose=entry.purpose, grounds=entry.grounds, team=entry.team)
        return await self.desk.check(entry.case, asking, families=entry.families, look=entry.signal_id)

    def grant(self, file: Path, *, purpose: str) -> Grant:
        """Return the import grant in a file that this organisation may use now for this purpose. Raises GrantError."""
        return own_grant(self.folder, file, purpose=purpose, now=self._surroundings.now())

    async def renew(self, signal_id: str, *, ends_on: datetime.date) -> Outcome:
        """Return once the own signal has this end date. Raises RefusedError, NotDoneError."""
        command = self._composer.change(
            RenewSignal, {"ends_on": ends_on}, effect="renew", signal_id=signal_id, act="renewal"
        )
        return await self._delivery.send(command)

    async def withdraw(self, signal_id: str, *, reason: str) -> Outcome:
        """Return once the own signal has ended; `reason` is `mistake` or `no_longer_needed`.

        Raises:
            RefusedError: a signal that was used to look is reviewed first (D5). NotDoneError.
        """
        command = self._composer.change(
            WithdrawSignal, {"reason": reason}, effect="withdraw", signal_id=signal_id, act="withdrawal"
        )
        return await self._delivery.send(command)

    async def list_signals(self) -> Outcome:
        """Return the organisation's own signals as the broker has them. Raises RefusedError, NotDoneError."""
        return await self._delivery.list_own(worker=self._worker)

    async def resume(self) -> Resumed:
        """Return what became of every command that had no receipt yet, in the order they were made.

        One that fails stops no other; those that were refused or still wait stand beside the outcomes. What a look at
        an imported household told is not among them: it stands in `later.untold()`. A colleague's imported row is
        finished too, in this worker's name.
        """
        return await resume_all(self._outbox, self._delivery, Hand(worker=self._worker, approver=self._approver))

    def has_active_signal(self, case: Case, *, purpose: str, team: str) -> bool:
        """Return whether this case, by its reference or its person, has an active signal here."""
        mac = self._composer.person_mac(case)
        return self._book.has_active_signal(
            case_ref=case.case_ref,
            person_mac=None if mac is None else bytes.fromhex(mac),
            purpose=purpose,
            team=team,
            on=datetime.datetime.fromtimestamp(self._surroundings.now(), datetime.UTC).date(),
        )

    def person(self, case: Case, *, purpose: str, team: str) -> Person:
        """Return whom a registration of this case would be about, as `Resumed.persons` has it."""
        return self._composer.person_mac(case) or "", purpose, team

    def waiting_persons(self) -> frozenset[Person]:
        """Return whom the registrations that wait in the outbox are about."""
        return frozenset(self._outbox.persons())

    def waiting_looks(self) -> frozenset[str]:
        """Return the imported signals whose household is being looked at: that check waits in the outbox."""
        checks = (parts[0] for parts in self._outbox.waiting() if parts[0].effect == "check")
        return frozenset(look for check in checks if (look := check.local.get("look")) is not None)

    def keep_drafts(self, drafts: Sequence[tuple[Case, Draft]]) -> None:
        """These cases stand in the casebook as drafts, until they are registered."""
        macs = [(self._composer.person_mac(case), draft) for case, draft in drafts]
        self._book.put_drafts({bytes.fromhex(mac): draft for mac, draft in macs if mac is not None})

    def elements_of(self, cases: Iterable[Case], *, families: Sequence[str]) -> dict[str, int]:
        """Return how many elements of each family registering these cases takes: the exact size of its grant."""
        return elements_of(self._registering(case, families) for case in cases)

    def _registering(self, case: Case, families: Sequence[str]) -> Asked:
        return to_register(case, families, exclusion=self.folder.without_excluded)

    def _families(self, purpose: str, families: Sequence[str] | None) -> Sequence[str]:
        return self.folder.settings.families_of(purpose) if families is None else families

    def _no_other_waits(self, case: Case, *, purpose: str, team: str | None) -> None:
        """Stop a registration that would be paid a second time: one of this person has not come to its end yet."""
        waits = self._outbox.persons().get(self.person(case, purpose=purpose, team=team or case.team or ""))
        if waits is not None:
            raise AlreadyWaitsError(waits)
