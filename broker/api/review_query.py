"""What the query of a review asks for: read once, each parameter by its rule."""

from typing import get_args

from starlette.requests import Request

from broker.domain.acts import ActFilter
from broker.domain.review import REVIEWED_DAYS
from broker.flows.review_acts import Wanted
from broker.flows.reviewing import DAY_S
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_word
from broker.protocol.review_messages import Use

DEFAULT_DAYS = 28
MOST_DAYS = 370
_MOST = 2**40
_WORDS = ("worker", "purpose", "ground", "bundle", "outcome", "kind")
_NUMBERS = ("since", "until", "after")


def wanted(request: Request, *, now: int) -> Wanted:
    """Return the acts that a query asks for. Raises MalformedError: a parameter breaks its rule, or is none of ours."""
    asked = parameters(request, *_WORDS, *_NUMBERS, "use")
    until = _number(asked, "until", now + 1)
    since = _number(asked, "since", max(0, until - DEFAULT_DAYS * DAY_S))
    if not 0 <= until - since <= MOST_DAYS * DAY_S:
        raise MalformedError("since", f"is not at most {MOST_DAYS} days before the end")
    words = {name: _word(asked, name) for name in _WORDS}
    return Wanted(filter=ActFilter(since=since, until=until, **words), after=after(asked), use=use(asked))


def queued(request: Request, *, now: int) -> Wanted:
    """Return the queue that a query asks for. Raises MalformedError."""
    asked = parameters(request, "after", "use")
    period = ActFilter(since=max(0, now - REVIEWED_DAYS * DAY_S), until=now + 1)
    return Wanted(filter=period, queue=True, after=after(asked), use=use(asked))


def parameters(request: Request, *known: str) -> dict[str, str]:
    """Return the query's parameters. Raises MalformedError: one is not known here, or stands there twice."""
    stated = request.query_params.multi_items()
    asked = dict(stated)
    if len(asked) != len(stated) or not set(asked) <= set(known):
        raise MalformedError("query", "has a parameter that is not known, or one twice")
    return asked


def after(asked: dict[str, str]) -> int | None:
    """Return the index to go on from, or None. Raises MalformedError."""
    return _number(asked, "after", 0) if "after" in asked else None


def use(asked: dict[str, str]) -> str:
    """Return what a reading is for. Raises MalformedError."""
    text = asked.get("use", "view")
    if text not in get_args(Use):
        raise MalformedError("use", "is not view, search, print or export")
    return text


def _number(asked: dict[str, str], name: str, otherwise: int) -> int:
    text = asked.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdecimal() and int(text) <= _MOST):
        raise MalformedError(name, "is not a whole number")
    return int(text)


def _word(asked: dict[str, str], name: str) -> str | None:
    text = asked.get(name)
    if text is not None and not is_word(text):
        raise MalformedError(name, "is not a short name")
    return text
