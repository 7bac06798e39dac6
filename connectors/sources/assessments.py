"""Who judged a youth, and whether the family knows, for a source that cannot say so: a side file by row."""

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from connectors.cases import Case
from connectors.errors import CaseError, SourceError
from connectors.sources.caseload import Caseload, Remark, read_table
from connectors.sources.csv_file import assessment_in, informing_in

COLUMNS = ("label", "assessed_on", "assessed_by", "informed")
_REASON = "informed_reason"


def with_assessments(caseload: Caseload, path: Path, *, today: datetime.date) -> Caseload:
    """Return the caseload with what the side file states of each of its rows; a row stated wrongly is rejected.

    The file has the columns `label,assessed_on,assessed_by,informed`, and `informed_reason` where a family does not
    know. What stands in a row of the caseload itself is replaced.

    Raises:
        SourceError: it is no such file, or names a row twice.
    """
    header, rows = read_table(path, delimiter=",", columns=COLUMNS)
    cells = [dict(zip(header, (cell.strip() for cell in row), strict=True)) for row in rows]
    by_label = {row["label"]: {_REASON: "", **row} for row in cells}
    if len(by_label) != len(cells):
        raise SourceError("must not use a label twice")
    kept, rejected = list[Case](), list[Remark]()
    for case in caseload.cases:
        try:
            kept.append(_with(case, by_label.get(case.row), today))
        except CaseError as error:
            rejected.append(Remark(row=case.row, field=error.field, rule=error.rule))
    return Caseload(cases=tuple(kept), rejected=(*caseload.rejected, *rejected), reported=caseload.reported)


def _with(case: Case, cells: Mapping[str, str] | None, today: datetime.date) -> Case:
    if cells is None:
        return case
    return replace(case, assessment=assessment_in(cells, today), informing=informing_in(cells))
