"""Records in the shape of the Logboek Dataverwerkingen (Logius): one for each person, without who did it.

Who did it stands in the log itself: `sluis.log.origin` and `sluis.log.index` lead there, as the standard wants it.
"""

from collections.abc import Iterator

from audit.export.content import Content, Json
from audit.export.records import Record
from audit.export.subjects import Subject, subjects_of
from audit.export.traces import span_id, trace_id

SCHEMA = "ldv-export/v1"


def to_ldv(content: Content) -> Json:
    """Return one record per entry and person, in the order of the log."""
    return {"schema": SCHEMA, "records": list(_records(content))}


def _records(content: Content) -> Iterator[Json]:
    origin = content.checkpoint.origin
    for record in content.records:
        for number, subject in enumerate(subjects_of(origin, record), start=1):
            yield _record(origin, record, number, subject)


def _record(origin: str, record: Record, number: int, subject: Subject) -> Json:
    ids: Json = {"trace_id": trace_id(origin, record), "span_id": span_id(origin, record, number, of="ldv ")}
    if record.trace:
        ids["parent_span_id"] = record.trace.parent_id
    attributes: Json = {
        "dpl.core.processing_activity_id": processing_activity(record),
        "dpl.core.data_subject_id": subject.id,
        "dpl.core.data_subject_id_type": subject.type,
    }
    if record.trace and record.organisation:
        # The partner's application called the broker: its step, and its operator, by OIN.
        attributes["dpl.core.foreign_operation.span_id"] = record.trace.parent_id
        attributes["dpl.core.foreign_operation.processor"] = f"urn:nld:oin:{record.organisation}"
    attributes["sluis.log.origin"] = origin
    attributes["sluis.log.index"] = record.index
    return {
        **ids,
        "status": "Error" if record.outcome == "error" else "Ok",  # a refusal is a decision, and no error
        "name": f"{record.kind}.{record.type}" if record.type else record.kind,
        "start_time": record.time * 1000,
        "end_time": record.time * 1000,
        "resource": {"attributes": {"service.name": origin}},
        "attributes": attributes,
    }


def processing_activity(record: Record) -> str:
    """Return the activity that this is: a new id whenever the rules of its purpose may have changed (bundle)."""
    parts = (record.controller or "-", record.purpose or record.type or record.kind, record.bundle or "-")
    return "urn:sluis:processing-activity:" + ":".join(parts)
