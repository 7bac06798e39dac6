"""A region on real processes for which days pass: Veilig Thuis, a wijkteam, a school, a huisarts and a municipality.

with region_days(tmp_path) as region:
    region.pass_to(region.day(90))
    region.everybody_is_told()
"""

import datetime
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from broker.protocol.roster import Worker
from connectors.exchange import Surroundings
from connectors.workers import add_worker, pairwise_id
from tests.simulators.enrolled import GEMEENTE, NAMES, SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.letter_partners import enrolled_people, pairwise_secret
from tests.simulators.passing_time import PassingTime
from tests.simulators.region import BROKER, wait_until
from tests.simulators.region_desks import INDEX, RegionDesks, region_desks, told
from tests.simulators.requesting import HUISARTS

VT_AMSTERDAM = "00000099000000013000"
NAMED: Mapping[str, tuple[str, str]] = {
    **{oin: NAMES[oin] for oin in (WIJKTEAM, SCHOOL, VEILIG_THUIS)},
    HUISARTS: ("Huisartsenpraktijk", "huisarts"),
    GEMEENTE: ("Gemeente Arnhem", "gemeente"),
    VT_AMSTERDAM: ("Veilig Thuis Amsterdam-Amstelland", "veilig_thuis"),
}
COORDINATOR = "mo"
"""The municipality's matchcoordinator, by her own organisation's name for her."""
WITNESSED = "meegetekend door 1 van 1"
"""What a command prints of its entry once the region's witness has seen it."""
_LASTS_DAYS = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionDays:
    """The desks of a region, and the day on which they work."""

    desks: RegionDesks
    time: PassingTime

    def day(self, days: int = 0) -> datetime.date:
        """Return the day so many days from the region's own."""
        return self.time.day + datetime.timedelta(days=days)

    def pass_to(self, day: datetime.date) -> None:
        """It is noon of this day, after days on which the log was witnessed: no slow tick lasts so long."""
        wait_until(lambda: WITNESSED in self.reads(SCHOOL, "list"))
        self.time.pass_to(day)

    def everybody_is_told(self) -> None:
        """What the broker does unasked was done, some time after somebody worked: it believes no clock alone."""
        self.desks.run(SCHOOL, "list")
        self.time.keep_house()

    def reads(self, oin: str, *words: object, worker: str = "anna") -> str:
        """Return what a command of an organisation printed, without the numbers of the log's entries."""
        return self.desks.run(oin, *words, worker=worker).output

    def inbox(self, oin: str) -> str:
        """Return what an organisation's worker reads that waits for her team."""
        return self.reads(oin, "inbox")

    def coordinator_reads(self) -> str:
        """Return what the municipality's matchcoordinator reads that waits for her."""
        return self.reads(GEMEENTE, "inbox", "--role", "matchcoordinator", worker=COORDINATOR)

    def gives_signal(self, oin: str, child: str) -> str:
        """A worker of an organisation gave a signal about this child that lasts nearly two years; return its id."""
        partner = replace(self.desks.partner(oin, **INDEX), clock=self.time.now)
        stated = {
            **partner.registration(subject=child),
            "ageQuarter": "2040-01-01",
            "endsOn": self.day(_LASTS_DAYS).isoformat(),
            "assessment": {"on": self.day().isoformat(), "by": "worker"},
            "informing": {"state": "informed", "reason": None, "reviewOn": None},
        }
        return str(told(partner.post("/v1/signals", stated, approved=True))["signalId"])

    def report(self, oin: str) -> Path:
        """Return the file in which an organisation wrote down the report of today, which only it can read back."""
        stated = {"kind": "melding", "reference": secrets.token_hex(8), "since": self.day().isoformat()}
        return self.desks.file(oin, f"report-{stated['reference']}.json", stated)


@contextmanager
def region_days(path: Path) -> Iterator[RegionDays]:
    """Hold the region; its processes go by a clock of its own, which a test lets pass, and are gone at the end."""
    people = enrolled_people(NAMED)
    coordinator = Worker(
        sub=pairwise_id(pairwise_secret(GEMEENTE), audience=BROKER, local_id=COORDINATOR),
        roles=frozenset({"matchcoordinator"}), broker_sub=None,
    )  # fmt: skip
    others = {**people.others, GEMEENTE: (*people.others[GEMEENTE], coordinator)}
    enrolled = replace(people, others=others, teams=("team-1", "matchcoordinatie"))
    time = PassingTime(folder=path)
    path.mkdir(parents=True, exist_ok=True)
    with region_desks(path / "region", NAMED, enrolled=enrolled, through=time.through) as desks:
        folder = desks.lettered.folders[GEMEENTE]
        add_worker(folder, local_id=COORDINATOR, name="Mo", roles=["matchcoordinator"])
        yield RegionDays(desks=desks, time=time)


def commands_go_by(region: RegionDays, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of this process take the day and the time from the region's clock."""
    monkeypatch.setattr("connectors.client.Surroundings", lambda: Surroundings(clock=region.time.now))
    monkeypatch.setattr("connectors.letter_input._today", region.day)
