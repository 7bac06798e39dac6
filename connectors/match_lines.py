"""What a worker reads of an own match: about which own case, what it is, how far one is, and whom to call."""

import datetime
from collections.abc import Iterable, Iterator, Sequence

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
_CLOSED = "klaar"
_APART = (
    "Noem het ene team niet bij het andere: misschien weten ze niet van elkaar. Overleg met je aandachtsfunctionaris."
)
_WITHOUT_CONTACT = frozenset({"nieuw", "gelezen"})


def for_team(
    found: Iterable[ShownMatch], teams: frozenset[str], *, everything: bool
) -> tuple[list[ShownMatch], int]:  # fmt: skip
    """Return the matches to show, what is due first in front, and how many were left out.

    Args:
        teams: those of who looks; none of who acts for all.
        everything: whether those of other teams and closed ones are shown too.
    """
    listed = sorted(found, key=lambda one: (one.state not in _WITHOUT_CONTACT, one.due_on, one.match_id))
    shown = [one for one in listed if everything or ((not teams or one.team in teams) and one.state != _CLOSED)]
    return shown, len(listed) - len(shown)


def match_lines(
    match: ShownMatch, *, cases: Sequence[str], own: str, today: datetime.date | None = None
) -> Iterator[str]:  # fmt: skip
    """Yield the lines about one match.

    Args:
        cases: what the own organisation calls the cases that its signals are about.
        own: the own organisation's number.
        today: the day, by which a last day has passed or not.
    """
    waits = match.state in _WITHOUT_CONTACT
    when = f"contact uiterlijk {day_nl(match.due_on)}" if waits else f"sinds {day_nl(match.changed_on)}"
    late = "  TE LAAT" if waits and today is not None and today > match.due_on else ""
    yield f"{match.match_id}  {match.team}  {STATE_NL[match.state]}  {when}{late}"
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
            yield f"  Later ook vastgelegd: {team_name(match.other_casusregisseur)}. {_APART}"
    elif not waits:
        yield f"  Nog geen casusregisseur: sluis-connect matches casusregisseur {match.match_id} wij (of: zij)"


def team_name(led_by: Casusregisseur) -> str:
    """Return who leads the plan."""
    return f"{led_by.name} {led_by.team}"
