"""What somebody who trusts none of the services can check afterwards: the published log, every receipt, and no leak."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.demo.cast import PARTNERS
from connectors.demo.errors import ClaimError
from connectors.demo.households import HOUSEHOLDS, RESIDENTS, Home, Person, distinct_values, write_residents
from connectors.demo.leak_scan import Kind, LeakScan, ScanReport, Value
from connectors.demo.processes import Processes
from connectors.demo.work_folder import WorkFolder
from connectors.folder import PartnerFolder
from connectors.receipts import stored_indexes, verify_stored

_DATABASE = "broker.sqlite"
_COSIGNED_S = 90.0
"""A broker asks a witness again twenty seconds after it missed a tick, and once more where that failed."""
_HOLDS, _DOES_NOT_HOLD = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLog:
    """A log that verified: its size, its root and the witnesses that vouch for it."""

    size: int
    root: str
    cosigned_by: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return this part of `report/v1`."""
        return {"size": self.size, "root": self.root, "cosigned_by": list(self.cosigned_by)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What the leak scan saw on either side."""

    services: ScanReport
    partners: ScanReport
    patterns: int
    dropped: int
    values: int

    @property
    def holds(self) -> bool:
        """Whether nothing is on the side of the services, and the same search finds every value at the partners."""
        return self.services.hits == 0 and self.partners.found == self.values

    def document(self) -> dict[str, int]:
        """Return this part of `report/v1`: `control_hits` counts the values that the partners' folders hold."""
        return {
            "files": self.services.files,
            "bytes": self.services.size,
            "patterns": self.patterns,
            "hits": self.services.hits,
            "control_hits": self.partners.found,
        }


def publish_and_verify(work: WorkFolder, processes: Processes) -> PublishedLog:
    """Return the log, published as tiles and verified by `sluis-audit`. Raises ClaimError, ProcessError."""
    policy, deadline = work.passed_on("log-policy"), time.monotonic() + _COSIGNED_S
    while True:
        database = work.party("broker") / _DATABASE
        processes.run("sluis-audit", "publish", work.log, "--database", database, "--policy", policy)
        ended = processes.run(
            *("sluis-audit", "verify", work.log, "--policy", work.log / "policy", "--json"),
            expect=(_HOLDS, _DOES_NOT_HOLD),
        )
        report = json.loads(ended.output)
        if report["holds"]:
            return PublishedLog(size=report["size"], root=report["root"], cosigned_by=tuple(report["cosignedBy"]))
        # A witness that missed the last tick is asked again by the broker; what does not verify then, does not hold.
        if time.monotonic() > deadline:
            raise ClaimError(f"the published log verifies: {'; '.join(report['problems'])}")
        time.sleep(1.0)


def verify_every_receipt(work: WorkFolder) -> int:
    """Return how many kept receipts of all partners hold, each verified anew. Raises ReceiptError."""
    count = 0
    for partner in PARTNERS:
        folder = PartnerFolder(work.partner(partner.slug))
        for index in stored_indexes(folder.receipts):
            verify_stored(folder.receipts / f"{index}.json", policy=folder.log_policy)
            count += 1
    return count


class Watch:
    """The leak scan of one run: it begins before the first request and ends while the services still run."""

    def __init__(
        self, work: WorkFolder, people: Sequence[Person], homes: Sequence[Home], *, letters: Sequence[str]
    ) -> None:
        """Write the scenario's residents into the partners' own files, and leave out what an empty world holds too.

        A pattern that occurs on the side of the services before anybody asked anything is a word of ours. Names of
        workers are never left out: they are known at set-up.
        """
        self._work = work
        for partner in PARTNERS:
            folder = work.partner(partner.slug)
            for household in RESIDENTS:
                write_residents(folder, household.slug, household.people, [household.home])
        own = [person for household in RESIDENTS for person in household.people]
        residents = distinct_values([*own, *people], [*(household.home for household in RESIDENTS), *homes])
        # What one organisation wrote to another is sealed on its way, and stands at both ends only.
        residents += [Value(kind=Kind.NAME, spellings=(text,)) for text in letters]
        workers = [Value(kind=Kind.NAME, spellings=(w.name,)) for partner in PARTNERS for w in partner.workers]
        empty_world = LeakScan(residents).patterns_in(*work.service_side)
        self._dropped = len(empty_world)
        self._scan = LeakScan([*residents, *workers]).without(empty_world)

    def finish(self) -> ScanResult:
        """Return what occurs now, on the side of the services and, as a control, at the partners."""
        return ScanResult(
            services=self._scan.run(*self._work.service_side, relative_to=self._work.path),
            partners=self._scan.run(self._work.partner_side, relative_to=self._work.path),
            patterns=self._scan.patterns,
            dropped=self._dropped,
            values=self._scan.values,
        )


def plant_leak(log: Path) -> None:
    """A line with a number stands in a service's log, as a careless debug line would put it there."""
    with log.open("a", encoding="utf-8") as file:
        file.write(f"DEBUG subject={HOUSEHOLDS[0].child.number}\n")
