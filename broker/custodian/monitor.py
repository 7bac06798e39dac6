"""Following the broker's log to its end, and telling what did not come back: one look after the other (D2, ADR 24).

    1 own log      what was evaluated since the last look becomes entries, and the witnesses cosign
    2 follow       page after page, each verified and taken over whole
    3 witnesses    what they saw is in the tree we saw, and they saw no more
    4 unspent      tickets that ended a quarter of an hour ago and stand in no entry are told to the FG
    5 peers        what the other custodian found is kept here too

A step that fails is reported and tried again at the next look; only what was followed counts as seen.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import httpx

from audit.policy_file import Policy
from broker.custodian import findings, followed, issued
from broker.custodian.clock import unix_seconds
from broker.custodian.errors import CustodianError, LogDoubtError, WatchError
from broker.custodian.evaluation import Custodian
from broker.custodian.evaluation_log import EvaluationLog, have_cosigned, record_evaluations
from broker.custodian.findings import Finding
from broker.custodian.followed import FOLLOWED_AT, LOG_TIME, FollowedTree
from broker.custodian.monitor_wire import read_findings, read_page
from broker.custodian.watch_settings import Peer, WatchSettings
from broker.protocol.errors import ProtocolError
from broker.protocol.party_signing import SCHEME, sign_party_request
from broker.protocol.request_signing import Target

GRACE_S = 900
"""Seconds after its end within which a ticket's entry must have been seen (D2: a quarter of an hour)."""
HIDDEN_S = 900
"""Seconds that witnesses may have seen more than the broker shows us; longer is no delay but hiding."""
BEHIND_SINCE = "behind_since"
"""The number that says since when the witnesses have seen more than we were shown."""
MAX_PAGES = 200
MAX_ANSWER = 4_194_304
TIMEOUT_S = 10.0
"""Seconds that one answer may take, from first to last byte."""
STEP_S = 300.0
"""Seconds that one step of a look may take: what never ends keeps no other step from its turn."""
FEED = "/v1/custodian-feed"
PEER_FINDINGS = "/v1/peer-findings"
_OK = 200
_log = logging.getLogger("sluis.custodian")


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What looking touches; it belongs to the thread that opened the custodian's store."""

    custodian: Custodian
    settings: WatchSettings
    policy: Policy
    log: EvaluationLog
    client: httpx.AsyncClient

    @property
    def now(self) -> int:
        """Unix seconds of this custodian's clock."""
        return unix_seconds(self.custodian.clock)


async def look(monitor: Monitor) -> None:
    """Everything that can be seen now was looked at; what fails is reported and does not stop the rest."""
    await _tried("own log", partial(keep_own_log, monitor))
    await _tried("log of the broker", partial(follow, monitor))
    await _tried("unspent tickets", partial(tell_unspent, monitor))
    for peer in monitor.settings.peers:
        await _tried("other custodian", partial(ask_peer, monitor, peer))
    await _tried("old tickets", partial(forget_old, monitor))


async def _tried(what: str, step: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(STEP_S):
            await step()
    except (CustodianError, ProtocolError, httpx.HTTPError, TimeoutError) as error:
        reason = str(error) if isinstance(error, CustodianError) else ""
        _log.warning("not looked at: %s (%s %s)", what, type(error).__name__, reason)


async def keep_own_log(monitor: Monitor) -> None:
    """What was evaluated stands in the own log, and its witnesses were asked. Raises WatchError."""
    while record_evaluations(monitor.log, now=monitor.now):
        pass
    await have_cosigned(monitor.log, monitor.client)


async def follow(monitor: Monitor) -> None:
    """The broker's log was followed to its end, and the witnesses saw no other.

    What contradicts what was seen raises an alarm that a person has to clear; it is signed, so it is proof.

    Raises:
        WatchError: nothing came, or what came is not the log; the custodian stays as blind as it was.
        StoreError: nothing was taken over.
    """
    store = monitor.custodian.store
    began = monitor.now
    try:
        await _follow_pages(monitor)
        seen_all = {name: await _agrees(monitor, url) for name, url in _witness_urls(monitor.policy).items()}
    except LogDoubtError as doubt:
        if doubt.kind not in followed.STOPPING:
            raise WatchError("what the broker shows is not the log") from None
        _log.error("alarm: the log of the broker is not what it was (%s)", doubt.kind)
        followed.raise_alarm(store, doubt.kind, doubt.evidence, now=monitor.now)
        return
    behind = False in seen_all.values()
    _note_behind(monitor, behind=behind)
    if not behind:
        agreeing = {name for name, agrees in seen_all.items() if agrees}
        followed.caught_up(store, now=began, witnessed=monitor.policy.quorum_met(agreeing))


async def _follow_pages(monitor: Monitor) -> None:
    for _ in range(MAX_PAGES):
        try:
            grown = await _take_next(monitor)
        except LogDoubtError as doubt:
            if doubt.kind != followed.FORK:
                raise
            # Once more before it is called a fork: what came may have been cut off on its way.
            grown = await _take_next(monitor)
        if not grown:
            return
    raise WatchError("the log is longer than one look goes; the next one goes on")


async def _take_next(monitor: Monitor) -> bool:
    store = monitor.custodian.store
    after = FollowedTree(store).size()
    note, entries = read_page(await _get(monitor, monitor.custodian.settings.broker_id, f"{FEED}?after={after}"))
    return followed.take_page(
        store, note, entries, policy=monitor.policy, custodian=monitor.custodian.settings.id, now=monitor.now
    )


def _witness_urls(policy: Policy) -> dict[str, str]:
    origin = hashlib.sha256(policy.log.key.name.encode("utf-8")).hexdigest()
    return {
        name: f"{party.url.rstrip('/')}/{origin}/checkpoint" for name, party in policy.witnesses.items() if party.url
    }


async def _agrees(monitor: Monitor, url: str) -> bool | None:
    """Return whether we saw all that a witness saw; None where it says nothing. Raises LogDoubtError: another tree."""
    try:
        status, content = await _read(monitor.client, url)
        if status != _OK or content is None:
            return None
        return followed.compare(monitor.custodian.store, content.decode("utf-8"), policy=monitor.policy)
    except (httpx.HTTPError, TimeoutError, UnicodeDecodeError):
        return None
    except LogDoubtError as doubt:
        if doubt.kind in followed.STOPPING:
            raise
        return None


def _note_behind(monitor: Monitor, *, behind: bool) -> None:
    """Witnesses who go on seeing more than we are shown are an alarm; a moment of it is only a race."""
    store, now = monitor.custodian.store, monitor.now
    since = store.number(BEHIND_SINCE) or 0
    with store.transaction():
        store.set_number(BEHIND_SINCE, (since or now) if behind else 0)
    if behind and since and now - since > HIDDEN_S:
        followed.raise_alarm(store, followed.HIDDEN, "witnesses have seen a larger tree", now=now)


async def tell_unspent(monitor: Monitor) -> None:
    """Tickets that ended a quarter of an hour before the log was last seen whole, and stand in no entry, are told."""
    store = monitor.custodian.store
    seen_at = store.number(FOLLOWED_AT) or 0
    with store.transaction():
        for ticket in issued.unspent(store, ended_before=seen_at - GRACE_S):
            finding = Finding(
                kind="unspent",
                organisation=ticket.organisation,
                found_at=monitor.now,
                ticket=ticket.ticket,
                worker=ticket.worker,
                operation=ticket.operation,
                purpose=ticket.purpose,
                issued_at=ticket.issued_at,
            )
            findings.add(store, finding)
            issued.mark_reported(store, ticket.ticket)


async def ask_peer(monitor: Monitor, peer: Peer) -> None:
    """What the other custodian found since the last look is kept here. Raises WatchError, StoreError.

    It numbers its findings within one store; after it was restored it has another, and is asked from the first on.
    """
    store = monitor.custodian.store
    known = store.rows("SELECT store, newest FROM peer_store WHERE peer = ?", peer.id)
    origin, newest = known[0] if known else (0, 0)
    of, found = read_findings(await _get(monitor, peer.id, f"{PEER_FINDINGS}?after={newest}", url=peer.url))
    if of != origin and newest:
        of, found = read_findings(await _get(monitor, peer.id, f"{PEER_FINDINGS}?after=0", url=peer.url))
    with store.transaction():
        for number, document in found:
            store.change(
                "INSERT INTO peer_finding (peer, store, number, document) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                peer.id,
                of,
                number,
                document,
            )
        after = max([number for number, _ in found], default=newest if of == origin else 0)
        store.change(
            "INSERT INTO peer_store (peer, store, newest) VALUES (?, ?, ?) ON CONFLICT (peer) DO UPDATE"
            " SET store = excluded.store, newest = excluded.newest",
            peer.id,
            of,
            after,
        )


async def forget_old(monitor: Monitor) -> None:
    """What ended long ago, by our clock and by the log's, is forgotten. Raises StoreError."""
    store = monitor.custodian.store
    log_time = store.number(LOG_TIME) or 0
    issued.forget_old(store, now=monitor.now, log_time=log_time)
    findings.forget_old(store, now=monitor.now, log_time=log_time)


async def _get(monitor: Monitor, party: str, path: str, *, url: str | None = None) -> bytes:
    """Return what a party answers to a request in our own name. Raises WatchError: nothing that can be read."""
    target = Target(audience=party, method="GET", url=(url or monitor.settings.broker_url) + path)
    token = sign_party_request(
        monitor.custodian.signing_key,
        party=monitor.custodian.settings.id,
        target=target,
        body=b"",
        jti=secrets.token_hex(16),
        now=monitor.now,
    )
    try:
        status, content = await _read(monitor.client, target.url, token=token)
    except (httpx.HTTPError, TimeoutError) as error:
        raise WatchError(f"{party} does not answer ({type(error).__name__})") from None
    if status != _OK or content is None:
        raise WatchError(f"{party} gives no answer that can be read ({status})")
    return content


async def _read(client: httpx.AsyncClient, url: str, *, token: str | None = None) -> tuple[int, bytes | None]:
    """Return status and body, None for one that is too long: no party can fill our memory or keep us waiting.

    Raises:
        httpx.HTTPError, TimeoutError: no whole answer in time.
    """
    headers = {} if token is None else {"Authorization": SCHEME + token}
    async with (
        asyncio.timeout(TIMEOUT_S),
        client.stream("GET", url, headers=headers, timeout=TIMEOUT_S, follow_redirects=False) as response,
    ):
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER:
                return response.status_code, None
        return response.status_code, bytes(body)
