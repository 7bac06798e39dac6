"""What looking at the broker's log takes, from the custodian's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from audit.durable_file import replace_durably
from audit.errors import AuditError
from audit.note import NoteSigningKey
from audit.policy_file import parse_policy
from broker.custodian.errors import FolderError
from broker.custodian.evaluation import Custodian
from broker.custodian.evaluation_log import open_log
from broker.custodian.folder import DATABASE
from broker.custodian.log_keys import LOG_KEY
from broker.custodian.monitor import Monitor
from broker.custodian.watch_settings import FILE, LOG_POLICY, WatchSettings, own_policy, read_log_policy


@contextmanager
def open_monitor(
    folder: Path, custodian: Custodian, *, transport: httpx.AsyncBaseTransport | None = None
) -> Iterator[Monitor | None]:
    """Hold ready what looking takes; None where this custodian is not set up to watch.

    Raises:
        FolderError: it is set up, and a file is not as it must be: refuse to start.
    """
    settings = WatchSettings.load(folder)
    if settings is None:
        yield None
        return
    policy = read_log_policy(folder)
    try:
        own = own_policy(policy, NoteSigningKey.load(folder / LOG_KEY).verifier)
    except AuditError as error:
        raise FolderError(f"{LOG_KEY}: {error}") from None
    client = httpx.AsyncClient(transport=transport, trust_env=False)
    with open_log(
        folder,
        folder / DATABASE,
        policy=own,
        custodian=custodian.settings.id,
        durability=custodian.store.durability,
    ) as log:
        yield Monitor(custodian=custodian, settings=settings, policy=policy, log=log, client=client)


def configure_monitor(folder: Path, settings: WatchSettings, log_policy: str) -> None:
    """This custodian watches the log of this policy from its next start on. Raises FolderError: it is no policy."""
    try:
        parse_policy(log_policy)
    except AuditError as error:
        raise FolderError(f"log policy: {error}") from None
    replace_durably(folder / LOG_POLICY, log_policy.encode())
    replace_durably(folder / FILE, settings.toml().encode())
