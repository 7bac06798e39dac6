"""The broker as one process: everything is wired here, once, from settings and files, and nowhere else.

    settings ─► keys, pins, bundle, database ─► stores, log writer ─► the flows' ports ─► API ─► uvicorn

It refuses to start on anything that is missing, weak or contradictory, and says what to do.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
from fastapi import FastAPI

from audit.key_ring import KeyRing
from audit.policy_file import Policy, parse_policy
from audit.signer import LocalSigner
from broker.activation import PolicyActivation
from broker.api.app import create_api
from broker.api.edge import Edge, Erasing
from broker.api.housekeeping import Housekeeping
from broker.flows.policy import PoliciesByVersion
from broker.flows.request_rules import TicketIssuers
from broker.keys import BrokerTokenIndexer
from broker.log_ports import KeyDestruction
from broker.ports import Clock, Randomness
from broker.protocol.signing_keys import VerifyKey
from broker.rules import Rules, read_rules
from broker.settings import (
    INDEX_KEY,
    LOG_KEY,
    OFFLINE_PRIVATE_KEY,
    OFFLINE_PUBLIC_KEY,
    Settings,
    SettingsError,
)
from broker.starting import database_of, read_pins, told, with_addresses
from broker.store.answers import StoredAnswers
from broker.store.bundles import StoredBundles
from broker.store.connection import ApartReader, SingleWriter, open_reader
from broker.store.custodian_feed import StoredFeed
from broker.store.documents import StoredDocuments
from broker.store.entries import StoredEntries
from broker.store.erasing import StoredErasures
from broker.store.exporting import StoredExports
from broker.store.ledger import StoredLedger
from broker.store.log_writer import LogWriter
from broker.store.published import PublishedLog
from broker.store.request_ids import StoredRequestIds
from broker.store.retention import StoredRetention
from broker.store.review_acts import StoredActs
from broker.store.review_notes import StoredNotes
from broker.store.rotation import Rotation
from broker.store.signals import StoredSignals
from broker.store.system import SystemClock, SystemRandomness
from broker.store.witnessing import HttpWitnesses, asked_again, show_head

_OTHERS = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What stands in the broker's files, each checked: whom it trusts, by which rules and with which keys it works."""

    registrars: Mapping[str, VerifyKey]
    custodians: Mapping[str, VerifyKey]
    rules: Rules
    log_policy: Policy
    tokens: BrokerTokenIndexer
    payload_keys: KeyRing


def read_material(settings: Settings, *, today: date) -> Material:
    """Return everything the files hold. Raises SettingsError: something is missing, weak, malformed or expired."""
    registrars, custodians = read_pins(settings)
    keys = settings.path(settings.keys)
    # With it beside the database, one stolen folder holds every token.
    if any((folder / OFFLINE_PRIVATE_KEY).exists() for folder in (settings.path(Path()), keys)):
        raise SettingsError(OFFLINE_PRIVATE_KEY, "is still in the broker's folder", "take it offline, then start again")
    with told("keys", "run `sluis-broker init`, or restore the files with mode 0600"):
        if keys.stat().st_mode & _OTHERS:
            raise SettingsError("keys", "can be entered by others", "make the folder mode 0700")
        tokens = BrokerTokenIndexer.load(index_key=keys / INDEX_KEY, offline_public_key=keys / OFFLINE_PUBLIC_KEY)
        payload_keys = KeyRing.open(settings.path(settings.payload_keys))
    with told("log_policy", "place the policy file that names this log and its witnesses"):
        policy = parse_policy(settings.path(settings.log_policy).read_text(encoding="utf-8"))
    return Material(
        registrars=registrars,
        custodians=custodians,
        rules=read_rules(settings, today=today),
        log_policy=with_addresses(policy, settings.witness_url),
        tokens=tokens,
        payload_keys=payload_keys,
    )


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """Return the broker's application; its lifespan opens the database, settles the log and starts the tick.

    Args:
        clock: the machine's, unless a simulation brings its own; so with `randomness`.
        transport: how witnesses are reached.

    Raises:
        SettingsError: here for files, in the lifespan for the database and the log.
    """
    clock, random = clock or SystemClock(), randomness or SystemRandomness()
    material = read_material(settings, today=clock.today())
    with ExitStack() as opening:
        with told("database", "run `sluis-broker migrate`"):
            stores = opening.enter_context(_stores(settings, material))
        signer = opening.enter_context(_signer(settings, material))
        client = httpx.AsyncClient(transport=transport, trust_env=False)
        ledger = _ledger(stores, signer, material, random=random)
        witnesses = HttpWitnesses(client=client, policy=material.log_policy, proofs=ledger)
        log = LogWriter(
            ledger=ledger,
            witnesses=witnesses,
            clock=clock,
            randomness=random,
            tick_ms=settings.effective_tick_ms,
            max_uncosigned_s=settings.max_uncosigned_s,
        )
        activation = _activation(settings, stores, log=log, clock=clock)
        erasing = _erasing(ledger, material, stores, clock=clock)
        edge = _edge(
            settings, material, stores, policies=activation.policies, log=log, erasing=erasing, clock=clock,
            random=random,
        )  # fmt: skip
        housekeeping = _housekeeping(activation, stores, erasing.keys)
        held = opening.pop_all()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with held:
            async with client:
                with told("log", "database and signer disagree: restore the newest database, never the signer's state"):
                    await ledger.open()
                    await show_head(ledger, witnesses)
                with told("payload_keys", "make the folder writable: an erasure that was cut off must be finished"):
                    await erasing.keys.finish()
                with told("register", "import register and epoch: `sluis-broker register import`, `epoch import`"):
                    await _check_documents(stores.documents, material)
                async with log, asked_again(ledger, witnesses, log.cosigning):
                    with told("policy", "start again once the database works"):
                        await activation.take_up(material.rules)
                    async with housekeeping.kept():
                        yield

    app = create_api(edge, lifespan=lifespan)
    app.state.housekeeping, app.state.activation = housekeeping, activation
    return app


def _ledger(stores: "_Stores", signer: LocalSigner, material: Material, *, random: Randomness) -> StoredLedger:
    return StoredLedger(
        writer=stores.writer, signer=signer, keys=material.payload_keys, policy=material.log_policy, randomness=random
    )


def _edge(
    settings: Settings,
    material: Material,
    stores: "_Stores",
    *,
    policies: PoliciesByVersion,
    log: LogWriter,
    erasing: Erasing,
    clock: Clock,
    random: Randomness,
) -> Edge:
    return Edge(
        id=settings.id,
        public_url=settings.public_url,
        policies=policies,
        issuers=TicketIssuers(broker=settings.id, keys=material.custodians),
        tokens=material.tokens,
        clock=clock,
        randomness=random,
        registers=stores.documents,
        rosters=stores.documents,
        signals=stores.signals,
        answers=stores.answers,
        log=log,
        erasing=erasing,
        spending=StoredRequestIds(writer=stores.writer, clock=clock),
        published=stores.published,
        feed=stores.feed,
        exporter=stores.exports,
        address_mute_above=settings.address_mute_above,
        log_policy=material.log_policy,
        acts=stores.acts,
        notes=stores.notes,
        checkpoints=stores.notes,
    )


def _activation(settings: Settings, stores: "_Stores", *, log: LogWriter, clock: Clock) -> PolicyActivation:
    return PolicyActivation(
        folder=settings.path(Path()),
        policies=PoliciesByVersion(),
        bundles=stores.bundles,
        signals=stores.signals,
        clock=clock,
        log=log,
    )


def _erasing(ledger: StoredLedger, material: Material, stores: "_Stores", *, clock: Clock) -> Erasing:
    rotation = Rotation(ledger=ledger, keys=material.payload_keys, clock=clock)
    return Erasing(entries=stores.entries, erasures=stores.erasures, keys=rotation)


def _housekeeping(activation: PolicyActivation, stores: "_Stores", keys: KeyDestruction) -> Housekeeping:
    return Housekeeping(
        folder=activation.folder,
        policies=activation.policies,
        renewal=activation.renew,
        clock=activation.clock,
        signals=stores.signals,
        retention=stores.retention,
        keys=keys,
        log=activation.log,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stores:
    """The open connections to the one database."""

    writer: SingleWriter
    documents: StoredDocuments
    signals: StoredSignals
    answers: StoredAnswers
    published: PublishedLog
    feed: StoredFeed
    retention: StoredRetention
    bundles: StoredBundles
    entries: StoredEntries
    erasures: StoredErasures
    exports: StoredExports
    acts: StoredActs
    notes: StoredNotes


@contextmanager
def _stores(settings: Settings, material: Material) -> Iterator[_Stores]:
    address = database_of(settings)
    with (
        closing(SingleWriter(address)) as writer,
        closing(open_reader(address)) as reader,
        closing(StoredRetention(address)) as retention,
        closing(StoredExports(address, policy=material.log_policy, keys=material.payload_keys)) as exports,
        closing(ApartReader(address)) as apart,
    ):
        yield _Stores(
            writer=writer,
            documents=StoredDocuments(
                reader, audience=settings.id, registrars=material.registrars, custodians=material.custodians
            ),
            signals=StoredSignals(reader),
            answers=StoredAnswers(reader, keys=material.payload_keys, policy=material.log_policy),
            published=PublishedLog(reader),
            feed=StoredFeed(reader, keys=material.payload_keys),
            retention=retention,
            bundles=StoredBundles(reader),
            entries=StoredEntries(reader, keys=material.payload_keys),
            erasures=StoredErasures(reader),
            exports=exports,
            acts=StoredActs(apart, StoredEntries(apart, keys=material.payload_keys)),
            notes=StoredNotes(reader, policy=material.log_policy),
        )


@contextmanager
def _signer(settings: Settings, material: Material) -> Iterator[LocalSigner]:
    """Hold the log's signer, which must be the one that the log policy names."""
    with told("log key", "restore the key with its state, and end any other process that holds it"):
        signer = LocalSigner.open(settings.path(settings.keys) / LOG_KEY)
    with signer:
        if signer.vkey != material.log_policy.log.key.encode():
            raise SettingsError("log_policy", "names another log than keys/log.key", "correct the policy file")
        yield signer


async def _check_documents(documents: StoredDocuments, material: Material) -> None:
    """Hold only with a register, and an epoch made by exactly the custodians that are pinned."""
    await documents.register()
    epoch = await documents.epoch()
    if {key.id for key in epoch.descriptors[0].custodians} != set(material.custodians):
        raise SettingsError("custodians", "are not those of the epoch", "pin the custodians that made the key")
