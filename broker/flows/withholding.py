"""What the other side is still told of a letter once what it rests on has changed: what it was handed, and no more.

That somebody told or answered, about what and on which ground, says already that he is involved (D6, red line 6).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from broker.domain.information_requests import RestsOn
from broker.letter_ports import OwnSignals
from broker.ports import Stamp, StampKind
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


def compared(stamps: Iterable[Stamp]) -> tuple[Stamp, ...]:
    """Return the stamps that must be as they were, those of consents left out.

    What a consent says is decided on anew wherever something is told: a longer yes, or a no towards somebody else,
    takes nothing back of what waits; a no that counts does, and so does its end.
    """
    return tuple(stamp for stamp in stamps if stamp.of.kind is not StampKind.CONSENT)


async def bases(letters: Iterable[Resting], *, signals: OwnSignals) -> tuple[Mapping[str, Basis], tuple[Stamp, ...]]:
    """Return of each letter or call, by its id, whether it rests on what it did, and the present stamps of all that.

    Of consents that is for who decides anew: see `compared`.
    """
    rests = {one.id: (stamps_of(one.rests_on), stamps_of(one.answer_rests_on)) for one in letters}
    keys = list(dict.fromkeys(stamp.of for both in rests.values() for part in both for stamp in part))
    current = await signals.stamps(keys) if keys else ()
    present = set(current)
    found = {}
    for letter_id, (question, answer) in rests.items():
        holds = present.issuperset(compared(question))
        found[letter_id] = Basis(letter=holds, answer=holds and present.issuperset(compared(answer)))
    return found, current
