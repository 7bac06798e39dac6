"""Who sends: a signed request becomes a verified sender, or a problem that says which rule it broke (D13).

Nothing happens before these steps hold, and the steps hold in this order.
"""

from dataclasses import dataclass

from broker.domain.requests import APPROVER, Approval, Requester
from broker.ports import RegisterReader, RequestSpending, RosterReader
from broker.protocol.errors import RequestTokenError
from broker.protocol.register import Register
from broker.protocol.request_signing import APPROVAL_TYP, REQUEST_TYP, SKEW_S, SignedRequest, Target, verify_request
from broker.protocol.roster import Roster
from broker.protocol.signing_keys import VerifyKey

AUTHORIZATION_SCHEME = "Sluis "
CODES = (
    "organisation-unknown",
    "organisation-suspended",
    "parent-org-mismatch",
    "worker-unknown",
    "role-not-allowed",
    "approval-invalid",
    "approver-is-requester",
)
"""The problems of this module besides those of the token itself, `request-token-...`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came in: the request as the client addressed it, its headers and its whole body."""

    target: Target
    authorization: str | None
    approval: str | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """The worker who asks, and the colleague who approved the same body if one did."""

    requester: Requester
    approval: Approval | None


class OwnApprovalError(RequestTokenError):
    """An enrolled worker approved his own request; both statements hold by themselves, and nothing was done."""

    def __init__(self, requester: Requester, approval: Approval) -> None:
        super().__init__("approver-is-requester")
        self.requester = requester
        self.approval = approval


async def authenticate(
    received: Received, *, registers: RegisterReader, rosters: RosterReader, spending: RequestSpending, now: int
) -> Authenticated:
    """Return who sent this request; its token, and the approval's, are spent.

    Args:
        now: unix seconds of the broker's clock.

    Raises:
        RequestTokenError: `code` is the id of the problem to answer with.
        OwnApprovalError: the same, by whom: that is recorded.
        StorageError: the register, a roster or the used tokens cannot be read.
    """
    # (1) There is a token, in the one place where it belongs.
    if received.authorization is None or not received.authorization.startswith(AUTHORIZATION_SCHEME):
        raise RequestTokenError("request-token-missing")
    token = received.authorization.removeprefix(AUTHORIZATION_SCHEME)
    # (2) An organisation we know signed exactly this request for us, now.
    register = await registers.register()
    request = _verified(token, received, REQUEST_TYP, register, now)
    sender = request.sender
    # (3) This token was never used before; from here on it is used, whatever happens next.
    await _spend(request, spending)
    # (4) The organisation may act today.
    organisation = register.organisations[sender.organisation]
    if not organisation.active:
        raise RequestTokenError("organisation-suspended")
    # (5) It is part of the organisation it says, as the registrars state it.
    if sender.parent_org != organisation.parent_org:
        raise RequestTokenError("parent-org-mismatch")
    # (6) The worker is on the organisation's own list, with the role he claims; what that role may do, policy decides.
    roster = await rosters.roster(organisation.oin)
    if roster is None or sender.worker not in roster.workers:
        raise RequestTokenError("worker-unknown")
    if sender.role not in roster.workers[sender.worker].roles:
        raise RequestTokenError("role-not-allowed")
    # (7) A colleague's approval, where one was sent, holds by the same measure; a bad one is never ignored.
    approval = None
    if received.approval is not None:
        approval = _approved(_approval_of(received, received.approval, register, now), request, roster)
        await _spend(approval, spending)
    return Authenticated(requester=_requester(request), approval=None if approval is None else _approval(approval))


def _approval_of(received: Received, token: str, register: Register, now: int) -> SignedRequest:
    """Return the second statement over this very request; why it does not hold is the sender's own matter."""
    try:
        return _verified(token, received, APPROVAL_TYP, register, now)
    except RequestTokenError:
        raise RequestTokenError("approval-invalid") from None


def _approved(approval: SignedRequest, request: SignedRequest, roster: Roster) -> SignedRequest:
    """Return the approval, if it is by another worker of the same organisation who is enrolled as approver."""
    sender, asker = approval.sender, request.sender
    # (7a) The same organisation, in the role of approver.
    same = (sender.organisation, sender.parent_org) == (asker.organisation, asker.parent_org)
    if not same or sender.role != APPROVER:
        raise RequestTokenError("approval-invalid")
    # (7b) Nobody approves their own act.
    if sender.worker == asker.worker:
        raise OwnApprovalError(_requester(request), _approval(approval))
    # (7c) The approver is enrolled as one.
    approver = roster.workers.get(sender.worker)
    if approver is None or APPROVER not in approver.roles:
        raise RequestTokenError("approval-invalid")
    return approval


def _verified(token: str, received: Received, typ: str, register: Register, now: int) -> SignedRequest:
    def key_of(oin: str, kid: str) -> VerifyKey | None:
        if oin not in register.organisations:
            raise RequestTokenError("organisation-unknown")
        return register.signing_key(oin, kid)

    return verify_request(token, key_of=key_of, target=received.target, body=received.body, now=now, typ=typ)


async def _spend(request: SignedRequest, spending: RequestSpending) -> None:
    """Spend the token for as long as it could be believed again."""
    issuer, until = request.sender.organisation, request.expires_at + SKEW_S
    if not await spending.spend(issuer=issuer, jti=request.jti, expires_at=until):
        raise RequestTokenError("request-token-replayed")


def _requester(request: SignedRequest) -> Requester:
    sender = request.sender
    return Requester(
        organisation=sender.organisation,
        worker=sender.worker,
        role=sender.role,
        parent_org=sender.parent_org,
        acr=sender.acr,
        jti=request.jti,
    )


def _approval(approval: SignedRequest) -> Approval:
    sender = approval.sender
    return Approval(organisation=sender.organisation, worker=sender.worker, role=sender.role, jti=approval.jti)
