"""What letters rest on: as a look at one of them reads it, and as it is read for a whole page in one go (D7)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from broker.consent_ports import OwnConsent
from broker.exception_ports import OwnException
from broker.match_ports import FoundMatches
from broker.ports import OwnSignal, Stamp, StampKey
from broker.request_ports import ChunkReader, RequestReader

OwnId = tuple[str, str]
"""An organisation, and the id of something of its own."""


class OwnSignals(Protocol):
    """Signals by their id, and version stamps. See `SignalStore`."""

    async def own(self, *, organisation: str, signal_id: str) -> OwnSignal | None:
        """Return this organisation's own signal; None for another's and for none at all."""

    async def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """Return the version of each key, in the order asked."""


class MatchById(Protocol):
    """Matches by their id. See `MatchReader`."""

    async def one(self, match_id: str) -> FoundMatches:
        """Return the match with this id, if there is one, whoever's it is."""


class OwnConsents(Protocol):
    """Records of consent by their id. See `ConsentReader`."""

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """Return this organisation's own record; None for another's and for none at all."""


class OwnExceptions(Protocol):
    """Exceptions by their id. See `ExceptionReader`."""

    async def own(self, *, organisation: str, exception_id: str) -> OwnException | None:
        """Return this organisation's own exception; None for another's and for none at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Everything that some letters rest on, by id, and the stamps by which that changes."""

    signals: frozenset[OwnId]
    matches: frozenset[str]
    consents: frozenset[OwnId]
    exceptions: frozenset[OwnId]
    stamps: tuple[StampKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTogether:
    """Those of what was wanted that there are, each as its own store reads it, and every stamp: one moment."""

    signals: Mapping[OwnId, OwnSignal]
    matches: Mapping[str, FoundMatches]
    consents: Mapping[OwnId, OwnConsent]
    exceptions: Mapping[OwnId, OwnException]
    stamps: Mapping[StampKey, Stamp]


class BasisReader(Protocol):
    """What letters rest on, as committed. Raises StorageError: unreadable."""

    async def together(self, wanted: Wanted) -> ReadTogether:
        """Return all of it in one reading, however many letters rest on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Everything of letters, as one group: edge and wiring have one line for it."""

    requests: RequestReader
    chunks: ChunkReader
    bases: BasisReader
