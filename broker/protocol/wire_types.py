"""The types of single members of a wire message: tokens, ids, days, names, and the rules every message shares."""

import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from broker.protocol.document_fields import parse_day
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_id, is_oin, is_word
from broker.protocol.signing_keys import b64url, b64url_bytes

TOKEN_BYTES = 32
PROOF_BYTES = 64
BATCH_SIZES = (8, 16, 32)
MAX_MEMBERS = 12
SIGNALS_PER_PAGE = 200
"""Own signals in one answer at most; who gets as many asks on after the last."""


class WireToken:
    """A token or a blinded point on the wire: 32 bytes that are never printed."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        """Hold exactly 32 bytes."""
        if len(value) != TOKEN_BYTES:
            raise MalformedError("token", "is not 32 bytes")
        self.value = value

    def __repr__(self) -> str:
        return "WireToken(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WireToken) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


def _token(value: object) -> WireToken:
    if isinstance(value, WireToken):
        return value
    if not isinstance(value, str):
        raise ValueError("is not base64url")  # noqa: TRY004 - pydantic turns ValueError into a field error
    try:
        return WireToken(b64url_bytes(value, field="token", length=TOKEN_BYTES))
    except MalformedError as error:
        raise ValueError(error.rule) from None


def holds_when(rule: str, holds: Any) -> Any:  # noqa: ANN401 - builds a pydantic validator
    """Return a rule of a field: its value must be one for which `holds` says so; an error names the rule alone."""

    def validate(value: object) -> object:
        if not holds(value):
            raise ValueError(rule)
        return value

    return AfterValidator(validate)


def _day(value: object) -> object:
    """Take days as YYYY-MM-DD text only; pydantic alone would take numbers and times too."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if (day := parse_day(value)) is not None:
        return day
    raise ValueError("is not a day (YYYY-MM-DD)")


Token = Annotated[WireToken, BeforeValidator(_token), PlainSerializer(lambda token: b64url(token.value))]
Proof = Annotated[str, holds_when("is not 64 bytes base64url", lambda text: _is_bytes(text, PROOF_BYTES))]
Id = Annotated[str, holds_when("is not 32 lower-case hex characters", is_id)]
Oin = Annotated[str, holds_when("is not an OIN of 20 digits", is_oin)]
Word = Annotated[str, holds_when("is not a short name", is_word)]
Day = Annotated[datetime.date, BeforeValidator(_day)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PointBatch = Annotated[list[Token], Field(min_length=1, max_length=max(BATCH_SIZES))]
"""Points of one family; how many exactly follows from the budget class and is the custodian's to check."""
FamilyName = Literal["nlbsn", "fam", "addr", "dmk"]
Epoch = Annotated[int, Field(ge=1, le=2**32 - 1)]


def _is_bytes(text: str, length: int) -> bool:
    try:
        b64url_bytes(text, field="", length=length)
    except MalformedError:
        return False
    return True


class Message(BaseModel):
    """The rules of every wire model: camelCase, closed, strict, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        defer_build=True,  # a command uses a few of these models; each is built where it is first used
    )
