"""Exceptions as a worker uses them: to whom first, the dossier sealed here, and what the broker may know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from broker.protocol.document_fields import parse_day
from broker.protocol.exception_messages import (
    EXCEPTIONS_PER_PAGE,
    TICKET_PURPOSE,
    CompleteException,
    ExceptionResult,
    ExceptionShown,
    InvokeException,
)
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome
from connectors.cases import Case
from connectors.desk import Desk
from connectors.dossiers import SALT_BYTES, keep
from connectors.errors import CaseError, ReceiptError
from connectors.household import Asked
from connectors.outbox import Command
from connectors.workers import pairwise_id

_PATH = "/v1/exceptions"
_KIND = "exception"
_STATED = {"type", "recipient", "recipient_organisation", "team", "category", "level", "reason", "dossier"}
_DOSSIER = {"answers", "consulted", "consulted_veilig_thuis", "tell_on", "deferral", "meldcode_step"}


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The exceptions of one worker's client."""

    desk: Desk

    async def invoke(
        self, stated: Mapping[str, Any], *, case: Case | None = None, signal_id: str | None = None
    ) -> tuple[ExceptionShown, str]:
        """Return the exception and the sentence about it, once its receipt holds.

        Args:
            stated: to whom, of which type, and the dossier.
            case: whose subject and members it is about; their numbers become tokens here. Without a case and a signal
                it is about nobody, and no letter rests on it.
            signal_id: of an own signal, whose person it is about.

        Raises:
            CaseError: a member breaks its rule. FolderError: the FG has no key here.
            RefusedError: it is no exception, or something is missing. NotDoneError.
        """
        if not set(stated) <= _STATED:
            raise CaseError("statement", "has a member that is not known")
        dossier = stated.get("dossier")
        members = {
            "recipient_organisation": None,
            **stated,
            "signal_id": signal_id,
            "dossier": None if dossier is None else self._kept(dossier, about=_about(case, signal_id)),
        }
        if case is None or case.subject is None:
            return await self._sent(self._statement(InvokeException, members, path=_PATH))
        self.desk.check_same_person(case)
        persons = Asked(case=replace(case, parents=(), address=None))
        placed, evaluation, tickets = await self.desk.evaluated(persons, "register", TICKET_PURPOSE)
        members |= {"epoch": self.desk.folder.epoch.epoch, "subjects": [placed["subject"], *placed["members"]]}
        command = self._statement(InvokeException, members, path=_PATH)
        return await self._sent(replace(command, evaluation=evaluation, tickets=tickets))

    async def complete(self, exception_id: str, dossier: object) -> tuple[ExceptionShown, str]:
        """Return the exception once the rest of what was acute is there. Raises as `invoke`."""
        if not is_id(exception_id):
            raise CaseError("exception", "must be 32 lower-case hex characters")
        path = f"{_PATH}/{exception_id}/completion"
        about = {"exception": exception_id}
        members = {"dossier": self._kept(dossier, about=about)}
        return await self._sent(self._statement(CompleteException, members, path=path))

    async def list_own(self) -> tuple[ExceptionShown, ...]:
        """Return the own exceptions. Raises RefusedError, NotDoneError, ReceiptError."""
        listed: list[ExceptionShown] = []
        page = await self._page("")
        while page:
            listed += page
            page = await self._page(page[-1].exception_id) if len(page) >= EXCEPTIONS_PER_PAGE else []
        return tuple(listed)

    async def _page(self, after: str) -> list[ExceptionShown]:
        path = f"{_PATH}?after={after}" if after else _PATH
        page = _details(await self.desk.delivery.read(path, worker=self.desk.composer.worker)).exceptions
        if any(one.exception_id <= after for one in page):
            raise ReceiptError("pages that follow each other")
        return page

    def _statement(self, model: Any, members: Mapping[str, Any], *, path: str) -> Command:  # noqa: ANN401 - a message class
        return self.desk.composer.statement(model, members, kind=_KIND, path=path, local={})

    async def _sent(self, command: Command) -> tuple[ExceptionShown, str]:
        outcome = await self.desk.delivery.send(command)
        told = _details(outcome).exceptions
        if len(told) != 1:
            raise ReceiptError("an answer about one exception")
        return told[0], outcome.text_nl

    def _kept(self, stated: object, *, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the broker may know of a dossier, which lies sealed in the folder by then.

        Its commitment is over about whom it is, too: no dossier of one case is shown for an exception of another.
        """
        if not isinstance(stated, dict) or not set(stated) <= _DOSSIER:
            raise CaseError("dossier", "has a member that is not known")
        answers = stated.get("answers")
        if not isinstance(answers, dict) or not all(isinstance(text, str) for text in answers.values()):
            raise CaseError("dossier.answers", "must be a text for each question")
        tell_on = parse_day(stated.get("tell_on"))
        if stated.get("tell_on") is not None and tell_on is None:
            raise CaseError("dossier.tell_on", "must be a day (YYYY-MM-DD)")
        folder = self.desk.folder
        kept = keep(folder, {**stated, "about": dict(about)}, salt=self.desk.surroundings.random(SALT_BYTES))
        consulted = stated.get("consulted")
        audience = folder.settings.broker.id
        return {
            "commitment": kept.commitment,
            "answered": sorted(question for question, text in answers.items() if text.strip()),
            "consulted": None
            if consulted is None
            else pairwise_id(folder.pairwise_key, audience=audience, local_id=str(consulted)),
            "consulted_veilig_thuis": bool(stated.get("consulted_veilig_thuis", False)),
            "tell_on": tell_on,
            "deferral": stated.get("deferral"),
            "meldcode_step": stated.get("meldcode_step", 1),
        }


def _about(case: Case | None, signal_id: str | None) -> dict[str, Any]:
    """Return about whom a dossier is, in the words of the own organisation: never a number."""
    case_ref = None if case is None else case.case_ref
    persons = 0 if case is None or case.subject is None else 1 + len(case.members)
    return {"case_ref": case_ref, "signal": signal_id, "persons": persons}


def _details(outcome: Outcome) -> ExceptionResult:
    if not isinstance(outcome.details, ExceptionResult):
        raise ReceiptError("an answer about exceptions")
    return outcome.details
