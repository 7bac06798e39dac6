"""Exceptions as a worker uses them: to whom first, the dossier sealed here, and what the broker may know of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.protocol.document_fields import parse_day
from broker.protocol.exception_messages import (
    EXCEPTIONS_PER_PAGE,
    CompleteException,
    ExceptionResult,
    ExceptionShown,
    InvokeException,
)
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome
from connectors.desk import Desk
from connectors.dossiers import SALT_BYTES, keep
from connectors.errors import CaseError, ReceiptError
from connectors.workers import pairwise_id

_PATH = "/v1/exceptions"
_KIND = "exception"
_STATED = {"type", "recipient", "recipient_organisation", "team", "category", "level", "reason", "dossier"}
_DOSSIER = {"answers", "consulted", "consulted_veilig_thuis", "tell_on", "deferral", "meldcode_step"}


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The exceptions of one worker's client."""

    desk: Desk

    async def invoke(self, stated: Mapping[str, Any]) -> tuple[ExceptionShown, str]:
        """Return the exception and the sentence about it, once its receipt holds.

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
            "dossier": None if dossier is None else self._kept(dossier),
        }
        return await self._sent(InvokeException, members, path=_PATH)

    async def complete(self, exception_id: str, dossier: object) -> tuple[ExceptionShown, str]:
        """Return the exception once the rest of what was acute is there. Raises as `invoke`."""
        if not is_id(exception_id):
            raise CaseError("exception", "must be 32 lower-case hex characters")
        path = f"{_PATH}/{exception_id}/completion"
        return await self._sent(CompleteException, {"dossier": self._kept(dossier)}, path=path)

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

    async def _sent(self, model: Any, members: Mapping[str, Any], *, path: str) -> tuple[ExceptionShown, str]:  # noqa: ANN401 - a message class
        command = self.desk.composer.statement(model, members, kind=_KIND, path=path, local={})
        outcome = await self.desk.delivery.send(command)
        told = _details(outcome).exceptions
        if len(told) != 1:
            raise ReceiptError("an answer about one exception")
        return told[0], outcome.text_nl

    def _kept(self, stated: object) -> dict[str, Any]:
        """Return what the broker may know of a dossier, which lies sealed in the folder by then."""
        if not isinstance(stated, dict) or not set(stated) <= _DOSSIER:
            raise CaseError("dossier", "has a member that is not known")
        answers = stated.get("answers")
        if not isinstance(answers, dict) or not all(isinstance(text, str) for text in answers.values()):
            raise CaseError("dossier.answers", "must be a text for each question")
        tell_on = parse_day(stated.get("tell_on"))
        if stated.get("tell_on") is not None and tell_on is None:
            raise CaseError("dossier.tell_on", "must be a day (YYYY-MM-DD)")
        folder = self.desk.folder
        kept = keep(folder, stated, salt=self.desk.surroundings.random(SALT_BYTES))
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


def _details(outcome: Outcome) -> ExceptionResult:
    if not isinstance(outcome.details, ExceptionResult):
        raise ReceiptError("an answer about exceptions")
    return outcome.details
