"""Carrying out what a worker types about a letter: sent, or shown beforehand as the other will read it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import typer

from broker.protocol.letter import Letter
from broker.protocol.problems import render
from broker.protocol.request_messages import RequestResult
from broker.protocol.sealed_letter import QUESTION
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.command_line import (
    NOT_DONE,
    console,
    errors_end_the_command,
    explanation,
    failure_document,
    outcome_document,
    print_json,
    print_outcome,
)
from connectors.errors import CaseError, NotDoneError, RefusedError
from connectors.folder import PartnerFolder
from connectors.letters import Letters
from connectors.questions import Question, Reply, checked, within
from connectors.terminal import quoted
from connectors.told_requests import DECLINED_NL, name_of

_T = TypeVar("_T")
_CONSENT_OVER = "vraag.consent-ended"
_KIND_NL = {"oral": "mondeling beantwoord", "declined": DECLINED_NL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the other side of a letter will read, in lines, and what the sender must know before it goes."""

    warning_nl: str
    reads: Sequence[str]
    more: str | None = None

    def document(self) -> dict[str, object]:
        """Return it as JSON members."""
        return {"preview": {"warning_nl": self.warning_nl, "reads": list(self.reads)}}

    def lines(self) -> list[str]:
        """Return it as a person reads it; what was written stands apart from what Sluis says."""
        written = [line for part in self.reads for line in quoted(part)]
        more = [] if self.more is None else [self.more]
        return [self.warning_nl, render("letter.preview", {}), *written, *more, render("letter.not_sent_yet", {})]


def preview_of_question(org: Path, letters: Letters, question: Question, *, asks: bool) -> Preview:
    """Return what the receiver of a question, or of what is told unasked, will read.

    Raises:
        CaseError: it is no letter. KeyChangedError: it would not be sent, for its receiver's keys have changed.
    """
    name = _known(org, question.to, letters)
    checked(question, asks=asks)
    warning = "letter.only_reader" if asks else "letter.shares"
    heading = (
        f"{question.purpose} ({', '.join(question.grounds)}), van team {question.team} aan team {question.to_team}"
    )
    text = question.text or " ".join(question.steps)
    asked_nl = render("letter.about_whom", {}) if asks else None
    return Preview(
        warning_nl=render(warning, {"name": name}), reads=_reads(heading, question, text=text), more=asked_nl
    )


def preview_of_answer(org: Path, letters: Letters, request_id: str, reply: Reply) -> Preview:
    """Return what the asker will read.

    Raises:
        CaseError: the question was not read here, or it is no letter. KeyChangedError: as for a question.
    """
    asked = next((one for one in letters.kept(request_id) if one.label == QUESTION), None)
    if asked is None:
        raise CaseError("request", "must be read first")
    checked(reply, asks=False)
    within(reply, asked.letter)
    # Not sharing, and noting that it was told, is possible whatever became of a key.
    name = _known(org, asked.sender, letters if reply.kind in ("all", "part") else None)
    warning = "letter.not_shared" if reply.kind == "declined" else "letter.shares"
    heading = f"{asked.purpose}: {_KIND_NL.get(reply.kind, 'antwoord')}"
    return Preview(warning_nl=render(warning, {"name": name}), reads=_reads(heading, reply, text=reply.text))


def carried_out(
    org: Path, worker: str, approver: str | None, act: Callable[[Letters], Awaitable[_T]], *, case: str | None = None
) -> _T:
    """Return what an act with the letters of this worker's desk came to."""

    async def run() -> _T:
        async with SluisClient(org, worker=worker, approver=approver, case_ref=case) as client:
            return await act(Letters(client.desk))

    return asyncio.run(run())


def tell_outcome(
    org: Path, worker: str, approver: str | None, act: Callable[[Letters], Awaitable[Outcome | Preview]],
    *, as_json: bool, case: str | None = None, unsent: str = "",
) -> None:  # fmt: skip
    """What the act came to was printed; `unsent` is what a consent that is over kept here, by its text id."""
    with errors_end_the_command():
        try:
            outcome = carried_out(org, worker, approver, act, case=case)
        except (NotDoneError, RefusedError) as error:
            if unsent and isinstance(error, RefusedError) and error.problem.text_id == _CONSENT_OVER and not as_json:
                console.print(render(unsent, {}), markup=False)
            fail(error, as_json=as_json)
        if isinstance(outcome, Preview):
            _show(outcome, as_json=as_json)
        elif as_json:
            details = outcome.details
            requests = [] if details is None else details.model_dump(mode="json", by_alias=True)["requests"]
            print_json({"results": [{**outcome_document(outcome), "requests": requests}]})
        else:
            print_outcome(outcome)
            _say_how_it_goes_on(outcome)


def written(letter: Letter) -> list[str]:
    """Return what somebody wrote, set apart; nothing where he wrote nothing."""
    said = letter.text or " ".join(letter.steps)
    return quoted(said) if said else []


async def level_of(letters: Letters, request_id: str, kind: str, level: int | None) -> int:
    """Return the level of an answer: as it was typed, or the one that was asked. Raises CaseError: nobody asked."""
    if kind == "declined":
        return 0
    if level is not None:
        return level
    read = next((one.letter.level for one in letters.kept(request_id) if one.label == QUESTION), None)
    if read is not None:
        return read
    asked = next((one.level for one in await letters.list_own() if one.request_id == request_id), None)
    if asked is None:
        raise CaseError("request", "must be one of your own list")
    return max(asked, 1)


def _say_how_it_goes_on(outcome: Outcome) -> None:
    """The id of a letter that was sent was printed, with what to read of it later."""
    details = outcome.details
    for one in details.requests if isinstance(details, RequestResult) and outcome.outcome == "sent" else ():
        console.print(f"Nummer: {one.request_id}", markup=False)
        if one.kind == "request":
            console.print(f"Later lezen: sluis-connect request read {one.request_id}", markup=False)


def fail(error: NotDoneError | RefusedError, *, as_json: bool) -> NoReturn:
    """Print why it was refused or not done, and end the command."""
    if as_json:
        print_json({"failed": [failure_document("", error)]})
    else:
        for line in explanation(error):
            console.print(line, markup=False)
    raise typer.Exit(NOT_DONE)


def _show(preview: Preview, *, as_json: bool) -> None:
    if as_json:
        print_json(preview.document())
        return
    for line in preview.lines():
        console.print(line, markup=False)


def _reads(heading: str, said: Question | Reply, *, text: str) -> list[str]:
    about = [", ".join(said.categories)] if said.categories else []
    files = [f"bijlage: {one.name} ({len(one.content)} bytes)" for one in said.files]
    return [heading, *about, *([text] if text else []), *files]


def _known(org: Path, oin: str, sealing: Letters | None) -> str:
    """Return the name of an organisation, to which these letters could be sealed where there are any."""
    register = PartnerFolder(org).register
    if oin not in register.organisations:
        raise CaseError("to", "must be an organisation of the register")
    if sealing is not None:
        sealing.pins.trusted(register.organisations[oin])
    return name_of(oin, register)
