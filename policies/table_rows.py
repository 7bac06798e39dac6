"""Decision tables beside the documents: what a jurist expects of which facts, in YAML or CSV.

A YAML table (``*.tabel.yml``, ``beslistabel/v1``) has facts that all rows share, and rows that change some of them,
each with ``naam``, ``feiten``, ``treffer`` (the facts of a hit), ``uitkomst`` and ``regel``.

A CSV table (``*.tabel.csv``) has one column per fact, those of the hit as ``treffer.holder``; lists are separated by
spaces, an empty cell leaves its fact out or is an empty list.

``uitkomst`` is the level or the reason code, ``regel`` the deciding rule as ``document/clause``; a row without
``treffer`` asks ``may_ask``. ``verplichtingen`` names every duty that comes with it. A row with ``elk`` holds for each
of the words of one fact, and one with ``alleen`` for no other word: with any other the answer is a refusal.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from policies.document import read_document
from policies.errors import TableError
from policies.facts import AskFacts, HitFacts, Json
from policies.schema import validator

SCHEMA = "beslistabel/v1"
YAML_TABLE = "*.tabel.yml"
CSV_TABLE = "*.tabel.csv"

_ASK, _HIT = get_type_hints(AskFacts), get_type_hints(HitFacts)
OF_THE_HIT = "treffer."
"""Before the name of a fact of the hit, in a column or in a row that varies it."""
_OWN_COLUMNS = ("naam", "uitkomst", "regel")
_DUTIES = "verplichtingen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one fact for which a row holds; with ``only``, for no other."""

    fact: str
    words: tuple[str, ...]
    only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: these facts are decided with this outcome, by this rule.

    Attributes:
        duties: every duty that comes with it, as in a table; None where the row says nothing about duties.
        words: the words of one fact for each of which it holds, or None.
    """

    table: str
    name: str
    facts: Mapping[str, Json]
    outcome: str
    rule: str | None
    duties: tuple[str, ...] | None = None
    words: Words | None = None


def read_tables(directory: Path, *, with_tests: bool = False) -> tuple[Row, ...]:
    """Every row of every table in the folder, in the order of their files.

    Raises:
        TableError: a table is not of its form.
    """
    files = [path for form in (YAML_TABLE, CSV_TABLE) for path in directory.rglob(form)]
    named = {path.relative_to(directory).as_posix(): path for path in files}
    kept = sorted((file, path) for file, path in named.items() if with_tests or not file.startswith("test/"))
    return tuple(row for file, path in kept for row in _rows(path, file))


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
        varied = [(name == "alleen", *row[name].items()) for name in ("elk", "alleen") if name in row]
        yield Row(
            table=file,
            name=row["naam"],
            facts=facts,
            outcome=str(row["uitkomst"]),
            rule=row.get("regel"),
            duties=tuple(sorted(row[_DUTIES])) if _DUTIES in row else None,
            words=next((Words(fact=one[0], words=tuple(one[1]), only=only) for only, one in varied), None),
        )


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
        if column in (*_OWN_COLUMNS, _DUTIES) or not (text or _is_list(str(_ASK.get(column)))):
            continue
        known, name = (_HIT, column.removeprefix(OF_THE_HIT)) if column.startswith(OF_THE_HIT) else (_ASK, column)
        (hit if known is _HIT else facts)[name] = _value(text, str(known[name]), f"{file}:{number}: {column}")
    if hit:
        facts["hit"] = hit
    duties = (
        tuple(sorted(duty.strip() for duty in cells[_DUTIES].split(";") if duty.strip())) if _DUTIES in cells else None
    )
    return Row(
        table=file,
        name=cells["naam"],
        facts=facts,
        outcome=cells["uitkomst"],
        rule=cells["regel"] or None,
        duties=duties,
    )


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
    return {*_OWN_COLUMNS, _DUTIES, *_ASK, *(OF_THE_HIT + name for name in _HIT)}
