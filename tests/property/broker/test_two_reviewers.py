"""Whatever reviewers do and say: a high risk that is closed "in order" had two of them, neither involved nor near."""

from hypothesis import given
from hypothesis import strategies as st

from broker.domain.acts import ReviewedAct, ReviewNote
from broker.domain.review import IN_ORDER, VERDICT, VERDICTS, KeptNote, Reviewer, closings, is_closed, own_act, own_team

PEOPLE, TEAMS = ("a", "b", "c", "d"), ("north", "south")
people, teams = st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(TEAMS))


@st.composite
def acts(draw: st.DrawFn) -> ReviewedAct:
    """An act of one of these people, perhaps approved by another, perhaps for a team, perhaps erased."""
    return ReviewedAct(
        index=7, at=0, kind="exception", organisation="o", controller="o",
        worker=draw(st.none() | people), approver=draw(st.none() | people),
        team=draw(st.none() | st.sampled_from(TEAMS)),
    )  # fmt: skip


def _kept(number: int, worker: str, word: str) -> KeptNote:
    note = ReviewNote(organisation="o", worker=worker, kind=VERDICT, about="7", body={"verdict": word})
    return KeptNote(index=number, at=100 + number, note=note)


@given(
    act=acts(),
    roster=st.fixed_dictionaries(dict.fromkeys(PEOPLE, teams)),
    said=st.lists(st.tuples(people, st.sampled_from(VERDICTS)), max_size=8),
)
def test_a_closed_high_risk_had_two_reviewers(
    act: ReviewedAct, roster: dict[str, frozenset[str]], said: list[tuple[str, str]]
) -> None:
    """Only those who may judge are heard; then closed and "in order" means two of them in a row said so."""
    of_worker = frozenset() if act.worker is None else roster[act.worker]
    heard = []
    for number, (name, word) in enumerate(said):
        reviewer = Reviewer(organisation="o", worker=name, teams=roster[name])
        if not own_act(reviewer, act) and not own_team(reviewer, act, teams_of_worker=of_worker):
            heard.append(_kept(number, name, word))
    if not is_closed(heard, high=True) or heard[-1].note.body["verdict"] != IN_ORDER:
        return
    agreed: set[str] = set()
    for kept in reversed(heard):
        if kept.note.body["verdict"] != IN_ORDER:
            break
        agreed.add(kept.note.worker)
    assert len(agreed) >= 2
    assert not agreed & {act.worker, act.approver}
    assert not any(roster[name] & of_worker or act.team in roster[name] for name in agreed)


@given(said=st.lists(st.tuples(people, st.sampled_from(VERDICTS)), max_size=8))
def test_a_second_reviewer_is_the_only_difference(said: list[tuple[str, str]]) -> None:
    """What is closed as a high risk is closed as any other; and never before the last of those who closed it spoke."""
    notes = [_kept(number, name, word) for number, (name, word) in enumerate(said)]
    high, ordinary = list(closings(notes, high=True)), list(closings(notes, high=False))
    assert len(high) == len(ordinary) == len(notes)
    for at, other, kept in zip(high, ordinary, notes, strict=True):
        if at is not None:
            assert other is not None
            assert other <= at <= kept.at
