"""Exceptions: tell without consent where no law allows it, bring the rest of what was acute, list."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.complete_exception import complete_exception, list_exceptions
from broker.flows.invoke_exception import invoke_exception
from broker.protocol.errors import MalformedError
from broker.protocol.exception_messages import CompleteException, ExceptionAnswer, InvokeException
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1/exceptions", tags=["exceptions"])


@router.post("", openapi_extra=body_of(InvokeException), responses=answers_with(ExceptionAnswer))
async def invoke(request: Request, edge: Here) -> Response:
    """Invoke an exception. Where a law already lets one tell this recipient it is refused, with what can be done."""
    sent, body = await edge.receive(request)
    return answer(
        await invoke_exception(
            command=parse(InvokeException, body),
            requester=sent.requester,
            approval=sent.approval,
            policies=edge.policies,
            issuers=edge.issuers,
            tokens=edge.tokens,
            clock=edge.clock,
            randomness=edge.randomness,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            exceptions=edge.exceptions,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post(
    "/{exception_id}/completion", openapi_extra=body_of(CompleteException), responses=answers_with(ExceptionAnswer)
)
async def complete(exception_id: str, request: Request, edge: Here) -> Response:
    """Bring the rest of an acute exception, within a day."""
    sent, body = await edge.receive(request)
    return answer(
        await complete_exception(
            command=parse(CompleteException, body),
            exception_id=id_in_path(exception_id),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            signals=edge.signals,
            exceptions=edge.exceptions,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("", responses=answers_with(ExceptionAnswer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List own exceptions in the order of their ids, those after an id."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    return answer(
        await list_exceptions(
            requester=sent.requester,
            after=after,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            exceptions=edge.exceptions,
            answers=edge.answers,
            log=edge.log,
        )
    )
