"""What an operator sees of webhooks: the key that receivers pin, and the events that no receiver took."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.settings import Settings

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The broker's folder.")]


def add_to(
    app: typer.Typer, *, read: Callable[[Path], Settings], refusals: Callable[[], AbstractContextManager[None]]
) -> None:
    """`webhooks` stands in this command line, which reads settings and tells refusals as its other commands do."""

    @app.command()
    def webhooks(directory: Dir) -> None:
        """Print the key that events are signed with, and the events that no receiver took."""
        with refusals():
            typer.echo(lines(read(directory)))


def lines(settings: Settings) -> str:
    """Return the public key as a JWK, and a line for each dead letter; a broker that serves is not disturbed."""
    from broker.material import read_webhook_key  # noqa: PLC0415 - loaded by this command alone
    from broker.starting import database_of  # noqa: PLC0415 - as above
    from broker.store.connection import open_reader  # noqa: PLC0415 - as above
    from broker.store.webhooks import dead_letters  # noqa: PLC0415 - as above

    key = read_webhook_key(settings.path(settings.keys)).public.jwk()
    with closing(open_reader(database_of(settings))) as reader:
        dead = asyncio.run(dead_letters(reader))
    told = [f"key {json.dumps(key)}", f"dead {len(dead)}"]
    for one in dead:
        made = datetime.fromtimestamp(one.made_at, UTC)
        told.append(f"{one.organisation}  {one.id}  {made:%Y-%m-%d %H:%M} UTC  {one.tries} times")
    return "\n".join(told)
