"""One run: fresh databases, all signals registered, every household checked, and what was found read from the log."""

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from broker.settings import FILE_NAME, Settings, encode
from connectors.demo.cast import BROKER
from connectors.demo.errors import ClaimError
from connectors.demo.region import Region
from connectors.demo.work_folder import WorkFolder
from connectors.sources.caseload import DUPLICATE_RULE
from tests.region.cast import BY_OIN, ORGANISATIONS
from tests.region.counting import Match, Plan, Rejected, Told
from tests.region.granting import granted
from tests.region.log_reading import ReadLog, read_checks
from tests.region.processes import OwnAddresses, RegionProcesses
from tests.region.services import seconds_to_noon_of
from tests.simulators.databases import at, on_server
from tests.simulators.postgres_cluster import PostgresCluster

_TICK_MS = 20
_ROWS_OF_A_PROCESS = 300
"""A process takes as long to begin as so many rows take with a second one."""
_REASONS = {
    "06.08.10": "deceased",
    "01.03.10": "birth date",
    "assessment-needed": "assessment",
    "informing-needed": "informing",
    "age-quarter-needed": "age unknown",
}
NO_NUMBER = "no number, or none that passes the elfproef"
_FIELDS: Mapping[str | None, str] = {"assessment.on": "assessment", "endsOn": "age"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run found: every match by the log, what askers were told, which rows were refused."""

    matches: frozenset[Match]
    told: frozenset[Told]
    told_at_registration: frozenset[Told]
    rejected: frozenset[Rejected]
    reported: frozenset[tuple[str, str, str]]
    registered: int
    checked: int
    mute: int
    entries: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all runs share: the file, whose rows are whose, and the parties as they were set up once."""

    data: Path
    rows: Mapping[str, Sequence[str]]
    assessments: Mapping[str, Mapping[str, str]]
    set_up: WorkFolder
    runs: Path
    addresses: OwnAddresses
    processes: RegionProcesses
    cluster: PostgresCluster | None = None
    """Where each run gets a database of its own; without one, a file of SQLite in the broker's folder."""
    plant_loss: bool = False
    """Whether the database loses tokens between registering and checking, to see that this is noticed."""

    def play(self, plan: Plan, *, number: int) -> Found:
        """Return what this run found. Raises ProcessError, ClaimError: a row was neither done nor rejected."""
        work = WorkFolder(path=self.runs / f"run-{number}")
        shutil.copytree(self.set_up.path, work.path)
        settings = work.party("broker") / FILE_NAME
        own: dict[str, Any] = {"tick_ms": _TICK_MS, "address_mute_above": plan.mute_above}
        if self.cluster is not None:
            own |= on_server(self.cluster, self.cluster.new_database()).setting
        settings.write_text(encode(own) + settings.read_text(encoding="utf-8"), encoding="utf-8")
        if self.cluster is not None:
            self._import_documents(work)
        if plan.excluded:
            self._exclude(plan, work)
        return _Run(stage=self, plan=plan, work=work).play()

    def _import_documents(self, work: WorkFolder) -> None:
        """The new database has the documents that the copied one would have had."""
        broker, run = work.party("broker"), self.processes.run
        rosters = sorted(work.passed_on("x").parent.glob(f"roster.*.{BROKER}.json"))
        run("sluis-broker", "register", "import", broker, work.passed_on("register.json"))
        run("sluis-broker", "epoch", "import", broker, work.passed_on("epoch.json"))
        run("sluis-broker", "roster", "import", broker, *rosters)

    def _exclude(self, plan: Plan, work: WorkFolder) -> None:
        """Every organisation has the next list of the registrars, with these addresses."""
        content, draft, out = (work.passed_on(f"excluded-2-{name}.json") for name in ("content", "draft", "signed"))
        fields = ("postcode", "number", "letter", "addition", "designation")
        addresses = [
            dict(zip_longest(fields, (part or None for part in address.split("/")))) for address in plan.excluded
        ]
        content.write_text(json.dumps({"number": 2, "addresses": addresses}), encoding="utf-8")
        run, excluded = self.processes.run, ("sluis-registrar", "excluded")
        run(*excluded, "propose", "--from", content, "--key", work.party("registrar-1"), "--out", draft)
        run(*excluded, "approve", draft, "--key", work.party("registrar-2"), "--out", out, "--yes")
        for partner in ORGANISATIONS:
            run("sluis-connect", "trust", "import-excluded", work.partner(partner.slug), out)


@dataclass(slots=True, kw_only=True)
class _Run:
    stage: Stage
    plan: Plan
    work: WorkFolder
    seconds: dict[str, float] = field(default_factory=dict)
    grants: Mapping[str, Path] = field(default_factory=dict)

    def play(self) -> Found:
        processes = self.stage.processes
        processes.seconds = seconds_to_noon_of(self.plan.day)
        try:
            stage = self.stage
            Region(self.work, processes, stage.addresses, partners=ORGANISATIONS).start()
            self.grants = granted(self.plan, self.work, processes, data=stage.data, rows=stage.rows)
            registered = self._told("register", self.stage.rows)
            if self.stage.plant_loss:
                self._lose_tokens(registered)
            rows = {slug: [result["row"] for result in told["results"]] for slug, told in registered.items()}
            checked = self._told("check", rows)
        finally:
            processes.stop_services()
        return self._found(registered, checked, read_checks(self.work.party("broker")))

    def _lose_tokens(self, registered: Mapping[str, dict[str, Any]]) -> None:
        """The database forgets the parents of one organisation's signals: the run must notice."""
        folder = self.work.party("broker")
        database = at(Settings.read(folder).database, folder)
        for result in registered[min(registered)]["results"]:
            lost = "DELETE FROM signal_tokens WHERE signal_id = ? AND role = 'parent'"
            database.write(lost, result["signal_id"])

    def _told(self, verb: str, rows: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Return what became of all rows, by organisation; as many processes as there are processors share the work."""
        began = time.monotonic()
        slugs = sorted(rows)
        fits = 1 + sum(map(len, rows.values())) // _ROWS_OF_A_PROCESS
        share = min(os.cpu_count() or 1, len(slugs), fits)
        parts = [{slug: rows[slug] for slug in slugs[at::share]} for at in range(share)]
        with ThreadPoolExecutor(max_workers=share) as pool:
            try:
                printed = list(pool.map(lambda part: self._part(verb, part), parts))
            except BaseException:
                # Told to end while the others are under way: the pool would wait for them first.
                self.stage.processes.abandon_partners()
                raise
        self.seconds[verb] = time.monotonic() - began
        return {slug: told for part in printed for slug, told in part.items()}

    def _part(self, verb: str, rows: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        order = self.work.path / f"{verb}-{min(rows)}.json"
        document = {
            "verb": verb,
            "purpose": self.plan.purpose,
            "day": self.plan.day.isoformat(),
            "seconds": self.stage.processes.seconds,
            "file": str(self.stage.data),
            "assessments": self.stage.assessments if self.plan.purpose == "verwijsindex" else {},
            "folders": {slug: str(self.work.partner(slug)) for slug in rows},
            "grants": {slug: str(self.grants[slug]) for slug in rows if verb == "register" and slug in self.grants},
            "rows": rows,
        }
        order.write_text(json.dumps(document), encoding="utf-8")
        return dict(json.loads(self.stage.processes.partners(order).output))

    def _found(
        self, registered: Mapping[str, dict[str, Any]], checked: Mapping[str, dict[str, Any]], log: ReadLog
    ) -> Found:
        asked = _asked(checked, log)
        owner = {
            result["signal_id"]: (slug, result["row"])
            for slug, told in registered.items()
            for result in told["results"]
        }
        matches = set()
        for index, checker in asked.items():
            for hit in log.checks[index]:
                holder, row = owner[hit.signal_id]
                if BY_OIN[hit.holder].slug != holder:
                    raise ClaimError("a hit names the organisation that registered its signal")
                matches.add((*checker, hit.kind, holder, row))
        return Found(
            matches=frozenset(matches),
            told=frozenset(_told_of(checked)),
            told_at_registration=frozenset(_told_of(registered)),
            rejected=frozenset(_rejected(registered)),
            reported=frozenset(
                (one["row"], one["field"], one["rule"]) for told in registered.values() for one in told["reported"]
            ),
            registered=len(owner),
            checked=sum(len(told["results"]) for told in checked.values()),
            mute=sum(index in log.mute for index in asked),
            entries=log.size,
            seconds=self.seconds,
        )


def _asked(checked: Mapping[str, dict[str, Any]], log: ReadLog) -> dict[int, tuple[str, str]]:
    """Return whose check of which row each entry is. Raises ClaimError: answers and entries are not the same ones."""
    refused = [one["problem"] for told in checked.values() for one in told["refused"]]
    if refused:
        raise ClaimError(f"a check by the own signal is not refused, but was: {refused[0]}")
    asked = {
        receipt["index"]: (slug, result["row"])
        for slug, told in checked.items()
        for result in told["results"]
        for receipt in result["receipts"]
    }
    # An entry that nobody's receipt names is one that was not done: it found nothing.
    if not asked.keys() <= log.checks.keys() or any(log.checks[index] for index in log.checks.keys() - asked.keys()):
        raise ClaimError("the checks of the log are those that were answered")
    return asked


def _told_of(answers: Mapping[str, dict[str, Any]]) -> Iterable[Told]:
    for slug, told in answers.items():
        for result in told["results"]:
            for match in result["matches"]:
                holder = match["holder"]
                yield (slug, result["row"], match["kind"], BY_OIN[holder["oin"]].slug, holder["team"])


def _rejected(registered: Mapping[str, dict[str, Any]]) -> Iterable[Rejected]:
    for slug, told in registered.items():
        for one in told["rejected"]:
            number = "number on another row" if one["rule"] == DUPLICATE_RULE else NO_NUMBER
            yield (slug, one["row"], _REASONS.get(one["field"], number))
        for one in told["refused"]:
            yield (slug, one["row"], _REASONS.get(one["problem"]) or _FIELDS.get(one.get("field"), one["problem"]))
