"""The facts of one question, and how they stand in a decision record.

Facts are computed on the server side of the caller; an asker claims grounds and nothing else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from policies.vocabulary import (
    APPROVALS,
    FAMILIES,
    MATCH_KINDS,
    MAX_GROUNDS,
    NO_GROUND,
    NOT_APPLICABLE,
    OPERATIONS,
    ROLES,
    STANDINGS,
    Vocabulary,
)

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

UNKNOWN = "?"
"""What a record shows for a value outside the vocabulary, so that no input is ever echoed."""

_OIN = re.compile(r"[0-9]{20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFacts:
    """Everything ``may_ask`` knows: about the asker, never about what others hold.

    Attributes:
        day: the calendar day of the decision, Europe/Amsterdam.
        operation: ``register`` (which is asking too) or ``check``.
        organisation: OIN of the asker, 20 digits.
        org_class: class of the asker in the register document.
        role: role of the worker in the request token.
        purpose: purpose id.
        grounds: at most three claimed ground codes.
        standing: what entitles the asker to look before or beside registering.
        approval: whether a second enrolled person signed the same body.
        families: identifier families the request used; a subset of ``nlbsn``, ``fam``, ``addr``.
        simulated_bsn_right: the register marks this asker's BSN right as demo-only.
    """

    day: date
    operation: Literal["register", "check"]
    organisation: str
    org_class: str
    role: str
    purpose: str
    grounds: tuple[str, ...]
    standing: Literal["none", "own_signal", "statutory_reference", "consent"]
    approval: Literal["none", "approved"]
    families: frozenset[str]
    simulated_bsn_right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HitFacts:
    """Everything ``may_see`` knows about one matching signal.

    Attributes:
        holder: OIN of the organisation that holds the signal, 20 digits.
        holder_class: its class in the register document.
        kind: match kind, ``person``, ``member``, ``family`` or ``address``.
        purpose: purpose the signal was registered for.
        ground: ground the signal was registered on.
        shielded: the holder shielded the signal.
        excluded: this asker is excluded from this signal.
    """

    holder: str
    holder_class: str
    kind: Literal["person", "member", "family", "address"]
    purpose: str
    ground: str
    shielded: bool
    excluded: bool


def ask_record(facts: AskFacts, vocabulary: Vocabulary) -> dict[str, Json]:
    """All asker facts as JSON values; a value outside the vocabulary stands as ``?``."""
    return {
        "day": _day(facts.day),
        "operation": _word(facts.operation, OPERATIONS),
        "organisation": _oin(facts.organisation),
        "org_class": _word(facts.org_class, vocabulary["ask"]),
        "role": _word(facts.role, ROLES),
        "purpose": _word(facts.purpose, vocabulary["purpose"]),
        "grounds": _grounds(facts.grounds, vocabulary["ground"] - {NO_GROUND}),
        "standing": _word(facts.standing, STANDINGS),
        "approval": _word(facts.approval, APPROVALS),
        "families": _families(facts.families),
        "simulated_bsn_right": _flag(facts.simulated_bsn_right),
    }


def hit_record(hit: HitFacts, vocabulary: Vocabulary) -> dict[str, Json]:
    """All facts of one hit as JSON values; a value outside the vocabulary stands as ``?``."""
    return {
        "holder": _oin(hit.holder),
        "holder_class": _word(hit.holder_class, vocabulary["hold"] - {NOT_APPLICABLE}),
        "kind": _word(hit.kind, MATCH_KINDS),
        "purpose": _word(hit.purpose, vocabulary["purpose"]),
        "ground": _word(hit.ground, vocabulary["ground"] - {NO_GROUND}),
        "shielded": _flag(hit.shielded),
        "excluded": _flag(hit.excluded),
    }


def unknown_facts(record: Mapping[str, Json]) -> tuple[str, ...]:
    """Names of the facts that stand as ``?`` in a record, sorted."""
    return tuple(sorted(name for name, value in record.items() if value in (UNKNOWN, [UNKNOWN])))


# What comes in is typed, and still looked at as if it were not: a fact of another type is an unknown fact.


def _word(value: object, words: frozenset[str]) -> str:
    return value if isinstance(value, str) and value in words else UNKNOWN


def _oin(value: object) -> str:
    return value if isinstance(value, str) and _OIN.fullmatch(value) else UNKNOWN


def _flag(value: object) -> bool | str:
    return value if isinstance(value, bool) else UNKNOWN


def _day(value: object) -> str:
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else UNKNOWN


def _grounds(value: object, words: frozenset[str]) -> list[Json]:
    if not isinstance(value, tuple) or len(value) > MAX_GROUNDS:
        return [UNKNOWN]
    return list(value) if all(isinstance(ground, str) and ground in words for ground in value) else [UNKNOWN]


def _families(value: object) -> list[Json]:
    return sorted(value) if isinstance(value, frozenset) and value <= FAMILIES else [UNKNOWN]
