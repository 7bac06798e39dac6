"""Register, rosters and epoch: verified here, newer only, and stale what was decided before."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from broker.domain.errors import DocumentNotNewerError, OrganisationUnknownError, StorageError
from broker.ports import BUNDLE, REGISTER, StampKey, StampKind
from broker.protocol.errors import MalformedError, SignatureError
from broker.store import administration
from broker.store.address import DatabaseAddress
from broker.store.administration import TRIES, import_epoch, import_register, import_roster
from broker.store.connection import open_reader
from broker.store.documents import StoredDocuments
from broker.store.signals import StoredSignals
from tests.simulators.asking import BROKER, custodian_keys, epoch_document, refreshed_epoch
from tests.simulators.clock import NOON
from tests.simulators.databases import Database
from tests.simulators.enrolled import GI, NAMES, WIJKTEAM, Enrolled, registrars


@pytest.fixture
def documents(database: Database) -> Iterator[StoredDocuments]:
    """A reader of it."""
    with closing(open_reader(database.address)) as reader:
        yield StoredDocuments(reader, audience=BROKER, registrars=registrars(), custodians=custodian_keys())


def enrol(database: Database, enrolled: Enrolled) -> None:
    """Import a register."""
    import_register(database.address, enrolled.register_document().encode(), registrars=registrars(), now=NOON)


def roster(database: Database, enrolled: Enrolled, oin: str, **changed: int) -> None:
    """Import a roster."""
    text = enrolled.roster_document(oin, **changed).encode()  # type: ignore[arg-type]  # number only
    import_roster(database.address, text, audience=BROKER, register=enrolled.register(), now=NOON)


def alter(database: Database, table: str, word: str, other: str) -> None:
    """Put another word in every document of a table."""
    for (text,) in database.rows(f"SELECT document FROM {table}"):  # noqa: S608 - table names of these tests
        changed = bytes(text).replace(word.encode(), other.encode())
        assert changed != text
        database.write(f"UPDATE {table} SET document = ?", changed)  # noqa: S608 - as above


async def versions(database: Database) -> dict[str, int]:
    """Return the organisation stamps by OIN, that of the register, and that of the bundle."""
    keys = [StampKey(kind=StampKind.ORGANISATION, key=oin.encode()) for oin in NAMES]
    with closing(open_reader(database.address)) as reader:
        stamps = await StoredSignals(reader).stamps([*keys, REGISTER, StampKey(kind=StampKind.POLICY, key=BUNDLE)])
    return {stamp.of.key.decode(): stamp.version for stamp in stamps}


async def test_an_import_counts_at_the_next_reading(database: Database, documents: StoredDocuments) -> None:
    """A running broker takes a newer register, roster and epoch without being told."""
    enrol(database, Enrolled())
    roster(database, Enrolled(), GI)
    import_epoch(database.address, epoch_document().encode(), custodians=custodian_keys(), now=NOON)
    assert (await documents.register()).number == 1
    assert (await documents.epoch()) is (await documents.epoch())
    assert (await documents.register()) is (await documents.register())
    first = await documents.roster(GI)
    assert first is not None
    assert await documents.roster(GI) is first
    enrol(database, Enrolled(number=2, suspended=frozenset({GI})))
    roster(database, Enrolled(), GI, number=2)
    import_epoch(database.address, epoch_document(2).encode(), custodians=custodian_keys(), now=NOON)
    assert not (await documents.register()).organisations[GI].active
    assert (await documents.epoch()).epoch == 2
    second = await documents.roster(GI)
    assert second is not None
    assert second.number == 2


async def test_only_organisations_that_changed_become_stale(database: Database) -> None:
    """Suspending one organisation makes stale what rested on it, and what was decided by the register of before."""
    enrol(database, Enrolled())
    before = await versions(database)
    enrol(database, Enrolled(number=2, suspended=frozenset({GI})))
    after = await versions(database)
    assert [oin for oin in NAMES if before[oin] != after[oin]] == [GI]
    assert after["register"] == before["register"] + 1
    roster(database, Enrolled(number=2), WIJKTEAM)
    assert (await versions(database))[WIJKTEAM] == after[WIJKTEAM] + 1


async def test_a_document_that_is_not_newer_changes_nothing(database: Database, documents: StoredDocuments) -> None:
    """The same number again, or a lower one, is refused."""
    enrol(database, Enrolled(number=2))
    roster(database, Enrolled(), GI)
    import_epoch(database.address, epoch_document().encode(), custodians=custodian_keys(), now=NOON)
    before = await versions(database)
    for number in (1, 2):
        with pytest.raises(DocumentNotNewerError):
            enrol(database, Enrolled(number=number))
    with pytest.raises(DocumentNotNewerError):
        roster(database, Enrolled(), GI)
    with pytest.raises(DocumentNotNewerError):
        import_epoch(database.address, epoch_document().encode(), custodians=custodian_keys(), now=NOON)
    assert await versions(database) == before
    assert (await documents.register()).number == 2


async def test_a_refresh_takes_the_place_of_what_it_refreshes(database: Database, documents: StoredDocuments) -> None:
    """The same epoch in newer shares is taken once; one that changes the key, or an older one, changes nothing."""
    address = database.address
    import_epoch(address, epoch_document().encode(), custodians=custodian_keys(), now=NOON)
    newer = refreshed_epoch(1)
    assert import_epoch(address, newer.encode(), custodians=custodian_keys(), now=NOON) == 1
    assert (await documents.epoch()).refresh == 1
    for older in (newer, epoch_document()):
        with pytest.raises(DocumentNotNewerError):
            import_epoch(address, older.encode(), custodians=custodian_keys(), now=NOON)
    with pytest.raises(MalformedError):
        import_epoch(address, refreshed_epoch(2, seed=7).encode(), custodians=custodian_keys(), now=NOON)
    assert import_epoch(address, refreshed_epoch(2).encode(), custodians=custodian_keys(), now=NOON) == 1


def test_a_document_that_is_not_validly_signed_is_refused(database: Database) -> None:
    """One registrar, one custodian, another audience or an organisation that is not there is not enough."""
    one = dict(list(registrars().items())[:1])
    with pytest.raises(SignatureError):
        import_register(database.address, Enrolled().register_document().encode(), registrars=one, now=NOON)
    custodians = {**custodian_keys(), "custodian-c.demo.sluis.test": next(iter(custodian_keys().values()))}
    with pytest.raises(SignatureError):
        import_epoch(database.address, epoch_document().encode(), custodians=custodians, now=NOON)
    with pytest.raises(MalformedError):
        roster(database, Enrolled(audience="another.demo.sluis.test"), GI)
    names = {oin: name for oin, name in NAMES.items() if oin != GI}
    with pytest.raises(OrganisationUnknownError):
        import_roster(
            database.address,
            Enrolled().roster_document(GI).encode(),
            audience=BROKER,
            register=Enrolled(names=names).register(),
            now=NOON,
        )


async def test_without_documents_nothing_can_be_decided(documents: StoredDocuments) -> None:
    """No register and no epoch is a reason not to serve, not a register of nobody."""
    with pytest.raises(StorageError):
        await documents.register()
    with pytest.raises(StorageError):
        await documents.epoch()
    with pytest.raises(StorageError):
        await documents.roster(GI)


@pytest.mark.parametrize(
    ("table", "read", "word"), [("registers", "register", "Basisschool"), ("epochs", "epoch", "demo")]
)
async def test_a_document_that_was_altered_in_the_database_is_not_believed(
    database: Database, documents: StoredDocuments, table: str, read: str, word: str
) -> None:
    """Every reading verifies: the database is no source of authority."""
    enrol(database, Enrolled())
    import_epoch(database.address, epoch_document().encode(), custodians=custodian_keys(), now=NOON)
    alter(database, table, word, "another")
    with pytest.raises(StorageError):
        await getattr(documents, read)()


async def test_a_roster_is_only_that_of_the_organisations_present_keys(
    database: Database, documents: StoredDocuments
) -> None:
    """A roster for a key that was replaced, or of an organisation that left, gives no worker at all."""
    enrol(database, Enrolled())
    assert await documents.roster(GI) is None
    roster(database, Enrolled(), GI)
    alter(database, "rosters", "team-1", "team-2")
    assert await documents.roster(GI) is None
    enrol(database, Enrolled(number=2, names={oin: name for oin, name in NAMES.items() if oin != GI}))
    assert await documents.roster(GI) is None


async def test_a_database_that_cannot_be_read_is_told_as_such(database: Database, documents: StoredDocuments) -> None:
    """A missing table is an outage, never an empty register."""
    database.write("DROP TABLE registers")
    with pytest.raises(StorageError):
        await documents.register()


def test_imports_that_meet_are_taken_one_after_the_other(database: Database) -> None:
    """Two operators at once: each register is in force or refused as not newer, never half and never lost."""
    documents = {number: Enrolled(number=number).register_document().encode() for number in range(1, 13)}

    def take(number: int) -> bool:
        try:
            import_register(database.address, documents[number], registrars=registrars(), now=NOON)
        except DocumentNotNewerError:
            return False
        return True

    with ThreadPoolExecutor(max_workers=2) as operators:
        taken = dict(zip(documents, operators.map(take, documents), strict=True))
    assert taken[12]
    stored = [number for (number,) in database.rows("SELECT number FROM registers ORDER BY number")]
    assert stored == [number for number, done in taken.items() if done]


@pytest.mark.parametrize(("sqlstate", "tries"), [("40001", TRIES), ("40P01", TRIES), ("53100", 1)])
def test_an_import_is_tried_again_only_where_nothing_was_done(
    database: Database, monkeypatch: pytest.MonkeyPatch, sqlstate: str, tries: int
) -> None:
    """What a server undid for another transaction is done again, some times; any other failure is told at once."""
    asked = []

    class RefusedError(Exception):
        def __init__(self) -> None:
            self.sqlstate = sqlstate

    def refusing(address: DatabaseAddress) -> AbstractContextManager[Connection]:
        asked.append(address)
        raise OperationalError("INSERT", {}, RefusedError())

    monkeypatch.setattr(administration, "administration", refusing)
    with pytest.raises(StorageError):
        enrol(database, Enrolled())
    assert len(asked) == tries
