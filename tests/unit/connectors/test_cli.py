import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.protocol.problems import problem
from connectors.cli import command_line
from tests.simulators.custodian import BROKER, CUSTODIANS, REGISTRARS, seeded_key
from tests.simulators.gba_v import generate, official_number, person_rows, write_persons
from tests.simulators.partner_world import TEAM, PartnerWorld, down, lost, real, status
from tests.unit.audit.log_simulator import policy_text
from tests.unit.connectors.cases_by_hand import OTHER_LOG

RUNNER = CliRunner()
N = [official_number(place) for place in range(40, 46)]


@pytest.fixture(autouse=True)
def connected(world: PartnerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands reach the world's network and clock."""
    monkeypatch.setattr("connectors.client.Surroundings", lambda: world.surroundings)


def run(*arguments: object, expect: int = 0) -> Result:
    """Return a command's result, once it ended with the expected exit code."""
    words = [str(argument) for argument in arguments]
    result = RUNNER.invoke(command_line(words), words)
    assert result.exit_code == expect, f"{result.exit_code}\n{result.output}\n{result.exception}"
    return result


def asking(world: PartnerWorld, name: str = "gi") -> list[str]:
    """Return the options every question has."""
    org = str(world.folders[name].path)
    return ["--org", org, "--purpose", "proefregio", "--ground", "PROEF", "--worker", "anna", "--team", "team-1"]


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """Give a file with two half sisters, and one row without a number."""
    return write_persons(
        tmp_path / "family.csv",
        person_rows("L1", {"01.01.20": N[0], "02.01.20": N[1]}),
        person_rows("L2", {"01.01.20": N[2], "02.01.20": N[1]}),
        person_rows("L3", {"02.01.20": N[1]}),
    )


def as_json(result: Result) -> dict[str, Any]:
    """Return what a command printed with --json."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_caseload_is_registered_and_checked(world: PartnerWorld, family: Path, tmp_path: Path) -> None:
    """Good rows are registered, the bad one is rejected by label with exit 3, and another partner finds the family."""
    rejects, rows = tmp_path / "rejects.csv", tmp_path / "rows"
    result = run("register", "--source", "gba-v", family, *asking(world), "--rejects", rejects, "--json", expect=3)
    document = as_json(result)
    assert [item["row"] for item in document["results"]] == ["L1", "L2"]
    assert all(item["receipts"][0]["verified"] for item in document["results"])
    assert rejects.read_text().splitlines()[1] == "L3,01.01.20,must not be empty"
    rows.write_text("L1\n")
    options = ("--source", "gba-v", "--file", family, "--rows", rows, "--json")
    found = as_json(run("check", *options, *asking(world, "wijkteam")))
    assert [(item["row"], item["matches"][0]["kind"]) for item in found["results"]] == [("L1", "person")]
    assert found["results"][0]["receipts"][0]["decision"]["rule"] == "proef-1"
    assert not any(number in result.output for number in N)


def test_a_worker_reads_plain_dutch(world: PartnerWorld, family: Path) -> None:
    """Without --json a worker reads who is involved, with contact and receipt, and never a number."""
    run("register", "--source", "gba-v", family, *asking(world), expect=3)
    result = run("check", "--source", "gba-v", "--file", family, "--limit", 2, *asking(world, "wijkteam"))
    assert "- gi, Team Noord, 026 1234567 (ma-vr) [niet door de organisatie zelf getekend" in result.stdout
    assert "Bewijs nagekeken: logregel" in result.stdout
    assert "meegetekend door 1 van 1" in result.stdout
    assert not any(number in result.output for number in N)


def test_the_same_file_twice_registers_nothing_twice(world: PartnerWorld, family: Path) -> None:
    """A second run rejects rows that stand already; with --resume it skips them."""
    for _ in range(2):
        run("register", "--source", "gba-v", family, *asking(world), expect=3)
    resumed = as_json(run("register", "--source", "gba-v", family, *asking(world), "--resume", "--json", expect=3))
    assert resumed["skipped"] == ["L1", "L2"]
    assert len(world.broker.signals) == 2


def test_a_run_that_broke_off_is_resumed_without_duplicates(world: PartnerWorld, family: Path) -> None:
    """A lost answer and a broker that was down end in one signal per row."""
    world.network.faults[BROKER] = [lost, down]
    options = ("--source", "gba-v", family, *asking(world))
    broken = as_json(run("register", *options, "--json", expect=1))
    assert [item["resumable"] for item in broken["failed"]] == [True, True]
    run("register", *options, "--resume", expect=3)
    assert len(world.broker.signals) == 2


def test_a_dry_run_sends_nothing(world: PartnerWorld, family: Path) -> None:
    """A dry run reads and reports only."""
    result = run("register", "--source", "gba-v", family, *asking(world), "--dry-run", "--json", expect=3)
    assert as_json(result)["read"] == ["L1", "L2"]
    assert world.network.sent == []


def test_one_case_comes_from_a_file(world: PartnerWorld, tmp_path: Path) -> None:
    """A case or a number is read from a file; an address alone will do where the purpose uses it."""
    case, numbers, home = tmp_path / "case.json", tmp_path / "numbers", tmp_path / "home.json"
    address = {"postcode": "6811AC", "number": "12"}
    case.write_text(json.dumps({"caseRef": "z", "bsn": N[0], "address": address}))
    numbers.write_text(N[0] + "\n")
    home.write_text(json.dumps({"address": address}))
    run("register", "--source", "case", case, *asking(world))
    kinds = []
    for option, file in (("--case", case), ("--bsn-file", numbers), ("--case", home)):
        found = as_json(run("check", option, file, *asking(world, "wijkteam"), "--json"))
        kinds.append(found["results"][0]["matches"][0]["kind"])
    assert kinds == ["person", "person", "address"]
    body = json.loads(world.broker.bodies[-1])
    assert body["household"]["subject"] is None


def test_a_refusal_says_what_is_possible(world: PartnerWorld, family: Path) -> None:
    """A refused row is told with its reason, what is possible, and the receipt; exit 1."""
    world.broker.refuse = problem("refused")
    result = run("check", "--source", "gba-v", "--file", family, "--limit", 1, *asking(world), expect=1)
    assert "Dit mag je hier niet opvragen." in result.stdout
    assert "Bewijs nagekeken" in result.stdout
    failed = as_json(
        run("check", "--source", "gba-v", "--file", family, "--limit", 1, *asking(world), "--json", expect=1)
    )["failed"]
    assert (failed[0]["outcome"], failed[0]["receipt"]["outcome"]) == ("refused", "refused")


def test_bad_input_ends_with_two_and_sends_nothing(world: PartnerWorld, family: Path, tmp_path: Path) -> None:
    """A wrong file, worker, folder or combination of options is exit 2 before anything leaves."""
    rows = tmp_path / "none.csv"
    run("register", "--source", "csv", family, *asking(world), expect=2)
    run("register", "--source", "gba-v", rows, *asking(world), expect=2)
    run("check", "--source", "gba-v", *asking(world), expect=2)
    run("check", "--case", family, "--bsn-file", family, *asking(world), expect=2)
    run("check", "--bsn-file", rows, *asking(world), expect=2)
    run("list", "--org", tmp_path / "nowhere", "--worker", "anna", expect=2)
    run("list", "--org", world.folders["gi"].path, "--worker", "zoe", expect=2)
    assert world.network.sent == []


def test_own_signals_are_listed_renewed_and_withdrawn(world: PartnerWorld, family: Path) -> None:
    """The commands about own signals work by the id that list prints."""
    org = ("--org", world.folders["gi"].path, "--worker", "anna")
    run("register", "--source", "gba-v", family, *asking(world), expect=3)
    signals = as_json(run("list", *org, "--json"))["results"][0]["signals"]
    one = signals[0]["signalId"]
    run("renew", one, *org, "--ends-on", "2027-05-01")
    run("withdraw", one, *org, "--reason", "mistake", "--json")
    listed = run("list", *org).stdout
    assert f"{one}  proefregio  team-1  ingetrokken  tot en met 1 mei 2027  Jullie zaak" in listed
    run("withdraw", one, *org, "--reason", "boredom", expect=2)
    run("withdraw", "../x", *org, "--reason", "mistake", expect=2)


def test_a_waiting_command_is_finished_by_resume(world: PartnerWorld, family: Path) -> None:
    """`resume` finishes what was sent and had no receipt, and says so."""
    org = ("--org", world.folders["gi"].path, "--worker", "anna")
    world.network.faults[BROKER] = [lost]
    run("register", "--source", "gba-v", family, "--limit", 1, *asking(world), expect=1)
    assert [item["row"] for item in as_json(run("resume", *org, "--json"))["resumed"]] == ["L1"]
    world.network.faults[BROKER] = [down]
    assert "niet" in run("list", *org, expect=1).stdout
    world.network.faults[BROKER] = [down]
    assert as_json(run("list", *org, "--json", expect=1))["failed"][0]["outcome"] == "not_done"
    assert run("resume", *org).stdout == "Er wacht niets.\n"


def test_what_resume_could_not_finish_stands_beside_what_it_could(world: PartnerWorld, family: Path) -> None:
    """`resume` shows every outcome it reached, names what still waits with the reason, and ends with 1."""
    org = ("--org", world.folders["gi"].path, "--worker", "anna")
    world.network.faults[BROKER] = [lost, lost]
    run("register", "--source", "gba-v", family, *asking(world), expect=1)
    world.network.faults[BROKER] = [status(401, "request-token-early"), real]
    first = run("resume", *org, expect=1).stdout
    assert first.count("Je signaal is opgeslagen") == 1
    assert "Laat je beheerder de klok nakijken" in first
    world.network.faults[BROKER] = [status(401, "request-token-early")]
    second = as_json(run("resume", *org, "--json", expect=1))
    assert second["resumed"] == []
    assert [(item["resumable"], item["reason"]) for item in second["failed"]] == [(True, "request-token-early")]
    assert len(as_json(run("resume", *org, "--json"))["resumed"]) == 1
    assert len(world.broker.signals) == 2


def test_a_row_that_still_waits_is_not_asked_again_under_another_key(world: PartnerWorld, family: Path) -> None:
    """A run with --resume leaves a row alone whose earlier command could not be finished, and says that it waits."""
    options = ("register", "--source", "gba-v", family, *asking(world), "--resume", "--json")
    world.network.faults[BROKER] = [lost, lost]
    run(*options, expect=1)
    world.network.faults[BROKER] = [down, down]
    again = as_json(run(*options, expect=1))
    assert sorted(item["row"] for item in again["failed"]) == ["L1", "L2"]
    assert (again["results"], again["resumed"]) == ([], [])
    assert len(as_json(run(*options, expect=3))["resumed"]) == 2
    assert len(world.broker.signals) == 2


def test_kept_receipts_are_verified_offline(world: PartnerWorld, family: Path) -> None:
    """`receipt verify` holds for a kept receipt and ends with 1 for a changed one, and with 2 for none."""
    run("register", "--source", "gba-v", family, "--limit", 1, *asking(world))
    folder = world.folders["gi"]
    (file,) = folder.receipts.glob("*.json")
    assert "meegetekend door 1 van 1" in run("receipt", "verify", file, "--org", folder.path).stdout
    assert as_json(run("receipt", "verify", file, "--org", folder.path, "--json"))["receipts"][0]["verified"] is True
    file.write_text(file.read_text().replace('"done"', '"nothing"'))
    run("receipt", "verify", file, "--org", folder.path, expect=1)
    missed = run("receipt", "verify", file.with_name("mistyped.json"), "--org", folder.path, expect=2)
    assert "mistyped" not in missed.output


def test_a_partner_is_set_up_by_commands(world: PartnerWorld, tmp_path: Path) -> None:
    """init, worker, roster and trust make a folder that works, and print the own part of the register line."""
    made = tmp_path / "new"
    policy = tmp_path / "policy"
    policy.write_text(policy_text(OTHER_LOG))
    options: list[object] = ["--oin", "00000001001234567777", "--name", "Nieuw", "--broker", f"{BROKER}=https://b"]
    for custodian in CUSTODIANS:
        key = tmp_path / f"{custodian}.jwk"
        key.write_text(json.dumps(seeded_key(custodian).public.jwk()))
        options += ["--custodian", f"{custodian}=https://{custodian}", "--custodian-key", f"{custodian}={key}"]
    for at, registrar in enumerate(REGISTRARS):
        key = tmp_path / f"registrar-{at}.jwk"
        key.write_text(json.dumps(registrar.public.jwk()))
        options += ["--registrar", key]
    options += ["--log-policy", policy, "--purpose-families", "proefregio=nlbsn,fam,addr"]
    line = as_json(run("init", made, *options, "--json"))
    assert line == as_json(run("organisation", made))
    assert set(line) == {"oin", "name", "signingKeys", "sealingKeys"}
    run("init", made, *options, expect=2)
    run("init", tmp_path / "bad", *options, "--oin", "12", expect=2)
    run("init", tmp_path / "bad", *options, "--broker", "nobody", expect=2)
    run("worker", "add", made, "--local-id", "anna", "--name", "Anna", "--role", "worker")
    teams, roster = tmp_path / "teams.json", tmp_path / "roster.json"
    teams.write_text(json.dumps([TEAM.document()]))
    run("roster", "sign", made, "--audience", BROKER, "--teams", teams, "--out", roster)
    assert json.loads(roster.read_text())["document"]["teams"][0]["code"] == "team-1"
    for name, verb in (("register.json", "import-register"), ("epochs.json", "import-epoch")):
        run("trust", verb, made, world.folders["gi"].path / name)
        run("trust", verb, made, world.folders["gi"].path / name, expect=2)


def test_a_generated_caseload_runs_through(world: PartnerWorld, tmp_path: Path) -> None:
    """A generated file of the format goes through register and check, a few cases at once."""
    file = tmp_path / "generated.csv"
    file.write_text(generate(3, 50), encoding="utf-8")
    run("register", "--source", "gba-v", file, "--limit", 12, *asking(world), "--parallel", 4, expect=3)
    found = as_json(
        run("check", "--source", "gba-v", "--file", file, "--limit", 12, *asking(world, "wijkteam"), "--json", expect=3)
    )
    assert all(item["matches"][0]["kind"] == "person" for item in found["results"])
