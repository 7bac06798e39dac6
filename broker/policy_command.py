"""Taking up the policy that the settings name: by the broker that serves, else by a start of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette

from broker.served import carried_out
from broker.settings import Settings, SettingsError
from broker.store.folder_requests import POLICY_REQUESTS


def take_up(settings: Settings, *, application: Callable[[Settings], Starlette]) -> Mapping[str, Any]:
    """Return what is in force now: the policy that the settings name.

    Raises:
        SettingsError: it may not be decided with; what was in force still is.
        BrokerError: it could not be recorded; what was in force still is.
    """

    async def alone(broker: Starlette) -> Mapping[str, Any]:
        taken: Mapping[str, Any] = broker.state.activation.result
        return taken

    result = carried_out(settings, POLICY_REQUESTS, {}, application=application, alone=alone)
    if "refused" in result:
        refused = result["refused"]
        raise SettingsError(refused["setting"], refused["rule"], refused["advice"])
    return result
