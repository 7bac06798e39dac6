"""What holds on a day, and what happens once something has ended."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from policies import Bundle, Ended, Permit, Refusal, load_bundle
from policies.errors import ExpiredBundleError, SchemaError
from tests.unit.policies.amsterdam import AA_DOCUMENT
from tests.unit.policies.arnhem import CHECK, DAY, REGISTER, SIGNAL_OF_GI, VIRA, changed_documents

GRONDEN, DOELEN = "lex/gronden.yaml", "lex/doelen.yaml"


def test_an_expired_bundle_refuses_to_start(shipped: Bundle) -> None:
    """Before the statute and after the last agreement there is nothing to decide with."""
    shipped.check_in_force(DAY)
    with pytest.raises(ExpiredBundleError, match="statutory"):
        shipped.check_in_force(date(2014, 12, 31))
    with pytest.raises(ExpiredBundleError, match="region"):
        shipped.check_in_force(date(2031, 1, 1))


def test_one_ended_agreement_refuses_its_own_questions(tmp_path: Path) -> None:
    """An agreement that has ended closes its own purposes by name, and nothing else."""
    folder = changed_documents(tmp_path, (VIRA, "tot: 2031-01-01", "tot: 2026-11-22"))
    bundle = load_bundle(folder)
    bundle.check_in_force(DAY)
    refusal = bundle.decision_point().may_ask(CHECK)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not-valid-on-this-day"


def test_while_ground_and_purpose_hold_nothing_happens_to_signals(shipped: Bundle) -> None:
    """The verwijsindex as it is shipped has no end date."""
    day = date(2035, 1, 1)
    assert shipped.ended(purpose="verwijsindex", ground="JW-7.1.4.1", day=day) is None
    assert shipped.rests_on_what_holds(purpose="verwijsindex", ground="JW-7.1.4.1", day=day)
    assert not shipped.all_ended(DAY)


@pytest.mark.parametrize(("purpose", "ground"), [("weg", "JW-7.1.4.1"), ("verwijsindex", "weg")])
def test_a_signal_on_what_no_table_knows_counts_for_nothing(shipped: Bundle, purpose: str, ground: str) -> None:
    """A purpose or a ground that left the tables supports no signal, and nobody has said what then happens to it."""
    assert not shipped.rests_on_what_holds(purpose=purpose, ground=ground, day=DAY)
    assert shipped.ended(purpose=purpose, ground=ground, day=DAY) is None


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (GRONDEN, "van: 2015-01-01\n    tot: null", "van: 2015-01-01\n    tot: 2027-01-01"),
        (DOELEN, "van: 2015-01-01\n    tot: null", "van: 2015-01-01\n    tot: 2027-01-01"),
    ],
    ids=["ground", "verwijsindex"],
)
def test_a_ground_or_the_verwijsindex_ends_on_a_date(tmp_path: Path, file: str, old: str, new: str) -> None:
    """From that day nothing is registered or shown on it, and the document says what happens to live signals."""
    bundle = load_bundle(changed_documents(tmp_path, (file, old, new)))
    point = bundle.decision_point()
    last, first = date(2026, 12, 31), date(2027, 1, 1)
    assert isinstance(point.may_ask(replace(REGISTER, day=last)), Permit)
    refusal = point.may_ask(replace(REGISTER, day=first))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not-valid-on-this-day"
    assert isinstance(point.may_see(replace(CHECK, day=first), SIGNAL_OF_GI), Refusal)
    where = {"purpose": "verwijsindex", "ground": "JW-7.1.4.1"}
    assert (bundle.ended(**where, day=last), bundle.rests_on_what_holds(**where, day=last)) == (None, True)
    ended = bundle.ended(**where, day=first)
    assert isinstance(ended, Ended)
    assert (ended.on, ended.gone_on) == (first, date(2027, 4, 1))
    assert (ended.after.act, ended.after.onto, ended.after.days) == ("omzetten", "TOEST", 90)
    assert "90 dagen" in ended.after.text_nl
    assert not bundle.rests_on_what_holds(**where, day=first)
    assert bundle.all_ended(first)["verwijsindex", "JW-7.1.4.1"] == ended
    assert not bundle.all_ended(last)


def test_an_end_date_without_what_happens_then_does_not_load(tmp_path: Path) -> None:
    """Nobody can end a ground and leave open what becomes of the signals that rest on it."""
    old = "kort: het medisch beroepsgeheim (BW 7:457)"
    folder = changed_documents(
        tmp_path, (GRONDEN, "van: 1995-04-01\n    tot: null", "van: 1995-04-01\n    tot: 2027-01-01")
    )
    assert old in (folder / GRONDEN).read_text(encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        load_bundle(folder)
    assert caught.value.field.endswith("na_einde")


def test_a_replaced_ground_is_named_only_where_there_is_one(tmp_path: Path) -> None:
    """A signal is based on another ground only where the document says which."""
    folder = changed_documents(tmp_path, (GRONDEN, "wat: omzetten\n      op: TOEST", "wat: omzetten"))
    with pytest.raises(SchemaError):
        load_bundle(folder)


def test_an_amendment_is_a_new_document(tmp_path: Path) -> None:
    """Another version of an agreement has another name, so decisions of before still name the old one."""
    bundle = load_bundle(changed_documents(tmp_path, (AA_DOCUMENT, "versie: 2026.1.0", "versie: 2026.2.0")))
    assert "aa@2026.2.0" in {convenant.label for convenant in bundle.convenants}
    assert not any(rule.startswith("aa@2026.1.0") for rule in bundle.clauses)
