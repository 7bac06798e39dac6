"""How the commands of the review ask and tell: in Dutch or as JSON, with names from the partner's own list."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import typer

from broker.protocol.days_nl import day_nl
from broker.protocol.erasure_messages import ErasureShown
from broker.protocol.problems import render
from broker.protocol.review_messages import ActShown
from connectors.act_words import ACTS_NL, KINDS_NL, OUTCOMES_NL
from connectors.command_line import (
    NOT_DONE,
    console,
    entry_document,
    errors_end_the_command,
    explanation,
    failure_document,
    outcome_document,
    print_json,
    print_outcome,
    print_unfinished,
    receipt_line,
)
from connectors.conclusions import Resumed
from connectors.dates import HERE, first_second
from connectors.dossiers import kept_as
from connectors.errors import NotDoneError, RefusedError
from connectors.folder import PartnerFolder
from connectors.review_client import ReviewClient, Reviewed

_FLAGS_NL = {
    "damaged": "bewijs klopt niet",
    "exception": "uitzondering",
    "off_hours": "buiten de gewone uren",
    "volume": "veel meer dan gewoonlijk",
    "budget": "meer dan het dagbudget",
    "withdrawal": "snel ingetrokken",
    "repeats": "steeds hetzelfde gezin of dezelfde brief",
    "proof": "vaak gekeken op hetzelfde bewijs",
    "own_approval": "eigen handeling zelf goedgekeurd (geweigerd)",
    "unfollowed": "melding aangekondigd en niet gevolgd",
    "late_rest": "rest van een spoedgeval te laat of niet gekomen",
    "sample": "steekproef",
}
_VERDICTS_NL = {"in_order": "in orde", "asked": "vraag gesteld", "not_in_order": "niet in orde"}
_ERASURES_NL = {"proposed": "wacht op een tweede", "erased": "gewist", "lapsed": "vervallen, niets gewist"}
Ask = Callable[[ReviewClient], Awaitable[Reviewed]]


def told(org: Path, worker: str, role: str | None, ask: Ask, *, as_json: bool) -> tuple[Reviewed, Mapping[str, str]]:
    """Return what was asked for, printed, and the names of the own workers; what was refused ends the command."""

    async def run(client: ReviewClient) -> Reviewed:
        async with client:
            return await ask(client)

    with errors_end_the_command():
        client = ReviewClient(org, worker=worker, role=role)
        try:
            reviewed = asyncio.run(run(client))
        except (NotDoneError, RefusedError) as error:
            if as_json:
                print_json({"failed": [failure_document("", error)]})
            else:
                for line in explanation(error):
                    console.print(line, markup=False)
            raise typer.Exit(NOT_DONE) from None
        names = client.names()
    if as_json:
        result = reviewed.result.model_dump(mode="json", by_alias=True)
        print_json({"result": result, "names": dict(names), "receipt": entry_document(reviewed.entry)})
        return reviewed, names
    console.print(reviewed.text_nl, markup=False)
    for act in reviewed.result.acts or ():
        for line in (*act_lines(act, names), *exception_lines(act, names, client.folder)):
            console.print(line, markup=False)
    if reviewed.result.more_after is not None:
        console.print(f"Er is meer: ga verder met --after {reviewed.result.more_after}", markup=False)
    console.print(receipt_line(reviewed.entry), markup=False)
    return reviewed, names


def resumed_of(org: Path, worker: str, role: str | None, *, as_json: bool) -> Resumed:
    """Return what became of the statements that waited, printed."""

    async def run(client: ReviewClient) -> Resumed:
        async with client:
            return await client.resume()

    with errors_end_the_command():
        resumed = asyncio.run(run(ReviewClient(org, worker=worker, role=role)))
    if as_json:
        failed = [failure_document(one.row, one.error) for one in resumed.unfinished]
        print_json({"resumed": [outcome_document(outcome) for outcome in resumed.outcomes], "failed": failed})
        return resumed
    for outcome in resumed.outcomes:
        print_outcome(outcome)
    print_unfinished(resumed.unfinished)
    return resumed


def act_lines(act: ActShown, names: Mapping[str, str]) -> list[str]:
    """Return an act as a reviewer reads it; of one whose proof does not hold, what to do, and what not."""
    damaged = any(flag.kind == "damaged" for flag in act.flags)
    return [_act_line(act, names), *([render("review.damaged", {})] if damaged else [])]


def _act_line(act: ActShown, names: Mapping[str, str]) -> str:
    who = "gewist" if act.worker is None else names.get(act.worker, act.worker)
    named = KINDS_NL.get(act.kind, act.kind) if act.type is None else ACTS_NL.get(act.type, act.type)
    outcome = "gewist" if act.outcome is None else OUTCOMES_NL.get(act.outcome, act.outcome)
    what = (named, act.purpose or "-", outcome)
    parts = [str(act.index), moment(act.at), who, *what]
    parts += [f"{_FLAGS_NL.get(flag.kind, flag.kind)} (voor {flag.due_on})" for flag in act.flags]
    if act.verdict is not None:
        parts.append(
            _VERDICTS_NL[act.verdict.word] + (", een tweede moet dit ook vinden" if act.verdict.second else "")
        )
    if act.own:
        parts.append("van jezelf of je eigen team: een ander moet dit bekijken")
    return "  ".join(parts)


def exception_lines(act: ActShown, names: Mapping[str, str], folder: PartnerFolder) -> list[str]:
    """Return what a reviewer needs of the exception of an act: what was stated, and where its dossier lies here."""
    one = act.exception
    if one is None:
        return []
    by = "Veilig Thuis" if one.with_veilig_thuis else names.get(one.consulted or "", one.consulted or "nog niemand")
    told_on = "geen dag genoemd" if one.tell_on is None else day_nl(one.tell_on)
    step = "-" if one.meldcode_step is None else str(one.meldcode_step)
    stated = f"  uitzondering {one.id}: {one.type}, aan {one.recipient}, over {one.category}, reden {one.reason}"
    duties = f"  overlegd met {by}; de betrokkene hoort het: {told_on}; meldcodestap {step}"
    if one.commitment is None:
        return [stated, duties, "  Het dossier is er nog niet: dat komt binnen een dag na de uitzondering."]
    path = kept_as(folder, one.commitment)
    if path is None:
        return [stated, duties, "  Het dossier ligt niet in deze map. Vraag wie de uitzondering vastlegde."]
    opens = f"sluis-connect exception read {path} --key SLEUTEL-VAN-DE-FG"
    return [stated, duties, f"  Lees eerst het dossier, met de FG: {opens}"]


def erasure_line(one: ErasureShown, names: Mapping[str, str]) -> str:
    """Return an erasure as one line: how it stands, who proposed and who confirmed it, and what it is about."""
    by, second = (who and names.get(who, who) for who in (one.proposed_by, one.decided_by))
    ranges = ", ".join(
        f"{each.first}" + (f" tot en met {each.last}" if each.last > each.first else "") + f" ({' '.join(each.groups)})"
        for each in one.ranges
    )
    parts = [one.id, _ERASURES_NL[one.state], f"voorgesteld door {by} op {moment(one.proposed_at)}"]
    parts += [f"bevestigd door {second}, regel {one.entry}"] if second else []
    return "  ".join([*parts, one.ground, f"regels {ranges}"])


def moment(at: int) -> str:
    """Return a time as people in the Netherlands read it, whatever zone the machine is in."""
    return datetime.datetime.fromtimestamp(at, HERE).strftime("%Y-%m-%d %H:%M")


def midnight(day: datetime.date | None) -> int | None:
    """Return the unix second at which a day begins here, None for none."""
    return None if day is None else first_second(day)
