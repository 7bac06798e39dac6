"""What came back: a problem as a party stated it, an entry that was verified, and the outcome a worker reads."""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.problems import TYPE_PREFIX, problem, render

if TYPE_CHECKING:
    # Set-up commands end in milliseconds less without the wire models.
    from broker.protocol.messages import Match, OwnSignal, Telling

KINDS = ("person", "member", "family", "address")
"""Kinds of match, the strongest first (D4)."""

_TELLING = ("shown", "done", "sent", "nothing")
"""Outcomes, the one first that no other may hide: of a `done` part the answer was withheld (red line 14)."""

_MAX_TEXT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDocument:
    """A problem (RFC 9457) as it came, of which only `receipt` has to be verified still.

    `text_nl` is rendered here from the text id where our catalogue has it, else the party's own sentence.
    """

    id: str
    status: int
    text_id: str
    text_nl: str
    possible: tuple[str, ...]
    signal_id: str | None
    receipt: object
    members: Mapping[str, Any]

    @classmethod
    def parse(cls, body: bytes, *, status: int) -> "ProblemDocument | None":
        """Return the problem in this body, or None where it is none."""
        try:
            members = strict_json.load_object(body)
        except MalformedError:
            return None
        kind, text_id, detail = members.get("type"), members.get("textId"), members.get("detail")
        if not (isinstance(kind, str) and kind.startswith(TYPE_PREFIX) and isinstance(detail, str)):
            return None
        signal_id = members.get("signalId")
        return cls(
            id=kind.removeprefix(TYPE_PREFIX),
            status=status,
            text_id=text_id if isinstance(text_id, str) else "",
            text_nl=_sentence(text_id, members.get("params"), detail),
            possible=_possible(members.get("possible")),
            signal_id=signal_id if isinstance(signal_id, str) else None,
            receipt=members.get("receipt"),
            members=members,
        )


def stated_here(problem_id: str) -> ProblemDocument:
    """Return a published problem as this connector itself states it, before it asks anybody."""
    known = problem(problem_id)
    found = ProblemDocument.parse(json.dumps(known.document()).encode(), status=known.kind.status)
    assert found is not None  # noqa: S101 - a published problem is one
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEntry:
    """One log entry about an own request, verified. `decision` is the record `decision/v1` of `may_ask`.

    Of an answer that was withheld on a replay only the actor is opened: `bundle_sha256` and `outcome` are then None.
    """

    index: int
    kind: str
    status: Literal["cosigned", "uncosigned"]
    cosigned_by: tuple[str, ...]
    witnesses: int
    uncosigned_since: int | None
    bundle_sha256: str | None
    outcome: str | None
    decision: Mapping[str, Any]

    @property
    def cosigned_nl(self) -> str:
        """How far witnesses vouch for the log, in a few Dutch words."""
        if self.status == "cosigned":
            return f"meegetekend door {len(self.cosigned_by)} van {self.witnesses}"
        if self.uncosigned_since is None:
            return "nog niet meegetekend"
        since = datetime.datetime.fromtimestamp(self.uncosigned_since, datetime.UTC)
        return f"niet meegetekend sinds {since:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a worker reads about one case; every part of it came with a receipt that holds.

    `shown`: `matches` says who is involved too. `nothing`: it was carried out, and there is nothing to show, which says
    nothing about safety. `done`: nothing was asked. `sent`: somebody else decides, and hearing nothing says nothing.
    `details` is what the broker said in a message of another schema than `result/v1`.
    """

    row: str
    outcome: Literal["shown", "nothing", "done", "sent"]
    text_nl: str
    matches: "tuple[Match, ...]"
    signal_id: str | None
    signals: "tuple[OwnSignal, ...]"
    receipts: tuple[VerifiedEntry, ...]
    details: "Telling | None" = None


def merged(parts: Sequence[Outcome]) -> Outcome:
    """Return one outcome for a household that was asked about in several messages.

    What some part shows is shown; nothing is there to show only where every part says so.
    """
    first = min(parts, key=lambda part: _TELLING.index(part.outcome))
    said = [part.text_nl for part in parts if part.outcome != "nothing"]
    strongest: dict[tuple[str, str], Match] = {}
    for match in sorted((match for part in parts for match in part.matches), key=lambda match: KINDS.index(match.kind)):
        strongest.setdefault((match.holder.oin, match.holder.team), match)
    return Outcome(
        row=first.row,
        outcome=first.outcome,
        text_nl=" ".join(dict.fromkeys(said)) or first.text_nl,
        matches=tuple(strongest.values()),
        signal_id=first.signal_id,
        signals=first.signals,
        receipts=tuple(receipt for part in parts for receipt in part.receipts),
        details=first.details,
    )


def rendered(text_id: str, params: Mapping[str, str], *, otherwise: str) -> str:
    """Return the Dutch sentence of our own catalogue, or `otherwise` where it has none for this id."""
    try:
        return render(text_id, params)
    except (KeyError, IndexError, ValueError, AttributeError):
        return otherwise[:_MAX_TEXT]


def _sentence(text_id: object, params: object, detail: str) -> str:
    known = isinstance(text_id, str) and isinstance(params, dict)
    return rendered(text_id, params, otherwise=detail) if known else detail[:_MAX_TEXT]  # type: ignore[arg-type]  # `known` says both are what they must be


def _possible(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    texts = [item.get("text") for item in value if isinstance(item, dict)]
    return tuple(text[:_MAX_TEXT] for text in texts if isinstance(text, str))
