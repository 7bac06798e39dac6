"""A wrong document is noticed by what stands beside it: fence, tables, properties or findings."""

from collections import Counter

import pytest

from policies import load_bundle
from policies.load import SHIPPED
from policies.tables import read_tables
from tests.prove.wrong_documents import SURVIVED, WrongDocument, fate, read_survivors, survivors, wrong_documents

BUNDLE = load_bundle()
WRONG = {one.name: one for one in wrong_documents(BUNDLE)}
ROWS = read_tables(SHIPPED)
SOME = [WRONG[name] for name in sorted(WRONG)[:: max(1, len(WRONG) // 12)]]
"""A few of them in every run; `make prove` tries all."""
ONCE_UNNOTICED = [
    "wettelijk vt-ziet houdend +politie",
    "wettelijk gi-ziet houdend +reclassering",
    "wettelijk meldrecht without duty beoordeel_spoed",
    "wettelijk conflict-van-plichten without duty beoordeel_uitzondering",
    "wettelijk vt-kijkt without duty informeer_betrokkene",
    "wettelijk spoed-politie vragend +politie",
    "bewijzen huisverbod ten_hoogste +1",
]
"""Some that a review found to survive before there were rows for words and duties."""


@pytest.mark.parametrize("wrong", SOME, ids=lambda one: one.name)
def test_a_wrong_document_is_noticed_or_on_the_list(wrong: WrongDocument) -> None:
    """Nothing joins the list of what survives: a new clause comes with the rows that hold its words."""
    assert fate(BUNDLE, ROWS, wrong) != SURVIVED or wrong.name in read_survivors()


@pytest.mark.parametrize("name", ONCE_UNNOTICED)
def test_what_opened_unnoticed_is_noticed_now(name: str) -> None:
    """One class more that is shown, or one duty less, does not pass by the documents' own checks."""
    assert fate(BUNDLE, ROWS, WRONG[name]) != SURVIVED


def test_the_list_is_of_mutants_that_are_made() -> None:
    """A name that no mutant has is no longer on the list, and no two mutants have one name."""
    assert set(read_survivors()) <= set(WRONG)
    assert max(Counter(one.name for one in wrong_documents(BUNDLE)).values()) == 1
    assert len(WRONG) > 1000


def test_a_document_that_is_not_wrong_survives() -> None:
    """Nothing is noticed of documents as they are, so that a fate says something."""
    right = WrongDocument(name="right", row="", make=lambda _: None)
    assert survivors(BUNDLE, [right]) == ["right"]
