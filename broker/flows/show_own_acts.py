"""Show a worker what is recorded about himself: his own acts, and the verdicts on them."""

from broker.domain.requests import Requester
from broker.domain.review import VERDICT, Reviewer, verdicts_by_act
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
from broker.flows.review_acts import Wanted, page_of
from broker.flows.reviewing import Showing, Told, record_review, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.register import Register
from broker.review_ports import ActReader, NoteReader


async def show_own_acts(
    *, wanted: Wanted, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    signals: SignalStore, acts: ActReader, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """What this person did or approved is shown to him, with the verdicts on it, and that is recorded; outcome `done`.

    Whoever is on the roster may ask, in whatever role. What stands out and was not judged yet is not marked.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        NotRecordedError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("show_own_acts", requester)
    # (1) His own acts and nobody else's, read before the tick.
    check_organisation(await registers.register(), act)
    organisation, period = requester.organisation, wanted.filter
    found = await acts.acts(organisation=organisation, since=period.since, until=period.until)
    mine = [one for one in found if one.is_by(organisation, requester.worker)]

    async def tell(_: Register) -> Told:
        # (2) With the verdicts as they are now.
        verdicts = verdicts_by_act(await notes.notes(organisation=organisation, kind=VERDICT))
        page = page_of(mine, after=wanted.after)
        himself = Reviewer(organisation=organisation, worker=requester.worker, teams=frozenset())
        showing = Showing(reviewer=himself, roster=None, signal_ids={}, verdicts=verdicts, flags={})
        more = page[-1].index if page and page[-1].index != mine[-1].index else None
        return told("review.own", subject=wanted.subject(len(page)), acts=showing.all_of(page), more_after=more)

    # (3) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )
