"""Tickets: what is signed is what is verified; the matrix is in tests/vectors."""

from dataclasses import replace

import pytest

from broker.protocol.errors import TicketError
from broker.protocol.signing_keys import SigningKey
from broker.protocol.tickets import FamilyCount, Ticket, TicketUse, sign_ticket, verify_ticket

KEY = SigningKey.from_seed(bytes(32))
OTHER = SigningKey.from_seed(b"\x01" * 32)
TICKET = Ticket(
    custodian="custodian-a.demo.sluis.test",
    broker="broker.demo.sluis.test",
    organisation="00000001001234560001",
    worker="w1",
    operation="register",
    purpose="verwijsindex",
    epoch=1,
    families={
        "nlbsn": FamilyCount(real=2, answers_sha256="0" * 64),
        "fam": FamilyCount(real=0, answers_sha256="1" * 64),
    },
    batch="0" * 32,
    id="1" * 32,
    issued_at=1000,
    expires_at=1600,
)
USE = TicketUse(
    broker=TICKET.broker,
    organisation=TICKET.organisation,
    worker=TICKET.worker,
    operation="register",
    purpose=TICKET.purpose,
    epoch=1,
    counts={"nlbsn": 2},
)
KEYS = {TICKET.custodian: KEY.public}


def test_a_ticket_comes_back_as_it_was_signed() -> None:
    """Every statement of a ticket survives signing and verifying."""
    assert verify_ticket(sign_ticket(KEY, TICKET), keys=KEYS, use=USE, now=1001) == TICKET


def test_a_grant_lives_longer_but_serves_only_registering() -> None:
    """Tickets of a bulk import may live as long as their grant, and never serve a check."""
    granted = replace(TICKET, grant="2" * 32, expires_at=100_000)
    assert verify_ticket(sign_ticket(KEY, granted), keys=KEYS, use=USE, now=50_000).grant == "2" * 32
    for operation in ("check", "oproep", "register"):
        ticket = sign_ticket(KEY, replace(granted, operation=operation))
        with pytest.raises(TicketError, match="ticket-of-grant"):
            verify_ticket(ticket, keys=KEYS, use=replace(USE, operation="check"), now=1001)


@pytest.mark.parametrize(("days", "holds"), [(32, True), (33, False)])
def test_a_ticket_of_a_grant_does_not_outlive_any_grant(days: int, holds: bool) -> None:  # noqa: FBT001 - a parametrised fact
    """No ticket lives longer than the longest grant from its first to the end of its last day."""
    ticket = sign_ticket(KEY, replace(TICKET, grant="2" * 32, expires_at=TICKET.issued_at + days * 86_400))
    if holds:
        assert verify_ticket(ticket, keys=KEYS, use=USE, now=1001).grant == "2" * 32
        return
    with pytest.raises(TicketError, match="ticket-lifetime"):
        verify_ticket(ticket, keys=KEYS, use=USE, now=1001)


@pytest.mark.parametrize("counts", [{"nlbsn": 3}, {"fam": 1}, {"addr": 1}, {"nlbsn": 2, "addr": 1}])
def test_no_more_tokens_than_counted(counts: dict[str, int]) -> None:
    """A request with more tokens of any family than the custodian counted is not covered."""
    with pytest.raises(TicketError, match="ticket-count"):
        verify_ticket(sign_ticket(KEY, TICKET), keys=KEYS, use=replace(USE, counts=counts), now=1001)


def test_fewer_tokens_than_counted_are_covered() -> None:
    """A family that was counted and is not used is no problem."""
    assert verify_ticket(sign_ticket(KEY, TICKET), keys=KEYS, use=replace(USE, counts={}), now=1001) == TICKET


def test_one_custodian_cannot_sign_for_another() -> None:
    """A ticket in the name of A that B signed is refused, even though B's key is known."""
    keys = {TICKET.custodian: KEY.public, "custodian-b.demo.sluis.test": OTHER.public}
    with pytest.raises(TicketError, match="ticket-signature"):
        verify_ticket(sign_ticket(OTHER, TICKET), keys=keys, use=USE, now=1001)
