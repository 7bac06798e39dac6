"""What is said of documents that are each well-formed but cannot be used together: the rule, in so many words."""

import shutil
from pathlib import Path

import pytest

from policies import Bundle, InsecureTestBundleWarning, load_bundle
from policies.agreements import check_convenants
from policies.errors import BundleError, ClauseError, ConvenantError
from tests.unit.policies.arnhem import VIRA, WIJKTEAM, changed_documents

HG = "regio/arnhem-achterhoek/huiselijk-geweld.yaml"
TEKSTEN = "lex/teksten.yaml"
POSITION = "  - {id: overlast, soort: geen_convenant, verantwoordelijke: 'iedere organisatie zelf, volgens de wet'}\n"


def said(folder: Path) -> str:
    """What loading this folder says is wrong."""
    with pytest.raises(ConvenantError) as caught:
        load_bundle(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            (VIRA, "soort: convenant\ntitel", "soort: geen_convenant\ntitel"),
            "must be empty in a document of geen_convenant, and only there",
        ),
        (
            (HG, "id: vt-melding, soort: geen_convenant", "id: vt-melding, soort: convenant"),
            "must be of the kind of their document",
        ),
        (
            (HG, "regio: arnhem-achterhoek\n", ""),
            "must be named in every document but the statutory one",
        ),
        (
            (HG, "brontekst: Wij kiezen niet", "brontekst: Wij kiezen altijd"),
            "must stand word for word in the passage it names",
        ),
    ],
)
def test_a_document_that_is_not_its_kind_is_told_the_rule(
    tmp_path: Path, change: tuple[str, str, str], rule: str
) -> None:
    """The rule a document breaks by its kind is named in full."""
    with pytest.raises(ClauseError) as caught:
        load_bundle(changed_documents(tmp_path, change))
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("lex/doelen.yaml", "- id: verwijsindex", "- id: wensenlijst"),
            "every purpose of the purposes table is carried by a document, and no other purpose is",
        ),
        ((HG, POSITION, ""), "region arnhem-achterhoek must say whether it has an agreement on overlast"),
        (
            (TEKSTEN, "  vraag.no-standing:", "  vraag.iets-anders:"),
            "every reason needs its sentence in a document of teksten/v1",
        ),
        (
            (TEKSTEN, "vraag.error: 'We", "vraag.error: '{doel} We"),
            "every place of a sentence needs its words in a document of teksten/v1",
        ),
        (("lex/routes.yaml", "kan.acuut", "kan.niets"), "a route names existing sentences without places"),
    ],
)
def test_documents_that_do_not_fit_are_told_the_rule(
    tmp_path: Path, change: tuple[str, str, str], message: str
) -> None:
    """What the documents together must say is named in full."""
    with pytest.raises(BundleError) as caught:
        load_bundle(changed_documents(tmp_path, change))
    assert str(caught.value) == message


def test_nothing_to_decide_with_is_told(tmp_path: Path) -> None:
    """No document, no purpose carried, and nothing allowed are three different things to put right."""
    assert said(tmp_path) == "there is no document: refusing to decide without any"
    folder = changed_documents(tmp_path)
    shutil.rmtree(folder / "regio")
    (folder / "lex" / "wettelijk.yaml").unlink()
    assert said(folder) == "no document carries a purpose: refusing to decide"


@pytest.mark.parametrize(
    ("table", "kind"), [("gronden", "gronden"), ("organisaties", "organisaties"), ("teksten", "text")]
)
def test_what_is_claimed_twice_is_told_by_its_kind(tmp_path: Path, table: str, kind: str) -> None:
    """The kind of the row that two files claim is named, and its content is not."""
    folder = changed_documents(tmp_path)
    shutil.copy(folder / "lex" / f"{table}.yaml", folder / "lex" / "kopie.yaml")
    assert said(folder) == f"one {kind} is claimed twice"


def test_a_document_claimed_twice_is_told(tmp_path: Path) -> None:
    """Two copies of a document, and two documents with one purpose in one region, are told apart."""
    folder = changed_documents(tmp_path)
    shutil.copy(folder / HG, folder / "regio" / "kopie.yaml")
    assert said(folder) == "one document is claimed twice"
    text = (folder / VIRA).read_text(encoding="utf-8").replace("id: vira\n", "id: virb\n")
    (folder / "regio" / "kopie.yaml").write_text(text, encoding="utf-8")
    assert said(folder) == "one purpose is claimed twice in one region"


def test_a_test_document_among_real_ones_is_told(tmp_path: Path) -> None:
    """A test document elsewhere, and everybody as party of a real one, are each told by their own rule."""
    folder = changed_documents(tmp_path)
    shutil.move(folder / "test" / "proefregio.yaml", folder / "regio" / "proefregio.yaml")
    assert said(folder) == "a test document belongs in test/ and needs the insecure switch"
    (folder / "regio" / "proefregio.yaml").unlink()
    text = (folder / VIRA).read_text(encoding="utf-8")
    start, end = text.index("partijen:\n"), text.index("doelen:\n")
    (folder / VIRA).write_text(text.replace(text[start:end], "partijen: alle\n"), encoding="utf-8")
    assert said(folder) == "only a test document may have every organisation as party"


def test_a_document_builds_on_others_of_its_bundle_only(tmp_path: Path, shipped: Bundle) -> None:
    """What a document builds on is here, and is another document: it cannot be its own support."""
    folder = changed_documents(tmp_path, (VIRA, "steunt_op: [lex@2026.1.0]", "steunt_op: [vira@2026.1.0]"))
    assert said(folder).endswith("steunt_op: must name other documents of this bundle")
    pair = tuple(one for one in shipped.convenants if one.label in {"lex@2026.1.0", "vira@2026.1.0"})
    check_convenants(pair, with_tests=False)


def test_a_list_of_parties_that_joins_nothing_is_told(tmp_path: Path) -> None:
    """Where the list stands, what it joins and who is party twice are each told by their own rule."""
    parties = "test/partijen.yaml"
    moved = changed_documents(tmp_path / "moved")
    shutil.move(moved / parties, moved / "regio" / "partijen.yaml")
    assert said(moved) == "a list of parties beside a convenant belongs in test/: a real one names its own"
    for old, new, message in (
        ("vira@2026.1.0", "vira@2025.1.0", "must name a convenant of this bundle that lists its parties"),
        ("00000099000000061000", WIJKTEAM, "one party is claimed twice"),
    ):
        folder = changed_documents(tmp_path / new, (parties, old, new))
        warned = pytest.warns(
            InsecureTestBundleWarning, match=r"^test documents are loaded: their grounds are not law$"
        )
        with warned, pytest.raises(ConvenantError) as caught:
            load_bundle(folder, insecure_test_bundle=True)
        assert str(caught.value).endswith(message)
        assert "bij: must" in str(caught.value) or "party" in message
