"""W3C trace context (`traceparent`, level 2), as far as Sluis uses it: one trace for one question, never for two.

A partner gives a question the trace id that its parties share already: the id of its batch at the custodians, which
stands in the tickets, or, for a request without tickets, that of its request token. So a trace lets nobody join what
could not be joined without it (ADR 26). `tracestate` and `baggage` are neither sent nor read.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

HEADER = "traceparent"
SPAN_BYTES = 8
# Version 00 is exactly this long; a later one may go on after another hyphen, and ff is none.
_FORM = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}(?P<more>-[!-~]*)?"
)
_VERSION = "00"
_SAMPLED = "01"  # nothing is ever left out of a log; the flag says so to others


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Which question this is part of: 32 hex digits, and the 16 of the step that asked."""

    id: str
    parent: str

    def known(self, own: Collection[str]) -> "Trace | None":
        """Return the trace if it is one of the ids that this request has anyway, else None: it could link others."""
        return self if self.id in own else None


def parse_trace(values: Sequence[str]) -> Trace | None:
    """Return the trace in the `traceparent` headers of a request; None, as if none came, for any that breaks a rule.

    More than one header, a wrong length, capital letters and ids of zeros only are such; a request is never refused
    for them (W3C Trace Context section 3.2.2).
    """
    found = _FORM.fullmatch(values[0]) if len(values) == 1 else None
    if found is None or (found["more"] and found["version"] == _VERSION):
        return None
    if not found["trace"].strip("0") or not found["parent"].strip("0"):
        return None
    return Trace(id=found["trace"], parent=found["parent"])


def traceparent(trace_id: str, span: bytes) -> str:
    """Return the header that names this trace and step.

    Args:
        trace_id: 32 lower-case hex digits, as every id we make has.
        span: 8 random bytes.
    """
    return f"{_VERSION}-{trace_id}-{span.hex()}-{_SAMPLED}"
