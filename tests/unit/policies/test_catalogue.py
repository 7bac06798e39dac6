"""The statutory tables: every ground of the catalogue, every purpose, every class, and every quotation."""

import re
from pathlib import Path

import pytest

from broker.protocol.register import ORGANISATION_CLASSES
from policies import Bundle
from tests.unit.policies.arnhem import Citation, read_citations, read_rows

CATALOGUE = (
    *("TOEST", "WETTAAK", "VITAAL", "JW-7.1.4.1", "JW-7.3.11-1", "JW-7.3.11-2", "JW-7.3.11-4", "JW-7.3.2-3"),
    *("BW-7:448-TE", "BW-7:457", "BW-7:453", "BW-7:458", "CVP", "WMO-4.1.1-3", "WMO-4.1.1-2", "WMO-5.1.6"),
    *("WMO-5.2.6", "WMO-5.3.3", "WMO-5.3.1", "WMO-5.3.2", "WMO-5.3.4", "WMO-5.3.5", "WMO-UB-4.1.8", "RVDK"),
    *("MELDCODE", "WPG-16", "WPG-18", "WPG-19", "WPG-20", "WGS-ZVH", "UAVG-31", "UAVG-33", "BSN", "WTH", "WAMS"),
)
"""Every ground the research catalogue names."""

PURPOSES = (
    *("verwijsindex", "vt-melding", "gi-maatregel", "rvdk-onderzoek", "huisverbod", "overlast"),
    *("casusoverleg", "volwassene", "veiligheid", "rechten"),
)


def test_the_catalogue_is_whole(shipped: Bundle) -> None:
    """No ground of the catalogue is missing; the three more are the way in, the deferral, and telling who reported."""
    assert set(shipped.grounds) == {*CATALOGUE, "BW-7:448", "UAVG-41", "WMO-4.1.1-2-G"}


def test_every_ground_says_all_a_worker_must_know() -> None:
    """Citation, summary, who, to whom, which data, what to document, consent first, informing, and how sure it is."""
    told = (
        "wie",
        "aan_wie",
        "gegevens",
        "vastleggen",
        "toestemming_eerst",
        "informeren",
        "verificatie",
        "samenvatting",
    )
    for row in read_rows("lex/gronden.yaml", "gronden"):
        assert all(row.get(name) for name in told), row["id"]


def test_what_is_no_ground_opens_nothing(shipped: Bundle) -> None:
    """Secrecy, procedure, rights, the way in and a law not in force are cited and carry no allowance."""
    unusable = {ground.id for ground in shipped.grounds.values() if not ground.usable}
    assert {"BW-7:457", "JW-7.3.11-1", "WMO-5.3.3", "MELDCODE", "BSN", "WAMS", "BW-7:448", "WPG-16"} <= unusable
    assert not any(line.eft == "allow" and line.ground in unusable for line in shipped.lines)


def test_every_ground_of_a_registration_says_what_follows_its_end(shipped: Bundle) -> None:
    """Signals can rest on it, so its end is thought of before it comes; so for the purposes."""
    for line in shipped.lines:
        if line.eft == "allow" and line.act == "register":
            assert shipped.grounds[line.ground].after_end is not None
            assert shipped.purposes[line.purpose].after_end is not None


def test_the_purposes_are_there(shipped: Bundle) -> None:
    """Every purpose that was asked for exists and is carried by a document."""
    assert set(PURPOSES) <= set(shipped.purposes) == set(shipped.carriers)


def test_every_region_takes_a_position(shipped: Bundle) -> None:
    """Convenant or not is said per purpose and region, and who is the controller with it."""
    regional = [one for one in shipped.convenants if one.region]
    positions = {(one.region, purpose): kind for one in regional for purpose, kind in one.purposes.items()}
    assert positions["arnhem-achterhoek", "verwijsindex"] == "convenant"
    assert positions["arnhem-achterhoek", "vt-melding"] == "geen_convenant"
    assert positions["amsterdam-amstelland", "vt-melding"] == "convenant"
    assert positions["amsterdam-amstelland", "verwijsindex"] == "geen_convenant"


def test_who_never_asks_before_a_signal_of_their_own(shipped: Bundle) -> None:
    """School, leerplicht, JGZ, GGZ, huisarts, police, corporatie and meldpunt look nowhere on a reference."""
    never = {"school", "leerplicht", "jgz", "seh", "politie", "woningcorporatie", "meldpunt_overlast", "reclassering"}
    for line in shipped.lines:
        if line.eft == "allow" and line.act in {"check", "call"} and line.ask in never:
            assert line.standing == "own_signal" or line.purpose == "rechten"


def test_medical_secrecy_is_never_decided_by_a_system(shipped: Bundle) -> None:
    """Who decides personally is shown only what they registered for that very purpose; else they are called."""
    personal = {org_class.id for org_class in shipped.classes.values() if org_class.decides_personally}
    assert personal == {"ggz", "verslavingszorg", "huisarts", "jgz", "seh"}
    for line in shipped.lines:
        if line.eft == "allow" and line.act == "see" and line.hold in personal:
            assert line.reg == line.purpose


@pytest.mark.parametrize("ground", ["WMO-5.2.6", "JW-7.3.11-4", "RVDK", "WMO-5.1.6", "WTH"])
def test_a_statutory_ground_opens_to_its_own_recipient_only(shipped: Bundle, ground: str) -> None:
    """A right to tell one organisation is no right to tell another (P6)."""
    only = set(shipped.grounds[ground].only_to)
    lines = [line for line in shipped.lines if line.ground == ground and line.eft == "allow"]
    assert lines
    assert {line.hold if line.act == "share" else line.ask for line in lines} == only


def test_the_ages_of_the_verwijsindex_and_of_consent(shipped: Bundle) -> None:
    """Under 12 the guardian, 12 to 15 both, from 16 the person; unknown age needs everybody."""
    index, consent = shipped.grounds["JW-7.1.4.1"], shipped.grounds["TOEST"]
    informed = [index.informed(age) for age in ("under12", "12to15", "16to17")]
    assert informed == [("guardian",), ("guardian", "person"), ("person",)]
    assert [consent.consenters(age) for age in ("under12", "12to15", "16to17", "unknown")] == [
        {"guardian"}, {"guardian", "person"}, {"person"}, {"guardian", "person"},
    ]  # fmt: skip
    assert index.informed("unknown") == ()


CITATIONS = read_citations()


@pytest.mark.parametrize("citation", CITATIONS, ids=lambda citation: citation.id)
def test_a_quotation_names_its_file_and_hash(citation: Citation) -> None:
    """A quotation is short, and says from which bytes it was taken."""
    assert re.fullmatch(r"[0-9]{3}_[0-9a-f]{16}\.txt", citation.file)
    assert re.fullmatch(r"[0-9a-f]{64}", citation.sha256)
    assert 40 <= len(citation.passage) <= 700


def test_one_file_has_one_hash() -> None:
    """All quotations of one file were taken from the same bytes."""
    assert len({(one.file, one.sha256) for one in CITATIONS}) == len({one.file for one in CITATIONS})


def test_every_quote_stands_in_its_passage(shipped: Bundle) -> None:
    """Read without our loader: what a clause or document quotes is in the passage it names, word for word."""
    passages = {one.id: " ".join(one.passage.split()) for one in CITATIONS}
    quoting = [clause for clause in shipped.clauses.values() if clause.quote is not None]
    for clause in quoting:
        assert " ".join((clause.quote or "").split()) in passages[clause.passage or ""], clause.rid
    motivated = [one.motivation for one in shipped.convenants if one.motivation is not None]
    for motivation in motivated:
        assert " ".join(motivation.quote.split()) in passages[motivation.passage]
    used = {clause.passage for clause in quoting} | {one.passage for one in motivated}
    assert len(used) >= 12


def test_a_clause_without_quote_cites_its_statute(shipped: Bundle) -> None:
    """Nothing is agreed out of thin air: a passage, or an article."""
    statute = re.compile(r"[Ww]et |Jeugdwet|Wmo|AVG|BW|meldcode|plichten|test")
    for clause in shipped.clauses.values():
        assert clause.quote or statute.search(f"{clause.source} {clause.article}"), clause.rid


def test_examples_are_marked(shipped: Bundle) -> None:
    """Every shipped document says that its clauses are ours, and signed by nobody."""
    for convenant in shipped.convenants:
        assert convenant.document.content["voorbeeld"] is True
        assert convenant.document.content["handtekeningen"] == []


def test_the_wams_is_no_law(shipped: Bundle) -> None:
    """A law that is not in force is known and not usable."""
    wams = shipped.grounds["WAMS"]
    assert (wams.in_force, wams.usable) == (False, False)


def _open_questions(content: object) -> list[str]:
    """Every question for a jurist in one document, wherever it stands."""
    if isinstance(content, list):
        return [one for row in content for one in _open_questions(row)]
    if not isinstance(content, dict):
        return []
    own = [content["te_bevestigen"]] if "te_bevestigen" in content else []
    return own + [one for name, row in content.items() if name != "te_bevestigen" for one in _open_questions(row)]


def test_every_open_question_of_law_is_on_the_list(shipped: Bundle) -> None:
    """Where the law is open a document says so, with its question, and docs/policy.md lists each once."""
    listed = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
    found = [one for content in shipped.documents.values() for one in _open_questions(content)]
    assert len(found) >= 12
    for question in found:
        assert f"- {' '.join(question.split())}\n" in listed
    assert listed.count("Tot dat vaststaat") == len(set(found))


def test_every_class_of_the_documents_can_stand_in_the_register(shipped: Bundle) -> None:
    """Whoever a document speaks of can be enrolled, and no class can be enrolled on which no document decides."""
    enrolled = set(ORGANISATION_CLASSES)
    assert set(shipped.classes) <= enrolled
    assert enrolled - set(shipped.classes) == {"gemeente"}
