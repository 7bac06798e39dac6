"""About whom an exception is: whose tokens its worker brings, and the person of an own signal (D11).

Only tokens, and only what the own organisation states: nobody is looked up, so that it tells nothing about others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from broker.domain.changes import TicketId
from broker.domain.errors import FieldRuleError, NotFoundError, PointInvalidError
from broker.domain.households import StoredToken, TokenRole
from broker.flows.act import Act
from broker.flows.request_rules import TicketIssuers, check_families, check_tickets
from broker.ports import OwnSignal, SignalStore, Stamp, TokenIndexer
from broker.protocol.epochs import EpochDocument
from broker.protocol.errors import TicketError
from broker.protocol.exception_messages import TICKET_PURPOSE, InvokeException
from broker.protocol.families import Family
from broker.protocol.register import Organisation
from broker.protocol.ristretto import InvalidPointError


@dataclass(frozen=True, slots=True, kw_only=True)
class Persons:
    """Whom an exception names: tokens to store, covered by these tickets, and an own signal."""

    tokens: tuple[StoredToken, ...] = ()
    tickets: tuple[TicketId, ...] = ()
    own: OwnSignal | None = None

    @property
    def count(self) -> int:
        """How many different persons they are."""
        return len({token.index for token in self.tokens} | ({self.own.subject} if self.own else set()))

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """The stamps of what was read."""
        return () if self.own is None else self.own.stamps

    @property
    def handles(self) -> tuple[str, ...]:
        """The search handle of the own signal."""
        return () if self.own is None else (self.own.signal.handle,)

    @property
    def signal_id(self) -> str | None:
        """The id of the own signal."""
        return None if self.own is None else self.own.signal.id


def _covering(
    command: InvokeException, act: Act, organisation: Organisation, epoch: EpochDocument, *, issuers: TicketIssuers,
    now: int,
) -> tuple[TicketId, ...]:  # fmt: skip
    """Return the tickets, one of each custodian, that cover exactly these persons; none where no token is there.

    Raises:
        FieldRuleError: tokens without their epoch. FamilyNotAllowedError, EpochUnknownError.
        TicketError: with the problem's id as its code.
    """
    if not command.subjects:
        if command.tickets:
            raise TicketError("ticket-count")
        return ()
    if command.epoch is None:
        raise FieldRuleError("epoch", "is missing beside tokens")
    counted = replace(
        act, purpose=TICKET_PURPOSE, epoch=command.epoch, counts={Family.NLBSN.value: len(command.subjects)}
    )  # fmt: skip
    check_families(organisation, epoch, counted)
    covered = check_tickets(command.tickets, issuers=issuers, act=counted, now=now)
    if covered.grant is not None:
        raise TicketError("ticket-of-grant")
    return covered.tickets


async def persons_of(
    command: InvokeException, act: Act, organisation: Organisation, epoch: EpochDocument, *, issuers: TicketIssuers,
    tokens: TokenIndexer, signals: SignalStore, now: int,
) -> Persons:  # fmt: skip
    """Return whom the command names, once its tickets cover them; nothing is spent yet.

    Raises:
        FamilyNotAllowedError, EpochUnknownError, TicketError: its tokens may not be there, or are not covered.
        PointInvalidError: a token is none. FieldRuleError: a person stands in it twice.
        NotFoundError: the signal is another organisation's, has ended, is kept from this worker, or never was.
    """
    tickets = _covering(command, act, organisation, epoch, issuers=issuers, now=now)
    stored = tuple(_stored(command, tokens))
    if len({token.index for token in stored}) != len(stored):
        raise FieldRuleError("subjects", "name a person twice")
    own = None
    if command.signal_id is not None:
        own = await signals.own(organisation=organisation.oin, signal_id=command.signal_id)
        if own is None or not own.signal.is_held or own.signal.hidden_from(act.requester.worker):
            raise NotFoundError
    return Persons(tokens=stored, tickets=tickets, own=own)


def _stored(command: InvokeException, tokens: TokenIndexer) -> Iterable[StoredToken]:
    for subject in command.subjects:
        try:
            index = tokens.index(command.epoch or 0, Family.NLBSN, subject.value)
        except InvalidPointError:
            raise PointInvalidError("subjects") from None
        yield StoredToken(
            index=index, family=Family.NLBSN.value, role=TokenRole.SUBJECT, source=None,
            sealed=tokens.seal(subject.value),
        )  # fmt: skip
