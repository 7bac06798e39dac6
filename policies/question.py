"""Facts read back from JSON, in the shape a decision record keeps them."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from datetime import date
from typing import Any

from policies.errors import FactsError
from policies.facts import UNKNOWN, AskFacts, HitFacts, Json

_ASK = {field.name: field.default is MISSING for field in fields(AskFacts)}
_HIT = {field.name: field.default is MISSING for field in fields(HitFacts)}


def read_question(content: Json) -> tuple[AskFacts, HitFacts | None]:
    """The facts of ``may_ask``, and those of the hit when ``content`` has a member ``hit``.

    Raises:
        FactsError: naming the member and the rule.
    """
    if not isinstance(content, dict):
        raise FactsError("facts: must be an object")
    ask: dict[str, Any] = {key: value for key, value in content.items() if key != "hit"}
    _check_members(ask, _ASK, "facts")
    ask["day"] = _day(ask["day"], "day")
    for member in ("proof_since", "proof_ends_on"):
        if ask.get(member) not in (None, UNKNOWN):
            ask[member] = _day(ask[member], member)
    ask["grounds"] = tuple(_texts(ask["grounds"], "grounds"))
    for member in ("families", "consent_by", "fulfilled"):
        if member in ask:
            ask[member] = frozenset(_texts(ask[member], member))
    if "hit" not in content:
        return AskFacts(**ask), None
    hit = content["hit"]
    if not isinstance(hit, dict):
        raise FactsError("facts.hit: must be an object")
    _check_members(hit, _HIT, "facts.hit")
    values: dict[str, Any] = dict(hit)
    return AskFacts(**ask), HitFacts(**values)


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _check_members(content: Mapping[str, object], known: Mapping[str, bool], where: str) -> None:
    if not set(content) <= set(known):
        raise FactsError(f"{where}: must have no other member than {', '.join(known)}")
    missing = [name for name, required in known.items() if required and name not in content]
    if missing:
        raise FactsError(f"{where}.{missing[0]}: must be present")


def _day(value: object, member: str) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise FactsError(f"facts.{member}: must be YYYY-MM-DD")


def _texts(value: object, member: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise FactsError(f"facts.{member}: must be a list of texts")
    return value
