"""Mutants of the documents themselves: one word of one clause or proof wrong, as a jurist could get it wrong.

Each must be noticed by what stands beside every region's documents: the fence at load, the decision tables, what must
hold whatever the documents say, or the findings. Those that are not stand in `survivors.json`, which only shrinks.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.errors import ConvenantError
from policies.findings import WRONG, findings
from policies.load import SHIPPED, load_contents
from policies.must_hold import broken_properties
from policies.ruleset import RuleSet
from policies.tables import Row, read_tables, run_tables
from policies.vocabulary import MAX_LEVEL, SILENT_ACTS

FILE = Path(__file__).parent / "survivors.json"
SURVIVED = "survived"

Clause = dict[str, Any]
Documents = dict[str, dict[str, Any]]

_LISTS = ("vragend", "houdend", "ontvangend", "categorieen", "geregistreerd_voor", "geregistreerd_op", "soorten_match")
_CONDITIONS = (
    "toestemming",
    "dossier",
    "akkoord",
    "bewijsstuk",
    "leeftijden",
    "bsn_recht",
    "afscherming",
    "van",
    "tot",
)
_STRANGERS = ("politie", "school", "ggz", "woningcorporatie", "reclassering")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongDocument:
    """One document with one thing wrong in the row `row`; `make` makes that of a copy of all documents."""

    name: str
    row: str
    make: Callable[[Documents], None]


def wrong_documents(rules: RuleSet) -> Iterator[WrongDocument]:
    """Every mutant of every clause and of every proof, in the order of the documents."""
    for file, content in rules.documents.items():
        kind = content["schema"]
        for table, mutants in (("afspraken", _of_clause), ("bewijzen", _of_proof)):
            rows: Any = content.get(table, ())
            for number, row in enumerate(rows if kind in ("convenant/v1", "bewijzen/v1") else ()):
                for what, wrong in mutants(row):
                    name = f"{Path(file).stem} {row['id']} {what}"
                    yield WrongDocument(name=name, row=row["id"], make=_put(file, table, number, wrong))


def fate(rules: RuleSet, rows: Sequence[Row], wrong: WrongDocument) -> str:
    """What notices it: `load`, `tables`, `must-hold` or `findings`; or that it `survived`."""
    documents: Documents = deepcopy({file: dict(content) for file, content in rules.documents.items()})
    wrong.make(documents)
    try:
        bundle = load_contents(documents)
    except ConvenantError:
        return "load"
    near = sorted(rows, key=lambda row: (row.rule or "").rpartition("/")[2] != wrong.row)
    if not run_tables(bundle, near, until_missed=True).holds:
        return "tables"
    if next(broken_properties(bundle, bundle.lines), None) is not None:
        return "must-hold"
    return "findings" if any(one.kind in WRONG for one in findings(bundle)) else SURVIVED


def survivors(rules: RuleSet, among: Sequence[WrongDocument]) -> list[str]:
    """The names of those that nothing notices, sorted."""
    rows = read_tables(SHIPPED)
    return sorted(wrong.name for wrong in among if fate(rules, rows, wrong) == SURVIVED)


def read_survivors(path: Path = FILE) -> list[str]:
    """The mutants we know that nothing notices."""
    known: list[str] = json.loads(path.read_text(encoding="utf-8"))["survivors"]
    return known


def write_survivors(names: Sequence[str], path: Path = FILE) -> None:
    """These are the mutants that nothing notices from now on."""
    path.write_text(json.dumps({"schema": "survivors/v1", "survivors": [*names]}, indent=1) + "\n", encoding="utf-8")


def _put(file: str, table: str, number: int, wrong: Clause | None) -> Callable[[Documents], None]:
    def make(documents: Documents) -> None:
        rows = documents[file][table]
        rows[number : number + 1] = [] if wrong is None else [wrong]

    return make


def _of_clause(clause: Clause) -> Iterator[tuple[str, Clause | None]]:
    yield "gone", None
    for field in _CONDITIONS:
        if field in clause:
            yield f"without {field}", {name: value for name, value in clause.items() if name != field}
    if clause.get("bewijs", ["*"]) != ["*"]:
        yield "any bewijs", {**{n: v for n, v in clause.items() if n != "bewijsstuk"}, "bewijs": ["*"]}
    yield from _of_lists(clause)
    low, high = clause["niveau"]["min"], clause["niveau"]["max"]
    for what, highest in (("higher", high + 1), ("lower", high - 1)):
        if low <= highest <= MAX_LEVEL and not set(clause["handelingen"]) <= SILENT_ACTS:
            yield what, {**clause, "niveau": {"min": low, "max": highest}}
    yield from _of_duties(clause)


def _of_lists(clause: Clause) -> Iterator[tuple[str, Clause]]:
    for field in _LISTS:
        words = clause.get(field, ["*"])
        if words == ["*"]:
            continue
        yield f"{field} *", {**clause, field: ["*"]}
        for word in words if len(words) > 1 else ():
            yield f"{field} -{word}", {**clause, field: [one for one in words if one != word]}
        for word in _STRANGERS if field in ("vragend", "houdend", "ontvangend") else ():
            if word not in words:
                yield f"{field} +{word}", {**clause, field: [*words, word]}


def _of_duties(clause: Clause) -> Iterator[tuple[str, Clause]]:
    duties = clause.get("verplichtingen", [])
    for number, duty in enumerate(duties):

        def other(*instead: Clause, at: int = number) -> Clause:
            return {**clause, "verplichtingen": [*duties[:at], *instead, *duties[at + 1 :]]}

        yield f"without duty {duty['id']}", other()
        if "termijn" in duty:
            yield f"later duty {duty['id']}", other({**duty, "termijn": "P365D"})
        for field in ("uitstelgronden", "werkdagen", "alleen_bij"):
            if field in duty:
                yield f"duty {duty['id']} without {field}", other({n: v for n, v in duty.items() if n != field})


def _of_proof(proof: Clause) -> Iterator[tuple[str, Clause]]:
    for days in (-1, 1):
        if proof["ten_hoogste"] + days:
            yield f"ten_hoogste {days:+}", {**proof, "ten_hoogste": proof["ten_hoogste"] + days}
    yield "einddatum other", {**proof, "einddatum": not proof["einddatum"]}
    yield "werkdagen other", {**proof, "werkdagen": not proof.get("werkdagen", False)}
