"""What an operator sees of webhooks: events that no receiver took, and the key that receivers pin."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from broker.material import read_webhook_key
from broker.settings import Settings
from broker.starting import database_of
from broker.store.connection import open_reader
from broker.store.webhooks import dead_letters


def dead_lines(settings: Settings) -> Iterator[str]:
    """Return a line for each event that was given up; a broker that serves is not disturbed."""
    with closing(open_reader(database_of(settings))) as reader:
        dead = asyncio.run(dead_letters(reader))
    for one in dead:
        made = datetime.fromtimestamp(one.made_at, UTC)
        yield f"{one.organisation}  {one.id}  {made:%Y-%m-%d %H:%M} UTC  {one.tries} times"


def public_key(settings: Settings) -> str:
    """Return the public key of the events as a JWK."""
    return json.dumps(read_webhook_key(settings.path(settings.keys)).public.jwk())
