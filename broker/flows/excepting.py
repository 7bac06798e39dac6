"""What every flow of exceptions has in common: the dossier as it was stated, and how an exception is shown."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from broker.domain.errors import FieldRuleError
from broker.domain.exceptions import REST_S, Documented, ExceptionRecord
from broker.protocol.exception_messages import DocumentedDossier, ExceptionShown, exception_document
from broker.protocol.messages import TextRef
from broker.protocol.roster import Roster

LATEST_TELLING_DAYS = 90
"""Within how many days the person is told, or it is looked at again why not."""


def documented_of(stated: DocumentedDossier | None, *, roster: Roster, today: date) -> Documented | None:
    """Return what is stated of a dossier.

    Raises:
        FieldRuleError: the colleague is nobody on the roster, or the person would be told in the past or too late.
    """
    if stated is None:
        return None
    if stated.consulted is not None and stated.consulted not in roster.workers:
        raise FieldRuleError("dossier.consulted", "is nobody on the organisation's roster")
    latest = today + timedelta(days=LATEST_TELLING_DAYS)
    if stated.tell_on is not None and not today <= stated.tell_on <= latest:
        raise FieldRuleError("dossier.tellOn", "does not lie within 90 days from today")
    return Documented(
        commitment=stated.commitment,
        answered=frozenset(stated.answered),
        consulted=stated.consulted,
        with_veilig_thuis=stated.consulted_veilig_thuis,
        tell_on=stated.tell_on,
        deferral=stated.deferral,
        meldcode_step=stated.meldcode_step,
    )


def told_of(text: str, records: Iterable[ExceptionRecord]) -> dict[str, Any]:
    """Return an `exception/v1` that shows these own exceptions; `text` is a text id."""
    shown = [shown_of(record) for record in records]
    return exception_document({"outcome": "done", "text": TextRef(id=text, params={}), "exceptions": shown})


def shown_of(record: ExceptionRecord) -> ExceptionShown:
    """Return an exception as its own organisation sees it."""
    return ExceptionShown(
        exception_id=record.id,
        type=record.type.value,
        recipient=record.recipient,
        ground=record.ground,
        purpose=record.purpose,
        at=record.at,
        dossier=record.dossier(),
        rest_due=record.at + REST_S if record.waits_for_rest else None,
        late=record.is_late,
        persons=record.persons,
        case_ref=record.case_ref,
    )


def stated_of(record: ExceptionRecord) -> dict[str, object]:
    """Return what the entry says of an exception: codes, a commitment and the ids of workers, never content."""
    documented = record.rest or record.documented
    stated: dict[str, object] = {
        "id": record.id,
        "type": record.type.value,
        "recipient": record.recipient,
        "recipient_organisation": record.recipient_organisation,
        "category": record.category,
        "reason": record.reason,
        "persons": record.persons,
    }
    if documented is not None:
        stated |= {
            "commitment": documented.commitment,
            "answered": sorted(documented.answered),
            "consulted": documented.consulted,
            "with_veilig_thuis": documented.with_veilig_thuis,
            "tell_on": None if documented.tell_on is None else documented.tell_on.isoformat(),
            "deferral": documented.deferral,
            "meldcode_step": documented.meldcode_step,
        }
    return {"exception": stated}


def consulted_in(documented: Documented | None) -> frozenset[str]:
    """Return the colleague who was consulted, where it is one: whoever that is judges it no more than who told."""
    consulted = None if documented is None else documented.consulted
    return frozenset() if consulted is None else frozenset({consulted})
