"""Look through what concerns one own signal: own acts, and what others' acts say of it (D12, D17)."""

from collections.abc import Mapping

from broker.domain.acts import Recipient, ReviewedAct
from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.domain.review import FG, REVIEWERS, VERDICT, verdicts_by_act
from broker.flows.act import Act
from broker.flows.current_reading import CurrentReading
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
from broker.flows.reviewing import Showing, Told, check_role, record_review, reviewer_of, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import ACTS_PER_PAGE, ExtractShown
from broker.review_ports import ActReader, HouseholdActs, NoteReader


async def review_household(
    *, signal_id: str, use: str, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, acts: ActReader, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The newest acts on an own household are read, and that is recorded; outcome `done`.

    The FG reads besides which other organisations were told of this signal (AVG art. 15(1)(c)), and no act of any
    other: that somebody looked and was told nothing, or has a signal of his own there, is nobody else's to know. Who
    hides a signal there is not among them. An own shielded signal opens for the FG only.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        NotFoundError: no such signal, another organisation's, or one that this role may not open or that
            is kept from this reviewer by name.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reading("review_household", requester)
    # (1) Who, and an own signal that this role may open.
    check_role(requester, REVIEWERS)
    check_organisation(await registers.register(), act)
    is_fg = requester.role == FG

    async def read() -> tuple[str, HouseholdActs, Mapping[str, str]]:
        own = await signals.own(organisation=requester.organisation, signal_id=signal_id)
        if own is None:
            raise NotFoundError
        if not is_fg and (own.signal.shielded or own.signal.hidden_from(requester.worker)):
            raise NotFoundError
        handle = own.signal.handle
        found = await acts.household(handle=handle, organisation=requester.organisation)
        return handle, found, await acts.signal_ids(organisation=requester.organisation, shielded=is_fg)

    # (2) Everything heavy is read before the tick, and again where something was shielded meanwhile.
    reading = CurrentReading(signals, read)
    await reading.current()

    async def tell(register: Register) -> Told:
        handle, found, ids = await reading.current()
        recipients: tuple[ReviewedAct | Recipient, ...] = (*found.others, *found.told) if is_fg else ()
        told_of = sorted(recipients, key=lambda one: one.index)
        roster = await rosters.roster(requester.organisation)
        verdicts = verdicts_by_act(await notes.notes(organisation=requester.organisation, kind=VERDICT))
        showing = Showing(
            reviewer=reviewer_of(requester, roster, register), roster=roster, signal_ids=ids, verdicts=verdicts,
            flags={},
        )  # fmt: skip
        subject = {"use": use, "handles": [handle], "found": len(found.own) + len(told_of)}
        return told(
            "review.household",
            subject=subject,
            acts=showing.all_of(found.own[-ACTS_PER_PAGE:]),
            extracts=[extract_shown(one) for one in told_of[-ACTS_PER_PAGE:]] if is_fg else None,
        )

    # (3) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log,
        reading=reading,
    )  # fmt: skip


def extract_shown(act: ReviewedAct | Recipient) -> ExtractShown:
    """Return what is told of who was told: not who of it, what else it saw, or whether it registered itself."""
    return ExtractShown(
        index=act.index,
        at=act.at,
        organisation=act.organisation,
        purpose=act.purpose,
        grounds=list(act.grounds),
    )
