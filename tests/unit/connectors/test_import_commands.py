"""A caseload by the command line: under a grant, twice, resumed, looked at within the budget, with drafts."""

import datetime
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from broker.custodian.budgets import bucket_states
from broker.custodian.grants import grant_states, revoke
from connectors.cli import command_line
from connectors.sources.csv_file import COLUMNS
from connectors.terminal import Terminal
from tests.simulators.custodian import BROKER, CUSTODIANS, budget_classes
from tests.simulators.gba_v import official_number, person_rows, write_persons
from tests.simulators.partner_world import PartnerWorld, down, partner_world, status

RUNNER = CliRunner()
A, B = CUSTODIANS
N = [official_number(place) for place in range(200, 230)]
DAY_S = 86_400


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PartnerWorld]:
    """Give a region in which a worker may look at three persons a day."""
    with partner_world(tmp_path / "region", budgets=budget_classes(worker=3, organisation=100_000)) as made:
        for module in ("client", "grant_commands"):
            monkeypatch.setattr(f"connectors.{module}.Surroundings", lambda: made.surroundings)
        yield made


def run(*arguments: object, expect: int = 0) -> Result:
    """Return a command's result, once it ended with the expected exit code."""
    words = [str(argument) for argument in arguments]
    result = RUNNER.invoke(command_line(words), words)
    assert result.exit_code == expect, f"{result.exit_code}\n{result.output}\n{result.exception}"
    return result


def as_json(result: Result) -> dict[str, Any]:
    """Return what a command printed with --json."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def options(world: PartnerWorld, name: str = "gi", *, purpose: str = "proefregio") -> list[str]:
    """Return the options every question has."""
    org = str(world.folders[name].path)
    return ["--org", org, "--purpose", purpose, "--ground", "PROEF", "--worker", "anna", "--team", "team-1"]


def caseload(path: Path, numbers: Sequence[str], **cells: str) -> Path:
    """Return a CSV file with a row for each number, two siblings after each other sharing a parent."""
    lines = [",".join(COLUMNS)]
    for at, number in enumerate(numbers):
        row = dict.fromkeys(COLUMNS, "") | {"case_ref": f"zaak-{at}", "bsn": number} | cells
        row |= {"parent_bsn_1": N[29], "parent_1_source": "brp"}
        lines.append(",".join(row[column] for column in COLUMNS))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def register(world: PartnerWorld, file: Path, *more: object, expect: int = 0) -> dict[str, Any]:
    """Return what registering a CSV file told."""
    return as_json(run("register", "--source", "csv", file, *options(world), *more, "--json", expect=expect))


def test_a_grant_is_made_by_two_people_and_used_up_exactly(world: PartnerWorld, tmp_path: Path) -> None:
    """A dry run tells the size, one person proposes it, another approves, both custodians accept, and it just fits."""
    file = caseload(tmp_path / "cases.csv", N[:4])
    proposed, approved = tmp_path / "proposed.json", tmp_path / "approved.json"
    elements = register(world, file, "--dry-run")["elements"]
    assert elements == {"nlbsn": 4, "fam": 4}
    org = ("--org", world.folders["gi"].path)
    size = ",".join(f"{family}={count}" for family, count in elements.items())
    asked = ("--purpose", "proefregio", "--elements", size, "--expires-on", "2026-12-01", "--worker", "anna")
    told = run("grant", "propose", *org, *asked, "--out", proposed).stdout
    assert "4 nlbsn, 4 fam, doel proefregio, tot en met 2026-12-01" in told
    run("grant", "approve", proposed, *org, "--worker", "anna", "--out", approved, expect=2)
    document = as_json(run("grant", "approve", proposed, *org, "--worker", "carla", "--out", approved, "--json"))
    assert (document["statements"], document["grant"]["elements"]) == (2, elements)
    assert world.network.sent == []
    world.accept(approved.read_bytes())
    done = register(world, file, "--grant", approved)
    assert [item["outcome"] for item in done["results"]] == ["done"] * 4
    assert (done["to_look_at"], done["looked"], done["not_asked"]) == (4, [], [])
    assert world.left() == [{"nlbsn": 0, "fam": 0}]


def test_one_element_more_is_refused(world: PartnerWorld, tmp_path: Path) -> None:
    """A file with a row too many is warned about, registers what fits, and the row over is refused as not done."""
    file, grant = caseload(tmp_path / "cases.csv", N[:4]), world.granted("gi", {"nlbsn": 3, "fam": 4})
    told = register(world, file, "--grant", grant, expect=1)
    assert len(told["results"]) == 3
    assert [(item["outcome"], item["problem"]) for item in told["failed"]] == [("refused", "grant-exhausted")]
    assert world.left() == [{"nlbsn": 0, "fam": 1}]
    text = run("register", "--source", "csv", file, *options(world), "--grant", grant, "--resume", expect=1)
    assert "Deze importtoestemming is op" in text.stdout
    bigger = caseload(tmp_path / "bigger.csv", N[:9])
    warned = run("register", "--source", "csv", bigger, *options(world), "--grant", grant, expect=1)
    assert "vraagt meer dan de toestemming heeft (3 nlbsn, 2 fam te veel)" in warned.stderr


def test_an_import_stops_where_no_row_fares_better(world: PartnerWorld, tmp_path: Path) -> None:
    """Without an accepted grant a few rows are tried, and the rest is named as not asked."""
    file, other = caseload(tmp_path / "cases.csv", N[:20]), world.granted("gi", {"nlbsn": 1})
    for custodian in CUSTODIANS:
        world.network.faults[custodian] = [status(403, "grant-unknown")] * 2
    told = register(world, file, "--grant", other, "--parallel", 2, expect=1)
    assert (len(told["failed"]), len(told["not_asked"]), len(world.network.sent)) == (2, 18, 4)
    again = run("register", "--source", "csv", file, *options(world), "--grant", other, "--parallel", 1, expect=1)
    assert "Gestopt: 19 rijen zijn niet meer gevraagd. Er is niets kwijt." in again.stderr


def test_an_import_stops_when_a_party_stays_away(world: PartnerWorld, tmp_path: Path) -> None:
    """After the same outage eight times in a row nothing more is tried; what was prepared waits, and all is resumed."""
    file, grant = caseload(tmp_path / "cases.csv", N[:20]), world.granted("gi", {"nlbsn": 20, "fam": 20})
    world.network.faults[B] = [down] * 20
    told = register(world, file, "--grant", grant, "--parallel", 1, expect=1)
    assert (len(told["failed"]), len(told["not_asked"])) == (8, 12)
    world.network.faults.clear()
    again = register(world, file, "--grant", grant, "--resume", "--look-at-most", 0)
    assert (len(again["resumed"]), len(again["results"])) == (8, 12)
    assert (len(world.broker.signals), world.broker.doubled) == (20, 0)
    assert world.left(0) == world.left(1) == [{"nlbsn": 0, "fam": 0}]


@pytest.mark.parametrize("named", [True, False])
def test_the_same_file_twice_registers_nothing_twice(world: PartnerWorld, tmp_path: Path, named: bool) -> None:  # noqa: FBT001 - a parametrised fact
    """Rows that stand already are known by case or by person: rejected, or skipped on a resume, at no cost."""
    cells = {} if named else {"case_ref": ""}
    file, grant = caseload(tmp_path / "cases.csv", N[:3], **cells), world.granted("gi", {"nlbsn": 6, "fam": 6})
    register(world, file, "--grant", grant)
    again = register(world, file, "--grant", grant, expect=3)
    assert [(item["row"], item["field"]) for item in again["rejected"]] == [
        ("2", "case_ref"),
        ("3", "case_ref"),
        ("4", "case_ref"),
    ]
    resumed = register(world, file, "--grant", grant, "--resume", "--look-at-most", 0)
    assert resumed["skipped"] == ["2", "3", "4"]
    assert len(world.broker.signals) == 3
    assert world.left() == [{"nlbsn": 3, "fam": 3}]


def test_what_waits_in_the_outbox_is_not_begun_anew(world: PartnerWorld, tmp_path: Path) -> None:
    """A run without --resume rejects the rows whose command waits, under whatever row they stand now."""
    file, grant = caseload(tmp_path / "cases.csv", N[:2]), world.granted("gi", {"nlbsn": 2, "fam": 2})
    world.network.faults[BROKER] = [down, down]
    register(world, file, "--grant", grant, expect=1)
    moved = caseload(tmp_path / "moved.csv", [N[1], N[0]])
    told = register(world, moved, "--grant", grant, expect=3)
    assert {item["rule"] for item in told["rejected"]} == {"must not wait in the outbox already; go on with --resume"}
    assert len(register(world, moved, "--grant", grant, "--resume", "--look-at-most", 0)["resumed"]) == 2
    assert (len(world.broker.signals), world.left()) == (2, [{"nlbsn": 0, "fam": 0}])


def test_what_ended_with_its_grant_is_made_anew_under_the_next(world: PartnerWorld, tmp_path: Path) -> None:
    """Rows that waited beyond the end of their grant are registered under a new one, in the same run."""
    file, grant = caseload(tmp_path / "cases.csv", N[:2]), world.granted("gi", {"nlbsn": 2, "fam": 2})
    world.network.faults[BROKER] = [down, down]
    register(world, file, "--grant", grant, expect=1)
    world.clock.pass_seconds(12 * DAY_S)
    run("register", "--source", "csv", file, *options(world), "--grant", grant, expect=2)
    second = world.granted("gi", {"nlbsn": 2, "fam": 2})
    told = register(world, file, "--grant", second, "--resume", "--look-at-most", 0)
    assert (len(told["results"]), told["failed"], len(world.broker.signals)) == (2, [], 2)


def test_a_row_whose_grant_one_custodian_took_back_is_said_and_given_back(world: PartnerWorld, tmp_path: Path) -> None:
    """Every resume says what waits, why and what helps; revoked at the other too, it is made anew under the next."""
    file, first = caseload(tmp_path / "cases.csv", N[:1]), world.granted("gi", {"nlbsn": 1, "fam": 1})
    world.network.faults[B] = [down]
    register(world, file, "--grant", first, expect=1)
    revoke_at(world, 1)
    for _ in range(2):
        told = register(world, file, "--grant", first, "--resume", expect=1)
        (item,) = told["failed"]
        assert (item["row"], item["outcome"], item["reason"], item["resumable"]) == (
            "2",
            "not_done",
            "grant-unknown",
            True,
        )
        assert f"Deze rij wacht. {B} geeft niets af onder deze importtoestemming" in item["text_nl"]
        assert (told["results"], world.broker.signals) == ([], [])
    text = run("register", "--source", "csv", file, *options(world), "--grant", first, "--resume", expect=1)
    assert "Laat haar dan ook bij de andere intrekken." in text.stdout
    revoke_at(world, 0)
    again = world.granted("gi", {"nlbsn": 1, "fam": 1})
    done = register(world, file, "--grant", again, "--resume", "--look-at-most", 0)
    assert ([item["row"] for item in done["results"]], done["failed"], len(world.broker.signals)) == (["2"], [], 1)


def revoke_at(world: PartnerWorld, at: int) -> None:
    """Let a custodian take its first grant back."""
    store = world.network.pair.custodians[at].store
    grant = grant_states(store)[0].grant
    revoke(store, organisation=grant.organisation, grant_id=grant.id, now=world.clock.now)


def test_imported_households_are_looked_at_within_the_budget(world: PartnerWorld, tmp_path: Path) -> None:
    """With a budget of three persons a day five households take two days, each is told once, and none is lost."""
    other = caseload(tmp_path / "other.csv", [N[0], N[4]])
    run("register", "--source", "csv", other, *options(world, "wijkteam"))
    file, grant = caseload(tmp_path / "cases.csv", N[:5]), world.granted("gi", {"nlbsn": 5, "fam": 5})
    first = run("register", "--source", "csv", file, *options(world), "--grant", grant)
    assert "Nog niet bekeken wie er nog meer betrokken is: 5 huishoudens." in first.stderr
    assert "Je signaal is opgeslagen" not in first.stdout
    one = register(world, file, "--grant", grant, "--resume", "--look-at-most", 1)
    assert ([len(item["matches"]) for item in one["looked"]], one["to_look_at"]) == ([1], 4)
    second = run("register", "--source", "csv", file, *options(world), "--grant", grant, "--resume", "--parallel", 1)
    assert "Het budget om te kijken is nu op. Nog te bekijken: 2 huishoudens." in second.stderr
    assert second.stdout.count("Bewijs nagekeken") == 2
    world.clock.pass_seconds(DAY_S)
    third = register(world, file, "--resume")
    assert [item["matches"][0]["kind"] for item in third["looked"]] == ["family", "person"]
    assert (third["to_look_at"], third["failed"]) == (0, [])
    last = run("register", "--source", "csv", file, *options(world), "--resume")
    assert "bekijken" not in last.output
    assert not any(number in output.output for output in (first, second, last) for number in N)


def test_a_look_that_was_not_done_is_said_and_waits(world: PartnerWorld, tmp_path: Path) -> None:
    """An outage while looking is exit 1, and `resume` alone finishes it, tells it, and says what is left."""
    file, grant = caseload(tmp_path / "cases.csv", N[:2]), world.granted("gi", {"nlbsn": 2, "fam": 2})
    register(world, file, "--grant", grant)
    world.network.faults[BROKER] = [down]
    told = register(world, file, "--resume", "--look-at-most", 1, expect=1)
    assert [item["outcome"] for item in told["failed"]] == ["not_done"]
    org = ("--org", world.folders["gi"].path, "--worker", "anna")
    resumed = as_json(run("resume", *org, "--json"))
    assert ([item["outcome"] for item in resumed["looked"]], resumed["to_look_at"]) == (["nothing"], 1)
    again = run("resume", *org)
    assert (again.stdout, "1 huishouden." in again.stderr) == ("Er wacht niets.\n", True)


def test_a_household_whose_look_waits_is_not_looked_at_twice(world: PartnerWorld, tmp_path: Path) -> None:
    """While its check waits in the outbox a household is passed over: a second check would cost a second person."""
    file, grant = caseload(tmp_path / "cases.csv", N[:2]), world.granted("gi", {"nlbsn": 2, "fam": 2})
    register(world, file, "--grant", grant)
    world.network.faults[BROKER] = [down]
    register(world, file, "--resume", "--look-at-most", 1, expect=1)
    world.network.faults[BROKER] = [down]
    told = register(world, file, "--resume", "--look-at-most", 1, expect=1)
    assert ([item["row"] for item in told["looked"]], [item["row"] for item in told["failed"]]) == (["3"], ["2"])
    told = register(world, file, "--resume")
    assert ([item["row"] for item in told["looked"]], told["to_look_at"]) == (["2"], 0)
    buckets = bucket_states(world.network.pair.custodians[0].store)
    assert [bucket.level.points for bucket in buckets if bucket.worker] == [1]


def test_a_look_that_nobody_recorded_is_said_and_waits(world: PartnerWorld, tmp_path: Path) -> None:
    """A refusal without an entry of the log is told with exit 1, and its household is looked at the next time."""
    file, grant = caseload(tmp_path / "cases.csv", N[:1]), world.granted("gi", {"nlbsn": 1, "fam": 1})
    register(world, file, "--grant", grant)
    world.network.faults[BROKER] = [status(422, "team-unknown")]
    told = register(world, file, "--resume", expect=1)
    assert [(item["row"], item["outcome"], item["problem"]) for item in told["failed"]] == [
        ("2", "refused", "team-unknown")
    ]
    assert (told["looked"], told["to_look_at"]) == ([], 1)
    assert len(register(world, file, "--resume")["looked"]) == 1


def test_rows_that_nobody_judged_stay_here_as_drafts(world: PartnerWorld, tmp_path: Path) -> None:
    """In the verwijsindex a row without assessment or informing is not sent but listed, and sent once it has both."""
    asked = options(world, purpose="verwijsindex")
    people = [person_rows(f"L{at}", {"01.01.20": N[at], "01.03.10": "20140517"}) for at in range(3)]
    file, side = write_persons(tmp_path / "persons.csv", *people), tmp_path / "side.csv"
    side.write_text("label,assessed_on,assessed_by,informed\nL0,2020-01-10,anna,yes\nL1,2020-01-10,anna,\n")
    command = ("register", "--source", "gba-v", file, *asked, "--assessments", side)
    assert as_json(run(*command, "--dry-run", "--json"))["elements"] == {"nlbsn": 1}
    org = ("--org", world.folders["gi"].path)
    assert as_json(run("drafts", *org, "--json"))["drafts"] == []
    told = as_json(run(*command, "--json"))
    assert [item["row"] for item in told["results"]] == ["L0"]
    assert [(item["row"], item["missing"]) for item in told["drafts"]] == [
        ("L1", ["informing"]),
        ("L2", ["assessment", "informing"]),
    ]
    assert len(world.broker.signals) == 1
    listed = run("drafts", *org).stdout
    assert "Concept, niet verstuurd: L2. Vul in wie deze jongere heeft beoordeeld, en wanneer en of het gezin" in listed
    with side.open("a", encoding="utf-8") as more:
        more.write("L2,2020-01-10,anna,yes\n")
    assert "Concept, niet verstuurd: L1" in run(*command, "--resume").stderr
    assert [item["row"] for item in as_json(run("drafts", *org, "--json"))["drafts"]] == ["L1"]
    body = json.loads(world.broker.bodies[-1])
    assert (body["assessment"]["on"], body["informing"]["state"]) == ("2020-01-10", "informed")
    assert not any(number in listed for number in N)


def test_a_side_file_that_states_something_wrong_rejects_its_row(world: PartnerWorld, tmp_path: Path) -> None:
    """A judgement of a day to come, or an answer that is none, rejects its row; what is put off gets a day."""
    asked = options(world, purpose="verwijsindex")
    people = [person_rows(f"L{at}", {"01.01.20": N[at], "01.03.10": "20140517"}) for at in range(3)]
    file, side = write_persons(tmp_path / "persons.csv", *people), tmp_path / "side.csv"
    later = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=2)  # midnight may pass meanwhile
    header = "label,assessed_on,assessed_by,informed,informed_reason\n"
    rows = f"L0,{later},anna,yes,\nL1,2020-01-10,anna,perhaps,\nL2,2020-01-10,anna,no,not_reachable\n"
    side.write_text(header + rows)
    command = ("register", "--source", "gba-v", file, *asked, "--assessments", side)
    told = as_json(run(*command, "--json", expect=3))
    assert [(item["row"], item["field"]) for item in told["rejected"]] == [("L0", "assessed_on"), ("L1", "informed")]
    assert json.loads(world.broker.bodies[-1])["informing"] == {
        "state": "deferred",
        "reason": "not_reachable",
        "reviewOn": "2026-12-16",
    }
    side.write_text(header + "L0,2020-01-10,anna,yes,\nL0,2020-01-10,anna,yes,\n")
    run(*command, expect=2)


def cut_off(text: bytes) -> bytes:
    """Return a file that ends in the middle of its last row."""
    return text[:-20]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b",", b";"),
        lambda text: text.replace(b"case_ref", "zaaknúmmer".encode("latin-1")),
        lambda text: text.replace(b"birth_date,", b"", 1),
        cut_off,
        lambda text: text + b'2,"never closed\n',
        lambda text: text + b"1,2,3\n",
        lambda text: text + b"x" * 104_857_600,
        lambda _: b"",
    ],
    ids=["delimiter", "encoding", "column", "cut off", "quote", "short row", "100 MB", "empty"],
)
def test_a_bad_file_is_refused_whole(world: PartnerWorld, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    """A file that is no caseload as a whole ends with 2, in one line without a value, before anything is sent."""
    file, grant = caseload(tmp_path / "cases.csv", N[:3]), world.granted("gi", {"nlbsn": 3, "fam": 3})
    file.write_bytes(change(file.read_bytes()))
    result = run("register", "--source", "csv", file, *options(world), "--grant", grant, expect=2)
    assert result.stderr.count("\n") == 1
    assert not any(number in result.output for number in N)
    assert world.network.sent == []


def test_bad_rows_are_rejected_by_row_field_and_rule(world: PartnerWorld, tmp_path: Path) -> None:
    """A failing elfproef and a birth in the future reject their rows only, also in the file of rejects; exit 3."""
    file, rejects = tmp_path / "cases.csv", tmp_path / "rejects.csv"
    caseload(file, [N[0], "999990012", N[1]])
    lines = file.read_text().splitlines()
    lines[3] = lines[3].replace(f"{N[1]},", f"{N[1]},2099-01-01", 1)
    file.write_text("\n".join(lines) + "\n")
    grant = world.granted("gi", {"nlbsn": 1, "fam": 1})
    told = register(world, file, "--grant", grant, "--rejects", rejects, expect=3)
    assert [(item["row"], item["field"], item["rule"]) for item in told["rejected"]] == [
        ("3", "bsn", "must satisfy the elfproef"),
        ("4", "birth_date", "must not be in the future"),
    ]
    assert rejects.read_text().splitlines()[1:] == [
        "3,bsn,must satisfy the elfproef",
        "4,birth_date,must not be in the future",
    ]
    assert "999990012" not in json.dumps(told) + rejects.read_text()
    assert world.left() == [{"nlbsn": 0, "fam": 0}]


def test_a_grant_that_cannot_be_used_ends_before_anything_is_sent(world: PartnerWorld, tmp_path: Path) -> None:
    """Another organisation's grant, another purpose, a passed day, a proposal, or no grant at all: exit 2, one line."""
    file, grant = caseload(tmp_path / "cases.csv", N[:2]), world.granted("gi", {"nlbsn": 2, "fam": 2})
    for asked, text in (
        (options(world, "wijkteam"), "two people of this organisation"),
        (options(world, purpose="iets-anders"), "another purpose"),
    ):
        result = run("register", "--source", "csv", file, *asked, "--grant", grant, expect=2)
        assert (text in result.stderr, result.stderr.count("\n")) == (True, 1)
    run("register", "--source", "csv", file, *options(world), "--grant", file, expect=2)
    run("register", "--source", "csv", file, *options(world), "--grant", tmp_path / "none", expect=2)
    world.clock.pass_seconds(11 * DAY_S)
    result = run("register", "--source", "csv", file, *options(world), "--grant", grant, expect=2)
    assert result.stderr == "Fout: grant: has expired\n"
    assert world.network.sent == []


def test_grant_commands_refuse_bad_input(world: PartnerWorld, tmp_path: Path) -> None:
    """Counts that are none, a term that is too long, and files that are no proposal are exit 2."""
    org, out = ("--org", world.folders["gi"].path), tmp_path / "out.json"
    asked = ("--purpose", "proefregio", "--worker", "anna", "--out", out)
    run("grant", "propose", *org, *asked, "--elements", "all", "--expires-on", "2026-12-01", expect=2)
    run("grant", "propose", *org, *asked, "--elements", "nlbsn=1", "--expires-on", "2027-12-01", expect=2)
    run("grant", "approve", tmp_path / "none", *org, "--worker", "carla", "--out", out, expect=2)
    assert not out.exists()
    printed = as_json(
        run("grant", "propose", *org, *asked, "--elements", "nlbsn=1", "--expires-on", "2026-12-01", "--json")
    )
    assert (printed["statements"], out.stat().st_mode & 0o777) == (1, 0o600)


def test_a_folder_from_before_has_no_drafts_setting(world: PartnerWorld, tmp_path: Path) -> None:
    """A partner.toml without the list of judged purposes reads as the verwijsindex alone."""
    folder = tmp_path / "older"
    shutil.copytree(world.folders["gi"].path, folder)
    settings = folder / "partner.toml"
    settings.write_text(
        "".join(line for line in settings.read_text().splitlines(keepends=True) if "judged" not in line)
    )
    file = caseload(tmp_path / "cases.csv", N[:1])
    asked = ["--org", str(folder), *options(world, purpose="verwijsindex")[2:]]
    assert len(as_json(run("register", "--source", "csv", file, *asked, "--json"))["drafts"]) == 1


def test_a_run_shows_how_far_it_is(world: PartnerWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a bar counts the rows that were done, of an import and of the looking after it."""
    shown = io.StringIO()
    on = Terminal(drawn=Console(file=shown, force_terminal=True, width=120))
    monkeypatch.setattr("connectors.case_run.notices", on)
    file, grant = caseload(tmp_path / "cases.csv", N[:3]), world.granted("gi", {"nlbsn": 3, "fam": 3})
    register(world, file, "--grant", grant)
    register(world, file, "--grant", grant, "--resume")
    assert "bezig" in shown.getvalue()
    assert shown.getvalue().count("3/3") >= 2
