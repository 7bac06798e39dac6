"""Show the thresholds of the review, and change one with a reason."""

from broker.domain.acts import ReviewNote
from broker.domain.requests import Requester
from broker.domain.review import PRIVACYFUNCTIONARIS, THRESHOLD
from broker.domain.thresholds import THRESHOLDS, ThresholdHistory, check_threshold
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.reviewing import Told, check_role, record_review, thresholds_of, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import ChangeThreshold, ThresholdShown
from broker.review_ports import NoteReader


async def change_threshold(
    *, command: ChangeThreshold, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    signals: SignalStore, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The threshold has this value for acts from now on; what stood out before still does. Outcome `done`.

    Raises:
        RoleNotAllowedError: no privacyfunctionaris.
        FieldRuleError: no such threshold, or a value outside its bounds.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reviewing("change_threshold", command, requester)
    # (1) Who, and within which bounds.
    check_role(requester, {PRIVACYFUNCTIONARIS})
    check_threshold(command.name, command.value)

    async def tell(_: Register) -> Told:
        # (2) What is kept.
        body = {"value": command.value, "reason": command.reason}
        note = ReviewNote(
            organisation=requester.organisation,
            worker=requester.worker,
            kind=THRESHOLD,
            about=command.name,
            body=body,
        )
        return told("review.threshold", subject={"threshold": command.name, **body}, note=note)

    # (3) Recorded with the change in one transaction, and only then told.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )


async def show_thresholds(
    *, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader, signals: SignalStore,
    notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Every threshold of the own organisation is shown, with when and why it was changed; whoever works there may ask.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reading("show_thresholds", requester)

    async def tell(_: Register) -> Told:
        history = await thresholds_of(requester.organisation, notes)
        shown = [threshold_shown(name, history, at=clock.now()) for name in THRESHOLDS]
        return told("review.thresholds", subject={"thresholds": len(shown)}, thresholds=shown)

    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )


def threshold_shown(name: str, history: ThresholdHistory, *, at: int) -> ThresholdShown:
    """Return a threshold as it is shown."""
    known, changed = THRESHOLDS[name], history.newest(name)
    return ThresholdShown(
        name=name,
        value=history.value(name, at=at),
        default=known.default,
        least=known.least,
        most=known.most,
        reason=None if changed is None else changed.reason,
        changed_at=None if changed is None else changed.at,
    )
