"""Days as they stand in Dutch sentences."""

import datetime

_MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
    "december",
)  # fmt: skip


def day_nl(day: datetime.date) -> str:
    """Return a day as people write it: `3 december 2026`."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
