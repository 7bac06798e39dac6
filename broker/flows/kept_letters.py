"""From whom a letter or a call is kept in the own organisation: from who is kept from the signal it rests on (D8).

For such a colleague it is as if there were no letter: its list, its fetch and every act on it say so alike.
"""

from collections.abc import Iterable

from broker.domain.information_requests import InformationRequest
from broker.domain.matches import KeptMatch
from broker.domain.phone_calls import PhoneCall
from broker.domain.requests import Requester
from broker.domain.signals import Signal
from broker.letter_ports import MatchById, OwnSignals
from broker.ports import Stamp


async def kept_from(
    letter: InformationRequest, requester: Requester, *, signals: OwnSignals, matches: MatchById
) -> tuple[bool, tuple[Stamp, ...]]:
    """Return whether a letter of the requester's organisation is kept from him, and the stamps of what says so."""
    organisation = requester.organisation
    named = _named(letter, sent=letter.sender == organisation)
    own = [await signals.own(organisation=organisation, signal_id=one) for one in named]
    found = [one for one in own if one is not None]
    held, stamps = [one.signal for one in found], [stamp for one in found for stamp in one.stamps]
    if letter.match_id is not None:
        match = await matches.one(letter.match_id)
        held += [signal for one in match.matches for signal in _of_side(one, organisation)]
        stamps += match.stamps
    return any(signal.hidden_from(requester.worker) for signal in held), tuple(stamps)


async def open_calls(
    calls: Iterable[PhoneCall], requester: Requester, *, signals: OwnSignals, matches: MatchById
) -> tuple[tuple[PhoneCall, ...], tuple[Stamp, ...]]:
    """Return those of these calls that are not kept from him, as their letter would be, and the stamps of all."""
    found: list[PhoneCall] = []
    stamps: dict[Stamp, None] = {}
    for call in calls:
        kept, read = await kept_from(call.as_letter(), requester, signals=signals, matches=matches)
        stamps |= dict.fromkeys(read)
        found += [] if kept else [call]
    return tuple(found), tuple(stamps)


def _named(letter: InformationRequest, *, sent: bool) -> Iterable[str]:
    """Return what this side named, the sender with its letter, the receiver with its answer; and those of its match.

    The other side's are none of the own ones. Those of the match are known when it is gone.
    """
    reply = letter.reply
    one = letter.signal_id if sent else None if reply is None else reply.signal_id
    return (*letter.about_signals, *(() if one is None else (one,)))


def _of_side(match: KeptMatch, organisation: str) -> Iterable[Signal]:
    """Return this organisation's signals of a match, whatever it sees of the other side."""
    side = match.side_of(organisation)
    if side is None:
        return ()
    return (match.newer,) if side is match.newer_side else tuple(link.signal for link in match.links)
