"""Bodies: read once, within a cap, with one reading; answers: written in a few fixed sizes."""

import json
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.request_signing import is_id

MAX_BODY_BYTES = 262_144
MAX_CHUNK_BODY_BYTES = 1_572_864
"""The same for one chunk of an attachment: room for it as text, and for one that is too long to be told so."""
ANSWER_BYTES = (40_960, 65_536, 131_072, 262_144)
"""The sizes an answer can have on the wire; one with something to show is as long as one without (D8)."""

M = TypeVar("M", bound=BaseModel)

_RULES = {
    "missing": "is missing",
    "extra_forbidden": "has members that are not known",
    "string_type": "is not a text",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "is not of the right form",
    "int_type": "is not a whole number",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
    "list_type": "is not a list",
    "too_short": "has too few items",
    "too_long": "has too many items",
    "literal_error": "is not one of the known values",
    "model_type": "is not an object",
}
_NOTHINGS_ID = "-"
_FORMAT = "breaks the rule of its format"


class BodyTooLargeError(ProtocolError):
    """The body is larger than its address takes; it was not read to its end."""


class MethodNotAllowedError(ProtocolError):
    """The address exists, and not for this method."""


async def read_body(chunks: AsyncIterator[bytes], *, at_most: int = MAX_BODY_BYTES) -> bytes:
    """Return the whole body. Raises BodyTooLargeError as soon as it is longer than the cap."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > at_most:
            raise BodyTooLargeError
    return bytes(body)


def parse(model: type[M], body: bytes, *, at_most: int = MAX_BODY_BYTES) -> M:
    """Return the message in a JSON body.

    Raises:
        MalformedError: the JSON has more than one reading, or a field breaks a rule. Field and rule come from our own
            lists, so nothing that was sent comes back.
    """
    members = strict_json.load_object(body, max_bytes=at_most)
    try:
        return model.model_validate(members, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
        raise MalformedError(_field(place), _RULES.get(first["type"], _FORMAT)) from None


def id_in_path(text: str) -> str:
    """Return the id in an address; for a text that is none, one that nothing has: both are answered alike."""
    return text if is_id(text) else _NOTHINGS_ID


def prefers_html(accept: str) -> bool:
    """Return whether a client asks for `text/html` before JSON (RFC 9110 section 12.5.1); JSON when in doubt."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media, _, weight = part.strip().partition(";q=")
        try:
            weights[media.partition(";")[0].strip().lower()] = float(weight or 1)
        except ValueError:
            continue
    json_weight = max(weights.get(name, 0.0) for name in ("application/json", "application/*", "*/*"))
    return weights.get("text/html", 0.0) > json_weight


def padded_answer(result: dict[str, Any], receipt: dict[str, Any]) -> bytes:
    """Return the body of an answer, filled up with zeros to one of `ANSWER_BYTES`.

    A list of own signals that is longer still becomes a multiple of the largest.
    """
    bare = _json({"result": result, "receipt": receipt, "padding": ""})
    largest = ANSWER_BYTES[-1]
    size = next((size for size in ANSWER_BYTES if len(bare) <= size), -(-len(bare) // largest) * largest)
    return _json({"result": result, "receipt": receipt, "padding": "0" * (size - len(bare))})


def _json(value: object) -> bytes:
    """Return one writing of a value: the same answer given again is the same byte for byte."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def _field(place: tuple[int | str, ...]) -> str:
    """Return the path of a field in a model of ours, as `household.parents[1].token`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return path.removeprefix(".") or "body"
