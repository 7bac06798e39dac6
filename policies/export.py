"""Decisions in the shape of the Authorization Decision Log (Logius, draft): plain mappings by ``adl-record/v1``.

One record per decision; the same entry of the log always gives the same ids, so exporting twice adds nothing. A denial
is no error. Request, response and facts stand in ``body`` as they are; policies and configuration by reference in
``attributes``.
"""

import hashlib
from dataclasses import dataclass

from policies.compile import COMPILER
from policies.facts import Json

SCHEMA = "adl-record/v1"
EVENT = "adl.access_evaluation"
_TRACE_DIGITS = 32
_SPAN_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a decision stands: which log, which entry, and which decision of that entry.

    Attributes:
        time: unix seconds of the entry.
    """

    log: str
    entry: int
    number: int
    time: int


def adl_record(record: dict[str, Json], place: Place) -> dict[str, Json]:
    """One decision/v1 as a record of the Authorization Decision Log."""
    facts = record["facts"]
    known: dict[str, Json] = dict(facts) if isinstance(facts, dict) else {}
    entry = f"{place.log} {place.entry}"
    return {
        "schema": SCHEMA,
        "trace_id": _digits(entry, _TRACE_DIGITS),
        "span_id": _digits(f"{entry} {place.number}", _SPAN_DIGITS),
        "event_name": EVENT,
        "timestamp": place.time * 1000,
        "status": "Error" if _failed(record) else "Ok",
        "attributes": {
            "adl.core.policies": [f"urn:sluis:bundle:sha256:{record['bundle']}"],
            "adl.core.configuration": f"urn:sluis:compiler:{COMPILER}",
        },
        "body": {
            "adl.core.request": _request(record, known),
            "adl.core.response": {
                "decision": record["outcome"] == "permit",
                "context": {name: record[name] for name in ("level", "ground", "rule", "obligations", "text")},
            },
            "adl.core.information": known,
        },
    }


def _request(record: dict[str, Json], facts: dict[str, Json]) -> dict[str, Json]:
    """The question in AuthZEN terms."""
    about = {"type": "purpose", "id": facts.get("purpose")}
    signal = {"type": "signal", "id": facts.get("purpose")}
    return {
        "subject": {"type": "organisation", "id": facts.get("organisation")},
        "action": {"name": facts.get("operation")},
        "resource": {**(about if record["question"] == "may_ask" else signal)},
    }


def _failed(record: dict[str, Json]) -> bool:
    text = record["text"]
    return isinstance(text, dict) and str(text["id"]).endswith(".error")


def _digits(text: str, count: int) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:count]
