"""`sluis-connect consent`: record what a resident answered, take a yes back, list, and write the confirmation."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from broker.protocol.consent_messages import ConsentShown, PartyShown
from broker.protocol.problems import render
from connectors.client import SluisClient
from connectors.command_line import (
    ApproverId,
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    errors_end_the_command,
    print_json,
    told_as,
)
from connectors.consent_letter import confirmation
from connectors.consents import Consents, one_person, read_statement
from connectors.errors import CaseError
from connectors.folder import PartnerFolder

T = TypeVar("T")
consent = typer.Typer(no_args_is_help=True, help="Consent: record it, take it back, list, confirm.")

Statement = Annotated[Path, typer.Argument(metavar="FILE", help="A JSON file with what was asked and answered.")]
ConsentId = Annotated[str, typer.Argument(metavar="CONSENT", help="Its id, as `consent list` prints it.")]
STATES = {
    "given": "ja", "refused": "nee", "withdrawn": "ingetrokken", "expired": "verlopen", "unknown": "nog geen antwoord",
}  # fmt: skip
CAPACITIES = {
    "person": "de persoon zelf", "guardian": "ouder met gezag of voogd", "mentor": "mentor", "curator": "curator",
    "gemachtigde": "gemachtigde",
}  # fmt: skip
ANSWERS = {
    "asked": "gevraagd, nog geen antwoord", "given": "ja", "refused": "nee", "withdrawn": "ja ingetrokken",
    "expired": "ja verlopen", "not_asked": "niet gevraagd",
}  # fmt: skip
REASONS = {
    "unreachable": "niet bereikbaar", "danger": "vragen is gevaarlijk", "unable": "kan dit niet zelf beslissen",
    "other_ground": "de wet laat het al toe",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """The consent commands stand in this command line."""
    app.add_typer(consent, name="consent")


@consent.command("record")
def record(
    file: Statement,
    *,
    org: OrgFolder,
    worker: WorkerId,
    approver: ApproverId = None,
    case: Annotated[Path | None, typer.Option("--case", help="A JSON file with one case: the person.")] = None,
    signal: Annotated[str | None, typer.Option("--signal", help="An own signal, about the person.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record what was asked about one person, one line per person whose answer counts."""
    with errors_end_the_command(), told_as(as_json=as_json):
        stated = read_statement(file)
        person = None if case is None else one_person(case)
        told, text = _run(
            org, worker, lambda consents: consents.record(stated, case=person, signal_id=signal), approver=approver
        )  # fmt: skip
        _print([told], text, names=names_in(org), as_json=as_json)
        if not as_json and not told.approved and any(party.state == "given" for party in told.parties):
            console.print(render("consent.alone", {}), markup=False)


@consent.command("answer")
def answer(
    consent_id: ConsentId,
    file: Statement,
    *,
    org: OrgFolder,
    worker: WorkerId,
    approver: ApproverId = None,
    as_json: AsJson = False,
) -> None:
    """Add answers to an own record; the earlier ones stay. What only you recorded counts once a colleague approves."""
    with errors_end_the_command(), told_as(as_json=as_json):
        stated = read_statement(file)
        lines = stated.get("answers")
        told, text = _run(org, worker, lambda consents: consents.answer(consent_id, lines), approver=approver)
        _print([told], text, names=names_in(org), as_json=as_json)


@consent.command("withdraw")
def withdraw(
    consent_id: ConsentId, file: Statement, *, org: OrgFolder, worker: WorkerId, as_json: AsJson = False
) -> None:
    """Note that a person takes his yes back; from then on it opens nothing. CONSENT may be the letter's number."""
    with errors_end_the_command(), told_as(as_json=as_json):
        stated = read_statement(file)
        told, text = _run(org, worker, lambda consents: consents.withdraw(consent_id, stated))
        _print([told], text, names=names_in(org), as_json=as_json)


@consent.command("list")
def list_own(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the own records of consent as they stand today."""
    with errors_end_the_command(), told_as(as_json=as_json):
        own = _run(org, worker, lambda consents: consents.list_own())
        _print(own, render("consent.list", {}), names=names_in(org), as_json=as_json)


@consent.command("letter")
def letter(
    consent_id: ConsentId,
    *,
    org: OrgFolder,
    worker: WorkerId,
    phone: Annotated[str, typer.Option("--phone", help="On which a yes is taken back.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the text and the page.")],
) -> None:
    """Write the confirmation for the resident. Unsafe at home? Then give it in another way, or not yet."""
    with errors_end_the_command():
        client = SluisClient(org, worker=worker)
        register = client.folder.register
        own = asyncio.run(_with(client, lambda consents: consents.list_own()))
        found = [one for one in own if one.consent_id == consent_id]
        if not found:
            raise CaseError("consent", "is none of this organisation")
        written = confirmation(
            found[0],
            organisation=register.organisations[client.folder.settings.oin].name,
            names={oin: one.name for oin, one in register.organisations.items()},
            phone=phone,
        )
        out.mkdir(parents=True, exist_ok=True)
        for suffix, text in ((".txt", written.text), (".html", written.html)):
            (out / f"bevestiging-{consent_id[:8]}{suffix}").write_text(text, encoding="utf-8")
        console.print(written.text, markup=False)


def _run(org: OrgFolder, worker: str, act: Callable[[Consents], Awaitable[T]], *, approver: str | None = None) -> T:
    return asyncio.run(_with(SluisClient(org, worker=worker, approver=approver), act))


async def _with(client: SluisClient, act: Callable[[Consents], Awaitable[T]]) -> T:
    async with client:
        return await act(client.consents)


def names_in(org: Path) -> Mapping[str, str]:
    """Return the names that the own register has, by OIN."""
    return {oin: one.name for oin, one in PartnerFolder(org).register.organisations.items()}


def _state_nl(party: PartyShown) -> str:
    """Return how it counts, and where that is not what this record says by itself, why."""
    if party.in_record == party.state:
        return STATES[party.state]
    why = (
        f"maar {STATES[party.state]} in {party.no_in}"
        if party.no_in
        else f"maar samen met de rest: {STATES[party.state]}"
    )
    return f"{STATES[party.in_record]} in dit stuk, {why}"


def _print(
    consents: list[ConsentShown] | tuple[ConsentShown, ...], text: str, *, names: Mapping[str, str], as_json: bool
) -> None:  # fmt: skip
    if as_json:
        shown = [one.model_dump(mode="json", by_alias=True) for one in consents]
        print_json({"consents": shown, "text_nl": text})
        return
    console.print(text, markup=False)
    for one in consents:
        console.print(f"{one.consent_id}  {one.purpose}  {', '.join(one.categories)}", markup=False)
        for party in one.parties:
            console.print(f"  {names.get(party.oin, party.oin)}: {_state_nl(party)}", markup=False)
        for person in one.persons:
            why = "" if person.reason is None else f", want {REASONS[person.reason]}"
            said = f"{CAPACITIES[person.capacity]}: {ANSWERS[person.answer]}{why}"
            console.print(f"  {person.who[:8]}  {said}", markup=False)
