"""Probe pairs: what two partners agreed on is found, or both of them and their FGs hear that it was not (ADR 24)."""

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broker.custodian import findings
from broker.protocol.errors import MalformedError
from connectors.errors import FolderError
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder
from connectors.probe_plan import FIRST, SECOND, STEPS, ProbePair, Step, household, is_proof, proof, steps
from connectors.probes import ProbeReport, ProbeTerms, join_pair, new_pair, pairs_of, run_probes
from tests.simulators.broker_twin import BrokerTwin
from tests.simulators.clock import SeededRandomness
from tests.simulators.partner_world import PartnerWorld, down, partner_world
from tests.simulators.watched_partners import ReportingNetwork

DAY = 86_400
TERMS = ProbeTerms(worker="anna", approver=None, purpose="proefregio", grounds=("TEST-PROEFREGIO",), team="team-1")


@dataclass(slots=True, kw_only=True)
class Probing:
    """Two partners with a pair between them."""

    world: PartnerWorld
    network: ReportingNetwork
    pair: ProbePair

    @property
    def surroundings(self) -> Surroundings:
        """Time and network."""
        return Surroundings(clock=lambda: self.world.clock.now, transport=self.network)

    def folder(self, name: str) -> PartnerFolder:
        """Return the folder of a partner."""
        return self.world.folders[name]

    async def run(self, name: str) -> ProbeReport:
        """Let a partner do what is due."""
        return await run_probes(self.folder(name), TERMS, surroundings=self.surroundings)

    async def until(self, step: int, *, rounds: int = 1) -> list[ProbeReport]:
        """Let time pass to each step of the first round, and both partners run each time."""
        told = []
        plan = sorted(steps(self.pair, until=self.world.clock.now + 400 * DAY), key=lambda one: one.due_at)
        for due in [one for one in plan if one.round < rounds and one.step <= step]:
            self.world.clock.pass_seconds(max(0, due.due_at - self.world.clock.now))
            told += [await self.run(name) for name in ("wijkteam", "gi")]
        return told

    def fg_findings(self, name: str) -> list[str]:
        """Return what the first custodian tells a partner's FG."""
        store = self.world.network.pair.custodians[0].store
        return [one.kind for one in findings.of_organisation(store, self.folder(name).settings.oin, after=0)]


@pytest.fixture
def probing(tmp_path: Path) -> Iterator[Probing]:
    """Hold two partners with a pair."""
    with partner_world(tmp_path) as world:
        network = ReportingNetwork(world)
        around = Surroundings(clock=lambda: world.clock.now, transport=network)
        first, second = world.folders["wijkteam"], world.folders["gi"]
        # Moments and households follow from the pair's secret: it is the same in every run.
        drawn = replace(around, random=SeededRandomness().bytes)
        text = new_pair(first, other=second.settings.oin, every_days=60, surroundings=drawn)
        pair = join_pair(second, text)
        yield Probing(world=world, network=network, pair=pair)


async def test_a_round_with_an_honest_broker_finds_everybody_and_ends(probing: Probing) -> None:
    """Both register, both check, both are shown each other, both withdraw; nobody is alarmed."""
    told = await probing.until(STEPS - 1)
    assert all(report.calm and not report.not_done for report in told)
    # The first step of the next round may be due before the last of this one.
    due = list(steps(probing.pair, until=probing.world.clock.now))
    assert sum(report.done for report in told) == len(due) >= STEPS


async def test_a_hidden_signal_alarms_at_both_partners_and_their_fgs(
    probing: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who does not see the other alarms, the other hears it through the custodians, and so do both FGs."""
    monkeypatch.setattr(BrokerTwin, "_kind", lambda *_: None)
    told = await probing.until(SECOND)
    missed = [report for report in told if report.missed]
    assert [report.missed for report in missed] == [("0.1",)]
    after = [await probing.run(name) for name in ("wijkteam", "gi")]
    assert sorted(report.missed_by_other for report in after) == [(), ("0.1",)]
    assert [probing.fg_findings(name) for name in ("wijkteam", "gi")] == [["probe-missed"], ["probe-missed"]]


async def test_a_miss_is_told_when_the_custodians_are_back(probing: Probing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Custodians that are away at that moment hear it at a later run; the alarm here does not wait for them."""
    monkeypatch.setattr(BrokerTwin, "_kind", lambda *_: None)
    await probing.until(FIRST)
    second = next(one for one in steps(probing.pair, until=1 << 36) if one.step == SECOND)
    probing.world.clock.pass_seconds(second.due_at - probing.world.clock.now)
    probing.network.reports_down = True
    name = "gi" if second.organisation == probing.folder("gi").settings.oin else "wijkteam"
    for _ in range(2):
        report = await probing.run(name)
        assert (report.missed, report.not_done, report.calm) == (("0.1",), ("melding",), False)
    probing.network.reports_down = False
    assert (await probing.run(name)).missed == ("0.1",)
    assert probing.fg_findings("gi") == ["probe-missed"]
    assert (await probing.run(name)).calm


async def test_an_outage_misses_nobody_and_the_step_is_done_later(probing: Probing) -> None:
    """Only an answer with a receipt can miss somebody: what was not done is tried again."""
    first = next(steps(probing.pair, until=1 << 36))
    probing.world.clock.pass_seconds(max(0, first.due_at - probing.world.clock.now))
    host = probing.folder("gi").settings.custodians[0].id
    probing.world.network.faults[host] = [down, down]
    name = "gi" if first.organisation == probing.folder("gi").settings.oin else "wijkteam"
    report = await probing.run(name)
    assert (report.not_done, report.calm) == (("0.0",), True)
    probing.world.network.faults.clear()
    assert (await probing.run(name)).done == 1


def test_both_partners_make_the_same_plan_of_the_secret_alone(probing: Probing) -> None:
    """Households, moments and turns follow from the file; another secret gives another plan."""
    (mine,), (theirs,) = (pairs_of(probing.folder(name)) for name in ("wijkteam", "gi"))
    until = probing.world.clock.now + 200 * DAY
    assert list(steps(mine, until=until)) == list(steps(theirs, until=until))
    assert household(mine, 3).subject == household(theirs, 3).subject
    other = replace(mine, secret=type(mine.secret)(bytes(32)))
    assert [one.due_at for one in steps(mine, until=until)] != [one.due_at for one in steps(other, until=until)]


def test_a_plan_keeps_to_working_hours_and_turns(probing: Probing) -> None:
    """Every step is on a working day in office hours, the rounds begin with each in turn, the ends come last."""
    often = replace(probing.pair, every_days=1)  # rounds that begin on every day of the week
    planned = list(steps(often, until=probing.world.clock.now + 60 * DAY))
    moments = [datetime.datetime.fromtimestamp(one.due_at, ZoneInfo("Europe/Amsterdam")) for one in planned]
    assert all(moment.weekday() < 5 and 8 <= moment.hour < 17 for moment in moments)
    firsts = [one.organisation for one in planned if one.step == FIRST]
    assert firsts[:2] == list(probing.pair.organisations)
    for number in range(5):
        of_round = [one.due_at for one in planned if one.round == number]
        assert of_round[:4] == sorted(of_round[:4])
        assert all(end > of_round[3] for end in of_round[4:])


def test_the_persons_are_numbers_that_nobody_has(probing: Probing) -> None:
    """Every invented person is of the range 9999xxxxx, child and mother are two."""
    for number in range(30):
        case = household(probing.pair, number)
        assert case.subject is not None
        both = {case.subject.reveal(), case.parents[0].bsn.reveal()}
        assert len(both) == 2
        assert all(value.startswith(b"9999") for value in both)


def test_a_report_of_a_miss_counts_only_by_the_pairs_own_secret(probing: Probing) -> None:
    """Nobody else can raise the alarm at a partner: the proof is of this pair and this step."""
    one, another = (Step(round=0, step=step, organisation="x", due_at=0) for step in (1, 2))
    given = proof(probing.pair, one)
    assert is_proof(probing.pair, one, given)
    assert not is_proof(probing.pair, another, given)


@pytest.mark.parametrize(
    "change",
    [{"organisations": ["1"]}, {"organisations": ["1", "1"]}, {"secret": "x"}, {"everyDays": 0}, {"schema": "x"}],
)
def test_a_file_that_is_no_pair_is_refused(probing: Probing, change: dict[str, object]) -> None:
    """Field and rule are named, and nothing stands in the folder."""
    members = {**probing.pair.document(bytes(32)), "id": "0" * 32, **change}
    with pytest.raises(MalformedError):
        join_pair(probing.folder("gi"), json.dumps(members).encode())


def test_a_pair_of_others_or_one_that_is_here_is_refused(probing: Probing) -> None:
    """A folder takes part in its own pairs, and in each once."""
    text = json.dumps(probing.pair.document(bytes(32))).encode()
    with pytest.raises(FolderError, match="already"):
        join_pair(probing.folder("gi"), text)
    others = {**probing.pair.document(bytes(32)), "organisations": ["1" * 20, "2" * 20]}
    with pytest.raises(MalformedError):
        join_pair(probing.folder("gi"), json.dumps(others).encode())


def test_the_secret_stands_in_a_private_file_and_prints_nowhere(probing: Probing) -> None:
    """Who has it knows which requests are probes."""
    (path,) = (probing.folder("gi").path / "probes").glob("*.json")
    assert path.stat().st_mode & 0o077 == 0
    assert "secret" not in repr(probing.pair)
