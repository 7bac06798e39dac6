"""The one map from errors to problems: RFC 9457 `application/problem+json`, with a text the sender can act on.

A problem never holds a value of the request, and never the text of an exception. What is not in the map is a bare 500.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from broker.api.wire import BodyTooLargeError, MethodNotAllowedError
from broker.domain import errors
from broker.protocol.ceremony import CeremonyError
from broker.protocol.compact_jwt import JwtMalformedError, JwtSignatureError
from broker.protocol.errors import MalformedError, RequestTokenError, SignatureError, TicketError
from broker.protocol.problems import Problem, ProblemKind, problem, problem_kinds
from broker.protocol.refresh import RefreshError
from broker.protocol.ristretto import BackendMissingError, GroupError, InvalidPointError
from broker.protocol.sealed_letter import LetterError
from broker.protocol.voprf import ProofError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = {503: 5, 429: 3600}
"""Seconds until another try makes sense, by status."""

PROBLEM_IDS: Mapping[type[Exception], str] = {
    MalformedError: "malformed-request",
    InvalidPointError: "point-invalid",
    BodyTooLargeError: "body-too-large",
    MethodNotAllowedError: "method-not-allowed",
    errors.FieldRuleError: "malformed-request",
    errors.RoleNotAllowedError: "role-not-allowed",
    errors.ControllerUnknownError: "controller-unknown",
    errors.TeamUnknownError: "team-unknown",
    errors.PurposeUnknownError: "purpose-unknown",
    errors.FamilyNotAllowedError: "family-not-allowed",
    errors.FamilyNotUsedError: "family-not-used",
    errors.PointInvalidError: "point-invalid",
    errors.EpochUnknownError: "epoch-unknown",
    errors.EndDateBeyondRuleError: "end-date-beyond-rule",
    errors.AgeQuarterNeededError: "age-quarter-needed",
    errors.AssessmentNeededError: "assessment-needed",
    errors.InformingNeededError: "informing-needed",
    errors.ReceiverUnknownError: "receiver-unknown",
    errors.BundleNotInForceError: "bundle-not-in-force",
    errors.ApprovalError: "approval-invalid",
    errors.ApproverIsRequesterError: "approver-is-requester",
    errors.OrganisationUnknownError: "organisation-unknown",
    errors.OrganisationSuspendedError: "organisation-suspended",
    errors.NotFoundError: "not-found",
    errors.AlreadyErasedError: "already-erased",
    errors.SignalExistsError: "signal-exists",
    errors.TicketSpentError: "ticket-spent",
    errors.KeyReusedError: "idempotency-key-reused",
    errors.AnswerWithheldError: "answer-withheld-on-replay",
    errors.RefusedError: "refused",
    errors.WithdrawalNeedsReviewError: "withdrawal-needs-review",
    errors.NotDoneError: "not-done",
    errors.StorageError: "storage-unavailable",
    errors.LogUnavailableError: "log-unavailable",
    errors.SchemaNotMigratedError: "storage-unavailable",
    errors.RightsTooWideError: "storage-unavailable",
    errors.WriterHeldError: "storage-unavailable",
    # A fault of ours, whatever was sent: these belong to documents, keys and proofs, which no route takes.
    errors.DocumentNotNewerError: "internal",
    errors.PolicyNotSuccessorError: "internal",
    SignatureError: "internal",
    JwtMalformedError: "internal",
    JwtSignatureError: "internal",
    BackendMissingError: "internal",
    GroupError: "internal",
    CeremonyError: "internal",
    RefreshError: "internal",
    ProofError: "internal",
    LetterError: "internal",
    # Nothing was done, and the sender may try again: a flow should have caught these itself.
    errors.ConcurrencyError: "not-done",
    errors.StaleDecisionError: "not-done",
    errors.AlreadyAnsweredError: "not-done",
    # Classes nobody raises themselves; a test asks every child to be listed by its own name.
    errors.RequestRuleError: "internal",
    errors.RecordedError: "not-done",
    errors.NotRecordedError: "not-done",
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
            return _filled(problem_kinds()[PROBLEM_IDS[kind]], error)
    return problem("internal")


def document_of(error: Exception) -> dict[str, Any]:
    """Return the problem's members as they go over the wire; an entry of the log answers with its own very document."""
    if isinstance(error, errors.RecordedError):
        return {**error.document, "receipt": dict(error.receipt)}
    return problem_of(error).document()


def problem_response(error: Exception) -> Response:
    """Return the HTTP answer for an error."""
    document = document_of(error)
    headers = {}
    if document["status"] in RETRY_AFTER_S:
        headers["Retry-After"] = str(RETRY_AFTER_S[document["status"]])
    if document["status"] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Sluis"  # RFC 9110 section 11.6.1 asks for the scheme
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    return Response(body, status_code=document["status"], headers=headers, media_type=MEDIA_TYPE)


def _filled(kind: ProblemKind, error: Exception) -> Problem:
    """Return the problem with what its text needs, all of it from our own lists."""
    match error:
        case MalformedError(field=field, rule=rule) | errors.FieldRuleError(field=field, rule=rule):
            told = {"field": field, "rule": rule}
            return Problem(kind=kind, params=told if kind.id == "malformed-request" else {}, extra=told)
        case errors.PointInvalidError(field=field):
            return Problem(kind=kind, extra={"field": field})
        case errors.EndDateBeyondRuleError(latest=latest):
            return Problem(kind=kind, params={"latest": latest.isoformat()})
        case errors.AnswerWithheldError(receipt=receipt, signal_id=signal_id):
            return Problem(kind=kind, extra={"receipt": dict(receipt), "signalId": signal_id})
        case _:
            return Problem(kind=kind)
