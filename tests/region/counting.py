"""The plaintext count as a process of its own: `-I` keeps our packages out of its reach."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from connectors.demo.errors import ProcessError
from tests.region.cast import ORGANISATIONS

_ORACLE = Path(__file__).with_name("oracle.py")
_COUNT_S = 1_200.0

Match = tuple[str, str, str, str, str]
"""Checker, its row, kind, holder, its row."""
Told = tuple[str, str, str, str, str]
"""Checker, its row, kind, holder, team."""
Rejected = tuple[str, str, str]
"""Holder, row, reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run: for which purpose, on which day, without which addresses, and when an address is mute."""

    purpose: str
    day: date
    excluded: tuple[str, ...] = ()
    mute_above: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the plaintext count says of one run."""

    holders: Mapping[str, Sequence[str]]
    expected: frozenset[Match]
    shown: frozenset[Told]
    rejected: frozenset[Rejected]
    doubled: Sequence[Sequence[str]]
    addresses: Sequence[Mapping[str, Any]]
    counts: Mapping[str, Any]


def count(data: Path, plan: Plan, *, teams: Path, assessments: Path) -> Count:
    """Return the count of a file under a plan. Raises ProcessError: the oracle cannot read it."""
    command = [sys.executable, "-I", str(_ORACLE), str(data), "--date", plan.day.isoformat()]
    command += ["--purpose", plan.purpose, "--mute", str(plan.mute_above), "--teams", str(teams)]
    command += ["--assessments", str(assessments), "--exclude", *plan.excluded]
    command += ["--region", *(partner.slug for partner in ORGANISATIONS)]
    done = subprocess.run(command, capture_output=True, timeout=_COUNT_S, check=False)
    if done.returncode != 0:
        raise ProcessError("tests/region/oracle.py could not count this file; is it in GBA-V format?")
    printed = json.loads(done.stdout)
    return Count(
        holders=printed["holders"],
        expected=frozenset(match_of(one) for one in printed["expected"]),
        shown=frozenset(
            (one["checker"], one["checker_row"], one["kind"], one["holder"], one.get("team", ""))
            for one in printed["shown"]
        ),
        rejected=frozenset((one["holder"], one["row"], one["reason"]) for one in printed["rejected"]),
        doubled=printed["doubled"],
        addresses=printed["addresses"],
        counts=printed["counts"],
    )


def match_of(members: Mapping[str, str]) -> Match:
    """Return a match as a value."""
    return (
        members["checker"],
        members["checker_row"],
        members["kind"],
        members["holder"],
        members["holder_row"],
    )
