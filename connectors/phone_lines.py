"""What a worker reads of a phone call: whom to call, for what, the belcode, and what became of it."""

import datetime
from collections.abc import Iterator

from broker.protocol.messages import Contact
from broker.protocol.phone_messages import PhoneCallShown
from broker.protocol.problems import render
from connectors.contacts import contact_line
from connectors.dates import HERE, moment_nl

UNSTATED = "niet door de beller zelf getekend: bel terug op een nummer dat je kent"
LEVEL_NL = {1: "dat er iemand betrokken is", 2: "wie er betrokken is", 3: "aard en periode", 4: "inhoud"}
"""What is spoken of at most, at each level (D6)."""


def call_lines(call: PhoneCallShown, *, card: Contact | None) -> Iterator[str]:
    """Yield the lines about one call; `card` is that of the team that is called, where it signed one."""
    made = call.side == "made"
    other, direction = (call.receiver, "aan") if made else (call.caller, "van")
    unsigned = f"  [{UNSTATED}]" if not made and call.statement is None and not call.withheld else ""
    yield f"{call.call_id}  {direction} {other.name}, {other.team}  {', '.join(call.categories)}{unsigned}"
    yield f"  {_became(call)}"
    if call.withheld:
        yield render("phone.withheld", {})
    if call.purpose is not None:
        yield f"  {_about(call)}"
    if call.code is not None:
        if made:
            yield f"Bel: {number(card)}" if card is not None else "Geen getekend nummer bekend: zoek het zelf op."
        until = datetime.datetime.fromtimestamp(call.code_until, HERE)
        yield f"Belcode {call.code[:3]} {call.code[3:]}, geldig tot {until:%H:%M}"
    if not made and call.verified_at is not None and call.contact is not None:
        yield f"Terugbellen: {number(call.contact)}"
    if not made and call.verified_at is not None and call.kind == "request" and not (call.withheld or call.oral):
        yield f"Geantwoord? sluis-connect bel mondeling --call {call.call_id} --ground GRONDSLAG"


def number(contact: Contact) -> str:
    """Return whom to call and when, with who stands in, and the number after hours."""
    stand_in = "" if contact.stand_in is None else f", waarnemer {contact.stand_in}"
    after_hours = "" if contact.after_hours_phone is None else f", buiten kantooruren {contact.after_hours_phone}"
    return f"{contact_line(contact)}{stand_in}{after_hours}"


def _about(call: PhoneCallShown) -> str:
    """Return for what it is, on which ground, and what is asked or told, up to where."""
    who = "Je" if call.side == "made" else "De beller"
    verb = "wil iets vertellen over" if call.kind == "telling" else "vraagt naar"
    what = f"{who} {verb} {', '.join(call.categories)}, tot en met niveau {call.level} ({LEVEL_NL[call.level]})"
    return f"Doel {call.purpose}, grondslag {', '.join(call.grounds)}. {what}."


def _became(call: PhoneCallShown) -> str:
    """Return when it was announced, and what was recorded of it since."""
    steps = [f"Aangekondigd {moment_nl(call.made_at)}"]
    if call.verified_at is not None:
        steps.append(f"belcode gecontroleerd {moment_nl(call.verified_at)}")
    if call.oral is not None:
        steps.append(f"mondeling beantwoord {moment_nl(call.oral.at)}: {', '.join(call.oral.categories)}")
    return ", ".join(steps)
