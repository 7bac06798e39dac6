"""The first and the last day of every proof: none lasts longer than it can, and none is rolled on."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from policies import Bundle
from policies.catalogue import Proof
from policies.errors import CalendarError

DAY = date(2026, 11, 23)
ONE = timedelta(days=1)


def longest(proof: Proof) -> date:
    """The last day on which a proof that began on a Monday can hold."""
    return DAY + proof.max_days * ONE


@pytest.mark.parametrize(
    "name",
    [
        *("melding", "melding_volgt", "maatregel", "raadsverzoek", "huisverbod"),
        *("agenda", "zvh_besluit", "gezag", "wpg_besluit", "mandaat"),
    ],
)
def test_every_proof_has_a_first_and_a_last_day(shipped: Bundle, name: str) -> None:
    """It holds from its first day up to and including its last, and never without a first day."""
    proof = shipped.proofs[name]
    ends = longest(proof) if proof.ends else None
    assert proof.holds(day=DAY, since=DAY, ends_on=ends)
    assert proof.holds(day=longest(proof), since=DAY, ends_on=ends)
    assert not proof.holds(day=longest(proof) + ONE, since=DAY, ends_on=ends)
    assert not proof.holds(day=DAY - ONE, since=DAY, ends_on=ends)
    assert not proof.holds(day=DAY, since=None, ends_on=ends)


def test_every_proof_is_looked_at(shipped: Bundle) -> None:
    """The list above is the table."""
    assert len(shipped.proofs) == 10


@pytest.mark.parametrize("name", ["maatregel", "huisverbod", "agenda", "zvh_besluit", "wpg_besluit"])
def test_a_proof_with_its_own_last_day_needs_it(shipped: Bundle, name: str) -> None:
    """Without that day it counts not at all, and after it no more; further off than it can last it is none."""
    proof = shipped.proofs[name]
    assert not proof.holds(day=DAY, since=DAY, ends_on=None)
    assert proof.holds(day=DAY + ONE, since=DAY, ends_on=DAY + ONE)
    assert not proof.holds(day=DAY + 2 * ONE, since=DAY, ends_on=DAY + ONE)
    assert not proof.holds(day=DAY, since=DAY, ends_on=longest(proof) + ONE)


def test_a_melding_in_the_making_waits_one_working_day(shipped: Bundle) -> None:
    """A call on Thursday before Easter has its number on Tuesday, and a call on Friday on Monday."""
    proof = shipped.proofs["melding_volgt"]
    assert proof.holds(day=date(2026, 4, 7), since=date(2026, 4, 2), ends_on=None)
    assert not proof.holds(day=date(2026, 4, 8), since=date(2026, 4, 2), ends_on=None)
    assert not replace(proof, working_days=False).holds(day=date(2026, 4, 7), since=date(2026, 4, 2), ends_on=None)


def test_a_term_of_working_days_in_an_unknown_year_is_no_guess(shipped: Bundle) -> None:
    """Where the public holidays are not known nobody says that it holds, nor that it does not."""
    proof, day = shipped.proofs["melding_volgt"], date(2101, 1, 3)
    with pytest.raises(CalendarError):
        proof.holds(day=day, since=day, ends_on=None)
    assert not proof.holds(day=DAY, since=day, ends_on=None)
