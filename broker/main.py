"""The broker as one process: everything is wired here, once, from settings and files, and nowhere else.

    settings ─► keys, pins, bundle, database ─► stores, log writer ─► the flows' ports ─► API ─► uvicorn

It refuses to start on anything that is missing, weak or contradictory, and says what to do.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from audit.signer import LocalSigner
from broker.activation import PolicyActivation
from broker.api.app import create_api
from broker.api.edge import Edge, Erasing
from broker.api.housekeeping import Housekeeping, Overdue
from broker.api.webhook_clock import WebhookClock
from broker.flows.policy import PoliciesByVersion
from broker.flows.request_rules import TicketIssuers
from broker.log_ports import KeyDestruction
from broker.material import Material, read_material, read_webhook_key
from broker.open_stores import Stores, open_stores
from broker.ports import Clock, Randomness
from broker.settings import (
    LOG_KEY,
    Settings,
    SettingsError,
)
from broker.starting import told
from broker.store.documents import StoredDocuments
from broker.store.ledger import StoredLedger
from broker.store.log_writer import LogWriter
from broker.store.request_ids import StoredRequestIds
from broker.store.rotation import Rotation
from broker.store.system import SystemClock, SystemRandomness
from broker.store.webhook_sending import HttpWebhooks, SystemResolver, webhook_client
from broker.store.webhooks import StoredWebhooks
from broker.store.witnessing import HttpWitnesses, asked_again, show_head


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
            stores = opening.enter_context(open_stores(settings, material))
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
        housekeeping = _housekeeping(activation, stores, erasing.keys, random=random)
        with told("webhook_trust", "name a file of certificates (PEM), or none for the usual authorities"):
            sending = webhook_client(trust=settings.webhook_trust and settings.path(settings.webhook_trust))
        webhooks = _webhooks(settings, stores, sending, clock=clock, random=random)
        held = opening.pop_all()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with held:
            async with client:
                with told("log", "database and signer disagree: restore the newest database, never the signer's state"):
                    await ledger.open()
                with told("log", "put back the newest copy; when there is none, docs/operations.md section 9"):
                    await show_head(ledger, witnesses)
                with told("payload_keys", "make the folder writable: an erasure that was cut off must be finished"):
                    await erasing.keys.finish()
                with told("register", "import register and epoch: `sluis-broker register import`, `epoch import`"):
                    await _check_documents(stores.documents, material)
                async with log, asked_again(ledger, witnesses, log.cosigning):
                    with told("policy", "start again once the database works"):
                        await activation.take_up(material.rules)
                    async with housekeeping.kept(), sending, webhooks.kept():
                        yield

    app = create_api(edge, lifespan=lifespan)
    app.state.durability, app.state.housekeeping = stores.writer.durability, housekeeping
    app.state.activation = activation
    return app


def _webhooks(
    settings: Settings, stores: Stores, client: httpx.AsyncClient, *, clock: Clock, random: Randomness
) -> WebhookClock:
    with told("webhook key", "make the folder of the keys writable, or restore keys/events.jwk with mode 0600"):
        key = read_webhook_key(settings.path(settings.keys))
    loopback = settings.insecure_webhook_loopback
    sending = HttpWebhooks(resolver=SystemResolver(), client=client, insecure_loopback=loopback)
    return WebhookClock(
        party=settings.id, key=key, store=StoredWebhooks(stores.writer), sending=sending, clock=clock,
        randomness=random, registers=stores.documents, insecure_loopback=loopback,
    )  # fmt: skip


def _ledger(stores: Stores, signer: LocalSigner, material: Material, *, random: Randomness) -> StoredLedger:
    return StoredLedger(
        writer=stores.writer, signer=signer, keys=material.payload_keys, policy=material.log_policy, randomness=random
    )


def _edge(
    settings: Settings,
    material: Material,
    stores: Stores,
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
        consents=stores.consents,
        exceptions=stores.exceptions,
        answers=stores.answers,
        log=log,
        erasing=erasing,
        asking=stores.asking,
        spending=StoredRequestIds(writer=stores.writer, clock=clock),
        published=stores.published,
        feed=stores.feed,
        exporter=stores.exports,
        address_mute_above=settings.address_mute_above,
        log_policy=material.log_policy,
        acts=stores.acts,
        notes=stores.notes,
        checkpoints=stores.notes,
        following=stores.following,
        calling=stores.calling,
        insecure_webhook_loopback=settings.insecure_webhook_loopback,
    )


def _activation(settings: Settings, stores: Stores, *, log: LogWriter, clock: Clock) -> PolicyActivation:
    return PolicyActivation(
        folder=settings.path(Path()),
        policies=PoliciesByVersion(),
        bundles=stores.bundles,
        signals=stores.signals,
        clock=clock,
        log=log,
    )


def _erasing(ledger: StoredLedger, material: Material, stores: Stores, *, clock: Clock) -> Erasing:
    rotation = Rotation(ledger=ledger, keys=material.payload_keys, clock=clock)
    return Erasing(entries=stores.entries, erasures=stores.erasures, keys=rotation)


def _housekeeping(
    activation: PolicyActivation, stores: Stores, keys: KeyDestruction, *, random: Randomness
) -> Housekeeping:
    return Housekeeping(
        folder=activation.folder,
        policies=activation.policies,
        renewal=activation.renew,
        clock=activation.clock,
        signals=stores.signals,
        retention=stores.retention,
        keys=keys,
        following=Overdue(
            registers=stores.documents,
            matches=stores.following.matches,
            tasks=stores.following.tasks,
            consents=stores.consents,
            randomness=random,
        ),
        log=activation.log,
    )


@contextmanager
def _signer(settings: Settings, material: Material) -> Iterator[LocalSigner]:
    """Hold the log's signer: the one that the log policy names."""
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
