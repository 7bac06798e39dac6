"""Decision tables beside the documents: what a jurist expects of which facts, in YAML or CSV.

A YAML table (``*.tabel.yml``, ``beslistabel/v1``) has facts that all rows share, and rows that change some of them,
each with ``naam``, ``feiten``, ``treffer`` (the facts of a hit), ``uitkomst`` and ``regel``.

A CSV table (``*.tabel.csv``) has one column per fact, those of the hit as ``treffer.holder``; lists are separated by
spaces, an empty cell leaves its fact out or is an empty list.

``uitkomst`` is the level or the reason code, ``regel`` the deciding rule as ``document/clause``; a row without
``treffer`` asks ``may_ask``.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from policies.beyond import unversioned
from policies.decide import DecisionPoint
from policies.document import read_document
from policies.errors import FactsError, TableError
from policies.facts import AskFacts, HitFacts, Json
from policies.question import read_question
from policies.ruleset import RuleSet
from policies.schema import validator
from policies.verdict import Permit, Refusal

SCHEMA = "beslistabel/v1"
YAML_TABLE = "*.tabel.yml"
CSV_TABLE = "*.tabel.csv"

_ASK, _HIT = get_type_hints(AskFacts), get_type_hints(HitFacts)
_HIT_PREFIX = "treffer."
_OWN_COLUMNS = ("naam", "uitkomst", "regel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: these facts are decided with this outcome, by this rule."""

    table: str
    name: str
    facts: Mapping[str, Json]
    outcome: str
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A row that was decided otherwise."""

    row: Row
    outcome: str
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableResult:
    """What came of all tables of a folder.

    Attributes:
        decided: rule ids, each with the names of the rows it decides as written.
        undecided: rules that decide no row.
    """

    rows: int
    misses: tuple[Miss, ...]
    decided: Mapping[str, tuple[str, ...]]
    undecided: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether there is a row, every row came out as written, and every rule decides one."""
        return bool(self.rows) and not self.misses and not self.undecided

    def document(self) -> dict[str, Json]:
        """The result as JSON values."""
        misses: list[Json] = [
            {
                "table": miss.row.table,
                "row": miss.row.name,
                "expected": [miss.row.outcome, miss.row.rule],
                "decided": [miss.outcome, miss.rule],
            }
            for miss in self.misses
        ]
        return {"rows": self.rows, "misses": misses, "undecided": list(self.undecided)}


def read_tables(directory: Path, *, with_tests: bool = False) -> tuple[Row, ...]:
    """Every row of every table in the folder, in the order of their files.

    Raises:
        TableError: a table is not of its form.
    """
    files = [path for form in (YAML_TABLE, CSV_TABLE) for path in directory.rglob(form)]
    named = {path.relative_to(directory).as_posix(): path for path in files}
    kept = sorted((file, path) for file, path in named.items() if with_tests or not file.startswith("test/"))
    return tuple(row for file, path in kept for row in _rows(path, file))


def run_tables(rules: RuleSet, rows: Iterable[Row]) -> TableResult:
    """Every row decided, and which rules decided what.

    Raises:
        TableError: a row's facts are not facts.
    """
    point = DecisionPoint(rules)
    decided: dict[str, list[str]] = {}
    misses: list[Miss] = []
    count = 0
    for row in rows:
        count += 1
        decision = _decide(point, row)
        outcome = str(decision.level) if isinstance(decision, Permit) else decision.reason
        rule = None if decision.rule is None else unversioned(decision.rule)
        if (outcome, rule) != (row.outcome, row.rule):
            misses.append(Miss(row=row, outcome=outcome, rule=rule))
        else:
            for one in _deciding(rules, decision):
                decided.setdefault(one, []).append(row.name)
    return TableResult(
        rows=count,
        misses=tuple(misses),
        decided={rule: tuple(names) for rule, names in decided.items()},
        undecided=tuple(sorted(set(rules.clauses) - set(decided))),
    )


def _decide(point: DecisionPoint, row: Row) -> Permit | Refusal:
    try:
        ask, hit = read_question(dict(row.facts))
    except FactsError as error:
        raise TableError(f"{row.table}: row {row.name}: {error}") from None
    return point.may_ask(ask) if hit is None else point.may_see(ask, hit)


def _deciding(rules: RuleSet, decision: Permit | Refusal) -> frozenset[str]:
    """The rule that decides, and with a yes the prohibitions that kept it from going further."""
    lowering = (rule for rule in decision.rules if not rules.clauses[rule].allows)
    own = () if decision.rule is None else (decision.rule,)
    return frozenset((*own, *lowering) if isinstance(decision, Permit) else own)


def _rows(path: Path, file: str) -> Iterator[Row]:
    return _yaml_rows(path, file) if path.suffix == ".yml" else _csv_rows(path, file)


def _yaml_rows(path: Path, file: str) -> Iterator[Row]:
    document = read_document(path, file)
    content: dict[str, Any] = document.content
    errors = list(validator(SCHEMA).iter_errors(content))
    if errors:
        place = tuple(errors[0].absolute_path)
        raise TableError(f"{file}:{document.line(place)}: must follow {SCHEMA}")
    shared, hit = content["feiten"], content.get("treffer", {})
    for row in content["rijen"]:
        facts = {**shared, **row.get("feiten", {})}
        if "treffer" in row:
            facts["hit"] = {**hit, **row["treffer"]}
        yield Row(table=file, name=row["naam"], facts=facts, outcome=str(row["uitkomst"]), rule=row.get("regel"))


def _csv_rows(path: Path, file: str) -> Iterator[Row]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise TableError(f"{file}: must be a readable UTF-8 file") from None
    reader = csv.DictReader(text.splitlines(), strict=True)
    columns = reader.fieldnames or ()
    if len(set(columns)) != len(columns) or not {*_OWN_COLUMNS} <= {*columns} <= _known_columns():
        raise TableError(f"{file}:1: must have the columns {', '.join(_OWN_COLUMNS)} and facts, each once")
    for number, cells in enumerate(reader, start=2):
        if None in cells or None in cells.values():
            raise TableError(f"{file}:{number}: must have as many cells as the first line")
        yield _csv_row(file, number, cells)


def _csv_row(file: str, number: int, cells: Mapping[str, str]) -> Row:
    facts: dict[str, Json] = {}
    hit: dict[str, Json] = {}
    for column, text in cells.items():
        if column in _OWN_COLUMNS or not (text or _is_list(str(_ASK.get(column)))):
            continue
        known, name = (_HIT, column.removeprefix(_HIT_PREFIX)) if column.startswith(_HIT_PREFIX) else (_ASK, column)
        (hit if known is _HIT else facts)[name] = _value(text, str(known[name]), f"{file}:{number}: {column}")
    if hit:
        facts["hit"] = hit
    return Row(table=file, name=cells["naam"], facts=facts, outcome=cells["uitkomst"], rule=cells["regel"] or None)


def _value(text: str, kind: str, where: str) -> Json:
    """A cell as the JSON value its fact has in a record."""
    if _is_list(kind):
        words: list[Json] = [*text.split()]
        return words
    if "bool" in kind:
        if text not in ("true", "false"):
            raise TableError(f"{where}: must be true or false")
        return text == "true"
    if "int" in kind and text.isascii() and text.isdecimal():
        return int(text)
    return text


def _is_list(kind: str) -> bool:
    return "tuple" in kind or "frozenset" in kind


def _known_columns() -> set[str]:
    return {*_OWN_COLUMNS, *_ASK, *(_HIT_PREFIX + name for name in _HIT)}
