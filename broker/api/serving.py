"""Running an application: uvicorn with uvloop and httptools (D15), one ready line, no access log."""

import gc
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from audit.durability import Durability

GRACE_S = 5
"""Seconds that requests have to end when the process is told to stop."""
KEEP_ALIVE_S = 75
"""Seconds an idle connection is kept: longer than the minute that a reverse proxy before us keeps its own, or a request
could meet a connection that is just being closed."""


class AnnouncingServer(uvicorn.Server):
    """Announces itself once it answers, and ends when the disk can be trusted no more."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None], durability: Durability) -> None:
        super().__init__(config)
        self._announce = announce
        self._durability = durability

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then announce."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def on_tick(self, counter: int) -> bool:
        """Return, ten times a second, whether to end."""
        return await super().on_tick(counter) or self._durability.lost is not None


def server_config(app: Starlette) -> uvicorn.Config:
    """Return how the broker is served; `serve` enters the lifespan itself, so that its errors are told."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


def keep_what_is_loaded() -> None:
    """What was loaded before serving is looked through no more when memory is collected.

    Looking through policies and models costs a tenth of a second, in which nobody is answered and no tick is kept.
    """
    gc.collect()
    gc.freeze()


async def serve(app: Starlette, *, host: str, port: int, announce: Callable[[], None]) -> None:
    """Serve until the process is told to stop, or `app.state.durability`, where there is one, is lost.

    Raises:
        OSError: the address cannot be listened on; nothing was opened.
        NotDurableError: the disk failed; what was not acknowledged was not done.
        SettingsError: the broker cannot start.
    """
    durability: Durability = getattr(app.state, "durability", None) or Durability()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        async with app.router.lifespan_context(app):
            keep_what_is_loaded()
            await AnnouncingServer(server_config(app), announce, durability).serve(sockets=[listener])
    durability.check()
