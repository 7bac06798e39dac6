"""JSON that reads one way only: no key twice, no number that is not finite."""

import json
import math
from typing import NoReturn

from audit.errors import EntryError


def loads(text: str) -> object:
    """Return the JSON value in this text.

    Raises:
        EntryError: not JSON, nested too deeply, a key twice in one object, or a number that is not finite.

    """
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
        )
    except (ValueError, RecursionError) as error:
        raise EntryError("JSON: malformed or nested too deeply") from error
    return value


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise EntryError("JSON: a key stands twice in one object")
    return result


def _refuse_constant(_: str) -> NoReturn:
    raise EntryError("JSON: a number is not finite")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise EntryError("JSON: a number is not finite")
    return value
