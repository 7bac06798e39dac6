"""Asking a broker that serves to sweep now, through a file in its own folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError
from broker.store.folder_requests import SWEEP_REQUESTS


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """One request: its own id, and at most how many signals an entry ends."""

    id: str
    batch: int

    def members(self) -> Mapping[str, Any]:
        """Return the request as it stands in its file."""
        return {"id": self.id, "batch": self.batch}

    def leave(self, folder: Path) -> None:
        """The request waits in this folder; one that waited there before is replaced."""
        SWEEP_REQUESTS.leave(folder, self.members())

    @classmethod
    def waiting(cls, folder: Path, *, most: int) -> Self | None:
        """Return the request that waits in this folder, None for none or for what is no request."""
        members = SWEEP_REQUESTS.waiting(folder)
        if members is None:
            return None
        try:
            fields = Fields.of(members, "request", exactly={"id", "batch"})
            return cls(id=fields.text("id"), batch=fields.number("batch", least=1, most=most))
        except MalformedError:
            return None

    def answer(self, folder: Path, result: Mapping[str, Any]) -> None:
        """The result stands beside the request, which waits no more."""
        SWEEP_REQUESTS.answer(folder, self.members(), result)

    def answered(self, folder: Path) -> Mapping[str, Any] | None:
        """Return the result of this very request, None while there is none."""
        return SWEEP_REQUESTS.answered(folder, self.members())
