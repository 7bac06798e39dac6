"""What a worker asks, tells or answers, before it is sealed."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from broker.protocol.errors import MalformedError
from broker.protocol.letter import MAX_QUESTION, Attachment, Letter
from connectors.attachments import File
from connectors.errors import CaseError

CODES_ONLY = 2
"""The highest level at which a letter has no text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, or told unasked: of whom, for what, in which categories, at which level, until when.

    `match_id`, `consent_id` and `exception_id` are own ones that it rests on; an exception is for what is told only.
    """

    to: str
    to_team: str
    team: str
    purpose: str
    grounds: Sequence[str]
    categories: Sequence[str]
    level: int
    expires_on: datetime.date
    proof: Mapping[str, Any] | None = None
    signal_id: str | None = None
    match_id: str | None = None
    consent_id: str | None = None
    exception_id: str | None = None
    case_ref: str | None = None
    text: str = field(default="", repr=False)
    files: Sequence[File] = ()
    steps: Sequence[str] = ()

    def members(self, *, key: str, bundle: str, box: str) -> dict[str, Any]:
        """Return the members of the command; only what is told can rest on an exception."""
        members = {
            "idempotency_key": key, "purpose": self.purpose, "grounds": list(self.grounds), "team": self.team,
            "to": self.to, "to_team": self.to_team, "signal_id": self.signal_id, "categories": list(self.categories),
            "level": self.level, "proof": self.proof, "bundle": bundle, "expires_on": self.expires_on, "box": box,
            "consent_id": self.consent_id, "match_id": self.match_id,
        }  # fmt: skip
        return members if self.exception_id is None else {**members, "exception_id": self.exception_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered; `declined` and `oral` have no text. `reason` is a code, for what is not shared."""

    kind: Literal["all", "part", "oral", "declined"]
    expires_on: datetime.date
    categories: Sequence[str] = ()
    level: int = 0
    grounds: Sequence[str] = ()
    reason: str | None = None
    proof: Mapping[str, Any] | None = None
    signal_id: str | None = None
    consent_id: str | None = None
    exception_id: str | None = None
    text: str = field(default="", repr=False)
    files: Sequence[File] = ()

    def members(self, *, bundle: str, box: str | None) -> dict[str, Any]:
        """Return the members of the command."""
        return {
            "kind": self.kind, "reason": self.reason, "categories": list(self.categories), "level": self.level,
            "grounds": list(self.grounds), "proof": self.proof, "signal_id": self.signal_id, "bundle": bundle,
            "expires_on": self.expires_on, "box": box, "consent_id": self.consent_id,
            "exception_id": self.exception_id,
        }  # fmt: skip


def checked(said: Question | Reply, *, asks: bool) -> None:
    """Hold only if this can be asked, told or answered as a letter. Raises CaseError: it breaks a rule of letters."""
    if asks and len(said.text) > MAX_QUESTION:
        raise CaseError("text", f"must have at most {MAX_QUESTION} characters")
    if isinstance(said, Reply) and said.kind != "declined":
        for field, stated in (("category", said.categories), ("ground", said.grounds)):
            if not stated:
                raise CaseError(field, "must be given for what is answered")
    if isinstance(said, Reply) and said.kind not in ("all", "part") and (said.text or said.files):
        raise CaseError("text", "is for what is answered in writing: all or part")
    if isinstance(said, Reply) and (said.kind == "declined") != (said.reason is not None):
        raise CaseError("reason", "must be given for what is not shared, and for nothing else")
    letter_of(said, said.steps if isinstance(said, Question) else (), ())
    if asks:
        _names_somebody(said)


def within(reply: Reply, asked: Letter) -> None:
    """Hold only for an answer within what was asked. Raises CaseError: it names more, or less than all of it."""
    stated = set(reply.categories)
    if not stated <= set(asked.categories):
        raise CaseError("category", "must be among those asked")
    if reply.kind == "all" and stated != set(asked.categories):
        raise CaseError("category", "must be all of those asked, or the kind part")
    if reply.level > asked.level:
        raise CaseError("level", f"must be at most the level asked: {asked.level}")


def _names_somebody(said: Question | Reply) -> None:
    """Hold only for a question that says about whom it is: in its text, or at a level without text by a match.

    Nothing else of a letter does: what the own side calls the case is not told.
    """
    if isinstance(said, Question) and not said.text.strip():
        if said.level > CODES_ONLY:
            raise CaseError("text", "must say about whom it is, and what you want to know")
        if said.match_id is None:
            raise CaseError("level", "must be 3 or more, with a text that says about whom it is, or go with a match")


def letter_of(said: Question | Reply, steps: Sequence[str], attachments: Sequence[Attachment]) -> Letter:
    """Return what is said as a letter. Raises CaseError: it breaks a rule of letters."""
    try:
        return Letter(
            categories=tuple(said.categories), level=said.level, text=said.text, steps=tuple(steps),
            attachments=tuple(attachments),
        )  # fmt: skip
    except MalformedError as error:
        raise CaseError(error.field.rpartition(".")[2], error.rule) from None
