"""What a fresh pair of eyes found once: each stays found."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from policies import Bundle, Permit, Refusal, load_bundle
from policies.beyond import beyond
from policies.convenant import Party
from policies.engine import MODEL, check_model
from policies.errors import (
    ClauseError,
    FactsError,
    KeyFileError,
    MissingRegionError,
    ModelError,
    ReleaseError,
    SignatureError,
    YamlError,
)
from policies.facts import ask_record
from policies.must_hold import broken_properties
from policies.question import read_question
from policies.reasons import ASK_REASONS, SEE_REASONS
from policies.release import Release
from policies.signers import read_signers
from tests.simulators.signing_people import OFFICER, ROLE, key_of, released, signers
from tests.unit.policies.arnhem import CHECK, SIGNAL_OF_GI, VIRA, changed_documents
from tests.unit.policies.statutory import VT_CHECK

LEX, GRONDEN, REGIOS = "lex/wettelijk.yaml", "lex/gronden.yaml", "lex/regios.yaml"
KIND = "(p.kind == r.any || p.kind == r.kind)"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("p.kind == r.kind)", "p.kind.x == r.kind)"),
        ("p.kind == r.kind)", "p.kind[p.lmin] == r.kind)"),
        (KIND, "(lambda: p.kind == r.any || p.kind == r.kind)"),
        (f"{KIND} && (p.shield", f"{KIND} || (p.shield"),
        ("p.shield == r.shield", "p.shield != r.shield"),
        ("p.kind == r.kind", "p.kind + r.kind"),
        (KIND, "[p.kind == r.any || p.kind == r.kind]"),
        (KIND, "(p.kind if p.kind else r.kind)"),
        (KIND, "(not p.kind == r.any || p.kind == r.kind)"),
        (KIND, "(p.kind == r.any || p.kind == r.kind || p.act == r.act)"),
        ("p.since <= r.day", "r.day <= p.since"),
        (f"{KIND} && ", f"{KIND} && {KIND} && "),
    ],
)
def test_a_matcher_of_another_shape_does_not_load(old: str, new: str) -> None:
    """Whatever else a matcher could be, it is not run: each column is compared once, with its word or the wildcard."""
    assert old in MODEL
    check_model(MODEL)
    with pytest.raises(ModelError):
        check_model(MODEL.replace(old, new, 1))


@pytest.fixture
def beforehand(tmp_path: Path) -> Bundle:
    """The shipped documents in which Veilig Thuis must do something first, before it looks."""
    text = (changed_documents(tmp_path) / LEX).read_text(encoding="utf-8")
    start = text.index("verplichtingen:\n", text.index("- id: vt-kijkt\n")) + len("verplichtingen:\n")
    duty = "      - {id: overleg_vooraf, fase: vooraf}\n"
    (tmp_path / "documents" / LEX).write_text(text[:start] + duty + text[start:], encoding="utf-8")
    return load_bundle(tmp_path / "documents")


def test_what_was_not_done_first_shows_no_hit(beforehand: Bundle) -> None:
    """A duty beforehand that is unmet keeps the hits closed too, and not only the question."""
    point, hit = beforehand.decision_point(), replace(SIGNAL_OF_GI, holder_class="rvdk")
    asked, seen = point.may_ask(VT_CHECK), point.may_see(VT_CHECK, hit)
    assert isinstance(asked, Refusal)
    assert isinstance(seen, Refusal)
    assert (asked.reason, seen.reason) == ("obligation-unmet", "obligation-unmet")
    done = replace(VT_CHECK, fulfilled=frozenset({"overleg_vooraf"}))
    assert isinstance(point.may_ask(done), Permit)
    assert isinstance(point.may_see(done, hit), Permit)


BY_CONSENT = """  - id: kijken-toestemming
    artikel: art. 5 lid 8
    brontekst: null
    motivering: Met toestemming, na een controle vooraf.
    effect: toestaan
    handelingen: [check]
    vragend: [wijkteam]
    doel: verwijsindex
    categorieen: [betrokkenheid]
    niveau: {min: 1, max: 2}
    grondslagen: [TOEST]
    bewijs: [own_signal]
    toestemming: [given]
    verplichtingen:
      - {id: toestemming_nagaan, fase: vooraf}

  - id: zien-toestemming
    artikel: art. 5 lid 9
    brontekst: null
    motivering: Met toestemming.
    effect: toestaan
    handelingen: [see]
    vragend: [wijkteam]
    houdend: [wijkteam, gi]
    houderwijze: direct
    soorten_match: [person, family]
    doel: verwijsindex
    categorieen: [betrokkenheid]
    niveau: {min: 1, max: 2}
    grondslagen: [TOEST]
    toestemming: [given]

  - id: zien
"""


def test_a_second_ground_discharges_no_duty_of_the_first(tmp_path: Path) -> None:
    """What is seen on a ground can be asked on that ground alone: another claimed beside it opens nothing."""
    point = load_bundle(changed_documents(tmp_path, (VIRA, "  - id: zien\n", BY_CONSENT))).decision_point()
    everybody = frozenset({"guardian", "person"})
    both = replace(CHECK, grounds=("JW-7.1.4.1", "TOEST"), consent="given", consent_by=everybody)
    both = replace(both, custody="clear")
    hit = replace(SIGNAL_OF_GI, ground="TOEST", consent="given")
    alone = point.may_ask(replace(both, grounds=("TOEST",)))
    assert isinstance(alone, Refusal)
    assert alone.reason == "obligation-unmet"
    assert isinstance(point.may_ask(both), Permit)
    assert isinstance(point.may_see(both, hit), Refusal)
    seen = point.may_see(replace(both, fulfilled=frozenset({"toestemming_nagaan"})), hit)
    assert isinstance(seen, Permit)
    assert seen.ground == "TOEST"


@pytest.mark.parametrize(("since", "shown"), [(date(2027, 1, 1), True), (date(2026, 12, 1), False)])
def test_a_signal_on_an_ended_ground_is_shown_on_no_other(tmp_path: Path, since: date, shown: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """The day the ground of a signal ends nobody is shown it any more, whatever he asks on, swept or not."""
    old = "van: 2015-01-01\n    tot: null"
    bundle = load_bundle(changed_documents(tmp_path, (GRONDEN, old, f"van: 2015-01-01\n    tot: {since}")))
    asked = replace(VT_CHECK, day=date(2026, 12, 1))
    hit = replace(SIGNAL_OF_GI, holder_class="rvdk", ground="JW-7.1.4.1")
    seen = bundle.decision_point().may_see(asked, hit)
    assert isinstance(seen, Permit) is shown
    if isinstance(seen, Refusal):
        assert (seen.reason, seen.rule, seen.near_miss) == ("other-basis", None, ("basis",))
    ring = bundle.decision_point().may_see(replace(asked, operation="call"), replace(hit, holder_class="huisarts"))
    assert isinstance(ring, Permit) is shown


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        (", termijn: P28D", ", termijn: P60D", "opens"),
        (", termijn: P28D", ", termijn: P7D", "closes"),
        (", termijn: P28D", ", termijn: P28D, werkdagen: true", "opens"),
        (", termijn: P28D", "", "opens"),
    ],
)
def test_more_time_for_a_duty_counts_as_opening(
    shipped: Bundle, tmp_path: Path, old: str, new: str, direction: str
) -> None:
    """A longer term, working days or no term at all is looked at by a second pair of eyes; less time is not."""
    changed = load_bundle(changed_documents(tmp_path, (VIRA, f"fase: achteraf{old}", f"fase: achteraf{new}")))
    assert {one.direction for one in beyond(shipped, changed)} == {direction}


def test_dropping_a_duty_afterwards_counts_as_opening(shipped: Bundle, tmp_path: Path) -> None:
    """Who is not informed any more: that opens something, and informing anew closes it. So do more ways to put off."""
    text = (changed_documents(tmp_path) / LEX).read_text(encoding="utf-8")
    start = text.index("{id: informeer_betrokkene", text.index("- id: meldrecht"))
    line = text[text.rindex("\n", 0, start) : text.index("\n", start)]
    (tmp_path / "documents" / LEX).write_text(text.replace(line, "", 1), encoding="utf-8")
    without = load_bundle(tmp_path / "documents")
    assert [(one.what, one.direction) for one in beyond(shipped, without)] == [("duty", "opens")]
    assert [(one.what, one.direction) for one in beyond(without, shipped)] == [("duty", "closes")]
    more = changed_documents(tmp_path / "more", (VIRA, "uitstelgronden: [", "uitstelgronden: ['BW-7:448-TE', "))
    found = [one for one in beyond(shipped, load_bundle(more)) if one.direction == "opens"]
    assert [one.what for one in found] == ["duty"]


@pytest.mark.parametrize(
    ("acts", "reason"),
    [
        ("see", "dossier-incomplete"),
        ("see", "not-a-listed-category"),
        ("check", "shielded"),
        ("register", "holder-never"),
    ],
)
def test_a_rule_names_no_reason_its_question_has_no_sentence_for(tmp_path: Path, acts: str, reason: str) -> None:
    """Such a rule would turn a silent refusal into a failure, which would tell that there is something to hide."""
    clause = f"""afspraken:
  - id: verboden
    artikel: test
    brontekst: null
    motivering: Om mee te testen.
    effect: verbieden
    reden: {reason}
    handelingen: [{acts}]
    vragend: [school]
    doel: verwijsindex
    categorieen: [betrokkenheid]
    niveau: {{min: 1, max: 2}}
    grondslagen: [JW-7.1.4.1]
"""
    folder = changed_documents(tmp_path, (VIRA, "afspraken:\n", clause))
    with pytest.raises(ClauseError) as caught:
        load_bundle(folder)
    assert (caught.value.clause, caught.value.field) == ("verboden", "afspraken[0].reden")


def test_every_sentence_of_a_refusal_renders(shipped: Bundle) -> None:
    """No word of the vocabulary makes a decision fail for want of a sentence."""
    for question, reasons in (("vraag", ASK_REASONS), ("zien", SEE_REASONS)):
        for reason in reasons:
            for org_class in shipped.classes:
                words = {"begin": "check", "daad": "check", "klasse": org_class, "doel": "overlast"}
                assert shipped.texts.render(f"{question}.{reason}", {**words, "houder": org_class}).nl


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("uitgetreden_op: null", "uitgetreden_op: 2020-01-01", "uitgetreden_op"),
        ("klasse: gi", "klasse: buurman", "klasse"),
        ("oin: '00000099000000002000'", "oin: '00000099000000001000'", "oin"),
    ],
)
def test_a_party_that_cannot_be_one_does_not_load(tmp_path: Path, old: str, new: str, field: str) -> None:
    """Left before it came, of no known class, or twice at one time: the error names file, line and field."""
    text = (changed_documents(tmp_path) / VIRA).read_text(encoding="utf-8")
    if old not in text:
        old, new = old.replace("'", '"'), new.replace("'", '"')
    with pytest.raises(ClauseError) as caught:
        load_bundle(changed_documents(tmp_path, (VIRA, old, new)))
    assert (caught.value.file, caught.value.field.rpartition(".")[2]) == (VIRA, field)
    assert caught.value.line > 1


def test_a_missing_region_does_not_load(tmp_path: Path) -> None:
    """A region whose folder has gone would match nobody without a word; a region nobody listed decides nothing."""
    folder = changed_documents(tmp_path / "a")
    shutil.rmtree(folder / "regio" / "amsterdam-amstelland")
    with pytest.raises(MissingRegionError, match="amsterdam-amstelland"):
        load_bundle(folder)
    unlisted = changed_documents(tmp_path / "b", (REGIOS, "id: arnhem-achterhoek", "id: elders"))
    with pytest.raises(ClauseError) as caught:
        load_bundle(unlisted)
    assert caught.value.field == "regio"


@pytest.mark.parametrize("name", ["extra.yml", "extra.YAML", "lees-mij.txt", "oud.yaml~"])
def test_a_file_that_would_be_ignored_does_not_load(tmp_path: Path, name: str) -> None:
    """A document under a wrong name is not silently left out."""
    folder = changed_documents(tmp_path)
    (folder / "lex" / name).write_text("schema: convenant/v1\n", encoding="utf-8")
    with pytest.raises(YamlError) as caught:
        load_bundle(folder)
    assert caught.value.file == f"lex/{name}"


def test_a_document_that_never_holds_does_not_load(tmp_path: Path) -> None:
    """An agreement that ends before it begins is a mistake."""
    with pytest.raises(ClauseError) as caught:
        load_bundle(changed_documents(tmp_path, (VIRA, "tot: 2031-01-01", "tot: 2025-01-01")))
    assert caught.value.field == "geldigheid.tot"


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "9" * 5000,
        "a: " + "[" * 5000 + "]" * 5000,
        "a: " + "{a: " * 3000 + "1" + "}" * 3000,
        "a: " + "[" * 30 + "]" * 30,
        "a: !foo {b: c}",
        "a: !!python/object:os.system {b: c}",
        "a: !!set {b: null}",
        "a: !!omap [b: c]",
        "a: !x [1]",
        "a: 007",
        'a: "\\ud800"',
    ],
    ids=range(11),
)
def test_what_yaml_can_be_and_a_document_not(tmp_path: Path, text: str) -> None:
    """Huge numbers, deep nesting, tags, half characters: one line that names the file, and no traceback."""
    folder = changed_documents(tmp_path)
    (folder / "lex" / "extra.yaml").write_text(f"{text}\n", encoding="utf-8")
    with pytest.raises(YamlError) as caught:
        load_bundle(folder)
    assert caught.value.file == "lex/extra.yaml"


@pytest.mark.parametrize("day", ["20261122", "2026-W47-7", "2026-11-22T00:00", "22-11-2026", ""])
def test_a_day_has_one_form(day: str) -> None:
    """A day in facts is YYYY-MM-DD, as the error says, and no other form that Python reads."""
    facts = {**ask_record(CHECK, load_bundle().vocabulary), "day": "2026-11-22"}
    assert read_question(facts)[0].day == CHECK.day
    with pytest.raises(FactsError, match="YYYY-MM-DD"):
        read_question({**facts, "day": day})


def test_a_number_nobody_can_sign_is_no_release(shipped: Bundle) -> None:
    """What canonical JSON cannot write is refused by its schema."""
    content = json.loads(released(shipped).encode())
    content["statement"]["openings"]["count"] = 2**60
    with pytest.raises(ReleaseError, match="openings"):
        Release.parse(json.dumps(content).encode())


def test_openings_are_compared_and_not_believed(shipped: Bundle) -> None:
    """Two signatures under a number that is not the comparison's do not make it so."""
    honest = released(shipped)
    honest.check_openings(None)
    lie = replace(honest, openings=0, signatures=())
    for name in ROLE:
        lie = lie.signed(key_of(name), "bundle")
    assert lie.holds(signers())
    for wrong, before in ((lie, None), (replace(honest, diff="0" * 64), None), (honest, shipped)):
        with pytest.raises(ReleaseError):
            wrong.check_openings(before)


def test_nobody_takes_what_cannot_be_expressed_and_was_not_accepted(tmp_path: Path) -> None:
    """An article that no rule expresses blocks the signatures of everybody, and the reader of a release too."""
    row = "onvertaalbaar: [{artikel: art. 9, brontekst: x, reden: y, geaccepteerd_door: null}]"
    bundle = load_bundle(changed_documents(tmp_path, (VIRA, "onvertaalbaar: []", row)))
    with pytest.raises(SignatureError, match="onvertaalbaar"):
        released(bundle).holds(signers())


@pytest.mark.parametrize("twin", ["P. Officer ", "p. officer", "P.  Officer"])
def test_one_person_does_not_sign_as_two(tmp_path: Path, twin: str) -> None:
    """Another spelling of a name is not another person."""
    people = [
        {"name": name, "role": role, "jwk": key_of(name).public.jwk()}
        for name, role in ((OFFICER, "privacyfunctionaris"), (twin, "partij"))
    ]
    file = tmp_path / "signers.json"
    file.write_text(json.dumps({"schema": "signers/v1", "signers": people}), encoding="utf-8")
    with pytest.raises(KeyFileError):
        read_signers(file)


@pytest.mark.parametrize("edge", ["until", "since"])
def test_a_line_that_outlasts_its_ground_breaks_p5(tmp_path: Path, edge: str) -> None:
    """Where a line goes on after its ground, the property fails, though no line begins or ends on that day."""
    old = "van: 2015-01-01\n    tot: null"
    bundle = load_bundle(changed_documents(tmp_path, (GRONDEN, old, "van: 2015-01-01\n    tot: 2027-01-01")))
    assert "P5" not in {one.name for one in broken_properties(bundle, bundle.lines)}
    wrong = {"until": {"until": "20310101"}, "since": {"since": "20140101"}}[edge]
    lines = tuple(replace(line, **wrong) if line.ground == "JW-7.1.4.1" else line for line in bundle.lines)
    assert "P5" in {one.name for one in broken_properties(bundle, lines)}


def test_a_party_that_moves_to_another_version_opens_and_closes(shipped: Bundle) -> None:
    """A membership counts on the days of its own version: moved to a later one it opens there and closes here."""
    (vira,) = (one for one in shipped.convenants if one.label == "vira@2026.1.0")
    middle = date(2027, 1, 1)
    assert vira.parties is not None
    school = tuple(party for party in vira.parties if party.org_class == "school")
    others = tuple(party for party in vira.parties if party.org_class != "school")

    def versions(early: tuple[Party, ...], late: tuple[Party, ...]) -> Bundle:
        first = replace(vira, parties=early, validity=replace(vira.validity, until=middle))
        then = replace(vira, label="vira@2026.2.0", parties=late, validity=replace(vira.validity, since=middle))
        carriers = {**shipped.carriers, "verwijsindex": (first, then)}
        return replace(shipped, carriers=carriers)

    found = list(beyond(versions((*others, *school), others), versions(others, (*others, *school))))
    assert {(one.what, one.direction) for one in found} == {("party", "opens"), ("party", "closes")}
    assert all(school[0].oin in one.name for one in found)
    assert not list(beyond(versions(others, others), versions(others, others)))
    assert not list(beyond(versions((*others, *school), (*others, *school)), shipped))
