"""List what follows from acts and is still to be done by who asks, a page at a time; reading is recorded."""

from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.owing import SeenOwed, check_owing, owed_document, seen_owed
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation
from broker.flows.unwatched import stopped
from broker.owed_ports import OwedReader
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.owed_messages import OWED_PER_PAGE
from broker.protocol.roster import Roster

BATCH = 2 * OWED_PER_PAGE
"""Tasks read at once, of which some are another's, or may not be known of."""


async def list_owed(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    owed: OwedReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most a page of what is still to be done is told, and that is recorded; outcome `done`.

    Raises:
        NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_owed", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_owing(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, register = policies.at(base), await registers.register()
        check_organisation(register, act)
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        roster = await rosters.roster(requester.organisation)
        # (2) What is for this role; about a signal, for who may know of it: else it is as if it were not there.
        found = await _page(requester, after or "", roster=roster, signals=signals, owed=owed)
        page = [one.owed for one in found[:OWED_PER_PAGE]]
        more = page[-1].id if len(found) > len(page) else None
        recording = Recording(
            outcome="done", bundle=policy.sha256, register=register.number,
            document=owed_document(
                "owed.list" if page else "owed.none", page, worker=requester.worker, day=clock.today(),
                more_after=more,
            ),
        )  # fmt: skip
        stamps = dict.fromkeys(stamp for one in found for stamp in one.stamps)
        return outcome_of(act, recording, Effects(relies_on=(*base, *stamps)), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def _page(
    requester: Requester, after: str, *, roster: Roster | None, signals: SignalStore, owed: OwedReader
) -> list[SeenOwed]:
    """Return the next tasks that are seen, one more than a page where there are."""
    shown: list[SeenOwed] = []
    while len(shown) <= OWED_PER_PAGE:
        found = await owed.open_after(
            organisation=requester.organisation, role=requester.role, after=after, at_most=BATCH
        )
        seen = [await seen_owed(one, requester, roster=roster, signals=signals) for one in found]
        shown += [one for one in seen if one is not None]
        if len(found) < BATCH:
            break
        after = found[-1].id
    return shown[: OWED_PER_PAGE + 1]
