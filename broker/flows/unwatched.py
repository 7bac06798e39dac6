"""What is disclosed while nobody watches the log: nothing, once that has lasted too long, but in acute danger (ADR 24).

The stop is decided before anybody is looked up, so it says nothing about what would have been found. It stops what
discloses and nothing else: own signals are renewed, withdrawn and listed; an import, which asks about nobody, goes on.
"""

from broker.domain.changes import Task
from broker.flows.act import Act
from broker.flows.outcome import Outcome, not_done
from policies import AskFacts

UNCOSIGNED = "uncosigned"
"""The reason that the entry of what was stopped states."""
PROBLEM = "log-uncosigned"
ACUTE = "acuut"
"""The dossier of an exception in acute danger (D11)."""
TASK = "disclosed-unwatched"
"""What the organisation's FG is told of each disclosure that was made all the same."""


def may_go_on(facts: AskFacts) -> bool:
    """Return whether this is asked in acute danger, where nothing stops it."""
    return facts.dossier == ACUTE


def stopped(act: Act, *, bundle: str) -> Outcome:
    """Return how a question ends while disclosures are stopped: not done, and nothing of it is spent."""
    return not_done(act, bundle=bundle, reason=UNCOSIGNED, problem=PROBLEM)


def notes_to_fg(facts: AskFacts, *, unwatched: bool) -> tuple[Task, ...]:
    """Return the task for the FG of who was told something that nobody outside can vouch for."""
    return (Task(kind=TASK, organisation=facts.organisation, due_on=facts.day),) if unwatched else ()
