"""The published description of the API, under the NL API Design Rules. It is exported, never served."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from broker.api.authenticate import CODES
from broker.api.boundary import API_VERSION
from broker.api.problems import MEDIA_TYPE, PROBLEM_IDS
from broker.flows.changing_match import MATCH_PROBLEMS
from broker.flows.changing_task import TASK_PROBLEMS
from broker.flows.letters import LETTER_PROBLEMS
from broker.flows.unwatched import PROBLEM as UNWATCHED
from broker.protocol.call_messages import AnswerRing, CallHolders, CallsAnswer, RingsAnswer
from broker.protocol.consent_messages import AnswerConsent, ConsentAnswer, RecordConsent, WithdrawConsent
from broker.protocol.directory_messages import Directory
from broker.protocol.erasure_messages import ConfirmErasure, ProposeErasure
from broker.protocol.exception_messages import CompleteException, ExceptionAnswer, InvokeException
from broker.protocol.export_messages import ExportAnswer
from broker.protocol.inbox_messages import FetchInbox, InboxAnswer
from broker.protocol.match_messages import (
    AppointCasusregisseur,
    ChangeMatchState,
    CoordinatedAnswer,
    MatchChangedAnswer,
    MatchesAnswer,
    TellNewReport,
)
from broker.protocol.messages import Answer, CheckHousehold, RegisterSignal, RenewSignal, WithdrawSignal
from broker.protocol.owed_messages import FinishOwedTask, OwedAnswer
from broker.protocol.owner_messages import HandOverSignals, OwnersAnswer
from broker.protocol.phone_messages import NoteOralAnswer, PhoneCallsAnswer, StartPhoneCall, VerifyCaller
from broker.protocol.policy_messages import AccessEvaluation, Vocabulary, WhatIf
from broker.protocol.problems import ProblemKind, problem_kinds
from broker.protocol.request_messages import REQUEST_MODELS
from broker.protocol.review_messages import (
    ChangeThreshold,
    DrawSample,
    GiveVerdict,
    NoteLogCheck,
    RejudgeVerdict,
    ReviewAnswer,
)
from broker.protocol.task_messages import CloseTask, ExtendTask, StartTerms, TasksAnswer
from broker.protocol.webhook_messages import SetWebhook, WebhookAnswer
from broker.protocol.wire_types import Message

_REF = "#/components/schemas/{model}"
_Mode = Literal["validation", "serialization"]


class ShownConvenant(Message):
    """A document of the policy in force as it was written (`convenant/v1`).

    `grounds` are those its clauses rest on; `tests` the rows of decision tables that each rule decides, when at hand.
    """

    bundle_sha256: str
    document: dict[str, Any]
    grounds: dict[str, str]
    tests: dict[str, list[str]] | None


class Decided(Message):
    """What would be decided (`decision/v1`), in Dutch, and what is possible instead."""

    decision: dict[str, Any]
    text: str
    possible: list[dict[str, str]]


class Evaluated(Message):
    """The answer of an AuthZEN decision point; `context` holds the `decision/v1` and the reason in Dutch."""

    decision: bool
    context: dict[str, Any]


class FeedOpening(Message):
    """What opens the commitment of a group: key and payload, base64url."""

    key: str
    payload: str


class FeedEntry(Message):
    """An entry's leaf; `actor` is opened where its kind uses tickets, `meta` where it says what was erased."""

    leaf: str
    actor: FeedOpening | None
    meta: FeedOpening | None


class CustodianFeed(Message):
    """Entries of the log up to the signed checkpoint; the newest one where there are none."""

    checkpoint: str
    entries: list[FeedEntry]


class Difference(Message):
    """What opened and closed between two bundles (`diff/v1`)."""

    schema_: Annotated[str, Field(alias="schema")]
    old: str | None
    new: str
    openings: int
    closings: int
    changes: list[dict[str, Any]]
    beyond: list[dict[str, Any]]
    documents: list[str]


class ProblemDocument(Message):
    """What went wrong (RFC 9457). `type` is `urn:sluis:problem:` and an id of problems.json; no value is echoed."""

    type: str
    title: str
    status: int
    detail: str
    text_id: str
    params: dict[str, str]
    field: str | None = None
    rule: str | None = None
    possible: list[dict[str, str]] | None = None
    receipt: dict[str, Any] | None = None
    signal_id: str | None = None


class _TokensAsText(GenerateJsonSchema):
    """A token is 32 bytes in base64url; its own class says nothing to a reader of the description."""

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> dict[str, Any]:
        """Return the schema of a token."""
        return {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"} if schema["cls"].__name__ == "WireToken" else {}


_MODELS: tuple[tuple[type[BaseModel], _Mode], ...] = (
    (RegisterSignal, "validation"),
    (RenewSignal, "validation"),
    (WithdrawSignal, "validation"),
    (CheckHousehold, "validation"),
    (ProposeErasure, "validation"),
    (ConfirmErasure, "validation"),
    (Answer, "validation"),
    (RecordConsent, "validation"),
    (AnswerConsent, "validation"),
    (WithdrawConsent, "validation"),
    (ConsentAnswer, "validation"),
    (InvokeException, "validation"),
    (CompleteException, "validation"),
    (ExceptionAnswer, "validation"),
    (GiveVerdict, "validation"),
    (RejudgeVerdict, "validation"),
    (ChangeThreshold, "validation"),
    (DrawSample, "validation"),
    (NoteLogCheck, "validation"),
    (ReviewAnswer, "validation"),
    (ExportAnswer, "validation"),
    (FetchInbox, "validation"),
    (CallHolders, "validation"),
    (CallsAnswer, "validation"),
    (AnswerRing, "validation"),
    (RingsAnswer, "validation"),
    (StartPhoneCall, "validation"),
    (VerifyCaller, "validation"),
    (NoteOralAnswer, "validation"),
    (PhoneCallsAnswer, "validation"),
    (StartTerms, "validation"),
    (CloseTask, "validation"),
    (ExtendTask, "validation"),
    (TasksAnswer, "validation"),
    (FinishOwedTask, "validation"),
    (OwedAnswer, "validation"),
    (SetWebhook, "validation"),
    (WebhookAnswer, "validation"),
    (InboxAnswer, "validation"),
    (ChangeMatchState, "validation"),
    (AppointCasusregisseur, "validation"),
    (TellNewReport, "validation"),
    (MatchesAnswer, "validation"),
    (HandOverSignals, "validation"),
    (OwnersAnswer, "validation"),
    (CoordinatedAnswer, "validation"),
    (MatchChangedAnswer, "validation"),
    *((model, "validation") for model in REQUEST_MODELS),
    (Directory, "validation"),
    (WhatIf, "validation"),
    (AccessEvaluation, "validation"),
    (ShownConvenant, "validation"),
    (Vocabulary, "validation"),
    (Decided, "validation"),
    (Evaluated, "validation"),
    (Difference, "validation"),
    (CustodianFeed, "validation"),
    (ProblemDocument, "validation"),
)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the part of a route's description that says what its body is."""
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def answers_with(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the part of a route's description that says what it answers, problems by status."""
    schema = {"$ref": _REF.format(model=model.__name__)}
    told: dict[int | str, dict[str, Any]] = {
        200: {"description": "Carried out.", "content": {"application/json": {"schema": schema}}}
    }
    by_status: dict[int, list[str]] = {}
    for kind in filter(_ours, problem_kinds().values()):
        by_status.setdefault(kind.status, []).append(kind.id)
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=ProblemDocument.__name__)}}}
    for status, ids in sorted(by_status.items()):
        told[status] = {"description": ", ".join(ids), "content": problem}
    return told


def _ours(kind: ProblemKind) -> bool:
    """Return whether the broker can answer this; the list is shared with custodians and connectors."""
    known = {*PROBLEM_IDS.values(), *CODES, *MATCH_PROBLEMS, *TASK_PROBLEMS, *LETTER_PROBLEMS, UNWATCHED}
    return kind.id in known or kind.id.startswith(("request-token-", "ticket-"))


def openapi_document(app: FastAPI) -> Mapping[str, Any]:
    """Return the OpenAPI document of this application, the same for every broker."""
    document = get_openapi(
        title="Sluis broker", version=API_VERSION, routes=app.routes, summary="Who is involved, and no more than that."
    )
    _, schemas = models_json_schema(list(_MODELS), by_alias=True, ref_template=_REF, schema_generator=_TokensAsText)
    # FastAPI adds schemas of its own 422, which this API never answers.
    document["components"] = {
        "schemas": schemas["$defs"],
        "securitySchemes": {"request": {"type": "apiKey", "in": "header", "name": "Authorization"}},
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            if not path.startswith("/health/"):
                operation["security"] = [{"request": []}]
    return document
