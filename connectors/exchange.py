"""Signed requests over HTTP: one bounded question, one bounded answer, and an outage is never an answer."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from broker.protocol.request_signing import APPROVAL_TYP, REQUEST_TYP, Sender, Target, sign_request
from broker.protocol.ristretto import RandomBytes
from broker.protocol.trace import HEADER, SPAN_BYTES, traceparent
from connectors.errors import FolderError, NotDoneError
from connectors.folder import PartnerFolder
from connectors.settings import Party
from connectors.workers import pairwise_id

MAX_ANSWER = 8_388_608  # bytes; a household's answer has at most 262144, a list of own signals may have more
_ID_BYTES = 16
_OK = 200
_CONNECTIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Time, randomness and the network, so that tests bring their own. `clock` gives unix seconds."""

    clock: Callable[[], float] = time.time
    random: RandomBytes = secrets.token_bytes
    transport: httpx.AsyncBaseTransport | None = None

    def now(self) -> int:
        """Return whole unix seconds."""
        return int(self.clock())

    def new_id(self) -> str:
        """Return a fresh id: 32 lower-case hex characters."""
        return self.random(_ID_BYTES).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a party answered, believed in nothing yet; `jti` is that of the request token it was asked with."""

    status: int
    body: bytes = field(repr=False)
    jti: str


class Exchange:
    """The connection of one partner to its broker and custodians; use it as an asynchronous context."""

    def __init__(self, folder: PartnerFolder, surroundings: Surroundings) -> None:
        self._folder = folder
        self.surroundings = surroundings
        # No proxy of the environment and no redirect: a request goes to the party it is signed for.
        self._http = httpx.AsyncClient(
            transport=surroundings.transport,
            timeout=folder.settings.timeout_s,
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def send(
        self, party: Party, path: str, *, method: str, body: bytes, worker: str, approver: str | None = None,
        role: str = "worker", trace: str | None = None,
    ) -> Reply:  # fmt: skip
        """Return a party's answer to one signed request.

        Args:
            worker: the local id of who asks; the party sees his pairwise id.
            approver: the local id of who approves over the same body.
            trace: the batch of the question that this is part of; the request is one by itself where none is given.
            role: in which role the worker asks.

        Raises:
            FolderError: the register here says that this organisation is suspended: nothing is sent.
            NotDoneError: no answer, or a longer one than any of ours.
        """
        if not self._folder.organisation.active:
            raise FolderError("register.json", "says that this organisation is suspended: ask the registrars")
        jti, target = self.surroundings.new_id(), Target(audience=party.id, method=method, url=party.url + path)
        headers = {"Authorization": "Sluis " + self._signed(target, body, worker, jti=jti, role=role)}
        if approver is not None:
            approval = self._signed(
                target, body, approver, jti=self.surroundings.new_id(), role="approver", typ=APPROVAL_TYP
            )
            headers["Sluis-Approval"] = approval
        headers[HEADER] = traceparent(trace or jti, self.surroundings.random(SPAN_BYTES))
        if body:
            headers["Content-Type"] = "application/json"
        try:
            async with self._http.stream(method, party.url + path, content=body, headers=headers) as response:
                return Reply(status=response.status_code, body=await _bounded(response), jti=jti)
        except (httpx.HTTPError, httpx.StreamError, _TooLongError):
            raise NotDoneError(self._outage(party), party=party.id) from None

    async def fetch(self, party: Party, path: str) -> bytes | None:
        """Return what a party hands out to everybody, believed in nothing yet; None for whatever is no answer."""
        try:
            async with self._http.stream("GET", party.url + path) as response:
                return await _bounded(response) if response.status_code == _OK else None
        except (httpx.HTTPError, httpx.StreamError, _TooLongError):
            return None

    def _signed(
        self, target: Target, body: bytes, local_id: str, *, jti: str, role: str, typ: str = REQUEST_TYP
    ) -> str:
        return sign_request(
            self._folder.signing_key,
            sender=Sender(
                organisation=self._folder.settings.oin,
                worker=pairwise_id(self._folder.pairwise_key, audience=target.audience, local_id=local_id),
                role=role,
                parent_org=self._folder.organisation.parent_org,
            ),
            target=target,
            body=body,
            jti=jti,
            now=self.surroundings.now(),
            typ=typ,
        )

    def _outage(self, party: Party) -> str:
        return "not-done" if party == self._folder.settings.broker else "custodian-unreachable"


class _TooLongError(Exception):
    """An answer is longer than any that we would read."""


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise _TooLongError
    return bytes(body)
