"""Loading: the whole bundle or an error that names file, line, field and rule."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from policies import InsecureTestBundleWarning, load_bundle
from policies.errors import (
    BundleError,
    ClauseError,
    ConflictError,
    ConvenantError,
    DocumentError,
    EmptyBundleError,
    InsecureBundleError,
    MissingRegionError,
    SchemaError,
    YamlError,
)
from policies.load import SHIPPED
from tests.unit.policies.amsterdam import AA_DOCUMENT
from tests.unit.policies.arnhem import CHECK, DAY, VIRA, WIJKTEAM, changed_documents, read_table

TEKSTEN = "lex/teksten.yaml"
LEX = "lex/wettelijk.yaml"

MALFORMED = read_table("malformed_documents.yaml")
KINDS: dict[str, type[DocumentError]] = {kind.__name__: kind for kind in (YamlError, SchemaError, ClauseError)}


@pytest.mark.parametrize("row", MALFORMED, ids=lambda row: row["name"])
def test_a_malformed_document_names_its_place(tmp_path: Path, row: dict[str, str]) -> None:
    """The error names file, line, field and rule, and not the value that was found there."""
    folder = changed_documents(tmp_path, (VIRA, row["old"], row["new"]))
    with pytest.raises(KINDS[row["kind"]]) as caught:
        load_bundle(folder)
    error = caught.value
    assert (error.file, error.field, error.rule) == (VIRA, row["field"], row["rule"])
    for value in ("rood", "verdrag", "2025-02-30", "geheim", "0o17"):
        assert value not in str(error)


def test_the_line_is_the_line_of_the_field(tmp_path: Path) -> None:
    """An editor that opens the named line shows the wrong field."""
    folder = changed_documents(tmp_path, (VIRA, "    bewijs: [own_signal]", "    bewijs: [goed_gevoel]"))
    with pytest.raises(SchemaError) as caught:
        load_bundle(folder)
    line = (folder / VIRA).read_text(encoding="utf-8").splitlines()[caught.value.line - 1]
    assert "goed_gevoel" in line


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b"\xff\xfe", "UTF-8"), (b"- een\n- twee\n", "mapping"), (b"", "mapping"), (b"a: " + b"x" * 1_000_001, "bytes")],
)
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    """Wrong encoding, a list, an empty file and an oversized file are refused by name."""
    folder = changed_documents(tmp_path)
    (folder / "lex" / "extra.yaml").write_bytes(content)
    with pytest.raises(YamlError, match=rule) as caught:
        load_bundle(folder)
    assert caught.value.file == "lex/extra.yaml"


def test_an_alias_is_refused(tmp_path: Path) -> None:
    """A node used twice cannot blow a small file up into a large one."""
    folder = changed_documents(tmp_path)
    (folder / "lex" / "extra.yaml").write_text("a: &x [1]\nb: *x\n", encoding="utf-8")
    with pytest.raises(YamlError, match="anchor"):
        load_bundle(folder)


def test_an_empty_folder_refuses_to_start(tmp_path: Path) -> None:
    """No documents means no decisions, not refusals or permits."""
    with pytest.raises(EmptyBundleError):
        load_bundle(tmp_path)


def test_tables_without_a_convenant_refuse_to_start(tmp_path: Path) -> None:
    """Purposes and grounds alone decide nothing."""
    folder = changed_documents(tmp_path)
    shutil.rmtree(folder / "regio")
    (folder / "lex" / "wettelijk.yaml").unlink()
    with pytest.raises(EmptyBundleError):
        load_bundle(folder)


@pytest.mark.parametrize("table", ["doelen", "gronden", "organisaties", "routes", "teksten", "wettelijk"])
def test_a_bundle_without_one_of_its_tables_does_not_load(tmp_path: Path, table: str) -> None:
    """Every table is needed, or the documents that use its words are refused; only routes may be left out."""
    folder = changed_documents(tmp_path)
    (folder / "lex" / f"{table}.yaml").unlink()
    if table == "routes":
        assert load_bundle(folder).routes == ()
        return
    with pytest.raises(ConvenantError):
        load_bundle(folder)


def test_a_purpose_nobody_carries_is_refused(tmp_path: Path) -> None:
    """The purposes table and the documents name the same purposes."""
    folder = changed_documents(tmp_path, ("lex/doelen.yaml", "- id: verwijsindex", "- id: wensenlijst"))
    with pytest.raises(BundleError):
        load_bundle(folder)


HG = "regio/arnhem-achterhoek/huiselijk-geweld.yaml"


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ((VIRA, "soort: convenant\ntitel", "soort: geen_convenant\ntitel"), ClauseError, "afspraken"),
        ((HG, "soort: geen_convenant\ntitel", "soort: convenant\ntitel"), ClauseError, "afspraken"),
        ((HG, "id: vt-melding, soort: geen_convenant", "id: vt-melding, soort: convenant"), ClauseError, "doelen"),
        ((HG, "regio: arnhem-achterhoek\n", ""), ClauseError, "regio"),
        ((LEX, "soort: lex\n", "soort: lex\nregio: arnhem-achterhoek\n"), ClauseError, "regio"),
        ((HG, "brontekst: Wij kiezen niet", "brontekst: Wij kiezen altijd"), ClauseError, "motivering.brontekst"),
    ],
)
def test_a_document_is_what_its_kind_says(
    tmp_path: Path, change: tuple[str, str, str], error: type[DocumentError], field: str
) -> None:
    """No agreement without clauses, none with them where there is none, and its reason stands in the text it quotes."""
    with pytest.raises(error) as caught:
        load_bundle(changed_documents(tmp_path, change))
    assert caught.value.field == field


def test_a_region_that_does_not_say_is_refused(tmp_path: Path) -> None:
    """Where each region must say whether it has an agreement, silence is not read as none."""
    position = (
        "  - {id: overlast, soort: geen_convenant, verantwoordelijke: 'iedere organisatie zelf, volgens de wet'}\n"
    )
    with pytest.raises(MissingRegionError, match="arnhem-achterhoek"):
        load_bundle(changed_documents(tmp_path, (HG, position, "")))


def test_a_region_that_is_gone_is_refused(tmp_path: Path) -> None:
    """A deleted document leaves its region silent, and the bundle does not load."""
    folder = changed_documents(tmp_path)
    (folder / VIRA).unlink()
    with pytest.raises(MissingRegionError, match="verwijsindex"):
        load_bundle(folder)


def test_a_later_version_may_follow_in_the_same_region(tmp_path: Path) -> None:
    """Two documents of one region carry one purpose one after the other, never together."""
    folder = changed_documents(tmp_path, (VIRA, "tot: 2031-01-01", "tot: 2028-01-01"))
    text = (folder / VIRA).read_text(encoding="utf-8").replace("versie: 2026.1.0", "versie: 2028.1.0")
    later = text.replace("{van: 2025-01-01, tot: 2028-01-01", "{van: 2028-01-01, tot: 2031-01-01")
    (folder / "regio" / "arnhem-achterhoek" / "verwijsindex-2028.yaml").write_text(later, encoding="utf-8")
    point = load_bundle(folder).decision_point()
    rules = [point.may_ask(replace(CHECK, day=day)).rule for day in (date(2027, 12, 31), date(2028, 1, 1))]
    assert rules == ["vira@2026.1.0/kijken", "vira@2028.1.0/kijken"]


def test_a_document_twice_is_refused(tmp_path: Path) -> None:
    """One version of one document exists once."""
    folder = changed_documents(tmp_path)
    shutil.copy(folder / HG, folder / "regio" / "kopie.yaml")
    with pytest.raises(ConflictError):
        load_bundle(folder)


BLOCKING = """
  - id: blokkeren
    artikel: 'art. 4 lid 2'
    brontekst: null
    motivering: Dit mag een convenant niet zeggen.
    effect: verbieden
    reden: holder-never
    handelingen: [share]
    vragend: [veilig_thuis]
    ontvangend: [wijkteam]
    doel: vt-melding
    categorieen: [hulp]
    niveau: {min: 1, max: 4}
    grondslagen: [WMO-4.1.1-2]

  - id: overleg-oproep
"""


def test_a_convenant_never_blocks_a_statutory_route(tmp_path: Path) -> None:
    """Even where it allows more on a statutory ground itself, an agreement forbids nothing the statute allows."""
    folder = changed_documents(tmp_path, (AA_DOCUMENT, "\n  - id: overleg-oproep\n", BLOCKING))
    with pytest.raises(ClauseError, match="what a statute allows") as caught:
        load_bundle(folder)
    assert (caught.value.clause, caught.value.field) == ("blokkeren", "afspraken[1].grondslagen")


def test_two_documents_claiming_one_purpose_are_refused(tmp_path: Path) -> None:
    """A purpose has one agreement, so that two cannot each open what the other closes."""
    folder = changed_documents(tmp_path)
    text = (folder / VIRA).read_text(encoding="utf-8").replace("id: vira\n", "id: virb\n")
    (folder / "regio" / "tweede.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConflictError):
        load_bundle(folder)


@pytest.mark.parametrize("table", ["gronden", "organisaties", "teksten"])
def test_an_id_claimed_twice_is_refused(tmp_path: Path, table: str) -> None:
    """No file can quietly replace a row of another."""
    folder = changed_documents(tmp_path)
    shutil.copy(folder / "lex" / f"{table}.yaml", folder / "lex" / "kopie.yaml")
    with pytest.raises(ConflictError):
        load_bundle(folder)


def test_the_test_documents_need_the_switch_and_warn() -> None:
    """Documents whose grounds are not law load only when asked for, and never silently."""
    assert "proefregio" not in load_bundle().purposes
    with pytest.warns(InsecureTestBundleWarning):
        assert "proefregio" in load_bundle(insecure_test_bundle=True).purposes


def test_a_test_document_elsewhere_is_refused(tmp_path: Path) -> None:
    """A test document outside test/ does not load, with or without the switch."""
    folder = changed_documents(tmp_path)
    shutil.move(folder / "test" / "proefregio.yaml", folder / "regio" / "proefregio.yaml")
    with pytest.raises(InsecureBundleError):
        load_bundle(folder)
    with pytest.warns(InsecureTestBundleWarning), pytest.raises(InsecureBundleError):
        load_bundle(folder, insecure_test_bundle=True)


PARTIES = "test/partijen.yaml"


def test_invented_parties_need_the_switch() -> None:
    """The organisations of the tests are party to the example only where tests are loaded."""
    shipped, oost = load_bundle(), "00000099000000061000"
    assert not shipped.is_party(purpose="verwijsindex", oin=oost, org_class="wijkteam", day=DAY)
    with pytest.warns(InsecureTestBundleWarning):
        bundle = load_bundle(insecure_test_bundle=True)
    assert bundle.is_party(purpose="verwijsindex", oin=oost, org_class="wijkteam", day=DAY)
    assert not bundle.is_party(purpose="verwijsindex", oin=oost, org_class="gi", day=DAY)
    assert bundle.is_party(purpose="verwijsindex", oin=WIJKTEAM, org_class="wijkteam", day=DAY)


def test_a_list_of_parties_elsewhere_is_refused(tmp_path: Path) -> None:
    """Outside test/ only a convenant itself says who its parties are."""
    folder = changed_documents(tmp_path)
    shutil.move(folder / PARTIES, folder / "regio" / "partijen.yaml")
    with pytest.raises(InsecureBundleError):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("vira@2026.1.0", "vira@2025.1.0", ClauseError),
        ("vira@2026.1.0", "proef@1.0.0", ClauseError),
        ("00000099000000061000", WIJKTEAM, ConflictError),
    ],
)
def test_a_list_of_parties_joins_one_known_convenant(
    tmp_path: Path, old: str, new: str, error: type[ConvenantError]
) -> None:
    """It adds organisations to a convenant that lists its parties, each once."""
    folder = changed_documents(tmp_path, (PARTIES, old, new))
    with pytest.warns(InsecureTestBundleWarning), pytest.raises(error):
        load_bundle(folder, insecure_test_bundle=True)


def test_everyone_as_party_is_for_tests_only(tmp_path: Path) -> None:
    """A real document names its parties."""
    text = (SHIPPED / VIRA).read_text(encoding="utf-8")
    start, end = text.index("partijen:\n"), text.index("doelen:\n")
    folder = changed_documents(tmp_path, (VIRA, text[start:end], "partijen: alle\n"))
    with pytest.raises(InsecureBundleError):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  vraag.no-standing:", "  vraag.iets-anders:"),
        ("vraag.error: 'We", "vraag.error: '{doel} We"),
        ("vraag.no-standing: '{begin}", "vraag.no-standing: '{houder} {begin}"),
        ("    check: Dit mag", "    gluren: Dit mag"),
    ],
)
def test_a_reason_without_its_sentence_does_not_load(tmp_path: Path, old: str, new: str) -> None:
    """Every decision can be said in Dutch, and an open refusal cannot speak of a holder."""
    with pytest.raises(BundleError, match="teksten/v1"):
        load_bundle(changed_documents(tmp_path, (TEKSTEN, old, new)))


@pytest.mark.parametrize("new", ["kan.niets", "vraag.no-standing"])
def test_a_route_names_a_sentence_that_exists(tmp_path: Path, new: str) -> None:
    """What is possible is a plain sentence of the documents."""
    with pytest.raises(BundleError, match="route"):
        load_bundle(changed_documents(tmp_path, ("lex/routes.yaml", "kan.acuut", new)))


def test_every_error_of_a_bundle_is_a_convenant_error() -> None:
    """One except clause catches everything that can be wrong with a bundle."""
    found, queue = set(), [ConvenantError]
    while queue:
        kind = queue.pop()
        found.add(kind.__name__)
        queue += kind.__subclasses__()
    assert found == {
        "ConvenantError", "DocumentError", "YamlError", "SchemaError", "ClauseError", "BundleError",
        "EmptyBundleError", "ConflictError", "MissingRegionError",
        "ExpiredBundleError", "InsecureBundleError", "FactsError", "EngineError", "LineError",
        "ModelError", "WordError", "CalendarError",
        "ReleaseError", "SignatureError", "UnsignableError", "KeyFileError", "RecordError", "TableError",
    }  # fmt: skip
