"""An imported row is the organisation's: who resumes it goes on in his own name, whoever began it (ADR 15).

The broker gives a stored answer to its own worker alone. Where a colleague asked under the same key before, the broker
says so, and no more; what stands then is read from the organisation's own list of signals.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from broker.protocol.messages import OwnSignal
from broker.protocol.problems import render
from connectors.answers import Outcome, stated_here
from connectors.errors import RefusedError
from connectors.outbox import Command

REUSED = "idempotency-key-reused"
"""What the broker says of a key under which somebody else was answered."""

LEFT = frozenset({"worker-unknown", "role-not-allowed"})
"""What the broker says of somebody who does not work there any more: his own answers cannot be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who acts now, and who approves it, by local id."""

    worker: str
    approver: str | None

    def takes(self, command: Command) -> Command:
        """Return the command in this name."""
        return replace(command, worker=self.worker, approver=self.approver)

    def takes_over(self, command: Command) -> bool:
        """Return whether this is an imported row of somebody else."""
        return command.grant is not None and command.worker != self.worker


def standing(signals: Sequence[OwnSignal], command: Command, *, known: Collection[str]) -> str | None:
    """Return the id of the active signal that a registration ended in, None where none stands.

    A case has one for each purpose and team. A row without a case reference is one of those that are not `known` here;
    where there are several, which one cannot be told, and the row is known by its own key.
    """
    body = command.body
    alike = [
        signal.signal_id
        for signal in signals
        if (signal.state, signal.purpose, signal.team) == ("active", body["purpose"], body["team"])
        and signal.case_ref == body["caseRef"]
    ]
    if body["caseRef"] is None:
        alike = [signal_id for signal_id in alike if signal_id not in known]
    return alike[0] if len(alike) == 1 else command.key if alike else None


def by_colleague(command: Command, listed: Outcome, signal_id: str) -> Outcome:
    """Return that a colleague registered this row before: the receipts are those of the list that shows it."""
    return Outcome(
        row=command.local.get("row") or "",
        outcome="done",
        text_nl=render("outbox.by_colleague", {}),
        matches=(),
        signal_id=signal_id,
        signals=(),
        receipts=listed.receipts,
    )


def not_by_colleague(*, broker: str) -> RefusedError:
    """Return that a colleague asked this before, and that no signal stands: it was refused, or has ended since."""
    problem = replace(stated_here(REUSED), text_nl=render("outbox.not_by_colleague", {}))
    return RefusedError(problem, party=broker)
