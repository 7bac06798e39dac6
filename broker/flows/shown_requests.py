"""A request as one of its two sides is told of it: who, about what, how far it is; a named worker to his side only."""

from datetime import date

from broker.domain.information_requests import InformationRequest, RequestReply, RequestState
from broker.protocol.messages import TextRef
from broker.protocol.register import Register
from broker.protocol.request_messages import AnswerShown, Party, RequestResult, RequestShown, wire_box

GONE = "-"
"""The name of an organisation that stands in the register no more."""


def requests_document(
    *,
    text: str,
    requests: list[RequestShown],
    outcome: str = "done",
    of: str | None = None,
    box: bytes | None = None,
    chunk: bytes | None = None,
) -> dict[str, object]:
    """Return a `requests/v1` in wire form; `text` is a text id of the Dutch catalogue."""
    stated = {
        "schema": "requests/v1",
        "outcome": outcome,
        "text": TextRef(id=text, params={}),
        "requests": requests,
        "of": of,
        "box": None if box is None else wire_box(box),
        "chunk": None if chunk is None else wire_box(chunk),
    }
    return RequestResult.model_validate(stated).model_dump(mode="json", by_alias=True)


def shown(one: InformationRequest, *, to: str, register: Register, today: date) -> RequestShown:
    """Return a request as organisation `to` is told of it."""
    received = to == one.receiver
    return RequestShown.model_validate(
        {
            "request_id": one.id,
            "kind": one.kind.value,
            "side": "received" if received else "sent",
            "sender": _party(one.sender, one.sender_team, register),
            "receiver": _party(one.receiver, one.receiver_team, register),
            "personal": one.personal,
            "worker": one.receiver_worker if received else None,
            "purpose": one.purpose,
            "grounds": list(one.grounds),
            "categories": list(one.categories),
            "level": one.level,
            "bundle": one.bundle,
            "sent_at": one.sent_at,
            "expires_on": one.expires_on,
            "state": _state(one, received=received, today=today),
            "delivery": one.delivery.value,
            "answer": None if one.reply is None else _answer(one.reply),
            "match_id": None if received else one.match_id,
        }
    )


def _state(one: InformationRequest, *, received: bool, today: date) -> str:
    """Return the state; that it was passed on inside the other organisation is not the asker's."""
    state = one.state_on(today)
    return (RequestState.DELIVERED if state is RequestState.FORWARDED and not received else state).value


def _party(oin: str, team: str, register: Register) -> Party:
    organisation = register.organisations.get(oin)
    return Party(oin=oin, name=GONE if organisation is None else organisation.name, team=team)


def _answer(reply: RequestReply) -> AnswerShown:
    return AnswerShown.model_validate(
        {
            "kind": reply.kind,
            "reason": reply.reason,
            "categories": list(reply.categories),
            "level": reply.level,
            "grounds": list(reply.grounds),
            "bundle": reply.bundle,
            "answered_at": reply.answered_at,
            "expires_on": reply.expires_on,
            "delivery": reply.delivery.value,
        }
    )
