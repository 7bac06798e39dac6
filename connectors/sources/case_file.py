"""One case, or a few, from a JSON file: so that no identifier ever stands on a command line.

    {"caseRef": "...", "bsn": "...", "birthDate": "YYYY-MM-DD", "parents": [{"bsn": "...", "source": "brp"}],
     "members": ["..."], "team": "...",
     "address": {"postcode": "...", "number": "...", "letter": "", "addition": "", "designation": ""},
     "endsOn": "YYYY-MM-DD", "assessment": {"on": "YYYY-MM-DD", "by": "..."},
     "informing": {"informed": false, "reason": "danger_to_child", "reviewOn": "YYYY-MM-DD"}}

Every member may be left out; a file may also hold a list of such objects.
"""

import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.identifiers import Address, Bsn
from connectors.cases import Assessment, Case, Informing, Parent, distinct
from connectors.dates import PartialDate
from connectors.errors import CaseError, SourceError
from connectors.sources.caseload import Caseload, Remark

_MAX_BYTES = 1_048_576
Day = Annotated[datetime.date, Field(strict=False)]
Text = Annotated[str, Field(max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, alias_generator=to_camel
    )

    def __repr__(self) -> str:
        """Return the name of the class, nothing of what it holds."""
        return f"{type(self).__name__}(redacted)"

    __str__ = __repr__


class _Parent(_Part):
    bsn: Text
    source: Literal["brp", "own", "stated"]


class _Address(_Part):
    postcode: Text | None = None
    number: Text
    letter: Text | None = None
    addition: Text | None = None
    designation: Text | None = None


class _Assessment(_Part):
    on: Day
    by: Text


class _Informing(_Part):
    informed: bool
    reason: Literal["danger_to_child", "danger_to_other", "not_reachable", "investigation"] | None = None
    review_on: Day | None = None


class _Case(_Part):
    case_ref: Text | None = None
    bsn: Text | None = None
    birth_date: Text | None = None
    parents: list[_Parent] = []
    members: list[Text] = []
    address: _Address | None = None
    team: Text | None = None
    ends_on: Day | None = None
    assessment: _Assessment | None = None
    informing: _Informing | None = None


def read_case_file(path: Path) -> Caseload:
    """Return the cases of a JSON file, named by their place, 1 first. Raises SourceError: no such file."""
    try:
        value = strict_json.loads(path.read_bytes(), field="case", max_bytes=_MAX_BYTES)
        stated = [_Case.model_validate(item) for item in (value if isinstance(value, list) else [value])]
    except OSError:
        raise SourceError("cannot be read") from None
    except MalformedError as error:
        raise SourceError(error.rule) from None
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
        raise SourceError(f"member {place or 'case'} is missing, unknown or breaks its rule") from None
    cases, rejected = [], []
    for number, item in enumerate(stated, start=1):
        try:
            cases.append(_case(str(number), item))
        except (CaseError, MalformedError) as error:
            rejected.append(Remark(row=str(number), field=error.field, rule=error.rule))
    return Caseload(cases=tuple(cases), rejected=tuple(rejected), reported=())


def read_bsn_file(path: Path) -> Caseload:
    """Return one case per line of a file that holds one BSN per line. Raises SourceError: unreadable."""
    try:
        lines = path.read_text("ascii").split("\n")
    except (OSError, UnicodeDecodeError):
        raise SourceError("cannot be read, or holds more than digits") from None
    cases, rejected = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            cases.append(Case(row=str(number), subject=Bsn.parse(line.strip())))
        except MalformedError as error:
            rejected.append(Remark(row=str(number), field=error.field, rule=error.rule))
    return Caseload(cases=tuple(cases), rejected=tuple(rejected), reported=())


def _case(row: str, item: _Case) -> Case:
    subject = None if item.bsn is None else Bsn.parse(item.bsn)
    parents = {
        bsn: Parent(bsn=bsn, source=parent.source)
        for parent in item.parents
        if (bsn := Bsn.parse(parent.bsn, field="parents.bsn")) != subject
    }
    address = item.address
    return Case(
        row=row,
        case_ref=item.case_ref,
        subject=subject,
        birth_date=None if item.birth_date is None else PartialDate.parse(item.birth_date, field="birthDate"),
        parents=tuple(parents.values()),
        members=distinct([Bsn.parse(text, field="members") for text in item.members], without=subject),
        address=None if address is None else Address(**address.model_dump()),
        team=item.team,
        ends_on=item.ends_on,
        assessment=None if item.assessment is None else Assessment(on=item.assessment.on, by=item.assessment.by),
        informing=None if item.informing is None else Informing(**item.informing.model_dump()),
    )
