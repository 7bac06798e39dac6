"""Consent as a worker records it: who was asked about whom, and what everybody answered. `client.consents` has it.

Names stay here: who answered, and where the paper lies, leave as an HMAC that only this organisation can make again.
"""

import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from broker.protocol import strict_json
from broker.protocol.consent_messages import (
    CONSENTS_PER_PAGE,
    AnswerConsent,
    ConsentResult,
    ConsentShown,
    RecordConsent,
    WithdrawConsent,
)
from broker.protocol.document_fields import parse_day
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome
from connectors.cases import Case
from connectors.consent_checks import age_fits, check_parties
from connectors.dates import day_of
from connectors.desk import Desk
from connectors.errors import CaseError, ReceiptError, SourceError
from connectors.household import Asked
from connectors.outbox import Command
from connectors.sources.case_file import read_case_file
from connectors.workers import pairwise_id

_PATH = "/v1/consents"
_KIND = "consent"
_LINE = {
    "who", "capacity", "answer", "reason", "custody", "custody_ref", "proof", "until", "suspect",
}  # fmt: skip
_PROOF = {"kind", "reference", "spoken_with", "interpreter"}
_RECORD = {
    "purpose", "team", "categories", "parties", "age", "age_ends_on", "unable", "contested", "guardians", "answers",
    "confirmation", "review_on",
}  # fmt: skip

Told = tuple[ConsentShown, str]
"""A record as it stands, and the sentence that the worker reads about it."""
NUMBER_CHARACTERS = 8
"""So many of the id are the number on the confirmation."""


@dataclass(frozen=True, slots=True)
class Consents:
    """The consents of one worker's client."""

    desk: Desk

    async def record(
        self, stated: Mapping[str, Any], *, case: Case | None = None, signal_id: str | None = None
    ) -> Told:
        """Return the record and what it means now, once its receipt holds; `stated` is what `read_statement` gave.

        Args:
            case: whose subject it is about; his number becomes a token here.
            signal_id: of an own signal, whose person it is about, in place of a case.

        Raises:
            CaseError: a member breaks its rule. RefusedError: a yes that cannot be given. NotDoneError.
        """
        desk = self.desk
        days = _days(stated, "age_ends_on", "review_on")
        check_parties(stated.get("parties"), known=desk.folder.register.organisations)
        age, ends_on = age_fits(
            stated, days["age_ends_on"], birth=None if case is None else case.birth_date,
            today=day_of(desk.surroundings.now()),
        )  # fmt: skip
        members = {
            **_named(stated, _RECORD),
            **days,
            **({"age": age, "age_ends_on": ends_on} if case is not None else {}),
            "answers": self._lines(stated.get("answers")),
            "epoch": desk.folder.epoch.epoch,
            "subject": None,
            "signal_id": signal_id,
            "stated_at": desk.surroundings.now(),
            "tickets": [],
        }
        if case is None or case.subject is None:
            return await self._sent(self._statement(RecordConsent, members, path=_PATH))
        desk.check_same_person(case)
        alone = Asked(case=replace(case, parents=(), members=(), address=None))
        placed, evaluation, tickets = await desk.evaluated(alone, "register", str(stated.get("purpose")))
        command = self._statement(RecordConsent, {**members, "subject": placed["subject"]}, path=_PATH)
        return await self._sent(replace(command, evaluation=evaluation, tickets=tickets))

    async def answer(self, consent_id: str, lines: object) -> Told:
        """Return the record with these answers after the earlier ones, and what it means now. Raises as `record`."""
        path = f"{_PATH}/{_checked(consent_id)}/answers"
        members = {"answers": self._lines(lines), "stated_at": self.desk.surroundings.now()}
        return await self._sent(self._statement(AnswerConsent, members, path=path))

    async def withdraw(self, consent_id: str, stated: Mapping[str, Any]) -> Told:
        """Return the record, and the sentence with the time, once a person's yes counts no more. Raises as `record`.

        Args:
            consent_id: its id, or the number on the confirmation, with which the id begins.
            stated: `who` says it by name, `line` as the list shows that person; with neither it is the only one who
                answered in this capacity.
        """
        members = {"parties": [], **_named(stated, {"who", "line", "capacity", "parties", "by"})}
        line = members.pop("line", None)
        if not set(consent_id) <= set(string.hexdigits.lower()):
            _checked(consent_id)
        if is_id(consent_id) and "who" in members:
            members["who"] = self._mac("who", members["who"])
        else:
            record = _begins_with(consent_id, await self.list_own())
            consent_id = record.consent_id
            named = self._mac("who", members["who"]) if "who" in members else line
            members["who"] = _line_of(record, capacity=members.get("capacity"), line=named)
        return await self._sent(self._statement(WithdrawConsent, members, path=f"{_PATH}/{consent_id}/withdrawal"))

    async def list_own(self) -> tuple[ConsentShown, ...]:
        """Return all own records as they stand. Raises RefusedError, NotDoneError, ReceiptError."""
        listed: list[ConsentShown] = []
        page = await self._page("")
        while page:
            listed += page
            page = await self._page(page[-1].consent_id) if len(page) >= CONSENTS_PER_PAGE else []
        return tuple(listed)

    async def _page(self, after: str) -> list[ConsentShown]:
        path = f"{_PATH}?after={after}" if after else _PATH
        outcome = await self.desk.delivery.read(path, worker=self.desk.composer.worker)
        page = _details(outcome).consents
        if any(consent.consent_id <= after for consent in page):
            raise ReceiptError("pages that follow each other")
        return page

    async def _sent(self, command: Command) -> Told:
        outcome = await self.desk.delivery.send(command)
        return _only(outcome), outcome.text_nl

    def _statement(self, model: Any, members: Mapping[str, Any], *, path: str) -> Command:  # noqa: ANN401 - a message class
        return self.desk.composer.statement(model, members, kind=_KIND, path=path, local={})

    def _lines(self, stated: object) -> list[dict[str, Any]]:
        if not isinstance(stated, list) or not all(isinstance(line, dict) for line in stated):
            raise CaseError("answers", "must be a list of answers")
        return [self._line(line) for line in stated]

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        named = _named(line, _LINE)
        defaults = {"reason": None, "custody": "none", "proof": None, "suspect": False}
        proof = None if named.get("proof") is None else self._proof(named["proof"])
        ref = named.get("custody_ref")
        return {
            **defaults, **named, **_days(line, "until"), "proof": proof, "who": self._mac("who", named.get("who")),
            "custody_ref": None if ref is None else self._mac("custody", ref),
        }  # fmt: skip

    def _proof(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        named = _named(stated, _PROOF)
        reference, heard_by = named.get("reference"), named.get("spoken_with")
        folder = self.desk.folder
        audience = folder.settings.broker.id
        return {
            "interpreter": "none", **named,
            "reference": None if reference is None else self._mac("proof", reference),
            "spoken_with": None if heard_by is None else pairwise_id(
                folder.pairwise_key, audience=audience, local_id=str(heard_by)
            ),
        }  # fmt: skip

    def _mac(self, kind: str, value: object) -> str:
        """Return a name or reference as an HMAC in hex. Raises CaseError: it is none."""
        if not isinstance(value, str) or not value.strip():
            raise CaseError(kind, "must be a text")
        # Capitals and blanks say nothing of who somebody is: he is found again however a colleague types his name.
        same = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
        return self.desk.folder.case_ref_key.mac(b"consent " + kind.encode() + b"\x00" + same.encode()).hex()


def one_person(file: Path) -> Case:
    """Return the one case in a file. Raises CaseError: there are more, or none. SourceError: unreadable."""
    cases = read_case_file(file).cases
    if len(cases) != 1:
        raise CaseError("case", "must be one person")
    return cases[0]


def read_statement(file: Path) -> Mapping[str, Any]:
    """Return the JSON object in a file. Raises SourceError: unreadable, or none."""
    try:
        return strict_json.load_object(file.read_bytes())
    except (OSError, MalformedError):
        raise SourceError("statement: is no readable JSON object") from None


def _named(stated: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    if not set(stated) <= known:
        raise CaseError("statement", "has a member that is not known")
    return dict(stated)


def _days(stated: Mapping[str, Any], *names: str) -> dict[str, Any]:
    days = {name: parse_day(stated.get(name)) for name in names}
    for name, day in days.items():
        if stated.get(name) is not None and day is None:
            raise CaseError(name, "must be a day (YYYY-MM-DD)")
    return days


def _begins_with(number: str, own: Iterable[ConsentShown]) -> ConsentShown:
    found = [one for one in own if one.consent_id.startswith(number)]
    if len(number) < NUMBER_CHARACTERS or len(found) != 1:
        raise CaseError("consent", "is not the number of exactly one own record")
    return found[0]


def _line_of(record: ConsentShown, *, capacity: object, line: object) -> str:
    lines = [one.who for one in record.persons if one.capacity == capacity]
    found = [who for who in lines if line is None or (isinstance(line, str) and line and who.startswith(line))]
    if len(found) != 1:
        raise CaseError("line", "does not name exactly one person of this record in this capacity")
    return found[0]


def _checked(consent_id: str) -> str:
    if not is_id(consent_id):
        raise CaseError("consent", "must be 32 lower-case hex characters")
    return consent_id


def _details(outcome: Outcome) -> ConsentResult:
    if not isinstance(outcome.details, ConsentResult):
        raise ReceiptError("an answer about consents")
    return outcome.details


def _only(outcome: Outcome) -> ConsentShown:
    consents: Sequence[ConsentShown] = _details(outcome).consents
    if len(consents) != 1:
        raise ReceiptError("an answer about one record")
    return consents[0]
