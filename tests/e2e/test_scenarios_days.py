"""What days do: a plan with a new report in it (scenario 15), a refusal that nothing follows (9); on real processes.

Each test reads as Given, When, Then; what is printed is what a worker reads. Days pass by the processes' own clocks.
"""

import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import takewhile

import pytest

from broker.protocol.days_nl import day_nl
from policies.workdays import working_day_after
from tests.simulators.enrolled import GEMEENTE, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.region_days import COORDINATOR, VT_AMSTERDAM, RegionDays, commands_go_by, region_days
from tests.simulators.region_desks import between
from tests.simulators.requesting import HUISARTS

NOTHING_NEW = "Er is niets nieuws."
TOLD = "er is een nieuwe politiemelding: bel Veilig Thuis over match"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionDays]:
    """One region for the tests of this module: its days only go on."""
    with region_days(tmp_path_factory.mktemp("days")) as region:
        yield region


@pytest.fixture
def region(running: RegionDays, monkeypatch: pytest.MonkeyPatch) -> RegionDays:
    """The region, by whose clock this test's commands go too."""
    commands_go_by(running, monkeypatch)
    return running


def plan(region: RegionDays, *also: str) -> str:
    """Return the match by which wijkteam and Veilig Thuis have a plan for a child that the wijkteam leads."""
    child = secrets.token_hex(8)
    for oin in (WIJKTEAM, *also):
        region.gives_signal(oin, child)
    own = region.gives_signal(VEILIG_THUIS, child)
    (match,) = [
        str(one["matchId"])
        for one in region.desks.matches(VEILIG_THUIS, own)
        if one["involved"]["holder"]["oin"] == WIJKTEAM
    ]
    region.reads(WIJKTEAM, "matches", "casusregisseur", match, WIJKTEAM, "team-1")
    agreed = region.reads(WIJKTEAM, "matches", "state", match, "afspraken_gemaakt")
    assert agreed.startswith("Vastgelegd dat er afspraken zijn. Bij je taken staat wanneer jullie ze samen evalueren.")
    return match


def is_told_of_a_new_report(region: RegionDays, match: str) -> None:
    """A worker of Veilig Thuis presses the button: the casusregisseur is told."""
    report = region.report(VEILIG_THUIS)
    told = region.reads(VEILIG_THUIS, "matches", "new-report", match, "--proof", report)
    assert told.startswith("De casusregisseur krijgt bericht dat er een nieuwe melding is.")


def tasks(region: RegionDays, oin: str, match: str) -> dict[str, dict[str, str]]:
    """Return the tasks that an organisation's team has about this match, by their kind."""
    return {one["kind"]: one for one in region.desks.tells(oin, "tasks", "list")["tasks"] if one["matchId"] == match}


def of(oin: str, follows: Counter[tuple[str, str]]) -> dict[str, int]:
    """Return what of all that follows waits for this organisation."""
    return {kind: count for (organisation, kind), count in follows.items() if organisation == oin}


def line(printed: str, words: str) -> str:
    """Return the one line in which these words stand."""
    (found,) = [one for one in printed.splitlines() if words in one]
    return found


def below(printed: str, words: str) -> list[str]:
    """Return the lines that belong to the one in which these words stand: those that are set in under it."""
    lines = printed.partition(line(printed, words))[2].splitlines()[1:]
    return list(takewhile(lambda one: one.startswith("  "), lines))


def test_scenario_15_a_new_report_is_weighed_and_the_casusregisseur_alone_is_told(region: RegionDays) -> None:
    """Given a plan, when a report comes in, then it is weighed by the region's clock, and told to who leads alone."""
    # Given: a plan with a casusregisseur; the school is involved with the child too.
    match = plan(region, SCHOOL)
    for oin in (WIJKTEAM, SCHOOL):
        region.inbox(oin)
    # When: a new police report reaches Veilig Thuis, which says so to the casusregisseur by a button.
    is_told_of_a_new_report(region, match)
    # Then: it weighs that report within 24 hours, as its region has it; the law gives five working days.
    today, tomorrow = region.day(), day_nl(region.day(1))
    by_law = day_nl(working_day_after(today, 5))
    weighing = line(region.reads(VEILIG_THUIS, "tasks", "list"), f"melding wegen  {tomorrow}  open")
    assert weighing.endswith(f"volgens de wet {by_law}  in jullie regio {tomorrow}")
    # And: in another region it is five working days.
    starts = ("tasks", "start", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--team", "team-1", "--proof")
    weighing = line(region.reads(VT_AMSTERDAM, *starts, region.report(VT_AMSTERDAM)), "melding wegen")
    assert weighing.endswith(f"volgens de wet {by_law}  in jullie regio {by_law}")
    # And: the casusregisseur's team reads that there is a report, whom to call, and nothing of what it says.
    assert line(region.inbox(WIJKTEAM), TOLD).endswith(match)
    # And: nobody else is told.
    assert NOTHING_NEW in region.inbox(SCHOOL)
    assert match not in region.coordinator_reads().replace(
        f"twee teams gaan contact zoeken: sluis-connect coordinated, match  {match}", ""
    )


def test_scenario_15_no_answer_goes_to_the_matchcoordinator(region: RegionDays) -> None:
    """Given a casusregisseur who was told, when five working days pass without an answer, the municipality is told."""
    # Given: Veilig Thuis told the casusregisseur of a new report.
    match = plan(region)
    is_told_of_a_new_report(region, match)
    region.coordinator_reads()
    last_day = working_day_after(region.day(), 5)
    # When: the last day has come. Then: he is still in time, and the matchcoordinator reads nothing of it.
    region.pass_to(last_day)
    region.everybody_is_told()
    assert match not in region.coordinator_reads()
    # When: that day is over. Then: she reads that there is no contact between two teams, and of whom; no household.
    region.pass_to(last_day + timedelta(1))
    region.everybody_is_told()
    assert line(region.coordinator_reads(), match).endswith(
        f"nog geen contact: sluis-connect coordinated, match  {match}"
    )
    teams = below(region.reads(GEMEENTE, "coordinated", worker=COORDINATOR), match)
    assert any("Veilig Thuis Gelderland-Midden team-1" in one for one in teams)
    assert any("Wijkteam Arnhem team-1" in one for one in teams)
    # And: the team itself reads that its day is over.
    assert f"de termijn van een taak is voorbij, bij match  {match}" in region.inbox(WIJKTEAM)
    # And: once is enough.
    region.everybody_is_told()
    assert match not in region.coordinator_reads()
    # When: they spoke. Then: that is the answer.
    region.reads(WIJKTEAM, "matches", "state", match, "contact_gehad")
    assert tasks(region, WIJKTEAM, match)["reactie"]["state"] == "gedaan"


def test_scenario_15_the_plan_is_evaluated_and_ends_a_year_after_the_last_incident(region: RegionDays) -> None:
    """Given a plan, when three months and a year pass, it is evaluated; a new report makes the last time later."""
    # Given: a plan of today, to be evaluated after three months and after a year.
    match, made = plan(region), region.day()
    running = tasks(region, WIJKTEAM, match)
    first, last = (date.fromisoformat(running[kind]["dueOn"]) for kind in ("eerste_monitor", "tweede_monitor"))
    assert (first - made).days in range(89, 93)
    assert (last - made).days in range(365, 367)
    # When: there is a new report after a month, which they spoke about. Then: the year runs from that day.
    region.pass_to(made + timedelta(30))
    is_told_of_a_new_report(region, match)
    region.reads(WIJKTEAM, "matches", "state", match, "contact_gehad")
    running = tasks(region, WIJKTEAM, match)
    moved = date.fromisoformat(running["tweede_monitor"]["dueOn"])
    assert (moved - region.day()).days in range(365, 367)
    assert running["eerste_monitor"]["dueOn"] == first.isoformat()
    # When: three months are over and nobody said that it was evaluated. Then: the team is told so.
    region.pass_to(first + timedelta(1))
    region.everybody_is_told()
    assert match in region.inbox(WIJKTEAM)
    region.reads(WIJKTEAM, "tasks", "done", running["eerste_monitor"]["taskId"])
    # When: a year since the plan is over. Then: nothing is late; it is not yet a year since the last incident.
    region.pass_to(last + timedelta(1))
    region.everybody_is_told()
    assert match not in region.inbox(WIJKTEAM)
    # When: that year is over too, and they evaluated for the last time. Then: nothing more of it comes, however long.
    region.pass_to(moved)
    region.reads(WIJKTEAM, "tasks", "done", running["tweede_monitor"]["taskId"])
    region.pass_to(moved + timedelta(200))
    region.everybody_is_told()
    assert match not in region.inbox(WIJKTEAM)
    assert {one["state"] for one in tasks(region, WIJKTEAM, match).values()} <= {"gedaan"}


def test_scenario_9_a_huisarts_refuses_by_law_and_nothing_follows(region: RegionDays) -> None:
    """Given a question of Veilig Thuis, when a huisarts refuses on his secrecy, then that is all."""
    # Given: Veilig Thuis asks under the law's right to tell it, and the practice named who decides.
    desks, day = region.desks, region.day().isoformat()
    number = desks.file(VEILIG_THUIS, "number", "VT-2026-0512")
    asks = (
        "request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", *between(HUISARTS), "--category",
        "hulp", "--proof", f"melding:{day}", "--proof-number", number, "--text",
    )  # fmt: skip
    asked = desks.sends(VEILIG_THUIS, *asks, desks.file(VEILIG_THUIS, "question", "Is er hulp voor de moeder?"))
    names = ("request", "forward", "--team", "team-1", "--to-worker", "bram")
    region.reads(HUISARTS, *names, asked)
    region.reads(HUISARTS, "request", "read", asked, worker="bram")
    before = desks.follows()
    # When: he refuses, citing his professional secrecy. Then: he reads which law gives him that right.
    refuses = ("answer", asked, "--kind", "declined", "--reason", "professional_secrecy")
    said = region.reads(HUISARTS, *refuses, worker="bram").replace("\n", " ")
    assert said.startswith("Vastgelegd: niet gedeeld (dat mag). Dit is je recht: je beroepsgeheim (BW 7:457).")
    assert "Volgens de meldcode hoor je te melden bij acute of structurele onveiligheid." in said
    # Then: Veilig Thuis reads that it was refused by right, with the law; and not why.
    assert "niet gedeeld (dat mag: BW 7:457)" in line(region.reads(VEILIG_THUIS, "request", "list"), asked)
    assert desks.tells(VEILIG_THUIS, "request", "read", asked)["request"]["answer"]["reason"] is None
    # Then: nothing follows for him or anybody but the answer, and also after weeks nobody is told or asked anything.
    assert desks.follows() - before == Counter([(VEILIG_THUIS, "answer")])
    region.pass_to(region.day(40))
    region.everybody_is_told()
    assert set(desks.notices_about(asked)) == {(HUISARTS, "request"), (VEILIG_THUIS, "answer")}
    assert of(HUISARTS, desks.follows()) == of(HUISARTS, before)
    # When: Veilig Thuis asks anew, with a new reason why it is necessary. Then: he reads it, and may answer now.
    why = desks.file(VEILIG_THUIS, "why", "Vannacht was er opnieuw geweld. Is het kind veilig bij de moeder?")
    renewed = [
        "melding:" + region.day().isoformat() if word.startswith("melding:") else word for word in map(str, asks)
    ]
    again = desks.sends(VEILIG_THUIS, *renewed, why)
    region.reads(HUISARTS, *names, again)
    assert "Vannacht was er opnieuw geweld." in region.reads(HUISARTS, "request", "read", again, worker="bram")
    text = desks.file(HUISARTS, "answer", "Zij is in behandeling, en het kind is bij haar zus.")
    answers = ("answer", again, "--kind", "all", "--category", "hulp", "--ground", "WMO-5.2.6", "--text", text)
    region.reads(HUISARTS, *answers, worker="bram")
    assert "het kind is bij haar zus" in region.reads(VEILIG_THUIS, "request", "read", again)
    # Then: what he refused stays refused.
    assert "niet gedeeld (dat mag: BW 7:457)" in line(region.reads(VEILIG_THUIS, "request", "list"), asked)
