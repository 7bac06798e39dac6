"""The terms under which a case is registered: until when, who judged it, and whether the family knows."""

import datetime
from typing import Any

from connectors.cases import Assessment, Case, Informing
from connectors.dates import age_quarter
from connectors.folder import PartnerFolder
from connectors.workers import pairwise_id

USUAL_DAYS = 365
REVIEW_DAYS = 28
"""Days after which is looked again at a family that does not know, where no day was stated."""


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


def informing_members(informing: Informing | None, *, now: int) -> dict[str, Any] | None:
    """Return the wire members of whether the family knows; what is put off always has a day. `now` in unix seconds."""
    if informing is None:
        return None
    if informing.informed:
        return {"state": "informed", "reason": informing.reason, "review_on": informing.review_on}
    usual = datetime.datetime.fromtimestamp(now, datetime.UTC).date() + datetime.timedelta(days=REVIEW_DAYS)
    return {"state": "deferred", "reason": informing.reason, "review_on": informing.review_on or usual}
