"""What reviewers state: verdicts, what the FG thinks of them, thresholds, samples, and that the log was verified."""

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import parse
from broker.flows.change_threshold import change_threshold
from broker.flows.draw_sample import draw_sample
from broker.flows.give_verdict import give_verdict
from broker.flows.note_log_check import note_log_check
from broker.flows.rejudge_verdict import rejudge_verdict
from broker.protocol.review_messages import (
    ChangeThreshold,
    DrawSample,
    GiveVerdict,
    NoteLogCheck,
    RejudgeVerdict,
    ReviewAnswer,
)

router = APIRouter(prefix="/v1/review", tags=["review"])


@router.post("/verdicts", openapi_extra=body_of(GiveVerdict), responses=answers_with(ReviewAnswer))
async def verdict(request: Request, edge: Here) -> Response:
    """Judge an act; never one's own, never one's own team's."""
    sent, body = await edge.receive(request)
    return answer(
        await give_verdict(
            command=parse(GiveVerdict, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            acts=edge.acts,
            notes=edge.notes,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/rejudgements", openapi_extra=body_of(RejudgeVerdict), responses=answers_with(ReviewAnswer))
async def rejudge(request: Request, edge: Here) -> Response:
    """Say, as FG, whether a verdict would have been one's own."""
    sent, body = await edge.receive(request)
    return answer(
        await rejudge_verdict(
            command=parse(RejudgeVerdict, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            acts=edge.acts,
            notes=edge.notes,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/thresholds", openapi_extra=body_of(ChangeThreshold), responses=answers_with(ReviewAnswer))
async def threshold(request: Request, edge: Here) -> Response:
    """Give a threshold another value, with a reason."""
    sent, body = await edge.receive(request)
    return answer(
        await change_threshold(
            command=parse(ChangeThreshold, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/samples", openapi_extra=body_of(DrawSample), responses=answers_with(ReviewAnswer))
async def sample(request: Request, edge: Here) -> Response:
    """Close the acts of a past month, and from the next day on draw the sample of them."""
    sent, body = await edge.receive(request)
    return answer(
        await draw_sample(
            command=parse(DrawSample, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            acts=edge.acts,
            notes=edge.notes,
            checkpoints=edge.checkpoints,
            log_policy=edge.log_policy,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.post("/log-checks", openapi_extra=body_of(NoteLogCheck), responses=answers_with(ReviewAnswer))
async def log_check(request: Request, edge: Here) -> Response:
    """Note that the published log was verified."""
    sent, body = await edge.receive(request)
    return answer(
        await note_log_check(
            command=parse(NoteLogCheck, body),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            checkpoints=edge.checkpoints,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )
