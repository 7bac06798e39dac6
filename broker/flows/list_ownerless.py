"""List the own signals to which nobody on the roster sees, so that no family is left to who has gone."""

from broker.domain.errors import RoleNotAllowedError
from broker.domain.requests import APPROVER, WORKER, Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.owners import active_workers, is_ownerless, known_page, owners_document
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.wire_types import SIGNALS_PER_PAGE


async def list_ownerless(
    *,
    requester: Requester,
    after: str | None = None,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The signals without an active owner among the next `SIGNALS_PER_PAGE` own ones are told; outcome `done`.

    Raises:
        RoleNotAllowedError: neither a worker nor an approver. NotDoneError: it failed; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_ownerless", requester)

    async def decide() -> Outcome:
        # (1) Who, and with what right.
        if requester.role not in (WORKER, APPROVER):
            raise RoleNotAllowedError
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy = policies.at(base)
        register = await registers.register()
        check_organisation(register, act)
        # (2) Own signals, held, whose owner is not on the roster as it is now.
        active = active_workers(await rosters.roster(requester.organisation))
        # To who is kept from one it is as if that were not there; somebody else takes it up.
        page = await known_page(requester, after=after, signals=signals)
        found = [one for one in page if is_ownerless(one, active)]
        document = owners_document(
            "owners.list" if found else "owners.none",
            found=found,
            more_after=page[-1].id if len(page) == SIGNALS_PER_PAGE else None,
        )
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )
