"""Asking a broker that serves to do something now: a file in its own folder (mode 0700), and its answer beside it.

Only who may enter the folder can ask. The running broker owns the one signer of the log, so nobody else could do it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.durable_file import replace_durably
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRequests:
    """Requests of one kind, which have one file and one answer: the newest takes the place of the one before."""

    name: str

    def leave(self, folder: Path, request: Members) -> None:
        """The request waits in this folder; its `id` is its own."""
        _write(folder / f"{self.name}.request", request)

    def waiting(self, folder: Path) -> Members | None:
        """Return the request that waits in this folder, None for none or for what is no request."""
        try:
            text = (folder / f"{self.name}.request").read_bytes()
            request = strict_json.load_object(text, field="request")
        except (OSError, MalformedError):
            return None
        return request if isinstance(request.get("id"), str) else None

    def answer(self, folder: Path, request: Members, result: Members) -> None:
        """The result stands beside the request, which waits no more."""
        _write(folder / f"{self.name}.answer", {"id": request["id"], "result": dict(result)})
        self.withdraw(folder)

    def answered(self, folder: Path, request: Members) -> Members | None:
        """Return the result of this very request, None while there is none."""
        try:
            found = json.loads((folder / f"{self.name}.answer").read_bytes())
        except OSError:
            return None
        result: Members = found["result"]
        return result if found["id"] == request["id"] else None

    def withdraw(self, folder: Path) -> None:
        """Nothing waits in this folder."""
        (folder / f"{self.name}.request").unlink(missing_ok=True)


SWEEP_REQUESTS = FolderRequests(name="sweep")
POLICY_REQUESTS = FolderRequests(name="policy")


def _write(path: Path, members: Members) -> None:
    replace_durably(path, json.dumps(dict(members)).encode("ascii"))
