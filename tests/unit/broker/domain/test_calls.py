"""When a ring goes on under another oproep: only where its first asker loses nothing by that."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from broker.domain.calls import AskedOn, Call, FoundAs, Ring, RingState
from broker.domain.information_requests import RestsOn, StatedProof

DAY = timedelta(days=1)
LAST = date(2026, 11, 27)
REPORT = StatedProof(kind="melding", since=LAST - 7 * DAY, ends_on=None, reference="ab" * 32)
BASIS = AskedOn(
    role="worker", grounds=("WMO-5.1.6",), families=frozenset({"nlbsn"}), approval="none",
    standing="statutory_reference", own=(), proof=REPORT,
    consent="unknown", consent_by=frozenset(), age="unknown", custody="unknown",
)  # fmt: skip
CALL = Call(
    id="a" * 32, organisation="1" * 20, controller="1" * 20, team="team-1", worker="w", purpose="vt-melding",
    case_ref=None, sent_at=1, asked_until=LAST, asked_on=BASIS,
)  # fmt: skip
RING = Ring(
    id="b" * 32, call=CALL, organisation="2" * 20, team="team-9", signal_id="c" * 32,
    found_as=FoundAs(kinds=("person",), consent="unknown"),
)  # fmt: skip


def under(**changed: object) -> Ring:
    """Return the ring of a second oproep that differs in this."""
    return replace(RING, id="d" * 32, call=replace(CALL, id="e" * 32, **changed))  # type: ignore[arg-type]  # members of a call


@pytest.mark.parametrize("changed", [{}, {"asked_until": LAST + DAY}, {"sent_at": 2, "case_ref": "ff" * 32}])
def test_a_ring_goes_on_where_everything_it_rests_on_is_the_same(changed: dict[str, object]) -> None:
    """For as long as before, or longer."""
    assert RING.may_go_on_as(under(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"asked_until": LAST - DAY},
        {"team": "team-2"},
        {"worker": "colleague"},
        {"asked_on": None},
        {"asked_on": replace(BASIS, own=("f" * 32,), standing="own_signal")},
        {"asked_on": replace(BASIS, grounds=("WMO-5.1.6", "TOEST"))},
        {"asked_on": replace(BASIS, proof=replace(REPORT, reference="cd" * 32))},
    ],
)
def test_a_ring_stays_with_its_oproep_where_another_stands_on_something_else(changed: dict[str, object]) -> None:
    """A day less, another team or worker, another basis: then there are two rings."""
    assert not RING.may_go_on_as(under(**changed))


def test_a_ring_stays_with_its_oproep_where_another_asks_something_else() -> None:
    """About another signal, found in another way, or on another agreement."""
    rests_on = (RestsOn(kind="consent", key="ab", version=1),)
    for other in (
        replace(under(), signal_id="f" * 32),
        replace(under(), found_as=FoundAs(kinds=("family",), consent="unknown")),
        replace(under(), rests_on=rests_on),
    ):
        assert not RING.may_go_on_as(other)


def test_one_more_line_about_a_person_makes_no_second_ring() -> None:
    """What the same persons said more since is read anew, so the ring goes on; who declined may be asked on it anew."""
    said = (RestsOn(kind="consent", key="ab", version=1),)
    asked, again = replace(RING, rests_on=said, valid_until=LAST), replace(under(), rests_on=said)
    more = replace(again, rests_on=(replace(said[0], version=2),))
    assert asked.may_go_on_as(again)
    assert asked.may_go_on_as(more)
    assert asked.asks_what(again)
    assert not asked.asks_what(more)
    assert not asked.may_go_on_as(replace(again, rests_on=(replace(said[0], key="cd"),)))
    assert not replace(asked, state=RingState.DECLINED).may_go_on_as(again)
