"""What the broker tells of requests, held against what was asked of it and the own copy of the register.

Whoever carries a letter is not believed about it. A receipt says that an answer stands in the log, and not which
request it is about; and a name that somebody else states is no name: letters go by the keys of an OIN.
"""

from dataclasses import replace

from broker.protocol.register import Register
from broker.protocol.request_messages import Party, RequestResult, RequestShown
from connectors.answers import Outcome
from connectors.dates import day_nl, day_of
from connectors.errors import LetterNotOpenedError

UNSIGNED_NL = "Niet ondertekend door de ander: dit weet je alleen van Sluis. Twijfel je? Bel."
UNSIGNED_SHORT_NL = "dit weet je alleen van Sluis"
DECLINED_NL = "niet gedeeld (dat mag)"
"""What the law calls refused by right: nothing follows from it, and one may ask again."""
SIDE_NL = {"sent": "aan", "received": "van"}
STATE_NL = {
    "sent": "verstuurd", "forwarded": "doorgegeven", "answered": "beantwoord", "part": "deels beantwoord",
    "oral": "mondeling beantwoord", "declined": DECLINED_NL, "withdrawn": "ingetrokken",
    "expired": "verlopen", "delivered": "aangekomen", "delivery_unknown": "aankomst onbekend",
    "withheld": "wordt niet meer gegeven",
}  # fmt: skip
RECEIVED_NL = {"sent": "binnengekomen", "delivery_unknown": "opgehaald", "delivered": "gelezen"}
"""Of what was sent to the own side, where it is not the same."""
UNREAD_NL = "niet gelezen, en kan niet meer gelezen worden: bel"
"""Of what was sent, and waits in vain: what it rests on has changed before it was fetched."""
LEVEL_NL = {0: "niets", 1: "dat er iets is", 2: "alleen codes", 3: "aard en periode", 4: "inhoud"}
ASKABLE = frozenset({"sent", "forwarded", "delivered", "delivery_unknown"})
"""States in which a question can be answered."""
UNKNOWN = "-"
"""The name of an organisation that the own register does not know."""


def told_of(outcome: Outcome, *, register: Register) -> tuple[Outcome, RequestResult]:
    """Return the outcome and what it says of requests, with the names that the own register has.

    Raises:
        LetterNotOpenedError: it says something else.
    """
    details = outcome.details
    if not isinstance(details, RequestResult):
        raise LetterNotOpenedError("form")
    listed = [
        one.model_copy(update={"sender": named(one.sender, register), "receiver": named(one.receiver, register)})
        for one in details.requests
    ]
    shown = details.model_copy(update={"requests": listed})
    return replace(outcome, details=shown), shown


def one_told(details: RequestResult, request_id: str) -> RequestShown:
    """Return the one request that was asked for. Raises LetterNotOpenedError: it is about another, or about none."""
    if [one.request_id for one in details.requests] != [request_id]:
        raise LetterNotOpenedError("asked")
    return details.requests[0]


def named(party: Party, register: Register) -> Party:
    """Return one side with the name that the own register has of its OIN, whatever it was called."""
    return party.model_copy(update={"name": name_of(party.oin, register)})


def name_of(oin: str, register: Register) -> str:
    """Return the name that the own register has of an organisation."""
    organisation = register.organisations.get(oin)
    return UNKNOWN if organisation is None else organisation.name


def is_unsigned(one: RequestShown, *, opened: bool) -> bool:
    """Return whether only the broker says how this stands: withdrawn by the other, withheld, or answered unsigned."""
    if one.state == "withheld" or (one.state == "withdrawn" and one.side == "received"):
        return True
    answer = one.answer
    return one.side == "sent" and not opened and answer is not None and answer.kind not in ("all", "part")


def line_of(one: RequestShown, *, case: str | None = None) -> str:
    """Return one request as a line of a list; `case` is what the own side calls the case it is about."""
    other = one.sender if one.side == "received" else one.receiver
    about = [] if one.purpose is None else [one.purpose]
    about += [f"team {other.team}", day_nl(day_of(one.sent_at)), *([] if case is None else [f"zaak {case}"])]
    return (
        f"{one.request_id}  {SIDE_NL[one.side]} {other.name}  {', '.join(one.categories)}  {_state_nl(one)}"
        f"  t/m {day_nl(one.expires_on)}  ({', '.join(about)})"
    )


def lines_of(one: RequestShown) -> list[str]:
    """Return what is asked, or told, in words: for what, on which ground, how much, and what to do with it."""
    if one.purpose is None:
        return []
    lines = [
        f"doel: {one.purpose}  grond: {', '.join(one.grounds)}  niveau: {one.level} ({LEVEL_NL[one.level]})",
        f"aan team: {one.receiver.team}  antwoord tot en met: {day_nl(one.expires_on)}",
    ]
    open_still = one.side == "received" and one.kind == "request" and one.answer is None and one.state in ASKABLE
    if open_still:
        lines.append(
            f"Antwoorden: sluis-connect answer {one.request_id} --kind all|part|oral|declined (niet delen mag)"
        )
    return lines


def _state_nl(one: RequestShown) -> str:
    """Return how far it is, as this side sees it: what is on its way to others is here already."""
    state = STATE_NL.get(one.state, one.state)
    if one.state == "declined" and one.answer is not None and one.answer.law is not None:
        # Of what kind of organisation it is, so of every refusal of it: why this one does not share is told to nobody.
        state = f"{DECLINED_NL[:-1]}: {one.answer.law})"
    if one.side == "received":
        return RECEIVED_NL.get(one.state, state)
    return UNREAD_NL if (one.state, one.delivery) == ("withheld", "waiting") else state
