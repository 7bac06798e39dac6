"""When a run over many cases goes on, and when it stops by itself."""

import pytest

from connectors.answers import stated_here
from connectors.case_run import Brake, brake_of_an_import
from connectors.errors import CaseError, ConnectorError, NotDoneError, RefusedError
from connectors.final_problems import OF_A_GRANT


def refused(problem: str) -> RefusedError:
    """Return a refusal for this reason."""
    return RefusedError(stated_here(problem), party="custodian-a")


@pytest.mark.parametrize("problem", sorted(OF_A_GRANT))
def test_a_word_about_the_grant_stops_an_import(problem: str) -> None:
    """What a custodian says of the grant holds for every row: refused by all, or waiting because one said so."""
    for error in (refused(problem), NotDoneError("not-done", key="0" * 32, problem=stated_here(problem))):
        brake = brake_of_an_import(1)
        brake.note(error)
        assert brake.pulled


def test_the_same_failure_eight_times_in_a_row_stops_a_run() -> None:
    """Seven outages and a success, and the count begins anew; eight of one kind in a row end the run."""
    brake = Brake(at=frozenset(), in_a_row=2)
    for error in [*[NotDoneError("not-done")] * 7, None, *[NotDoneError("not-done")] * 7]:
        brake.note(error)
    brake.note(refused("team-unknown"))
    assert not brake.pulled
    for _ in range(7):
        brake.note(refused("team-unknown"))
    assert brake.pulled


def test_cases_that_are_wrong_by_themselves_stop_nothing() -> None:
    """However many rows break a rule of their own, the others are registered."""
    brake = Brake(at=OF_A_GRANT, in_a_row=1)
    wrong: list[ConnectorError] = [CaseError("bsn", "must be that of the organisation's own case")] * 50
    for error in wrong:
        brake.note(error)
    assert not brake.pulled


def test_more_at_once_may_fail_before_a_run_stops() -> None:
    """With sixteen cases under way sixteen equal failures are one outage, and not yet a reason to give up."""
    brake = Brake(at=frozenset(), in_a_row=16)
    for _ in range(15):
        brake.note(NotDoneError("not-done"))
    assert not brake.pulled
