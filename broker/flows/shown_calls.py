"""How oproepen are told: to the asker his own, to a holder what asks its teams; neither is told of the other's part."""

from collections.abc import Iterable, Mapping

from broker.domain.calls import Call, Ring, RingState
from broker.ports import RosterReader
from broker.protocol.call_messages import SCHEMA_CALLS, SCHEMA_RINGS, Caller, CallsResult, OwnCall, RingsResult
from broker.protocol.call_messages import Ring as WireRing
from broker.protocol.messages import Contact, TextRef
from broker.protocol.register import Register


def calls_document(text: str, calls: Iterable[Call], **params: str) -> Mapping[str, object]:
    """Return what an asker is told of his organisation's own oproepen: outcome `sent`, and nothing of any ring."""
    listed = [
        OwnCall(
            call_id=call.id,
            purpose=call.purpose,
            team=call.team,
            case_ref=call.case_ref,
            asked_until=call.asked_until,
        )
        for call in calls
    ]
    result = CallsResult.model_validate(
        {"schema": SCHEMA_CALLS, "outcome": "sent", "text": TextRef(id=text, params=params), "calls": listed}
    )
    return result.model_dump(mode="json", by_alias=True)


async def rings_document(
    text: str, rings: Iterable[Ring], *, register: Register, rosters: RosterReader
) -> Mapping[str, object]:
    """Return what a holder is told of what asks its teams; whom to call, and for what, once the holder has accepted.

    That the asker has a report, say, is his, and nobody decided that this holder may know it before he decides.
    """
    listed = [await _told(ring, register=register, rosters=rosters) for ring in rings]
    result = RingsResult.model_validate(
        {"schema": SCHEMA_RINGS, "outcome": "done", "text": TextRef(id=text, params={}), "rings": listed}
    )
    return result.model_dump(mode="json", by_alias=True)


async def _told(ring: Ring, *, register: Register, rosters: RosterReader) -> WireRing:
    call = ring.call
    asker = register.organisations.get(call.organisation)
    # Read whatever was decided: what stands in the answer is the only difference.
    roster = await rosters.roster(call.organisation)
    card = None if roster is None or ring.state is not RingState.ACCEPTED else roster.teams.get(call.team)
    contact = (
        None
        if card is None
        else Contact(
            display_name=card.display_name,
            phone=card.phone,
            working_days=card.working_days,
            after_hours_phone=card.after_hours_phone,
            stand_in=card.stand_in,
        )
    )
    return WireRing(
        ring_id=ring.id,
        signal_id=ring.signal_id,
        team=ring.team,
        purpose=call.purpose if ring.state is RingState.ACCEPTED else None,
        state=ring.state.value,
        asked_until=call.asked_until,
        caller=Caller(oin=call.organisation, name=call.organisation if asker is None else asker.name, contact=contact),
    )
