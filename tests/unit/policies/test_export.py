"""Decisions for others: the shape of the Authorization Decision Log, once per decision."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from policies import DecisionPoint
from policies.cli import app
from policies.export import Place, adl_record
from policies.schema import validator
from tests.unit.policies.arnhem import CHECK, SIGNAL_OF_GI

PLACE = Place(log="broker.example/log", entry=7, number=1, time=1_795_345_200)


def test_a_record_follows_the_published_schema(point: DecisionPoint) -> None:
    """Permits, refusals and failures each become one record; only a failure is an error."""
    permit, refusal = point.may_ask(CHECK), point.may_see(CHECK, replace(SIGNAL_OF_GI, shielded=True))
    failed: dict[str, Any] = {**refusal.record(), "facts": {}, "text": {"id": "zien.error", "params": {}}}
    records = [adl_record(one, PLACE) for one in (permit.record(), refusal.record(), failed)]
    for record in records:
        assert list(validator("adl-record/v1").iter_errors(record)) == []
    assert [record["status"] for record in records] == ["Ok", "Ok", "Error"]
    assert [record["body"]["adl.core.response"]["decision"] for record in records] == [True, False, False]  # type: ignore[index,call-overload]  # by the schema above


def test_the_same_entry_gives_the_same_ids(point: DecisionPoint) -> None:
    """Exporting twice adds nothing; another entry or another decision in it has another span."""
    record = point.may_ask(CHECK).record()
    first, again = adl_record(record, PLACE), adl_record(record, PLACE)
    other, next_one = adl_record(record, replace(PLACE, entry=8)), adl_record(record, replace(PLACE, number=2))
    assert first == again
    assert first["trace_id"] == next_one["trace_id"] != other["trace_id"]
    assert len({one["span_id"] for one in (first, other, next_one)}) == 3


def test_entries_are_exported_line_by_line(point: DecisionPoint, tmp_path: Path) -> None:
    """Payloads of meta and hits give one line per decision; anything else is told by its line."""
    meta = {"schema": "entry-meta/v1", "decision": point.may_ask(CHECK).record()}
    hits = {
        "schema": "entry-hits/v1",
        "decisions": [{"decision": point.may_see(CHECK, SIGNAL_OF_GI).record(), "signals": []}],
    }
    lines = [{"log": "l", "entry": 1, "time": 2, "payload": payload} for payload in (meta, hits)]
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    result = CliRunner().invoke(app, ["export", str(file)])
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert len({one["trace_id"] for one in told}) == 1
    assert len({one["span_id"] for one in told}) == 2
    for wrong in ("{", "[]", '{"log": "l"}', json.dumps({**lines[0], "payload": {}})):
        file.write_text(wrong, encoding="utf-8")
        refused = CliRunner().invoke(app, ["export", str(file)])
        assert (refused.exit_code, "line 1" in refused.stderr) == (2, True)
