"""A worker follows up over the real broker: notices are kept before they are forgotten there, each step is proven."""

import asyncio
import datetime
import functools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

import connectors.client
from broker.protocol.inbox_messages import Notice
from broker.protocol.match_messages import MatchesResult, ShownMatch
from connectors.casebook import OwnSignal
from connectors.cli import command_line
from connectors.client import SluisClient
from connectors.dates import HERE
from connectors.errors import CaseError, FolderError, RefusedError
from connectors.following import Following
from connectors.match_lines import for_team, match_lines
from connectors.notice_book import NoticeBook
from connectors.receipts import verify_stored
from connectors.workers import add_worker, pairwise_id, remove_worker, sign_roster
from tests.simulators.asking import BROKER, household
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.partner_world import TEAM
from tests.simulators.reviewing_partner import ReviewingPartner, reviewing_partner
from tests.simulators.served_world import make_template, run_cli

CHILD = household(subject="child")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder, ready to serve."""
    return make_template(tmp_path_factory.mktemp("template") / "world")


@pytest.fixture
async def partner(template: Path, tmp_path: Path) -> AsyncIterator[ReviewingPartner]:
    """The folder of the GI beside a served broker, where the wijkteam met a signal of the GI."""
    async with reviewing_partner(template, tmp_path) as running:
        for oin in (GI, WIJKTEAM):
            answer = await running.world.register(oin, CHILD)
            assert answer.status_code == 200, answer.text
        yield running


def client_of(partner: ReviewingPartner) -> SluisClient:
    """Return the client of a worker of the GI."""
    return SluisClient(partner.folder, worker="anna", surroundings=partner.surroundings)


async def run(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, *words: str, worker: str = "anna", served: bool = True
) -> Result:
    """Return what a command line printed, run on a thread of its own beside the broker's loop, or without a broker."""
    surroundings = partner.surroundings
    if not served:
        surroundings = replace(surroundings, transport=httpx.MockTransport(_no_answer))
    monkeypatch.setattr(connectors.client, "Surroundings", lambda: surroundings)
    whole = [*words, "--org", str(partner.folder.path), "--worker", worker]
    invoke = functools.partial(CliRunner().invoke, command_line(words), whole)
    return await asyncio.to_thread(invoke)


async def test_a_notice_is_kept_here_before_the_broker_forgets_it(partner: ReviewingPartner) -> None:
    """A first fetch keeps the notice, only the next tells the broker so; what was fetched twice stands here once."""
    async with client_of(partner) as client:
        following = Following(client.desk)
        await following.fetch()
        (notice,) = following.unread()
        waiting = "SELECT id FROM notices WHERE organisation = ? AND read_at IS NULL"
        assert partner.world.rows(waiting, GI) == [(notice.id,)]
        await following.fetch()
        assert partner.world.rows(waiting, GI) == []
        assert following.unread() == [notice]
        following.read(notice.id)
        await following.fetch()
        assert following.unread() == []


async def test_a_match_is_opened_called_about_and_closed_with_receipts(partner: ReviewingPartner) -> None:
    """Whom to call comes with a card; each step comes with a receipt that can be verified again offline."""
    async with client_of(partner) as client:
        following = Following(client.desk)
        listed = await following.matches()
        assert isinstance(listed.details, MatchesResult)
        (match,) = listed.details.found
        opened = await following.open(match.match_id)
        assert isinstance(opened.details, MatchesResult)
        assert opened.details.found[0].involved.holder.contact is not None
        appointed = await following.appoint(match.match_id, organisation=WIJKTEAM, team="team-1", was=None)
        led = (await following.shown(match.match_id)).casusregisseur
        assert led is not None
        assert (led.organisation, led.team, led.name) == (WIJKTEAM, "team-1", "Wijkteam Arnhem")
        with pytest.raises(RefusedError) as unseen:
            await following.appoint(match.match_id, organisation=GI, team="team-1", was=None)
        assert (unseen.value.problem.id, unseen.value.receipt is not None) == ("casusregisseur-changed", True)
        with pytest.raises(RefusedError) as unspoken:
            await following.change(match.match_id, "klaar")
        assert (unspoken.value.problem.id, unspoken.value.receipt is not None) == ("match-no-contact", True)
        await following.change(match.match_id, "contact_gehad")
        closed = await following.change(match.match_id, "klaar")
        for outcome, kind in ((opened, "read"), (appointed, "match"), (closed, "match")):
            (receipt,) = outcome.receipts
            path = partner.folder.receipts / f"{receipt.index}.json"
            assert verify_stored(path, policy=partner.folder.log_policy).kind == kind
        with pytest.raises(RefusedError) as refused:
            await following.change(match.match_id, "contact_gehad")
        assert (refused.value.problem.id, refused.value.receipt is not None) == ("match-closed", True)
        assert (await client.resume()).outcomes == ()


async def test_an_unknown_match_is_refused_and_a_malformed_id_never_leaves(partner: ReviewingPartner) -> None:
    """What is not ours reads as not there, and ends the command; what is no id is named here."""
    async with client_of(partner) as client:
        following = Following(client.desk)
        with pytest.raises(RefusedError) as refused:
            await following.change("f" * 32, "klaar")
        assert refused.value.problem.id == "not-found"
        assert (await client.resume()).unfinished == ()
        before = partner.world.leaves
        for wrong in ("../signals", "F" * 32):
            with pytest.raises(CaseError):
                await following.open(wrong)
        with pytest.raises(CaseError):
            await following.change("f" * 32, "misschien")
        assert partner.world.leaves == before


async def test_the_commands_tell_in_dutch_and_as_json(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`inbox` and `matches` print whom to call and the proof, or JSON; refused ends with 1, bad input with 2."""
    inbox = await run(partner, monkeypatch, "inbox")
    assert inbox.exit_code == 0, inbox.output
    assert "ook betrokken" in inbox.output
    assert "Bewijs nagekeken" in inbox.output
    again = await run(partner, monkeypatch, "inbox", "--offline")
    assert "Er is niets nieuws." in again.output
    listed = json.loads((await run(partner, monkeypatch, "matches", "list", "--json")).output)
    (match,) = listed["results"][0]["details"]["found"]
    told = await run(partner, monkeypatch, "matches", "open", match["matchId"])
    assert "Wijkteam Arnhem" in told.output
    assert "026 000 0000" in told.output
    assert "waarnemer Waarneemteam" in told.output
    assert "buiten kantooruren 0800 5550000" in told.output
    for oin, said in ((GI, "Vastgelegd wie"), (WIJKTEAM, "Casusregisseur tot nu toe: ")):
        named = await run(partner, monkeypatch, "matches", "casusregisseur", match["matchId"], oin, "team-1")
        assert (named.exit_code, said in named.output) == (0, True), named.output
    together = await run(partner, monkeypatch, "matches", "state", match["matchId"], "werken_al_samen")
    assert "al samenwerken" in together.output
    line = (await run(partner, monkeypatch, "matches", "list")).output
    assert "we werken al samen" in line
    assert "Casusregisseur: Wijkteam Arnhem team-1" in line
    assert "Jullie zaak is hier niet bekend: dezelfde persoon" in line
    refused = await run(partner, monkeypatch, "matches", "open", "f" * 32)
    assert (refused.exit_code, "niet van jouw organisatie" in refused.output) == (1, True)
    failed = await run(partner, monkeypatch, "matches", "open", "f" * 32, "--json")
    assert json.loads(failed.output)["failed"][0]["problem"] == "not-found"
    assert (await run(partner, monkeypatch, "matches", "open", "no-id")).exit_code == 2


async def test_who_leads_is_said_as_us_or_them(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A match has two teams: nobody has to find out their numbers, and half a number is refused before it leaves."""
    listed = json.loads((await run(partner, monkeypatch, "matches", "list", "--json")).output)
    match = listed["results"][0]["details"]["found"][0]["matchId"]
    opened = (await run(partner, monkeypatch, "matches", "state", match, "contact_gehad")).output
    assert "Vastgelegd" in opened
    assert f"matches casusregisseur {match} wij" in (await run(partner, monkeypatch, "matches", "open", match)).output
    for word, leader in (("zij", "Casusregisseur: Wijkteam Arnhem team-1"), ("wij", "team-1 (jullie)")):
        named = await run(partner, monkeypatch, "matches", "casusregisseur", match, word)
        assert named.exit_code == 0, named.output
        assert leader in (await run(partner, monkeypatch, "matches", "open", match)).output
    before = partner.world.leaves
    for words in ((GI,), ("wij", "team-1")):
        wrong = await run(partner, monkeypatch, "matches", "casusregisseur", match, *words)
        assert (wrong.exit_code, "team: must follow" in wrong.output) == (2, True)
    assert partner.world.leaves == before + 2  # the match was opened, and nobody was appointed


async def test_a_match_says_about_which_own_case_it_is(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has thirty cases must know which child to call about: the own case system's reference stands beside it."""
    listed = json.loads((await run(partner, monkeypatch, "matches", "list", "--json")).output)
    (signal,) = listed["results"][0]["details"]["found"][0]["signals"]
    known = OwnSignal(
        signal_id=signal, case_ref="zaak-17", purpose="verwijsindex", team="team-1",
        ends_on=datetime.date(2027, 1, 1), state="active", receipt=None,
    )  # fmt: skip
    with partner.folder.casebook() as book:
        book.put_signal(known)
    assert "Jullie zaak zaak-17: dezelfde persoon" in (await run(partner, monkeypatch, "matches", "list")).output
    assert "Jullie zaak zaak-17" in (await run(partner, monkeypatch, "list")).output


async def test_who_sees_to_a_signal_is_handed_over_and_found(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was registered past this folder has an owner on the roster; one's own are handed over in one act."""
    nobody = await run(partner, monkeypatch, "ownerless")
    assert "Van deze signalen heeft ieder een collega" in nobody.output, nobody.output
    partner.world.write("UPDATE signals SET owner = 'gone' WHERE organisation = ?", GI)
    listed = json.loads((await run(partner, monkeypatch, "ownerless", "--json")).output)
    assert [one["owner"] for one in listed["results"][0]["details"]["found"]] == ["gone"]
    assert "proefregio" in (await run(partner, monkeypatch, "ownerless")).output
    taken = await run(partner, monkeypatch, "handover", "toon", "--of-nobody")
    assert "Aantal: 1" in taken.output, taken.output
    own = await run(partner, monkeypatch, "handover", "toon")
    assert "Aantal: 0" in own.output
    wrong = await run(partner, monkeypatch, "handover", "petra")
    assert wrong.exit_code == 1


async def test_who_leaves_stands_on_no_roster_and_an_approver_hands_over_his_signals(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker who left may do nothing here and at the broker; what he saw to is somebody's again in one act."""
    add_worker(partner.folder, local_id="ada", name="Ada Blom", roles=["approver"])
    _hand_in_roster(partner)
    anna = pairwise_id(partner.folder.pairwise_key, audience=BROKER, local_id="anna")
    partner.world.write("UPDATE signals SET owner = ? WHERE organisation = ?", anna, GI)
    assert (await run(partner, monkeypatch, "handover", "toon", "--of", "anna", worker="toon")).exit_code == 2
    taken = await run(partner, monkeypatch, "handover", "toon", "--of", "anna", worker="ada")
    assert "Aantal: 1" in taken.output, taken.output
    left = await asyncio.to_thread(
        CliRunner().invoke,
        command_line(["worker"]),
        ["worker", "remove", str(partner.folder.path), "--local-id", "anna"],
    )
    assert left.exit_code == 0, left.output
    _hand_in_roster(partner)
    assert (await run(partner, monkeypatch, "matches", "list")).exit_code == 2
    signed = sign_roster(partner.folder, audience=BROKER).document
    assert anna not in {one["sub"] for one in signed["workers"]}
    for nobody in ("anna", "somebody"):
        with pytest.raises(FolderError):
            remove_worker(partner.folder, local_id=nobody)


async def test_the_night_card_names_teams_and_no_household(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is printed or written, with every team of the directory and where to call in danger."""
    printed = await run(partner, monkeypatch, "night-card")
    assert printed.exit_code == 0, printed.output
    for said in ("Nachtkaart", "Wijkteam Arnhem", "026 000 0000", "0800 5550000", "Waarneemteam", "0800-2000"):
        assert said in printed.output
    page, file = tmp_path / "card.html", tmp_path / "card.pdf"
    await run(partner, monkeypatch, "night-card", "--html", str(page), "--pdf", str(file))
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "http" not in text
    assert "Wijkteam Arnhem" in text
    assert file.read_bytes().startswith(b"%PDF")


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


async def test_the_night_card_works_when_nothing_answers(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the broker off it is made of the signed cards in the folder, saying of when they are; never of nothing."""
    nothing = await run(partner, monkeypatch, "night-card", served=False)
    assert nothing.exit_code == 1
    assert "0800-2000" in nothing.output

    had = await run(partner, monkeypatch, "night-card")
    signed = [line for line in had.output.splitlines() if "0800 5550000" in line and "getekend" not in line]
    assert signed
    page = tmp_path / "card.html"
    printed = await run(partner, monkeypatch, "night-card", served=False)
    assert printed.exit_code == 0, printed.output
    since = datetime.datetime.fromtimestamp(partner.surroundings.now(), HERE)
    assert f"Deze nummers zijn op {since:%d-%m-%Y om %H:%M} opgehaald" in " ".join(printed.output.split())
    assert "0800 5550000" in printed.output
    assert "Sluis is nu niet bereikbaar" not in had.output
    await run(partner, monkeypatch, "night-card", "--html", str(page), served=False)
    assert "Sluis is nu niet bereikbaar" in page.read_text(encoding="utf-8")


async def test_a_coordinators_list_is_for_his_role(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is no coordinator in this folder cannot ask as one."""
    refused = await run(partner, monkeypatch, "coordinated")
    assert refused.exit_code == 2
    assert "matchcoordinator" in refused.output


async def test_a_new_report_needs_a_casusregisseur_and_its_file(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without another team that leads it is refused with a receipt; a proof that is no file ends with 2."""
    listed = json.loads((await run(partner, monkeypatch, "matches", "list", "--json")).output)
    match = listed["results"][0]["details"]["found"][0]["matchId"]
    proof = tmp_path / "proof.json"
    assert (await run(partner, monkeypatch, "matches", "new-report", match, "--proof", str(proof))).exit_code == 2
    proof.write_text(json.dumps({"kind": "melding", "reference": "PM-1", "since": "2026-11-22"}), encoding="utf-8")
    refused = await run(partner, monkeypatch, "matches", "new-report", match, "--proof", str(proof))
    assert refused.exit_code == 1
    assert "geen ander team als casusregisseur bekend" in " ".join(refused.output.split())


async def _with_coordinator(partner: ReviewingPartner) -> None:
    """The broker and the folder know a matchcoordinator, and a worker of another team."""
    add_worker(partner.folder, local_id="mia", name="Mia Peters", roles=["matchcoordinator"])
    add_worker(partner.folder, local_id="noor", name="Noor Kaya", roles=["worker"], teams=["team-2"])
    _hand_in_roster(partner)


def _hand_in_roster(partner: ReviewingPartner) -> None:
    """The broker goes by the roster as it is here now."""
    roster = partner.folder.path.parent / "newer-roster.json"
    roster.write_bytes(sign_roster(partner.folder, audience=BROKER, teams=[TEAM]).encode())
    run_cli("roster", "import", partner.world.folder / "broker", roster)


async def test_nobody_reads_another_teams_notices_away(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that fetches and a colleague of another team leave a team's notices unread, until it looks itself."""
    await _with_coordinator(partner)
    said = "ook betrokken"
    fetched = await run(partner, monkeypatch, "inbox", "--fetch-only")
    assert (fetched.exit_code, said in fetched.output) == (0, False), fetched.output
    assert "Opgehaald. Nog ongelezen: 1." in fetched.output
    assert "niets nieuws" not in fetched.output
    other = await run(partner, monkeypatch, "inbox", "--offline", worker="noor")
    assert "voor andere teams: 1" in other.output
    assert said not in other.output
    assert said in (await run(partner, monkeypatch, "inbox", "--offline", "--all", worker="noor")).output
    assert said in (await run(partner, monkeypatch, "inbox", "--offline")).output
    assert "Er is niets nieuws." in (await run(partner, monkeypatch, "inbox", "--offline")).output


async def test_what_was_never_fetched_is_not_told_as_nothing(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the broker the book says as of when it stands: an outage of days reads otherwise than no news."""
    never = (await run(partner, monkeypatch, "inbox", "--offline")).output
    assert "nog nooit iets opgehaald" in never
    assert "niets nieuws" not in never
    await run(partner, monkeypatch, "inbox")
    later = (await run(partner, monkeypatch, "inbox", "--offline")).output
    assert "Laatst opgehaald op 20" in later
    assert "Wat daarna kwam, staat hier niet bij." in later


async def test_a_coordinators_notices_are_his_alone(partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch) -> None:
    """He fetches in his role, and reads what waits for it; a worker's notices stay the worker's, and the other way."""
    await _with_coordinator(partner)
    his = ("inbox", "--role", "matchcoordinator")
    fetched = await run(partner, monkeypatch, *his, worker="mia")
    assert (fetched.exit_code, "Er is niets nieuws." in fetched.output) == (0, True), fetched.output
    notice = Notice(id="c" * 32, kind="coordinated", team="team-1", about="d" * 32, at=1_780_000_000)
    with partner.folder.casebook() as book:
        NoticeBook(book, role="matchcoordinator").keep([notice], confirmed=[], at=1_764_000_000)
    assert "twee teams" not in (await run(partner, monkeypatch, "inbox")).output
    assert "twee teams" in (await run(partner, monkeypatch, *his, "--offline", worker="mia")).output
    assert (await run(partner, monkeypatch, *his)).exit_code == 2


def test_a_list_of_matches_has_the_own_teams_first_and_what_is_due_first() -> None:
    """Of other teams, and closed ones, it has a number; `--all` shows them. Who is in no team acts for all."""

    def one(match_id: str, team: str, state: str, due: int) -> ShownMatch:
        return ShownMatch.model_construct(
            match_id=match_id, team=team, state=state, due_on=datetime.date(2026, 12, due)
        )

    found = [
        one("a", "team-1", "contact_gehad", 1),
        one("b", "team-2", "nieuw", 1),
        one("c", "team-1", "klaar", 1),
        one("d", "team-1", "gelezen", 4),
        one("e", "team-1", "nieuw", 2),
    ]

    def ids(*teams: str, everything: bool = False) -> tuple[str, int]:
        shown, left_out = for_team(found, frozenset(teams), everything=everything)
        return "".join(match.match_id for match in shown), left_out

    assert ids("team-1") == ("eda", 2)
    assert ids("team-2") == ("b", 4)
    assert ids("team-3") == ("", 5)
    assert ids() == ("beda", 1)
    assert ids("team-1", everything=True) == ("bedac", 0)


async def test_a_match_without_contact_past_its_last_day_is_late_on_the_own_list(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the last day itself it is not, nor once the own side says that there was contact, whatever the other says."""
    async with client_of(partner) as client:
        page = await Following(client.desk).matches()
    assert isinstance(page.details, MatchesResult)
    (match,) = page.details.found
    spoke = match.model_copy(update={"state": "contact_gehad"})
    for one, days, late in ((match, 0, False), (match, 1, True), (spoke, 1, False)):
        today = match.due_on + datetime.timedelta(days=days)
        first, *_ = match_lines(one, cases=(), own=GI, today=today)
        assert first.endswith("TE LAAT") is late
    assert not next(iter(match_lines(match, cases=(), own=GI))).endswith("TE LAAT")
    assert match.match_id in (await run(partner, monkeypatch, "matches", "list")).output
