"""Replaying: a record holds every fact, so its decision comes out the same byte for byte."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from policies import Bundle, DecisionPoint, Permit, Refusal, load_bundle
from policies.errors import FactsError, RecordError
from policies.facts import Json
from policies.question import read_question
from policies.replay import decide_again, read_records, replay
from tests.unit.policies.arnhem import CHECK, SIGNAL_OF_GI, VIRA, changed_documents
from tests.unit.policies.rows import decide
from tests.unit.policies.test_decisions import ROWS

KIJKEN = "vragend: [wijkteam, gi, veilig_thuis]"
ENTITLED = (VIRA, "    bsn_recht: simulated\n", "")

Record = dict[str, Json]


@pytest.fixture(scope="module")
def records(trial_point: DecisionPoint) -> list[Record]:
    """The records of every row of the decision tables, and of facts that are unknown words."""
    rows = [decide(trial_point, row).record() for row in ROWS]
    return [*rows, *(decision.record() for decision in _strange(trial_point))]


def _strange(point: DecisionPoint) -> Iterator[Permit | Refusal]:
    """Decisions on facts of which the record keeps no more than that they were unknown."""
    wrong = {
        "day": "22 november",
        "operation": "read",
        "organisation": "12",
        "org_class": "bakker",
        "purpose": "nieuwsgierig",
        "grounds": ("NEE",),
        "families": frozenset({"dna"}),
        "simulated_bsn_right": "ja",
    }
    for name, value in wrong.items():
        yield point.may_ask(replace(CHECK, **{name: value}))  # type: ignore[arg-type]  # facts of a wrong type
    yield point.may_see(CHECK, replace(SIGNAL_OF_GI, shielded="nee"))  # type: ignore[arg-type]  # the same


def test_every_decision_comes_out_the_same_byte_for_byte(trial: Bundle, records: list[Record]) -> None:
    """From facts and bundle alone each record is made again, the strange ones too."""
    result = replay(trial, records)
    assert result.counts == {"reproduced": len(records)}
    assert (result.holds, result.changed) == (True, 0)


def test_a_record_that_was_changed_is_noticed(trial: Bundle, records: list[Record]) -> None:
    """Another level, rule or fact than the bundle gives is a broken record, by its place."""
    forged = [records[0], {**records[1], "level": 2, "outcome": "permit"}]
    result = replay(trial, forged)
    assert result.counts == {"reproduced": 1, "broken": 1}
    assert (result.worst, result.holds) == ((2,), False)


def test_another_bundle_tells_what_would_change(shipped: Bundle, tmp_path: Path) -> None:
    """A narrower bundle says how many past decisions it closes; one that only has another number changes none."""
    point = shipped.decision_point()
    past = [decide(point, row).record() for row in ROWS if row.ask.purpose == "verwijsindex"]
    renamed = load_bundle(changed_documents(tmp_path / "a", (VIRA, "versie: 2026.1.0", "versie: 2026.2.0")))
    narrower = load_bundle(changed_documents(tmp_path / "b", (VIRA, KIJKEN, "vragend: [gi, veilig_thuis]"), ENTITLED))
    duties = load_bundle(changed_documents(tmp_path / "c", (VIRA, "termijn: P28D", "termijn: P14D")))
    assert replay(renamed, past).changed == 0
    closed = replay(narrower, past)
    assert closed.counts["closes"] > 0
    assert closed.counts["opens"] == 1  # the row of a school without the right to the number
    assert replay(duties, past).counts["otherwise"] == 1
    assert closed.holds


def test_an_error_of_the_service_is_no_decision_to_reproduce(trial: Bundle, records: list[Record]) -> None:
    """A failure is recorded as a refusal; no fact brings it about again, and it is counted apart."""
    failed: Record = {**records[1], "facts": {}, "text": {"id": "vraag.error", "params": {}}}
    assert replay(trial, [failed]).counts == {"failure": 1}


def test_facts_this_version_cannot_read_are_told(trial: Bundle, records: list[Record]) -> None:
    """A record with missing facts is not passed over."""
    result = replay(trial, [{**records[0], "facts": {"day": "2026-11-22"}}])
    assert (result.counts, result.holds) == ({"unreadable": 1}, False)
    with pytest.raises(FactsError):
        decide_again(trial.decision_point(), None)


def test_records_are_read_from_entries_too(records: list[Record]) -> None:
    """Lines hold records, or the payloads of group meta and hits as a log opens them."""
    lines = [
        json.dumps(records[0]),
        "",
        json.dumps({"schema": "entry-meta/v1", "decision": records[1]}),
        json.dumps({"schema": "entry-meta/v1", "decision": None}),
        json.dumps({"schema": "entry-hits/v1", "decisions": [{"decision": records[2], "signals": []}]}),
    ]
    assert list(read_records(lines)) == records[:3]


@pytest.mark.parametrize(
    "line", ["{", "[" * 5000, "[]", "{}", '{"decision": 1}', '{"decisions": [1]}', '{"schema": "decision/v1"}']
)
def test_what_is_no_record_is_told_by_its_line(line: str) -> None:
    """Anything else ends the reading with the number of its line."""
    with pytest.raises(RecordError, match="line 1"):
        list(read_records([line]))


def test_records_hold_every_fact_that_is_not_its_default(records: list[Record]) -> None:
    """A question read back from its record is the same question, or a decision could not be made again."""
    for record, row in zip(records, ROWS, strict=False):
        assert read_question(record["facts"]) == (row.ask, row.hit)
