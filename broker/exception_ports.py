"""What the flows need of stored exceptions, as a Protocol with values of its own (architecture section 3, D15)."""

from dataclasses import dataclass
from typing import Protocol

from broker.domain.exceptions import ExceptionRecord
from broker.ports import Stamp, StampKey, StampKind


def worker_key(organisation: str, worker: str) -> StampKey:
    """Return the key under which the exceptions of one worker change."""
    return StampKey(kind=StampKind.EXCEPTION, key=f"{organisation} {worker}".encode("ascii"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnException:
    """An organisation's own exception, with the stamp of its worker's exceptions, which moves with each letter too.

    `told` are the organisations that a letter resting on it went to; `rejected` says that a reviewer found it not in
    order. `signals` are ids of the organisation's own signals about whom it names.
    """

    record: ExceptionRecord
    stamp: Stamp
    told: frozenset[str] = frozenset()
    rejected: bool = False
    signals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAcute:
    """Whether a worker has an acute exception that is not complete, or that nobody reviewed yet."""

    is_open: bool
    stamp: Stamp


class ExceptionReader(Protocol):
    """The exceptions, as committed. Raises StorageError: unreadable."""

    async def own(self, *, organisation: str, exception_id: str) -> OwnException | None:
        """Return this organisation's own exception; None for another's and for none at all."""

    async def open_acute(self, *, organisation: str, worker: str) -> OpenAcute:
        """Return whether this worker has an acute exception that is still open."""

    async def list_own(self, *, organisation: str, after: str | None, at_most: int) -> tuple[ExceptionRecord, ...]:
        """Return own exceptions in the order of their ids, those after an id, so many at most."""
