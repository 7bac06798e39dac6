"""The demonstration on a real file: two partners register and check the first fifty persons of a GBA-V file.

What they find must equal a count over the plain text, made by `tests/region/oracle.py` in a process of its own that
imports nothing of ours. Who holds which person follows from the SHA-256 of the row's label.
"""

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.demo.cast import GI, REAL_INPUT_PURPOSE, WIJKTEAM, Partner
from connectors.demo.errors import ClaimError, ProcessError
from connectors.demo.gba_v_generator import generate
from connectors.demo.households import DOSSIERS, Home, Person, write_residents
from connectors.demo.processes import Processes
from connectors.demo.work_folder import WorkFolder
from connectors.sources.gba_v import CHILD_BSN, PARENT_BSNS, PARTNER_BSN, SELF_BSN

LIMIT = 50
HOLDERS = (WIJKTEAM, GI)
GROUND = "TEST-PROEFREGIO"
_ORACLE = Path(__file__).resolve().parents[2] / "tests" / "region" / "oracle.py"
_GENERATED = {"seed": 7, "persons": 60}
_DONE, _NOT_DONE, _SOME_REJECTED = 0, 1, 3
_COUNT_S = 60.0
_PARALLEL, _ROUNDS = 16, 5
_AGAIN = frozenset({"not-done", "custodian-unreachable"})
"""What a worker asks again: others changed the same household meanwhile, or a busy machine gave no answer in time."""
_POSTCODE, _NUMBER, _STREET = "08.11.60", "08.11.20", "08.11.10"

Match = tuple[str, str, str, str]
"""Checker, row of the checker, kind, holder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealInput:
    """The first fifty persons of a file: where they stand, whose they are, and what the count expects."""

    file: Path
    generated: bool
    holders: Mapping[str, tuple[str, ...]]
    expected: frozenset[Match]
    rejected: frozenset[str]

    @classmethod
    def prepare(cls, data: Path | None, work: WorkFolder) -> "RealInput":
        """Return the input after the plaintext count, with each partner's part in its folder. Raises ProcessError."""
        file = work.partner(WIJKTEAM.slug) / DOSSIERS / "gba-v.csv"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text(generate(**_GENERATED) if data is None else _first_rows(data), encoding="utf-8")
        count = _plaintext_count(file)
        holders = {label: tuple(organisations) for label, organisations in count["holders"].items()}
        made = cls(
            file=file,
            generated=data is None,
            holders=holders,
            expected=frozenset(_match(shown, shown["holder"]) for shown in count["shown"]),
            rejected=frozenset(item["row"] for item in count["rejected"]),
        )
        people, homes = residents(file)
        for partner in HOLDERS:
            write_residents(work.partner(partner.slug), "gba-v", people, homes)
        return made

    def rows_of(self, partner: Partner) -> list[str]:
        """Return the labels of the rows that this partner holds."""
        return [label for label, holders in self.holders.items() if partner.oin in holders]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the partners found, equal to what was expected."""

    registered: int
    checked: int
    rejected: int
    kinds: Mapping[str, int]

    def document(self, given: RealInput) -> dict[str, Any]:
        """Return this part of the report; it holds no identifier."""
        return {
            "source": "generated" if given.generated else "file",
            "persons": len(given.holders),
            "registered": self.registered,
            "checked": self.checked,
            "rejected": self.rejected,
            "matches": dict(self.kinds),
            "equal_to_plaintext_count": True,
        }


def play_real_input(given: RealInput, work: WorkFolder, processes: Processes) -> Found:
    """Return what was found. Raises ClaimError: it differs from the count, or a kind is missing; ProcessError."""
    registered = _both("register", given, work, processes)
    checked = _both("check", given, work, processes)
    found = frozenset(
        _match({"checker": oin, "checker_row": result["row"], "kind": match["kind"]}, match["holder"]["oin"])
        for oin, printed in checked.items()
        for result in printed["results"]
        for match in result["matches"]
    )
    kinds = Counter(kind for _, _, kind, _ in found)
    if found != given.expected:
        raise ClaimError(
            f"the matches found differ from the plaintext count: {len(found - given.expected)} too many, "
            f"{len(given.expected - found)} missing"
        )
    if not {"person", "family"} <= kinds.keys():
        raise ClaimError("there is at least one match of kind person and one of kind family")
    rejected = {remark["row"] for printed in registered.values() for remark in printed["rejected"]}
    if rejected != given.rejected:
        raise ClaimError("the rows that were rejected are those that the plaintext count rejects")
    return Found(
        registered=sum(len(printed["results"]) for printed in registered.values()),
        checked=sum(len(printed["results"]) for printed in checked.values()),
        rejected=len(rejected),
        kinds=dict(sorted(kinds.items())),
    )


def residents(file: Path) -> tuple[list[Person], list[Home]]:
    """Return everybody whom the rows of a GBA-V file name, relatives and former states included, and every address."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        table = csv.reader(opened, delimiter=";")
        header = next(table)
        rows = [dict(zip(header, row, strict=True)) for row in table]
    people: dict[Person, None] = {}
    homes: dict[Home, None] = {}
    for row in rows:
        for column in (SELF_BSN, *PARENT_BSNS.values(), PARTNER_BSN, CHILD_BSN):
            category = column[:2]
            given, family = row[f"{category}.02.10"].strip(), row[f"{category}.02.40"].strip()
            if row[column].strip() or (given and family):
                people[Person(given=given, family=family, number=row[column].strip())] = None
        if row[_POSTCODE].strip() and row[_NUMBER].strip():
            home = Home(street=row[_STREET].strip(), postcode=row[_POSTCODE].strip(), number=row[_NUMBER].strip())
            homes[home] = None
    return list(people), list(homes)


def _both(verb: str, given: RealInput, work: WorkFolder, processes: Processes) -> dict[str, dict[str, Any]]:
    """Return what each partner's commands printed, by its number; both are under way at once."""

    def one(partner: Partner) -> dict[str, Any]:
        results: list[Any] = []
        rejected: list[Any] = []
        rows, problems = given.rows_of(partner), set[str]()
        for _ in range(_ROUNDS):
            printed = _printed(verb, given, rows, folder=work.partner(partner.slug), partner=partner, to=processes)
            results += printed["results"]
            rejected += printed["rejected"]
            rows = [failure["row"] for failure in printed["failed"] if failure["problem"] in _AGAIN]
            problems = {str(failure["problem"]) for failure in printed["failed"]}
            if not problems:
                return {"results": results, "rejected": rejected}
            if len(rows) != len(printed["failed"]):
                break
        left = ", ".join(sorted(problems))
        raise ClaimError(f"{partner.slug}, {verb}: every row of the file is done or rejected, but some are {left}")

    with ThreadPoolExecutor(max_workers=len(HOLDERS)) as pool:
        return dict(zip((partner.oin for partner in HOLDERS), pool.map(one, HOLDERS), strict=True))


def _printed(
    verb: str, given: RealInput, rows: list[str], *, folder: Path, partner: Partner, to: Processes
) -> dict[str, Any]:
    """Return what one command printed about these rows."""
    chosen = folder / DOSSIERS / "rows.txt"
    chosen.write_text("\n".join(rows) + "\n", encoding="utf-8")
    file: tuple[object, ...] = (given.file,) if verb == "register" else ("--file", given.file)
    ended = to.run(
        "sluis-connect",
        *(verb, *file, "--source", "gba-v", "--limit", LIMIT, "--rows", chosen, "--org", folder),
        *("--purpose", REAL_INPUT_PURPOSE, "--ground", GROUND, "--team", partner.team),
        *("--worker", partner.worker, "--parallel", _PARALLEL, "--json"),
        expect=(_DONE, _NOT_DONE, _SOME_REJECTED),
    )
    return dict(json.loads(ended.output))


def _first_rows(data: Path) -> str:
    """Return the header and all rows of the first fifty persons of a file, as they stand. Raises ProcessError."""
    try:
        lines = data.read_bytes().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise ProcessError("the DATA file cannot be read as UTF-8") from None
    kept, labels = lines[:1], 0
    for line in filter(None, lines[1:]):
        labels += not line.startswith(";")
        if labels > LIMIT:
            break
        kept.append(line)
    return "\n".join(kept) + "\n"


def _plaintext_count(file: Path) -> dict[str, Any]:
    """Return the count of an isolated process: `-I` keeps our packages out of its reach."""
    command = [sys.executable, "-I", str(_ORACLE), str(file), "--limit", str(LIMIT), "--split"]
    done = subprocess.run(
        [*command, *(partner.oin for partner in HOLDERS)], capture_output=True, timeout=_COUNT_S, check=False
    )
    if done.returncode != 0:
        raise ProcessError("tests/region/oracle.py could not count this file; is it in GBA-V format?")
    return dict(json.loads(done.stdout))


def _match(shown: Mapping[str, str], holder: str) -> Match:
    return (shown["checker"], shown["checker_row"], shown["kind"], holder)
