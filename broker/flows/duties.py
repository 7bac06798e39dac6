"""What a permit obliges to afterwards, as tasks that are written with it (D7): none is on nobody's list."""

from datetime import date, timedelta

from broker.domain.changes import Task
from broker.domain.signals import Informing, Signal
from policies import Obligation, Permit
from policies.workdays import working_day_after

INFORM = "informeer_betrokkene"
LOOK_AGAIN = "herzie_uitstel"
NAME_CONSULTATION = "noem_overleg"
_ON_THE_DAY = frozenset({INFORM, LOOK_AGAIN, "informeer_patient_later"})
"""What is done on the day that the worker named, where he named one."""
CONFIRM = "bevestig_toestemming"
"""Owed by the record of consent that was there before: it knows whether the confirmation was given, or is unsafe."""


def tasks_for(
    permit: Permit, *, organisation: str, today: date, signal_id: str | None = None,
    informing: Informing | None = None, tell_on: date | None = None,
) -> tuple[Task, ...]:  # fmt: skip
    """Return a task for every duty afterwards, due when its term ends; without a term at once.

    Who says that the family knows has informed them; who put it off looks again on the day he named.

    Args:
        permit: with its duties.
        organisation: that owes them.
        today: the calendar day.
        signal_id: of the own signal they are about.
        informing: whether the family knows, of a signal.
        tell_on: the day that the dossier of an exception names: the person is told, or it is looked at again.
    """
    tasks = []
    review_on = informing.review_on if informing is not None else None
    for duty in permit.obligations:
        if (
            duty.phase == "vooraf"
            or duty.id == CONFIRM
            or (duty.id == INFORM and informing is not None and informing.state == "informed")
        ):
            continue
        # What is put off because it is dangerous is on nobody's list: that it is looked at again is.
        if duty.deferred_on is not None:
            continue
        due_on = due(duty, today)
        if duty.id == INFORM and review_on is not None:
            due_on = review_on
        if duty.id in _ON_THE_DAY and tell_on is not None:
            due_on = min(due_on, tell_on)
        tasks.append(Task(kind=duty.id, organisation=organisation, due_on=due_on, signal_id=signal_id))
    return tuple(tasks)


def tasks_of_signal(permit: Permit, signal: Signal, *, today: date) -> tuple[Task, ...]:
    """Return the tasks of a permit to register this signal."""
    return tasks_for(
        permit, organisation=signal.organisation, today=today, signal_id=signal.id, informing=signal.informing
    )


def due(duty: Obligation, today: date) -> date:
    """Return the last day of a duty. Raises CalendarError: of that year no public holidays are known."""
    days = 0 if duty.term is None else int(duty.term[1:-1])
    return working_day_after(today, days) if duty.working_days else today + timedelta(days=days)
