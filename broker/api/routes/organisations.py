"""The directory of contact cards: how a team of an organisation is reached (D6)."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from broker.api.edge import Here
from broker.api.openapi import answers_with
from broker.protocol.directory_messages import Directory, DirectoryEntry, Team
from broker.protocol.register import Organisation
from broker.protocol.roster import ContactCard, Roster

router = APIRouter(prefix="/v1", tags=["organisations"])


@router.get("/organisations", responses=answers_with(Directory))
async def list_organisations(request: Request, edge: Here) -> Response:
    """List the active organisations with their teams; the same for everybody who may ask."""
    await edge.receive(request)
    register = await edge.registers.register()
    active = sorted((one for one in register.organisations.values() if one.active), key=lambda one: one.oin)
    entries = [_entry(one, await edge.rosters.roster(one.oin)) for one in active]
    directory = Directory(register_number=register.number, organisations=entries)
    return JSONResponse(directory.model_dump(mode="json", by_alias=True))


def _entry(organisation: Organisation, roster: Roster | None) -> DirectoryEntry:
    teams = [] if roster is None else [_team(card) for _, card in sorted(roster.teams.items())]
    return DirectoryEntry(
        oin=organisation.oin, name=organisation.name, org_class=organisation.org_class, teams=teams,
        cards=None if roster is None else roster.cards,
    )  # fmt: skip


def _team(card: ContactCard) -> Team:
    return Team(
        team=card.code,
        display_name=card.display_name,
        phone=card.phone,
        working_days=card.working_days,
        after_hours_phone=card.after_hours_phone,
        stand_in=card.stand_in,
    )
