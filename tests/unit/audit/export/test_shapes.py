"""The shapes of others: Logboek Dataverwerkingen, Authorization Decision Log and FHIR AuditEvent."""

import json
from dataclasses import replace
from typing import Any

from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle

from audit.export.adl import to_adl
from audit.export.content import Content
from audit.export.fhir import to_fhir
from audit.export.ldv import to_ldv
from audit.export.verify import SCHEMAS, validator
from policies.export import Place, adl_record
from tests.unit.audit.export.opened_log import DECISION, ENTRIES, EXPORTED, HANDLES, SEEN, TRACE, OpenedLog
from tests.unit.audit.log_simulator import NOW, ORIGIN


def for_supervisor(world: OpenedLog) -> Content:
    """Return the same entries with all five groups opened."""
    return world.content(replace(world.stated, reader="supervisor"))


def records(shape: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of a shape as plain JSON, as a reader gets them."""
    found: list[dict[str, Any]] = json.loads(json.dumps(shape))["records"]
    return found


def test_every_shape_follows_its_published_schema(world: OpenedLog) -> None:
    """The schemas that others build on hold for both readers, and are schemas themselves."""
    for path in SCHEMAS.glob("*.json"):
        schema = validator(path.stem[::-1].replace("-", "/", 1)[::-1])
        schema.check_schema(schema.schema)
    for content in (world.content(), for_supervisor(world)):
        for name, shape in (("ldv-export/v1", to_ldv(content)), ("adl-export/v1", to_adl(content))):
            assert list(validator(name).iter_errors(json.loads(json.dumps(shape)))) == []


def test_one_ldv_record_for_each_person_that_was_asked_about(world: OpenedLog) -> None:
    """A household of three is three records; nothing but the own question decides how many there are."""
    found = records(to_ldv(world.content()))
    by_index = {index: [one for one in found if one["attributes"]["sluis.log.index"] == index] for index in EXPORTED}
    assert {index: len(of) for index, of in by_index.items()} == {0: 3, 2: 3, 3: 3, 4: 0, 5: 1, 6: 3}
    assert len({one["attributes"]["dpl.core.data_subject_id"] for one in found}) == len(found)
    assert len({one["span_id"] for one in found}) == len(found)
    assert [one["status"] for one in by_index[2] + by_index[3]] == ["Ok"] * 3 + ["Error"] * 3


def test_an_ldv_record_names_no_worker(world: OpenedLog) -> None:
    """Who did it stands in the log, where the record leads, and not in the record."""
    (first, *_) = records(to_ldv(world.content()))
    assert first["trace_id"] == TRACE["id"]
    assert first["parent_span_id"] == TRACE["parent"]
    assert first["start_time"] == first["end_time"] == NOW * 1000
    assert first["name"] == "check.check_household"
    assert first["attributes"]["dpl.core.processing_activity_id"].endswith(":verwijsindex:" + "ab" * 32)
    assert first["attributes"]["dpl.core.foreign_operation.span_id"] == TRACE["parent"]
    told = json.dumps(to_ldv(world.content()))
    assert world.stated.worker not in told
    assert not any(name in told for name in world.stated.names.values())


def test_the_supervisor_gets_search_handles_in_ldv(world: OpenedLog) -> None:
    """With the search handles opened, a record is about a handle, of a request and of what a sweep ended."""
    found = records(to_ldv(for_supervisor(world)))
    ids = [one["attributes"]["dpl.core.data_subject_id"] for one in found]
    assert ids[:2] == [f"urn:sluis:search-handle:{handle}" for handle in HANDLES]
    assert ids.count(f"urn:sluis:search-handle:{HANDLES[0]}") == 2


def test_adl_says_what_policies_says(world: OpenedLog) -> None:
    """The records are those of `policies/export.py` for an entry without a trace, but for the unknown compiler."""
    content = for_supervisor(world)
    traceless = replace(content, records=tuple(replace(record, trace=None) for record in content.records))
    expected = []
    for number, decision in enumerate((DECISION, SEEN), start=1):
        record: dict[str, Any] = adl_record(decision, Place(log=ORIGIN, entry=0, number=number, time=NOW))
        del record["schema"], record["attributes"]["adl.core.configuration"]
        expected.append(record)
    assert records(to_adl(traceless))[:2] == expected


def test_decisions_about_hits_are_the_supervisors(world: OpenedLog) -> None:
    """An organisation gets the decision on its own question only; the supervisor gets every one, in one trace."""
    own, every = records(to_adl(world.content())), records(to_adl(for_supervisor(world)))
    assert len(own) == sum("decision" in e[1].get("meta", {}) and bool(e[1]["meta"]["decision"]) for e in ENTRIES)
    assert len(every) == len(own) + 1
    assert {one["trace_id"] for one in every[:2]} == {TRACE["id"]}
    assert {one["body"]["adl.core.request"]["resource"]["type"] for one in every} == {"purpose", "signal"}
    assert [one["body"]["adl.core.response"]["decision"] for one in every[:2]] == [True, False]


def test_a_decision_that_failed_is_an_error_and_a_refusal_is_none(world: OpenedLog) -> None:
    """Only what could not be decided is an error."""
    content = world.content()
    failed = {**DECISION, "outcome": "refuse", "text": {"id": "vragen.error", "params": {}}, "facts": {}}
    first = replace(content.records[0], decision=failed)
    (record,) = records(to_adl(replace(content, records=(first,))))
    assert (record["status"], record["body"]["adl.core.response"]["decision"]) == ("Error", False)
    (empty,) = records(to_adl(replace(content, records=(replace(first, decision={"outcome": "permit"}),))))
    assert (empty["status"], empty["body"]["adl.core.information"]) == ("Ok", {})


def test_every_audit_event_is_one_of_fhir(world: OpenedLog) -> None:
    """A library that knows the base structure of FHIR takes the Bundle and each event, for both readers."""
    for content in (world.content(), for_supervisor(world)):
        shape = json.loads(json.dumps(to_fhir(content)))
        assert len(Bundle.model_validate(shape).entry or []) == len(EXPORTED)
        for entry in shape["entry"]:
            AuditEvent.model_validate(entry["resource"])
        assert len({entry["fullUrl"] for entry in shape["entry"]}) == len(EXPORTED)


def test_an_audit_event_says_who_did_what_about_whom(world: OpenedLog) -> None:
    """Agent, action, outcome, purpose, persons and the place in the log, in the codes of DICOM and FHIR."""
    first, refused, failed, policy, swept, exception = (
        entry["resource"] for entry in json.loads(json.dumps(to_fhir(world.content())))["entry"]
    )
    assert (first["type"]["code"], first["action"], first["outcome"], first["outcomeDesc"]) == (
        "110112", "E", "0", "shown",
    )  # fmt: skip
    worker, approver, organisation = first["agent"]
    assert (worker["name"], worker["requestor"], approver["requestor"]) == ("Noor de Wit", True, False)
    assert (organisation["requestor"], sum(agent["requestor"] for agent in first["agent"])) == (False, 1)
    assert [entity["role"]["code"] for entity in first["entity"]] == ["1", "1", "1", "13", "3"]
    assert {detail["type"]: detail["valueString"] for detail in first["entity"][-1]["detail"]}["index"] == "0"
    assert (refused["action"], refused["outcome"], refused["outcomeDesc"]) == ("D", "4", "used-for-standing")
    assert (failed["action"], failed["outcome"]) == ("C", "8")
    assert (policy["type"]["code"], policy["subtype"][0]["code"], policy["agent"][0]["requestor"]) == (
        "110113", "110129", True,
    )  # fmt: skip
    assert "outcomeDesc" not in policy
    assert swept["action"] == "D"
    assert exception["subtype"][0]["code"] == "110127"


def test_an_erased_group_is_told_in_fhir(world: OpenedLog) -> None:
    """An event whose worker was erased has the organisation's place empty and says which group it was."""
    content = world.content()
    erased = replace(content.records[0], erased=("actor",), worker=None, approver=None, role=None)
    (entry,) = json.loads(json.dumps(to_fhir(replace(content, records=(erased,)))))["entry"]
    assert {"type": "erased", "valueString": "actor"} in entry["resource"]["entity"][-1]["detail"]
    assert [agent["requestor"] for agent in entry["resource"]["agent"]] == [True]


def test_no_shape_holds_a_citizen_number_or_a_name(world: OpenedLog) -> None:
    """Nothing of nine digits alone stands in any shape, and names of workers only where people are told."""
    for shape in (to_ldv(world.content()), to_adl(world.content())):
        assert not any(name in json.dumps(shape) for name in world.stated.names.values())
