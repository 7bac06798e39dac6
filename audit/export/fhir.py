"""Records as FHIR R4 AuditEvents in a Bundle; `docs/audit-mapping.md` has NEN 7513 and IHE BALP beside it.

Codes: DICOM PS3.16 Annex D (DCM), `object-role` and `audit-event-outcome` of FHIR R4.
"""

import hashlib
import uuid
from collections.abc import Mapping
from types import MappingProxyType

from audit.export.content import Content, Json, instant
from audit.export.records import Record
from audit.export.subjects import subjects_of
from audit.export.traces import trace_id

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_AGENT_TYPE = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
_QUERY, _RECORD, _EXPORT = ("110112", "Query"), ("110110", "Patient Record"), ("110106", "Export")
_LOG_USED, _SECURITY = ("110101", "Audit Log Used"), ("110113", "Security Alert")
_DEFAULT = (_RECORD, "R")

# DCM code and action (Create, Read, Update, Delete, Execute) by kind, or by type where a kind has several.
_BY_KIND: Mapping[str, tuple[tuple[str, str], str]] = MappingProxyType(
    {
        "check": (_QUERY, "E"),
        "oproep": (_QUERY, "E"),
        "request": (_QUERY, "E"),
        "answer": (_EXPORT, "R"),
        "export": (_EXPORT, "R"),
        "read": (_LOG_USED, "R"),
        "review": (_LOG_USED, "R"),
        "exception": (_SECURITY, "E"),
        "policy": (_SECURITY, "U"),
        "register": (_SECURITY, "U"),
        "admin": (_SECURITY, "U"),
        "key": (_SECURITY, "U"),
        "consent": (_RECORD, "C"),
        "signal": (_RECORD, "C"),
        "retention": (_RECORD, "D"),
        "erasure": (_RECORD, "D"),
    }
)
_BY_TYPE: Mapping[str, tuple[tuple[str, str], str]] = MappingProxyType(
    {"renew_signal": (_RECORD, "U"), "withdraw_signal": (_RECORD, "D"), "list_signals": (_RECORD, "R")}
)
# What the alert is: DCM 110127 for the emergency procedure (NEN 7513), the others change how access is guarded.
_ALERTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "exception": ("110127", "Emergency Override Started"),
        "policy": ("110129", "Security Configuration"),
        "register": ("110136", "Security Roles Changed"),
        "admin": ("110137", "User security Attributes Changed"),
        "key": ("110129", "Security Configuration"),
    }
)
_OUTCOMES: Mapping[str, str] = MappingProxyType({"refused": "4", "error": "8"})


def to_fhir(content: Content) -> Json:
    """Return a Bundle (`collection`) with one AuditEvent per entry, in the order of the log."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": instant(content.stated.made_at),
        "entry": [
            {"fullUrl": f"urn:uuid:{_uuid(content.checkpoint.origin, record)}", "resource": _event(content, record)}
            for record in content.records
        ],
    }


def _event(content: Content, record: Record) -> Json:
    origin = content.checkpoint.origin
    code, action = _BY_TYPE.get(record.type or "") or _BY_KIND.get(record.kind, _DEFAULT)
    subtypes = [_coding("urn:sluis:kind", record.kind)]
    if record.kind in _ALERTS:
        subtypes.insert(0, _coding(_DCM, *_ALERTS[record.kind]))
    return {
        "resourceType": "AuditEvent",
        "type": _coding(_DCM, *code),
        "subtype": subtypes,
        "action": action,
        "recorded": instant(record.time),
        "outcome": _OUTCOMES.get(record.outcome or "", "0"),
        **({"outcomeDesc": record.reason or record.outcome} if record.outcome else {}),
        **({"purposeOfEvent": [_concept("urn:sluis:purpose", record.purpose)]} if record.purpose else {}),
        "agent": _agents(content, record),
        "source": {"observer": {"display": origin}, "type": [_coding(_SOURCE, "4", "Application Server")]},
        "entity": [*_persons(origin, record), _decision(record), _place(origin, record)],
    }


_SOURCE = "http://terminology.hl7.org/CodeSystem/security-source-type"


def _agents(content: Content, record: Record) -> list[Json]:
    """Return who asked, the approver, and the organisation; where nobody did, the log itself is the agent."""
    people: list[Json] = []
    for worker, role, asked in ((record.worker, record.role, True), (record.approver, "approver", False)):
        if worker is not None:
            name = content.name_of(worker)
            people.append(
                {
                    "who": _identified("urn:sluis:worker", worker),
                    **({"name": name} if name else {}),
                    **({"role": [_concept("urn:sluis:role", role)]} if role else {}),
                    "requestor": asked,
                }
            )
    if record.organisation is not None:
        organisation = _identified("urn:sluis:oin", record.organisation)
        people.append({"type": _concept(_AGENT_TYPE, "dataprocessor"), "who": organisation, "requestor": not people})
    system: Json = {"who": {"display": content.checkpoint.origin}, "requestor": True}
    return people or [system]


def _persons(origin: str, record: Record) -> list[Json]:
    return [
        {
            "what": _identified(subject.type, subject.id),
            "type": _coding(_ENTITY_TYPE, "1", "Person"),
            "role": _coding(_OBJECT_ROLE, "1", "Patient"),
        }
        for subject in subjects_of(origin, record)
    ]


def _decision(record: Record) -> Json:
    decision = record.decision or {}
    details = {
        "bundle": record.bundle,
        "decision": decision.get("outcome"),
        "rule": decision.get("rule"),
        "grounds": " ".join(record.grounds) or None,
        "controller": record.controller,
        "team": record.team,
        "shown": str(len(record.shown)),
    }
    return {
        "type": _coding(_ENTITY_TYPE, "2", "System Object"),
        "role": _coding(_OBJECT_ROLE, "13", "Security Resource"),
        "name": "decision",
        "detail": [{"type": name, "valueString": value} for name, value in details.items() if isinstance(value, str)],
    }


def _place(origin: str, record: Record) -> Json:
    details = {
        "index": str(record.index),
        "leafSha256": record.leaf_sha256,
        "trace": trace_id(origin, record),
        **({"erased": " ".join(record.erased)} if record.erased else {}),
    }
    return {
        "what": _identified("urn:sluis:log", origin),
        "type": _coding(_ENTITY_TYPE, "2", "System Object"),
        "role": _coding(_OBJECT_ROLE, "3", "Report"),
        "name": "log-entry",
        "detail": [{"type": name, "valueString": value} for name, value in details.items()],
    }


def _uuid(origin: str, record: Record) -> str:
    """Return an id (RFC 9562 version 8) that is always the same for one entry of one log."""
    digest = hashlib.sha256(f"{origin} {record.index}".encode()).digest()[:16]
    marked = bytearray(digest)
    marked[6] = marked[6] & 0x0F | 0x80
    marked[8] = marked[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(marked)))


def _coding(system: str, code: str, display: str | None = None) -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def _concept(system: str, code: str) -> Json:
    return {"coding": [_coding(system, code)]}


def _identified(system: str, value: str) -> Json:
    return {"identifier": {"system": system, "value": value}}
