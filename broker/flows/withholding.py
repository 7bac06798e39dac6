"""What the other side is still told of a letter once what it rests on has changed: what it was handed, and no more.

That somebody told or answered, about what and on which ground, says already that he is involved (D6, red line 6).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from broker.domain.information_requests import RestsOn
from broker.letter_ports import OwnSignals
from broker.ports import Stamp, StampKey, StampKind
from broker.request_ports import stamps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Whether what a letter rests on is as it was, and whether what its answer rests on is, the letter included."""

    letter: bool
    answer: bool


class Resting(Protocol):
    """A letter or a call, as far as what it rests on goes."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def rests_on(self) -> tuple[RestsOn, ...]:
        """What it rests on, as it was."""

    @property
    def answer_rests_on(self) -> tuple[RestsOn, ...]:
        """What the answer to it rests on besides."""


UNCHANGED = Basis(letter=True, answer=True)
"""Of what is written in this very act."""


def as_it_was(rests_on: Iterable[RestsOn], current: Mapping[StampKey, Stamp]) -> bool:
    """Return whether what one act rests on is as it was, by the present version of each key.

    Two things do not count, for they are decided on anew wherever something is told. What a consent says: a longer
    yes, or a no towards somebody else, takes nothing back of what waits; a no that counts does, and so does its end.
    And that a signal ends sooner than it did: what waits holds as long as the signal does.
    """
    kept = stamps_of(tuple(rests_on))
    return _counted(kept) == _counted([current[stamp.of] for stamp in kept])


def _counted(stamps: Iterable[Stamp]) -> tuple[tuple[StampKey, int], ...]:
    """Return how often each of these changed in a way that counts; an earlier last day moves both its stamps."""
    listed = list(stamps)
    days = {one.of.key: one.version for one in listed if one.of.kind is StampKind.LAST_DAY}
    apart = (StampKind.CONSENT, StampKind.LAST_DAY)
    return tuple(
        (one.of, one.version - (days.get(one.of.key, 0) if one.of.kind is StampKind.SHIELD else 0))
        for one in listed
        if one.of.kind not in apart
    )


async def bases(letters: Iterable[Resting], *, signals: OwnSignals) -> tuple[Mapping[str, Basis], tuple[Stamp, ...]]:
    """Return of each letter or call, by its id, whether it rests on what it did, and the present stamps of all that.

    What that leaves out is for who decides anew: see `as_it_was`.
    """
    listed = list(letters)
    rests = [stamps_of((*one.rests_on, *one.answer_rests_on)) for one in listed]
    keys = list(dict.fromkeys(stamp.of for stamps in rests for stamp in stamps))
    read = await signals.stamps(keys) if keys else ()
    current = {stamp.of: stamp for stamp in read}
    found = {}
    for one in listed:
        holds = as_it_was(one.rests_on, current)
        found[one.id] = Basis(letter=holds, answer=holds and as_it_was(one.answer_rests_on, current))
    return found, read
