"""List who is on the roster and when he last did anything: who still needs an account? Twice a year."""

from broker.domain.flags import local
from broker.domain.requests import Requester
from broker.domain.review import REVIEWERS
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
from broker.flows.reviewing import DAY_S, Told, check_role, record_review, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import AccountShown
from broker.review_ports import ActReader

HALF_YEAR_DAYS = 183


async def list_accounts(
    *, use: str, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, acts: ActReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Everybody on the own roster is listed with his last act of the past half year; that is recorded.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reading("list_accounts", requester)
    # (1) Who; the acts of half a year are read before the tick.
    check_role(requester, REVIEWERS)
    check_organisation(await registers.register(), act)
    organisation, now = requester.organisation, clock.now()
    found = await acts.acts(organisation=organisation, since=now - HALF_YEAR_DAYS * DAY_S, until=now + DAY_S)
    done = [one for one in found if one.organisation == organisation]

    async def tell(_: Register) -> Told:
        # (2) Everybody on the roster as it is now.
        roster = await rosters.roster(organisation)
        workers = {} if roster is None else roster.workers
        accounts = []
        for sub, worker in sorted(workers.items()):
            times = [one.at for one in done if one.is_by(organisation, sub)]
            last = local(max(times)).date() if times else None
            accounts.append(AccountShown(worker=sub, roles=sorted(worker.roles), last_act_on=last, acts=len(times)))
        return told("review.accounts", subject={"use": use, "found": len(accounts)}, accounts=accounts)

    # (3) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )
