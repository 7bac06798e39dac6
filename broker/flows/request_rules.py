"""The rules of a request itself: pure, judged before anything is decided, and never recorded when broken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from broker.domain.changes import TicketId
from broker.domain.errors import (
    ApprovalError,
    ApproverIsRequesterError,
    ControllerUnknownError,
    EpochUnknownError,
    FamilyNotAllowedError,
    FamilyNotUsedError,
    FieldRuleError,
    OrganisationSuspendedError,
    OrganisationUnknownError,
    PointInvalidError,
    PurposeUnknownError,
    RoleNotAllowedError,
    TeamUnknownError,
)
from broker.domain.households import Household, Parent, StoredToken, TokenIndex, TokenRole
from broker.domain.requests import APPROVER, WORKER, Approval, Requester
from broker.domain.signals import Assessment, EndRule, Informing, check_assessment, check_informing
from broker.flows.act import Act
from broker.ports import TokenIndexer
from broker.protocol.epochs import DescriptorError, EpochDocument
from broker.protocol.errors import TicketError
from broker.protocol.families import Family
from broker.protocol.messages import CheckedHousehold, RegisterSignal, SignalHousehold, WireToken
from broker.protocol.own_ids import is_own_id
from broker.protocol.register import Organisation, Register
from broker.protocol.ristretto import InvalidPointError
from broker.protocol.roster import Roster
from broker.protocol.signing_keys import VerifyKey
from broker.protocol.tickets import TicketUse, verify_ticket
from policies import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketIssuers:
    """Whose tickets count here: this broker's id (their audience) and each custodian's ticket key by its id."""

    broker: str
    keys: Mapping[str, VerifyKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """The tickets that cover an act, in the order of their custodians, and the import grant they are of, or None."""

    tickets: tuple[TicketId, ...]
    grant: str | None


def check_organisation(register: Register, act: Act) -> Organisation:
    """Return the asking organisation, which may act, for the controller it names.

    Raises:
        OrganisationUnknownError, OrganisationSuspendedError, ControllerUnknownError
    """
    organisation = register.organisations.get(act.requester.organisation)
    if organisation is None:
        raise OrganisationUnknownError
    if not organisation.active:
        raise OrganisationSuspendedError
    if act.controller not in (organisation.oin, organisation.parent_org):
        raise ControllerUnknownError
    return organisation


def check_worker(requester: Requester) -> None:
    """Hold only for a worker: approvers and reviewers act in other ways. Raises RoleNotAllowedError."""
    if requester.role != WORKER:
        raise RoleNotAllowedError


def check_own_id(value: str, requester: Requester) -> None:
    """Hold only for an id of the requester's own making, whether it is in use anywhere or not. Raises FieldRuleError.

    What two organisations share goes by one id: under another's it would stand in that one's way, or tell that it is.
    """
    if not is_own_id(value, requester.organisation):
        raise FieldRuleError("idempotencyKey", "is not an id that the own organisation makes")


def check_team(roster: Roster | None, act: Act) -> Roster:
    """Return the organisation's roster, on which the team has a contact card. Raises TeamUnknownError."""
    if roster is None or act.team not in roster.teams:
        raise TeamUnknownError
    return roster


def check_approval(roster: Roster, requester: Requester, approval: Approval | None) -> bool:
    """Return whether a second enrolled person approved the very same body; False when nobody did.

    Raises:
        ApproverIsRequesterError: the same person made both statements.
        ApprovalError: not an approver on this organisation's own roster.
    """
    if approval is None:
        return False
    # (1) Nobody approves their own act.
    if (approval.organisation, approval.worker) == (requester.organisation, requester.worker):
        raise ApproverIsRequesterError
    # (2) A colleague, stating it as approver, and enrolled as one.
    worker = roster.workers.get(approval.worker)
    if approval.organisation != requester.organisation or approval.role != APPROVER:
        raise ApprovalError
    if worker is None or APPROVER not in worker.roles:
        raise ApprovalError
    return True


def check_purpose(purposes: Mapping[str, Purpose], act: Act) -> Purpose:
    """Return the purpose asked for. Raises PurposeUnknownError."""
    purpose = None if act.purpose is None else purposes.get(act.purpose)
    if purpose is None:
        raise PurposeUnknownError
    return purpose


def check_families(organisation: Organisation, epoch: EpochDocument, act: Act) -> None:
    """Hold only for families that the register allows, in the epoch in use.

    Whether the *purpose* uses them is policy: `may_ask` refuses that with what is possible instead.

    Raises:
        FieldRuleError: there is no token at all.
        FamilyNotAllowedError, EpochUnknownError
    """
    if not act.counts:
        raise FieldRuleError("household", "has no token")
    if not act.families() <= organisation.families:
        raise FamilyNotAllowedError
    if act.epoch != epoch.epoch:
        raise EpochUnknownError
    for family in act.families():
        try:
            epoch.descriptor(Family(family))
        except DescriptorError:
            raise EpochUnknownError from None


def check_used_families(purpose: Purpose, act: Act) -> None:
    """Hold only for families the purpose uses, whatever `may_ask` said: no other token is looked up or stored.

    Raises:
        FamilyNotUsedError
    """
    if not act.families() <= purpose.families:
        raise FamilyNotUsedError


_OPERATIONS = {
    "register_signal": "register", "record_consent": "register", "invoke_exception": "register",
    "check_household": "check", "call_holders": "oproep",
}  # fmt: skip
"""The operation of the tickets that cover each flow."""


def check_tickets(texts: list[str], *, issuers: TicketIssuers, act: Act, now: int) -> Covering:
    """Return the tickets, one of each custodian and all of one grant or of none, that cover exactly this act (D2).

    Nothing is spent yet.

    Raises:
        TicketError: with the problem's id as its code.
    """
    use = TicketUse(
        broker=issuers.broker,
        organisation=act.requester.organisation,
        worker=act.requester.worker,
        operation=_OPERATIONS[act.type],
        purpose=act.purpose or "",
        epoch=act.epoch or 0,
        counts=act.counts,
    )
    tickets = [verify_ticket(text, keys=issuers.keys, use=use, now=now) for text in texts]
    custodians = [ticket.custodian for ticket in tickets]
    if len(set(custodians)) != len(custodians) or set(custodians) != set(issuers.keys):
        raise TicketError("ticket-missing")
    grants = {ticket.grant for ticket in tickets}
    if len(grants) != 1:
        raise TicketError("ticket-foreign")
    listed = tuple(
        TicketId(custodian=ticket.custodian, id=ticket.id, expires_at=ticket.expires_at, batch=ticket.batch)
        for ticket in sorted(tickets, key=lambda ticket: ticket.custodian)
    )
    return Covering(tickets=listed, grant=grants.pop())


def index_household(household: SignalHousehold | CheckedHousehold, *, epoch: int, tokens: TokenIndexer) -> Household:
    """Return the household as indexes, every token of it a point of the group.

    Raises:
        PointInvalidError: a token is none.
        FieldRuleError: a parent stands in it twice.
    """

    def index(field: str, family: Family, token: WireToken) -> TokenIndex:
        try:
            return tokens.index(epoch, family, token.value)
        except InvalidPointError:
            raise PointInvalidError(field) from None

    parents = tuple(
        Parent(index=index("household.parents", Family.FAM, parent.token), source=parent.source)
        for parent in household.parents
    )
    if len({parent.index for parent in parents}) != len(parents):
        raise FieldRuleError("household.parents", "names a parent twice")
    members = household.members if isinstance(household, CheckedHousehold) else []
    return Household(
        subject=None if household.subject is None else index("household.subject", Family.NLBSN, household.subject),
        parents=parents,
        members=tuple(index("household.members", Family.NLBSN, member) for member in members),
        address=None if household.address is None else index("household.address", Family.ADDR, household.address),
    )


def tokens_to_store(command: RegisterSignal, *, tokens: TokenIndexer) -> tuple[StoredToken, ...]:
    """Return what is stored of a signal's tokens: their indexes, and each token sealed for re-keying only."""
    household = command.household
    listed: list[tuple[TokenRole, Family, str | None, WireToken]] = [
        (TokenRole.SUBJECT, Family.NLBSN, None, household.subject),
        *((TokenRole.PARENT, Family.FAM, parent.source, parent.token) for parent in household.parents),
    ]
    if household.address is not None:
        listed.append((TokenRole.ADDRESS, Family.ADDR, None, household.address))
    return tuple(
        StoredToken(
            index=tokens.index(command.epoch, family, token.value),
            family=family.value,
            role=role,
            source=source,
            sealed=tokens.seal(token.value),
        )
        for role, family, source, token in listed
    )


def check_signal_rules(command: RegisterSignal, purpose: Purpose, *, today: date) -> None:
    """Hold only for a signal that this purpose lets last so long, judged and with the family informed as it asks.

    Raises:
        EndDateBeyondRuleError, AgeQuarterNeededError, AssessmentNeededError, InformingNeededError, FieldRuleError
    """
    end_rule(purpose).check(ends_on=command.ends_on, age_quarter=command.age_quarter, today=today)
    check_assessment(assessment_of(command), needed=purpose.needs_assessment, today=today)
    check_informing(informing_of(command), needed=purpose.needs_informing, today=today)


def end_rule(purpose: Purpose) -> EndRule:
    """Return how long a signal of this purpose may last."""
    return EndRule(max_years=purpose.max_years, age_bound=purpose.age_limit is not None)


def assessment_of(command: RegisterSignal) -> Assessment | None:
    """Return the assessment in a registration as a domain value."""
    stated = command.assessment
    return None if stated is None else Assessment(on=stated.on, by=stated.by)


def informing_of(command: RegisterSignal) -> Informing | None:
    """Return whether the family knows, as a domain value."""
    stated = command.informing
    if stated is None:
        return None
    return Informing(state=stated.state, reason=stated.reason, review_on=stated.review_on)
