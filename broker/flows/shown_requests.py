"""A request as one of its two sides is told of it: who, about what, how far it is; a named worker to his side only."""

from collections.abc import Mapping
from datetime import date

from broker.domain.information_requests import DECLINED, InformationRequest, RequestReply
from broker.flows.policy import PolicyInForce
from broker.flows.withholding import Basis
from broker.protocol.messages import TextRef
from broker.protocol.register import Register
from broker.protocol.request_messages import AnswerShown, Party, RequestResult, RequestShown, wire_box

GONE = "-"
"""The name of an organisation that stands in the register no more."""
OWED = frozenset({"JW-7.3.11-4"})
"""Grounds on which the law has a holder answer, whatever his secrecy: there it is no right to cite."""


def requests_document(
    *,
    text: str,
    requests: list[RequestShown],
    params: Mapping[str, str] | None = None,
    outcome: str = "done",
    of: str | None = None,
    box: bytes | None = None,
    chunk: bytes | None = None,
) -> dict[str, object]:
    """Return a `requests/v1` in wire form; `text` is a text id of the Dutch catalogue."""
    stated = {
        "schema": "requests/v1",
        "outcome": outcome,
        "text": TextRef(id=text, params=dict(params or {})),
        "requests": requests,
        "of": of,
        "box": None if box is None else wire_box(box),
        "chunk": None if chunk is None else wire_box(chunk),
    }
    return RequestResult.model_validate(stated).model_dump(mode="json", by_alias=True)


def shown(
    one: InformationRequest, *, to: str, register: Register, policy: PolicyInForce, today: date, basis: Basis
) -> RequestShown:  # fmt: skip
    """Return a request as organisation `to` is told of it; once what it rests on has changed, only that it was."""
    received = to == one.receiver
    hidden = one.letter_hidden(today, holds=basis.letter) if received else None
    unanswered = None if received else one.answer_hidden(today, holds=basis.answer)
    unread = None if received else one.unread_for_good(today, holds=basis.letter)
    state = hidden or unanswered or unread or one.told_state(today, received=received)
    line: dict[str, object] = {
        "request_id": one.id,
        "kind": one.kind.value,
        "side": "received" if received else "sent",
        "sender": _party(one.sender, one.sender_team, register),
        "receiver": _party(one.receiver, one.receiver_team if received else one.addressed, register),
        "personal": one.personal,
        "worker": one.receiver_worker if received else None,
        "bundle": one.bundle,
        "sent_at": one.sent_at,
        "expires_on": one.expires_on,
        "state": state.value,
        "delivery": one.delivery.value,
        "match_id": None if received else one.match_id,
    }
    about = {"purpose": None, "grounds": [], "categories": [], "level": 0} if hidden else _about(one)
    law = secrecy_of(one, register=register, policy=policy)
    told = None if one.reply is None or hidden or unanswered else _answer(one.reply, law, received=received)
    return RequestShown.model_validate({**line, **about, "answer": told})


def secrecy_of(one: InformationRequest, *, register: Register, policy: PolicyInForce) -> str | None:
    """Return the law by which whoever was asked may keep it to himself; None where no professional secrecy is his.

    It follows from what kind of organisation it is, which the asker knew: so it tells nothing of why one declined.
    """
    holder = register.organisations.get(one.receiver)
    return None if holder is None or OWED & set(one.grounds) else policy.medical_secrecy(holder.org_class)


def _about(one: InformationRequest) -> dict[str, object]:
    return {
        "purpose": one.purpose,
        "grounds": list(one.grounds),
        "categories": list(one.categories),
        "level": one.level,
    }


def _party(oin: str, team: str, register: Register) -> Party:
    organisation = register.organisations.get(oin)
    return Party(oin=oin, name=GONE if organisation is None else organisation.name, team=team)


def _answer(reply: RequestReply, law: str | None, *, received: bool) -> AnswerShown:
    """Return how it was answered. Why somebody does not share says what is to stay untold: his own side reads it."""
    return AnswerShown.model_validate(
        {
            "kind": reply.kind,
            "reason": reply.reason if received else None,
            "categories": list(reply.categories),
            "level": reply.level,
            "grounds": list(reply.grounds),
            "bundle": reply.bundle,
            "answered_at": reply.answered_at,
            "expires_on": reply.expires_on,
            "delivery": reply.delivery.value,
            "law": law if reply.kind == DECLINED else None,
        }
    )
