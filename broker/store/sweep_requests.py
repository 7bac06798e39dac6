"""Asking a broker that serves to sweep now: a file in its own folder (mode 0700), and its answer beside it.

Only who may enter the folder can ask. The running broker owns the one signer of the log, so nobody else could do it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from audit.durable_file import replace_durably
from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError

_REQUEST, _ANSWER = "sweep.request", "sweep.answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """One request: its own id, and at most how many signals an entry ends."""

    id: str
    batch: int

    def leave(self, folder: Path) -> None:
        """The request waits in this folder; one that waited there before is replaced."""
        _write(folder / _REQUEST, {"id": self.id, "batch": self.batch})

    @classmethod
    def waiting(cls, folder: Path, *, most: int) -> Self | None:
        """Return the request that waits in this folder, None for none or for what is no request."""
        try:
            text = (folder / _REQUEST).read_bytes()
            fields = Fields.of(strict_json.loads(text, field="request"), "request", exactly={"id", "batch"})
            return cls(id=fields.text("id"), batch=fields.number("batch", least=1, most=most))
        except (OSError, MalformedError):
            return None

    def answer(self, folder: Path, result: Mapping[str, Any]) -> None:
        """The result stands beside the request, which waits no more."""
        _write(folder / _ANSWER, {"id": self.id, "result": dict(result)})
        withdraw(folder)

    def answered(self, folder: Path) -> Mapping[str, Any] | None:
        """Return the result of this very request, None while there is none."""
        try:
            found = json.loads((folder / _ANSWER).read_bytes())
        except OSError:
            return None
        result: Mapping[str, Any] = found["result"]
        return result if found["id"] == self.id else None


def withdraw(folder: Path) -> None:
    """Nothing waits in this folder."""
    (folder / _REQUEST).unlink(missing_ok=True)


def _write(path: Path, members: Mapping[str, Any]) -> None:
    replace_durably(path, json.dumps(members).encode("ascii"))
