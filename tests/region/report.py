"""What `report.json` says of one run: rows by label, never a number; and whether it found what was expected."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.region.counting import Count, Match, Plan, Told
from tests.region.playing import Found

KINDS = ("person", "member", "family", "address")


def run_document(plan: Plan, counted: Count, found: Found) -> dict[str, Any]:
    """Return one of `runs[]`. Rows are imported under a grant, so nothing may be told at registration."""
    matched = counted.expected & found.matches
    equal = {
        "matches": counted.expected == found.matches,
        "told": counted.shown == found.told,
        "told_at_registration": not found.told_at_registration,
        "rejected": counted.rejected == found.rejected,
    }
    return {
        "purpose": plan.purpose,
        "date": plan.day.isoformat(),
        "excluded_addresses": list(plan.excluded),
        "mute_threshold": plan.mute_above,
        "holders": {label: list(holders) for label, holders in counted.holders.items()},
        "expected": _matches(counted.expected),
        "found": _matches(found.matches),
        "rejected": [{"row": row, "holder": holder, "reason": why} for holder, row, why in sorted(found.rejected)],
        "reported": [{"row": row, "field": field, "rule": rule} for row, field, rule in sorted(found.reported)],
        "equal": all(equal.values()),
        "equal_parts": equal,
        "counts": {
            "persons": counted.counts["persons"],
            "signals": found.registered,
            "checks": found.checked,
            "checks_with_a_mute_address": found.mute,
            "log_entries": found.entries,
            "rejected": len(found.rejected),
            "expected": _by_kind(counted.expected),
            "found": _by_kind(found.matches),
            "told": _by_kind(found.told),
            "pairs_without_match": counted.counts["pairs_without_match"],
            "missing": len(counted.expected - found.matches),
            "surplus": len(found.matches - counted.expected),
        },
        "rates": {
            "recall": _share(len(matched), len(counted.expected)),
            "precision": _share(len(matched), len(found.matches)),
            "registered_per_s": _share(found.registered, found.seconds["register"]),
            "checked_per_s": _share(found.checked, found.seconds["check"]),
        },
    }


def difference(counted: Count, found: Found) -> list[str]:
    """Return the first of what is missing or too much, for who has to find out why."""
    lines = []
    for name, expected, seen in (
        ("match", counted.expected, found.matches),
        ("told", counted.shown, found.told),
        ("rejected", counted.rejected, found.rejected),
    ):
        lines += [f"missing {name}: {' '.join(one)}" for one in sorted(expected - seen)[:5]]
        lines += [f"surplus {name}: {' '.join(one)}" for one in sorted(seen - expected)[:5]]
    return lines


def _matches(found: Iterable[Match]) -> list[dict[str, str]]:
    names = ("checker", "checker_row", "kind", "holder", "holder_row")
    return [dict(zip(names, match, strict=True)) for match in sorted(found)]


def _by_kind(found: Iterable[Match | Told]) -> dict[str, int]:
    counted = Counter(one[2] for one in found)
    return {kind: counted[kind] for kind in KINDS}


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
