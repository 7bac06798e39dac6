"""JSON as every party of Sluis reads it: two parsers can never understand it differently."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from broker.protocol.errors import MalformedJsonError

MAX_DEPTH = 24
"""Levels of nesting; our deepest message has nine."""


def loads(text: bytes | str, *, field: str = "body", max_bytes: int = 1_048_576) -> Any:  # noqa: ANN401 - the caller parses on
    """Return the value of a JSON text that has one reading only.

    Raises:
        MalformedJsonError: not UTF-8, too long, a syntax error, a duplicate key, a number that is not
            finite, or nesting deeper than `MAX_DEPTH`.
    """
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > max_bytes:
        raise MalformedJsonError(field, "is too long")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise MalformedJsonError(field, "begins with a byte order mark")
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except MalformedJsonError as error:
        raise MalformedJsonError(field, error.rule) from None
    except (ValueError, RecursionError):
        raise MalformedJsonError(field, "is not JSON") from None
    if _depth(value) > MAX_DEPTH:
        raise MalformedJsonError(field, "is nested too deeply")
    return value


def load_object(text: bytes | str, *, field: str = "body", max_bytes: int = 1_048_576) -> dict[str, Any]:
    """Return the JSON object in `text`; anything else is refused. Raises as `loads`."""
    value = loads(text, field=field, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise MalformedJsonError(field, "is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJsonError("body", "has a duplicate key")
    return members


def _no_constant(_: str) -> NoReturn:
    raise MalformedJsonError("body", "has a number that is not finite")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJsonError("body", "has a number that is not finite")
    return number


def _depth(value: object) -> int:
    """Measure nesting without recursion, so that a hostile text cannot exhaust the stack."""
    deepest = 0
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        item, level = waiting.pop()
        deepest = max(deepest, level)
        if isinstance(item, Mapping):
            waiting.extend((child, level + 1) for child in item.values())
        elif isinstance(item, list):
            waiting.extend((child, level + 1) for child in item)
    return deepest
