"""A signal that rests on consent ends with it; an exception names about whom it is."""

import datetime
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_UNTIL = """UPDATE signals SET consent_until = coalesce((
    SELECT max(c.lapses_on) FROM consents c JOIN consent_tokens p ON p.consent_id = c.id
    JOIN signal_tokens t ON t.idx = p.idx AND t.role = 'subject'
    WHERE t.signal_id = signals.id AND c.organisation = signals.organisation
    AND c.body LIKE '%"purpose": "' || signals.purpose || '"%'), registered_on)
    WHERE ground = 'TOEST' AND state IN ('active', 'frozen')"""
"""Where nobody's yes is known to hold any more it ended the day after it was registered: then it is swept."""


_OF_BEFORE = "SELECT id, body FROM consents WHERE idx IS NULL AND lapses_on IS NULL"
"""Only a record of before version 0019 names no entry, and nobody computed yet when its yes ends."""
_EVENTS = "SELECT body FROM consent_events WHERE consent_id = :id ORDER BY number"


def upgrade() -> None:
    """Signals of before rest on the last of what stands as a yes; what was invoked before is about nobody."""
    op.add_column("signals", sa.Column("consent_until", sa.String(), nullable=True))
    _say_when_those_of_before_end()
    op.execute(_UNTIL)
    op.create_table(
        "exception_tokens",
        sa.Column("idx", sa.LargeBinary(), primary_key=True),
        sa.Column("exception_id", sa.String(), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_exception_tokens_exception_id", "exception_tokens", ["exception_id"])


def _say_when_those_of_before_end() -> None:
    """A yes of before holds up to its own last day: without one its signals would end with this update."""
    bind = op.get_bind()
    for consent_id, body in bind.execute(sa.text(_OF_BEFORE)).fetchall():
        rows = bind.execute(sa.text(_EVENTS), {"id": consent_id}).fetchall()
        last = _last_day(json.loads(body), [json.loads(row[0]) for row in rows])
        values = {"last": last, "id": consent_id}
        bind.execute(sa.text("UPDATE consents SET lapses_on = :last WHERE id = :id"), values)


def _last_day(body: dict[str, Any], events: list[dict[str, Any]]) -> str | None:
    """Return the last day of the first yes to end, None where nobody's holds or somebody's no does."""
    last = {(event["who"], event["capacity"]): event for event in events if not event["parties"]}
    if any(event["answer"] in ("refused", "withdrawn") for event in last.values()):
        return None
    days = [event["until"] for event in last.values() if event["answer"] == "given" and event["until"] is not None]
    of_age = body.get("ageEndsOn")
    if days and of_age is not None:
        days.append((datetime.date.fromisoformat(of_age) - datetime.timedelta(days=1)).isoformat())
    return min(days, default=None)
