"""Signals and tokens as rows of a database, and back."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from broker.domain.households import FoundToken, TokenIndex, TokenRole
from broker.domain.signals import Assessment, Exclusion, Informing, Signal, SignalState

SIGNAL_COLUMNS = (
    "id", "handle", "organisation", "controller", "parent_org", "team", "purpose", "ground", "epoch", "case_ref",
    "registered_on", "ends_on", "age_quarter", "assessed_on", "assessed_by", "informing_state", "informing_reason",
    "informing_review_on", "state", "withdrawal_reason", "shielded", "last_standing_on",
    "owner", "consent_until",
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
        signal.shielded,
        iso(signal.last_standing_on),
        signal.owner,
        iso(signal.consent_until),
    )


def signal_of(row: Sequence[Any], exclusions: Iterable[Exclusion]) -> Signal:
    """Return the signal of a row of SIGNAL_COLUMNS; a ValueError means that the database is not ours."""
    (
        signal_id, handle, organisation, controller, parent_org, team, purpose, ground, epoch, case_ref,
        registered_on, ends_on, age_quarter, assessed_on, assessed_by, informing_state, informing_reason,
        informing_review_on, state, withdrawal_reason, shielded, last_standing_on,
        owner, consent_until,
    ) = row  # fmt: skip
    assessment = informing = None
    if assessed_on is not None:
        assessment = Assessment(on=date.fromisoformat(assessed_on), by=assessed_by)
    if informing_state is not None:
        informing = Informing(state=informing_state, reason=informing_reason, review_on=day(informing_review_on))
    return Signal(
        id=signal_id,
        handle=handle,
        organisation=organisation,
        controller=controller,
        parent_org=parent_org,
        team=team,
        purpose=purpose,
        ground=ground,
        epoch=epoch,
        case_ref=case_ref,
        registered_on=date.fromisoformat(registered_on),
        ends_on=date.fromisoformat(ends_on),
        age_quarter=day(age_quarter),
        assessment=assessment,
        informing=informing,
        state=SignalState(state),
        withdrawal_reason=withdrawal_reason,
        shielded=bool(shielded),
        last_standing_on=day(last_standing_on),
        owner=owner,
        consent_until=day(consent_until),
        exclusions=frozenset(exclusions),
    )


def found_token(row: Sequence[Any], signal: Signal) -> FoundToken:
    """Return a found token with its signal; the row begins with its index, role, source and the subject's index."""
    index, role, source, subject = row[:4]
    return FoundToken(
        index=TokenIndex(index), role=TokenRole(role), source=source, subject=TokenIndex(subject), signal=signal
    )


def iso(value: date | None) -> str | None:
    """Return a day as YYYY-MM-DD, None for none."""
    return None if value is None else value.isoformat()


def day(text: str | None) -> date | None:
    """Return the day in a column, None for none."""
    return None if text is None else date.fromisoformat(text)
