"""The terms under which a case is registered: until when, who judged it, and whether the family knows."""

import datetime
from typing import Any

from connectors.cases import Assessment, Case, Informing
from connectors.dates import age_quarter
from connectors.folder import PartnerFolder
from connectors.workers import pairwise_id

USUAL_DAYS = 365


def quarter_of(folder: PartnerFolder, case: Case, purpose: str) -> datetime.date | None:
    """Return the quarter in which the youth turns 23, for the purposes that need it only (D16)."""
    if purpose not in folder.settings.age_bound or case.birth_date is None:
        return None
    return age_quarter(case.birth_date)


def last_day(case: Case, *, stated: datetime.date | None, quarter: datetime.date | None, now: int) -> datetime.date:
    """Return the day that was stated, else a year from today and never beyond the quarter. `now` in unix seconds."""
    chosen = stated or case.ends_on
    if chosen is not None:
        return chosen
    today = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
    usual = today + datetime.timedelta(days=USUAL_DAYS)
    return usual if quarter is None else min(usual, quarter)


def assessment_members(folder: PartnerFolder, assessment: Assessment | None) -> dict[str, Any] | None:
    """Return the wire members of an assessment; the worker is named by his id at the broker."""
    if assessment is None:
        return None
    broker = folder.settings.broker.id
    return {
        "on": assessment.on,
        "by": pairwise_id(folder.pairwise_key, audience=broker, local_id=assessment.by),
    }


def informing_members(informing: Informing | None) -> dict[str, Any] | None:
    """Return the wire members of whether the family knows."""
    if informing is None:
        return None
    state = "informed" if informing.informed else "deferred"
    return {"state": state, "reason": informing.reason, "review_on": informing.review_on}
