"""List what asks an organisation's teams to call; recorded as a look into the inbox, which everybody takes (ADR 33)."""

from dataclasses import replace

from broker.call_ports import CallReader
from broker.consent_ports import ConsentReader
from broker.domain.calls import Ring
from broker.domain.notices import ReadNotices
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.own_ring import own_ring
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_calls import rings_document
from broker.flows.unwatched import stopped
from broker.ports import (
    REGISTER,
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    RegisterReader,
    RosterReader,
    SignalStore,
    Stamp,
)
from broker.protocol.call_messages import CALLS_PER_PAGE
from broker.protocol.register import Register


async def list_rings(
    *,
    requester: Requester,
    after: str | None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    calls: CallReader,
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """At most `CALLS_PER_PAGE` rings of the organisation are read and that is recorded; outcome `done`.

    Args:
        after: the id after which the page begins; the order is that of the ids.

    Raises:
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = replace(Act.reading("list_rings", requester), kind="inbox")

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, newest = policies.at(base), await signals.stamps([REGISTER])
        register = await registers.register()
        check_organisation(register, act)
        # (2) Nobody has watched the log for too long: nobody is told on its word who asks.
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (3) What asks the own teams today, and may be seen by this worker now.
        rings, stamps = await _page(
            requester, after or "", signals=signals, calls=calls, consents=consents, policy=policy, register=register,
            clock=clock,
        )  # fmt: skip
        document = await rings_document("call.rings", rings, register=register, rosters=rosters)
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        known = ReadNotices(organisation=requester.organisation, shown=tuple(ring.id for ring in rings))
        effects = Effects(relies_on=(*base, *newest, *stamps), changes=(known,))
        return outcome_of(act, recording, effects, status=AnswerStatus.DONE)

    # (4) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def _page(
    requester: Requester, after: str, *, signals: SignalStore, calls: CallReader, consents: ConsentReader,
    policy: PolicyInForce, register: Register, clock: Clock,
) -> tuple[tuple[Ring, ...], tuple[Stamp, ...]]:  # fmt: skip
    """Return the next rings that may be seen, a page of them where there are as many, and all stamps looked at."""
    seen: list[Ring] = []
    stamps: dict[Stamp, None] = {}
    while len(seen) < CALLS_PER_PAGE:
        found = await calls.rings(
            organisation=requester.organisation, day=clock.today(), after=after, at_most=CALLS_PER_PAGE
        )
        for ring in found:
            own = await own_ring(
                ring, requester, signals=signals, calls=calls, consents=consents, policy=policy, register=register,
                clock=clock,
            )  # fmt: skip
            stamps |= dict.fromkeys(own.stamps)
            seen += [ring] if own.seen else []
        if len(found) < CALLS_PER_PAGE:
            break
        after = found[-1].id
    return tuple(seen[:CALLS_PER_PAGE]), tuple(stamps)
