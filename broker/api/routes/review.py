"""What reviewers read: what stands out, timelines, households, thresholds, figures, accounts, erasures, own notes."""

import re

from fastapi import APIRouter, Request, Response

from broker.api.edge import Here, answer
from broker.api.openapi import answers_with
from broker.api.review_query import after, parameters, queued, use, wanted
from broker.api.wire import id_in_path
from broker.domain.errors import NotFoundError
from broker.domain.review import LOG_CHECK, REJUDGEMENT, SAMPLE, THRESHOLD, VERDICT
from broker.flows.change_threshold import show_thresholds
from broker.flows.list_accounts import list_accounts
from broker.flows.report_month import report_month
from broker.flows.review_acts import review_acts
from broker.flows.review_erasures import review_erasures
from broker.flows.review_household import review_household
from broker.flows.review_notes import review_notes
from broker.flows.show_own_acts import show_own_acts
from broker.protocol.review_messages import ReviewAnswer

router = APIRouter(prefix="/v1/review", tags=["review"])

_MONTH = re.compile(r"2[0-9]{3}-(?:0[1-9]|1[0-2])")
_NOTE_KINDS = {
    "verdicts": VERDICT,
    "rejudgements": REJUDGEMENT,
    "threshold-changes": THRESHOLD,
    "samples": SAMPLE,
    "log-checks": LOG_CHECK,
}


@router.get("/queue", responses=answers_with(ReviewAnswer))
async def queue(request: Request, edge: Here) -> Response:
    """List what stands out and waits for a verdict."""
    sent, _ = await edge.receive(request)
    return answer(
        await review_acts(
            wanted=queued(request, now=edge.clock.now()),
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


@router.get("/acts", responses=answers_with(ReviewAnswer))
async def timeline(request: Request, edge: Here) -> Response:
    """List the acts of the own organisation, by period, worker, purpose, ground, bundle, outcome or kind."""
    sent, _ = await edge.receive(request)
    return answer(
        await review_acts(
            wanted=wanted(request, now=edge.clock.now()),
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


@router.get("/households/{signal_id}", responses=answers_with(ReviewAnswer))
async def household(signal_id: str, request: Request, edge: Here) -> Response:
    """List what concerns an own signal: own acts and, for the FG, which organisations were told of it."""
    sent, _ = await edge.receive(request)
    return answer(
        await review_household(
            signal_id=id_in_path(signal_id),
            use=use(parameters(request, "use")),
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


@router.get("/own-acts", responses=answers_with(ReviewAnswer))
async def own(request: Request, edge: Here) -> Response:
    """Show whoever asks what is recorded about himself."""
    sent, _ = await edge.receive(request)
    return answer(
        await show_own_acts(
            wanted=wanted(request, now=edge.clock.now()),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            acts=edge.acts,
            notes=edge.notes,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("/thresholds", responses=answers_with(ReviewAnswer))
async def thresholds(request: Request, edge: Here) -> Response:
    """Show the thresholds by which acts stand out."""
    sent, _ = await edge.receive(request)
    return answer(
        await show_thresholds(
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            notes=edge.notes,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("/accounts", responses=answers_with(ReviewAnswer))
async def accounts(request: Request, edge: Here) -> Response:
    """List who is on the roster, and when he last did anything."""
    sent, _ = await edge.receive(request)
    return answer(
        await list_accounts(
            use=use(parameters(request, "use")),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            rosters=edge.rosters,
            acts=edge.acts,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("/erasures", responses=answers_with(ReviewAnswer))
async def erasures(request: Request, edge: Here) -> Response:
    """List what of the own entries was proposed to be erased, and what was."""
    sent, _ = await edge.receive(request)
    asked = parameters(request, "after", "use")
    return answer(
        await review_erasures(
            after=after(asked),
            use=use(asked),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            erasures=edge.erasing.erasures,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )


@router.get("/reports/{month}", responses=answers_with(ReviewAnswer))
async def report(month: str, request: Request, edge: Here) -> Response:
    """Count what the report of a month says."""
    sent, _ = await edge.receive(request)
    if _MONTH.fullmatch(month) is None:
        raise NotFoundError
    return answer(
        await report_month(
            month=month,
            use=use(parameters(request, "use")),
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


@router.get("/notes/{kind}", responses=answers_with(ReviewAnswer))
async def stated(kind: str, request: Request, edge: Here) -> Response:
    """List what reviewers stated: verdicts, rejudgements, threshold-changes, samples, log-checks."""
    sent, _ = await edge.receive(request)
    if kind not in _NOTE_KINDS:
        raise NotFoundError
    asked = parameters(request, "after", "use")
    return answer(
        await review_notes(
            kind=_NOTE_KINDS[kind],
            after=after(asked),
            use=use(asked),
            requester=sent.requester,
            policies=edge.policies,
            clock=edge.clock,
            registers=edge.registers,
            notes=edge.notes,
            signals=edge.signals,
            answers=edge.answers,
            log=edge.log,
        )
    )
