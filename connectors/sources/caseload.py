"""What a source file turned out to hold: cases, rejected rows, and cells that were left out."""

import csv
import io
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from broker.protocol.identifiers import Bsn
from connectors.cases import Case
from connectors.errors import SourceError

MAX_BYTES = 67_108_864  # 64 MiB; a region's caseload is a tenth of it
REJECT_COLUMNS = ("row", "field", "rule")
DUPLICATE_RULE = "must not stand in another row: one number is one subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A row, a field of it and the rule it breaks; never the value."""

    row: str
    field: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caseload:
    """The cases of a file in its order; `rejected` rows gave none, `reported` cells were left out of a case."""

    cases: tuple[Case, ...]
    rejected: tuple[Remark, ...]
    reported: tuple[Remark, ...]

    def chosen(self, rows: Collection[str]) -> "Caseload":
        """Return what concerns these rows only."""
        return Caseload(
            cases=tuple(case for case in self.cases if case.row in rows),
            rejected=tuple(remark for remark in self.rejected if remark.row in rows),
            reported=tuple(remark for remark in self.reported if remark.row in rows),
        )

    def one_subject_each(self, *, field: str) -> "Caseload":
        """Return it with the later of two rows of one number rejected."""
        seen = set[Bsn]()
        kept, doubled = [], []
        for case in self.cases:
            if case.subject is not None and case.subject in seen:
                doubled.append(Remark(row=case.row, field=field, rule=DUPLICATE_RULE))
                continue
            if case.subject is not None:
                seen.add(case.subject)
            kept.append(case)
        return Caseload(cases=tuple(kept), rejected=(*self.rejected, *doubled), reported=self.reported)


def read_table(path: Path, *, delimiter: str, columns: Collection[str]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a delimited UTF-8 file that has each of `columns` exactly once.

    Raises:
        SourceError: unreadable, too large, not UTF-8, a quote that never closes, a missing or doubled column, a row of
            another width, or no line end after the last row (a file cut off in the middle of a row).
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError("is larger than 64 MiB")
        raw = path.read_bytes()
    except OSError:
        raise SourceError("cannot be read") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError("is not UTF-8") from None
    if not text.endswith("\n"):
        raise SourceError("does not end with a line end: it was cut off")
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise SourceError("has a cell that is malformed or never closes") from None
    header, rows = table[0], table[1:]
    for column in columns:
        if header.count(column) != 1:
            raise SourceError(f"must have the column {column} exactly once; is the delimiter {delimiter!r}?")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise SourceError(f"record {number} has another number of cells than the first line")
    return header, rows


def write_rejects(path: Path, remarks: Collection[Remark]) -> None:
    """Write the rejected rows as `row,field,rule`, readable by the owner only."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(REJECT_COLUMNS)
    writer.writerows((remark.row, remark.field, remark.rule) for remark in remarks)
    path.touch(mode=0o600)
    path.write_text(lines.getvalue(), encoding="utf-8")


Reader = Callable[[Path], Caseload]
