"""Terms of follow-up: the own ones of a region, never slower than the statute, on working days where it says so."""

import warnings
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies import Bundle, load_bundle
from policies.document import Document
from policies.errors import ClauseError, ConflictError, InsecureTestBundleWarning
from policies.follow_up import FollowUp, Term

WIJKTEAM, GI = "00000099000000001000", "00000099000000002000"
PURPOSES = ("vt-melding", "verwijsindex")


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The documents we ship, with those of tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return load_bundle(insecure_test_bundle=True)


def document(region: str | None, *rows: dict[str, Any], file: str = "a.yaml") -> Document:
    """Return a document with these terms."""
    terms = [{"bron": "test", **row} for row in rows]
    content: dict[str, Any] = {
        "schema": "opvolging/v1", "regio": region, "matchcoordinator": None, "termijnen": terms,
    }  # fmt: skip
    return Document(file=file, content=content, lines={(): 1})


def term(text: str, *, working: bool = False) -> Term:
    """Return this term."""
    return Term.from_content({"termijn": text, "werkdagen": working, "bron": "test"})


@pytest.mark.parametrize(
    ("text", "working", "start", "end"),
    [
        ("PT24H", False, "2026-12-24", "2026-12-25"),
        ("PT36H", False, "2026-12-24", "2026-12-26"),
        ("P5D", True, "2026-12-24", "2027-01-04"),
        ("P10D", False, "2026-12-24", "2027-01-03"),
        ("P10W", False, "2026-01-01", "2026-03-12"),
        ("P3M", False, "2026-11-30", "2027-02-28"),
        ("P1Y", False, "2028-02-29", "2029-02-28"),
    ],
)
def test_a_term_ends_on_its_last_day(text: str, *, working: bool, start: str, end: str) -> None:
    """Hours round up to a day; weeks, months and years are those of the calendar; working days skip Christmas."""
    assert term(text, working=working).last_day(date.fromisoformat(start)) == date.fromisoformat(end)


def test_a_region_goes_by_its_own_term_and_else_by_the_statute(shipped: Bundle) -> None:
    """Arnhem weighs within 24 hours, Amsterdam within five working days, and who says nothing by the law."""
    found = shipped.follow_up
    weighing = {
        region: found.stated("weging", purpose="vt-melding", region=region)
        for region in ("arnhem-achterhoek", "amsterdam-amstelland", None)
    }
    wednesday = date(2026, 11, 25)
    assert {region: one.last_day(wednesday) for region, one in weighing.items()} == {
        "arnhem-achterhoek": date(2026, 11, 26), "amsterdam-amstelland": date(2026, 12, 2), None: date(2026, 12, 2),
    }  # fmt: skip
    ban = found.stated("huisverbod", purpose="huisverbod", region="arnhem-achterhoek")
    assert ban.last_day(date(2026, 11, 1)) == date(2026, 11, 11)
    assert found.stated("eerste_monitor", purpose="verwijsindex", region="amsterdam-amstelland").region is not None
    assert found.first_contact_by(wednesday, purpose="verwijsindex", region=None) == date(2026, 12, 2)


def test_both_the_law_and_the_region_are_stated_and_the_shorter_counts(shipped: Bundle) -> None:
    """Arnhem's 24 hours beside five working days of the law; where only one speaks it counts, where none none does."""
    thursday = date(2026, 12, 24)
    both = shipped.follow_up.stated("weging", purpose="vt-melding", region="arnhem-achterhoek")
    assert both.last_days(thursday) == (date(2027, 1, 4), date(2026, 12, 25))
    assert both.last_day(thursday) == date(2026, 12, 25)
    law = shipped.follow_up.stated("weging", purpose="vt-melding", region=None)
    assert (law.last_days(thursday), law.last_day(thursday)) == ((date(2027, 1, 4), None), date(2027, 1, 4))
    assert shipped.follow_up.stated("weging", purpose="verwijsindex", region=None).last_day(thursday) is None


def test_holders_are_asked_for_as_long_as_the_documents_say(shipped: Bundle) -> None:
    """Five working days by our document, a region's own where it is quicker, and five where no document speaks."""
    ours = shipped.follow_up.stated("oproep", purpose="vt-melding", region="arnhem-achterhoek")
    assert ours.statute is not None
    assert ours.statute.source.startswith("Uitgangspunt van Sluis")
    quick = document("hier", {"id": "oproep", "doel": "*", "termijn": "P2D", "werkdagen": True})
    follow_up = FollowUp.from_documents([quick], PURPOSES)
    friday = date(2026, 11, 27)
    assert follow_up.asked_until(friday, purpose="vt-melding", region="hier") == date(2026, 12, 1)
    assert follow_up.asked_until(friday, purpose="vt-melding", region=None) == date(2026, 12, 4)


def test_every_region_names_its_coordinator(shipped: Bundle) -> None:
    """The documents name an organisation and its team; the statute names nobody."""
    assert set(shipped.follow_up.coordinators) == {
        "arnhem-achterhoek", "amsterdam-amstelland", "noord-holland", "proefregio",
    }  # fmt: skip
    assert {one["region"] for one in shipped.follow_up.record()} >= {None, "arnhem-achterhoek"}


@pytest.mark.parametrize(
    ("own", "floor"),
    [
        ({"termijn": "P6D", "werkdagen": True}, {"termijn": "P5D", "werkdagen": True}),
        ({"termijn": "P8D"}, {"termijn": "P5D", "werkdagen": True}),
        ({"termijn": "P11W"}, {"termijn": "P10W"}),
        ({"termijn": "P1Y"}, {"termijn": "P28D"}),
    ],
)
def test_no_region_is_slower_than_the_statute(own: dict[str, Any], floor: dict[str, Any]) -> None:
    """A longer term does not load, and the error names its row."""
    names = {"id": "weging", "doel": "vt-melding"}
    statute = document(None, {**names, **floor})
    with pytest.raises(ClauseError) as refused:
        FollowUp.from_documents([statute, document("hier", {**names, **own})], PURPOSES)
    assert "longer than the statute" in str(refused.value)
    for_all = document(None, {**names, "doel": "*", **floor})
    with pytest.raises(ClauseError):
        FollowUp.from_documents([for_all, document("hier", {**names, **own})], PURPOSES)
    FollowUp.from_documents([statute, document("hier", {**names, **floor})], PURPOSES)


def test_a_row_for_every_purpose_is_no_way_around_the_statute() -> None:
    """A region's longer row for every purpose does not load, where the statute has one for one of them."""
    statute = document(None, {"id": "weging", "doel": "vt-melding", "termijn": "P5D", "werkdagen": True})
    with pytest.raises(ClauseError):
        FollowUp.from_documents([statute, document("hier", {"id": "weging", "doel": "*", "termijn": "P30D"})], PURPOSES)


def test_the_earlier_day_counts_on_every_day_of_the_calendar() -> None:
    """Five working days over Christmas are more than seven days: where the statute says seven, the eighth is late."""
    statute = document(None, {"id": "weging", "doel": "vt-melding", "termijn": "P7D"})
    region = document("hier", {"id": "weging", "doel": "*", "termijn": "P5D", "werkdagen": True})
    follow_up = FollowUp.from_documents([statute, region], PURPOSES)
    stated = follow_up.stated("weging", purpose="vt-melding", region="hier")
    assert stated.last_days(date(2026, 12, 24)) == (date(2026, 12, 31), date(2027, 1, 4))
    assert stated.last_day(date(2026, 12, 24)) == date(2026, 12, 31)


def test_what_contradicts_itself_does_not_load() -> None:
    """Two documents for one region, a term twice, and a purpose that is not there are refused."""
    row = {"id": "weging", "doel": "vt-melding", "termijn": "P5D"}
    with pytest.raises(ConflictError):
        FollowUp.from_documents([document("hier", row), document("hier", row)], PURPOSES)
    with pytest.raises(ClauseError):
        FollowUp.from_documents([document("hier", row, row)], PURPOSES)
    with pytest.raises(ClauseError):
        FollowUp.from_documents([document("hier", {**row, "doel": "elders"})], PURPOSES)


def test_without_a_document_first_contact_is_five_working_days() -> None:
    """A bundle that says nothing of it still has a last day."""
    nothing = FollowUp.from_documents([], PURPOSES)
    sunday, friday = date(2026, 11, 22), date(2026, 11, 27)
    assert nothing.first_contact_by(sunday, purpose="verwijsindex", region="hier") == friday


def homed(region: str | None, *organisations: str) -> Document:
    """Return a document that names these organisations."""
    found = document(region)
    return replace(found, content={**found.content, "organisaties": list(organisations)})


def test_an_organisation_is_named_by_one_region() -> None:
    """Which region's coordinator it has is clear: two that name it, or the law doing so, do not load."""
    assert FollowUp.from_documents([homed("hier", GI), homed("daar")], PURPOSES).homes == {GI: "hier"}
    for wrong in ([homed("hier", GI), homed("daar", GI)], [homed(None, GI)]):
        with pytest.raises(ClauseError) as refused:
            FollowUp.from_documents(wrong, PURPOSES)
        assert refused.value.field.startswith("organisaties")


def test_where_an_organisation_is_at_home(shipped: Bundle) -> None:
    """By the agreement it is of itself; by the national connection alone it is where a document names it."""
    day = date(2026, 11, 25)
    asked: dict[str, Any] = {"purpose": "verwijsindex", "met_in": "arnhem-achterhoek", "day": day}
    assert shipped.home_of(side=(WIJKTEAM, "wijkteam"), **asked) == "arnhem-achterhoek"
    assert shipped.home_of(side=(GI, "gi"), **asked) == "noord-holland"
    unnamed = replace(shipped, follow_up=FollowUp(terms={}, coordinators={}, homes={}))
    assert unnamed.home_of(side=(GI, "gi"), **{**asked, "purpose": "casusoverleg"}) == "proefregio"
    assert unnamed.home_of(side=(WIJKTEAM, "school"), **asked) == "proefregio"
    assert unnamed.home_of(side=(WIJKTEAM, "wijkteam"), **{**asked, "day": date(2020, 1, 1)}) == "proefregio"


def test_of_several_homes_one_counts_that_is_clear(shipped: Bundle) -> None:
    """That in which it met the other side, or that whose document names it; else none, and nobody is told."""
    (one,) = [found for found in shipped.carriers["verwijsindex"] if found.region == "arnhem-achterhoek"]
    carriers = {"verwijsindex": (one, replace(one, region="elders"))}
    named = replace(shipped.follow_up, homes={WIJKTEAM: "elders"})
    for follow_up, met_in, home in (
        (shipped.follow_up, "arnhem-achterhoek", "arnhem-achterhoek"),
        (shipped.follow_up, "daar", None),
        (shipped.follow_up, None, None),
        (named, None, "elders"),
    ):
        bundle = replace(shipped, carriers=carriers, follow_up=follow_up)
        side = (WIJKTEAM, "wijkteam")
        assert bundle.home_of(purpose="verwijsindex", side=side, met_in=met_in, day=date(2026, 11, 25)) == home
