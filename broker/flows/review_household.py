"""Look through what concerns one own signal: own acts, and what others' acts say of it (D12, D17)."""

from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.domain.review import FG, REVIEWERS, VERDICT, verdicts_by_act
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
from broker.flows.reviewing import Showing, Told, check_role, record_review, reviewer_of, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import ACTS_PER_PAGE, ExtractShown
from broker.review_ports import ActReader, Extract, NoteReader


async def review_household(
    *, signal_id: str, use: str, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, acts: ActReader, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The newest acts on an own household are read, others' as an extract, and that is recorded; outcome `done`.

    Acts of an organisation that shields a signal on the household are not there, for whoever else asks. An own
    shielded signal opens for the FG only.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        NotFoundError: no such signal, another organisation's, or one that this role may not open.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reading("review_household", requester)
    # (1) Who, and an own signal.
    check_role(requester, REVIEWERS)
    check_organisation(await registers.register(), act)
    own = await signals.own(organisation=requester.organisation, signal_id=signal_id)
    if own is None or (own.signal.shielded and requester.role != FG):
        raise NotFoundError
    # (2) Everything heavy is read before the tick.
    found = await acts.household(handle=own.signal.handle, organisation=requester.organisation)
    ids = await acts.signal_ids(organisation=requester.organisation, shielded=requester.role == FG)

    async def tell(_: Register) -> Told:
        roster = await rosters.roster(requester.organisation)
        verdicts = verdicts_by_act(await notes.notes(organisation=requester.organisation, kind=VERDICT))
        showing = Showing(
            reviewer=reviewer_of(requester, roster), roster=roster, signal_ids=ids, verdicts=verdicts, flags={}
        )
        subject = {"use": use, "handles": [own.signal.handle], "found": len(found.own) + len(found.others)}
        return told(
            "review.household",
            subject=subject,
            acts=showing.all_of(found.own[-ACTS_PER_PAGE:]),
            extracts=[extract_shown(one) for one in found.others[-ACTS_PER_PAGE:]],
        )

    # (3) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )


def extract_shown(extract: Extract) -> ExtractShown:
    """Return what is told of another organisation's act: never its worker, its team or what else it was shown."""
    act = extract.act
    return ExtractShown(
        index=act.index,
        at=act.at,
        kind=act.kind,
        organisation=act.organisation,
        purpose=act.purpose,
        grounds=list(act.grounds),
        told=extract.told,
    )
