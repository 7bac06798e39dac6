"""How a signal matches a household: four kinds, each by itself (D4)."""

from dataclasses import replace
from datetime import date

import pytest

from broker.domain.disclosures import PermittedHit, audible, is_crowd, match_rows
from broker.domain.households import (
    FoundToken,
    Hit,
    Household,
    MatchKind,
    Parent,
    TokenRole,
    find_hits,
    gives_standing,
)
from broker.domain.signals import SignalState
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM
from tests.simulators.proposals import a_signal, an_index

TODAY = date(2026, 11, 22)
CHILD, SIBLING, MOTHER, HOME = (an_index(name) for name in ("child", "sibling", "mother", "home"))
ASKED = Household(
    subject=CHILD, parents=(Parent(index=MOTHER, source="brp"),), members=(SIBLING,), address=HOME
)  # fmt: skip


def found(
    name: str,
    role: TokenRole,
    *,
    subject: str = "other",
    source: str | None = None,
    holder: str = GI,
    under: str | None = None,
) -> FoundToken:
    """Return a token found under an index, of a signal on a subject."""
    signal = a_signal(name, organisation=holder)
    index = an_index(under or subject)
    return FoundToken(index=index, role=role, source=source, subject=an_index(subject), signal=signal)


EVERY = [kind.value for kind in MatchKind]


def kinds(household: Household, *tokens: FoundToken) -> list[MatchKind]:
    """Return the kinds of match that an asker of the wijkteam gets."""
    return [hit.kind for hit in find_hits(household, tokens, asker=WIJKTEAM, day=TODAY)]


def test_the_same_subject_is_a_person_match() -> None:
    """A signal on the very person asked about."""
    assert kinds(ASKED, found("a", TokenRole.SUBJECT, subject="child")) == [MatchKind.PERSON]


def test_a_member_of_a_check_is_a_member_match() -> None:
    """A signal on another person of the household that is checked; anybody else is none."""
    assert kinds(ASKED, found("a", TokenRole.SUBJECT, subject="sibling")) == [MatchKind.MEMBER]
    assert kinds(ASKED, found("a", TokenRole.SUBJECT, subject="stranger")) == []


@pytest.mark.parametrize(("stored", "asked", "matches"), [
    ("brp", "brp", True), ("own", "brp", True), ("brp", "own", True),
    ("stated", "brp", False), ("brp", "stated", False), ("stated", "stated", False),
])  # fmt: skip
def test_a_shared_parent_is_a_family_match_unless_somebody_only_stated_it(
    stored: str, asked: str, matches: bool  # noqa: FBT001 - a parameter of the table
) -> None:  # fmt: skip
    """A stated relation discloses nothing, on either side."""
    household = replace(ASKED, parents=(Parent(index=MOTHER, source=asked),))
    token = found("a", TokenRole.PARENT, subject="other", source=stored, under="mother")
    assert kinds(household, token) == ([MatchKind.FAMILY] if matches else [])
    assert bool(gives_standing(household, [token], kinds=EVERY, day=TODAY)) is matches


def test_family_and_address_are_about_another_subject() -> None:
    """The same person is a person match and nothing beside it."""
    same = [
        found("a", TokenRole.PARENT, subject="child", source="brp", under="mother"),
        found("a", TokenRole.ADDRESS, subject="child", under="home"),
    ]
    assert kinds(ASKED, *same) == []


@pytest.mark.parametrize("above", [1, 12])
def test_an_address_with_more_than_so_many_signals_is_mute(above: int) -> None:
    """So many visible signals at one address match, one more says nothing there: a flat is no household."""
    hits = [PermittedHit(hit=Hit(kind=MatchKind.ADDRESS, signal=a_signal(str(at))), level=2) for at in range(above + 1)]
    person = PermittedHit(hit=Hit(kind=MatchKind.PERSON, signal=a_signal("0")), level=2)
    few = tuple(hits[:above])
    assert not is_crowd([*few, few[0], replace(hits[-1], level=1), person], above=above)
    assert is_crowd(hits, above=above)
    assert audible([*few, person], mute=True) == (person,)
    assert audible([*few, person], mute=False) == (*few, person)


def test_another_address_is_no_match() -> None:
    """Only the address that was asked about matches."""
    assert kinds(ASKED, found("x", TokenRole.ADDRESS, subject="x", under="elsewhere")) == []
    assert kinds(ASKED, found("y", TokenRole.ADDRESS, subject="y", under="home")) == [MatchKind.ADDRESS]


def test_an_address_gives_no_standing() -> None:
    """Living at one address does not open a look at the neighbours."""
    token = found("a", TokenRole.ADDRESS, subject="other", under="home", holder=WIJKTEAM)
    assert gives_standing(ASKED, [token], kinds=EVERY, day=TODAY) == frozenset()


def test_a_member_gives_no_standing() -> None:
    """Who lists a client as a member of a stranger's household does not thereby see who is involved there."""
    token = found("a", TokenRole.SUBJECT, subject="sibling", holder=WIJKTEAM)
    assert gives_standing(ASKED, [token], kinds=EVERY, day=TODAY) == frozenset()


@pytest.mark.parametrize(("kind", "token"), [
    (MatchKind.PERSON, found("a", TokenRole.SUBJECT, subject="child", holder=WIJKTEAM)),
    (MatchKind.FAMILY, found("a", TokenRole.PARENT, subject="x", source="brp", under="mother", holder=WIJKTEAM)),
])  # fmt: skip
def test_only_kinds_of_the_purpose_give_standing(kind: MatchKind, token: FoundToken) -> None:
    """What a purpose does not match on opens nothing in it."""
    assert gives_standing(ASKED, [token], kinds={kind.value}, day=TODAY) == {token.signal.id}
    assert gives_standing(ASKED, [token], kinds=set(EVERY) - {kind.value}, day=TODAY) == frozenset()


def test_a_check_without_a_subject_still_finds_family() -> None:
    """A check can be about parents alone; every signal is then on another subject."""
    household = replace(ASKED, subject=None)
    assert kinds(household, found("a", TokenRole.PARENT, source="own", under="mother")) == [MatchKind.FAMILY]
    assert MOTHER in household.indexes()


def test_own_ended_and_withdrawn_signals_never_count() -> None:
    """Neither the asker's own signal, nor one that is over, is a match."""
    token = found("a", TokenRole.SUBJECT, subject="child")
    ended = replace(token, signal=replace(token.signal, ends_on=date(2026, 11, 21)))
    withdrawn = replace(token, signal=replace(token.signal, state=SignalState.WITHDRAWN))
    assert kinds(ASKED, ended, withdrawn, found("b", TokenRole.SUBJECT, subject="child", holder=WIJKTEAM)) == []


def test_the_strongest_kind_of_a_team_is_the_one_shown() -> None:
    """One row per organisation and team; the order tells nothing but the kind and the names."""
    hits = [
        Hit(kind=MatchKind.ADDRESS, signal=a_signal("a")),
        Hit(kind=MatchKind.PERSON, signal=a_signal("b")),
        Hit(kind=MatchKind.FAMILY, signal=a_signal("c", organisation=VEILIG_THUIS)),
        Hit(kind=MatchKind.FAMILY, signal=replace(a_signal("d"), team="team-2")),
    ]
    rows = match_rows(PermittedHit(hit=hit, level=2) for hit in hits)
    assert [(row.organisation, row.team, row.kind.value) for row in rows] == [
        (GI, "team-1", "person"), (GI, "team-2", "family"), (VEILIG_THUIS, "team-1", "family"),
    ]  # fmt: skip


def test_a_permit_below_the_contact_level_names_nobody() -> None:
    """Level 1 says only that others are involved, for which there is no row."""
    assert match_rows([PermittedHit(hit=Hit(kind=MatchKind.PERSON, signal=a_signal("a")), level=1)]) == ()
