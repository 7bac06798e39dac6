"""Sweeping by hand: by the broker that serves, when one does, else by this command itself.

The log has one signer, and whoever holds it sweeps. A broker that is killed meanwhile leaves nothing half done: the
command then holds the signer itself and goes on.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from audit.errors import SignerError
from audit.signer import LocalSigner
from broker.domain.errors import StorageError
from broker.settings import LOG_KEY, Settings
from broker.starting import told
from broker.store.sweep_requests import SweepRequest, withdraw

LOOK_S = 0.2  # seconds between two looks for the answer of a broker that serves


def sweep(settings: Settings, *, batch: int, application: Callable[[Settings], Starlette]) -> Mapping[str, Any]:
    """Return what was swept: everything that was due has ended.

    Args:
        batch: signals of one entry, at most.
        application: makes the broker of these settings, when none serves.

    Raises:
        SettingsError: the broker cannot start.
        BrokerError: it ended early; what was done stays done, the rest is found by the next one.
    """
    folder = settings.path(Path())
    request = SweepRequest(id=secrets.token_hex(16), batch=batch)
    # (1) A broker serves: it is asked, and answers when it has done it.
    if is_served(settings):
        request.leave(folder)
    while is_served(settings):
        if (answer := request.answered(folder)) is not None:
            return _held(answer)
        time.sleep(LOOK_S)
    # (2) It ended, perhaps with the answer as its last act; or none serves.
    withdraw(folder)
    if (answer := request.answered(folder)) is not None:
        return _held(answer)
    return asyncio.run(_sweep_alone(application(settings), batch=batch))


def is_served(settings: Settings) -> bool:
    """Return whether another process holds the signer of the log. Raises SettingsError: there is no such key."""
    with told("log key", "run `sluis-broker init`, or restore the key with its state"):
        try:
            LocalSigner.open(settings.path(settings.keys) / LOG_KEY).close()
        except SignerError as error:
            if isinstance(error.__cause__, OSError):
                return True
            raise
    return False


async def _sweep_alone(application: Starlette, *, batch: int) -> Mapping[str, Any]:
    async with application.router.lifespan_context(application):
        result: Mapping[str, Any] = await application.state.housekeeping.sweep_all(batch=batch)
    return result


def _held(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "error" in answer:
        raise StorageError
    return answer
