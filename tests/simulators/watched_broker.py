"""A broker's log as custodians follow it, with the witness beside it: real bytes, and every way of not being honest.

with watched_pair(tmp_path) as world:
    tickets = world.tickets()
    world.broker.cite(tickets)
    await world.look()
"""

import base64
import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from audit.entry import Leaf, Opening
from audit.note import VerifierKey
from audit.seal import seal_entry
from audit.witness import Witness, WitnessStore
from broker.custodian import reporting
from broker.custodian.log_keys import VKEY
from broker.custodian.monitor import Monitor, look
from broker.custodian.monitor_folder import configure_monitor, open_monitor
from broker.custodian.watch_settings import Peer, WatchSettings
from broker.protocol.party_signing import verify_party_request
from broker.protocol.request_signing import Target
from broker.protocol.signing_keys import b64url
from tests.simulators.custodian import (
    BROKER,
    CUSTODIANS,
    CustodianPair,
    SimulatedPartner,
    SteppedClock,
    batch,
    make_pair,
    open_pair,
    public_url,
    seeded_key,
)
from tests.unit.audit.log_simulator import LogInMemory, policy_text, witness_key

WITNESS_URL = "https://witness.example"
PAGE = 4
WORKERS = {"anna": "worker", "bram": "worker", "carla": "approver", "fatma": "fg"}
Cites = Sequence[tuple[str, str]]


@dataclass(slots=True, kw_only=True)
class WatchedBroker:
    """The log, what it opens, and what it hides: `shown` answers custodians in place of the log where it is set."""

    clock: SteppedClock
    witness: Witness
    log: LogInMemory = field(default_factory=LogInMemory)
    openings: dict[int, Opening] = field(default_factory=dict)
    metas: dict[int, Opening] = field(default_factory=dict)
    shown: LogInMemory | None = None
    page_size: int = PAGE
    down: bool = False
    witness_down: bool = False
    answer: bytes | None = None
    asked: list[str] = field(default_factory=list)

    dated: int | None = None
    """What new entries say that the time is, where it is not now."""

    def enter(self, kind: str, actor: Mapping[str, object], *, log: LogInMemory | None = None) -> int:
        """Return the index of a new entry, under a checkpoint of its own."""
        target = log or self.log
        entry = seal_entry(kind, {"actor": actor})
        index = len(target.leaves)
        self.openings[index] = entry.groups["actor"].opening()
        target.grow(index + 1, lambda _: entry.leaf(self.clock.now if self.dated is None else self.dated).encode())
        return index

    def cite(
        self, tickets: Cites, *, kind: str = "check", partner: SimulatedPartner | None = None, worker: str = "anna"
    ) -> int:
        """Return the index of an entry in which this partner's worker used these tickets, of custodian and id."""
        of = partner or partner_with_fg()
        actor = {
            "schema": "entry-actor/v1",
            "organisation": of.oin,
            "worker": of.sub(worker, BROKER),
            "tickets": [{"custodian": custodian, "id": ticket} for custodian, ticket in tickets],
        }
        return self.enter(kind, actor)

    def show_witness(self, log: LogInMemory | None = None) -> None:
        """The witness saw this log's newest checkpoint, the honest one unless it is another."""
        of = log or self.log
        body = f"old 0\n\n{of.latest_note()}".encode()
        assert self.witness.add_checkpoint(body, now=self.clock.now).status == 200

    def page(self, after: int) -> bytes:
        """Return the page that follows so many entries."""
        log = self.shown or self.log
        sizes = log.checkpoint_sizes(after + 1, after + self.page_size) or log.checkpoint_sizes(after + 1, 1 << 40)[:1]
        end = sizes[-1] if sizes else max(log.notes)
        entries = [
            {"leaf": leaf.decode(), "actor": _wire(self.openings, after + at), "meta": _wire(self.metas, after + at)}
            for at, leaf in enumerate(log.entries(after, end))
        ]
        return json.dumps({"checkpoint": log.notes[end], "entries": entries}).encode()

    def erase(
        self, kind: str, erased: object, *, opened: bool = True, actors: Collection[int] = ()
    ) -> int:  # fmt: skip
        """Return the index of a new entry that says what was erased; these actors are opened no more."""
        entry = seal_entry(kind, {"meta": {"schema": f"entry-{kind}/v1", "erased": erased}})
        index = len(self.log.leaves)
        if opened:
            self.metas[index] = entry.groups["meta"].opening()
        self.log.grow(index + 1, lambda _: entry.leaf(self.clock.now).encode())
        for one in actors:
            self.openings.pop(one, None)
        return index


def _wire(openings: Mapping[int, Opening], index: int) -> dict[str, str] | None:
    opening = openings.get(index)
    return None if opening is None else {"key": b64url(opening.key), "payload": b64url(opening.payload)}


@dataclass(slots=True, kw_only=True)
class WatchNetwork(httpx.AsyncBaseTransport):
    """Carries a custodian's requests to the broker's twin, to the witness and to the other custodian."""

    broker: WatchedBroker
    pair: CustodianPair

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return what the party answers."""
        await request.aread()
        url = str(request.url)
        if url.startswith(WITNESS_URL):
            return self._witness(request)
        if url.startswith(public_url(BROKER)):
            return self._broker(request)
        return self._custodian(request)

    def _witness(self, request: httpx.Request) -> httpx.Response:
        if self.broker.witness_down:
            raise httpx.ConnectError("refused", request=request)
        if request.method == "POST":
            answer = self.broker.witness.add_checkpoint(request.content, now=self.broker.clock.now)
            return httpx.Response(answer.status, text=answer.body)
        note = self.broker.witness.cosigned_checkpoint(request.url.path.split("/")[1])
        return httpx.Response(404) if note is None else httpx.Response(200, text=note)

    def _broker(self, request: httpx.Request) -> httpx.Response:
        if self.broker.down:
            raise httpx.ConnectError("refused", request=request)
        keys = {name: seeded_key(name).public for name in CUSTODIANS}
        target = Target(audience=BROKER, method="GET", url=str(request.url))
        header = request.headers.get("authorization")
        verify_party_request(header, keys=keys, target=target, body=b"", now=self.broker.clock.now)
        self.broker.asked.append(str(request.url))
        after = int(request.url.params["after"])
        return httpx.Response(
            200, content=self.broker.page(after) if self.broker.answer is None else self.broker.answer
        )

    def _custodian(self, request: httpx.Request) -> httpx.Response:
        place = CUSTODIANS.index(request.url.host)
        peers = {name: seeded_key(name).public for name in CUSTODIANS if name != request.url.host}
        content = reporting.peer_findings(
            self.pair.custodians[place],
            peers,
            authorization=request.headers.get("authorization"),
            query=request.url.query.decode(),
        )
        return httpx.Response(200, content=content)


@dataclass(slots=True, kw_only=True)
class WatchedWorld:
    """Both custodians with their monitors, a partner with an FG, and the broker's log."""

    path: Path
    pair: CustodianPair
    broker: WatchedBroker
    monitors: tuple[Monitor, Monitor]
    partners: tuple[SimulatedPartner, ...]

    @property
    def clock(self) -> SteppedClock:
        """The clock that everybody has."""
        return self.pair.clock

    async def look(self, at: int = 0) -> None:
        """Let one custodian look."""
        await look(self.monitors[at])

    def tickets(self, partner: SimulatedPartner | None = None, body: bytes | None = None, **asked: Any) -> Cites:  # noqa: ANN401 - the members of a batch
        """Return the tickets, as custodian and id, that both custodians hand out for one batch."""
        answers = self.pair.evaluate(partner or self.partners[0], body or batch(**asked))
        return [(name, ticket_id(answer.ticket)) for name, answer in answers.items()]

    def findings(self, at: int = 0) -> list[tuple[str, str]]:
        """Return kind and organisation of what one custodian found, in its order."""
        rows = self.pair.custodians[at].store.rows("SELECT kind, organisation FROM finding ORDER BY number")
        return [(str(kind), str(organisation)) for kind, organisation in rows]

    def matched(self, at: int = 0) -> list[int | None]:
        """Return the entry of each ticket of one custodian, in the order they were handed out."""
        return [row[0] for row in self.pair.custodians[at].store.rows("SELECT entry_index FROM issued ORDER BY rowid")]


def ticket_id(ticket: str) -> str:
    """Return the id in a ticket."""
    middle = ticket.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["jti"])


def partner_with_fg(oin: str = SimulatedPartner().oin) -> SimulatedPartner:
    """Return a partner that has an FG."""
    return SimulatedPartner(oin=oin, workers=WORKERS)


OTHER = "00000001001234560002"


def other_log(log: LogInMemory, *, keep: int) -> LogInMemory:
    """Return a log of the same key that is the same up to some entry, and other after it: a fork."""
    forked = LogInMemory(log.key)
    forked.grow(keep, lambda index: log.leaves[index])
    entry = seal_entry("read", {"meta": {"fork": secrets.token_hex(4)}})
    time = Leaf.parse(log.leaves[-1]).time
    return forked.grow(len(log.leaves), lambda _: entry.leaf(time).encode())


def watch_settings(at: int, **changed: Any) -> WatchSettings:  # noqa: ANN401 - any setting
    """Return how custodian `at` watches: the broker, with the other custodian as its peer."""
    name = CUSTODIANS[1 - at]
    peer = Peer(id=name, url=public_url(name), **seeded_key(name).public.jwk())
    return WatchSettings(broker_url=public_url(BROKER), peers=(peer,), poll_s=1, **changed)


@contextmanager
def watched_pair(path: Path, *, clock: SteppedClock | None = None) -> Iterator[WatchedWorld]:
    """Hold two custodians that watch one broker's log."""
    clock = clock or SteppedClock()
    partners = (partner_with_fg(), partner_with_fg(OTHER))
    epoch_text = make_pair(path, partners, now=clock.now)
    folders = [path / name.partition(".")[0] for name in CUSTODIANS]
    log = LogInMemory()
    policy = policy_text(log.key.verifier, witness_key().verifier, quorum="w1")
    policy = policy.replace(witness_key().verifier.encode(), f"{witness_key().verifier.encode()} {WITNESS_URL}")
    for at, folder in enumerate(folders):
        configure_monitor(folder, watch_settings(at), policy)
    own = [VerifierKey.parse((folder / VKEY).read_text().strip()) for folder in folders]
    store = WitnessStore(path / "witness.sqlite")
    witness = Witness(key=witness_key(), logs=[log.key.verifier, *own], store=store)
    broker = WatchedBroker(clock=clock, witness=witness, log=log)
    with open_watching(path, epoch_text, partners, broker) as world:
        yield world


@contextmanager
def open_watching(
    path: Path, epoch_text: bytes, partners: tuple[SimulatedPartner, ...], broker: WatchedBroker
) -> Iterator[WatchedWorld]:
    """Hold both custodians of this folder open, as after a restart of both."""
    with open_pair(path, epoch_text, clock=broker.clock) as pair, ExitStack() as stack:
        network = WatchNetwork(broker=broker, pair=pair)
        opened = [
            stack.enter_context(open_monitor(folder, custodian, transport=network))
            for folder, custodian in zip(pair.folders, pair.custodians, strict=True)
        ]
        first, second = (one for one in opened if one is not None)
        yield WatchedWorld(path=path, pair=pair, broker=broker, monitors=(first, second), partners=partners)
