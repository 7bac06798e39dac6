"""What a permit obliges to afterwards is on somebody's list, in the same transaction."""

from datetime import date

import pytest

from broker.domain.changes import Task
from broker.domain.signals import Informing
from broker.flows.duties import due, tasks_for
from policies import Obligation, Permit, Text
from tests.simulators.asking import household
from tests.simulators.broker_world import World, tasks_of
from tests.simulators.enrolled import GI

YOUTH = {"ageQuarter": "2032-01-01", "assessment": {"on": "2026-11-20", "by": "worker-1000"}}
FRIDAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("informing", "due_on"),
    [
        ({"state": "informed", "reason": None, "reviewOn": None}, None),
        ({"state": "deferred", "reason": "danger_to_child", "reviewOn": "2026-12-01"}, date(2026, 12, 1)),
    ],
)
async def test_a_registration_leaves_its_duties_as_tasks(
    world: World, informing: dict[str, object], due_on: date | None
) -> None:
    """Whom somebody put off informing is looked at again on the day he named; who was informed needs no task."""
    asker = world.asker(GI, purpose="verwijsindex", ground="JW-7.1.4.1")
    made = await world.register(asker, household(subject="child"), **YOUTH, informing=informing)
    task = Task(
        kind="informeer_betrokkene", organisation=GI, due_on=due_on or FRIDAY, signal_id=str(made.result["signalId"])
    )
    assert tasks_of(world) == ([] if due_on is None else [task])


@pytest.mark.parametrize(
    ("term", "working_days", "today", "last"),
    [
        ("P28D", False, FRIDAY, date(2026, 12, 25)),
        ("P1D", True, FRIDAY, date(2026, 11, 30)),
        ("P1D", True, date(2026, 11, 29), date(2026, 11, 30)),
        ("P5D", True, FRIDAY, date(2026, 12, 4)),
        ("P1D", True, date(2026, 12, 24), date(2026, 12, 28)),
        ("P1D", True, date(2026, 4, 2), date(2026, 4, 7)),
        (None, False, FRIDAY, FRIDAY),
    ],
)
def test_a_term_ends_on_a_day(term: str | None, working_days: bool, today: date, last: date) -> None:  # noqa: FBT001 - parameters of the table
    """Calendar days are counted as they come, working days past weekends and public holidays; no term means now."""
    duty = Obligation(id="overleg_achteraf", phase="achteraf", term=term, working_days=working_days)
    assert due(duty, today) == last


def test_what_was_to_be_done_first_is_no_task() -> None:
    """A duty beforehand was met, or there would be no permit; every other one is a task, informed of or not."""
    duties = (
        Obligation(id="toestemming_nagaan", phase="vooraf", term=None),
        Obligation(id="beoordeel_spoed", phase="achteraf", term="P1D"),
        Obligation(id="informeer_betrokkene", phase="achteraf", term="P28D"),
    )
    permit = Permit(
        question="may_ask", bundle="0" * 64, facts={}, level=2, ground="VITAAL", rule="a@1.0.0/b", rules=("a@1.0.0/b",),
        obligations=duties, text=Text(id="vraag.mag", params={}, nl="Mag."),
    )  # fmt: skip
    found = tasks_for(permit, organisation=GI, today=FRIDAY)
    assert [(task.kind, task.due_on) for task in found] == [
        ("beoordeel_spoed", date(2026, 11, 28)),
        ("informeer_betrokkene", date(2026, 12, 25)),
    ]
    informed = Informing(state="informed", reason=None, review_on=None)
    assert [task.kind for task in tasks_for(permit, organisation=GI, today=FRIDAY, informing=informed)] == [
        "beoordeel_spoed"
    ]
