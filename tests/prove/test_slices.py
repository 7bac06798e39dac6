"""The whole finite domain: Casbin answers in every cell as the documents do, slice by slice, the changed ones here."""

import random
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from policies import AskFacts, InsecureTestBundleWarning, Refusal, load_bundle
from policies.cells import words_of
from policies.engine import Engine
from policies.errors import WordError
from policies.lines import REQUEST_COLUMNS, Request
from policies.must_hold import broken_properties
from policies.oracle import read_documents, says_yes
from policies.prove import Domain, first_difference, prove_slice
from tests.prove.mutants import EACH, KINDS, Mutant, mutants
from tests.prove.proven import read_proven, unproven

with warnings.catch_warnings():
    warnings.simplefilter("ignore", InsecureTestBundleWarning)
    BUNDLE = load_bundle(insecure_test_bundle=True)
DOMAIN = Domain.of(BUNDLE)
MUTANTS = list(mutants(BUNDLE))
ALWAYS = 12
"""Slices that are proven in every run, changed or not."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Casbin over the compiled lines."""
    return Engine(BUNDLE.lines, BUNDLE.vocabulary)


def _to_prove() -> dict[tuple[str, ...], frozenset[int]]:
    slices = DOMAIN.slices()
    some = {name: slices[name] for name in sorted(slices)[:: max(1, len(slices) // ALWAYS)]}
    return {**some, **unproven(DOMAIN, read_proven())}


def test_casbin_answers_as_the_documents_do_in_every_changed_slice(engine: Engine) -> None:
    """In every cell of a slice that changed since it was proven, and of some that did not, both answer the same."""
    proofs = {name: prove_slice(DOMAIN, engine, name, voices) for name, voices in _to_prove().items()}
    assert len(proofs) >= ALWAYS
    assert [wrong for proof in proofs.values() for wrong in proof.mismatches] == []
    assert all(proof.cells for proof in proofs.values())


def test_the_lines_say_what_the_documents_say_everywhere() -> None:
    """Without Casbin, every cell of every slice is compared in every run."""
    assert first_difference(DOMAIN) is None


def test_a_slice_counts_as_proven_only_as_it_is() -> None:
    """One cell of one line, or one word of one clause, changes the hash of the slices it speaks in."""
    proven = {" ".join(name): DOMAIN.hash_of(name, voices) for name, voices in DOMAIN.slices().items()}
    assert unproven(DOMAIN, proven) == {}
    mutant = next(one for one in MUTANTS if one.kind == "shift date")
    assert unproven(Domain.of(BUNDLE, mutant.lines), proven)
    assert len(unproven(DOMAIN, {})) == len(proven)


def _requests(count: int) -> Iterator[dict[str, str]]:
    """Random requests of whole words, not of classes; half of them near an allowing line."""
    chance = random.Random(20261122)
    allowing = [line for line in BUNDLE.lines if line.eft == "allow"]
    for number in range(count):
        line = chance.choice(allowing)
        words = {}
        for column in REQUEST_COLUMNS:
            known = DOMAIN.days if column == "day" else words_of(column, BUNDLE.vocabulary, act=line.act)
            fixed = getattr(line, column, "*") if number % 2 or column == "act" else "*"
            words[column] = (
                chance.choice(known) if fixed == "*" or (chance.random() < 0.05 and column != "act") else fixed
            )
        yield words


def test_random_requests_are_answered_alike(engine: Engine) -> None:
    """The classes of words lose nothing: requests of any words get the answer that the documents give."""
    readings = read_documents(BUNDLE.documents)
    yes = 0
    for words in _requests(2_000):
        speaking = [one for one in readings if all(one.speaks(column, word) for column, word in words.items())]
        expected = says_yes(speaking)
        yes += expected
        assert engine.judge(Request(**words)).allowed == expected
    assert yes > 20


def test_there_are_enough_mutants_of_every_kind() -> None:
    """Ten at least of each: delete, widen, flip, shift a date, shift a level, swap a role."""
    assert set(KINDS) == {mutant.kind for mutant in MUTANTS}
    assert all(sum(one.kind == kind for one in MUTANTS) == EACH >= 10 for kind in KINDS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: f"{one.kind} {one.rid} {one.what}")
def test_every_mutant_is_noticed(mutant: Mutant) -> None:
    """One thing wrong in one line of a clause that is not marked redundant is a cell answered otherwise."""
    assert first_difference(Domain.of(BUNDLE, mutant.lines), near=mutant.touched) is not None


def test_every_property_holds() -> None:
    """P1 to P7, TE, shielded signals, levels, and no line of a convenant about every ground."""
    assert list(broken_properties(BUNDLE, BUNDLE.lines)) == []


BASE = next(replace(line, exc="none") for line in BUNDLE.lines if line.rid == "vira@2026.1.0/kijken")
"""A line that breaks nothing by itself."""
TELLS = {"act": "share", "hold": "veilig_thuis", "purpose": "vt-melding"}
BREAKING = {
    "P1": {"ground": "geen"},
    "P2": {"consent": "withdrawn"},
    "P3": {"ground": "TOEST", "consent": "*"},
    "P4": {"ground": "CVP", "exc": "documented"},
    "P5": {"since": "18000101"},
    "P5 later": {"rid": "vira@2026.1.0/verzonnen", "until": "20990101"},
    "P6": {"ground": "WMO-5.2.6", "ask": "wijkteam", "act": "check"},
    "P7": {"exc": "acuut_elders", "act": "request"},
    "TE": {"ground": "BW-7:448-TE", "act": "check"},
    "shielded": {"act": "see", "shield": "shielded"},
    "levels": {"lmin": "2", "lmax": "2"},
    "shown": {"act": "see", "hold": "politie", "purpose": "vt-melding"},
    "rung": {"act": "ring", "hold": "reclassering", "purpose": "vt-melding"},
    "tells": {**TELLS, "ask": "politie", "ground": "WMO-5.2.6"},
    "tells borrowed": {**TELLS, "ground": "WPG-18"},
    "tells reclassering": {**TELLS, "hold": "reclassering"},
    "criminal": {**TELLS, "ask": "politie", "ground": "WPG-19", "hold": "school", "cat": "strafrecht"},
    "in-need": {**TELLS, "hold": "school", "ground": "CVP", "exc": "complete", "meldcode": "met"},
    "reviewed": {**TELLS, "hold": "politie", "ground": "CVP", "exc": "complete", "meldcode": "met"},
    "reviewed acute": {**TELLS, "ground": "WMO-5.2.6", "exc": "acuut"},
    "indexed": {"ask": "woningcorporatie"},
    "convenant-ground": {"rid": "vira@2026.1.0/kijken", "ground": "*"},
}
"""For each property a line that breaks it, as the columns in which it differs from one that allows a check."""


@pytest.mark.parametrize("name", sorted(BREAKING))
def test_a_line_that_breaks_a_property_is_named(name: str) -> None:
    """Each property can fail: one line that should not be there, and its name is told with a cell."""
    wrong = replace(BASE, **{"rid": "lex@2026.1.0/verzonnen", "party": "*", **BREAKING[name]})
    assert list(broken_properties(BUNDLE, (BASE,))) == []
    assert name.partition(" ")[0] in {one.name for one in broken_properties(BUNDLE, (wrong,))}


@pytest.mark.parametrize("name", ["P1", "P7", "shielded"])
def test_the_statute_stops_what_a_wrong_line_would_open(name: str) -> None:
    """Defence in depth: with the prohibitions of the statutory bundle beside it, such a line opens nothing."""
    wrong = replace(BASE, **{"rid": "lex@2026.1.0/verzonnen", "party": "*", **BREAKING[name]})
    assert name not in {one.name for one in broken_properties(BUNDLE, (*BUNDLE.lines, wrong))}


def test_an_unknown_organisation_gets_nothing() -> None:
    """Who is party to no agreement gets nothing that rests on one."""
    point = BUNDLE.decision_point()
    agreed = [line for line in BUNDLE.lines if line.eft == "allow" and line.act == "register" and line.party != "*"]
    asked = 0
    for line in agreed:
        if any(one.label == line.party and one.parties is not None for one in BUNDLE.convenants):
            facts = AskFacts(
                day=date(2026, 11, 22),
                operation="register",
                organisation="9" * 20,
                org_class=line.ask,
                role="worker",
                purpose=line.purpose,
                grounds=(line.ground,),
                standing="none",
                approval="approved",
                families=frozenset({"nlbsn"}),
                simulated_bsn_right=True,
            )
            asked += 1
            assert isinstance(point.may_ask(facts), Refusal)
    assert asked


def test_an_unknown_version_is_no_agreement(engine: Engine) -> None:
    """A document in another version is a word nobody knows, and nothing is decided under it."""
    words = next(_requests(1))
    with pytest.raises(WordError):
        engine.judge(Request(**{**words, "party": "vira@2025.1.0"}))
