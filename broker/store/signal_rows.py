"""Signals and tokens as rows of SQLite, and back."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date

from broker.domain.households import FoundToken, TokenIndex, TokenRole
from broker.domain.signals import Assessment, Exclusion, Informing, Signal, SignalState

SIGNAL_COLUMNS = (
    "id", "handle", "organisation", "controller", "parent_org", "team", "purpose", "ground", "epoch", "case_ref",
    "registered_on", "ends_on", "age_quarter", "assessed_on", "assessed_by", "informing_state", "informing_reason",
    "informing_review_on", "state", "withdrawal_reason", "shielded", "last_standing_on",
)  # fmt: skip


def signal_row(signal: Signal) -> tuple[object, ...]:
    """Return the row of a signal, in the order of SIGNAL_COLUMNS."""
    assessment, informing = signal.assessment, signal.informing
    return (
        signal.id,
        signal.handle,
        signal.organisation,
        signal.controller,
        signal.parent_org,
        signal.team,
        signal.purpose,
        signal.ground,
        signal.epoch,
        signal.case_ref,
        signal.registered_on.isoformat(),
        signal.ends_on.isoformat(),
        iso(signal.age_quarter),
        None if assessment is None else assessment.on.isoformat(),
        None if assessment is None else assessment.by,
        None if informing is None else informing.state,
        None if informing is None else informing.reason,
        None if informing is None else iso(informing.review_on),
        signal.state.value,
        signal.withdrawal_reason,
        int(signal.shielded),
        iso(signal.last_standing_on),
    )


def signal_of(row: sqlite3.Row, exclusions: Iterable[Exclusion]) -> Signal:
    """Return the signal of a row; ValueError or a KeyError means that the database is not ours."""
    assessment = informing = None
    if row["assessed_on"] is not None:
        assessment = Assessment(on=date.fromisoformat(row["assessed_on"]), by=row["assessed_by"])
    if row["informing_state"] is not None:
        review_on = day(row["informing_review_on"])
        informing = Informing(state=row["informing_state"], reason=row["informing_reason"], review_on=review_on)
    return Signal(
        id=row["id"],
        handle=row["handle"],
        organisation=row["organisation"],
        controller=row["controller"],
        parent_org=row["parent_org"],
        team=row["team"],
        purpose=row["purpose"],
        ground=row["ground"],
        epoch=row["epoch"],
        case_ref=row["case_ref"],
        registered_on=date.fromisoformat(row["registered_on"]),
        ends_on=date.fromisoformat(row["ends_on"]),
        age_quarter=day(row["age_quarter"]),
        assessment=assessment,
        informing=informing,
        state=SignalState(row["state"]),
        withdrawal_reason=row["withdrawal_reason"],
        shielded=bool(row["shielded"]),
        last_standing_on=day(row["last_standing_on"]),
        exclusions=frozenset(exclusions),
    )


def found_token(row: sqlite3.Row, signals: Mapping[str, Signal]) -> FoundToken:
    """Return a found token with its signal out of `signals`."""
    return FoundToken(
        index=TokenIndex(row["idx"]),
        role=TokenRole(row["role"]),
        source=row["source"],
        subject=TokenIndex(row["subject_idx"]),
        signal=signals[row["signal_id"]],
    )


def iso(value: date | None) -> str | None:
    """Return a day as YYYY-MM-DD, None for none."""
    return None if value is None else value.isoformat()


def day(text: str | None) -> date | None:
    """Return the day in a column, None for none."""
    return None if text is None else date.fromisoformat(text)
