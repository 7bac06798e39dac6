"""The connector's reader and the oracle agree on files with every oddity, and each file has them all."""

import datetime
from collections import Counter
from pathlib import Path

import pytest

from connectors.sources.gba_v import BIRTH_DATE, DEATH_DATE, SELF_BSN, read_gba_v
from tests.region.oracle import Person, one_spelling, read_people
from tests.simulators.odd_gba_v import generate_odd

TODAY = datetime.date(2026, 7, 1)


@pytest.mark.parametrize("seed", range(8))
def test_two_readers_agree_on_every_oddity(tmp_path: Path, seed: int) -> None:
    """Who counts, and whose parents, members and address are his, is one thing to two readers that share no line."""
    path = tmp_path / "odd.csv"
    path.write_text(generate_odd(seed, 80), encoding="utf-8")
    caseload = read_gba_v(path, today=TODAY)
    people = {label: Person(rows, TODAY.isoformat()) for label, rows in read_people(str(path)).items()}
    assert {case.row for case in caseload.cases} == {label for label, person in people.items() if not person.reason}
    for case in caseload.cases:
        person = people[case.row]
        assert case.subject is not None
        assert case.subject.reveal().decode() == person.subject
        assert {parent.bsn.reveal().decode() for parent in case.parents} == person.parents
        assert {member.reveal().decode() for member in case.members} == person.members
        fields = None if case.address is None else one_spelling(case.address.reveal().decode().split("\x1f"))
        assert fields == person.address


@pytest.mark.parametrize("seed", range(8))
def test_an_odd_file_has_every_oddity(tmp_path: Path, seed: int) -> None:
    """Sixty live at one address, a household is larger than one message, and each fault is there; a seed is a file."""
    path = tmp_path / "odd.csv"
    path.write_text(generate_odd(seed, 80), encoding="utf-8")
    assert generate_odd(seed, 80) == path.read_text(encoding="utf-8")
    caseload = read_gba_v(path, today=TODAY)
    people = {label: Person(rows, TODAY.isoformat()) for label, rows in read_people(str(path)).items()}
    assert {SELF_BSN, BIRTH_DATE, DEATH_DATE} <= {remark.field for remark in caseload.rejected}
    assert {"05.H", "08", "09", "02.01.20"} <= {remark.field for remark in caseload.reported}
    homes = Counter(person.address for person in people.values() if person.address)
    assert max(homes.values()) >= 50
    assert homes["7311zx", "12", "b", "hs", ""] >= 3
    assert max(len(person.members) for person in people.values() if not person.reason) > 12
    assert len(caseload.one_subject_each(field=SELF_BSN).cases) < len(caseload.cases)
    assert sum(person.address is None for person in people.values()) >= 2


@pytest.mark.parametrize(("persons", "crowd"), [(59, 0), (60, 61), (60, -1)])
def test_a_file_that_cannot_hold_its_oddities_is_not_made(persons: int, crowd: int) -> None:
    """Asking for less than the oddities need is a mistake, and is told."""
    with pytest.raises(ValueError, match="at least 60"):
        generate_odd(1, persons, crowd=crowd)
