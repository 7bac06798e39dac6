"""Sweeping by hand: by the broker that serves, when one does, else by this command itself."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette

from broker.served import carried_out
from broker.settings import Settings
from broker.store.folder_requests import SWEEP_REQUESTS


def sweep(settings: Settings, *, batch: int, application: Callable[[Settings], Starlette]) -> Mapping[str, Any]:
    """Return what was swept: everything that was due has ended.

    Args:
        settings: name the broker's folder.
        batch: signals of one entry, at most.
        application: makes the broker of these settings, when none serves.

    Raises:
        SettingsError: the broker cannot start.
        BrokerError: it ended early; what was done stays done, the rest is found by the next one.
    """

    async def alone(broker: Starlette) -> Mapping[str, Any]:
        result: Mapping[str, Any] = await broker.state.housekeeping.sweep_all(batch=batch)
        return result

    return carried_out(settings, SWEEP_REQUESTS, {"batch": batch}, application=application, alone=alone)
