"""Note that somebody of the organisation verified the published log: when, by whom, at which size and root."""

from broker.domain.acts import ReviewNote
from broker.domain.errors import FieldRuleError
from broker.domain.requests import Requester
from broker.domain.review import LOG_CHECK, REVIEWERS
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.reviewing import Told, check_role, record_review, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import NoteLogCheck
from broker.review_ports import CheckpointReader


async def note_log_check(
    *, command: NoteLogCheck, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    signals: SignalStore, checkpoints: CheckpointReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """That the log was verified, and whether it held, is noted and recorded; outcome `done`.

    A check that did not hold is taken at any root: then it is just the root that is in question.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        FieldRuleError: it is said to hold at a root that this log never had at that size.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reviewing("note_log_check", command, requester)
    # (1) Who, and of which tree.
    check_role(requester, REVIEWERS)
    if command.holds and not await checkpoints.has_head(size=command.size, root=command.root):
        raise FieldRuleError("root", "is not that of this log at this size")

    async def tell(_: Register) -> Told:
        # (2) What is kept.
        body = {"size": command.size, "root": command.root, "holds": command.holds}
        note = ReviewNote(
            organisation=requester.organisation,
            worker=requester.worker,
            kind=LOG_CHECK,
            about=str(command.size),
            body=body,
        )
        return told("review.log_check", subject=body, note=note)

    # (3) Recorded with the note in one transaction, and only then told.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )
