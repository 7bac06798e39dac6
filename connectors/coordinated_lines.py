"""What a matchcoordinator reads: which teams are to contact each other, what is late first, and where to reach them."""

from collections.abc import Iterable, Iterator

from broker.protocol.days_nl import day_nl
from broker.protocol.match_messages import CoordinatedMatch, CoordinatedSide
from connectors.contacts import Contacts, contact_line, contact_of
from connectors.match_lines import STATE_NL

_APART = "Misschien weten zij niet van elkaar: noem de een niet bij de ander."
_NO_NUMBER = "geen nummer bekend: haal eerst de inbox op"


def coordinated_lines(found: Iterable[CoordinatedMatch], *, contacts: Contacts, everything: bool) -> Iterator[str]:
    """Yield the lines: first what is late, then what waits for contact; what had contact only where all is asked for.

    Args:
        contacts: the cards that organisations signed themselves.
        everything: whether those that had contact are shown too.
    """
    listed = sorted(
        found, key=lambda one: (one.contacted and not one.overdue, not one.overdue, one.due_on, one.match_id)
    )
    waiting = [one for one in listed if one.overdue or not one.contacted]
    for one in listed if everything else waiting:
        yield f"{one.match_id}  {_when(one)}"
        for side in one.sides:
            yield f"  {side.name} {side.team} ({STATE_NL[side.state]}): {_reached(side, contacts)}"
        if one.casusregisseurs > 1:
            yield f"  Er zijn {one.casusregisseurs} casusregisseurs. {_APART}"
    had = len(listed) - len(waiting)
    if not waiting:
        yield "Er wacht niets op contact."
    if had and not everything:
        yield f"Contact geweest: {had}. Laat ze zien met --all."


def _when(one: CoordinatedMatch) -> str:
    if one.overdue:
        return f"TE LAAT: er moest uiterlijk {day_nl(one.due_on)} contact zijn"
    return "contact geweest" if one.contacted else f"nog geen contact, uiterlijk {day_nl(one.due_on)}"


def _reached(side: CoordinatedSide, contacts: Contacts) -> str:
    """Return how a team is reached, as its organisation signed it."""
    cards = contacts.cards_of(side.organisation)
    card = None if cards is None else cards.teams.get(side.team)
    return _NO_NUMBER if card is None else contact_line(contact_of(card))
