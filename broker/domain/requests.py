"""Who asks: the verified statements a flow starts from."""

from dataclasses import dataclass

from broker.protocol.trace import Trace

WORKER = "worker"
APPROVER = "approver"
PRIVACYFUNCTIONARIS = "privacyfunctionaris"
COORDINATOR = "matchcoordinator"
"""Sees that teams who are told of a match contact each other, and nothing of the household."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """A worker whose organisation signed this request; token, roster, role and parent are verified, `jti` is spent.

    `worker` is the pairwise id at the broker, `parent_org` the OIN the register names or None. `trace` is what the
    request said of itself, signed by nobody.
    """

    organisation: str
    worker: str
    role: str
    parent_org: str | None
    acr: str
    jti: str
    trace: Trace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A second verified statement over the same body; whether it counts is for the flow to judge."""

    organisation: str
    worker: str
    role: str
    jti: str
