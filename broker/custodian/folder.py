"""The folder of one custodian: `custodian.toml`, `keys/`, `custodian.sqlite` and the epoch documents it signed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.custodian import refresh, watched
from broker.custodian.budget_time import BudgetTime
from broker.custodian.clock import Clock, SystemClock, unix_seconds
from broker.custodian.errors import FolderError
from broker.custodian.evaluation import Custodian
from broker.custodian.keyring import Keyring, LiveKeyring, load_keyring, write_private
from broker.custodian.log_keys import create_keys
from broker.custodian.settings import FILE, Settings
from broker.custodian.store import Store
from broker.custodian.trust import TrustStore
from broker.custodian.watch_settings import WatchSettings
from broker.protocol.errors import ProtocolError
from broker.protocol.ristretto import RandomBytes, group
from broker.protocol.signing_keys import SigningKey

DATABASE = "custodian.sqlite"
PUBLIC_KEY = "custodian.pub.jwk"
_KEYS = "keys"
_SIGNING_KEY = "signing.jwk"


def create(folder: Path, settings: Settings, public_jwk: str, key: SigningKey) -> None:
    """Make the folder of a new custodian. Raises FolderError: there is one already."""
    if (folder / FILE).exists() or (folder / _KEYS).exists():
        raise FolderError("the folder holds a custodian already; nothing was changed")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / _KEYS).mkdir(mode=0o700)
    create_keys(folder, name=f"{settings.id}/log")
    key.write(folder / _KEYS / _SIGNING_KEY)
    Store.create(folder / DATABASE).close()
    (folder / PUBLIC_KEY).write_text(public_jwk + "\n", encoding="utf-8")
    write_private(folder / FILE, settings.toml().encode())


def signing_key(folder: Path) -> SigningKey:
    """Return the key that signs tickets and epoch documents. Raises FolderError."""
    try:
        return SigningKey.read(folder / _KEYS / _SIGNING_KEY)
    except (OSError, ProtocolError) as error:
        reason = str(error) if isinstance(error, ProtocolError) else "is missing: run init first"
        raise FolderError(f"keys/{_SIGNING_KEY}: {reason}") from None


def check(folder: Path) -> Keyring:
    """Return the shares of a custodian whose configuration and keys are as they must be.

    Raises:
        FolderError: refuse to start, with what to do. BackendMissingError: no library computes ristretto255.
    """
    settings = Settings.load(folder)
    try:
        mode = (folder / _KEYS).stat().st_mode
    except OSError:
        raise FolderError("keys/ is missing: run init first") from None
    if mode & 0o077:
        raise FolderError("keys/ can be entered by others: make it mode 0700")
    group()
    return load_keyring(folder, custodian=settings.id, key=signing_key(folder).public)


@contextmanager
def open_trust(folder: Path) -> Iterator[tuple[Store, TrustStore]]:
    """Hold the store and its trust open. Raises FolderError, StoreError."""
    settings = Settings.load(folder)
    store = Store(folder / DATABASE)
    try:
        yield store, TrustStore(store, audience=settings.id, registrars=settings.registrar_keys)
    finally:
        store.close()


@contextmanager
def open_custodian(
    folder: Path, *, clock: Clock | None = None, random: RandomBytes = secrets.token_bytes
) -> Iterator[Custodian]:
    """Hold a custodian ready to evaluate, in this thread; the time since it last ran is credited to its budgets.

    Raises:
        FolderError: refuse to start. StoreError: the store is not usable. BackendMissingError: no ristretto255.
    """
    check(folder)
    settings = Settings.load(folder)
    key = signing_key(folder)
    refresh.clear_up(folder, custodian=settings.id, key=key.public)
    keyring = LiveKeyring(folder, custodian=settings.id, key=key.public)
    clock = clock or SystemClock()
    watch = WatchSettings.load(folder)
    with open_trust(folder) as (store, trust):
        trust.current()
        watching = (
            None if watch is None else watched.begin(store, max_blind_s=watch.max_blind_s, now=unix_seconds(clock))
        )
        yield Custodian(
            settings=settings,
            store=store,
            trust=trust,
            budget_time=BudgetTime(store, clock),
            keyring=keyring,
            signing_key=key,
            clock=clock,
            random=random,
            watching=watching,
        )
