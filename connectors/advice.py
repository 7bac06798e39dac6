"""Asking advice: a counter per month in the own folder. Nobody is named, nobody is asked, and nothing leaves."""

import datetime
import json
from pathlib import Path

from connectors.errors import FolderError
from connectors.folder import PartnerFolder

FILE = "advice.json"


def count_advice(folder: PartnerFolder, *, today: datetime.date | None = None) -> tuple[str, int]:
    """Return the month and how often advice was asked in it, this time included."""
    day = today or datetime.datetime.now(datetime.UTC).date()
    month, path = f"{day:%Y-%m}", folder.path / FILE
    counts = _counts(path)
    counts[month] = counts.get(month, 0) + 1
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(counts, sort_keys=True), encoding="ascii")
    fresh.replace(path)
    return month, counts[month]


def _counts(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    try:
        counts = json.loads(path.read_text(encoding="ascii"))
        return {str(month): int(count) for month, count in counts.items()}
    except (ValueError, AttributeError, TypeError):
        raise FolderError(FILE, "is damaged") from None
