"""Having the broker that serves do something, or doing it alone when none does.

The log has one signer, and whoever holds it acts. A broker that is killed meanwhile leaves nothing half done: the
command then holds the signer itself and goes on.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from audit.errors import SignerError
from audit.signer import LocalSigner
from broker.domain.errors import StorageError
from broker.settings import LOG_KEY, Settings
from broker.starting import told
from broker.store.folder_requests import FolderRequests

LOOK_S = 0.2  # seconds between two looks for the answer of a broker that serves

Result = Mapping[str, Any]


def carried_out(
    settings: Settings,
    requests: FolderRequests,
    members: Mapping[str, Any],
    *,
    application: Callable[[Settings], Starlette],
    alone: Callable[[Starlette], Awaitable[Result]],
) -> Result:
    """Return what became of a request of this kind.

    Args:
        settings: name the broker's folder.
        requests: the kind.
        members: of the request, besides its id.
        application: makes the broker of these settings, when none serves.
        alone: does it with that application, once it has started.

    Raises:
        SettingsError: the broker cannot start.
        BrokerError: it ended early; what was done stays done.
    """
    folder = settings.path(Path())
    request = {"id": secrets.token_hex(16), **members}
    # (1) A broker serves: it is asked, and answers when it has done it.
    if is_served(settings):
        requests.leave(folder, request)
    while is_served(settings):
        if (answer := requests.answered(folder, request)) is not None:
            return _held(answer)
        time.sleep(LOOK_S)
    # (2) It ended, perhaps with the answer as its last act; or none serves.
    requests.withdraw(folder)
    if (answer := requests.answered(folder, request)) is not None:
        return _held(answer)
    return asyncio.run(_alone(application(settings), alone))


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


async def _alone(application: Starlette, alone: Callable[[Starlette], Awaitable[Result]]) -> Result:
    async with application.router.lifespan_context(application):
        return await alone(application)


def _held(answer: Result) -> Result:
    if "error" in answer:
        raise StorageError
    return answer
