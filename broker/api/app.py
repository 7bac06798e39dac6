"""The application: routes, the one way errors are answered, and the boundary around all of it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broker.api.boundary import Boundary
from broker.api.edge import Edge
from broker.api.openapi import openapi_document
from broker.api.problems import problem_response
from broker.api.routes import (
    calls,
    consents,
    custodian_feed,
    erasures,
    exceptions,
    exports,
    household_checks,
    inbox,
    information_requests,
    matches,
    organisations,
    owed_tasks,
    owners,
    phone_calls,
    policy,
    review,
    review_statements,
    service,
    signals,
    tasks,
    webhooks,
)
from broker.api.wire import MethodNotAllowedError
from broker.domain.errors import BrokerError, NotFoundError
from broker.protocol.errors import ProtocolError

ROUTERS = (
    signals.router,
    household_checks.router,
    inbox.router,
    matches.router,
    information_requests.router,
    consents.router,
    calls.router,
    matches.coordinated,
    tasks.router,
    owed_tasks.router,
    owners.router,
    phone_calls.router,
    webhooks.router,
    erasures.router,
    exceptions.router,
    exports.router,
    organisations.router,
    policy.router,
    service.router,
    custodian_feed.router,
    review.router,
    review_statements.router,
)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_METHOD_NOT_ALLOWED = 405


def create_api(edge: Edge, *, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the broker's API over these ports; nothing describes it online."""
    app = _routed(lifespan)
    app.state.edge = edge
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(BrokerError, _answer_error)
    app.add_exception_handler(ProtocolError, _answer_error)
    app.add_middleware(Boundary)
    return app


def description() -> Mapping[str, Any]:
    """Return the OpenAPI document of the API, the same for every broker."""
    return openapi_document(_routed(None))


def _routed(lifespan: Lifespan | None) -> FastAPI:
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    for router in ROUTERS:
        app.include_router(router)
    return app


async def _answer_error(_: Request, error: Exception) -> Response:
    return problem_response(error)


async def _answer_http(_: Request, error: Exception) -> Response:
    """Answer what the router refuses: an unknown address as anything that is not there, and a wrong method."""
    if isinstance(error, HTTPException) and error.status_code == _METHOD_NOT_ALLOWED:
        response = problem_response(MethodNotAllowedError())
        response.headers.update(error.headers or {})
        return response
    return problem_response(NotFoundError())
