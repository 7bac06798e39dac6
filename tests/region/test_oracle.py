"""The oracle counts by the definitions of `docs/matching.md`, on persons written by hand."""

import datetime
from collections import Counter
from pathlib import Path

import pytest

from connectors.dates import PartialDate, age_quarter
from tests.region.cast import ORGANISATIONS
from tests.region.oracle import Person, Region, read_people, split_region, unassessed
from tests.simulators.gba_v import HEADER, official_number, person_rows, write_persons

DAY = "2026-07-01"
MOTHER, CHILD, BROTHER, STRANGER = (official_number(place) for place in (3, 14, 159, 265))
HOME = {"08.11.60": "6811 AC", "08.11.20": "12"}
OTHER_SPELLING = {"08.11.60": "6811ac", "08.11.20": "12"}
PEOPLE = {
    "mother": ({"01.01.20": MOTHER, "01.03.10": "19800101", "09.01.20": CHILD, **HOME},),
    "child": ({"01.01.20": CHILD, "01.03.10": "20140500", "02.01.20": MOTHER, **HOME},),
    "brother": ({"01.01.20": BROTHER, "01.03.10": "20030930", "02.01.20": MOTHER},),
    "stranger": ({"01.01.20": STRANGER, "01.03.10": "20030630", **OTHER_SPELLING},),
    "again": ({"01.01.20": CHILD, "01.03.10": "19000101"},),
    "dead": ({"01.01.20": official_number(358), "06.08.10": "20200101"},),
    "nobody": ({"01.03.10": "20140500"},),
}
JUDGED = {label: {"assessed_on": DAY, "assessed_by": "anna", "informed": "yes"} for label in PEOPLE}


@pytest.fixture
def people(tmp_path: Path) -> dict[str, Person]:
    """The persons as the oracle reads them from a file."""
    file = write_persons(tmp_path / "people.csv", *(person_rows(label, *rows) for label, rows in PEOPLE.items()))
    return {label: Person(rows, DAY) for label, rows in read_people(str(file)).items()}


def counted(
    region: Region, *, mute: int = 12, excluded: frozenset[tuple[str, ...] | None] = frozenset()
) -> Counter[tuple[str, str, str]]:
    """Return how often each checked row meets each held row in each kind."""
    found, _ = region.matches(mute=mute, excluded=set(excluded))
    return Counter((match["checker_row"], match["kind"], match["holder_row"]) for match in found)


def test_each_kind_counts_by_itself(people: dict[str, Person]) -> None:
    """Member and neighbour, shared parent, same person; never at the own organisation, and one number there once."""
    holders = {"mother": ["a"], "child": ["b"], "brother": ["c"], "stranger": ["d"], "again": ["b", "c"]}
    region = Region(people, holders)
    found = counted(region)
    assert found["mother", "member", "child"] == found["mother", "address", "child"] == 1
    assert found["child", "family", "brother"] == found["brother", "family", "child"] == 1
    assert found["child", "address", "stranger"] == found["stranger", "address", "mother"] == 1
    assert found["child", "person", "again"] == found["again", "person", "child"] == 1
    assert found["brother", "address", "child"] == found["mother", "person", "mother"] == 0
    assert {"row": "again", "holder": "b", "reason": "number on another row"} in region.rejected
    own = Region(people, {label: ["a"] for label in PEOPLE})
    assert counted(own).total() == 0
    assert {one["reason"] for one in own.rejected} == {
        "number on another row", "deceased", "no number, or none that passes the elfproef",
    }  # fmt: skip


def test_an_excluded_and_a_crowded_address_match_nothing(people: dict[str, Person]) -> None:
    """More signals of others about others than the threshold, or the list, silence an address and nothing else."""
    region = Region(people, {"mother": ["a"], "child": ["b"], "stranger": ["c"]})
    loud = counted(region, mute=2)
    silent = {key: n for key, n in loud.items() if key[1] != "address"}
    assert sum(n for key, n in loud.items() if key[1] == "address") == 6
    assert counted(region, mute=1) == silent
    assert counted(region, excluded=frozenset({people["child"].address})) == silent


def test_the_verwijsindex_registers_judged_youths_only(people: dict[str, Person]) -> None:
    """Persons and shared parents, of who was judged, is young enough, and whose family knows or why not yet."""
    holders = {label: ["a", "b"] for label in PEOPLE}
    judged = {**JUDGED, "brother": {**JUDGED["brother"], "informed": "danger_to_child"}}
    region = Region(people, holders, purpose="verwijsindex", today=DAY, assessments=judged)
    assert {row for _, row in region.signals} == {"child", "brother"}
    assert {key[1] for key in counted(region)} == {"person", "family"}
    reasons = {one["row"]: one["reason"] for one in region.rejected}
    assert reasons["mother"] == reasons["stranger"] == "age"
    assert reasons["again"] == "number on another row"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        ({"informed": "investigation"}, ""),
        ({"informed": "no"}, "informing"),
        ({"informed": ""}, "informing"),
        ({"assessed_on": ""}, "assessment"),
        ({"assessed_by": " "}, "assessment"),
        ({"assessed_on": "2026-07-02"}, "assessment"),
    ],
)
def test_a_line_of_the_side_file_is_judged(changed: dict[str, str], reason: str) -> None:
    """Somebody judged this youth by the day at the latest, and the family is told or there is a reason."""
    assert unassessed({**JUDGED["child"], **changed}, DAY) == reason
    assert unassessed({}, DAY) == "assessment"


@pytest.mark.parametrize(
    ("birth", "day", "reason"),
    [
        ("20030930", "2026-07-01", ""),
        ("20030930", "2026-07-02", "age"),
        ("20031231", "2026-10-01", ""),
        ("20030000", "2026-01-01", ""),
        ("20030000", "2026-01-02", "age"),
        ("20040200", "2027-01-01", ""),
        ("00000000", "2026-07-01", "age unknown"),
        ("", "2026-07-01", "age unknown"),
    ],
)
def test_the_quarter_of_the_birthday_is_the_age_limit(birth: str, day: str, reason: str) -> None:
    """On the first day of that quarter a youth is registered still, and the connector computes the same quarter."""
    (row,) = person_rows("x", {"01.01.20": CHILD, "01.03.10": birth})
    person = Person([list(zip(HEADER, row, strict=True))], day)
    assert person.too_old(day) == reason
    quarter = age_quarter(PartialDate.parse(birth, field="birth")) if birth else None
    ours = "age unknown" if quarter is None else "age" if quarter < datetime.date.fromisoformat(day) else ""
    assert ours == reason


def test_holders_are_split_in_four_four_and_two_of_ten() -> None:
    """Over many labels 40 % have one holder, 40 % two and 20 % three, of all six; a label's holders never change."""
    labels = [f"Lg01_{number}" for number in range(5_000)]
    slugs = [partner.slug for partner in ORGANISATIONS]
    holders = split_region(labels, slugs)
    sizes = Counter(len(found) for found in holders.values())
    assert [round(sizes[count] / len(labels), 1) for count in (1, 2, 3)] == [0.4, 0.4, 0.2]
    each = Counter(slug for found in holders.values() for slug in found)
    assert all(0.25 < each[slug] / len(labels) < 0.35 for slug in slugs)
    assert holders == split_region(labels, slugs)
    assert split_region(["Lg01_343"], slugs) == {"Lg01_343": holders["Lg01_343"]}
