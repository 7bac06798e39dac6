"""A caseload from a CSV file: commas, UTF-8, one row per youth or client, columns as in `docs/connector.md`."""

import datetime
from collections.abc import Mapping
from pathlib import Path

from broker.protocol.errors import MalformedError
from broker.protocol.identifiers import Address, Bsn
from broker.protocol.request_signing import is_word
from connectors.cases import Assessment, Case, DeferralReason, Informing, Parent, ParentSource, distinct
from connectors.dates import PartialDate
from connectors.errors import CaseError
from connectors.sources.caseload import Caseload, Remark, read_table

COLUMNS = (
    "case_ref",
    "bsn",
    "birth_date",
    "deceased_on",
    "parent_bsn_1",
    "parent_1_source",
    "parent_bsn_2",
    "parent_2_source",
    "member_bsns",
    "postcode",
    "number",
    "letter",
    "addition",
    "designation",
    "team",
    "ends_on",
    "assessed_on",
    "assessed_by",
    "informed",
    "informed_reason",
)  # fmt: skip - the order of the file, easier to compare in lines than in a column

_SOURCES: Mapping[str, ParentSource] = {"brp": "brp", "own": "own", "stated": "stated"}
_REASONS: Mapping[str, DeferralReason] = {
    "danger_to_child": "danger_to_child",
    "danger_to_other": "danger_to_other",
    "not_reachable": "not_reachable",
    "investigation": "investigation",
}
_YES_NO = {"yes": True, "no": False}

Cells = Mapping[str, str]


def read_csv(path: Path, *, today: datetime.date, limit: int | None = None) -> Caseload:
    """Return the rows of a CSV file as cases, named by their line as a spreadsheet counts (the first row is 2).

    Raises:
        SourceError: the file as a whole is no such file.
    """
    header, rows = read_table(path, delimiter=",", columns=COLUMNS)
    cases: list[Case] = []
    rejected: list[Remark] = []
    for line, row in list(enumerate(rows, start=2))[:limit]:
        cells = {column: cell.strip() for column, cell in zip(header, row, strict=True)}
        try:
            cases.append(_case(str(line), cells, today))
        except (CaseError, MalformedError) as error:
            rejected.append(Remark(row=str(line), field=error.field, rule=error.rule))
    return Caseload(cases=tuple(cases), rejected=tuple(rejected), reported=())


def _case(line: str, cells: Cells, today: datetime.date) -> Case:
    if cells["deceased_on"]:
        raise CaseError("deceased_on", "must be empty: the dead are not registered")
    if not cells["bsn"]:
        raise CaseError("bsn", "must not be empty")
    subject = Bsn.parse(cells["bsn"])
    members = [Bsn.parse(text, field="member_bsns") for text in cells["member_bsns"].split()]
    return Case(
        row=line,
        case_ref=cells["case_ref"] or None,
        subject=subject,
        birth_date=_birth_date(cells["birth_date"], today),
        parents=_parents(cells, subject),
        members=distinct(members, without=subject),
        address=_address(cells),
        team=_word(cells["team"], "team"),
        ends_on=_day(cells["ends_on"], "ends_on"),
        assessment=assessment_in(cells, today),
        informing=informing_in(cells),
    )


def _parents(cells: Cells, subject: Bsn) -> tuple[Parent, ...]:
    parents: dict[Bsn, Parent] = {}
    for number in ("1", "2"):
        text, source = cells[f"parent_bsn_{number}"], cells[f"parent_{number}_source"]
        if not text:
            continue
        if source not in _SOURCES:
            raise CaseError(f"parent_{number}_source", "must be brp, own or stated")
        bsn = Bsn.parse(text, field=f"parent_bsn_{number}")
        if bsn == subject:
            raise CaseError(f"parent_bsn_{number}", "must not be the number of the subject")
        parents.setdefault(bsn, Parent(bsn=bsn, source=_SOURCES[source]))
    return tuple(parents.values())


def _address(cells: Cells) -> Address | None:
    if not cells["postcode"]:
        return None
    return Address(
        postcode=cells["postcode"],
        number=cells["number"],
        letter=cells["letter"],
        addition=cells["addition"],
        designation=cells["designation"],
    )


def assessment_in(cells: Cells, today: datetime.date) -> Assessment | None:
    """Return who judged this youth and when, or None where nothing is stated. Raises CaseError."""
    on, by = _day(cells["assessed_on"], "assessed_on"), _word(cells["assessed_by"], "assessed_by")
    if on is None and by is None:
        return None
    if on is None or by is None:
        raise CaseError("assessed_on", "must stand together with assessed_by")
    if on > today:
        raise CaseError("assessed_on", "must not be in the future")
    return Assessment(on=on, by=by)


def informing_in(cells: Cells) -> Informing | None:
    """Return whether the family knows, or None where nothing is stated. Raises CaseError."""
    informed, reason = cells["informed"], cells["informed_reason"]
    if not informed:
        return None
    if informed not in _YES_NO:
        raise CaseError("informed", "must be yes or no")
    if _YES_NO[informed]:
        return Informing(informed=True)
    if reason not in _REASONS:
        raise CaseError("informed_reason", "must be one of " + ", ".join(_REASONS))
    return Informing(informed=False, reason=_REASONS[reason])


def _birth_date(text: str, today: datetime.date) -> PartialDate | None:
    if not text:
        return None
    birth_date = PartialDate.parse(text, field="birth_date")
    earliest = birth_date.earliest()
    if earliest is not None and earliest > today:
        raise CaseError("birth_date", "must not be in the future")
    return birth_date


def _day(text: str, field: str) -> datetime.date | None:
    if not text:
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC).date()
    except ValueError:
        raise CaseError(field, "must be a date YYYY-MM-DD") from None


def _word(text: str, field: str) -> str | None:
    if text and not is_word(text):
        raise CaseError(field, "must be a short name without blanks")
    return text or None
