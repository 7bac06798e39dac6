"""Open refusals under a problem of their own: an entry of the log, and no other effect."""

from collections.abc import Sequence
from typing import Any

from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.outcome import Effects, Outcome, outcome_of
from broker.ports import AnswerStatus, Stamp
from broker.protocol.problems import Problem, problem_kinds
from policies import Text


def refused_as(
    act: Act,
    problem_id: str,
    *,
    bundle: str,
    register: int,
    relies_on: tuple[Stamp, ...],
    possible: Sequence[Text] = (),
    text: str | None = None,
    reason: str | None = None,
    **recorded: Any,  # noqa: ANN401 - members of `Recording`, which checks them
) -> Outcome:
    """Return an open refusal under a problem of its own; `possible` says what can be done instead (D8).

    `text` is the id of a text that says this problem better here than its own does; `reason` a code that says more
    exactly in the log why.
    """
    ways = [{"textId": way.id, "text": way.nl} for way in possible]
    extra = {"possible": ways} if ways else {}
    document = Problem(kind=problem_kinds()[problem_id], text=text, extra=extra).document()
    recording = Recording(
        outcome="refused", reason=reason or problem_id, bundle=bundle, register=register, document=document, **recorded
    )  # fmt: skip
    return outcome_of(act, recording, Effects(relies_on=relies_on), status=AnswerStatus.REFUSED)
