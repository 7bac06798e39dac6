"""`sluis-connect request`, `answer` and `tell`: letters to and from other organisations."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from broker.protocol.request_messages import DeclineReason, RequestShown
from connectors.answers import Outcome
from connectors.attachments import File, letter_shown, read_files, save_files
from connectors.command_line import (
    ApproverId,
    AsJson,
    CaseRef,
    Grounds,
    OrgFolder,
    Purpose,
    WorkerId,
    console,
    errors_end_the_command,
    outcome_document,
    print_json,
)
from connectors.errors import CaseError, NotDoneError, RefusedError
from connectors.folder import PartnerFolder
from connectors.following import Sides
from connectors.letter_input import last_day_of, text_in, typed_proof, typed_sides
from connectors.letter_run import (
    Preview,
    carried_out,
    fail,
    level_of,
    preview_of_answer,
    preview_of_question,
    tell_outcome,
    written,
)
from connectors.letters import Fetched, Letters
from connectors.mailbox import OpenedLetter
from connectors.questions import Question, Reply
from connectors.told_requests import UNSIGNED_NL, UNSIGNED_SHORT_NL, is_unsigned, line_of, lines_of, name_of

request = typer.Typer(no_args_is_help=True, help="Ask other organisations for information, and read what came.")

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The id, as `request list` prints it.")]
Categories = Annotated[
    list[str], typer.Option("--category", help="A kind of data, as `vocabulary` names it; may be repeated.")
]
Level = Annotated[int, typer.Option("--level", help="3 nature and period, 4 content; 2 codes only.")]
_TEXT_HELP = "A file with the text: about whom (name, date of birth) and what; - reads it from the input."
TextFile = Annotated[Path | None, typer.Option("--text", help=_TEXT_HELP)]
Attach = Annotated[list[Path] | None, typer.Option("--attach", help="A file to go with it; at most 10 MB together.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Save the attachments in this folder.")]
Kept = Annotated[bool, typer.Option("--kept", help="Show what was opened here before, and fetch nothing.")]
To = Annotated[str | None, typer.Option("--to", help="OIN, as `organisations` names it; of a match the other team's.")]
ToTeam = Annotated[str | None, typer.Option("--to-team", help="Its team, as `organisations` names it.")]
OwnTeam = Annotated[str | None, typer.Option("--team", help="The own team, as `organisations` names it.")]
Match = Annotated[str | None, typer.Option("--match", help="The own match it is about: it goes to the other team.")]
Term = Annotated[str, typer.Option("--term", help="today, 3 or 10 (working days).")]
Signal = Annotated[str | None, typer.Option("--signal", help="The own signal that it rests on.")]
Consent = Annotated[str | None, typer.Option("--consent", help="The own record of consent that it rests on.")]
ToldOn = Annotated[str | None, typer.Option("--exception", help="The own exception, as `exception list` prints it.")]
ProofText = Annotated[
    str | None, typer.Option("--proof", help="KIND:FIRST-DAY or KIND:FIRST-DAY:LAST-DAY, e.g. melding:2026-11-16.")
]
Before = Annotated[bool, typer.Option("--preview", help="Show what the other will read; nothing is sent.")]
ProofNumber = Annotated[Path | None, typer.Option("--proof-number", help="A file with its number; it never leaves.")]


def add_to(app: typer.Typer) -> None:
    """These commands stand in this command line."""
    app.add_typer(request, name="request")
    app.command()(answer)
    app.command()(tell)


@request.command("send")
def send(
    *, org: OrgFolder, worker: WorkerId, purpose: Purpose, ground: Grounds, category: Categories, team: OwnTeam = None,
    to: To = None, to_team: ToTeam = None, match: Match = None, level: Level = 3, term: Term = "3",
    text: TextFile = None, signal: Signal = None, consent: Consent = None, attach: Attach = None,
    proof: ProofText = None, proof_number: ProofNumber = None,
    approver: ApproverId = None, case: CaseRef = None, preview: Before = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Ask another organisation's team for information; only that organisation can read the question."""

    async def act(letters: Letters) -> Outcome | Preview:
        stated = typed_proof(org, proof, proof_number)
        sides = await _sides(org, letters, match, team=team, to=to, to_team=to_team, as_json=as_json)
        question = Question(
            to=sides.to, to_team=sides.to_team, team=sides.team, match_id=match, case_ref=case,
            purpose=purpose, grounds=ground, categories=category, level=level, proof=stated,
            expires_on=last_day_of(term), signal_id=signal, consent_id=consent, text=text_in(text),
            files=read_files(attach or ()),
        )  # fmt: skip
        return preview_of_question(org, letters, question, asks=True) if preview else await letters.ask(question)

    tell_outcome(org, worker, approver, act, case=case, as_json=as_json, unsent="letter.question_unsent")


def tell(
    *, org: OrgFolder, worker: WorkerId, purpose: Purpose, ground: Grounds, category: Categories, team: OwnTeam = None,
    to: To = None, to_team: ToTeam = None, match: Match = None, level: Level = 3, text: TextFile = None,
    signal: Signal = None, consent: Consent = None,
    exception: ToldOn = None, proof: ProofText = None, proof_number: ProofNumber = None,
    step: Annotated[list[str] | None, typer.Option("--step")] = None,
    attach: Attach = None, approver: ApproverId = None, case: CaseRef = None, preview: Before = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Tell another organisation, unasked, what one knows and may tell."""

    async def act(letters: Letters) -> Outcome | Preview:
        stated = typed_proof(org, proof, proof_number)
        sides = await _sides(org, letters, match, team=team, to=to, to_team=to_team, as_json=as_json)
        telling = Question(
            to=sides.to, to_team=sides.to_team, team=sides.team, match_id=match, case_ref=case,
            purpose=purpose, grounds=ground, categories=category, level=level, proof=stated,
            expires_on=last_day_of("10"), signal_id=signal, consent_id=consent, exception_id=exception,
            text=text_in(text), steps=step or (), files=read_files(attach or ()),
        )  # fmt: skip
        return preview_of_question(org, letters, telling, asks=False) if preview else await letters.tell(telling)

    tell_outcome(org, worker, approver, act, case=case, as_json=as_json, unsent="letter.telling_unsent")


def answer(
    request_id: RequestId,
    *,
    org: OrgFolder,
    worker: WorkerId,
    kind: Annotated[Literal["all", "part", "oral", "declined"], typer.Option("--kind")],
    category: Annotated[list[str] | None, typer.Option("--category")] = None,
    level: Annotated[int | None, typer.Option("--level", help="At most, and without it, the one asked.")] = None,
    ground: Annotated[list[str] | None, typer.Option("--ground", help="As `vocabulary` names it.")] = None,
    reason: Annotated[DeclineReason | None, typer.Option("--reason", help="For declined, and then always.")] = None,
    text: TextFile = None,
    attach: Attach = None, signal: Signal = None, consent: Consent = None, exception: ToldOn = None,
    proof: ProofText = None, proof_number: ProofNumber = None,
    approver: ApproverId = None, case: CaseRef = None, preview: Before = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Answer a request: all of it, a part, orally, or not; not sharing is a right."""

    async def act(letters: Letters) -> Outcome | Preview:
        reply = Reply(
            kind=kind, expires_on=last_day_of("10"), categories=category or (), grounds=ground or (), reason=reason,
            level=await level_of(letters, request_id, kind, level), proof=typed_proof(org, proof, proof_number),
            signal_id=signal, consent_id=consent, exception_id=exception, text=text_in(text),
            files=read_files(attach or ()),
        )  # fmt: skip
        if preview:
            return preview_of_answer(org, letters, request_id, reply)
        return await letters.answer(request_id, reply)

    tell_outcome(org, worker, approver, act, case=case, as_json=as_json, unsent="letter.answer_unsent")


@request.command("forward")
def forward(
    request_id: RequestId,
    *,
    org: OrgFolder,
    worker: WorkerId,
    team: Annotated[str, typer.Option("--team", help="The own team that gets it.")],
    who: Annotated[str | None, typer.Option("--to-worker", help="Local id of the colleague who decides.")] = None,
    approver: ApproverId = None,
    as_json: AsJson = False,
) -> None:
    """Give a request to a team of the own organisation, and where it is personal to a colleague by name."""

    async def act(letters: Letters) -> Outcome:
        return await letters.forward(request_id, team=team, local_id=who)

    tell_outcome(org, worker, approver, act, as_json=as_json)


@request.command("withdraw")
def withdraw(
    request_id: RequestId,
    *,
    org: OrgFolder,
    worker: WorkerId,
    reason: Annotated[Literal["mistake", "no_longer_needed"], typer.Option("--reason")] = "no_longer_needed",
    as_json: AsJson = False,
) -> None:
    """Take a request back; an answer that was not fetched yet is never handed out."""
    tell_outcome(org, worker, None, lambda letters: letters.withdraw(request_id, reason=reason), as_json=as_json)


@request.command("list")
def list_requests(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the own requests, sent and received."""
    with errors_end_the_command():

        async def act(letters: Letters) -> list[tuple[RequestShown, bool, str | None]]:
            case_of = letters.mailbox.case_of
            return [(one, letters.opened_here(one), case_of(one.request_id)) for one in await letters.list_own()]

        found = carried_out(org, worker, None, act)
        if as_json:
            print_json({"requests": [one.model_dump(mode="json", by_alias=True) for one, _, _ in found]})
            return
        for one, opened, own in found:
            unsigned = f"  [{UNSIGNED_SHORT_NL}]" if is_unsigned(one, opened=opened) else ""
            console.print(f"{line_of(one, case=own)}{unsigned}", markup=False)


@request.command("read")
def read(
    request_id: RequestId, *, org: OrgFolder, worker: WorkerId, out: Out = None, kept: Kept = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Fetch what waits in a request, open it, and show it; its attachments are saved where --out says."""
    if kept:
        _show_kept(org, worker, request_id, as_json=as_json)
        return

    async def act(letters: Letters) -> tuple[Fetched, tuple[File, ...]]:
        fetched = await letters.fetch(request_id)
        return fetched, () if out is None else await letters.files(fetched)

    with errors_end_the_command():
        try:
            fetched, files = carried_out(org, worker, None, act)
        except (NotDoneError, RefusedError) as error:
            fail(error, as_json=as_json)
        saved = () if out is None else save_files(out, files)
        letter = None if fetched.opened is None else fetched.opened.letter
        if as_json:
            shown = fetched.request.model_dump(mode="json", by_alias=True)
            content = None if letter is None else letter_shown(letter)
            results = [outcome_document(fetched.outcome)]
            print_json(
                {
                    "request": shown,
                    "letter": content,
                    "signed": letter is not None,
                    "files": [str(one) for one in saved],
                    "results": results,
                }
            )
            return
        console.print(line_of(fetched.request), markup=False)
        if is_unsigned(fetched.request, opened=letter is not None):
            console.print(UNSIGNED_NL, markup=False)
        for line in lines_of(fetched.request):
            console.print(line, markup=False)
        if letter is not None:
            for line in written(letter):
                console.print(line, markup=False)
            for one in letter.attachments:
                console.print(f"bijlage: {one.name} ({one.size} bytes)", markup=False)
        for path in saved:
            console.print(f"bewaard: {path}", markup=False)


async def _sides(
    org: Path, letters: Letters, match: str | None, *, team: str | None, to: str | None, to_team: str | None,
    as_json: bool,
) -> Sides:  # fmt: skip
    """Return between whom it goes: who was typed, or the two teams of a match, of whom it is said before it goes."""
    if match is None:
        return typed_sides(team, to, to_team)
    sides = await letters.sides(match)
    if to not in (None, sides.to) or to_team not in (None, sides.to_team):
        raise CaseError("to", "must be the other team of this match, or left out")
    if not as_json:
        name = name_of(sides.to, PartnerFolder(org).register)
        console.print(f"Naar: {name} ({sides.to}), team {sides.to_team}", markup=False)
    return sides


def _show_kept(org: Path, worker: str, request_id: str, *, as_json: bool) -> None:
    """Print what was opened here before; nothing is fetched."""

    async def act(letters: Letters) -> list[tuple[str, OpenedLetter]]:
        register = PartnerFolder(org).register
        return [(name_of(one.sender, register), one) for one in letters.kept(request_id)]

    with errors_end_the_command():
        found = carried_out(org, worker, None, act)
        if as_json:
            documents = [
                {"label": one.label, "sender": name, "letter": letter_shown(one.letter)} for name, one in found
            ]
            print_json({"kept": documents})
            return
        for name, one in found:
            console.print(f"{one.label}  {name}  {', '.join(one.letter.categories)}", markup=False)
            for line in written(one.letter):
                console.print(line, markup=False)
