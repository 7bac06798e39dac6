"""What the routes work with: every port a flow needs, and the way a request comes in and an answer leaves."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from audit.policy_file import Policy
from broker.api.authenticate import Authenticated, OwnApprovalError, Received, authenticate
from broker.api.boundary import TRACE
from broker.api.wire import MAX_BODY_BYTES, padded_answer, read_body
from broker.call_ports import Calling
from broker.consent_ports import ConsentReader
from broker.domain.errors import NotRecordedError
from broker.exception_ports import ExceptionReader
from broker.export_ports import EntryExporter
from broker.flows.note_own_approval import note_own_approval
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import TicketIssuers
from broker.letter_ports import Asking
from broker.log_ports import EntryReader, ErasureReader, KeyDestruction
from broker.match_ports import Following
from broker.ports import (
    AnswerStore,
    Clock,
    Log,
    Randomness,
    RegisterReader,
    RequestSpending,
    RosterReader,
    SignalStore,
    TokenIndexer,
)
from broker.protocol.errors import RequestTokenError
from broker.protocol.party_signing import verify_party_request
from broker.protocol.request_signing import SKEW_S, Target
from broker.protocol.trace import HEADER, parse_trace
from broker.review_ports import ActReader, CheckpointReader, NoteReader
from broker.store.custodian_feed import FeedPage


class PublishedLog(Protocol):
    """The log as others may read it; its tiles are published as files (`sluis-audit publish`)."""

    async def checkpoint(self) -> str:
        """Return the newest signed note. Raises LogUnavailableError."""

    async def size(self) -> int:
        """Return the number of entries. Raises LogUnavailableError."""


class CustodianFeed(Protocol):
    """The log as custodians follow it."""

    async def page(self, after: int) -> FeedPage:
        """Return the entries after the first so many, up to a checkpoint. Raises LogUnavailableError."""


class WitnessedLog(Log, Protocol):
    """The one writer, which also knows how it stands with its witnesses."""

    @property
    def uncosigned_since(self) -> int | None:
        """Since when, in unix seconds, the log lacks its quorum; None when it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """What erasing needs besides: entries to read, what was proposed, and the end of old keys."""

    entries: EntryReader
    erasures: ErasureReader
    keys: KeyDestruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Everything the HTTP edge passes on to flows. `public_url` is what clients sign, without a slash at its end."""

    id: str
    public_url: str
    policies: Policies
    issuers: TicketIssuers
    tokens: TokenIndexer
    clock: Clock
    randomness: Randomness
    registers: RegisterReader
    rosters: RosterReader
    signals: SignalStore
    consents: ConsentReader
    exceptions: ExceptionReader
    answers: AnswerStore
    log: WitnessedLog
    erasing: Erasing
    asking: Asking
    spending: RequestSpending
    published: PublishedLog
    feed: CustodianFeed
    exporter: EntryExporter
    address_mute_above: int
    log_policy: Policy
    acts: ActReader
    notes: NoteReader
    checkpoints: CheckpointReader
    following: Following
    calling: Calling
    insecure_webhook_loopback: bool

    async def receive(self, request: Request, *, at_most: int = MAX_BODY_BYTES) -> tuple[Authenticated, bytes]:
        """Return who sent this request and its body, of so many bytes at most; its token is spent.

        Raises:
            BodyTooLargeError: nothing else was looked at.
            RequestTokenError: not validly signed by somebody who may ask.
        """
        body = await read_body(request.stream(), at_most=at_most)
        received = Received(
            target=Target(audience=self.id, method=request.method, url=self.public_url + _path_and_query(request)),
            authorization=_single(request, "authorization", "request-token-malformed"),
            approval=_single(request, "sluis-approval", "approval-invalid"),
            body=body,
        )
        try:
            sent = await authenticate(
                received, registers=self.registers, rosters=self.rosters, spending=self.spending, now=self.clock.now()
            )
        except OwnApprovalError as own:
            await note_own_approval(
                requester=own.requester, approval=own.approval, body_sha256=hashlib.sha256(body).hexdigest(),
                policies=self.policies, registers=self.registers, signals=self.signals, log=self.log,
            )  # fmt: skip
            raise
        trace = parse_trace(request.headers.getlist(HEADER))
        setattr(request.state, TRACE, None if trace is None else trace.id)
        return replace(sent, requester=replace(sent.requester, trace=trace)), body

    async def receive_custodian(self, request: Request) -> None:
        """One of the custodians whose tickets count sent this request; its token is spent.

        Raises:
            BodyTooLargeError: nothing else was looked at.
            RequestTokenError: not validly signed by a custodian that is pinned here.
        """
        body = await read_body(request.stream())
        asked = verify_party_request(
            _single(request, "authorization", "request-token-malformed"),
            keys=self.issuers.keys,
            target=Target(audience=self.id, method=request.method, url=self.public_url + _path_and_query(request)),
            body=body,
            now=self.clock.now(),
        )
        if not await self.spending.spend(issuer=asked.party, jti=asked.jti, expires_at=asked.expires_at + SKEW_S):
            raise RequestTokenError("request-token-replayed")

    async def report(self) -> Mapping[str, object]:
        """Return what is ready, by name; nothing in it is secret.

        `ready` needs the database, its documents, and a policy of which something holds today. Witnesses are reported
        and do not decide: the log goes on.
        """
        try:
            register, epoch = await self.registers.register(), await self.registers.epoch()
            size = await self.published.size()
        except NotRecordedError:
            return {"ready": False, "database": False}
        if not await self.spending.works():
            return {"ready": False, "database": False}
        policy = self.policies.current
        holds = policy.holds(self.clock.today())
        return {
            "ready": holds,
            "database": True,
            "policy": holds,
            "registerNumber": register.number,
            "epoch": epoch.epoch,
            "bundleSha256": policy.sha256,
            "logSize": size,
            "uncosignedSince": self.log.uncosigned_since,
        }


async def _edge_of(request: Request) -> Edge:
    edge: Edge = request.app.state.edge
    return edge


Here = Annotated[Edge, Depends(_edge_of)]
"""The edge of the application that a request came to."""


def answer(answered: Answered) -> Response:
    """Return the answer of a flow, as long on the wire as any other."""
    body = padded_answer(dict(answered.result), dict(answered.receipt))
    return Response(body, media_type="application/json")


def _path_and_query(request: Request) -> str:
    """Return path and query as they came, byte for byte: the client signed exactly these."""
    path, query = bytes(request.scope["raw_path"]), bytes(request.scope["query_string"])
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _single(request: Request, name: str, problem: str) -> str | None:
    """Return a header that may stand once. Raises RequestTokenError: it stands there twice."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise RequestTokenError(problem)
    return values[0] if values else None
