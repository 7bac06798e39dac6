"""The policy in force, for everybody who may ask: documents, words, what would be decided, what changed."""

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from broker.api.edge import Here
from broker.api.openapi import Decided, Difference, Evaluated, ShownConvenant, answers_with, body_of
from broker.api.wire import parse, prefers_html
from broker.flows.published_policy import (
    convenant_document,
    convenant_fragment,
    decided_if,
    difference,
    evaluated,
    vocabulary_document,
)
from broker.protocol.errors import MalformedError
from broker.protocol.policy_messages import AccessEvaluation, Vocabulary, WhatIf

router = APIRouter(tags=["policy"])

_SHA256_DIGITS = 64
_FRAGMENT_HEADERS = {"Content-Security-Policy": "default-src 'none'", "Vary": "Accept"}


@router.get("/v1/convenants/{document}/{version}", responses=answers_with(ShownConvenant))
async def convenant(document: str, version: str, request: Request, edge: Here) -> Response:
    """Show a document of the policy in force, its grounds and tests: as written, or as a piece of a Dutch page."""
    await edge.receive(request)
    policy = edge.policies.current
    if prefers_html(request.headers.get("accept", "")):
        fragment = await asyncio.to_thread(convenant_fragment, policy, document, version)
        return HTMLResponse(fragment, headers=_FRAGMENT_HEADERS)
    shown = await asyncio.to_thread(convenant_document, policy, document, version)
    return JSONResponse(shown, headers={"Vary": "Accept"})


@router.get("/v1/vocabulary", responses=answers_with(Vocabulary))
async def vocabulary(request: Request, edge: Here) -> Response:
    """List every word that facts and rules can have, with Dutch names."""
    await edge.receive(request)
    return JSONResponse(vocabulary_document(edge.policies.current))


@router.post("/v1/policy/what-if", openapi_extra=body_of(WhatIf), responses=answers_with(Decided))
async def what_if(request: Request, edge: Here) -> Response:
    """Say what would be decided on these facts. Nothing is looked up, and nothing is recorded."""
    _, body = await edge.receive(request)
    return JSONResponse(decided_if(edge.policies.current, parse(WhatIf, body).facts))


@router.get("/v1/policy/diff", responses=answers_with(Difference))
async def diff(request: Request, edge: Here, earlier: str = "") -> Response:
    """Say what opened and closed since an earlier bundle, named by its hash, that this broker still has."""
    await edge.receive(request)
    if len(earlier) != _SHA256_DIGITS or not set(earlier) <= set("0123456789abcdef"):
        raise MalformedError("earlier", "is not the hash of a bundle")
    return JSONResponse(dict(await asyncio.to_thread(difference, edge.policies.current, earlier)))


@router.post("/access/v1/evaluation", openapi_extra=body_of(AccessEvaluation), responses=answers_with(Evaluated))
async def evaluation(request: Request, edge: Here) -> Response:
    """Answer as an AuthZEN decision point. Every fact is the caller's; nothing is looked up or recorded."""
    _, body = await edge.receive(request)
    return JSONResponse(evaluated(edge.policies.current, parse(AccessEvaluation, body)))
