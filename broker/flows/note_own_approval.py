"""Somebody approved his own act: refused at the edge whatever it was, and recorded, so that a reviewer sees it (D5)."""

from dataclasses import replace

from broker.domain.acts import OWN_APPROVAL
from broker.domain.requests import Approval, Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.ports import AnswerStatus, Log, RegisterReader, SignalStore, Turn
from broker.protocol.problems import problem

PROBLEM = "approver-is-requester"


async def note_own_approval(
    *, requester: Requester, approval: Approval, body_sha256: str, policies: Policies, registers: RegisterReader,
    signals: SignalStore, log: Log,
) -> None:  # fmt: skip
    """The attempt is one entry of kind `admin`, the same whatever was asked: nothing of the body or path is looked at.

    So it says nothing about what exists (red line 9), and one signed request leaves one entry, as any other.

    Args:
        requester: an enrolled worker, whose request token is spent.
        approval: his own statement beside it.
        body_sha256: hex SHA-256 of the body as it came.

    Raises:
        StaleDecisionError, NotRecordedError: it is not recorded, and so not done either.
    """
    act = replace(Act.reading(OWN_APPROVAL, requester), kind="admin", sha256=body_sha256, approval=approval)
    async with log.turn() as turn:
        await _in_turn(act, policies=policies, registers=registers, signals=signals, turn=turn)


async def _in_turn(
    act: Act, *, policies: Policies, registers: RegisterReader, signals: SignalStore, turn: Turn
) -> None:  # fmt: skip
    noted = await _noted(act, policies=policies, registers=registers, signals=signals)
    await turn.commit(noted.proposal)


async def _noted(act: Act, *, policies: Policies, registers: RegisterReader, signals: SignalStore) -> Outcome:
    base = await signals.stamps(asked_stamps(act.requester.organisation))
    register = await registers.register()
    recording = Recording(
        outcome="refused", reason=PROBLEM, bundle=policies.at(base).sha256, register=register.number,
        document=problem(PROBLEM).document(),
    )  # fmt: skip
    # Nothing was decided that could be stale: that it was tried stands, whatever changed meanwhile.
    return outcome_of(act, recording, Effects(relies_on=()), status=AnswerStatus.REFUSED)
