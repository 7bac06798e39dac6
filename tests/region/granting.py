"""Import grants of one run: of each organisation for exactly its rows, of two people, accepted at both custodians."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.demo.work_folder import WorkFolder
from connectors.folder import PartnerFolder
from connectors.grants import elements_of
from connectors.household import to_register
from connectors.sources.gba_v import read_gba_v
from tests.region.cast import APPROVER, WORKER
from tests.region.counting import Plan
from tests.region.processes import RegionProcesses

_DAYS = 7
_CUSTODIANS = ("custodian-a", "custodian-b")


def granted(
    plan: Plan, work: WorkFolder, processes: RegionProcesses, *, data: Path, rows: Mapping[str, Sequence[str]]
) -> dict[str, Path]:
    """Return the grant of each organisation that holds rows, by slug. Raises ProcessError."""
    caseload = read_gba_v(data, today=plan.day)
    found: dict[str, Path] = {}
    for slug, labels in rows.items():
        folder = PartnerFolder(work.partner(slug))
        families = folder.settings.families_of(plan.purpose)
        cases = caseload.chosen(set(labels)).cases
        elements = elements_of(to_register(case, families, exclusion=folder.without_excluded) for case in cases)
        if elements:
            found[slug] = _grant(slug, plan, work, processes, elements=elements)
    for custodian in _CUSTODIANS:
        for grant in found.values():
            processes.run("sluis-custodian", "grant", "accept", work.party(custodian), grant)
    return found


def _grant(slug: str, plan: Plan, work: WorkFolder, processes: RegionProcesses, *, elements: Mapping[str, int]) -> Path:
    proposed, approved = (work.passed_on(f"grant.{slug}.{step}.json") for step in ("proposed", "approved"))
    org = ("--org", work.partner(slug))
    size = ",".join(f"{family}={count}" for family, count in elements.items())
    asked = ("--purpose", plan.purpose, "--elements", size, "--expires-on", plan.day + datetime.timedelta(_DAYS))
    processes.run("sluis-connect", "grant", "propose", *org, *asked, "--worker", WORKER, "--out", proposed)
    processes.run("sluis-connect", "grant", "approve", proposed, *org, "--worker", APPROVER, "--out", approved)
    return approved
