"""The named points at which a process or a database server is killed: before and after each step that leaves a trace.

A point is named `before: tick INSERT INTO signals`. `tests/campaigns/dying.py` is where they are reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

BEFORE, AFTER = "before", "after"

_WRITTEN = (
    *("tick BEGIN", "tick SAVEPOINT", "tick INSERT INTO spent_tickets", "tick INSERT INTO signals"),
    *("tick INSERT INTO signal_tokens", "tick INSERT INTO sealed_tokens", "tick INSERT INTO version_stamps"),
    *("tick UPDATE signals", "tick INSERT INTO tasks", "tick INSERT INTO answers"),
    *("tick INSERT INTO acts", "tick INSERT INTO act_handles", "tick RELEASE"),
    *("tick INSERT INTO log_entries", "tick INSERT INTO log_nodes", "tick INSERT INTO log_payloads"),
    *("tick INSERT INTO log_payload_keys", "tick INSERT INTO log_checkpoints", "tick COMMIT"),
    *("request-id BEGIN", "request-id INSERT INTO request_jti", "request-id COMMIT"),
    *("cosignatures BEGIN", "cosignatures INSERT INTO log_cosignatures", "cosignatures COMMIT"),
)
"""Statements of the broker's one writer; `tick`, `request-id` and `cosignatures` are its three transactions."""
SIGNER_SIGNS, SIGNER_SETTLED = "signer signs", "signer settled"
RELEASED, LEAVES = "answers released", "answer leaves"
_BROKER = (*_WRITTEN, SIGNER_SIGNS, SIGNER_SETTLED, RELEASED, LEAVES)
CUSTODIAN_ANSWER = "evaluation"
_CUSTODIAN = (
    *("request-id BEGIN", "request-id INSERT INTO spent_request", "request-id COMMIT"),
    *("charge BEGIN", "charge INSERT INTO bucket", "charge INSERT INTO batch", "charge COMMIT"),
    CUSTODIAN_ANSWER,
)

BROKER, CUSTODIAN_A, CUSTODIAN_B = "broker", "custodian-a", "custodian-b"
SERVER, SESSION, ALL = "database server", "database session", "all at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One named point: who is killed when whose process gets where."""

    reached_by: str
    victim: str
    moment: str
    place: str

    @property
    def name(self) -> str:
        """How the point is ordered from the process that reaches it."""
        return f"{self.moment}: {self.place}"

    @property
    def needs_witness(self) -> bool:
        """Whether it is only come past when a witness answers within the tick."""
        return self.place.startswith("cosignatures")

    @property
    def title(self) -> str:
        """How a report names it."""
        return f"{self.victim}, {self.name}"


def named_points(kind: str) -> list[Point]:
    """Return every point of a region on this kind of database."""
    victims = [
        (BROKER, BROKER, _BROKER),
        (CUSTODIAN_A, CUSTODIAN_A, _CUSTODIAN),
        (CUSTODIAN_B, CUSTODIAN_B, _CUSTODIAN),
    ]
    if kind == "postgresql":
        victims += [(BROKER, SERVER, _WRITTEN), (BROKER, SESSION, ("tick INSERT INTO signals", "tick COMMIT"))]
    return [
        Point(reached_by=reached_by, victim=victim, moment=moment, place=place)
        for reached_by, victim, places in victims
        for place, moment in product(places, (BEFORE, AFTER))
    ]


def random_victims(kind: str) -> Sequence[str]:
    """Return who is killed at a random moment."""
    server = (SERVER, SESSION) if kind == "postgresql" else ()
    return (BROKER, CUSTODIAN_A, CUSTODIAN_B, *server, ALL)
