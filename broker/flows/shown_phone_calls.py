"""How phone calls are told: both sides read the same, the code only while it counts."""

from collections.abc import Iterable, Mapping

from broker.domain.phone_calls import CodeTime, Oral, PhoneCall
from broker.ports import RosterReader
from broker.protocol.messages import Contact, TextRef
from broker.protocol.phone_messages import SCHEMA_PHONE, OralAnswer, PhoneCallShown, PhoneCallsResult
from broker.protocol.register import Register
from broker.protocol.request_messages import Party


async def phone_calls_document(
    text: str, calls: Iterable[PhoneCall], *, to: str, now: CodeTime, register: Register, rosters: RosterReader,
    outcome: str = "done", withheld: Mapping[str, bool] | None = None,
) -> Mapping[str, object]:  # fmt: skip
    """Return what organisation `to` is told of these calls; `text` is a text id of the Dutch catalogue.

    Args:
        withheld: of which calls, by id, it is told no more than that they were made.
    """
    gone = withheld or {}
    told = [await _told(call, to=to, now=now, register=register, rosters=rosters) for call in calls]
    listed = [_withheld(one) if gone.get(one.call_id, False) else one for one in told]
    result = PhoneCallsResult.model_validate(
        {"schema": SCHEMA_PHONE, "outcome": outcome, "text": TextRef(id=text, params={}), "phone_calls": listed}
    )
    return result.model_dump(mode="json", by_alias=True)


async def _told(
    call: PhoneCall, *, to: str, now: CodeTime, register: Register, rosters: RosterReader
) -> PhoneCallShown:  # fmt: skip
    roster = await rosters.roster(call.caller)
    active = is_active(call.caller, register)
    # Who takes no part any more may be a thief of keys: nobody is to call him back, and his code proves nothing.
    card = None if roster is None or not active else roster.teams.get(call.caller_team)
    contact = None
    if card is not None:
        contact = Contact(
            display_name=card.display_name,
            phone=card.phone,
            working_days=card.working_days,
            after_hours_phone=card.after_hours_phone,
            stand_in=card.stand_in,
        )
    return PhoneCallShown(
        call_id=call.id,
        side="made" if to == call.caller else "received",
        caller=_party(call.caller, call.caller_team, register),
        receiver=_party(call.receiver, call.receiver_team, register),
        contact=contact,
        purpose=call.purpose,
        grounds=list(call.grounds),
        categories=list(call.categories),
        level=call.level,
        made_at=call.made_at,
        code=call.code() if active and call.hinders(now) is None else None,
        code_until=call.code_until,
        verified_at=call.verified_at,
        oral=None if call.oral is None else _oral(call.oral),
        statement=call.statement,
        kind=call.kind.value,
    )


def _withheld(told: PhoneCallShown) -> PhoneCallShown:
    """Return what is told of a call once what it, or its answer, rests on has changed.

    Who called knows what it asked. The caller's statement says for what it was, and a card whom to call back for it.
    """
    line = told.model_copy(update={"code": None, "oral": None, "withheld": True})
    if told.side == "made":
        return line
    about: dict[str, object] = {"purpose": None, "grounds": [], "categories": [], "level": 0}
    return line.model_copy(update={**about, "contact": None, "statement": None})


def is_active(oin: str, register: Register) -> bool:
    """Return whether this organisation takes part today."""
    known = register.organisations.get(oin)
    return known is not None and known.active


def _oral(oral: Oral) -> OralAnswer:
    return OralAnswer(categories=list(oral.categories), level=oral.level, grounds=list(oral.grounds), at=oral.at)


def _party(oin: str, team: str, register: Register) -> Party:
    known = register.organisations.get(oin)
    return Party(oin=oin, name=oin if known is None else known.name, team=team)
