"""The ids that tie the records of one request together, in the Logboek Dataverwerkingen and beyond (W3C trace context).

A request that brought a trace keeps it. Every other entry gets ids from its place in the log, always the same, so that
exporting twice adds nothing.
"""

import hashlib

from audit.export.records import Record

_TRACE_DIGITS = 32
_SPAN_DIGITS = 16


def trace_id(origin: str, record: Record) -> str:
    """Return the 32 hex digits of the request's trace."""
    return record.trace.trace_id if record.trace else _digits(_entry(origin, record), _TRACE_DIGITS)


def span_id(origin: str, record: Record, number: int, *, of: str = "") -> str:
    """Return the 16 hex digits of one step within the entry.

    Args:
        number: of the step, from 1.
        of: what is numbered, where one entry has steps of several sorts.
    """
    return _digits(f"{_entry(origin, record)} {of}{number}", _SPAN_DIGITS)


def _entry(origin: str, record: Record) -> str:
    return f"{origin} {record.index}"


def _digits(text: str, count: int) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:count]
