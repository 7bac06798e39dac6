"""The broker's database as everything that serves uses it: one writer, and readers that never wait for it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from broker.call_ports import Calling
from broker.letter_ports import Asking
from broker.match_ports import Following
from broker.material import Material
from broker.settings import Settings
from broker.starting import database_of
from broker.store.answers import StoredAnswers
from broker.store.bundles import StoredBundles
from broker.store.calls import StoredCalls
from broker.store.connection import ApartReader, SingleWriter, open_reader
from broker.store.consents import StoredConsents
from broker.store.custodian_feed import StoredFeed
from broker.store.documents import StoredDocuments
from broker.store.entries import StoredEntries
from broker.store.erasing import StoredErasures
from broker.store.exceptions import StoredExceptions
from broker.store.exporting import StoredExports
from broker.store.information_requests import StoredRequests
from broker.store.letter_bases import StoredBases
from broker.store.letter_chunks import StoredChunks
from broker.store.matches import StoredMatches
from broker.store.notices import StoredNotices
from broker.store.owed import StoredOwed
from broker.store.phone_calls import StoredPhoneCalls
from broker.store.published import PublishedLog
from broker.store.retention import StoredRetention
from broker.store.review_acts import StoredActs
from broker.store.review_notes import StoredNotes
from broker.store.signals import StoredSignals
from broker.store.team_tasks import StoredTasks
from broker.store.webhooks import StoredWebhookReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The open connections to the one database."""

    writer: SingleWriter
    documents: StoredDocuments
    signals: StoredSignals
    consents: StoredConsents
    exceptions: StoredExceptions
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
    following: Following
    asking: Asking
    calling: Calling


@contextmanager
def open_stores(settings: Settings, material: Material) -> Iterator[Stores]:
    """Hold the connections to the one database open. Raises DATABASE_ERRORS, StorageError: it cannot be reached."""
    address = database_of(settings)
    with (
        closing(SingleWriter(address)) as writer,
        closing(open_reader(address)) as reader,
        closing(StoredRetention(address)) as retention,
        closing(StoredExports(address, policy=material.log_policy, keys=material.payload_keys)) as exports,
        closing(ApartReader(address)) as apart,
    ):
        yield Stores(
            writer=writer,
            documents=StoredDocuments(
                reader, audience=settings.id, registrars=material.registrars, custodians=material.custodians
            ),
            signals=StoredSignals(reader),
            consents=StoredConsents(reader),
            exceptions=StoredExceptions(reader),
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
            following=Following(
                inbox=StoredNotices(reader),
                matches=StoredMatches(reader),
                tasks=StoredTasks(reader),
                owed=StoredOwed(reader),
            ),
            asking=Asking(requests=StoredRequests(reader), chunks=StoredChunks(reader), bases=StoredBases(reader)),
            calling=Calling(
                calls=StoredCalls(reader), phone=StoredPhoneCalls(reader), webhooks=StoredWebhookReader(reader)
            ),
        )
