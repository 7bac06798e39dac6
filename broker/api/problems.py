"""The one map from errors to problems: RFC 9457 `application/problem+json`, with a text the sender can act on.

A problem never holds a value of the request, and never the text of an exception. What is not in the map is a bare 500.
"""

import json
from collections.abc import Mapping

from starlette.responses import Response

from broker.api.wire import BodyTooLargeError
from broker.protocol.ceremony import CeremonyError
from broker.protocol.compact_jwt import JwtMalformedError, JwtSignatureError
from broker.protocol.errors import MalformedError, RequestTokenError, SignatureError, TicketError
from broker.protocol.problems import Problem, problem
from broker.protocol.ristretto import BackendMissingError, GroupError, InvalidPointError
from broker.protocol.voprf import ProofError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = {503: 5, 429: 3600}
"""Seconds until another try makes sense, by status."""

PROBLEM_IDS: Mapping[type[Exception], str] = {
    MalformedError: "malformed-request",
    InvalidPointError: "point-invalid",
    BodyTooLargeError: "body-too-large",
    # A fault of ours, whatever was sent: these belong to documents, keys and proofs, which no route takes.
    SignatureError: "internal",
    JwtMalformedError: "internal",
    JwtSignatureError: "internal",
    BackendMissingError: "internal",
    GroupError: "internal",
    CeremonyError: "internal",
    ProofError: "internal",
}
"""A class stands for its subclasses, unless these are listed too."""

CODED: tuple[type[Exception], ...] = (RequestTokenError, TicketError)
"""Errors whose `code` is itself the id of a published problem."""


def problem_of(error: Exception) -> Problem:
    """Return the problem that says what went wrong; `internal` for what no entry of the map covers."""
    if isinstance(error, RequestTokenError | TicketError):
        return problem(error.code)
    for kind in type(error).__mro__:
        if kind in PROBLEM_IDS:
            return _filled(PROBLEM_IDS[kind], error)
    return problem("internal")


def problem_response(occurred: Problem) -> Response:
    """Return the HTTP answer that carries this problem."""
    headers = {"Cache-Control": "no-store"}
    if occurred.kind.status in RETRY_AFTER_S:
        headers["Retry-After"] = str(RETRY_AFTER_S[occurred.kind.status])
    if occurred.kind.status == 401:  # noqa: PLR2004 - RFC 9110 §11.6.1 asks for the scheme with this status
        headers["WWW-Authenticate"] = "Sluis"
    body = json.dumps(occurred.document(), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    return Response(body, status_code=occurred.kind.status, headers=headers, media_type=MEDIA_TYPE)


def _filled(kind: str, error: Exception) -> Problem:
    if kind == "malformed-request" and isinstance(error, MalformedError):
        told = problem(kind, field=error.field, rule=error.rule)
        return Problem(kind=told.kind, params=told.params, extra={"field": error.field, "rule": error.rule})
    return problem(kind)
