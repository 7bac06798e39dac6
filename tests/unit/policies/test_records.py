"""decision/v1: every record follows its published schema, is small, and can be made again from its facts."""

import hashlib
import json
import subprocess
import sys
from dataclasses import MISSING, fields, replace
from itertools import product
from pathlib import Path

import pytest
import rfc8785
from jsonschema import Draft202012Validator

from policies import AskFacts, Bundle, DecisionPoint, Permit, Refusal
from policies.errors import FactsError
from policies.facts import Json, ask_record, hit_record
from policies.question import read_question
from policies.schema import SCHEMAS, validator
from tests.unit.policies.arnhem import CHECK, REGISTER, SIGNAL_OF_GI
from tests.unit.policies.rows import decide
from tests.unit.policies.statutory import TELL_POLICE
from tests.unit.policies.test_decisions import ROWS

LARGEST_SEE_RECORD = 899
"""Bytes of RFC 8785 a may_see record may take, since a whole page of hits shares one padded payload."""


def decisions(point: DecisionPoint) -> list[Permit | Refusal]:
    """One decision per row of the decision tables."""
    return [decide(point, row) for row in ROWS]


def test_records_follow_the_published_schema(trial_point: DecisionPoint) -> None:
    """Whoever replays a log can rely on decision-v1.json."""
    for decision in [*decisions(trial_point), trial_point.may_ask(None)]:  # type: ignore[arg-type]  # no facts at all
        validator("decision/v1").validate(decision.record())


def test_a_record_is_made_again_byte_for_byte(trial: Bundle, trial_point: DecisionPoint) -> None:
    """The facts in a record, read back, give the same record from a fresh decision point."""
    again = trial.decision_point()
    for decision in decisions(trial_point):
        record = decision.record()
        ask, hit = read_question(record["facts"])
        fresh = again.may_ask(ask) if hit is None else again.may_see(ask, hit)
        assert rfc8785.dumps(fresh.record()) == rfc8785.dumps(record)


def test_a_record_of_unknown_words_is_made_again_too(point: DecisionPoint) -> None:
    """A fact that stands as ? is unknown again on replay, so the record stays the same."""
    record = point.may_ask(replace(CHECK, purpose="onbekend", organisation="x", grounds=("y",))).record()
    ask, _ = read_question(record["facts"])
    assert point.may_ask(ask).record() == record


def test_a_record_names_its_bundle(shipped: Bundle, point: DecisionPoint) -> None:
    """The bundle hash in a record is the hash of the canonical bytes."""
    assert point.may_ask(CHECK).record()["bundle"] == hashlib.sha256(shipped.canonical()).hexdigest()


def test_a_record_carries_no_free_text(trial_point: DecisionPoint) -> None:
    """Texts stand in a record as id and words of the vocabulary only."""
    for decision in decisions(trial_point):
        record = decision.record()
        assert set(record["text"]) == {"id", "params"}  # type: ignore[arg-type]  # a mapping, by the schema above
        assert decision.text.nl not in rfc8785.dumps(record).decode()


def test_may_see_records_stay_small(trial: Bundle, trial_point: DecisionPoint) -> None:
    """No combination of words makes a may_see record of 900 bytes or more."""
    longest_class = max(trial.classes, key=len)
    flagged = (replace(SIGNAL_OF_GI, shielded=True), replace(SIGNAL_OF_GI, kind="address"), SIGNAL_OF_GI)
    classes = (longest_class, "school", "veilig_thuis", "gi")
    sizes = []
    for org_class, holder_class, purpose, signal in product(classes, classes, trial.purposes, flagged):
        ask = replace(
            REGISTER,
            org_class=org_class,
            purpose=purpose,
            grounds=("TEST-PROEFREGIO", "JW-7.1.4.1", "WMO-5.2.6"),
            standing="statutory_reference",
        )
        hit = replace(signal, holder_class=holder_class, purpose=purpose, ground="TEST-PROEFREGIO")
        sizes += [len(rfc8785.dumps(trial_point.may_see(one, hit).record())) for one in (ask, replace(ask, role="?"))]
    sizes += [len(rfc8785.dumps(one.record())) for one in decisions(trial_point) if one.question == "may_see"]
    assert max(sizes) <= LARGEST_SEE_RECORD


def test_the_hash_is_stable_across_processes() -> None:
    """Bundle hash and records do not depend on the hash seed of the process."""
    program = (
        "from policies import load_bundle\n"
        "from tests.unit.policies.arnhem import CHECK, REGISTER, SIGNAL_OF_GI\n"
        "import rfc8785, sys\n"
        "bundle = load_bundle()\n"
        "point = bundle.decision_point()\n"
        "records = [point.may_ask(REGISTER).record(), point.may_see(CHECK, SIGNAL_OF_GI).record()]\n"
        "sys.stdout.write(bundle.sha256 + rfc8785.dumps(records).decode())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "4242")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_schema_is_a_schema(path: Path) -> None:
    """The files in policies/schemas are valid JSON Schema 2020-12 and closed at their top."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False


GOOD: dict[str, Json] = {
    "day": "2026-11-22",
    "operation": "check",
    "organisation": "00000099000000001000",
    "org_class": "wijkteam",
    "role": "worker",
    "purpose": "verwijsindex",
    "grounds": ["JW-7.1.4.1"],
    "standing": "own_signal",
    "approval": "none",
    "families": ["fam", "nlbsn"],
}


def test_facts_are_read_back(shipped: Bundle) -> None:
    """Facts in JSON are the facts they were."""
    assert read_question(GOOD) == (CHECK, None)
    hit = hit_record(SIGNAL_OF_GI, shipped.vocabulary)
    assert read_question({**GOOD, "hit": hit}) == (CHECK, SIGNAL_OF_GI)
    needed = {field.name for field in fields(AskFacts) if field.default is MISSING}
    assert needed == set(GOOD)


@pytest.mark.parametrize(
    ("content", "member"),
    [
        ([], "facts"),
        ({**GOOD, "bsn": "999990408"}, "facts"),
        ({key: value for key, value in GOOD.items() if key != "role"}, "facts.role"),
        ({**GOOD, "day": "22-11-2026"}, "facts.day"),
        ({**GOOD, "day": 20261122}, "facts.day"),
        ({**GOOD, "grounds": "JW-7.1.4.1"}, "facts.grounds"),
        ({**GOOD, "families": [1]}, "facts.families"),
        ({**GOOD, "hit": "gi"}, "facts.hit"),
        ({**GOOD, "hit": {"holder": "1"}}, "facts.hit.holder_class"),
    ],
)
def test_facts_that_are_not_facts_name_their_member(content: Json, member: str) -> None:
    """A missing, extra or ill-typed member is named, and no value is repeated."""
    with pytest.raises(FactsError) as caught:
        read_question(content)
    assert str(caught.value).startswith(f"{member}: ")
    assert "999990408" not in str(caught.value)


def test_a_fact_at_its_default_is_left_out_and_every_other_stands(shipped: Bundle, point: DecisionPoint) -> None:
    """A record names each fact that could open something, and no more, so records of a check stay small."""
    plain = point.may_ask(CHECK).record()["facts"]
    assert isinstance(plain, dict)
    assert set(plain) == {*GOOD, "simulated_bsn_right"}
    told = ask_record(TELL_POLICE, shipped.vocabulary)
    assert (told["dossier"], told["meldcode_approval"], told["recipient"]) == ("complete", False, "politie")
    assert "acute_open" not in ask_record(replace(TELL_POLICE, acute_open=True), shipped.vocabulary)


@pytest.mark.parametrize(
    ("member", "value", "named"),
    [
        ("proof_since", "22-11-2026", "facts.proof_since"),
        ("proof_ends_on", "24-11-2026", "facts.proof_ends_on"),
        ("consent_by", "person", "facts.consent_by"),
        ("fulfilled", [1], "facts.fulfilled"),
    ],
)
def test_a_later_fact_that_is_none_is_named(member: str, value: Json, named: str) -> None:
    """A fact with a default is read as strictly as the others."""
    with pytest.raises(FactsError) as caught:
        read_question({**GOOD, member: value})
    assert str(caught.value).startswith(f"{named}: ")


def test_an_unknown_day_of_a_proof_is_made_again(point: DecisionPoint) -> None:
    """A last day that stood as ? in a record is unknown again on replay."""
    content: dict[str, Json] = {**GOOD, "proof_ends_on": "?"}
    ask, _ = read_question(content)
    refusal = point.may_ask(ask)
    assert isinstance(refusal, Refusal)
    assert refusal.near_miss == ("proof_ends_on",)
