"""Who judged each youth and whether the family knows: a side file `label,assessed_on,assessed_by,informed`.

`informed` is `yes`, or the reason why not yet; empty (or `no`) says neither, so that there is nothing to register.
"""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from broker.protocol.document_fields import parse_day

COLUMNS = ("label", "assessed_on", "assessed_by", "informed")
REASONS = ("danger_to_child", "danger_to_other", "not_reachable", "investigation")
_JUDGE = "medewerker"


class AssessmentsError(Exception):
    """The side file breaks a rule; names the line and the rule."""


def made_up(labels: Sequence[str], day: date) -> dict[str, dict[str, str]]:
    """Return an assessment of each label by its SHA-256: most informed, some not yet, some neither, some not judged."""
    made = {}
    for label in labels:
        digest = hashlib.sha256(b"assessment " + label.encode()).digest()
        drawn = digest[0] % 10
        judged = drawn != 0
        informed = "" if drawn <= 1 else REASONS[digest[1] % len(REASONS)] if drawn == 2 else "yes"
        made[label] = {
            "assessed_on": (day - timedelta(days=digest[2] % 60)).isoformat() if judged else "",
            "assessed_by": _JUDGE if judged else "",
            "informed": informed,
        }
    return made


def write_assessments(path: Path, assessments: Mapping[str, Mapping[str, str]]) -> None:
    """Write the side file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([label, *line.values()] for label, line in assessments.items())


def read_assessments(path: Path) -> dict[str, dict[str, str]]:
    """Return the lines of a side file by label. Raises AssessmentsError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise AssessmentsError("assessments: cannot be read as UTF-8 with commas") from None
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, start=2):
        if set(line) != set(COLUMNS) or None in line.values():
            raise AssessmentsError(f"assessments: must have the columns {','.join(COLUMNS)}, see line {number}")
        if line["assessed_on"].strip() and parse_day(line["assessed_on"].strip()) is None:
            raise AssessmentsError(f"assessments: assessed_on must be a day YYYY-MM-DD, see line {number}")
        if line["label"] in found:
            raise AssessmentsError(f"assessments: must not name a label twice, see line {number}")
        found[line["label"]] = {name: line[name].strip() for name in COLUMNS[1:]}
    return found
