"""What partners of a campaign were told is done, and what therefore must be found: the oracle's own books.

Every moment is a number that only rises, so that "before" and "after" need no clock. An answer is judged by two sets:
the holders that must be in it (acknowledged before it was asked, and nobody began to withdraw them before it came),
and those that may be in it (a command of theirs was under way meanwhile).
"""

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

NEVER = 1 << 62


@dataclass(slots=True, kw_only=True)
class Signal:
    """One registration of one organisation on one person, and when what became of it."""

    organisation: str
    person: str
    began: int
    id: str = ""
    acknowledged: int = NEVER
    withdrawing: int = NEVER
    withdrawn: int = NEVER
    ends_on: str = ""

    @property
    def stands(self) -> bool:
        """Whether it is acknowledged and not withdrawn."""
        return self.acknowledged < NEVER and self.withdrawn == NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer as it came: of which request, whether it was carried out, with the receipt of its entry."""

    key: str
    request_sha256: str
    status: int
    receipt: Mapping[str, Any] | None


@dataclass(slots=True)
class Acknowledged:
    """Everything that was told to anybody; threads share it."""

    signals: list[Signal] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    found: int = 0
    unacknowledged: int = 0
    not_done: Counter[str] = field(default_factory=Counter)
    charged: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    _by_person: dict[str, dict[str, Signal]] = field(default_factory=lambda: defaultdict(dict))
    _clock: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def now(self) -> int:
        """Return the next moment."""
        with self._lock:
            return next(self._clock)

    def begin(self, organisation: str, person: str, *, most: int) -> Signal | None:
        """Return a signal that this organisation may register now; None if it, or so many others, had one already."""
        with self._lock:
            if organisation in self._by_person[person] or len(self._by_person[person]) >= most:
                return None
            signal = Signal(organisation=organisation, person=person, began=self.now())
            self._by_person[person][organisation] = signal
            self.signals.append(signal)
            return signal

    def holders(self, person: str) -> dict[str, Signal]:
        """Return every signal there is or may be on a person, by organisation."""
        with self._lock:
            return dict(self._by_person[person])

    def persons(self) -> list[str]:
        """Return everybody on whom anything was registered."""
        with self._lock:
            return list(self._by_person)

    def judge(self, asker: str, person: str, found: set[str], *, asked: int) -> None:
        """Hold an answer against what was acknowledged when it was `asked`: what is missing is written down as lost."""
        with self._lock:
            others = {oin: signal for oin, signal in self._by_person[person].items() if oin != asker}
            must = {oin for oin, one in others.items() if one.acknowledged < asked and one.withdrawing == NEVER}
            may = {oin for oin, one in others.items() if one.withdrawn > asked}
            self.found += len(must & found)
            self.lost += [f"a signal of {oin[-5:]} was not found by {asker[-5:]}" for oin in sorted(must - found)]
            self.faults += [f"{asker[-5:]} was shown {oin[-5:]}, which holds nothing" for oin in sorted(found - may)]

    def record(self, told: Told) -> None:
        """This was told, once; a second answer under one key must be of the same entry."""
        with self._lock:
            before = self.told.get(told.key)
            if before is not None and _leaf(before) != _leaf(told):
                self.faults.append("one key was answered with two entries")
            self.told[told.key] = told

    def charge(self, custodian: str, organisation: str, worker: str, kind: str, *, points: int, persons: int) -> None:
        """An answer of a custodian came: so much must have been charged for it."""
        with self._lock:
            self.charged[custodian, organisation, "", kind] += points
            self.charged[custodian, organisation, worker, kind] += persons

    def fault(self, text: str) -> None:
        """Something happened that may never happen."""
        with self._lock:
            self.faults.append(text)

    def refused_for_now(self, what: str) -> None:
        """A request was not done, and its sender was told so or told nothing."""
        with self._lock:
            self.not_done[what] += 1

    def found_unacknowledged(self) -> None:
        """A request whose answer never arrived turns out to have been carried out."""
        with self._lock:
            self.unacknowledged += 1


def _leaf(told: Told) -> object:
    return None if told.receipt is None else told.receipt["leaf"]
