"""The proof of a task in law as a worker states it: a melding at Veilig Thuis, an order of the court, and the like.

Its number stays here: the broker gets an HMAC of it that only this organisation can make again.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.protocol import strict_json
from broker.protocol.document_fields import parse_day
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_word
from connectors.errors import SourceError

_MEMBERS = {"kind", "reference", "since", "ends_on"}
_MOST_LETTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedProof:
    """What kind of proof it is (a word of the policy's list), its number, and its first and last day."""

    kind: str
    reference: str
    since: datetime.date
    ends_on: datetime.date | None = None

    def __repr__(self) -> str:
        """Return the kind only: the number is a person's business."""
        return f"StatedProof(kind={self.kind!r}, redacted)"

    def members(self, mac: Callable[[bytes], bytes]) -> dict[str, Any]:
        """Return the members of a message; `mac` is the organisation's own for case references."""
        hidden = mac(b"proof\x00" + self.kind.encode() + b"\x00" + self.reference.encode()).hex()
        return {"kind": self.kind, "reference": hidden, "since": self.since, "ends_on": self.ends_on}


def read_proof(file: Path) -> StatedProof:
    """Return the proof in a JSON file: `{"kind", "reference", "since", "ends_on"}`, the last one null or left out.

    Raises:
        SourceError: it breaks a rule, which it names; never a value of the file.
    """
    try:
        members = strict_json.load_object(file.read_bytes())
    except (OSError, MalformedError):
        raise SourceError("proof: is no readable JSON object") from None
    if not set(members) <= _MEMBERS:
        raise SourceError("proof: has a member that is not known")
    kind, reference, ends_on = members.get("kind"), members.get("reference"), members.get("ends_on")
    since, last = parse_day(members.get("since")), parse_day(ends_on)
    if not isinstance(kind, str) or not is_word(kind):
        raise SourceError("proof.kind: must be a short name")
    if not isinstance(reference, str) or not 0 < len(reference.strip()) <= _MOST_LETTERS:
        raise SourceError("proof.reference: must be a text of at most 200 letters")
    if since is None:
        raise SourceError("proof.since: must be a day (YYYY-MM-DD)")
    if ends_on is not None and last is None:
        raise SourceError("proof.ends_on: must be a day (YYYY-MM-DD)")
    return StatedProof(kind=kind, reference=reference.strip(), since=since, ends_on=last)
