"""The body of an evaluation request, read once and strictly; what is wrong with it names a field and a rule only."""

from pydantic import ValidationError

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.messages import BATCH_SIZES, EvaluationRequest

MAX_BODY = 32_768
"""Bytes; four families of 32 points are a quarter of it."""

_CLASSES = {"register": {"register", "urgent", "import"}, "check": {"check", "urgent"}, "oproep": {"check", "urgent"}}
_MOST_REAL = {"fam": 2, "addr": 1}
"""A household has at most two parents and one address; of an import the grant says how many there are."""
_UNKNOWN_MEMBER = "extra_forbidden"


def read_request(body: bytes) -> EvaluationRequest:
    """Return the request in `body`. Raises MalformedError."""
    members = strict_json.load_object(body, max_bytes=MAX_BODY)
    try:
        request = EvaluationRequest.model_validate(members, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _first(error) from None
    _check_counts(request)
    return request


def _check_counts(request: EvaluationRequest) -> None:
    """Hold if the parts of the request fit together."""
    names = [asked.family for asked in request.families]
    if len(set(names)) != len(names):
        raise MalformedError("families", "name a family twice")
    if request.budget_class == "import":
        # A grant is exact: what is charged is every point, so there is none that only hides another.
        if any(asked.real != len(asked.points) for asked in request.families):
            raise MalformedError("families.points", "are not as many as real, which an import asks")
    else:
        _check_household(request)
    # A ticket does not say which class paid for it, so the class must fit what the ticket is for.
    if request.budget_class not in _CLASSES[request.operation]:
        raise MalformedError("budgetClass", "does not fit the operation")


def _check_household(request: EvaluationRequest) -> None:
    # `real` is only stated: the least padding that holds it bounds what a false count can win.
    if any(_size_for(asked.real) != len(asked.points) for asked in request.families):
        raise MalformedError("families.points", "are not the smallest of 8, 16 and 32 that holds real")
    if any(asked.real > _MOST_REAL.get(asked.family, asked.real) for asked in request.families):
        raise MalformedError("families.real", "is more than a household has")


def _size_for(real: int) -> int:
    return next(size for size in BATCH_SIZES if size >= real)


def _first(error: ValidationError) -> MalformedError:
    """Return the first thing that is wrong; the name of an unknown member is the sender's text, so it stays out."""
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = [str(part) for part in found["loc"]]
    if found["type"] == _UNKNOWN_MEMBER:
        return MalformedError(".".join(place[:-1]) or "body", "has members that are not known")
    return MalformedError(".".join(place), found["msg"])
