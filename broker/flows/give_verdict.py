"""Judge an act: in order, asked, or not in order. Never one's own, never one's own team's (red line 11)."""

from dataclasses import replace

from broker.domain.acts import ReviewNote
from broker.domain.changes import SettleOwed
from broker.domain.errors import NotFoundError
from broker.domain.flags import is_high, kinds_alone
from broker.domain.owed import JUDGED
from broker.domain.requests import Requester
from broker.domain.review import FINAL, IN_ORDER, PRIVACYFUNCTIONARIS, VERDICT, KeptNote, is_closed, own_act
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.reviewing import (
    Told,
    acts_with,
    check_role,
    is_own,
    kept_from,
    not_yours,
    record_review,
    reviewer_of,
    told,
)
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import GiveVerdict
from broker.review_ports import ActReader, NoteReader


async def give_verdict(
    *, command: GiveVerdict, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, acts: ActReader, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The verdict stands beside the act and is an entry; a later one takes its place. Outcome `done`.

    Of a high risk "in order" waits for a second reviewer, who may have done it as little and is of another team too.

    Raises:
        RoleNotAllowedError: no privacyfunctionaris; the FG supervises and never decides.
        NotFoundError: no such act, or not one for which this organisation answers.
        RefusedError: his own act or his own team's, one he was consulted about, or "in order" where nobody
            can say whose it was; with the receipt of its entry.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reviewing("give_verdict", command, requester)
    # (1) Who, and what: read before the tick.
    check_role(requester, {PRIVACYFUNCTIONARIS})
    judged = await acts.act(organisation=requester.organisation, index=command.act)
    if judged is None or judged.own_handles & await kept_from(requester, acts):
        raise NotFoundError
    related = await acts_with(judged, acts)
    subject = {"act": command.act, "verdict": command.verdict, "reason": command.reason}

    async def tell(register: Register) -> Told:
        # (2) Never his own; an attempt is refused openly and recorded.
        roster = await rosters.roster(requester.organisation)
        reviewer = reviewer_of(requester, roster, register)
        if any(own_act(reviewer, one) for one in related):
            return not_yours("review.own_act", reason="own-act", subject=subject)
        if any(is_own(reviewer, one, roster) for one in related):
            return not_yours("review.own_team", reason="own-team", subject=subject)
        if command.verdict == IN_ORDER and not judged.is_known:
            return not_yours("review.unknown_actor", reason="unknown-actor", subject=subject)
        # (3) What is kept.
        note = ReviewNote(
            organisation=requester.organisation,
            worker=requester.worker,
            kind=VERDICT,
            about=str(command.act),
            body={"verdict": command.verdict, "reason": command.reason},
        )
        # (4) Whether it takes somebody else besides.
        given = await notes.notes(organisation=requester.organisation, kind=VERDICT, about=note.about)
        all_given = [*given, KeptNote(index=judged.index, at=clock.now(), note=note)]
        closed = command.verdict != IN_ORDER or is_closed(all_given, high=is_high(kinds_alone(judged)))
        answer = told("review.verdict" if closed else "review.verdict_first", subject=subject, note=note)
        # (5) What waited for this verdict is done. A question does not end it: that waits for its answer.
        judged_now = closed and command.verdict in FINAL
        done = SettleOwed(organisation=judged.organisation, entry=judged.index, kinds=JUDGED)
        return replace(answer, changes=(done,) if judged_now else ())

    # (6) Recorded with the verdict in one transaction, and only then told.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )
