"""Who sends: a signed request becomes a verified sender, or a problem that says which rule it broke (D13).

Nothing happens before these steps hold, and the steps hold in this order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from broker.protocol.errors import RequestTokenError
from broker.protocol.register import Organisation, Register
from broker.protocol.request_signing import APPROVAL_TYP, REQUEST_TYP, SKEW_S, SignedRequest, Target, verify_request
from broker.protocol.roster import Roster
from broker.protocol.signing_keys import VerifyKey

AUTHORIZATION_SCHEME = "Sluis "
APPROVER_ROLE = "approver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom the broker knows at this moment: its own register and the rosters organisations signed for it."""

    register: Register
    rosters: Mapping[str, Roster]


class SpentRequests(Protocol):
    """Remembers durably which request tokens were used."""

    async def spend(self, *, issuer: str, jti: str, expires_at: int) -> bool:
        """Return whether this is the first use of this token; the use is durable when the call returns.

        Args:
            expires_at: unix seconds after which the token is refused anyway.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came in: the request as the client addressed it, its headers and its whole body."""

    target: Target
    authorization: str | None
    approval: str | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """A request whose sender is known, and the second statement over the same body if there was one."""

    organisation: Organisation
    roster: Roster
    request: SignedRequest
    approval: SignedRequest | None


async def authenticate(received: Received, *, trust: Trust, spent: SpentRequests, now: int) -> Authenticated:
    """Return who sent this request; its token, and the approval's, are spent.

    Args:
        now: unix seconds of the broker's clock.

    Raises:
        RequestTokenError: `code` is the id of the problem to answer with.
    """
    # (1) There is a token, in the one place where it belongs.
    if received.authorization is None or not received.authorization.startswith(AUTHORIZATION_SCHEME):
        raise RequestTokenError("request-token-missing")
    token = received.authorization.removeprefix(AUTHORIZATION_SCHEME)
    # (2) An organisation we know signed exactly this request for us, now.
    request = _verified(token, received, REQUEST_TYP, trust, now)
    # (3) This token was never used before; from here on it is used, whatever happens next.
    await _spend(request, spent)
    # (4) The organisation may act today.
    organisation = trust.register.organisations[request.sender.organisation]
    if not organisation.active:
        raise RequestTokenError("organisation-suspended")
    # (5) It is part of the organisation it says, as the registrars state it.
    if request.sender.parent_org != organisation.parent_org:
        raise RequestTokenError("parent-org-mismatch")
    # (6) The worker is on the organisation's own list, with the role he claims; what that role may do, policy decides.
    roster = trust.rosters.get(organisation.oin)
    if roster is None or request.sender.worker not in roster.workers:
        raise RequestTokenError("worker-unknown")
    if request.sender.role not in roster.workers[request.sender.worker].roles:
        raise RequestTokenError("role-not-allowed")
    # (7) A colleague's approval, where one was sent, holds by the same measure.
    approval = None
    if received.approval is not None:
        approval = await _approved(received, received.approval, request, roster, trust=trust, spent=spent, now=now)
    return Authenticated(organisation=organisation, roster=roster, request=request, approval=approval)


async def _approved(
    received: Received,
    token: str,
    request: SignedRequest,
    roster: Roster,
    *,
    trust: Trust,
    spent: SpentRequests,
    now: int,
) -> SignedRequest:
    """Return the second statement over the same request, by another worker who is enrolled as approver."""
    # (7a) It is a good statement over this very request; why it is not, is the sender's own matter.
    try:
        approval = _verified(token, received, APPROVAL_TYP, trust, now)
    except RequestTokenError:
        raise RequestTokenError("approval-invalid") from None
    # (7b) The same organisation, in the role of approver.
    sender = approval.sender
    same = (sender.organisation, sender.parent_org) == (request.sender.organisation, request.sender.parent_org)
    if not same or sender.role != APPROVER_ROLE:
        raise RequestTokenError("approval-invalid")
    # (7c) Nobody approves their own act.
    if sender.worker == request.sender.worker:
        raise RequestTokenError("approver-is-requester")
    # (7d) The approver is enrolled as one.
    approver = roster.workers.get(sender.worker)
    if approver is None or APPROVER_ROLE not in approver.roles:
        raise RequestTokenError("approval-invalid")
    # (7e) An approval counts once.
    await _spend(approval, spent)
    return approval


def _verified(token: str, received: Received, typ: str, trust: Trust, now: int) -> SignedRequest:
    def key_of(oin: str, kid: str) -> VerifyKey | None:
        if oin not in trust.register.organisations:
            raise RequestTokenError("organisation-unknown")
        return trust.register.signing_key(oin, kid)

    return verify_request(token, key_of=key_of, target=received.target, body=received.body, now=now, typ=typ)


async def _spend(request: SignedRequest, spent: SpentRequests) -> None:
    """Spend the token for as long as it could be believed again."""
    issuer, until = request.sender.organisation, request.expires_at + SKEW_S
    if not await spent.spend(issuer=issuer, jti=request.jti, expires_at=until):
        raise RequestTokenError("request-token-replayed")
