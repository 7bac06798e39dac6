"""Records as CSV that no spreadsheet takes for a formula (RFC 4180, UTF-8 with a byte order mark).

Every cell is one line of visible text in quotes. A cell that begins with a character that starts a formula, or with
the mark itself, gets the mark `'` before it, so that taking one mark away always gives the value back.
"""

import csv
import io
import re

from audit.export.content import Content, instant
from audit.export.records import Record, Shown
from audit.export.words_nl import DECISIONS, GROUPS, KINDS, OUTCOMES, ROLES, in_dutch

COLUMNS = (
    "nr", "tijdstip_utc", "soort", "handeling", "doel", "gronden", "verantwoordelijke", "team", "uitkomst", "reden",
    "besluit", "regel", "personen", "getoond", "organisatie", "moederorganisatie", "medewerker", "naam", "rol",
    "goedkeurder", "gewist", "bundel", "trace", "logboek", "logboekregel", "bladhash",
)  # fmt: skip
BYTE_ORDER_MARK = "\ufeff"
"""Excel takes a file without it for one in the code page of the machine, and spoils every ë."""
# OWASP's list, the full-width forms that spreadsheets fold into it, and the mark itself.
_FORMULA = re.compile("['=+\\-@\uff1d\uff0b\uff0d\uff20]")
# Controls, line and paragraph ends, and what reorders or hides text: none may act in a cell or on a screen.
_INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def to_csv(content: Content) -> bytes:
    """Return the records, one line each, under Dutch column names."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, dialect="excel", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for number, record in enumerate(content.records, start=1):
        cells = _cells(record, content)
        writer.writerow([str(number), *(cell(value) for value in cells)])
    return (BYTE_ORDER_MARK + text.getvalue()).encode("utf-8")


def visible(value: str) -> str:
    r"""Return the text with every invisible or reordering character written as `\uXXXX`."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)


def cell(value: str) -> str:
    """Return the text as a cell holds it: visible, and never a formula."""
    shown = visible(value)
    return f"'{shown}" if _FORMULA.match(shown.lstrip()) else shown


def shown_line(line: Shown) -> str:
    """Return one line that was shown to the asker, in one cell."""
    return f"{line.organisation} {line.team} {line.kind} niveau {line.level}"


def _cells(record: Record, content: Content) -> list[str]:
    decision = record.decision or {}
    return [
        instant(record.time),
        in_dutch(KINDS, record.kind),
        record.type or "",
        record.purpose or "",
        "; ".join(record.grounds),
        record.controller or "",
        record.team or "",
        in_dutch(OUTCOMES, record.outcome),
        record.reason or "",
        in_dutch(DECISIONS, _text(decision.get("outcome"))),
        _text(decision.get("rule")) or "",
        str(record.persons or ""),
        "; ".join(shown_line(line) for line in record.shown),
        record.organisation or "",
        record.parent_organisation or "",
        record.worker or "",
        content.name_of(record.worker),
        in_dutch(ROLES, record.role),
        record.approver or "",
        "; ".join(in_dutch(GROUPS, group) for group in record.erased),
        record.bundle or "",
        record.trace.trace_id if record.trace else "",
        content.checkpoint.origin,
        str(record.index),
        record.leaf_sha256,
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
