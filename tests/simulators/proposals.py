"""Proposals that flows could make, without a flow: one signal, one entry, one kept answer each."""

import hashlib
from datetime import date

from broker.domain.changes import StoreSignal, TicketId
from broker.domain.households import SealedToken, StoredToken, TokenIndex, TokenRole
from broker.domain.signals import Signal
from broker.ports import AnswerKey, AnswerStatus, AnswerToStore, Committed, Log, Proposal, Stamp
from tests.simulators.enrolled import GI


def a_signal(name: str, *, organisation: str = GI) -> Signal:
    """Return a signal whose id and handle follow from a name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Signal(
        id=digest[:32],
        handle=digest[32:],
        organisation=organisation,
        controller=organisation,
        parent_org=None,
        team="team-1",
        purpose="proefregio",
        ground="TEST-PROEFREGIO",
        epoch=1,
        case_ref=None,
        registered_on=date(2026, 11, 22),
        ends_on=date(2027, 6, 1),
    )


def an_index(name: str) -> TokenIndex:
    """Return the index that a name always has."""
    return TokenIndex(hashlib.sha256(b"index " + name.encode()).digest())


def storing(
    name: str,
    *,
    subject: str = "",
    relies_on: tuple[Stamp, ...] = (),
    tickets: tuple[TicketId, ...] = (),
    document: dict[str, object] | None = None,
) -> Proposal:
    """Return a proposal that stores the signal of this name on this subject."""
    signal = a_signal(name)
    token = StoredToken(
        index=an_index(subject or name),
        family="nlbsn",
        role=TokenRole.SUBJECT,
        source=None,
        sealed=SealedToken(b"sealed"),
    )
    key = AnswerKey(
        organisation=signal.organisation,
        idempotency_key=signal.id,
        worker="w",
        target="register_signal",
        body_sha256="0" * 64,
    )
    return Proposal(
        kind="signal",
        payloads={"meta": {"schema": "entry-meta/v1", "name": name}},
        relies_on=relies_on,
        tickets=tickets,
        changes=(StoreSignal(signal=signal, tokens=(token,)),),
        answer=AnswerToStore(
            key=key,
            status=AnswerStatus.DONE,
            document=document or {"name": name},
            rests_on=(),
            valid_until=None,
            signal_id=signal.id,
        ),
    )


async def committed(log: Log, proposal: Proposal) -> Committed:
    """Return what a proposal came to that takes a turn of its own."""
    async with log.turn() as turn:
        return await turn.commit(proposal)
