"""What a worker reads of an own match: about which own case, what it is, how far one is, and whom to call."""

from collections.abc import Iterator, Sequence

from broker.protocol.days_nl import day_nl
from broker.protocol.match_messages import Casusregisseur, ShownMatch
from connectors.command_line import KIND_NL, case_words
from connectors.contacts import contact_line

STATE_NL = {
    "nieuw": "nieuw",
    "gelezen": "gelezen",
    "contact_gehad": "contact gehad",
    "werken_al_samen": "we werken al samen",
    "afspraken_gemaakt": "afspraken gemaakt",
    "klaar": "klaar",
}
_WITHOUT_CONTACT = frozenset({"nieuw", "gelezen"})


def match_lines(match: ShownMatch, *, cases: Sequence[str], own: str) -> Iterator[str]:
    """Yield the lines about one match.

    Args:
        cases: what the own organisation calls the cases that its signals are about.
        own: the own organisation's number.
    """
    waits = match.state in _WITHOUT_CONTACT
    when = f"contact uiterlijk {day_nl(match.due_on)}" if waits else f"sinds {day_nl(match.changed_on)}"
    yield f"{match.match_id}  {match.team}  {STATE_NL[match.state]}  {when}"
    yield f"  {case_words(cases)}: {KIND_NL[match.involved.kind]}"
    holder = match.involved.holder
    if holder.contact is None:
        yield f"  {holder.name}"
    else:
        card = holder.contact
        after_hours = f", buiten kantooruren {card.after_hours_phone}" if card.after_hours_phone else ""
        stand_in = f", waarnemer {card.stand_in}" if card.stand_in else ""
        yield f"  Bel {holder.name}: {contact_line(card)}{stand_in}{after_hours}"
    if match.casusregisseur is not None:
        whose = " (jullie)" if match.casusregisseur.organisation == own else ""
        yield f"  Casusregisseur: {team_name(match.casusregisseur)}{whose}"
        if match.other_casusregisseur is not None:
            yield f"  Ook vastgelegd: {team_name(match.other_casusregisseur)}. Spreek af wie de casusregisseur is."
    elif not waits:
        yield f"  Nog geen casusregisseur: sluis-connect matches casusregisseur {match.match_id} wij (of: zij)"


def team_name(led_by: Casusregisseur) -> str:
    """Return who leads the plan."""
    return f"{led_by.name} {led_by.team}"
