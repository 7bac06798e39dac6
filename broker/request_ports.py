"""What asking and answering need of the world, as Protocols (architecture section 3, D15)."""

from collections.abc import Sequence
from typing import Protocol

from broker.domain.information_requests import InformationRequest, RestsOn
from broker.ports import Stamp, StampKey, StampKind


def request_key(request_id: str) -> StampKey:
    """Return the key under which one request changes."""
    return StampKey(kind=StampKind.REQUEST, key=request_id.encode("ascii"))


def kept(stamps: tuple[Stamp, ...]) -> tuple[RestsOn, ...]:
    """Return these stamps as they are kept beside what rests on them."""
    return tuple(RestsOn(kind=one.of.kind.value, key=one.of.key.hex(), version=one.version) for one in stamps)


def stamps_of(rests_on: tuple[RestsOn, ...]) -> tuple[Stamp, ...]:
    """Return kept stamps as they were read."""
    return tuple(
        Stamp(of=StampKey(kind=StampKind(one.kind), key=bytes.fromhex(one.key)), version=one.version)
        for one in rests_on
    )  # fmt: skip


class RequestReader(Protocol):
    """Requests, as committed. Raises StorageError: unreadable."""

    async def request(self, *, organisation: str, request_id: str) -> InformationRequest | None:
        """Return a request of which this organisation is a side; None for others' and for none at all."""

    async def requests(self, *, organisation: str, after: str, at_most: int) -> tuple[InformationRequest, ...]:
        """Return the requests of which it is a side, without their boxes, in the order of their ids after this one."""


class ChunkReader(Protocol):
    """Chunks of attachments, as committed. Raises StorageError: unreadable."""

    async def chunk(self, *, organisation: str, sha256: str) -> bytes | None:
        """Return a chunk that this organisation left; None for others' and for none at all."""

    async def known(self, *, organisation: str, hashes: Sequence[str]) -> bool:
        """Return whether this organisation left every one of these."""

    async def full(self, *, organisation: str) -> bool:
        """Return whether this organisation left as many as it may: in all, or of those that no letter names."""
