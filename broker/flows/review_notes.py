"""Look through what reviewers stated: verdicts, what the FG thinks of them, changes, samples and log checks."""

from broker.domain.requests import Requester
from broker.domain.review import REVIEWERS
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.reviewing import Told, check_role, record_review, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import ACTS_PER_PAGE, NoteShown
from broker.review_ports import NoteReader


async def review_notes(
    *, kind: str, after: int | None, use: str, requester: Requester, policies: Policies, clock: Clock,
    registers: RegisterReader, signals: SignalStore, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """At most `ACTS_PER_PAGE` notes of this kind of the own organisation are read, and that is recorded.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reading("review_notes", requester)
    # (1) Who.
    check_role(requester, REVIEWERS)

    async def tell(_: Register) -> Told:
        # (2) What the own organisation's reviewers stated, oldest first.
        kept = await notes.notes(organisation=requester.organisation, kind=kind)
        rest = [one for one in kept if after is None or one.index > after]
        page = [
            NoteShown(
                index=one.index,
                at=one.at,
                by=one.note.worker,
                kind=one.note.kind,
                about=one.note.about,
                body=dict(one.note.body),
            )
            for one in rest[:ACTS_PER_PAGE]
        ]
        more = page[-1].index if len(rest) > len(page) else None
        subject = {"notes": kind, "use": use, "after": after, "found": len(page)}
        return told("review.notes", subject=subject, notes=page, more_after=more)

    # (3) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )
