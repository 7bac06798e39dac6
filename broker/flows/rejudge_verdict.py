"""Say, as FG, whether a verdict would have been one's own: supervision, which changes no verdict."""

from broker.domain.acts import ReviewNote
from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.domain.review import FG, REJUDGEMENT, VERDICT
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.reviewing import Told, acts_with, check_role, is_own, not_yours, record_review, reviewer_of, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import RejudgeVerdict
from broker.review_ports import ActReader, NoteReader


async def rejudge_verdict(
    *, command: RejudgeVerdict, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, acts: ActReader, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """What the FG thinks of a verdict stands beside it and is an entry; the verdict stays. Outcome `done`.

    Raises:
        RoleNotAllowedError: no FG.
        NotFoundError: no such verdict of the own organisation, or its act is gone.
        RefusedError: a verdict of his own, or on an act of his own, of his team's, or on which he was
            consulted; with the receipt of its entry.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reviewing("rejudge_verdict", command, requester)
    # (1) Who, and which verdict on which act.
    check_role(requester, {FG})
    given = await notes.notes(organisation=requester.organisation, kind=VERDICT)
    verdict = next((one for one in given if one.index == command.verdict), None)
    if verdict is None:
        raise NotFoundError
    judged = await acts.act(organisation=requester.organisation, index=int(verdict.note.about))
    if judged is None:
        raise NotFoundError
    related = await acts_with(judged, acts)
    subject = {"verdict": command.verdict, "act": judged.index, "agrees": command.agrees}

    async def tell(register: Register) -> Told:
        # (2) Never one's own.
        roster = await rosters.roster(requester.organisation)
        reviewer = reviewer_of(requester, roster, register)
        if verdict.note.worker == requester.worker or any(is_own(reviewer, one, roster) for one in related):
            return not_yours("review.own_act", reason="own-act", subject=subject)
        # (3) What is kept.
        note = ReviewNote(
            organisation=requester.organisation,
            worker=requester.worker,
            kind=REJUDGEMENT,
            about=str(command.verdict),
            body={"agrees": command.agrees},
        )
        return told("review.rejudged", subject=subject, note=note)

    # (4) Recorded with what was said in one transaction, and only then told.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )
