"""Who asks a custodian something: an organisation it enrolled itself, by a statement the register can vouch for."""

from broker.custodian.errors import RefusedError
from broker.custodian.settings import Settings
from broker.custodian.trust import Trust
from broker.protocol.errors import RequestTokenError
from broker.protocol.register import Organisation
from broker.protocol.request_signing import SignedRequest, Target, verify_request

SCHEME = "Sluis "


def target_of(settings: Settings, method: str, path: str, query: str) -> Target:
    """Return what was asked of this custodian; statements are bound to path and query."""
    url = settings.public_url + path + (f"?{query}" if query else "")
    return Target(audience=settings.id, method=method, url=url)


def verified(trust: Trust, authorization: str | None, *, target: Target, body: bytes, now: int) -> SignedRequest:
    """Return what was stated; an organisation that is not in the register at all is refused as unknown.

    Raises:
        RequestTokenError, RefusedError: nobody that we know stated this to us, now.
    """
    if authorization is None or not authorization.startswith(SCHEME):
        raise RequestTokenError("request-token-missing")
    return verify_request(
        authorization.removeprefix(SCHEME), key_of=trust.signing_key, target=target, body=body, now=now
    )


def active_organisation(trust: Trust, statement: SignedRequest) -> Organisation:
    """Return the organisation, if we enrolled it and the register in force lets it act. Raises RefusedError."""
    organisation = trust.organisation(statement.sender.organisation)
    if organisation.oin not in trust.enrolled:
        raise RefusedError("organisation-unknown")
    if not organisation.active:
        raise RefusedError("organisation-suspended")
    if statement.sender.parent_org != organisation.parent_org:
        raise RefusedError("parent-org-mismatch")
    return organisation


def check_role(trust: Trust, statement: SignedRequest, *, roles: frozenset[str]) -> None:
    """Hold if who asks stands on our own roster in one of these roles, and says so. Raises RefusedError."""
    roster = trust.rosters.get(statement.sender.organisation)
    worker = None if roster is None else roster.workers.get(statement.sender.worker)
    if worker is None:
        raise RefusedError("worker-unknown")
    if statement.sender.role not in roles or statement.sender.role not in worker.roles:
        raise RefusedError("role-not-allowed")
