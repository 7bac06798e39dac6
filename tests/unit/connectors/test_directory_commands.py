"""The words and numbers that commands ask for can be looked up, by whoever works here, in one command each."""

import json

import pytest

from connectors.contacts import UNSIGNED
from connectors.errors import FolderError
from connectors.workers import add_worker, role_for
from policies import load_bundle
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.served_desks import Desks


async def test_every_word_of_the_policy_is_named(desks: Desks) -> None:
    """Purposes that this organisation may use, and every category, level and proof, each with its meaning."""
    printed = (await desks.run(WIJKTEAM, "vocabulary")).output
    bundle = load_bundle()
    assert "  hulp  welke hulp er is en sinds wanneer\n" in printed
    assert "  3  aard en periode\n" in printed
    for proof in bundle.proofs.values():
        assert f"  {proof.id}  {proof.name_nl}\n" in printed
    for purpose in bundle.purposes.values():
        usable = any("wijkteam" in row.classes or "*" in row.classes for row in purpose.allowances)
        assert (f"{purpose.id}  {purpose.description_nl}\n" in printed) == usable
    told = await desks.tells(WIJKTEAM, "vocabulary")
    assert set(told["categories"]) == bundle.vocabulary["cat"] - {"none"}


async def test_a_purpose_says_what_is_possible_and_on_what(desks: Desks) -> None:
    """Veilig Thuis asks after a report on one ground; a school tells it on another, and asks nothing."""
    asks = (await desks.run(VEILIG_THUIS, "vocabulary", "--purpose", "vt-melding")).output
    assert (
        "vragen (request send, bel nu); met een bewijs: melding of melding_volgt\n    --ground WMO-5.1.6  Wmo" in asks
    )
    tells = (await desks.run(SCHOOL, "vocabulary", "--purpose", "vt-melding")).output
    assert "vertellen of antwoorden (tell, answer, bel nu --tell)\n    --ground WMO-5.2.6  Wmo" in tells
    assert "request send" not in tells
    approved = (await desks.run(WIJKTEAM, "vocabulary", "--purpose", "verwijsindex")).output
    assert (
        "een signaal afgeven (register); een collega keurt het goed (--approver)\n    --ground JW-7.1.4.1" in approved
    )
    nothing = (await desks.run(SCHOOL, "vocabulary", "--purpose", "overlast")).output
    assert nothing.endswith("Hiervoor mag jouw organisatie niets: alleen antwoorden als een ander vraagt.\n")
    rows = (await desks.tells(SCHOOL, "vocabulary", "--purpose", "vt-melding"))["allowed"]
    assert {row["purpose"] for row in rows} == {"vt-melding"}
    assert all("school" in row["classes"] for row in rows)
    wrong = (await desks.run(SCHOOL, "vocabulary", "--purpose", "canary-999990019", expect=2)).output
    assert "canary" not in wrong
    assert "vt-melding" in wrong


async def test_organisations_are_listed_and_their_cards_are_kept(desks: Desks) -> None:
    """Name, OIN, teams and numbers; and from then on a number that was signed is not called unsigned (U10-5)."""
    printed = (await desks.run(VEILIG_THUIS, "organisations")).output
    assert f"{WIJKTEAM}  Wijkteam Arnhem\n  team-1  Team 1 Wijkteam Arnhem, 026 000 0000 (ma-vr)" in printed
    assert "buiten kantooruren 0800 5550000" in printed
    assert UNSIGNED not in printed
    (found,) = [
        one for one in (await desks.tells(VEILIG_THUIS, "organisations"))["organisations"] if one["oin"] == WIJKTEAM
    ]  # fmt: skip
    assert (found["signed"], found["teams"][0]["team"]) == (True, "team-1")
    with desks.folder(VEILIG_THUIS).casebook() as book, book.transaction() as database:
        kept = {oin for (oin,) in database.execute("SELECT oin FROM contact_cards")}
    assert WIJKTEAM in kept


async def test_whoever_works_here_may_look_them_up(desks: Desks) -> None:
    """An approver who is no worker reads them in the role he has."""
    for command in ("organisations", "vocabulary"):
        assert json.loads((await desks.run(WIJKTEAM, command, "--json", worker="carla")).stdout)


async def test_the_role_that_one_has_alone_is_taken(desks: Desks) -> None:
    """What is for some roles is done in the one a worker has of them; with more, he says which (U10-8)."""
    folder = desks.folder(WIJKTEAM)
    among = ("worker", "approver", "fg")
    for local_id, roles in (("two", ["approver", "fg"]), ("both", ["worker", "fg"]), ("none", ["matchcoordinator"])):
        add_worker(folder, local_id=local_id, name=local_id, roles=roles)
    assert role_for(folder, "anna", None, among=among) == "worker"
    assert role_for(folder, "both", None, among=among) == "worker"
    assert role_for(folder, "carla", None, among=among) == "approver"
    assert role_for(folder, "two", "fg", among=among) == "fg"
    with pytest.raises(FolderError, match="as --role: one of approver, fg"):
        role_for(folder, "two", None, among=among)
    with pytest.raises(FolderError, match="has none of the roles worker, approver, fg"):
        role_for(folder, "none", None, among=among)
    told = (await desks.run(WIJKTEAM, "tasks", "owed", worker="carla")).output
    assert "Sluis" in told
    refused = (await desks.run(WIJKTEAM, "matches", "list", worker="carla", expect=2)).output
    assert "does not have the role worker, but: approver" in refused


async def test_the_night_card_is_written_without_a_renderer(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page that can be printed is there, also where no PDF can be made; what is missing is said (U10-10)."""
    monkeypatch.setattr("connectors.review_pdf.renderer", lambda: None)
    page, pdf = (desks.folder(WIJKTEAM).path / name for name in ("card.html", "card.pdf"))
    told = (await desks.run(WIJKTEAM, "night-card", "--html", page, "--pdf", pdf, expect=2)).output
    assert told.startswith("Fout: pdf: heeft Typst nodig")
    assert "Wijkteam Arnhem" in page.read_text(encoding="utf-8")
    assert not pdf.exists()
