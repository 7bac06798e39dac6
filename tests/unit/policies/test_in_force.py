"""What is in force: swapped as a whole, or not at all; and what happens once something has ended."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from policies import Bundle, Permit, Refusal, RulesInForce, load_bundle
from policies.errors import ConvenantError, ExpiredBundleError, SchemaError
from tests.unit.policies.amsterdam import AA_DOCUMENT
from tests.unit.policies.arnhem import CHECK, DAY, REGISTER, SIGNAL_OF_GI, VIRA, changed_documents

GRONDEN, DOELEN, LEX = "lex/gronden.yaml", "lex/doelen.yaml", "lex/wettelijk.yaml"


def test_a_reload_swaps_bundle_and_decision_point_together(shipped: Bundle, tmp_path: Path) -> None:
    """After a reload the new documents decide; what was taken before goes on with the old ones."""
    in_force = RulesInForce(shipped, day=DAY)
    before = in_force.current
    folder = changed_documents(
        tmp_path, (VIRA, "handelingen: [check]\n    vragend: [wijkteam, gi", "handelingen: [check]\n    vragend: [gi")
    )
    after = in_force.reload(folder, day=DAY)
    assert in_force.current is after
    assert after.bundle.sha256 != before.bundle.sha256
    assert isinstance(before.point.may_ask(CHECK), Permit)
    assert isinstance(after.point.may_ask(CHECK), Refusal)


@pytest.mark.parametrize(
    "change",
    [
        (VIRA, "voorbeeld: true", "voorbeeld: true\nkleur: rood"),
        (VIRA, "vragend: [gi, veilig_thuis]", "vragend: [gi, buurman]"),
        (LEX, "van: 2015-01-01, tot: null", "van: 2015-01-01, tot: 2026-11-22"),
    ],
    ids=["schema", "clause", "expired"],
)
def test_a_wrong_document_never_half_loads(shipped: Bundle, tmp_path: Path, change: tuple[str, str, str]) -> None:
    """A reload that fails leaves bundle and decisions exactly as they were."""
    in_force = RulesInForce(shipped, day=DAY)
    before = in_force.current
    record = before.point.may_ask(CHECK).record()
    with pytest.raises(ConvenantError):
        in_force.reload(changed_documents(tmp_path, change), day=DAY)
    assert in_force.current is before
    assert before.point.may_ask(CHECK).record() == record


def test_an_expired_bundle_refuses_to_start(shipped: Bundle) -> None:
    """Before the statute and after the last agreement there is nothing to decide with."""
    shipped.check_in_force(DAY)
    with pytest.raises(ExpiredBundleError, match="statutory"):
        shipped.check_in_force(date(2014, 12, 31))
    with pytest.raises(ExpiredBundleError, match="region"):
        RulesInForce(shipped, day=date(2031, 1, 1))


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
    assert shipped.after_end(purpose="verwijsindex", ground="JW-7.1.4.1", day=date(2035, 1, 1)) is None


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
    assert bundle.after_end(**where, day=last) is None
    ended = bundle.after_end(**where, day=first)
    assert ended is not None
    assert (ended.act, ended.onto, ended.days) == ("omzetten", "TOEST", 90)
    assert "90 dagen" in ended.text_nl


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
