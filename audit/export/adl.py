"""Decisions in the shape of the Authorization Decision Log (Logius, draft): one record per decision, never sampled.

A denial is no error. Which compiler made rules of the documents stands in no entry, so `adl.core.configuration` is
left out, and the level reached is 3 of 4: request, response, policies and information.
"""

from collections.abc import Iterator, Mapping

from audit.export.content import Content, Json
from audit.export.records import Record
from audit.export.traces import span_id, trace_id

SCHEMA = "adl-export/v1"
EVENT = "adl.access_evaluation"
_CONTEXT = ("level", "ground", "rule", "obligations", "text")


def to_adl(content: Content) -> Json:
    """Return one record per decision that this reader has, in the order of the log."""
    return {"schema": SCHEMA, "records": list(_records(content))}


def _records(content: Content) -> Iterator[Json]:
    for record in content.records:
        decisions = (*([record.decision] if record.decision else []), *record.seen)
        for number, decision in enumerate(decisions, start=1):
            yield _record(content.checkpoint.origin, record, number, decision)


def _record(origin: str, record: Record, number: int, decision: Mapping[str, object]) -> Json:
    facts = _object(decision.get("facts"))
    ids: Json = {"trace_id": trace_id(origin, record), "span_id": span_id(origin, record, number)}
    if record.trace:
        ids["parent_span_id"] = record.trace.parent_id
    return {
        **ids,
        "event_name": EVENT,
        "timestamp": record.time * 1000,
        "status": "Error" if _failed(decision) else "Ok",
        "attributes": {"adl.core.policies": [f"urn:sluis:bundle:sha256:{decision.get('bundle')}"]},
        "body": {
            "adl.core.request": _request(decision, facts),
            "adl.core.response": {
                "decision": decision.get("outcome") == "permit",
                "context": {name: decision.get(name) for name in _CONTEXT},
            },
            "adl.core.information": dict(facts),
        },
    }


def _request(decision: Mapping[str, object], facts: Mapping[str, object]) -> Json:
    """Return the question in AuthZEN terms."""
    about = "purpose" if decision.get("question") == "may_ask" else "signal"
    return {
        "subject": {"type": "organisation", "id": facts.get("organisation")},
        "action": {"name": facts.get("operation")},
        "resource": {"type": about, "id": facts.get("purpose")},
    }


def _failed(decision: Mapping[str, object]) -> bool:
    return str(_object(decision.get("text")).get("id")).endswith(".error")


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
