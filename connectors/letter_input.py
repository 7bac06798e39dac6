"""What a worker types for a letter, read: its text, its last day, the proof behind it, and between whom it goes."""

import datetime
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.dates import day_of
from connectors.errors import CaseError, FolderError
from connectors.folder import PartnerFolder
from connectors.following import Sides
from connectors.stated_proof import StatedProof
from connectors.working_days import TERMS, last_day


def last_day_of(term: str) -> datetime.date:
    """Return the last day of a term from today. Raises CaseError: it is none of those there are."""
    if term not in TERMS:
        raise CaseError("term", "must be today, 3 or 10")
    return last_day(term, today=_today())


def text_in(file: Path | None) -> str:
    """Return the text in this file, or on the input for `-`; none where there is no file.

    Raises:
        CaseError: it cannot be read, or is no text: some programs write letters with accents in another way.
    """
    if file is None:
        return ""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError:
        raise CaseError("text", "cannot be read") from None
    except UnicodeDecodeError:
        raise CaseError("text", "must be text in UTF-8: save it again with that encoding") from None


def typed_sides(team: str | None, to: str | None, to_team: str | None) -> Sides:
    """Return between whom a letter goes, as it was typed. Raises CaseError: somebody is missing."""
    if team is None or to is None or to_team is None:
        raise CaseError("to", "must be given with --to-team and --team, or follow from --match")
    return Sides(team=team, to=to, to_team=to_team)


def typed_proof(org: Path, text: str | None, number: Path | None) -> Mapping[str, Any] | None:
    """Return what stands behind a reference; its number leaves as an HMAC under the organisation's own key."""
    if text is None:
        return None
    kind, _, days = text.partition(":")
    since, _, ends_on = days.partition(":")
    if number is None:
        raise CaseError("proof-number", "must be given with a proof")
    try:
        first, last = datetime.date.fromisoformat(since), datetime.date.fromisoformat(ends_on) if ends_on else None
    except ValueError:
        raise CaseError("proof", "must be KIND:YYYY-MM-DD or KIND:YYYY-MM-DD:YYYY-MM-DD") from None
    try:
        stated = number.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise FolderError("proof-number", "cannot be read") from None
    # One reference for one number, whatever is asked with it: so a reviewer finds a look and a question by the same.
    proof = StatedProof(kind=kind, reference=stated, since=first, ends_on=last)
    return proof.members(PartnerFolder(org).case_ref_key.mac)


def _today() -> datetime.date:
    return day_of(int(datetime.datetime.now(datetime.UTC).timestamp()))
