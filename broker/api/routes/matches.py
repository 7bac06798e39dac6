"""Own matches: list, open, say how far one is, name the casusregisseur."""

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.api.edge import Edge, Here, answer
from broker.api.openapi import answers_with, body_of
from broker.api.wire import id_in_path, parse
from broker.flows.appoint_casusregisseur import appoint_casusregisseur
from broker.flows.follow_up_match import follow_up_match
from broker.flows.list_coordinated import list_coordinated
from broker.flows.list_matches import list_matches
from broker.flows.open_match import open_match
from broker.flows.tell_new_report import tell_new_report
from broker.protocol.errors import MalformedError
from broker.protocol.match_messages import (
    AppointCasusregisseur,
    ChangeMatchState,
    CoordinatedAnswer,
    MatchChangedAnswer,
    MatchesAnswer,
    TellNewReport,
)
from broker.protocol.request_signing import is_id

router = APIRouter(prefix="/v1/matches", tags=["matches"])
coordinated = APIRouter(prefix="/v1", tags=["matches"])


@router.get("", responses=answers_with(MatchesAnswer))
async def list_own(request: Request, edge: Here, after: str | None = None) -> Response:
    """List the own matches, at most twenty, in the order of their ids; `after` an id goes on from there."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    return answer(await list_matches(requester=sent.requester, after=after, **_ports(edge)))


@coordinated.get("/coordinated-matches", responses=answers_with(CoordinatedAnswer))
async def list_for_coordinator(request: Request, edge: Here, after: str | None = None) -> Response:
    """List, for the matchcoordinator that a region's document names, who is to contact whom and by when."""
    sent, _ = await edge.receive(request)
    if after is not None and not is_id(after):
        raise MalformedError("after", "is not an id")
    ports = {name: port for name, port in _ports(edge).items() if name != "rosters"}
    return answer(await list_coordinated(requester=sent.requester, after=after, **ports))


@router.get("/{match_id}", responses=answers_with(MatchesAnswer))
async def open_one(match_id: str, request: Request, edge: Here) -> Response:
    """Show one own match; from then on it is read."""
    sent, _ = await edge.receive(request)
    return answer(await open_match(match_id=id_in_path(match_id), requester=sent.requester, **_ports(edge)))


@router.post("/{match_id}/state", openapi_extra=body_of(ChangeMatchState), responses=answers_with(MatchChangedAnswer))
async def change_state(match_id: str, request: Request, edge: Here) -> Response:
    """Say how far the own side is."""
    sent, body = await edge.receive(request)
    return answer(
        await follow_up_match(
            command=parse(ChangeMatchState, body),
            match_id=id_in_path(match_id),
            requester=sent.requester,
            randomness=edge.randomness,
            tasks=edge.following.tasks,
            **_ports(edge),
        )
    )


@router.post(
    "/{match_id}/casusregisseur",
    openapi_extra=body_of(AppointCasusregisseur),
    responses=answers_with(MatchChangedAnswer),
)
async def appoint(match_id: str, request: Request, edge: Here) -> Response:
    """Name the team of the match that leads the plan for the household."""
    sent, body = await edge.receive(request)
    return answer(
        await appoint_casusregisseur(
            command=parse(AppointCasusregisseur, body),
            match_id=id_in_path(match_id),
            requester=sent.requester,
            randomness=edge.randomness,
            tasks=edge.following.tasks,
            **_ports(edge),
        )
    )


@router.post(
    "/{match_id}/new-reports", openapi_extra=body_of(TellNewReport), responses=answers_with(MatchChangedAnswer)
)
async def tell_report(match_id: str, request: Request, edge: Here) -> Response:
    """Tell the casusregisseur, as Veilig Thuis, that a new police report came in; nothing tells so by itself."""
    sent, body = await edge.receive(request)
    return answer(
        await tell_new_report(
            command=parse(TellNewReport, body),
            match_id=id_in_path(match_id),
            requester=sent.requester,
            randomness=edge.randomness,
            tasks=edge.following.tasks,
            **_ports(edge),
        )
    )


def _ports(edge: Edge) -> dict[str, Any]:
    """Return what every flow on matches touches; mypy checks the names at each flow's own tests."""
    return {
        "policies": edge.policies,
        "clock": edge.clock,
        "registers": edge.registers,
        "rosters": edge.rosters,
        "signals": edge.signals,
        "matches": edge.following.matches,
        "answers": edge.answers,
        "log": edge.log,
    }
